"""Zones: what no single key can show, and the settings that are built from them."""

import difflib
from collections.abc import Iterator

from edge.config.model import EdgeConfig
from edge.presence import Antenna, Place, PresenceSettings
from edge.presence.settings import HOUR_S


def presence_settings(config: EdgeConfig) -> PresenceSettings:
    """Build the settings of what is told of zones, and of portals where that is wanted."""
    zones = [Place(one.id, "zone", tuple(Antenna(a.reader, a.port) for a in one.antennas)) for one in config.zones]
    doors = [Place(one.id, "portal", tuple(Antenna(a.reader, a.port) for a in one.antennas)) for one in config.portals]
    knobs = config.presence
    places = (*zones, *doors) if knobs.portals else tuple(zones)
    return PresenceSettings(places=places, span_s=knobs.span_s, max_tags=knobs.max_tags)


def zone_problems(config: EdgeConfig) -> Iterator[str]:
    """Yield each problem of zones as one line that begins with its place; antennas claimed twice are told elsewhere."""
    if HOUR_S % config.presence.span_s:
        yield f"presence.span_s: {config.presence.span_s} does not divide an hour: take 300, 600, 900, 1800 or 3600"
    portals = {portal.id: f"portals[{number}]" for number, portal in enumerate(config.portals)}
    first: dict[str, str] = {}
    triggered = {reader.id for reader in config.readers if reader.trigger is not None}
    for number, zone in enumerate(config.zones):
        place = f"zones[{number}]"
        if first.setdefault(zone.id, place) != place:
            yield f"{place}.id: {zone.id!r} is also the id of {first[zone.id]}: give each its own"
        if zone.id in portals:
            yield f"{place}.id: {zone.id!r} is also the id of {portals[zone.id]}: give each its own"
        for index, antenna in enumerate(zone.antennas):
            if antenna.reader in triggered:
                yield (
                    f"{place} ({zone.id}).antennas[{index}]: reader {antenna.reader} reads only after an input calls "
                    "(trigger): a zone's antennas listen all the time, so leave one of the two out"
                )


def unknown_reader(where: str, name: str, readers: list[str]) -> str:
    """Say that an antenna names a reader that there is none of, and which one is nearest."""
    near = difflib.get_close_matches(name, readers, n=1, cutoff=0.4) or readers
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return f"{where}: reader {name!r} is not among [[readers]]{meant}"
