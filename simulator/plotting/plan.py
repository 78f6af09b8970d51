"""The floor plan: walls, doors, shelves, doorways, antennas and the ways of who moves, in metres of the site."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Arc, Circle, Polygon
from matplotlib.patheffects import withStroke
from matplotlib.transforms import ScaledTranslation, Transform
from numpy.typing import NDArray

from simulator.plotting.observed import Observed, numbers
from simulator.plotting.style import ACCENT, FAINT, GROUPS, INK, PAPER, QUIET
from simulator.scenarios.model import Scenario
from simulator.scenarios.space import AntennaPart, DoorPart, DoorwayPart, SensorPart, ShelfPart
from simulator.world.frames import Placed
from simulator.world.world import Way

Floats = NDArray[np.float64]
APART_M = 25.0
"""Doorways further apart than this are drawn as plans of their own."""
MARGIN_M = 0.9
BEAM_M = 0.9
"""How far an antenna's beam is drawn; it reaches much further."""
FEW_PORTALS = 4
"""Up to so many doorways carry all their labels."""
FEW_TRACKS = 14
"""Up to so many ways have colours of their own, seconds and a place beside one another."""
WALL_WIDTHS = {"drywall": 2.2, "glass": 1.2, "brick": 3.2, "concrete": 4.0, "metal": 3.2}
FEW_CLOCKS = 6
"""Up to so many ways say on the plan when they begin."""
_HALO = [withStroke(linewidth=2.5, foreground=PAPER)]


@dataclass(frozen=True, slots=True)
class Part:
    """One plan: what of the scenario lies near a group of doorways."""

    doorways: tuple[DoorwayPart, ...]
    low: Floats
    high: Floats

    @property
    def size_m(self) -> Floats:
        """(2,) width and height."""
        return self.high - self.low

    def holds(self, point: Floats) -> bool:
        """Whether a place is on this plan."""
        return bool((self.low <= point[:2]).all() and (point[:2] <= self.high).all())


def parts(seen: Observed) -> list[Part]:
    """Split a scenario's site into plans."""
    found: list[list[DoorwayPart]] = []
    for doorway in (*seen.scenario.portals, *seen.scenario.openings):
        near = next((group for group in found if any(_apart(doorway, one) < APART_M for one in group)), None)
        if near is None:
            found.append([doorway])
        else:
            near.append(doorway)
    return [_part(tuple(group), seen) for group in found]


def draw(axes: Axes, part: Part, seen: Observed) -> None:
    """Draw one plan."""
    scenario = seen.scenario
    labelled = len(part.doorways) <= FEW_PORTALS
    axes.set_aspect("equal")
    axes.set_xlim(part.low[0], part.high[0])
    axes.set_ylim(part.low[1], part.high[1])
    axes.tick_params(length=2, labelsize=7)
    axes.set_xlabel("metres", fontsize=7, labelpad=1, loc="right")
    _walls(axes, scenario)
    for doorway in part.doorways:
        _doorway(axes, doorway, portal=doorway in scenario.portals, labelled=labelled)
    for door in scenario.doors:
        _door(axes, door, _doorway_of(scenario, door.doorway))
    for shelf in scenario.shelves:
        _shelf(axes, shelf, _frame(scenario, shelf.portal), labelled=labelled)
    for resident in scenario.residents:
        axes.plot(*_frame(scenario, resident.portal).lift(resident.position)[:2], ".", color=QUIET, ms=4)
    for sensor in scenario.sensors:
        _sensor(axes, sensor, _doorway_of(scenario, sensor.portal))
    _antennas(axes, scenario, labelled=labelled)
    if labelled:
        _locations(axes, part, seen)
    _tracks(axes, part, seen)


def colours(seen: Observed) -> list[str]:
    """A colour for each track: the accent for those that carry the followed tag."""
    others = count()
    few = len(seen.tracks) <= FEW_TRACKS
    return [
        ACCENT if seen.tag in numbers(track) else GROUPS[next(others) % len(GROUPS)] if few else QUIET
        for track in seen.tracks
    ]


