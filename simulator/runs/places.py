"""What an agent must be told of a scenario: readers' inventories, and `edge.toml` for each gateway."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from simulator.runs.requests import Inventory
from simulator.scenarios.model import Scenario
from simulator.scenarios.space import AntennaPart, GatewayPart, PortalPart, ReaderPart, SensorPart

EDGE_KINDS: Final = {"beam": "beam", "contact": "door"}
"""Sensors that the agent knows as inputs; what else is wired can start its reading only."""
AIMED: Final = frozenset({"overhead", "one-sided"})
"""Layouts whose antennas stand together: what they are aimed at says which side they serve."""
PAIR: Final = 2
"""So many beams have an order that tells a way."""
READERS_A_GATEWAY: Final = 8


class Place(NamedTuple):
    """Where a reader listens."""

    host: str
    port: int


def gateways_in_use(scenario: Scenario) -> list[GatewayPart]:
    """Return the gateways that drive any reader, in the scenario's order."""
    used = {scenario.gateway_of(reader).id for reader in scenario.readers}
    return [gateway for gateway in scenario.gateways if gateway.id in used]


def readers_of(scenario: Scenario, gateway: GatewayPart) -> list[ReaderPart]:
    """Return the readers that a gateway drives."""
    return [reader for reader in scenario.readers if scenario.gateway_of(reader).id == gateway.id]


def inventories(scenario: Scenario, vendors: Mapping[str, bool]) -> dict[str, Inventory]:
    """Return how each reader is asked for tags: neighbours in different sessions, dual target.

    Args:
        scenario: which readers and sensors there are.
        vendors: whether a reader knows Impinj's parameters, by its id.
    """
    return {
        reader.id: Inventory(
            antennas=tuple(sorted(antenna.port for antenna in reader.antennas)),
            session=index % 2,
            impinj=vendors[reader.id],
            inputs=tuple(sorted(sensor.gpi for sensor in scenario.sensors if sensor.reader == reader.id)),
            trigger=_trigger(scenario, reader),
        )
        for index, reader in enumerate(scenario.readers)
    }


def edge_config(scenario: Scenario, gateway: GatewayPart, places: Mapping[str, Place], mqtt: str) -> str:
    """Return a gateway's `edge.toml`.

    Args:
        scenario: what stands there.
        gateway: whose configuration it is.
        places: where the readers listen, by their ids.
        mqtt: the broker's URL.
    """
    readers = readers_of(scenario, gateway)
    lines = [f'site = "{gateway.site}"', f'gateway = "{gateway.id}"']
    for reader in readers:
        lines += ["", *_reader_lines(scenario, reader, places[reader.id])]
    sides = beam_sides(scenario)
    for portal in scenario.portals:
        antennas = [(reader, one) for reader in readers for one in reader.antennas if one.portal == portal.id]
        if antennas:
            beams = [one for one in scenario.sensors if one.id in sides and one.portal == portal.id]
            heard = all(one.reader in {reader.id for reader in readers} for one in beams)
            lines += ["", *_portal_lines(portal, antennas, ordered=bool(beams) and heard)]
    return "\n".join([*lines, "", "[mqtt]", f'url = "{mqtt}"', ""])


def _trigger(scenario: Scenario, reader: ReaderPart) -> tuple[int, bool, int] | None:
    sensor = _starter(scenario, reader)
    if sensor is None or sensor.reads_s is None:
        return None
    return sensor.gpi, sensor.active_high, round(1000 * sensor.reads_s)


def _starter(scenario: Scenario, reader: ReaderPart) -> SensorPart | None:
    """Return the sensor that starts a reader."""
    mine = (sensor for sensor in scenario.sensors if sensor.reader == reader.id)
    return next((sensor for sensor in mine if sensor.reads_s is not None), None)


def _reader_lines(scenario: Scenario, reader: ReaderPart, place: Place) -> Iterator[str]:
    yield "[[readers]]"
    yield f'id = "{reader.id}"'
    yield f'host = "{place.host}"'
    yield f"port = {place.port}"
    wired = [sensor for sensor in scenario.sensors if sensor.reader == reader.id and sensor.kind in EDGE_KINDS]
    if wired:
        sides = beam_sides(scenario)
        served = _served(scenario, reader)
        yield f"gpis = [{', '.join(_input(one, sides.get(one.id), evidence=one.portal in served) for one in wired)}]"
    trigger = _trigger(scenario, reader)
    if trigger is not None:
        gpi, level, read_ms = trigger
        yield f"trigger = {{ gpi = {gpi}, state = {str(level).lower()}, read_ms = {read_ms} }}"


def beam_sides(scenario: Scenario) -> dict[str, str]:
    """Return which light beam is the inner and which the outer one, by their names, where a portal has just two."""
    sides: dict[str, str] = {}
    for portal in scenario.portals:
        beams = [one for one in scenario.sensors if one.kind == "beam" and one.portal == portal.id]
        if len(beams) == PAIR and beams[0].x_m != beams[1].x_m:
            inner, outer = sorted(beams, key=lambda beam: beam.x_m)
            sides |= {inner.id: "inside", outer.id: "outside"}
    return sides


def _served(scenario: Scenario, reader: ReaderPart) -> set[str]:
    """Return the portals that a reader's gateway has antennas at."""
    gateway = scenario.gateway_of(reader).id
    mine = (one for one in scenario.readers if scenario.gateway_of(one).id == gateway)
    return {antenna.portal for one in mine for antenna in one.antennas}


def _input(sensor: SensorPart, side: str | None, *, evidence: bool) -> str:
    keys = [f"port = {sensor.gpi}", f'kind = "{EDGE_KINDS[sensor.kind]}"']
    if evidence:
        keys.append(f'portal = "{sensor.portal}"')
        keys += [] if side is None else [f'side = "{side}"']
    if not sensor.active_high:
        keys.append("active_high = false")
    return f"{{ {', '.join(keys)} }}"


def _portal_lines(
    portal: PortalPart, antennas: list[tuple[ReaderPart, AntennaPart]], *, ordered: bool
) -> Iterator[str]:
    """Yield a portal's table; without two beams in order, `ordered`, the layout `beam` is as any of two sides."""
    yield "[[portals]]"
    yield f'id = "{portal.id}"'
    yield f'inside = "{portal.inside}"'
    yield f'outside = "{portal.outside}"'
    yield f'layout = "{portal.layout if portal.layout != "beam" or ordered else "two-sided"}"'
    yield "antennas = ["
    for reader, antenna in antennas:
        side = "" if portal.layout == "single" else f', side = "{side_of(portal, antenna)}"'
        yield f'  {{ reader = "{reader.id}", port = {antenna.port}{side} }},'
    yield "]"


def side_of(portal: PortalPart, antenna: AntennaPart) -> str:
    """Return the side that an antenna serves: as it says, else where it stands or, in some layouts, looks."""
    if antenna.side is not None:
        return antenna.side
    x = antenna.aim[0] if portal.layout in AIMED else antenna.position[0]
    return "inside" if x < 0 else "outside"
