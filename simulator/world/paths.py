"""Where a walker is at any time: straight legs, speeds, stops, hesitation, and turns that take a moment."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np

from simulator.scenarios.moves import CornerPart, Stop
from simulator.scenarios.space import Place
from simulator.world.frames import Placed
from simulator.world.scene import Floats, Ints

TURN_S: Final = 0.8
"""A walker's half turn takes this long, a smaller one its part of it."""
TURN_STEP_RAD: Final = math.radians(5)
"""A turn goes in steps of this: what is carried half a metre aside then moves by 4 cm a step."""
HESITATION_S: Final = (0.3, 1.5)
"""Shortest and longest of the short stops."""


@dataclass(frozen=True)
class Path:
    """A way over time, as a carrier's keyframes: linear in between, heading from each on.

    Attributes:
        at_us: (n,) never falling.
        place: (n, 3) metres.
        heading: (n,) radians.
    """

    at_us: Ints
    place: Floats
    heading: Floats

    @property
    def duration_us(self) -> int:
        """Time from the first point to the last."""
        return int(self.at_us[-1] - self.at_us[0])

    @cached_property
    def box(self) -> tuple[float, float, float, float]:
        """Lowest x and y, and highest x and y."""
        low, high = self.place[:, :2].min(axis=0), self.place[:, :2].max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def comes_near(self, x: float, y: float, reach_m: float) -> bool:
        """Whether the box around the path comes so near to a place: false spares a closer look."""
        left, low, right, high = self.box
        return left - reach_m < x < right + reach_m and low - reach_m < y < high + reach_m

    def position(self, at_us: float | Floats | Ints) -> Floats:
        """(..., 3) position at these times, clamped to the ends."""
        return np.stack([np.interp(at_us, self.at_us, self.place[:, axis]) for axis in range(3)], axis=-1)

    def facing(self, at_us: float) -> float:
        """Heading at a time."""
        index = int(np.searchsorted(self.at_us, at_us, side="right")) - 1
        return float(self.heading[max(index, 0)])

    def beside(self, ahead_m: float, left_m: float = 0.0) -> "Path":
        """The path of what goes so far ahead and to the left."""
        cos, sin = np.cos(self.heading), np.sin(self.heading)
        off = np.column_stack([ahead_m * cos - left_m * sin, ahead_m * sin + left_m * cos, np.zeros_like(cos)])
        return replace(self, place=self.place + off)

    def placed(self, frame: Placed, start_us: int) -> "Path":
        """This path of a doorway's frame on the site, from a time on."""
        return Path(self.at_us + start_us, frame.to_site(self.place), self.heading + frame.facing)


@dataclass(frozen=True, slots=True)
class Gait:
    """How a path is walked.

    Attributes:
        pace: factor to all speeds.
        aside_m: the whole path is moved so far along y.
        hesitation: chance a metre of a short stop.
        turn_s: what a half turn takes, a smaller one its part of it.
    """

    speed_mps: float
    pace: float = 1.0
    aside_m: float = 0.0
    hesitation: float = 0.0
    turn_s: float = TURN_S


def corners(points: Sequence[Place | Stop | CornerPart]) -> list[CornerPart]:
    """Points of a route in long form; a third number is a pause."""
    return [point if isinstance(point, CornerPart) else _corner(*point) for point in points]


def walk(route: Sequence[CornerPart], gait: Gait, rng: np.random.Generator, *, reverse: bool = False) -> Path:
    """Walk along corners from time 0."""
    legs, stops = _speeds(route, gait), list(route)
    if reverse:
        legs, stops = legs[::-1], stops[::-1]
    at_s, places = [0.0], [_place(stops[0], gait)]
    for (before, after), speed in zip(pairwise(stops), legs, strict=True):
        _stand(at_s, places, before.pause_s)
        start, end = places[-1], _place(after, gait)
        length = float(np.linalg.norm(end - start))
        for part, pause_s in _hesitations(length, gait.hesitation, rng):
            _go(at_s, places, start + part * (end - start), speed)
            _stand(at_s, places, pause_s)
        _go(at_s, places, end, speed)
    _stand(at_s, places, stops[-1].pause_s)
    return _turning(np.array(at_s), np.array(places), gait.turn_s)


def _corner(x: float, y: float, pause_s: float = 0.0) -> CornerPart:
    return CornerPart.model_validate({"x": x, "y": y, "pause_s": pause_s})


def _place(corner: CornerPart, gait: Gait) -> Floats:
    return np.array([corner.x, corner.y + gait.aside_m, corner.z])


def _speeds(route: Sequence[CornerPart], gait: Gait) -> list[float]:
    """Speed of each leg, in the route's own order."""
    speed, found = gait.speed_mps, []
    for corner in route[:-1]:
        speed = corner.speed_mps or speed
        found.append(speed * gait.pace)
    return found


def _stand(at_s: list[float], places: list[Floats], pause_s: float) -> None:
    if pause_s:
        at_s.append(at_s[-1] + pause_s)
        places.append(places[-1])


def _go(at_s: list[float], places: list[Floats], to: Floats, speed: float) -> None:
    at_s.append(at_s[-1] + float(np.linalg.norm(to - places[-1])) / speed)
    places.append(to)


def _hesitations(length_m: float, chance: float, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Parts of a leg at which the walker stops, and for how long."""
    if not chance:
        return []
    metres = np.arange(math.ceil(length_m))
    at_m, stops, pause_s = (
        metres + rng.random(len(metres)),
        rng.random(len(metres)),
        rng.uniform(*HESITATION_S, len(metres)),
    )
    return [(float(at_m[i] / length_m), float(pause_s[i])) for i in metres if stops[i] < chance and at_m[i] < length_m]


def _turning(at_s: Floats, places: Floats, turn_s: float) -> Path:
    """Add the keyframes of turns: centred on their corner, or shared between a stop and the leg behind it."""
    headings = _headings(places)
    since_s, facing = [float(at_s[0])], [headings[0]]
    for corner in range(1, len(headings)):
        turn = (headings[corner] - facing[-1] + math.pi) % (2 * math.pi) - math.pi
        before_s, after_s = float(at_s[corner] - at_s[corner - 1]) / 2, float(at_s[corner + 1] - at_s[corner]) / 2
        half_s, steps = turn_s * abs(turn) / (2 * math.pi), math.ceil(abs(turn) / TURN_STEP_RAD)
        begin_s, end_s = at_s[corner] - min(half_s, before_s), at_s[corner] + min(half_s, after_s)
        facing += [facing[-1] + turn * step / max(steps, 1) for step in range(steps + 1)]
        since_s += [float(at) for at in np.linspace(begin_s, end_s, steps + 1)]
    at = np.unique(np.concatenate([at_s, since_s]))
    place = np.column_stack([np.interp(at, at_s, axis) for axis in places.T])
    heading = np.array(facing)[np.searchsorted(since_s, at, side="right") - 1]
    return Path(np.rint(1e6 * at).astype(np.int64), place, heading)


def _headings(places: Floats) -> list[float]:
    """Where each leg leads; standing, or going straight up, it is where the leg before led."""
    found: list[float] = []
    for step in np.diff(places, axis=0):
        if math.hypot(step[0], step[1]) > 1e-9:  # noqa: PLR2004 - no movement on the floor at all
            found.append(math.atan2(step[1], step[0]))
        else:
            found.append(found[-1] if found else math.nan)
    first = next((heading for heading in found if not math.isnan(heading)), 0.0)
    return [first if math.isnan(heading) else heading for heading in found]
