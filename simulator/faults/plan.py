"""Faults that come at their time: switches of a reader, set and put back as a scenario says, and actions."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Any

from simulator.faults.model import Faults


@dataclass(frozen=True, slots=True)
class FaultChange:
    """One switch of one reader gets a value, at a time of the scenario."""

    at_us: int
    reader: str
    switch: str
    value: Any


@dataclass(frozen=True, slots=True)
class FaultAction:
    """Something happens to one reader, at a time of the scenario."""

    at_us: int
    reader: str
    action: str
    arguments: dict[str, Any] = field(default_factory=dict)


class FaultPlan:
    """Changes and actions in the order of their times, those of one time as they were given; each is given once."""

    def __init__(self, changes: Iterable[FaultChange | FaultAction] = ()) -> None:
        self._places = itertools.count()
        self._waiting = [(change.at_us, next(self._places), change) for change in changes]
        heapify(self._waiting)

    def add(self, change: FaultChange | FaultAction) -> None:
        """Plan one more."""
        heappush(self._waiting, (change.at_us, next(self._places), change))

    @property
    def next_us(self) -> int | None:
        """When something is due next; None where nothing is left."""
        return self._waiting[0][0] if self._waiting else None

    def due(self, now_us: int) -> list[FaultChange | FaultAction]:
        """Return what is due by now and wasn't given before."""
        found = []
        while self._waiting and self._waiting[0][0] <= now_us:
            found.append(heappop(self._waiting)[2])
        return found


def span(reader: str, switch: str, value: Any, *, from_us: int, to_us: int | None) -> list[FaultChange]:
    """Return the changes that set a switch for a while, or to the end without `to_us`."""
    begin = FaultChange(from_us, reader, switch, value)
    return [begin] if to_us is None else [begin, FaultChange(to_us, reader, switch, getattr(Faults(), switch))]
