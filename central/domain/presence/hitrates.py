"""How often tags are heard where they lie: shares of a zone's tags by hit rate, learnt from all of them.

Most tags are heard nearly always, some badly, a few hardly ever. No single curve has both a heap at "nearly always" and
the rare bad shelf, and what a first silence says after a hundred hits hangs on just that: so the shares stand on a grid
of miss rates, and are learnt by expectation and maximisation from the rounds of the zone's own tags.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Self

import numpy as np

MISSES: Final = (0.0005, 0.002, 0.005, 0.01, 0.02, 0.035, 0.06, 0.1, 0.15, 0.22, 0.32, 0.45, 0.6, 0.75, 0.9, 0.99)
"""The grid: a tag misses so many of its rounds."""
_EDGES: Final = (0.0, *((low * high) ** 0.5 for low, high in pairwise(MISSES)), 1.0)
_LOG_MISS: Final = tuple(math.log(miss) for miss in MISSES)
_LOG_HIT: Final = tuple(math.log1p(-miss) for miss in MISSES)
BEFORE_WEIGHS: Final = 8.0
"""What is known before weighs as much as so many of a zone's tags."""
_ROUNDS: Final = 12
_STEPS: Final = 16
"""Points by which a curve's share between two edges is added up."""


@dataclass(frozen=True, slots=True)
class HitRates:
    """Shares of tags (they add up to 1) by their miss rate, as `MISSES` has them; learnt from so many `tags`."""

    shares: tuple[float, ...]
    tags: float = 0.0

    @classmethod
    def like(cls, hits: float, misses: float) -> Self:
        """Return shares as a Beta curve of hit rates has them."""
        found = [_area(low, high, hits, misses) for low, high in pairwise(_EDGES)]
        total = sum(found)
        return cls(tuple(one / total for one in found))

    def learn(self, rounds: Sequence[tuple[float, float, float]]) -> Self:
        """Return the shares once so many (hits, misses) of tags are known, each with its probability (0 to 1)."""
        known = [one for one in rounds if one[0] + one[1] > 0]
        if not known:
            return self
        seen, counts = np.array(known)[:, :2], np.array(known)[:, 2:]
        likely = np.exp(_weights(seen))
        before = np.array(self.shares) * BEFORE_WEIGHS
        shares = np.array(self.shares)
        for _ in range(_ROUNDS):
            mine = likely * shares
            shares = before + (counts * mine / mine.sum(axis=1, keepdims=True)).sum(axis=0)
            shares /= shares.sum()
        return type(self)(tuple(shares.tolist()), float(counts.sum()))

    def variance(self) -> float:
        """Return how unsure the probability is that a new tag is missed: the variance of its mean over so few tags."""
        mean = sum(share * miss for share, miss in zip(self.shares, MISSES, strict=True))
        spread = sum(share * (miss - mean) ** 2 for share, miss in zip(self.shares, MISSES, strict=True))
        return spread / (BEFORE_WEIGHS + self.tags)

    def hit(self, hits: float = 0.0, misses: float = 0.0) -> float:
        """Return the probability that the next round hears a tag that had so many hits and misses."""
        return 1.0 - self._next(hits, misses)

    def heard(self, rounds: Sequence[tuple[float, float]]) -> Any:
        """Return `hit` of many tags, each with (hits, misses), as an array."""
        mine = np.exp(_weights(np.array(rounds))) * np.array(self.shares)
        return 1.0 - mine @ np.array(MISSES) / mine.sum(axis=1)

    def silence(self, hits: float, misses: float, silent: int) -> float:
        """Return the probability that a tag which is there is silent once more, after so many silences in a row."""
        return self._next(hits, misses + silent)

    def _next(self, hits: float, misses: float) -> float:
        logs = [hits * hit + misses * miss for hit, miss in zip(_LOG_HIT, _LOG_MISS, strict=True)]
        top = max(logs)
        mine = [share * math.exp(one - top) for share, one in zip(self.shares, logs, strict=True)]
        silent = sum(one * miss for one, miss in zip(mine, MISSES, strict=True))
        return silent / sum(mine)


def _weights(seen: Any) -> Any:
    logs = seen[:, :1] * np.array(_LOG_HIT) + seen[:, 1:] * np.array(_LOG_MISS)
    return logs - logs.max(axis=1, keepdims=True)


def _area(low: float, high: float, hits: float, misses: float) -> float:
    points: Iterable[float] = (low + (high - low) * (step + 0.5) / _STEPS for step in range(_STEPS))
    return float((high - low) / _STEPS * sum(x ** (misses - 1.0) * (1.0 - x) ** (hits - 1.0) for x in points))
