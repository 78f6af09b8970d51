"""The sentences of an asset's page: pure functions from API items to what a person reads at a glance."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from central.console import count_words, transit_words, words

ALL: Final = ""
KINDS: Final = {
    ALL: "Everything",
    "movement": "Movements",
    "hearing": "Heard",
    "act": "Told",
    "transfer": "Transfers",
    "pass": "Passes",
    "exception": "Exceptions",
    "alert": "Alerts",
    "count": "Counts",
}
"""What may be picked from a life."""
GRADES: Final = {
    "tag_seen": "its tag was seen",
    "barcode": "its barcode was read",
    "serial_seen": "its serial was seen",
    "serial_and_custodian": "serial and custodian were seen",
}
HOW: Final = {"portal": "at a door", "zone": "by a zone's reader", "sweep": "by a sweep", "handheld": "by a handheld",
              "scan": "by a scan", "inspection": "by eye", "count": "in a count"}  # fmt: skip
_SIGNS: Final = {"hearing": "◉", "act": "✎", "transfer": "⇄", "pass": "◇", "exception": "▲", "alert": "▲", "count": "✓"}
_ACTS: Final = {
    "placed": "Recorded in {place}",
    "seen": "Seen in {place}",
    "sighted": "Sighted in {place}",
    "lifecycle_set": "Is {value} now",
    "custody_given": "In custody of {value}",
    "custody_acknowledged": "Custody acknowledged",
    "condition_set": "Condition: {value}",
    "data_state_set": "Data: {value}",
    "title_set": "Title: {value}",
    "hold_set": "Hold set: {value}",
    "hold_released": "Hold released",
    "parent_set": "Put into {value}",
    "dispatch_scanned": "Dispatch scanned",
    "receipt_scanned": "Receipt scanned in {place}",
    "leg_claimed": "Trip claimed",
    "loan_opened": "Lent",
    "loan_extended": "Loan extended",
    "loan_returned": "Loan returned",
    "repair_opened": "Sent for repair",
    "repair_closed": "Back from repair",
    "asset_verified": "Verified in {place}",
    "counted_missing": "Not found in {place}",
    "deadline_fired": "A deadline passed",
}
_TRANSFERS: Final = {
    "transfer_requested": "Transfer {transfer} asked for",
    "transfer_approved": "Transfer {transfer} approved",
    "transfer_cancelled": "Transfer {transfer} called off",
    "leg_claimed": "Trip claimed for transfer {transfer}",
}
_ENDS: Final = {
    "received": "Received in {place}",
    "returned_to_origin": "Came back to {place}",
    "wrong_destination": "Arrived at a wrong place: {place}",
    "open": "Under way",
}
_EXCEPTIONS: Final = {
    "opened": "Exception opened",
    "suggested": "Perhaps put right",
    "suggestion_withdrawn": "Not put right after all",
    "assigned": "Exception taken",
    "closed": "Exception closed",
    "accepted_risk": "Risk accepted",
    "reopened": "Exception opened again",
}
_BY: Final = {"observed": "seen by a door", "scanned": "scanned", "inferred": "inferred: no door saw it"}
_VALUES: Final = (
    "to",
    "state",
    "value",
    "lifecycle",
    "custodian",
    "person",
    "holder",
    "condition",
    "title",
    "kind",
    "parent",
)

Name = Callable[[str | None], str]


@dataclass(frozen=True, slots=True)
class Line:
    """One moment as it is read: a sign, what happened, who or what says so and how surely, and where more stands."""

    sign: str
    what: str
    how: str
    link: str = ""
    loud: bool = False


def line(moment: dict[str, Any], place: Name, door: Name) -> Line:
    """Return a moment of a life in words."""
    return _LINES[moment["kind"]](moment["data"], place, door)


def _movement(data: dict[str, Any], place: Name, door: Name) -> Line:
    revised = f"decided {data['rev']} times" if data["rev"] > 1 and data["final"] else ""
    how = [
        door(data["portal"]),
        words.certainty(data),
        words.counted(data["reads"], "read"),
        revised,
        data["reason"] or "",
    ]
    return Line(words.KIND_SIGNS.get(data["kind"], "·"), _capital(words.movement_line(data, place)), _joined(how))


def _hearing(data: dict[str, Any], place: Name, _door: Name) -> Line:
    came = f"no door saw it leave {place(data['from'])}" if data["moved"] else "as it was known"
    by = "a sweep or a reader" if data["swept"] else "readers of the zone"
    until = f"until {words.when(data['until'])}" if data["rounds"] > 1 else ""
    how = [f"by {by} in {words.counted(data['rounds'], 'round')} {until}".strip(), came]
    told = "Heard in {}: held to be there from then on" if data["moved"] else "Heard in {}"
    return Line(_SIGNS["hearing"], told.format(place(data["location"])), _joined(how))


def _act(data: dict[str, Any], place: Name, _door: Name) -> Line:
    detail = data["detail"] or {}
    value = next((str(detail[name]) for name in _VALUES if detail.get(name)), "")
    pattern = _ACTS.get(data["kind"], data["kind"].replace("_", " ").capitalize())
    if "{value}" in pattern and not value:
        pattern = data["kind"].replace("_", " ").capitalize()
    what = pattern.format(place=place(data["location"]), value=value.replace("_", " "))
    why = detail.get("reason") or detail.get("evidence") or detail.get("note") or ""
    taken_back = "taken back afterwards" if data["void"] else ""
    return Line(_SIGNS["act"], what, _joined([f"by {data['by']}", _text(why), taken_back]))


def _transfer(data: dict[str, Any], place: Name, _door: Name) -> Line:
    if data["kind"] == "dispatched":
        where = place(data["to"]) if data["to"] else "nobody knows where"
        due = f"due {words.when(data['receipt_due'])}"
        by = "observed" if data.get("seen") and data["basis"] == "inferred" else data["basis"]
        how = [
            _BY.get(by, by),
            f"from {words.role(data['sender'])} to {words.role(data['receiver'])}",
            due,
            _named(data),
        ]
        return Line(_SIGNS["transfer"], f"Left {place(data['from'])} for {where}", _joined(how))
    if data["kind"] == "ended":
        what = _ENDS.get(data["state"], data["state"]).format(place=place(data["ended_in"]))
        how = [_BY.get(data["ended_by"], data["ended_by"] or ""), _named(data)]
        return Line(_SIGNS["transfer"], what, _joined(how), loud=data["state"] == "wrong_destination")
    detail = data["detail"] or {}
    pattern = _TRANSFERS.get(data["kind"], data["kind"].replace("_", " ").capitalize() + " ({transfer})")
    return Line(
        _SIGNS["transfer"],
        pattern.format(transfer=data["transfer"]),
        _joined([f"by {data['by']}", _text(detail.get("reason"))]),
    )


def _named(data: dict[str, Any]) -> str:
    assumed = [transit_words.ASSUMED.get(one, one) for one in data["assumed"] or []]
    told = f"transfer {data['transfer']}" if data["transfer"] else "no transfer says so"
    return told + (f"; assumed: {', '.join(assumed)}" if assumed else "")


def _pass(data: dict[str, Any], place: Name, door: Name) -> Line:
    until = f"until {words.when(data['valid_to'])}" if data["valid_to"] else "without an end"
    once = "once" if data["single_use"] else ""
    who = f"carried by {data['person']}" if data["person"] else ""
    approved = f"approved by {data['approved_by']}" if data["approved_by"] else ""
    used = f"used at {door(data['used_portal'])} {words.when(data['used_at'])}" if data["used_at"] else ""
    gone = f"withdrawn {words.when(data['withdrawn_at'])}" if data["withdrawn_at"] else ""
    what = f"May leave {place(data['boundary'])} {once} {until}".replace("  ", " ")
    how = [f"{data['kind'].replace('_', ' ')} {data['id']}", who, approved, data["reason"], used, gone]
    return Line(_SIGNS["pass"], what, _joined(how))


def _exception(data: dict[str, Any], place: Name, _door: Name) -> Line:
    detail = data["detail"] or {}
    evidence = detail.get("evidence") or {}
    shown = f"{evidence.get('kind', '')} {evidence.get('reference', '')}".strip() if isinstance(evidence, dict) else ""
    title = data.get("title") or data["category"].replace("_", " ")
    what = f"{_EXCEPTIONS.get(data['kind'], data['kind'].replace('_', ' ').capitalize())}: {title}"
    why = detail.get("why") or detail.get("reason") or ""
    where = place(data["location"]) if data["location"] else ""
    how = [f"by {data['by']}", data["severity"], where, _text(why), shown]
    return Line(_SIGNS["exception"], what, _joined(how), loud=data["kind"] == "opened")


def _alert(data: dict[str, Any], _place: Name, door: Name) -> Line:
    with_it = f"with {data['assets'] - 1} others" if data["assets"] > 1 else ""
    ended = f"{words.VERDICTS.get(data['verdict'], '')} ({data['by']})" if data["verdict"] else data["state"]
    how = [door(data["portal"]), data["severity"], ended, with_it, data["reason"]]
    return Line(_SIGNS["alert"], words.alert_title(data), _joined(how), f"/alerts/{data['alert']}", loud=True)


def _count(data: dict[str, Any], place: Name, _door: Name) -> Line:
    run = f"count no. {data['run']}" if data["run"] else ""
    how = [
        HOW.get(data["how"], data["how"]),
        words.sureness(data["confidence"]),
        f"by {data['by']}",
        data["evidence"],
        run,
    ]
    return Line(_SIGNS["count"], f"Verified in {place(data['location'])}: {GRADES[data['grade']]}", _joined(how))


_LINES: Final = {
    "movement": _movement, "hearing": _hearing, "act": _act, "transfer": _transfer, "pass": _pass,
    "exception": _exception, "alert": _alert, "count": _count,
}  # fmt: skip


def counted(one: dict[str, Any], place: Name, now: datetime) -> str:
    """What a place's perpetual count says of an asset, and why."""
    seen = f"seen {words.ago(one['seen_at'], now)}" if one["seen_at"] else "never seen there"
    sure = f", {count_words.likely(one['probability'])} likely there" if one["probability"] is not None else ""
    silent = "; its tag does not answer" if one["tag_silent"] else ""
    where = place(one["location"])
    if one["bucket"] == "missing":
        why = (
            f"heard in {place(one['elsewhere'])} instead" if one["elsewhere"] else "readers that normally hear it don't"
        )
        return f"Missing in {where}: {why}; {seen}{sure}{silent}."
    told = {
        "found": "Found in",
        "unexpected": "Heard, though not in the book, in",
        "unknown": "Not known by any count in",
    }
    return f"{told[one['bucket']]} {where}: {seen}{sure}{silent}."


