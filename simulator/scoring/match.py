"""Which call speaks of which visit.

The rule: a call and a visit belong together if they are of the same EPC at the same portal and their times overlap, or
miss each other by no more than `SLACK_US`. Each has one partner at most. The pairs are made best first:

1. those that both cross (`in`, `out`), in whatever direction, at instants no more than `SLACK_US` apart: nearest first;
2. the rest: those that overlap longest; then those whose instants (the crossing, else the middle) are nearest;
3. those of a call that was retracted, in the same order: it takes only a visit that no other call wants.

Of pairs alike in that, the earlier visit goes first, then the passage that comes first by name.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from simulator.scoring.calls import RETRACTED, Call
from simulator.scoring.visits import CROSSINGS, Visit

SLACK_US: Final = 2_000_000
"""A weak tag is heard at one end of its visit only, and readers' clocks are off by less than this."""
_SAME_CROSSING, _SAME_TIME, _TAKEN_BACK = range(3)


class Pair(NamedTuple):
    """A visit and its call; None where one has no partner."""

    visit: Visit | None
    call: Call | None


def match(visits: Sequence[Visit], calls: Sequence[Call]) -> list[Pair]:
    """Return every visit once, in order, with its call or None; then the calls that are of no visit."""
    partners: dict[int, int] = {}
    taken: set[int] = set()
    for _, number, _, index in sorted(_candidates(visits, calls)):
        if number not in partners and index not in taken:
            partners[number] = index
            taken.add(index)
    pairs = [Pair(visit, calls[partners[n]] if n in partners else None) for n, visit in enumerate(visits)]
    return pairs + [Pair(None, call) for index, call in enumerate(calls) if index not in taken]


def _candidates(visits: Sequence[Visit], calls: Sequence[Call]) -> Iterator[tuple[tuple[int, ...], int, str, int]]:
    """Yield what may belong together, with how badly it does so: the visit's number, the call's passage and index."""
    by_tag: dict[tuple[str, str], list[int]] = {}
    for number, visit in enumerate(visits):
        by_tag.setdefault((visit.portal, visit.epc), []).append(number)
    for index, call in enumerate(calls):
        for number in by_tag.get((call.portal, call.epc), ()):
            badness = _badness(visits[number], call)
            if badness is not None:
                yield badness, number, call.passage, index


def _badness(visit: Visit, call: Call) -> tuple[int, ...] | None:
    """Return how badly they belong together, smaller is better; None where they don't."""
    said = call.last
    overlap_us = min(visit.ended_us, said.ended_us) - max(visit.started_us, said.started_us)
    if overlap_us < -SLACK_US:
        return None
    away_us = abs(_instant(visit.crossed_us, visit.started_us, visit.ended_us) - _instant_of(call))
    both_cross = _crosses(visit.kind, visit.crossed_us) and _crosses(said.kind, said.crossed_us)
    if both_cross and away_us <= SLACK_US:
        return _SAME_CROSSING, away_us, -overlap_us, visit.started_us
    rank = _TAKEN_BACK if said.kind == RETRACTED else _SAME_TIME
    return rank, -overlap_us, away_us, visit.started_us


def _crosses(kind: str, crossed_us: int | None) -> bool:
    return kind in CROSSINGS and crossed_us is not None


def _instant_of(call: Call) -> int:
    return _instant(call.last.crossed_us, call.last.started_us, call.last.ended_us)


def _instant(crossed_us: int | None, started_us: int, ended_us: int) -> int:
    return (started_us + ended_us) // 2 if crossed_us is None else crossed_us
