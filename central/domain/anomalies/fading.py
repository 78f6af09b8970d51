"""A tag that gets weaker: fewer reads at a door than it had there before (requirement 12)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Final

NEWEST: Final = 6
"""Crossings of one door that are held against those before. If nothing changed, six in a row lie below the lower
quartile once in four thousand times."""
BEFORE: Final = 12
"""Earlier crossings of that door without which nobody knows what is usual."""
LEFT: Final = 0.5
"""A tag is weak with less than this share of its usual reads: who walks faster takes off less."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A crossing and how often the tag was read in it."""

    portal: str
    reads: int


@dataclass(frozen=True, slots=True)
class Weaker:
    """At which door a tag is read less, and the medians of reads a crossing."""

    portal: str
    usual: float
    now: float


def weaker(newest_first: Sequence[Reading]) -> Weaker | None:
    """Return where a tag's newest crossings are all below its own usual ones, the worst door; None where nowhere.

    Doors are never compared with each other: they read unlike.
    """
    by_door: dict[str, list[int]] = defaultdict(list)
    for one in newest_first:
        by_door[one.portal].append(one.reads)
    found = [odd for portal, reads in sorted(by_door.items()) if (odd := _at_door(portal, reads))]
    return min(found, key=lambda one: one.now / one.usual, default=None)


def _at_door(portal: str, reads: Sequence[int]) -> Weaker | None:
    newest, before = reads[:NEWEST], reads[NEWEST:]
    if len(before) < BEFORE:
        return None
    lower, usual, _ = quantiles(before, n=4, method="inclusive")
    now = float(median(newest))
    return Weaker(portal, usual, now) if max(newest) < lower and now < LEFT * usual else None
