"""Inputs that bounce: a state counts once it has stood for a while. Pure: times are arguments."""

from collections.abc import Mapping
from typing import NamedTuple


class Change(NamedTuple):
    """An input that changed; `at_us` is when it did, not when that was certain."""

    number: int
    state: bool
    at_us: int


class Debouncer:
    """Inputs of one device.

    Args:
        debounce_us: how long a new state must stand, for each input.
    """

    def __init__(self, debounce_us: Mapping[int, int]) -> None:
        self._debounce_us = debounce_us
        self._state: dict[int, bool] = {}
        self._since_us: dict[int, int] = {}

    def feed(self, now_us: int, states: Mapping[int, bool]) -> list[Change]:
        """Take one look at the inputs, return what became certain; the first look tells where each stands."""
        changes = []
        for number, state in states.items():
            if number not in self._state:
                self._state[number] = state
                changes.append(Change(number, state, now_us))
            elif state == self._state[number]:
                self._since_us.pop(number, None)
            else:
                since_us = min(self._since_us.setdefault(number, now_us), now_us)
                if now_us - since_us >= self._debounce_us[number]:
                    self._state[number] = state
                    del self._since_us[number]
                    changes.append(Change(number, state, since_us))
        return changes
