"""What is committed of one sequenced stream: all to `upto`, and the ranges above it."""

from collections.abc import Iterable
from dataclasses import dataclass

Range = tuple[int, int]
"""First and last sequence number, both in."""


@dataclass(frozen=True, slots=True)
class Position:
    """An immutable set of sequence numbers from 1; `above` is sorted, disjoint and apart from `upto`."""

    upto: int = 0
    above: tuple[Range, ...] = ()

    def __contains__(self, seq: int) -> bool:
        return 1 <= seq <= self.upto or any(low <= seq <= high for low, high in self.above)

    @property
    def covered(self) -> int:
        """How many sequence numbers are committed."""
        return self.upto + sum(high - low + 1 for low, high in self.above)

    def including(self, ranges: Iterable[Range]) -> "Position":
        """Return the position with more ranges committed, in whatever order and however they overlap."""
        merged: list[Range] = [(1, self.upto)] if self.upto else []
        for low, high in sorted([*merged, *self.above, *ranges]):
            if merged and low <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(merged[-1][1], high))
            else:
                merged.append((low, high))
        if merged and merged[0][0] == 1:
            return Position(merged[0][1], tuple(merged[1:]))
        return Position(0, tuple(merged))
