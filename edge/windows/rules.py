"""What no tag can overrule: nobody goes through a shut door, and who goes through breaks both beams in order.

The reads are judged first. Where they say that the plane was crossed and door or beams say that it can't have been, or
not that way, one of the two is wrong. Reads err by reflection, contacts and beams by a bent lever or a bag on a string:
a crossing whose reads leave a doubt gives way; one whose reads leave none is `unresolved`, for a person to look at.
"""

from dataclasses import dataclass, replace
from typing import Final

from edge.windows.around import Around
from edge.windows.decide import Verdict

OVERWHELMING: Final = 0.995
"""200 to 1 by the reads alone: a mistake of theirs is then no likelier than a sensor that fails."""
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
        return _unresolved(verdict) if sure else stayed
    if around.beams in CROSSINGS and around.beams != verdict.kind:
        counters.beams += 1
        return verdict if sure else _unresolved(verdict)
    return verdict


def _unresolved(verdict: Verdict) -> Verdict:
    return replace(verdict, kind="unresolved", confidence=EITHER_WRONG, crossed_us=None)
