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


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepSettings:
    """A count sweep that is run by the clock.

    Attributes:
        place: its name in rows, and its antennas, all of one reader.
        at_min: when it begins, minutes after midnight UTC.
        every_min: it begins at each multiple of this, from midnight UTC on; 0 = not so.
        airtime_s: longest time that antennas sweep, pauses not counted.
        quiet_s: the reader's doorways must have been quiet for so long before it begins or goes on.
        within_min: it is given up where it hasn't come to its end by then.
        doorway_cdbm: from which level on an unknown tag is one in the doorway, by antenna port.
    """

    place: Place
    at_min: tuple[int, ...] = ()
    every_min: int = 0
    airtime_s: int = 30
    quiet_s: int = 30
    within_min: int = 30
    doorway_cdbm: tuple[tuple[int, int], ...] = ()

    @property
    def reader(self) -> str:
        """The reader of its antennas."""
        return self.place.antennas[0].reader

    @property
    def ports(self) -> tuple[int, ...]:
        """Its antenna ports."""
        return tuple(antenna.port for antenna in self.place.antennas)


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
