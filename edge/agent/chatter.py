"""An alarm input that chatters, as a loose wire does: its alarm is held instead of told each time. Pure."""

from collections import deque
from typing import Final

MOST_CHANGES: Final = 10
SPAN_US: Final = 60_000_000
"""More changes within a minute are none of a door or a fire alarm: five alarms a minute are told, each with its end."""
CALM_US: Final = 60_000_000
"""What chattered counts again once it has stood for so long."""


class Chatter:
    """One input. While it chatters nobody knows what it means: it is held as active, which is the safe side."""

    def __init__(self) -> None:
        self._changes: deque[int] = deque(maxlen=MOST_CHANGES + 1)
        self._level: bool | None = None
        self._told: bool | None = None
        self.chatters = False

    def take(self, active: bool, now_us: int) -> bool | None:  # noqa: FBT001 (as an input's level)
        """Take a level, `now_us` of a clock that no one sets; return what is to be told, None for nothing."""
        if self._level is not None and active != self._level:
            self._changes.append(now_us)
            self.chatters = self.chatters or (
                len(self._changes) > MOST_CHANGES and now_us - self._changes[0] <= SPAN_US
            )
        self._level = active
        if not self.chatters:
            self._told = active
            return active
        return self._tell(state=True)

    def settle(self, now_us: int) -> bool | None:
        """Let time pass; return what is to be told once it is calm, None for nothing."""
        if not self.chatters or now_us - self._changes[-1] < CALM_US or self._level is None:
            return None
        self.chatters = False
        self._changes.clear()
        return self._tell(state=self._level)

    def _tell(self, *, state: bool) -> bool | None:
        if state == self._told:
            return None
        self._told = state
        return state
