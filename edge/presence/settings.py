"""What is counted: places, their antennas, and how long a span is. The room's one error."""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

HOUR_S: Final = 3600
"""The central counts by the hour: spans divide it, so that none lies in two of its rounds."""

Mode = Literal["portal", "zone", "sweep"]


class PresenceError(ValueError):
    """What an earlier start noted can't be read; the message says why."""


class Antenna(NamedTuple):
    """An antenna port of a reader."""

    reader: str
    port: int


@dataclass(frozen=True, slots=True)
class Place:
    """A zone or portal: its name in rows, and the antennas that listen to it."""

    name: str
    mode: Mode
    antennas: tuple[Antenna, ...]


@dataclass(frozen=True, slots=True)
class PresenceSettings:
    """Knobs of the room.

    Attributes:
        places: zones and portals whose spans are told; an antenna serves one of them.
        span_s: length of a span; it divides an hour, and spans begin at its multiples.
        max_tags: (tag, place) pairs held at most in one span; what comes beyond makes the span incomplete.
    """

    places: tuple[Place, ...] = ()
    span_s: int = 900
    max_tags: int = 50_000
