"""The forwarder's states as a table."""

from enum import Enum, auto
from typing import Final, Literal

UplinkState = Literal["live", "backlog", "offline", "draining"]


class UplinkEvent(Enum):
    """What moves the forwarder from one state to another."""

    CONNECTED = auto()
    LOST = auto()
    CAUGHT_UP = auto()  # the central is heard and nothing waits to be sent
    FELL_BEHIND = auto()  # the window is full, or the watermark stands still
    STOPPING = auto()


# A pair that is not listed leaves the state as it is.
TRANSITIONS: Final[dict[tuple[UplinkState, UplinkEvent], UplinkState]] = {
    ("offline", UplinkEvent.CONNECTED): "backlog",
    ("offline", UplinkEvent.STOPPING): "draining",
    ("backlog", UplinkEvent.CAUGHT_UP): "live",
    ("backlog", UplinkEvent.LOST): "offline",
    ("backlog", UplinkEvent.STOPPING): "draining",
    ("live", UplinkEvent.FELL_BEHIND): "backlog",
    ("live", UplinkEvent.LOST): "offline",
    ("live", UplinkEvent.STOPPING): "draining",
}


def after(state: UplinkState, event: UplinkEvent) -> UplinkState:
    """Return the state that follows."""
    return TRANSITIONS.get((state, event), state)
