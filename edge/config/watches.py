"""Which inputs are evidence for which doorway."""

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from edge.config.model import EdgeConfig
from edge.config.wiring import GpiConfig, WatchConfig
from edge.contracts import SensorKind
from edge.windows import SensorSettings

if TYPE_CHECKING:
    from edge.config.devices import InputConfig


_WATCHES: Final[Mapping[str, Literal["beam", "door"]]] = {"beam": "beam", "door": "door"}
"""Kinds of inputs that are evidence of passages; the others are alarms."""


class _Input(NamedTuple):
    place: str
    owner: str
    port: int
    watch: WatchConfig
    kind: SensorKind


def sensor_settings(config: EdgeConfig) -> tuple[SensorSettings, ...]:
    """Build the windows' sensors; an input whose portal isn't plain is told of, and is evidence for none."""
    built = []
    for one in _inputs(config):
        portal = _portal_of(config, one)
        kind = _WATCHES.get(one.kind)
        if portal is not None and (kind == "door" or (kind == "beam" and one.watch.side is not None)):
            built.append(
                SensorSettings(
                    reader=one.owner,
                    gpi=one.port,
                    kind=kind,
                    portal=portal,
                    side=one.watch.side,
                    active_high=one.watch.active_high,
                )
            )
    return tuple(built)


class AlarmInput(NamedTuple):
    """An input that tells of a fire, or of a door that was forced or held open."""

    kind: Literal["fire", "forced", "held"]
    portal: str | None
    active_high: bool


def alarm_inputs(config: EdgeConfig) -> dict[tuple[str, int], AlarmInput]:
    """Return the inputs that are alarms, by device and number."""
    return {
        (one.owner, one.port): AlarmInput(
            one.kind, None if one.kind == "fire" else _portal_of(config, one), one.watch.active_high
        )
        for one in _inputs(config)
        if one.kind == "fire" or one.kind == "forced" or one.kind == "held"  # noqa: PLR1714 (mypy follows this)
    }


def watch_problems(config: EdgeConfig) -> Iterator[str]:
    """Yield each problem of what inputs watch, and of neighbours, as one line that begins with its place."""
    portals = [portal.id for portal in config.portals]
    for one in _inputs(config):
        yield from _input_problems(config, one, portals)
    yield from _beam_problems(config)
    for number, portal in enumerate(config.portals):
        for index, name in enumerate(portal.neighbours):
            place = f"portals[{number}] ({portal.id}).neighbours[{index}]"
            if name == portal.id:
                yield f"{place}: is the portal itself: name others"
            elif name not in portals:
                yield f"{place}: {_stranger(name, portals)}"


def _input_problems(config: EdgeConfig, one: _Input, portals: list[str]) -> Iterator[str]:
    if one.watch.portal is not None:
        if one.kind == "fire":
            yield f"{one.place}.portal: a fire alarm is the whole gateway's: leave it out"
        elif one.watch.portal not in portals:
            yield f"{one.place}.portal: {_stranger(one.watch.portal, portals)}"
    if one.watch.side is None:
        return
    if one.kind != "beam":
        at = "a door contact" if one.kind == "door" else f"`{one.kind}`"
        yield f"{one.place}.side: is for light beams, whose order tells the way: leave it out at {at}"
    elif _portal_of(config, one) is None:
        yield f"{one.place}.portal: is missing: its reader serves not just one portal, so say which one it watches"


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
