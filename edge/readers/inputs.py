"""Inputs that bounce: a level counts once it has lasted. Pure: times are arguments.

A light beam that a sleeve brushes, or a door contact that rattles, must not open and shut a door ten times. Where the
reader has its own debounce it is set there too, and what comes has lasted already.
"""

from dataclasses import dataclass
from typing import Final

from edge.readers.model import GpiSettings

NEVER_US: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Edge:
    """An input's level changed for good, at the instant of its first change."""

    gpi: int
    state: bool
    at_us: int


@dataclass(slots=True)
class _Input:
    debounce_us: int
    state: bool | None = None
    wanted: bool | None = None
    since_us: int = 0


class Debounce:
    """The wired inputs of one reader."""

    def __init__(self, gpis: tuple[GpiSettings, ...]) -> None:
        self._inputs = {gpi.port: _Input(gpi.debounce_ms * 1000) for gpi in gpis}
        self._bounces = 0

    def level(self, gpi: int, *, state: bool, at_us: int) -> list[Edge]:
        """Take a change as it was reported; return what has become certain by then."""
        found = self.settle(at_us)
        mine = self._inputs.get(gpi)
        if mine is None:
            return found
        if mine.wanted == state:
            return found
        self._bounces += mine.wanted is not None
        mine.wanted = None
        if state != mine.state:
            mine.wanted, mine.since_us = state, at_us
        return [*found, *self.settle(at_us)]

    def take_bounces(self) -> int:
        """Return how many changes did not last since the last call."""
        count, self._bounces = self._bounces, 0
        return count

    def settle(self, now_us: int) -> list[Edge]:
        """Return the changes that have lasted by now, in the order in which they began."""
        edges = []
        for gpi, mine in self._inputs.items():
            if mine.wanted is not None and now_us - mine.since_us >= mine.debounce_us:
                edges.append(Edge(gpi, mine.wanted, mine.since_us))
                mine.state, mine.wanted = mine.wanted, None
        return sorted(edges, key=lambda edge: edge.at_us)

    def due_us(self) -> int:
        """Return when `settle` has something to say at the earliest; `NEVER_US` where nothing waits."""
        return min(
            (mine.since_us + mine.debounce_us for mine in self._inputs.values() if mine.wanted is not None),
            default=NEVER_US,
        )
