"""Seeded draws whose numbers are the same on every machine and Python: scenarios must hash alike."""

import random
from collections.abc import Mapping, Sequence


class Draw:
    """Random numbers of one door.

    Args:
        words: what makes this door's numbers its own.
        widen: how much wider every span is than the frozen set's, as a part of it.
    """

    def __init__(self, *words: object, widen: float = 0.0) -> None:
        self._random = random.Random("/".join(str(word) for word in words))
        self._widen = widen

    def span(self, low: float, high: float, *, least: float = -1e9, most: float = 1e9) -> float:
        """Return a number between two, rounded to the millimetre or milli-decibel; widening stops at the bounds."""
        more = self._widen * (high - low) / 2
        return round(min(max(low - more + (high - low + 2 * more) * self._random.random(), least), most), 3)

    def whole(self, low: int, high: int) -> int:
        """Return an integer from low to high, both included."""
        return low + int((high - low + 1) * self._random.random())

    def chance(self, share: float) -> bool:
        """Return whether something of this chance happens."""
        return self._random.random() < share

    def one(self, choices: Sequence[str]) -> str:
        """Return one of equally likely names."""
        return choices[self.whole(0, len(choices) - 1)]

    def weighted(self, weights: Mapping[str, float]) -> str:
        """Return one of some names by their weights."""
        left = self._random.random() * sum(weights.values())
        for name, weight in weights.items():
            left -= weight
            if left < 0:
                return name
        return next(reversed(weights))

    def sign(self) -> int:
        """Return 1 or -1."""
        return 1 if self._random.random() < 0.5 else -1
