"""Faults that come at their time: switches of a reader, set and put back as a scenario says."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from simulator.faults.model import Faults


@dataclass(frozen=True, slots=True)
class FaultChange:
    """One switch of one reader gets a value, at a time of the scenario."""

    at_us: int
    reader: str
    switch: str
    value: Any


class FaultPlan:
    """Changes in the order of their times; each is given once."""

    def __init__(self, changes: Iterable[FaultChange] = ()) -> None:
        self._waiting = deque(sorted(changes, key=lambda change: change.at_us))

    def due(self, now_us: int) -> list[FaultChange]:
        """Return the changes whose time has come since the last call."""
        found = []
        while self._waiting and self._waiting[0].at_us <= now_us:
            found.append(self._waiting.popleft())
        return found


def span(reader: str, switch: str, value: Any, *, from_us: int, to_us: int | None) -> list[FaultChange]:
    """Return the changes that set a switch for a while, or to the end without `to_us`."""
    begin = FaultChange(from_us, reader, switch, value)
    return [begin] if to_us is None else [begin, FaultChange(to_us, reader, switch, getattr(Faults(), switch))]


def checked(switch: str, value: Any) -> Any:
    """Return a switch's value in its own type; ValueError where there is no such switch, or no such value."""
    names = [item.name for item in fields(Faults)]
    if switch not in names:
        near = get_close_matches(switch, names, n=1)
        raise ValueError(f"no fault {switch!r}" + (f", did you mean {near[0]!r}?" if near else f": {', '.join(names)}"))
    try:
        return TypeAdapter(get_type_hints(Faults)[switch]).validate_python(value)
    except ValidationError as error:
        raise ValueError(f"{switch} = {value!r}: {error.errors()[0]['msg']}") from error
