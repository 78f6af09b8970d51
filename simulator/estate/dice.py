"""Seeded randomness: one generator a purpose, so that a change in one leaves the others as they were."""

import math
import random


class Dice(random.Random):
    """A generator of its own for each name."""

    def __init__(self, *name: object) -> None:
        super().__init__("/".join(map(str, name)))

    def chance(self, share: float) -> bool:
        """Return true with a probability."""
        return self.random() < share

    def count(self, mean: float) -> int:
        """Return a Poisson number; for means up to some hundreds."""
        limit, product, count = math.exp(-mean), self.random(), 0
        while product > limit:
            product *= self.random()
            count += 1
        return count

    def around(self, median: float, spread: float = 1.0, most: float = math.inf) -> float:
        """Return a log-normal number."""
        return min(most, median * math.exp(self.gauss(0.0, spread)))
