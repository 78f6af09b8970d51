"""Doors that are not watched, and ways past them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from central.domain.anomalies.records import Knowledge, Suspicion

SILENT_AFTER: Final = timedelta(seconds=10)
"""A gateway that says nothing for longer can't be told from one that was unplugged."""
PLANNED_FOR: Final = timedelta(minutes=15)
"""An upgrade or a restart is over by then; who stops a gateway for longer opens its doors."""


@dataclass(frozen=True, slots=True)
class GatewayWord:
    """A gateway's newest word: whether it is there, when it spoke, and which of its doors it calls dark since when.

    `stopped`: it isn't there because somebody asked it to stop, and it said so.
    """

    online: bool
    stopped: bool
    last_seen: datetime | None
    dark: Mapping[str, tuple[datetime, str]]


@dataclass(frozen=True, slots=True)
class Dark:
    """A door that is not watched, since when, and why.

    `whole` if none of its gateway's doors is. `planned` if it was stopped and is due back: a gap, but no alarm.
    """

    portal: str
    since: datetime
    reason: str
    whole: bool
    planned: bool = False


def portal_dark(
    doors: Mapping[str, str], words: Mapping[str, GatewayWord], listening_since: datetime, now: datetime
) -> list[Dark]:
    """Return the doors that nobody watches (requirement 37).

    Args:
        doors: each portal's gateway.
        words: of registered gateways that ever spoke; one that never did is being installed.
        listening_since: since when we hear the broker: what was said before then we can't have heard.
        now: the present.
    """
    found = []
    for portal, gateway in sorted(doors.items()):
        word = words.get(gateway)
        if word is None or word.last_seen is None:
            continue
        heard = max(word.last_seen, listening_since)
        if word.stopped:
            planned = now - heard <= PLANNED_FOR
            reason = f"gateway {gateway} was stopped{'' if planned else ' and has not come back'}"
            found.append(Dark(portal, heard, reason, whole=True, planned=planned))
        elif now - heard > SILENT_AFTER:
            found.append(Dark(portal, heard, f"gateway {gateway} is silent", whole=True))
        elif not word.online:
            found.append(Dark(portal, heard, f"gateway {gateway} is cut off", whole=True))
        elif portal in word.dark:
            since, reason = word.dark[portal]
            found.append(Dark(portal, since, reason, whole=False))
    return found


def portal_bypass(book: str, sighted: str, known: Knowledge, crossings: Sequence[tuple[str, str]]) -> Suspicion | None:
    """Tell of an asset that something else sees outside while the book has it inside, and no door saw it leave (99).

    Args:
        book: the location that the book has.
        sighted: where management software, a network or a scan sees it.
        known: the location tree.
        crossings: from where to where doors saw it go since the book's entry.
    """
    left = known.places.boundaries_left(book, sighted)
    if not left or any(left[-1] in known.places.boundaries_left(*one) for one in crossings):
        return None
    boundary = known.places[left[-1]].name
    names = known.places[book].name, known.places[sighted].name
    reason = f"The book has it in {names[0]}; it is in {names[1]}, and no door saw it leave."
    return Suspicion("portal_bypass", "high", reason, {"boundary": boundary, "book": book, "sighted": sighted})
