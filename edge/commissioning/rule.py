"""What a certificate asks of the walks through a doorway, and what a walk lacks of it. Pure: numbers in, verdict out.

Nine walks of ten are to get 15 reads, and four of them on each side of the plane: with less a passage is decided by
luck, and reads from one side alone show nobody's way. A walk counts by its best tag, since two laptops with their lids
together hide each other's tags at the best of doors. Nothing here looks at what a decision said of the walks.

Reads of a tag are a sequence, one number for each side of the plane that has antennas: two as a rule, one in the layout
`single`.
"""

from collections.abc import Iterable, Sequence
from typing import Final

NEEDED_READS: Final = 15
"""From so many reads on a passage is decided well: by reads a tag 15-40 89 % right, 5-15 83 %, 1-5 53 % (domain)."""
LEAST_A_SIDE: Final = 4
"""Fewer on a side don't show where their level is highest, and one that strays there makes a side of nothing."""
LEAST_WALKS: Final = 10
"""Nine of ten can't be said of fewer."""
_PROVING, _OF = 9, 10


def lacks(reads: Sequence[int]) -> tuple[int, list[int]]:
    """Return the reads that a tag lacks in all, and those that it lacks on each side; zeros where it has enough."""
    return max(NEEDED_READS - sum(reads), 0), [max(LEAST_A_SIDE - count, 0) for count in reads]


def suffices(reads: Sequence[int]) -> bool:
    """Say whether a tag was read often enough on all sides for its walk to count for the doorway."""
    in_all, by_side = lacks(reads)
    return in_all == 0 and not any(by_side)


def best(tags: Iterable[Sequence[int]]) -> Sequence[int]:
    """Return the reads of the tag that its walk counts by: the one that lacks least, among equals the one read most."""
    return min(tags, key=lambda reads: (max(lacks(reads)[0], sum(lacks(reads)[1])), -sum(reads)))


def needed(walks: int) -> int:
    """Return how many of so many walks must suffice."""
    return -(-walks * _PROVING // _OF)


def proves(walks: Sequence[Sequence[int]]) -> bool:
    """Say whether the walks prove the doorway: at least ten, and nine in ten of them suffice.

    Args:
        walks: reads a side of each walk's best tag; zeros for a walk of which nothing was read.
    """
    return len(walks) >= LEAST_WALKS and sum(map(suffices, walks)) >= needed(len(walks))
