"""Counts added up along the location tree: what was not counted below is not counted above."""

from collections.abc import Mapping
from dataclasses import dataclass

from central.domain.presence.buckets import Tally


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
    sums = {place: _Sum() for place in parents}
    for place in _leaves_first(parents):
        its = sums[place]
        if (tally := tallies.get(place)) is not None:
            its.add(place, tally)
        if (parent := parents[place]) is not None:
            sums[parent].join(its)
    return {place: its.rollup() for place, its in sums.items()}


def _leaves_first(parents: Mapping[str, str | None]) -> list[str]:
    """Return all places, each before the one that it lies in."""
    below: dict[str | None, list[str]] = {}
    for place, parent in parents.items():
        below.setdefault(parent, []).append(place)
    order = list(below.get(None, []))
    for place in order:  # grows while it is read: a place's own come after it
        order += below.get(place, [])
    return order[::-1]


class _Sum:
    """Figures of a place and of what was added to it."""

    __slots__ = ("all_book", "balanced", "book", "found", "left_out", "missing", "seen", "unexpected", "unknown")

    def __init__(self) -> None:
        self.all_book = 0
        self.book = self.found = self.missing = self.unexpected = self.unknown = 0
        self.seen = self.balanced = False
        self.left_out: list[str] = []

    def add(self, place: str, one: Tally) -> None:
        """Add a place's own count."""
        self.all_book += one.book
        if not one.counted:
            self.left_out += [place] if one.book else []
            return
        self._plus(one)
        self.seen, self.balanced = True, self.balanced or one.coverage == "balanced"

    def join(self, other: "_Sum") -> None:
        """Add what lies below."""
        self.all_book += other.all_book
        self._plus(other)
        self.seen, self.balanced = self.seen or other.seen, self.balanced or other.balanced
        self.left_out += other.left_out

    def _plus(self, one: "Tally | _Sum") -> None:
        self.book += one.book
        self.found += one.found
        self.missing += one.missing
        self.unexpected += one.unexpected
        self.unknown += one.unknown

    def rollup(self) -> Rollup:
        """Return the result; the weakest coverage of what was counted is the whole's."""
        total = Tally(
            "none" if not self.seen else "balanced" if self.balanced else "sighted",
            self.book,
            self.found,
            self.missing,
            self.unexpected,
            self.unknown,
        )
        covered = total.book / self.all_book if self.all_book else None
        return Rollup(total, self.all_book, covered, tuple(sorted(self.left_out)))
