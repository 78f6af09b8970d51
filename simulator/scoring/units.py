"""What is counted: a tag's visit, or a carried group's, with what was called of it; and calls of nothing."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

from simulator.scoring.calls import RETRACTED, Call, Said
from simulator.scoring.match import Pair
from simulator.scoring.visits import KINDS, Visit

Stage = Literal["final", "provisional"]
NEVER: Final = "never_called"
UNRESOLVED: Final = "unresolved"
CALLED: Final = (*KINDS, UNRESOLVED, NEVER)


class Unit(NamedTuple):
    """One thing to be right or wrong about.

    Attributes:
        true: kind of the visit; None for a call of nothing.
        called: a kind, `unresolved`, or `never_called`.
        reads: reads of its tags by the doorway's antennas.
        monitored: whether the doorway has antennas.
    """

    true: str | None
    called: str
    reads: int = 0
    monitored: bool = True

    @property
    def heard(self) -> bool:
        """Whether its tags were read: the truth counted reads, or it was called, which takes some."""
        return self.reads > 0 or self.called != NEVER


def tag_units(pairs: Iterable[Pair], stage: Stage) -> Iterator[Unit]:
    """Yield one unit a visit of a tag, and one a call of nothing; what was retracted was never called."""
    for visit, call in pairs:
        called = _called(said_at(call, stage))
        if visit is not None:
            yield Unit(visit.kind, called, visit.reads, visit.monitored)
        elif called != NEVER:
            yield Unit(None, called)


def group_units(pairs: Sequence[Pair], stage: Stage) -> Iterator[Unit]:
    """Yield one unit a carried group: the tags of one walk that do the same at a doorway at the same time.

    A group is called what most of its called tags are; `unresolved` where several kinds are called as often, and where
    none is called anything better. Calls of nothing go by their batch.
    """
    for members in _groups([pair for pair in pairs if pair.visit is not None]):
        called = [_called(said_at(pair.call, stage)) for pair in members]
        visits = [pair.visit for pair in members if pair.visit is not None]
        reads = sum(visit.reads for visit in visits)
        yield Unit(visits[0].kind, _most(called), reads, visits[0].monitored)
    batches: dict[tuple[str, str, str], None] = {}
    for visit, call in pairs:
        said = said_at(call, stage)
        if visit is None and call is not None and said is not None and _called(said) != NEVER:
            batches[call.portal, said.kind, call.batch or call.passage] = None
    yield from (Unit(None, kind) for _, kind, _ in batches)


def said_at(call: Call | None, stage: Stage) -> Said | None:
    """Return what a call said at a stage."""
    if call is None:
        return None
    return call.final if stage == "final" else call.provisional


def _called(said: Said | None) -> str:
    return NEVER if said is None or said.kind == RETRACTED else said.kind


def _most(called: Sequence[str]) -> str:
    ranked = Counter(kind for kind in called if kind in KINDS).most_common(2)
    if not ranked:
        return UNRESOLVED if UNRESOLVED in called else NEVER
    tie = len(ranked) > 1 and ranked[0][1] == ranked[1][1]
    return UNRESOLVED if tie else ranked[0][0]


def _groups(pairs: Sequence[Pair]) -> Iterator[list[Pair]]:
    """Join visits of one walk; a walk that comes again, in a later cycle, is another group."""
    named: dict[tuple[str, str, str], list[Pair]] = {}
    for number, pair in enumerate(pairs):
        visit = _visit(pair)
        named.setdefault((visit.portal, visit.group or f"\0{number}", visit.kind), []).append(pair)
    for members in named.values():
        together: list[Pair] = []
        until_us = 0
        for pair in sorted(members, key=lambda one: _visit(one).started_us):
            visit = _visit(pair)
            if together and visit.started_us > until_us:
                yield together
                together = []
            until_us = max(until_us, visit.ended_us) if together else visit.ended_us
            together.append(pair)
        yield together


def _visit(pair: Pair) -> Visit:
    assert pair.visit is not None  # noqa: S101 - the caller kept those with one
    return pair.visit