def _apart(one: DoorwayPart, other: DoorwayPart) -> float:
    return math.dist(one.at, other.at)


def _part(doorways: tuple[DoorwayPart, ...], seen: Observed) -> Part:
    """What to show of the surroundings: all that lies within half of `APART_M`."""
    middle = np.mean([doorway.at for doorway in doorways], axis=0)
    reach = APART_M / 2 + max(math.dist(doorway.at, middle) for doorway in doorways)
    points = np.array([point for point in _points(seen) if math.dist(point, middle) <= reach])
    return Part(doorways, points.min(axis=0) - MARGIN_M, points.max(axis=0) + MARGIN_M)


def _points(seen: Observed) -> Iterator[tuple[float, float]]:
    scenario = seen.scenario
    for wall in scenario.walls:
        yield from wall.points
    for doorway in (*scenario.portals, *scenario.openings):
        frame = Placed(doorway)
        yield from (tuple(frame.lift((x, y, 0.0))[:2]) for x in (-2.0, 2.0) for y in (-1.5, 1.5))
    for track in seen.tracks:
        yield from (tuple(place[:2]) for place in track.place)
    for shelf in scenario.shelves:
        yield from (tuple(corner) for corner in _corners(shelf, _frame(scenario, shelf.portal)))


def _doorway_of(scenario: Scenario, name: str) -> DoorwayPart:
    return next(one for one in (*scenario.portals, *scenario.openings) if one.id == name)


def _frame(scenario: Scenario, name: str | None) -> Placed:
    return Placed(None if name is None else _doorway_of(scenario, name))


def _xy(frame: Placed, points: Sequence[tuple[float, float]]) -> Floats:
    """Points of a frame on the site, (2, n) to draw."""
    return frame.to_site(np.array(points, dtype=np.float64)).T


def _walls(axes: Axes, scenario: Scenario) -> None:
    for wall in scenario.walls:
        axes.plot(
            *np.array(wall.points).T,
            color=QUIET if wall.material == "glass" else INK,
            lw=WALL_WIDTHS[wall.material],
            solid_capstyle="butt",
            zorder=2,
        )


def _doorway(axes: Axes, doorway: DoorwayPart, *, portal: bool, labelled: bool) -> None:
    """The opening cut out of its wall, its plane, and its name."""
    frame, half = Placed(doorway), doorway.width_m / 2
    axes.plot(*_xy(frame, [(0, -half), (0, half)]), color=PAPER, lw=6, solid_capstyle="butt", zorder=2.5)
    axes.plot(*_xy(frame, [(0, -half), (0, half)]), color=FAINT, lw=1, ls=":", zorder=2.6)
    if not labelled:
        x, y = frame.lift((-3.0, 0.0, 0.0))[:2]
        axes.text(x, y, doorway.id, color=QUIET, fontsize=6.5, ha="center", va="center", path_effects=_HALO, zorder=6)
        return
    x, y = frame.lift((0.12, half + 0.75, 0.0))[:2]
    label = doorway.id if portal else f"{doorway.id} (not watched)"
    axes.text(x, y, label, color=INK, fontsize=7.5, ha="left", va="center", weight="bold", path_effects=_HALO, zorder=6)


def _locations(axes: Axes, part: Part, seen: Observed) -> None:
    """The name of each location once; a portal says where before an opening does."""
    said = set[str]()
    for doorway in part.doorways:
        frame, watched = Placed(doorway), doorway in seen.scenario.portals
        aside = -doorway.width_m / 2 - 2.7 if watched else 0.0
        for x_m, name in ((-2.6 if watched else -0.9, doorway.inside), (2.6, doorway.outside)):
            if name not in said:
                x, y = np.clip(frame.lift((x_m, aside, 0.0))[:2], part.low + 0.4, part.high - 0.4)
                axes.text(
                    x, y, name, color=QUIET, ha="center", va="center", style="italic", path_effects=_HALO, zorder=6
                )
            said.add(name)


