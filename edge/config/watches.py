"""Which inputs are evidence for which doorway."""

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from edge.config.model import EdgeConfig
from edge.config.wiring import GpiConfig, WatchConfig
from edge.windows import SensorSettings

if TYPE_CHECKING:
    from edge.config.devices import InputConfig


class _Input(NamedTuple):
    place: str
    owner: str
    port: int
    watch: WatchConfig
    kind: Literal["beam", "door"]


def sensor_settings(config: EdgeConfig) -> tuple[SensorSettings, ...]:
    """Build the windows' sensors; an input whose portal isn't plain is told of, and is evidence for none."""
    built = []
    for one in _inputs(config):
        portal = _portal_of(config, one)
        if portal is not None and (one.kind == "door" or one.watch.side is not None):
            built.append(
                SensorSettings(
                    reader=one.owner,
                    gpi=one.port,
                    kind=one.kind,
                    portal=portal,
                    side=one.watch.side,
                    active_high=one.watch.active_high,
                )
            )
    return tuple(built)


def watch_problems(config: EdgeConfig) -> Iterator[str]:
    """Yield each problem of what inputs watch, and of neighbours, as one line that begins with its place."""
    portals = [portal.id for portal in config.portals]
    for one in _inputs(config):
        if one.watch.portal is not None and one.watch.portal not in portals:
            yield f"{one.place}.portal: {_stranger(one.watch.portal, portals)}"
        if one.watch.side is None:
            continue
        if one.kind == "door":
            yield f"{one.place}.side: is for light beams, whose order tells the way: leave it out at a door contact"
        elif _portal_of(config, one) is None:
            yield f"{one.place}.portal: is missing: its reader serves not just one portal, so say which one it watches"
    yield from _beam_problems(config)
    for number, portal in enumerate(config.portals):
        for index, name in enumerate(portal.neighbours):
            place = f"portals[{number}] ({portal.id}).neighbours[{index}]"
            if name == portal.id:
                yield f"{place}: is the portal itself: name others"
            elif name not in portals:
                yield f"{place}: {_stranger(name, portals)}"


def _beam_problems(config: EdgeConfig) -> Iterator[str]:
    for number, portal in enumerate(config.portals):
        place = f"portals[{number}] ({portal.id})"
        mine = [one for one in _inputs(config) if one.kind == "beam" and _portal_of(config, one) == portal.id]
        sides = Counter(one.watch.side for one in mine if one.watch.side is not None)
        for side in ("inside", "outside"):
            if sides[side] > 1:
                yield f'{place}: {sides[side]} light beams have side "{side}": their order is that of one a side'
            elif not sides[side] and (sides or portal.layout == "beam"):
                wants = f'layout "{portal.layout}" wants' if portal.layout == "beam" else "a way by beams wants"
                yield f'{place}: no light beam has side "{side}": {wants} one "inside" and one "outside", in gpis'


def _inputs(config: EdgeConfig) -> Iterator[_Input]:
    wired: list[tuple[str, str, Sequence[GpiConfig | InputConfig]]] = [
        *((f"readers[{number}]", one.id, one.gpis) for number, one in enumerate(config.readers)),
        *((f"serial_readers[{number}]", one.id, one.gpis) for number, one in enumerate(config.serial_readers)),
        *((f"smart_readers[{number}]", one.id, one.gpis) for number, one in enumerate(config.smart_readers)),
        *((f"boards[{number}]", one.id, one.gpis) for number, one in enumerate(config.boards)),
    ]
    for place, owner, gpis in wired:
        for index, gpi in enumerate(gpis):
            yield _Input(f"{place}.gpis[{index}]", owner, gpi.port, gpi, gpi.kind)


def _portal_of(config: EdgeConfig, one: _Input) -> str | None:
    if one.watch.portal is not None:
        return one.watch.portal
    served = [portal.id for portal in config.portals if any(a.reader == one.owner for a in portal.antennas)]
    if not served:
        served = [portal.id for portal in config.portals]
    return served[0] if len(served) == 1 else None


def _stranger(name: str, portals: list[str]) -> str:
    near = difflib.get_close_matches(name, portals, n=1, cutoff=0.4) or portals
    return f"{name!r} is not among [[portals]]; did you mean {near[0]!r}?"
