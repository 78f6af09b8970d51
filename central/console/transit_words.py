"""The sentences of the in-transit board: pure functions from API items to what a person reads at a glance."""

from datetime import date, datetime
from typing import Any, Final

from central.console import words

EVERYTHING: Final = ""
CHOICES: Final = {
    EVERYTHING: "Everything",
    "overdue": "Overdue",
    "undeclared": "Undeclared",
    "astray": "At a wrong place",
    "in_part": "Read in part",
}
BASIS: Final = {"observed": "seen by a door", "scanned": "scanned", "inferred": "inferred"}
ASSUMED: Final = {
    "sender": "sender",
    "receiver": "receiver",
    "receipt_due": "due date",
    "dispatched_at": "time of dispatch",
    "destination": "destination",
}
_SIGNS: Final = {"undeclared": "▲", "overdue": "▲", "astray": "↯", "going": "→"}


def chosen(trips: list[dict[str, Any]], what: str) -> list[dict[str, Any]]:
    """Return the trips that a choice leaves, whole: whoever looks at a late asset wants to see what came with it."""
    if what == "in_part":
        return [one for one in trips if one["in_part"]]
    if what == "astray":
        return [one for one in trips if _is_astray(one)]
    if what in {"overdue", "undeclared"}:
        return [one for one in trips if any(leg[what] for leg in one["legs"])]
    return trips


def kind(trip: dict[str, Any]) -> str:
    """What is most urgent about a trip: undeclared, overdue, astray, or just going."""
    if trip["undeclared"]:
        return "undeclared"
    if any(leg["overdue"] for leg in trip["legs"]):
        return "overdue"
    return "astray" if _is_astray(trip) else "going"


def sign(trip: dict[str, Any]) -> str:
    """A sign for that, so that no meaning hangs on colour."""
    return _SIGNS[kind(trip)]


def way(trip: dict[str, Any]) -> str:
    """Where it goes from and to."""
    leg = trip["legs"][0]
    if trip["manifest"]:
        return f"{trip['manifest']['origin_name']} → {trip['manifest']['destination_name']}"
    return f"{leg['origin_name']} → {leg['destination_name'] or 'nobody knows where'}"


def how_late(trip: dict[str, Any], now: datetime) -> str:
    """How long until it is due, or since; of what left undeclared, how long it is gone."""
    if trip["undeclared"]:
        return f"gone for {words.lasting(min(leg['dispatched_at'] for leg in trip['legs']), now)}"
    return words.due_words(trip["receipt_due"], now)


def due(leg: dict[str, Any]) -> str:
    """The due date: a day at the destination, and the calendar that it was counted on."""
    day = date.fromisoformat(leg["due_on"])
    assumed = " (assumed)" if "receipt_due" in leg["assumed"] else ""
    return f"due by the end of {day:%a} {words.dated(day)}{assumed}, {calendar(leg['calendar'])}"


def calendar(version: str) -> str:
    """A calendar's name without the digest of its days."""
    place = version.partition(":")[0]
    return "Monday to Friday, no holidays" if place in {"plain", ""} else f"{place} calendar"


def who(trip: dict[str, Any]) -> str:
    """Who sent it and who is to receive it, or who answers for it as long as nobody claims it."""
    leg = trip["legs"][0]
    if trip["undeclared"]:
        return f"Nobody has said who receives it. {leg['receiver_name']} answers for it."
    sender = leg["sender_name"] + (" (assumed)" if "sender" in leg["assumed"] else "")
    receiver = leg["receiver_name"] + (" (assumed)" if "receiver" in leg["assumed"] else "")
    return f"{sender} sent it, {receiver} is to receive it"


def title(trip: dict[str, Any]) -> str:
    """What kind of trip it is."""
    if trip["undeclared"]:
        return "Left undeclared"
    return f"Transfer {trip['transfer']}" if trip["transfer"] else "Claimed afterwards"


