"""The settings of zones, and of what is told of them."""

from typing import Annotated, Final

from pydantic import Field

from edge.config.antenna import ZoneAntennaConfig
from edge.config.section import Section
from edge.config.wiring import Id
from edge.presence import Place, PresenceSettings, SweepSettings

_PRESENCE: Final = PresenceSettings()
_SWEEP: Final = SweepSettings(place=Place("-", "sweep", ()))
ClockTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class ZoneConfig(Section):
    """A shelf, a cabinet or a room whose antennas always listen."""

    id: Id = Field(description="The zone's name in what is told of it; no portal bears it.")
    location: Id = Field(
        description="Location that it is a part of; the birth message tells it, the central's registry wins."
    )
    antennas: list[ZoneAntennaConfig] = Field(
        min_length=1, max_length=64, description="The antenna ports that serve this zone, and no portal."
    )


class SweptAntennaConfig(Section):
    """An antenna port that takes part in a sweep; it serves a portal or a zone."""

    reader: Id = Field(description="`id` of one of the `[[readers]]`, the same for all antennas of a sweep.")
    port: int = Field(ge=1, le=65535, description="Antenna port of the reader, counted from 1.")


class SweepConfig(Section):
    """A count sweep by the clock: every tag is asked once, and whoever comes to a doorway goes before it."""

    id: Id = Field(description="The sweep's name in what is told of it; no portal or zone bears it.")
    location: Id = Field(
        description="Location that it counts; the birth message tells it, the central's registry wins."
    )
    antennas: list[SweptAntennaConfig] = Field(
        min_length=1, max_length=64, description="The antennas that sweep, all of one LLRP reader."
    )
    at: list[ClockTime] = Field(default=[], max_length=48, description='When it begins, UTC, like `"20:00"`.')
    every_min: int = Field(
        default=_SWEEP.every_min,
        ge=0,
        le=1_440,
        description="It begins at each multiple of this, minutes from midnight UTC on; 0: at the times in `at` alone.",
    )
    airtime_s: int = Field(
        default=_SWEEP.airtime_s, ge=1, le=600, description="Longest time that antennas sweep, pauses not counted."
    )
    quiet_s: int = Field(
        default=_SWEEP.quiet_s,
        ge=1,
        le=3_600,
        description="The reader's doorways must have been quiet and shut for so long before it begins or goes on.",
    )
    within_min: int = Field(
        default=_SWEEP.within_min,
        ge=1,
        le=1_440,
        description="It is given up, and told as incomplete, where it hasn't come to its end by then.",
    )


class PresenceConfig(Section):
    """What is told of zones and portals besides movements: which tags were heard in a span, and how well covered."""

    span_s: int = Field(
        default=_PRESENCE.span_s,
        ge=10,
        le=3_600,
        description="Length of a span; a divisor of 3,600, since the central counts by the hour.",
    )
    portals: bool = Field(
        default=False,
        description="Tell of portals' antennas too; the central counts nothing by it, since doors hear who passes.",
    )
    max_tags: int = Field(
        default=_PRESENCE.max_tags,
        ge=100,
        le=1_000_000,
        description="Most tags of all zones together in one span; with more the span is told as incomplete.",
    )
