"""The console's sentences: pure functions from API items to what a person reads at a glance."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

Place = Callable[[str | None], str]

ALERT_TITLES: Final = {
    "unauthorised_exit": "Left without permission",
    "stale_snapshot": "Door decided on an old list",
    "ambiguous_passage": "Passage unclear",
    "portal_config_mismatch": "A door or zone is set up wrongly",
    "identity_mismatch": "A message under a wrong name",
    "gateway_clock": "A gateway's clock is ahead",
    "retired_but_active": "Retired or disposed of, and seen",
    "lost_seen": "Lost, and seen again",
    "untagged_issue": "Left before it was received or had a serial",
    "after_hours": "Moved outside its hours",
    "carried_by_another": "Carried by another or unknown",
    "loaner_overdue": "A loan that is over, seen",
    "unknown_tag": "A tag of ours without a record left",
    "portal_bypass": "Outside, and no door saw it leave",
    "portal_dark": "A door is not watched",
    "fire_alarm": "Fire alarm",
    "door_forced": "A door was forced",
    "door_held": "A door is held open",
}
WHAT_TO_DO: Final = {
    "identity_mismatch": "Look at who uses this gateway's name at the broker, and whether "
    "portals.csv gives it its doors; the messages are in quarantine (/api/v1/quarantine).",
    "gateway_clock": "Let the gateway and this server keep their clocks by one time server; what comes "
    "meanwhile is dated by its arrival.",
    "portal_dark": "Look at the door: power, network, reader. What could have passed meanwhile is in doubt "
    "(/api/v1/doubtful-assets).",
    "fire_alarm": "Sirens at its doors are silent until the alarm is over; people leave with what they carry. Count "
    "afterwards what is behind these doors.",
    "door_forced": "Send somebody to the door.",
    "door_held": "Send somebody to shut the door, or see why it stands open.",
    "unknown_tag": "Find out what the tag is on; register it, or retire the tag.",
    "portal_bypass": "Find the way that it took: an opening that nobody watches, or a door that missed it.",
    "portal_config_mismatch": "Correct edge.toml on the gateway, or portals.csv "
    "and import it again; for a zone, say where it lies (/api/v1/zones).",
}
ENDED: Final = {
    "fire_alarm": "it is over",
    "door_forced": "it is over",
    "door_held": "it is shut again",
    "portal_dark": "it is watched again",
    "portal_config_mismatch": "gateway and registry agree again",
}
"""Alerts that last as long as a gateway says so, and what it is when they no longer do."""
LOOK: Final = "Look at the gateway's log, and at /api/v1/gateways."
VERDICTS: Final = {
    "authorised_late": "Authorised late",
    "recovered": "Recovered",
    "theft": "Theft",
    "false_read": "False read",
    "test": "Test",
}
AT_LEAST: Final = frozenset({"days", "crossings", "walks"})
LOUDER: Final = {"notify": "tell the guard", "alarm": "sound the siren, too"}
ROLES: Final = {"itam_manager": "IT asset manager", "hr_coordinator": "HR coordinator"}
ACT_NOW_SEVERITIES: Final = frozenset({"critical", "high"})
KINDS: Final = {
    "in": "went in",
    "out": "went out",
    "turned_back": "turned back",
    "near": "passed by",
    "parked": "stands in the doorway",
    "unresolved": "unclear",
    "retracted": "withdrawn",
}
# An arrow or sign for each kind, so that no meaning hangs on colour.
KIND_SIGNS: Final = {"in": "→", "out": "←", "turned_back": "↩", "near": "·", "parked": "■", "unresolved": "?"}
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,80}")
_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_DAY_S: Final = 86_400
FEW_CROSSINGS: Final = 30
"""Fewer say next to nothing about a door."""
_SURE: Final = 0.9
_LIKELY: Final = 0.7


def alert_title(alert: dict[str, Any]) -> str:
    """What it is, in words."""
    return ALERT_TITLES.get(alert["kind"], str(alert["kind"]).replace("_", " ").capitalize())


def is_act_now(alert: dict[str, Any]) -> bool:
    """Whether somebody should get up: open, serious, neither old nor overturned, or reopened since a verdict fell."""
    serious = alert.get("severity") in ACT_NOW_SEVERITIES
    fresh = bool(alert.get("reopened")) or not (alert.get("late") or alert.get("corrected"))
    return alert["state"] == "open" and serious and fresh


def is_taken(alert: dict[str, Any]) -> bool:
    """Whether somebody has it and it is not ended."""
    return alert["state"] in {"acknowledged", "investigating"}


def alert_state(alert: dict[str, Any]) -> str:
    """Who has it and how far they are, or how it ended."""
    who = alert.get("investigating_by") or alert.get("acknowledged_by") or "somebody"
    if alert["state"] == "acknowledged":
        return f"{who} has it"
    if alert["state"] == "investigating":
        return f"{who} looks into it"
    if alert["state"] == "resolved":
        verdict = VERDICTS.get(alert.get("verdict") or "", str(alert.get("verdict")))
        waits = "unconfirmed " if alert.get("verdict_standing") == "provisional" else ""
        return f"{waits}{verdict.lower()}, {alert.get('resolved_by') or 'somebody'}"
    if is_act_now(alert):
        return "nobody has it yet"
    if alert.get("corrected"):
        return ENDED.get(str(alert.get("kind")), "corrected: probably a false read")
    return "late: older than 5 minutes" if alert.get("late") else "for information"


def alert_event(alert: dict[str, Any], kind: str) -> str:
    """What a line of an alert's history is: what a gateway tells ends and begins again, and was no error."""
    if alert.get("kind") in ENDED:
        kind = {"corrected": "over", "reinstated": "again"}.get(kind, kind)
    return kind.replace("_", " ")