def verified(one: dict[str, Any], place: Name, now: datetime) -> str:
    """When it was verified and how, and whether that still counts."""
    needs = GRADES[one["least_grade"]]
    if not one["last"]:
        return f"Never verified; its class wants: {needs}, every {one['valid_days']} days."
    last = one["last"]
    told = f"Verified {words.ago(last['at'], now)} in {place(last['location'])}: {GRADES[last['grade']]} ({last['by']})"
    holds = "" if one["valid"] else f"; that no longer counts, its class wants: {needs}, every {one['valid_days']} days"
    return f"{told}{holds}."


def state(axes: dict[str, Any]) -> str:
    """The axes of its state that were told, in words."""
    custody = f"in custody of {axes['custodian']}" if axes["custodian"] else ""
    unsigned = " (not acknowledged)" if axes["custodian"] and not axes["custody_acknowledged_at"] else ""
    title = f"{axes['title']} by {axes['title_holder']}" if axes["title_holder"] else ""
    told = [axes["lifecycle"], custody + unsigned, axes["condition"], axes["data_state"], title]
    return _joined([str(one).replace("_", " ") for one in told if one])


def tag(one: dict[str, Any]) -> str:
    """A tag and since when it is, or was, on the asset."""
    began = datetime.fromisoformat(one["bound_from"])
    since = f" since {words.when(one['bound_from'])}" if began.year > _EPOCH_YEAR else ""
    until = f" until {words.when(one['bound_to'])}" if one["bound_to"] else ""
    return f"{one['role']} tag{since}{until}" + (", retired" if one["state"] == "retired" else "")


def day(at: str, now: datetime | None = None) -> str:
    """The day of a moment, in this machine's zone."""
    then, today = datetime.fromisoformat(at).astimezone(), (now or datetime.now(UTC)).astimezone()
    if then.date() == today.date():
        return "Today"
    return f"{then:%A} {then.day} {then:%B} {then.year}"


_EPOCH_YEAR: Final = 1970


def _joined(parts: list[str]) -> str:
    return " · ".join(part for part in parts if part)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