def _door(axes: Axes, door: DoorPart, doorway: DoorwayPart) -> None:
    """Each leaf as it stands when open, and the quarter that it sweeps."""
    frame, half = Placed(doorway), doorway.width_m / 2
    length = doorway.width_m / door.leaves
    for hinge in (-1, 1)[: door.leaves]:
        turn = math.radians(door.angle_deg) * hinge * (1 if door.swings == "in" else -1)
        start = math.radians(-hinge * 90)
        end = (length * math.cos(start - turn), hinge * half + length * math.sin(start - turn))
        axes.plot(
            *_xy(frame, [(0, hinge * half), end]), color=INK if door.material == "metal" else QUIET, lw=1.8, zorder=4
        )
        x, y = frame.lift((0, hinge * half, 0.0))[:2]
        angles = sorted((math.degrees(start + frame.facing), math.degrees(start - turn + frame.facing)))
        axes.add_patch(
            Arc((x, y), 2 * length, 2 * length, theta1=angles[0], theta2=angles[1], color=FAINT, lw=0.8, zorder=1.5)
        )


def _corners(shelf: ShelfPart, frame: Placed) -> Floats:
    x, y = shelf.at
    depth, length = shelf.size[0] / 2, shelf.size[1] / 2
    square = [(x - depth, y - length), (x + depth, y - length), (x + depth, y + length), (x - depth, y + length)]
    return _xy(frame, square).T


def _shelf(axes: Axes, shelf: ShelfPart, frame: Placed, *, labelled: bool) -> None:
    corners = _corners(shelf, frame)
    axes.add_patch(Polygon(corners, facecolor="#e2e8f0", edgecolor=QUIET, lw=0.8, zorder=1.8))
    if labelled:
        words = f"{len(shelf.tags)} tags" if shelf.tags else "empty shelf"
        x, y = corners.mean(axis=0)
        upright = np.ptp(corners[:, 1]) > np.ptp(corners[:, 0])
        turned = 90 if upright else 0
        axes.text(x, y, words, color=QUIET, fontsize=7, ha="center", va="center", rotation=turned, zorder=6)


def _sensor(axes: Axes, sensor: SensorPart, doorway: DoorwayPart) -> None:
    frame, half = Placed(doorway), doorway.width_m / 2
    if sensor.kind == "beam":
        axes.plot(*_xy(frame, [(sensor.x_m, -half), (sensor.x_m, half)]), color=QUIET, lw=1, ls=(0, (2, 1)), zorder=4)
    elif sensor.kind == "motion":
        around = Circle(doorway.at, sensor.range_m, fill=False, color=FAINT, lw=1, ls=(0, (4, 3)), zorder=1)
        axes.add_patch(around)
    elif sensor.kind == "badge":
        axes.plot(*_xy(frame, [(-0.1, half + 0.15)]), "s", color=QUIET, ms=3.5, zorder=4)


def _antennas(axes: Axes, scenario: Scenario, *, labelled: bool) -> None:
    """Antennas with their ports; those that hang above one another share a label."""
    ports: dict[tuple[float, float], list[int]] = {}
    for reader in scenario.readers:
        for antenna in reader.antennas:
            frame = _frame(scenario, antenna.portal)
            _antenna(axes, antenna, frame, size=3.5 if labelled else 2)
            x, y = (antenna.position[axis] + math.copysign(0.24, antenna.position[axis]) for axis in (0, 1))
            x, y = frame.lift((x, y, 0.0))[:2]
            ports.setdefault((round(float(x), 2), round(float(y), 2)), []).append(antenna.port)
    for (x, y), shared in ports.items() if labelled else ():
        words = ", ".join(map(str, shared))
        axes.text(x, y, words, color=QUIET, fontsize=6.5, ha="center", va="center", zorder=6)