def alert_reason(alert: dict[str, Any]) -> str:
    """Why it is an alert, and that it is one again where a verdict on it fell."""
    return f"Opened again, the verdict on it fell. {alert['reason']}" if alert.get("reopened") else str(alert["reason"])


def cut_words(listed: Iterable[dict[str, Any]]) -> str:
    """Say that more is open than is listed, and what is left out."""
    number = sum(one["state"] == "open" for one in listed)
    return f"More than these {number:,} alerts are open. All critical ones are here; of the others the oldest are not:"


def counted(number: int, thing: str) -> str:
    """A number of things."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def role(name: str) -> str:
    """A role for people to read."""
    return ROLES.get(name, name.replace("_", " "))


def with_names(sentence: str, names: Mapping[str, str]) -> str:
    """A sentence of the central service with names where it has ids of doors and places."""
    if not names:
        return sentence
    longest_first = sorted(names, key=len, reverse=True)
    ids = "|".join(re.escape(one) for one in longest_first)
    return re.sub(rf"(?<![\w.-])(?:{ids})(?![\w-])", lambda found: names[found[0]], sentence)


def certainty(movement: dict[str, Any]) -> str:
    """How sure a movement is; until its final it may still turn."""
    return sureness(movement["confidence"]) if movement["final"] else "still in the door"


def trust(figures: dict[str, Any]) -> str:
    """How far a door's alerts can be trusted, in figures."""
    judged = figures["false_reads"] + figures["right_alerts"]
    if not judged:
        return f"{counted(figures['alerts'], 'alert')}, none judged and confirmed yet"
    low, high = figures["share_false_from"], figures["share_false_to"]
    share = f"{figures['share_false']:.0%} ({low:.0%} to {high:.0%})"
    return f"{figures['false_reads']:,} of {judged:,} judged alerts were false: {share}"


def mode_words(mode: str) -> str:
    """What a door does when something leaves."""
    return {
        "observe": "only writes down", "notify": "tells the guard", "alarm": "sounds, and tells the guard",
    }.get(mode, mode)  # fmt: skip


def ready_words(door: dict[str, Any]) -> str:
    """Whether a door may be louder by a step."""
    if door["next"] is None:
        return "as loud as it gets"
    if door["ready"]:
        return f"may {LOUDER[door['next']]}"
    met = sum(one["met"] for one in door["criteria"])
    return f"not yet: shows {met} of {counted(len(door['criteria']), 'thing')} that are wanted"


def criterion_words(one: dict[str, Any]) -> str:
    """One thing that a louder mode wants of a door, and what the door shows."""
    found = "not known" if one["found"] is None else f"{one['found']:.3g}"
    bound = "at least" if one["name"] in AT_LEAST else "at most"
    return f"{one['words']}: {found}, wanted {bound} {one['wanted']:.3g}"


def promotion_words(last: dict[str, Any]) -> str:
    """Who gave a door its mode, and in spite of what."""
    approved = f", approved by {last['approved_by']}" if last["approved_by"] else ""
    spite = f"; in spite of: {last['overridden']}" if last["overridden"] else ""
    return f"{last['mode']} since {when(last['at'])} by {last['by']}{approved}: {last['reason']}{spite}"


