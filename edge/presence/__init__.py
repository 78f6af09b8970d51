"""Presence for counts: what each zone's antennas heard in a span, and for how long they really listened.

A pure core: reads, looks at the readers and the host's clock go in, rows come out. It knows no reader, no outbox and no
gate; whether a tag is foreign is a function that it is given.
"""

from edge.presence.cover import Standing
from edge.presence.presence import News, Presence, PresenceCounters
from edge.presence.quiet import DoorSensor, Quiet
from edge.presence.schedule import is_due
from edge.presence.settings import Antenna, Mode, Place, PresenceError, PresenceSettings, SweepSettings
from edge.presence.told import Told, decode_told, encode_told

__all__ = [
    "Antenna",
    "DoorSensor",
    "Mode",
    "News",
    "Place",
    "Presence",
    "PresenceCounters",
    "PresenceError",
    "PresenceSettings",
    "Quiet",
    "Standing",
    "SweepSettings",
    "Told",
    "decode_told",
    "encode_told",
    "is_due",
]
