"""How long it took, counted in buckets as Prometheus wants them."""

from typing import Final

BOUNDS_S: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 10.0)
"""The promise is 0.15 s for 99 of 100, so that stands among them."""


class Latency:
    """A histogram of seconds."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self.sum_s = 0.0

    def note(self, seconds: float) -> None:
        """Count one."""
        place = next((number for number, bound in enumerate(BOUNDS_S) if seconds <= bound), len(BOUNDS_S))
        self._counts[place] += 1
        self.sum_s += seconds

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self._counts)

    def buckets(self) -> list[tuple[str, float]]:
        """Return each upper bound with the number of those up to it; the last bound is `+Inf`."""
        total, found = 0, []
        for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), self._counts, strict=True):
            total += count
            found.append((bound, float(total)))
        return found