def measure_words(measure: dict[str, Any]) -> str:
    """Who quietened a door, why and until when."""
    at = datetime.fromisoformat(measure["until_at"]).astimezone()
    until = f"{dated(at)} {at:%H:%M}"
    return f"{measure['kind']} by {measure['by']} until {until}: {measure['reason']}"


def due_words(at: str, now: datetime) -> str:
    """How long until a due date, or since."""
    left_s = (datetime.fromisoformat(at) - now).total_seconds()
    days = abs(left_s) / _DAY_S
    amount = f"{days:.0f} days" if days >= 2 else f"{abs(left_s) / _HOUR_S:.0f} h"  # noqa: PLR2004 (below that, hours say more)
    return f"due in {amount}" if left_s >= 0 else f"overdue by {amount}"


def is_id(text: str) -> bool:
    """Whether this can be an asset's id at all."""
    return _ID.fullmatch(text) is not None


def is_about_gateway(alert: dict[str, Any]) -> bool:
    """Whether it concerns a gateway itself: nothing was carried through any door."""
    return not any(alert.get(name) for name in ("asset", "assets", "epc", "portal"))


def what_to_do(alert: dict[str, Any]) -> str:
    """What mends an alert about a gateway."""
    return WHAT_TO_DO.get(alert["kind"], LOOK)


def alert_subject(alert: dict[str, Any]) -> str:
    """What was carried: one asset by name, or how many; or the gateway that it is about."""
    if is_about_gateway(alert):
        return f"gateway {alert['gateway']}"
    assets = alert.get("assets") or []
    if len(assets) > 1:
        return f"{len(assets)} assets"
    asset = alert.get("asset")
    if asset:
        return str(asset["name"])
    return f"Tag {alert['epc']}" if alert.get("epc") else "No asset named"


def alert_asset_ids(alert: dict[str, Any]) -> list[str]:
    """Ids of the assets that the alert holds."""
    assets = alert.get("assets") or ([alert["asset"]] if alert.get("asset") else [])
    return [str(asset["id"]) for asset in assets]


def alert_door_said(alert: dict[str, Any]) -> str:
    """What the door itself decided, or nothing where it wasn't asked."""
    said = [asset["edge"] for asset in alert.get("assets") or [] if asset.get("edge")]
    if not said:
        return ""
    if len(set(said)) == 1:
        return f"The door {_DOOR_SAID[said[0]]}."
    told = [f"{_DOOR_SAID[one]}: {said.count(one)}" for one in _DOOR_SAID if one in said]
    return f"The door {', '.join(told)}."


_DOOR_SAID: Final = {
    "refuse": "refused it",
    "allow": "let it pass",
    "stale": "could not tell, its snapshot was too old",
}


def alert_way(alert: dict[str, Any], place: Place) -> str:
    """Which way."""
    if alert.get("from") and alert.get("to"):
        return f"{place(alert['from'])} → {place(alert['to'])}"
    return "direction not known"


def portal_name(portal: str | None) -> str:
    """A door's id as words."""
    return str(portal).replace("-", " ").title() if portal else "no door"


def sureness(confidence: float | None) -> str:
    """A probability as a word with its figure."""
    if confidence is None:
        return ""
    word = "sure" if confidence >= _SURE else "likely" if confidence >= _LIKELY else "doubtful"
    return f"{word}, {confidence:.0%}"


def held(belief: dict[str, Any]) -> str:
    """How sure a place is, in a word with its figure: in doubt, whatever that is, where something speaks against it."""
    share = belief.get("confidence")
    if share is None:
        return ""
    word = "in doubt" if belief.get("certain") is False else "sure" if share >= _SURE else "likely"
    return f"{word}, {share:.0%}"


def instant(text: str) -> datetime:
    """An instant as the API writes it."""
    return datetime.fromisoformat(text)


def clock_time(instant: str | None) -> str:
    """Time of day in this machine's zone."""
    return datetime.fromisoformat(instant).astimezone().strftime("%H:%M:%S") if instant else "no time"


def when(instant: str | None, now: datetime | None = None) -> str:
    """Time of day in this machine's zone, with the date where that is another day."""
    if not instant:
        return "no time"
    at, today = datetime.fromisoformat(instant).astimezone(), (now or datetime.now(UTC)).astimezone()
    if at.date() == today.date():
        return f"{at:%H:%M:%S}"
    return f"{dated(at, today)} {at:%H:%M}"


def dated(day: date, today: date | None = None) -> str:
    """A day as it is written, with its year where that is another than this one."""
    year = "" if day.year == (today or datetime.now(UTC).astimezone()).year else f" {day.year}"
    return f"{day.day} {day:%b}{year}"


