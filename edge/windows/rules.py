"""What no tag can overrule: nobody goes through a shut door, and who goes through breaks both beams in order.

The reads are judged first. Where they say that the plane was crossed and door or beams say that it can't have been, or
not that way, one of the two is wrong. Reads err by reflection, contacts and beams by a bent lever or a bag on a string:
a crossing whose reads leave a doubt gives way; one whose reads leave none is `unresolved`, for a person to look at.
"""

from dataclasses import dataclass, replace
from typing import Final

from edge.windows.around import Around
from edge.windows.decide import Verdict
from edge.windows.settings import PortalSettings

OVERWHELMING: Final = 0.995
"""200 to 1 by the reads alone: a mistake of theirs is then no likelier than a sensor that fails."""
DOOR_SHUT: Final = "a crossing by its reads, but the door was shut"
BEAMS_WHOLE: Final = "a crossing by its reads, but no beam was broken"
BEAMS_OTHERWISE: Final = "a crossing by its reads, but the beams were broken the other way"
CUT: Final = "the table of tags was full, and the visit was cut before its way was clear"
EITHER_WRONG: Final = 0.5
CROSSINGS: Final = ("in", "out")


@dataclass(slots=True)
class RuleCounters:
    """Crossings by the reads that something else spoke against."""

    door: int = 0
    beams: int = 0


def barred(around: Around) -> bool:
    """Say whether the doorway was shut, or both beams stayed whole: nothing can have crossed."""
    return around.door == "shut" or around.beams == "none"


def may_alarm(verdict: Verdict, around: Around) -> bool:
    """Say whether an early verdict stands with what door and beams tell so far."""
    if verdict.kind not in CROSSINGS:
        return True
    against = around.beams in CROSSINGS and around.beams != verdict.kind
    return not barred(around) and not (against and verdict.confidence < OVERWHELMING)


def settle(verdict: Verdict, stayed: Verdict, around: Around, counters: RuleCounters) -> Verdict:
    """Return the verdict that the reads, the door and the beams leave together.

    Args:
        verdict: what the reads say.
        stayed: what they say if the plane was not crossed.
        around: what door and beams say.
        counters: where a contradiction is counted.
    """
    if verdict.kind not in CROSSINGS:
        return verdict
    sure = verdict.confidence >= OVERWHELMING
    if barred(around):
        counters.door += around.door == "shut"
        counters.beams += around.door != "shut"
        reason = DOOR_SHUT if around.door == "shut" else BEAMS_WHOLE
        return _unresolved(verdict, reason) if sure else replace(stayed, reason=reason)
    if around.beams in CROSSINGS and around.beams != verdict.kind:
        counters.beams += 1
        return verdict if sure else _unresolved(verdict, BEAMS_OTHERWISE)
    return verdict


def evicted(verdict: Verdict, portal: PortalSettings) -> Verdict:
    """Return what a visit leaves that was cut since the table was full: what is likely stands, else nobody can say."""
    if verdict.kind is None or verdict.confidence >= portal.resolve_confidence:
        return verdict
    return replace(verdict, kind="unresolved", crossed_us=None, reason=CUT)


def _unresolved(verdict: Verdict, reason: str) -> Verdict:
    return replace(verdict, kind="unresolved", confidence=EITHER_WRONG, crossed_us=None, reason=reason)
