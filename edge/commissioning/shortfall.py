"""What walks lack of what a certificate asks for, and what to change at the doorway. Pure: outcomes in, words out.

Which walks suffice and how many have to, says `rule`. Here is what an installer can do about the others: at the tags
that stay and take the airtime, at an antenna that is deaf, or at a side that hears too little.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edge.commissioning.advice import Verdict
from edge.commissioning.course import Outcome
from edge.commissioning.recipe import Walk
from edge.commissioning.rule import LEAST_A_SIDE, LEAST_WALKS, NEEDED_READS, best, lacks, needed, proves, suffices

DEAF: Final = 4
"""An antenna that reads so many times less than the one beside it has a fault, or looks elsewhere."""
QUIET: Final = 3
"""A side with so many times fewer reads than the other one is the side to work at."""
AMPLE: Final = 2
"""Airtime for so many times what is needed isn't what a walk lacked: a body takes half of it."""


@dataclass(frozen=True, slots=True)
class Ear:
    """An antenna: its name (`reader/port`), its side, and, where they are known, its power and the tags that stay."""

    name: str
    side: str
    power_cdbm: int | None = None
    residents: int | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """One walk through the doorway as a certificate counts it, by its best tag.

    Attributes:
        number: the walk's place in the plan, from 1.
        reads: of the best tag, by side.
        antennas: the same, by antenna; only those that read it.
    """

    number: int
    walk: Walk
    reads: Mapping[str, int]
    antennas: Mapping[str, int]

    @property
    def enough(self) -> bool:
        """Whether it counts for the doorway."""
        return suffices(list(self.reads.values()))

    @property
    def short_in_all(self) -> bool:
        """Whether it had too few reads in all."""
        return lacks(list(self.reads.values()))[0] > 0

    @property
    def short_sides(self) -> tuple[str, ...]:
        """The sides that read it too rarely."""
        by_side = lacks(list(self.reads.values()))[1]
        return tuple(side for side, few in zip(self.reads, by_side, strict=True) if few)

    @property
    def lacking(self) -> str:
        """What was missing, in words; empty if nothing was."""
        return lacking(self.reads)


def lacking(reads: Mapping[str, int]) -> str:
    """Return what a tag's reads by side lack: `6 reads, 15 are needed; outside 1, 4 are needed`; empty for nothing."""
    in_all, by_side = lacks(list(reads.values()))
    words = [f"{sum(reads.values())} reads, {NEEDED_READS} are needed"] if in_all else []
    few = [side for side, missing in zip(reads, by_side, strict=True) if missing]
    # Where there is one side alone, it has been said.
    words += [f"{side} {reads[side]}, {LEAST_A_SIDE} are needed" for side in few if len(reads) > 1]
    return "; ".join(words)


def counted(outcomes: Sequence[Outcome], ears: Sequence[Ear]) -> tuple[Count, ...]:
    """Return the walks through the doorway that were done; a walk that nobody called has no reads."""
    return tuple(
        _count(number, one, ears)
        for number, one in enumerate(outcomes, 1)
        if one.walk.expect != "none" and one.result != "skipped"
    )


def _count(number: int, outcome: Outcome, ears: Sequence[Ear]) -> Count:
    sides = tuple(dict.fromkeys(ear.side for ear in ears))
    side_of = {ear.name: ear.side for ear in ears}
    tags = [{f"{one.reader}/{one.port}": one.reads for one in row.evidence.antennas} for row in outcome.rows]
    by_side = {tuple(_of(side, tag, side_of) for side in sides): tag for tag in tags} or {(0,) * len(sides): {}}
    chosen = tuple(best(by_side))
    return Count(number, outcome.walk, dict(zip(sides, chosen, strict=True)), by_side[chosen])


def _of(side: str, tag: Mapping[str, int], side_of: Mapping[str, str]) -> int:
    return sum(reads for name, reads in tag.items() if side_of.get(name) == side)


def proven(counts: Sequence[Count]) -> bool:
    """Say whether the walks prove the doorway, by `rule`."""
    return proves([list(one.reads.values()) for one in counts])


def may_still(counts: Sequence[Count], to_come: int) -> bool:
    """Say whether the walks can still prove the doorway if all that are to come suffice."""
    return sum(one.enough for one in counts) + to_come >= needed(len(counts) + to_come)


def verdict_words(counts: Sequence[Count]) -> str:
    """Return how many walks count and how many should, in one line."""
    sides = f" and {LEAST_A_SIDE} on each side" if any(len(one.reads) > 1 for one in counts) else ""
    words = (
        f"{sum(one.enough for one in counts)} of {len(counts)} walks through the door got {NEEDED_READS} reads{sides}"
    )
    if len(counts) < LEAST_WALKS:
        return f"{words}: at least {LEAST_WALKS} walks prove a doorway, {needed(LEAST_WALKS)} of them with that"
    return f"{words}: {needed(len(counts))} are needed"


