"""Where a walk's route goes through what nobody can go through: people in a world don't stop at it, so a check says it.

Only the routes of a scenario's walks are looked at, as they are written: a cycle's variations shift them a little.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from simulator.scenarios.model import Scenario
from simulator.scenarios.moves import RoutePart
from simulator.world.doors import LEAF_M
from simulator.world.frames import Placed
from simulator.world.paths import corners
from simulator.world.scene import Floats
from simulator.world.schedule import frames
from simulator.world.stands import ON_WALL_M, walls_of

_ON_LINE_M: Final = 1e-9


class Met(NamedTuple):
    """A walk goes through a wall where no doorway is, or through a door that never opens.

    Attributes:
        at: x and y on the site, metres.
        door: the door's name; None is a wall.
    """

    walk: str
    route: str
    at: tuple[float, float]
    door: str | None


class _Sheet(NamedTuple):
    """An upright surface over the floor: ends (2,) on the site, and the heights between which it stands, metres."""

    start: Floats
    end: Floats
    bottom_m: float
    top_m: float
    door: str | None = None


def met(scenario: Scenario) -> Iterator[Met]:
    """Yield what the walks go through, in their order and, of each, sheet by sheet."""
    placed = frames(scenario)
    sheets = [*_walls(scenario, placed), *_shut(scenario, placed)]
    found = {route.id: list(_through(_points(route, placed), sheets, placed)) for route in scenario.routes}
    for place, walk in enumerate(scenario.walks, start=1):
        for at, door in found[walk.route]:
            yield Met(walk.id or f"walk-{place}", walk.route, at, door)


def _walls(scenario: Scenario, placed: dict[str | None, Placed]) -> Iterator[_Sheet]:
    walls = walls_of(scenario.model_copy(update={"shelves": ()}), placed)
    for ends, bottom, top in zip(walls.ends, walls.bottom_m, walls.top_m, strict=True):
        yield _Sheet(ends[:2], ends[2:], float(bottom), float(top))


def _shut(scenario: Scenario, placed: dict[str | None, Placed]) -> Iterator[_Sheet]:
    """Doors that never open."""
    widths = {one.id: one.width_m for one in (*scenario.portals, *scenario.openings)}
    for door in scenario.doors:
        if door.opens == "never":
            half = widths[door.doorway] / 2
            start, end = placed[door.doorway].to_site(np.array([[0.0, -half], [0.0, half]]))
            yield _Sheet(start, end, 0.0, LEAF_M, door.id)


def _points(route: RoutePart, placed: dict[str | None, Placed]) -> Floats:
    """(n, 3) a route's corners on the site."""
    return placed[route.portal].to_site(np.array([(one.x, one.y, one.z) for one in corners(route.points)]))


def _through(
    points: Floats, sheets: list[_Sheet], placed: dict[str | None, Placed]
) -> Iterator[tuple[tuple[float, float], str | None]]:
    """Places where a route goes through sheets; the jamb of a doorway is no wall, as it is none to the truth."""
    for sheet in sheets:
        is_wall = sheet.door is None and sheet.bottom_m == 0
        for place in _passed(points, sheet):
            if not (is_wall and any(_within(place, frame) for frame in placed.values())):
                yield (float(place[0]), float(place[1])), sheet.door


def _passed(points: Floats, sheet: _Sheet) -> Iterator[Floats]:
    """Places (3,) at which a polyline changes the side of a sheet's line within its ends and heights."""
    length = float(np.linalg.norm(sheet.end - sheet.start))
    along = (sheet.end - sheet.start) / length
    off = points[:, :2] - sheet.start
    aside = off[:, 0] * along[1] - off[:, 1] * along[0]
    sure = np.flatnonzero(np.abs(aside) > _ON_LINE_M)
    for before, after in pairwise(sure):
        if (aside[before] > 0) == (aside[after] > 0):
            continue
        # Corners between the two are on the line itself: it is passed where the last of them is left.
        last = after - 1
        part = 0.0 if last > before else aside[before] / (aside[before] - aside[after])
        place = points[last] + part * (points[after] - points[last])
        reached = float((place[:2] - sheet.start) @ along)
        if -_ON_LINE_M <= reached <= length + _ON_LINE_M and sheet.bottom_m <= place[2] < sheet.top_m:
            yield place


def _within(place: Floats, frame: Placed) -> bool:
    """Whether a place is in a doorway's opening."""
    if frame.doorway is None:
        return False
    x, y = frame.to_frame(place[:2])
    return bool(abs(x) <= ON_WALL_M and abs(y) <= frame.doorway.width_m / 2 + _ON_LINE_M)
