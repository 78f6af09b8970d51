"""What to change where many tags at rest leave a walker too few reads: power, antenna by antenna, else other ways."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edge.commissioning.airtime import Air
from edge.commissioning.rule import NEEDED_READS

STEP_DB: Final = 1
MOST_DB: Final = 6
"""Less power than this takes the reads of a backpack too: a body costs 10 to 25 dB (domain, Radio at a doorway)."""


@dataclass(frozen=True, slots=True)
class Lowering:
    """Less power for one antenna."""

    reader: str
    port: int
    by_db: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the airtime suffices, and what would make it suffice.

    Attributes:
        residents: tags that stay, heard by any antenna of the readers.
        reads: what a walker at 1.5 m/s gets by the agent's plan, an unlucky one where newcomers take turns.
        open_reads: what he gets while all tags answer all the time.
        lowerings: which powers to lower; none where nothing has to be, or power alone can't do it.
        reads_then: reads after that.
        residents_then: residents after that.
        words: the verdict in one line.
    """

    residents: int
    reads: int
    open_reads: int
    lowerings: tuple[Lowering, ...]
    reads_then: int
    residents_then: int
    words: str

    @property
    def fit(self) -> bool:
        """Whether a walker gets as many reads as a decision wants."""
        return self.reads >= NEEDED_READS


def judge(airs: Sequence[Air]) -> Verdict:
    """Judge a portal by the airtime of its readers, whose reads add up."""
    reads = _reads(airs)
    lowered: dict[tuple[str, int], int] = {} if reads >= NEEDED_READS else _search(airs)
    then = [_with(air, lowered) for air in airs]
    changes = tuple(Lowering(reader, port, by) for (reader, port), by in sorted(lowered.items()) if by)
    return Verdict(
        residents=_residents(airs),
        reads=reads,
        open_reads=int(sum(air.open_reads() for air in airs)),
        lowerings=changes,
        reads_then=_reads(then),
        residents_then=_residents(then),
        words=_words(airs, reads, changes, then),
    )


def _reads(airs: Sequence[Air]) -> int:
    return int(sum(air.unlucky_reads() for air in airs))


def _residents(airs: Sequence[Air]) -> int:
    return sum(air.residents for air in airs)


def _with(air: Air, lowered: Mapping[tuple[str, int], int]) -> Air:
    mine = {port: float(by) for (reader, port), by in lowered.items() if reader == air.reader}
    return air.lowered(mine) if any(mine.values()) else air


def _search(airs: Sequence[Air]) -> dict[tuple[str, int], int]:
    """Return the least lowering found that suffices, by ports; empty where none does.

    Step by step that port is lowered by which most is won, or where nothing is won by one step the port that hears
    most residents; in the end each is raised again as far as it may be.
    """
    by = {(air.reader, ear.port): 0 for air in airs for ear in (*air.ears, *air.others) if ear.residents}
    while _with_all(airs, by) < NEEDED_READS:
        steps = [key for key, db in by.items() if db < MOST_DB]
        if not steps:
            return {}
        best = max(steps, key=lambda key: (_with_all(airs, by | {key: by[key] + STEP_DB}), _heard(airs, by, key)))
        by[best] += STEP_DB
    for key, lowered in list(by.items()):
        for less in range(lowered - STEP_DB, -1, -STEP_DB):
            if _with_all(airs, by | {key: less}) < NEEDED_READS:
                break
            by[key] = less
    return by


def _with_all(airs: Sequence[Air], by: Mapping[tuple[str, int], int]) -> int:
    return _reads([_with(air, by) for air in airs])


def _heard(airs: Sequence[Air], by: Mapping[tuple[str, int], int], key: tuple[str, int]) -> int:
    air = next(_with(air, by) for air in airs if air.reader == key[0])
    return next(ear.residents for ear in (*air.ears, *air.others) if ear.port == key[1])


def _words(airs: Sequence[Air], reads: int, changes: Sequence[Lowering], then: Sequence[Air]) -> str:
    count = _residents(airs)
    begin = f"{count} resident tag{' leaves' if count == 1 else 's leave'} {reads} reads for a walker at 1.5 m/s"
    if reads >= NEEDED_READS:
        return f"{begin}, {NEEDED_READS} are needed: fit"
    if changes:
        several = len({air.reader for air in airs}) > 1
        which = ", ".join(f"{_antenna(one, several=several)} by {one.by_db} dB" for one in changes)
        return (
            f"{begin}, {NEEDED_READS} are needed: lower {which}; that leaves {_residents(then)} residents and "
            f"{_reads(then)} reads"
        )
    return f"{begin}, {NEEDED_READS} are needed: {_other_ways(airs)}"


def _antenna(one: Lowering, *, several: bool) -> str:
    return f"antenna {one.port} of {one.reader}" if several else f"antenna {one.port}"


def _other_ways(airs: Sequence[Air]) -> str:
    ways = [air.ways for air in airs]
    if any(not one.quiet_above for one in ways):
        return "let the agent keep residents quiet (quiet_above = 30 at the reader)"
    if any(not one.takes_turns or not one.masks for one in ways):
        return (
            f"{MOST_DB} dB less power at every antenna is not enough, and this reader can't keep residents quiet "
            "(no rounds that take turns, or no Select): move the tags away from the door, or take a reader that can"
        )
    return (
        f"{MOST_DB} dB less power at every antenna is not enough: move the tags away from the door, turn the antennas "
        "away from them, hang a metal sheet behind the shelf, or ask only your own tags (`select` at the reader)"
    )
