"""Reads in, passages out: pure, on event time, the same whatever the cuts between calls.

Errors: `WindowsError`, the room's one error.
"""

from edge.windows.fresh import forget_stale
from edge.windows.held import HELD_PREFIX, HeldTag, decode_held
from edge.windows.passages import OpenPassage, decode_open, encode_open, end_unresolved
from edge.windows.settings import (
    AntennaSettings,
    PortalSettings,
    SensorSettings,
    WindowClock,
    WindowsError,
    WindowsSettings,
)
from edge.windows.windows import OUT_OF_ORDER_US, Counters, Windows

forget_stale()

__all__ = [
    "HELD_PREFIX",
    "OUT_OF_ORDER_US",
    "AntennaSettings",
    "Counters",
    "HeldTag",
    "OpenPassage",
    "PortalSettings",
    "SensorSettings",
    "WindowClock",
    "Windows",
    "WindowsError",
    "WindowsSettings",
    "decode_held",
    "decode_open",
    "encode_open",
    "end_unresolved",
]
