"""What no single key can show: double ids, strangers, antennas claimed twice, layouts that can't work."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from edge.config.access import access_problems
from edge.config.counting import sweep_problems, unknown_reader, zone_problems
from edge.config.device_checks import device_problems
from edge.config.gate_rooms import gate_problems
from edge.config.links import link_problems
from edge.config.model import EdgeConfig, MqttConfig, PortalConfig
from edge.config.watches import watch_problems
from edge.profiles import AUTO, ProfileError, profile_named, region_named
from edge.uplink import UplinkError, parse_url

if TYPE_CHECKING:
    from edge.config.antenna import ZoneAntennaConfig


def cross_problems(config: EdgeConfig) -> Iterator[str]:
    """Yield each problem as one line that begins with its place."""
    yield from _double_ids(config.reader_places)
    yield from _double_ids({f"portals[{number}]": portal.id for number, portal in enumerate(config.portals)})
    readers = list(config.reader_places.values())
    yield from _mqtt_problems(config.mqtt)
    yield from device_problems(config)
    yield from link_problems(config)
    yield from watch_problems(config)
    yield from gate_problems(config)
    boards = {f"boards[{number}]": board.id for number, board in enumerate(config.boards)}
    yield from access_problems(config.access, config.reader_places | boards)
    yield from zone_problems(config)
    yield from sweep_problems(config)
    for number, reader in enumerate(config.readers):
        yield from _profile_problems(f"readers[{number}].profile", reader.profile)
        yield from _region_problems(f"readers[{number}].region", reader.region)
        if (reader.report_every_tags or 1) > 1 and not reader.report_every_ms:
            yield (
                f"readers[{number}].report_every_ms: is missing, since report_every_tags is "
                f"{reader.report_every_tags}: without it a passage's last reads wait in the reader for the next tag"
            )
    for place, name in config.reader_places.items():
        if not config.ports_of(name):
            yield f"{place} ({name}): no portal or zone has an antenna on it: add one or leave it out"
    for number, portal in enumerate(config.portals):
        place = f"portals[{number}] ({portal.id})"
        if portal.inside == portal.outside:
            yield f"{place}: inside and outside are both {portal.inside!r}: a portal joins two locations"
        yield from _layout_problems(place, portal)
    yield from _antenna_problems(config, readers)


def _antenna_problems(config: EdgeConfig, readers: list[str]) -> Iterator[str]:
    """Yield antennas of readers that there are none of, and those that two places claim."""
    serving: list[tuple[str, Sequence[ZoneAntennaConfig]]] = [
        *((f"portals[{number}] ({one.id})", one.antennas) for number, one in enumerate(config.portals)),
        *((f"zones[{number}] ({one.id})", one.antennas) for number, one in enumerate(config.zones)),
    ]
    claimed: dict[tuple[str, int], str] = {}
    for place, antennas in serving:
        for index, antenna in enumerate(antennas):
            where = f"{place}.antennas[{index}]"
            if antenna.reader not in readers:
                yield unknown_reader(where, antenna.reader, readers)
            key = (antenna.reader, antenna.port)
            if key in claimed:
                port = f"port {antenna.port} of reader {antenna.reader}"
                yield f"{where}: {port} already serves {claimed[key]}: an antenna serves one place"
            claimed.setdefault(key, place)


def _profile_problems(place: str, name: str) -> Iterator[str]:
    try:
        if name != AUTO:
            profile_named(name)
    except ProfileError as error:
        yield f"{place}: {error}"


def _region_problems(place: str, name: str | None) -> Iterator[str]:
    try:
        if name is not None:
            region_named(name)
    except ProfileError as error:
        yield f"{place}: {error}"


def _mqtt_problems(mqtt: MqttConfig) -> Iterator[str]:
    try:
        parse_url(mqtt.url)
    except UplinkError as error:
        yield f"mqtt.url: {error}"
    if mqtt.password_file is not None and mqtt.username is None:
        yield "mqtt.username: is missing, since password_file is set: set both or neither"


def _one_reader_a_side(portal: PortalConfig) -> bool:
    inner = {antenna.reader for antenna in portal.antennas if antenna.side == "inside"}
    outer = {antenna.reader for antenna in portal.antennas if antenna.side == "outside"}
    return len(inner) == len(outer) == 1 and inner != outer


def _double_ids(places: dict[str, str]) -> Iterator[str]:
    first: dict[str, str] = {}
    for place, name in places.items():
        if first.setdefault(name, place) != place:
            yield f"{place}.id: {name!r} is also the id of {first[name]}: give each its own"


def _layout_problems(place: str, portal: PortalConfig) -> Iterator[str]:
    """Yield what a layout lacks (contracts: Layouts)."""
    sides = [antenna.side for antenna in portal.antennas]
    if portal.layout == "single":
        if len(sides) != 1 or sides[0] is not None:
            yield f'{place}: layout "single" wants one antenna, without side; for two sides take "two-sided"'
        return
    if None in sides:
        where = f"{place}.antennas[{sides.index(None)}]"
        yield f'{where}: side is missing: layout "{portal.layout}" wants "inside" or "outside"'
    elif len(set(sides)) == 1:
        missing = "outside" if sides[0] == "inside" else "inside"
        remedy = f'layout "{portal.layout}" wants both; for one antenna take "single"'
        yield f'{place}: no antenna has side "{missing}": {remedy}'
    elif portal.layout == "two-readers" and not _one_reader_a_side(portal):
        yield f'{place}: layout "two-readers" wants two readers, each on its own side'
