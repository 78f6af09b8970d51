"""Counts added up along the location tree: what was not counted below is not counted above."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from central.domain.presence.buckets import Tally
from central.domain.presence.coverage import CoverageKind


@dataclass(frozen=True, slots=True)
class Rollup:
    """A location with all below it.

    `tally` adds up what was counted, `book` is the book of all, `covered` the share of it (0 to 1) that was counted;
    None where the book is empty. `not_counted` names the locations below (or itself) that weren't counted though they
    hold assets.
    """

    tally: Tally
    book: int
    covered: float | None
    not_counted: tuple[str, ...]

    @property
    def counted(self) -> bool:
        """Whether all of it was counted; a part that wasn't makes the whole "not counted"."""
        return self.tally.counted and not self.not_counted


def roll_up(parents: Mapping[str, str | None], tallies: Mapping[str, Tally]) -> dict[str, Rollup]:
    """Return each location's counts with all below it. `parents` names every location; it is a forest.

    An empty place without coverage takes nothing from the share covered: there is no book that it fails to confirm.
    """
    below: dict[str, list[str]] = {place: [] for place in parents}
    for place in parents:
        step: str | None = place
        while step is not None:
            below[step].append(place)
            step = parents[step]
    return {place: _added(sorted(its), tallies) for place, its in below.items()}


def _added(places: Iterable[str], tallies: Mapping[str, Tally]) -> Rollup:
    known = [(place, tallies[place]) for place in places if place in tallies]
    counted = [one for _, one in known if one.counted]
    book = sum(one.book for _, one in known)
    total = Tally(
        _worst(one.coverage for one in counted),
        book=sum(one.book for one in counted),
        found=sum(one.found for one in counted),
        missing=sum(one.missing for one in counted),
        unexpected=sum(one.unexpected for one in counted),
        unknown=sum(one.unknown for one in counted),
    )
    left_out = tuple(place for place, one in known if not one.counted and one.book)
    return Rollup(total, book, total.book / book if book else None, left_out)


def _worst(kinds: Iterable[CoverageKind]) -> CoverageKind:
    """Return the weakest coverage; none where there is nothing."""
    found = set(kinds)
    if not found:
        return "none"
    return "balanced" if "balanced" in found else "sighted"