def _antenna(axes: Axes, antenna: AntennaPart, frame: Placed, *, size: float) -> None:
    """A dot, and a short piece of its beam as wide as at half power."""
    place, aim = frame.lift(antenna.position)[:2], frame.lift(antenna.aim)[:2]
    ahead = math.atan2(*(aim - place)[::-1])
    spread = np.radians(np.linspace(-antenna.beam_deg / 2, antenna.beam_deg / 2, 9))
    rim = place + BEAM_M * np.column_stack([np.cos(ahead + spread), np.sin(ahead + spread)])
    axes.add_patch(Polygon(np.vstack([place, rim]), facecolor=QUIET, alpha=0.13, lw=0, zorder=1))
    axes.plot(*place, "o", color=INK, ms=size, zorder=4)


def _tracks(axes: Axes, part: Part, seen: Observed) -> None:
    """Ways with arrows; where there are few, side by side and with a dot a second."""
    few = len(seen.tracks) <= FEW_TRACKS
    for index, (track, colour) in enumerate(zip(seen.tracks, colours(seen), strict=True)):
        main = colour == ACCENT
        aside = 2.4 * (index - (len(seen.tracks) - 1) / 2) if few else 0.0
        beside = _beside(axes, aside)
        xy = track.place[:, :2].T
        axes.plot(
            *xy, color=colour, lw=1.8 if main else 1.2, alpha=1 if few or main else 0.35, transform=beside, zorder=5
        )
        _arrow(axes, track, colour, aside)
        if few:
            axes.plot(*_dots(track), ".", color=colour, ms=4, transform=beside, zorder=5)
        if len(seen.tracks) <= FEW_CLOCKS and part.holds(track.place[0]):
            _clock(axes, track, colour, aside)


def _beside(axes: Axes, points: float) -> Transform:
    """Metres of the site, so many points higher on the paper."""
    return axes.transData + ScaledTranslation(0, points / 72, axes.figure.dpi_scale_trans)


def _dots(track: Way) -> Floats:
    """(2, n) where it is at each whole second, or each tenth or hundredth of long ways."""
    spans_s = (track.at_us[-1] - track.at_us[0]) / 1e6
    step_us = 1_000_000 * 10 ** max(0, math.ceil(math.log10(max(spans_s, 1) / 30)))
    at_us = np.arange(track.at_us[0], track.at_us[-1] + 1, step_us)
    return np.stack([np.interp(at_us, track.at_us, track.place[:, axis]) for axis in (0, 1)])


def _arrow(axes: Axes, track: Way, colour: str, aside: float) -> None:
    """An arrow head at the end of the way, along its last leg."""
    steps = np.hypot(*np.diff(track.place[:, :2], axis=0).T)
    if not steps.any():
        return
    last = int(np.flatnonzero(steps)[-1])
    before, tip = track.place[last, :2], track.place[last + 1, :2]
    axes.annotate(
        "",
        xy=tuple(tip),
        xytext=tuple(tip - (tip - before) / steps[last] * 0.01),
        xycoords=_beside(axes, aside),
        textcoords=_beside(axes, aside),
        arrowprops={"arrowstyle": "-|>", "color": colour, "mutation_scale": 9, "lw": 1, "shrinkA": 0, "shrinkB": 0},
        annotation_clip=True,
        zorder=5,
    )


def _clock(axes: Axes, track: Way, colour: str, aside: float) -> None:
    """When the way begins, behind its first point."""
    legs = np.diff(track.place[:, :2], axis=0)
    ahead = next((leg / np.hypot(*leg) for leg in legs if leg.any()), np.zeros(2))
    axes.annotate(
        f"{track.at_us[0] / 1e6:g} s",
        xy=tuple(track.place[0, :2]),
        xytext=(-13 * ahead[0], -9 * ahead[1] + 2.2 * aside),
        textcoords="offset points",
        color=colour,
        fontsize=6.5,
        ha="center",
        va="center",
        path_effects=_HALO,
        annotation_clip=True,
        zorder=7,
    )