def manifest(trip: dict[str, Any]) -> str:
    """How much of a manifest is under way and what nobody read; empty where all of it goes."""
    listed = trip["manifest"]
    if not listed:
        return words.counted(len(trip["legs"]), "asset") + " under way"
    came = f", {listed['received']} received" if listed["received"] else ""
    return f"{len(trip['legs'])} of {words.counted(listed['total'], 'asset')} under way{came}"


def lacking(trip: dict[str, Any]) -> list[str]:
    """What of a manifest nobody dispatched, and what came back; nothing where all of it goes."""
    told = trip["manifest"] or {}
    lists = {"Not read at dispatch": told.get("unread"), "Came back": told.get("came_back")}
    return [f"{how}: {_named(some)}" for how, some in lists.items() if some]


def _named(some: list[dict[str, Any]]) -> str:
    named = ", ".join(f"{one['name']} ({one['id']})" for one in some[:3])
    return named + (f" and {len(some) - 3} more" if len(some) > 3 else "")  # noqa: PLR2004 (three names are a line)


def escalated(trip: dict[str, Any], now: datetime) -> str:
    """Who was told that it is late, or who will be next; the first leg stands for all."""
    leg = next((one for one in trip["legs"] if one["told"]), None)
    if leg is not None:
        return f"{words.role(leg['told']).capitalize()} was told {words.ago(leg['told_at'], now)}"
    path = [words.role(one) for one in trip["legs"][0]["escalation_path"]]
    return f"Once late: {', then '.join(path)}" if path else ""


def basis(leg: dict[str, Any]) -> str:
    """How we know that it left, and what of it nobody told or saw."""
    assumed = [ASSUMED.get(one, one.replace("_", " ")) for one in leg["assumed"]]
    return BASIS.get(leg["basis"], str(leg["basis"])) + (f"; assumed: {', '.join(assumed)}" if assumed else "")


def state(leg: dict[str, Any], trip: dict[str, Any], now: datetime) -> str:
    """How one asset's way stands; what its trip says already isn't said again."""
    if leg["state"] == "wrong_destination":
        return f"at a wrong place: {leg['astray_in_name'] or leg['astray_in']}, {words.ago(leg['astray_at'], now)}"
    if not leg["overdue"] and leg["due_on"] == trip["legs"][0]["due_on"] and not trip["undeclared"]:
        return "under way"
    return words.due_words(leg["receipt_due"], now)


def dispatched(leg: dict[str, Any]) -> str:
    """When it left, in this machine's zone."""
    at = words.instant(leg["dispatched_at"]).astimezone()
    return f"{words.dated(at)} {at:%H:%M}"


def waits(transfer: dict[str, Any], place: str) -> bool:
    """Whether a transfer from or to a place, or any, waits for an owner's approval."""
    here = place in {"", transfer["from"], transfer["to"]}
    return here and transfer["state"] == "requested" and bool(transfer["awaits"])


def asked(transfer: dict[str, Any]) -> str:
    """Who asked for a transfer of what, and why."""
    number = words.counted(len(transfer["assets"]), "asset")
    return f"Transfer {transfer['id']} · {number} · asked for by {transfer['requested_by']}: {transfer['reason']}"


def consent(transfer: dict[str, Any]) -> str:
    """Which owners agreed, and whose word is missing."""
    sides = {"sending": "The owner of where it leaves", "receiving": "the owner of where it goes"}
    told = []
    for side, owner in sides.items():
        by = transfer[f"{side}_by"]
        agreed = f"agreed ({by}, until {words.when(transfer[f'{side}_until'])})" if by else "has not agreed yet"
        told.append(f"{'▲ ' if side in transfer['awaits'] else '✓ '}{owner} {agreed}")
    both = " Two people have to: the cost centre changes." if transfer["two_managers"] else ""
    return "; ".join(told) + "." + both


def _is_astray(trip: dict[str, Any]) -> bool:
    return any(leg["state"] == "wrong_destination" for leg in trip["legs"])
