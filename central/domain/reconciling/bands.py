"""Green, yellow and red of what other books say (requirements 69, 70, 73): half-open bands, unrounded. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

Light = Literal["green", "yellow", "red", "n/a"]
MOST_HIGH: Final = 5
GREEN_FROM, YELLOW_FROM = 0.90, 0.75


@dataclass(frozen=True, slots=True)
class Overdue:
    """Mismatches that are open beyond their date, by severity."""

    critical: int
    high: int
    other: int

    @property
    def light(self) -> Light:
        """Red for any critical one or more than five high ones, yellow for one to five high ones."""
        if self.critical or self.high > MOST_HIGH:
            return "red"
        return "yellow" if self.high else "green"


@dataclass(frozen=True, slots=True)
class InTime:
    """What fell due in a period, and how much of that was closed by then."""

    due: int
    closed: int

    @property
    def ratio(self) -> float | None:
        """The share, None where nothing fell due."""
        return self.closed / self.due if self.due else None

    @property
    def light(self) -> Light:
        """Nothing due is no green."""
        if self.ratio is None:
            return "n/a"
        if self.ratio >= GREEN_FROM:
            return "green"
        return "yellow" if self.ratio >= YELLOW_FROM else "red"
