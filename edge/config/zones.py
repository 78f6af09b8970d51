"""The settings of zones, and of what is told of them."""

from typing import Final

from pydantic import Field

from edge.config.antenna import ZoneAntennaConfig
from edge.config.section import Section
from edge.config.wiring import Id
from edge.presence import PresenceSettings

_PRESENCE: Final = PresenceSettings()


class ZoneConfig(Section):
    """A shelf, a cabinet or a room whose antennas always listen."""

    id: Id = Field(description="The zone's name in what is told of it; no portal bears it.")
    location: Id = Field(
        description="Location that it is a part of; the birth message tells it, the central's registry wins."
    )
    antennas: list[ZoneAntennaConfig] = Field(
        min_length=1, max_length=64, description="The antenna ports that serve this zone, and no portal."
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