def missing_lines(counts: Sequence[Count]) -> tuple[str, ...]:
    """Return what each walk lacked that doesn't count, a line each: `walk 24, backpack (in): 6 reads, …`."""
    return tuple(
        f"walk {one.number}, {one.walk.how} ({one.walk.expect}): {one.lacking}" for one in counts if not one.enough
    )


def changes(counts: Sequence[Count], ears: Sequence[Ear], airtime: Verdict | None) -> Iterator[str]:
    """Yield what to change so that the walks prove the doorway; nothing where they do, or where all suffice."""
    short = [one for one in counts if not one.enough]
    if not short or proven(counts):
        return
    tight = airtime is not None and airtime.residents > 0 and airtime.reads < AMPLE * NEEDED_READS
    if tight and airtime is not None and airtime.fit and any(one.short_in_all for one in short):
        yield _residents(airtime, ears)
    # A cable first: what a side hears with it, the next walks show.
    yield from list(_faults(counts, ears)) or _sides(short, ears, counts, raises=not tight)


def _residents(airtime: Verdict, ears: Sequence[Ear]) -> str:
    most = max(ears, key=lambda ear: ear.residents or 0)
    where = f", most of them within range of {most.name} ({most.residents})," if most.residents else ""
    return (
        f"{airtime.residents} tags that stay{where} leave {airtime.reads} reads to a tag in the open hand at 1.5 m/s, "
        "and a body, a bag or a faster walk takes half: move them away from the door, or turn that antenna from them"
    )


def _faults(counts: Sequence[Count], ears: Sequence[Ear]) -> Iterator[str]:
    """Yield antennas that hear next to nothing, beside one that hears well."""
    mean = _mean_by_antenna(counts, ears)
    for ear in ears:
        loudest = max((one for one in ears if one.side == ear.side), key=lambda one: mean[one.name])
        if mean[loudest.name] >= 1 and mean[ear.name] * DEAF < mean[loudest.name]:
            yield (
                f"antenna {ear.name} gave {mean[ear.name]:.1f} reads a walk, {loudest.name} beside it "
                f"{mean[loudest.name]:.1f}: look at its cable and connector, and aim it at the doorway"
            )


def _sides(short: Sequence[Count], ears: Sequence[Ear], counts: Sequence[Count], *, raises: bool) -> Iterator[str]:
    """Yield what to do at the side that reads too rarely; where none stands out, at all antennas."""
    sides = tuple(dict.fromkeys(ear.side for ear in ears))
    mean = _mean_by_antenna(counts, ears)
    reads = {side: sum(one.reads[side] for one in counts) for side in sides}
    weak = Counter(side for one in short for side in one.short_sides)
    named = [
        side for side in sides if max(reads.values()) > QUIET * reads[side] or 2 * weak[side] >= max(len(short), 1)
    ]
    for side in named if len(named) < len(sides) else ():
        mine = [ear for ear in ears if ear.side == side]
        told = ", ".join(f"{ear.name} {mean[ear.name]:.1f}" for ear in mine)
        few = f"fewer than {LEAST_A_SIDE} in {weak[side]} of {len(counts)} walks"
        yield f"{side} hears too little ({told} reads a walk; {few}): {_work(mine, mean, raises=raises)}"
    if ears and len(named) in {0, len(sides)}:
        alike = ", and no side stands out" if len(sides) > 1 else ""
        yield f"{len(short)} of {len(counts)} walks were heard too little{alike}: {_work(ears, mean, raises=raises)}"


def _work(ears: Sequence[Ear], mean: Mapping[str, float], *, raises: bool) -> str:
    names = ", ".join(ear.name for ear in ears)
    first = f"look at the cables of {names} first, then " if all(mean[ear.name] < 1 for ear in ears) else ""
    aim = f"{first}aim {names} at the middle of the doorway, 1 m above the floor"
    if not raises:
        return f"{aim}, closer to it if need be; more power would hear more of the tags that stay"
    powers = ", ".join(f"{ear.name} {ear.power_cdbm / 100:g} dBm" for ear in ears if ear.power_cdbm is not None)
    now = f" (now {powers})" if powers else ""
    return f"{aim}, and raise their power{now} as far as `stockgate-edge check` says is legal"


def _mean_by_antenna(counts: Sequence[Count], ears: Sequence[Ear]) -> dict[str, float]:
    return {ear.name: sum(one.antennas.get(ear.name, 0) for one in counts) / len(counts) for ear in ears}
