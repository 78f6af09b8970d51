"""One simulated figure beside the measured one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

RECORDINGS = Path(__file__).resolve().parents[4] / "shared" / "data" / "reads" / "ecd"
"""Recorded reads of a Zebra FX7500, beside the checkout."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A figure that the simulator gave, and what it should be.

    Attributes:
        name: ends the figure's name in `make accuracy`.
        what: in words.
        value: simulated.
        unit: of value, low and high.
        measured: what was measured or computed elsewhere, as it is stated there.
        low, high: the tolerance, both included.
        source: where the measured figure is from.
        how: what was simulated.
        why: the reason, where it is known to be outside; the figure is then expected to be.
    """

    name: str
    what: str
    value: float
    unit: str
    measured: str
    low: float
    high: float
    source: str
    how: str
    why: str = ""

    @property
    def holds(self) -> bool:
        """Whether the simulated figure is within the tolerance."""
        return bool(self.low <= self.value <= self.high)


Group = Callable[[], Iterable[Compared]]