def as_of(instant: str | None) -> str:
    """As of when figures are."""
    return f"as of {clock_time(instant)} {zone(instant)}" if instant else "not read yet"


def zone(instant: str | None) -> str:
    """The zone that this machine tells the time in."""
    at = datetime.fromisoformat(instant) if instant else datetime.now(UTC)
    return at.astimezone().strftime("%Z")


def ago(instant: str | None, now: datetime) -> str:
    """How long ago, as a guard says it."""
    if not instant:
        return "never"
    seconds = max(0, int((now - datetime.fromisoformat(instant)).total_seconds()))
    if seconds < _MINUTE_S:
        return f"{seconds} s ago"
    if seconds < _HOUR_S:
        return f"{seconds // _MINUTE_S} min ago"
    return f"{seconds // _HOUR_S} h ago" if seconds < _DAY_S else f"{counted(seconds // _DAY_S, 'day')} ago"


def lasting(since: str, now: datetime) -> str:
    """How long something lasts already."""
    return ago(since, now).removesuffix(" ago")


def movement_line(movement: dict[str, Any], place: Place) -> str:
    """What moved how, in words."""
    what = KINDS.get(movement["kind"], str(movement["kind"]))
    if movement["kind"] in {"in", "out"} and movement.get("to"):
        return f"{what} to {place(movement['to'])}"
    return what


def happened(times: int, last: str, now: datetime) -> str:
    """When it happened, and how often."""
    return f"{often(times, last)}, {ago(last, now)}"


def often(times: int, last: str) -> str:
    """How often it happened, and when at last."""
    return f"{times:,} times, last {when(last)}" if times > 1 else when(last)


def now_where(alert: dict[str, Any], place: Place) -> str:
    """Where the assets are now, if they moved on since the alert; empty if they didn't, or nobody knows."""
    moved = [
        one for one in alert.get("assets") or [] if one.get("since") and instant(one["since"]) > instant(one["at"])
    ]
    if not moved:
        return ""
    total = len({one["id"] for one in alert["assets"]})
    back = [one for one in moved if one["location"] == alert.get("from")]
    if total > 1:
        count = len({one["id"] for one in back})
        return f"{count} of {total} are back in {place(alert['from'])}" if back else ""
    one = moved[-1]
    if one["location"] == alert.get("to"):
        return ""
    return f"{'Back' if back else 'Now'} in {place(one['location'])} since {when(one['since'])}"


def health_words(parts: dict[str, Any]) -> str:
    """What the central service says that it lacks, and what to do; empty if it is well."""
    ill = {name: str(part.get("problem")) for name, part in parts.items() if not part.get("well")}
    if "database" in ill:
        return (
            f"The database does not answer ({ill['database']}). Start PostgreSQL; what the doors saw comes afterwards."
        )
    if "broker" in ill.get("ingest", ""):
        return (
            "The central service hears no door: the broker is not connected. No alert can come. Start the broker, "
            "or look for the cause in the log of stockgate-central; what the doors see meanwhile comes afterwards."
        )
    return " ".join(f"The central service is not well: {name}: {problem}." for name, problem in ill.items())


def doors_words(gateways: list[dict[str, Any]]) -> str:
    """What to say when no door is heard at all; empty if one is, or none is registered."""
    ours = [one for one in gateways if one["registered"]]
    if not ours or any(one["online"] for one in ours):
        return ""
    return "No gateway is connected: no door is heard, no alert can come. Look at power and network of the gateways."


def feed_words(silent_s: float | None, problem: str | None) -> str:
    """Why figures may be old, in words."""
    if silent_s is None:
        return f"Not connected yet. {problem or 'Waiting for the first word of the central service.'}"
    return f"No news for {silent_s:.0f} s: what stands here may be old. {problem or ''}".strip()


def miss_words(door: dict[str, Any]) -> str:
    """How sure a door's own measure is: the ends of its intervals."""
    if door["miss_rate_high"] is None:
        return "It saw nobody pass: whether it misses anybody is not known."
    if door["crossings"] < FEW_CROSSINGS:
        return f"Too few crossings to tell: it may miss up to {door['miss_rate_high']:.0%} of them."
    return (
        f"With 95 % certainty it misses {door['miss_rate_low']:.1%} to {door['miss_rate_high']:.1%}, that is "
        f"{door['missed_month_low']:,.0f} to {door['missed_month_high']:,.0f} crossings a month. Nobody had to walk "
        "for that: it follows from what other doors saw afterwards."
    )
