"""What an output is at an instant: pure, times are arguments, microseconds of a clock that no one sets."""

from dataclasses import dataclass
from typing import Final, Literal

from edge.signals.rules import Pattern

MOST_TIMES: Final = 3
"""However many are refused meanwhile, it is off after so many times its seconds: nobody endures a siren for ever."""
BLINK_ON_US: Final = 500_000
BLINK_OFF_US: Final = 500_000
"""Two requests a pulse, an answer takes some milliseconds: a stack light follows, and a hurried eye sees it."""
ALIVE_US: Final = 8_000_000
"""A lamp that is alive is lit by pulses of so long, which end in the device: it is dark so soon after our death."""
DOUBT_ON_US: Final = 1_000_000
DOUBT_OFF_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Phase:
    """On or off, and until when that holds; None: until something happens."""

    on: bool
    until_us: int | None = None


OFF: Final = Phase(on=False)


class Alarm:
    """A light or siren that calls switch on for a bounded while."""

    def __init__(self, pattern: Pattern, seconds: float) -> None:
        self._blinks, self._span_us = pattern == "blink", round(seconds * 1e6)
        self._begin_us = self._until_us = 0

    def call(self, now_us: int) -> None:
        """Begin, or go on for longer."""
        if now_us >= self._until_us:
            self._begin_us, self._until_us = now_us, now_us + self._span_us
        else:
            self._until_us = min(now_us + self._span_us, self._begin_us + MOST_TIMES * self._span_us)

    def hush(self, now_us: int) -> None:
        """End; only a new call begins again."""
        self._until_us = min(self._until_us, now_us)

    def runs(self, now_us: int) -> bool:
        """Whether it was called and isn't over."""
        return now_us < self._until_us

    def phase(self, now_us: int) -> Phase:
        """Return what the output is now."""
        if not self.runs(now_us):
            return OFF
        if not self._blinks:
            return Phase(on=True, until_us=self._until_us)
        return _blinking(now_us, self._begin_us, BLINK_ON_US, BLINK_OFF_US, self._until_us)


class Alive:
    """A lamp that is lit while its doorway is watched, blinks slowly while it is partly blind, and is else dark."""

    def __init__(self) -> None:
        self._state: Literal["watching", "partial", "dark"] = "dark"
        self._since_us = 0

    def look(self, state: Literal["watching", "partial", "dark"], now_us: int) -> bool:
        """Take the doorway's state; return whether it is another one."""
        if state == self._state:
            return False
        self._state, self._since_us = state, now_us
        return True

    def phase(self, now_us: int) -> Phase:
        """Return what the lamp is now."""
        if self._state == "watching":
            return Phase(on=True, until_us=now_us + ALIVE_US)
        if self._state == "partial":
            return _blinking(now_us, self._since_us, DOUBT_ON_US, DOUBT_OFF_US, None)
        return OFF


def _blinking(now_us: int, begin_us: int, on_us: int, off_us: int, until_us: int | None) -> Phase:
    turn, into_us = divmod(now_us - begin_us, on_us + off_us)
    on = into_us < on_us
    end_us = begin_us + turn * (on_us + off_us) + (on_us if on else on_us + off_us)
    return Phase(on=on, until_us=end_us if until_us is None else min(end_us, until_us))
