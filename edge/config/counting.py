"""Zones: what no single key can show, and the settings that are built from them."""

import difflib
from collections.abc import Iterator
from typing import Final

from edge.config.model import EdgeConfig
from edge.config.watches import sensor_settings
from edge.config.zones import SweptAntennaConfig
from edge.presence import Antenna, DoorSensor, Place, PresenceSettings, SweepSettings
from edge.presence.settings import HOUR_S

MARGIN_CDB: Final = 1_000
"""A tag in the doorway may be so much weaker than commissioned: against a body, or on its far side."""
ANY_LEVEL: Final = -32_768
"""At a doorway that wasn't commissioned every unknown tag may be one in it."""


def presence_settings(config: EdgeConfig) -> PresenceSettings:
    """Build the settings of what is told of zones, and of portals where that is wanted."""
    zones = [Place(one.id, "zone", tuple(Antenna(a.reader, a.port) for a in one.antennas)) for one in config.zones]
    doors = [Place(one.id, "portal", tuple(Antenna(a.reader, a.port) for a in one.antennas)) for one in config.portals]
    knobs = config.presence
    places = (*zones, *doors) if knobs.portals else tuple(zones)
    return PresenceSettings(places=places, span_s=knobs.span_s, max_tags=knobs.max_tags)


def sweep_settings(config: EdgeConfig) -> tuple[SweepSettings, ...]:
    """Build the settings of sweeps; a door's antenna knows how loud a tag in the doorway is, if it was commissioned."""
    built = []
    for one in config.sweeps:
        antennas = tuple(Antenna(antenna.reader, antenna.port) for antenna in one.antennas)
        built.append(
            SweepSettings(
                place=Place(one.id, "sweep", antennas),
                at_min=tuple(60 * int(text[:2]) + int(text[3:]) for text in one.at),
                every_min=one.every_min,
                airtime_s=one.airtime_s,
                quiet_s=one.quiet_s,
                within_min=one.within_min,
                doorway_cdbm=tuple(
                    (antenna.port, ANY_LEVEL if level is None else level - MARGIN_CDB)
                    for portal in config.portals
                    for antenna in portal.antennas
                    for level in [antenna.doorway_cdbm]
                    if antenna.reader == antennas[0].reader
                ),
            )
        )
    return tuple(built)


def door_sensors(config: EdgeConfig) -> dict[tuple[str, int], DoorSensor]:
    """Return what inputs tell of doorways, by device and number."""
    return {(one.reader, one.gpi): DoorSensor(one.portal, one.kind, one.active_high) for one in sensor_settings(config)}


def sweep_problems(config: EdgeConfig) -> Iterator[str]:
    """Yield each problem of sweeps as one line that begins with its place."""
    names = {portal.id: f"portals[{number}]" for number, portal in enumerate(config.portals)}
    names |= {zone.id: f"zones[{number}]" for number, zone in enumerate(config.zones)}
    for number, sweep in enumerate(config.sweeps):
        place = f"sweeps[{number}]"
        if names.setdefault(sweep.id, place) != place:
            yield f"{place}.id: {sweep.id!r} is also the id of {names[sweep.id]}: give each its own"
        if not sweep.at and not sweep.every_min:
            yield f'{place} ({sweep.id}): never begins: give `at`, like ["20:00"], or `every_min`'
        if len({antenna.reader for antenna in sweep.antennas}) > 1:
            yield f"{place} ({sweep.id}).antennas: are of several readers: write a sweep for each"
        for index, antenna in enumerate(sweep.antennas):
            yield from _swept_problems(config, f"{place} ({sweep.id}).antennas[{index}]", antenna)
        if len({(one.reader, one.port) for one in sweep.antennas}) < len(sweep.antennas):
            yield f"{place} ({sweep.id}).antennas: one of them stands there twice: name each once"


def _swept_problems(config: EdgeConfig, where: str, antenna: SweptAntennaConfig) -> Iterator[str]:
    llrp = {reader.id: reader for reader in config.readers}
    known = list(config.reader_places.values())
    if antenna.reader not in known:
        yield unknown_reader(where, antenna.reader, known)
    elif antenna.reader not in llrp:
        yield f"{where}: reader {antenna.reader} speaks no LLRP: only an LLRP reader can be told to sweep"
    elif antenna.port not in config.ports_of(antenna.reader):
        yield f"{where}: port {antenna.port} of reader {antenna.reader} serves no portal or zone: name one that does"
    elif llrp[antenna.reader].trigger is not None:
        yield f"{where}: reader {antenna.reader} reads only after an input calls (trigger): it can't sweep"


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
