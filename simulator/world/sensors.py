"""What is wired to readers' inputs: light beams, motion, door contacts and badge readers, as changes of levels."""

import heapq
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from simulator.scenarios.model import Scenario
from simulator.scenarios.space import DoorwayPart, SensorPart
from simulator.world.doors import Door
from simulator.world.frames import Placed
from simulator.world.geometry import middles, refined, spans
from simulator.world.paths import Path
from simulator.world.schedule import Walk
from simulator.world.truth import STOREY_M
from simulator.world.values import InputChange

MOTION_US: Final = 1_000_000
"""A motion sensor holds so long after the last movement."""
NOTICED_M: Final = 20.0
"""Who stays farther from a doorway, beside the sensor's own range, breaks nothing."""
BADGE_US: Final = 500_000
"""A badge reader's pulse."""


class Active:
    """Spans of activity, told in any order but before they begin, as the changes of their union."""

    def __init__(self) -> None:
        self._spans: list[tuple[int, int]] = []
        self._end_us: int | None = None

    def add(self, begin_us: int, end_us: int) -> None:
        """Active from then to then."""
        heapq.heappush(self._spans, (begin_us, end_us))

    def until(self, at_us: int) -> list[tuple[int, bool]]:
        """Changes up to then, each once; all spans that begin up to then must have been told."""
        found: list[tuple[int, bool]] = []
        while True:
            if self._end_us is None:
                if not self._spans or self._spans[0][0] > at_us:
                    return found
                begin_us, self._end_us = heapq.heappop(self._spans)
                found.append((begin_us, True))
            while self._spans and self._spans[0][0] <= self._end_us:
                self._end_us = max(self._end_us, heapq.heappop(self._spans)[1])
            if self._end_us > at_us:
                return found
            found.append((self._end_us, False))
            self._end_us = None


class Sensors:
    """All sensors of a scenario."""

    def __init__(self, scenario: Scenario, frames: Mapping[str | None, Placed], doors: Mapping[str, Door]) -> None:
        self._scenario = scenario
        self._portals: dict[str, DoorwayPart] = {portal.id: portal for portal in scenario.portals}
        self._frames = frames
        self._doors = doors
        self._sensors = [(part, Active()) for part in scenario.sensors if part.kind != "contact"]
        self._contacts = [(part, doors[part.door]) for part in scenario.sensors if part.door is not None]
        self._known_us = -1
        self._cycle = 0
        self._waiting = [change for part in scenario.sensors for change in self._at_first(part)]

    def walked(self, walk: Walk) -> None:
        """Take notice of who will walk."""
        for part, active in self._sensors:
            if part.kind == "badge" or not walk.path.comes_near(
                *self._portals[part.portal].at, NOTICED_M + part.range_m
            ):
                continue
            for begin_us, end_us in self._noticed(part, walk):
                active.add(begin_us, end_us)

    def until(self, at_us: int) -> None:
        """Know all changes up to then; walks and doors must be known up to then."""
        self._show_badges(at_us)
        for part, active in self._sensors:
            self._waiting += [_change(part, when_us, active=now) for when_us, now in active.until(at_us)]
        for part, door in self._contacts:
            self._waiting += [_change(part, when, active=now) for when, now in door.opened(self._known_us, at_us)]
        self._known_us = max(self._known_us, at_us)

    def take(self, until_us: int) -> list[InputChange]:
        """Changes up to then that haven't been taken, in order."""
        taken = [change for change in self._waiting if change.at_us <= until_us]
        if taken:
            self._waiting = [change for change in self._waiting if change.at_us > until_us]
        return sorted(taken, key=lambda change: (change.at_us, change.reader, change.port))

    def _at_first(self, part: SensorPart) -> Sequence[InputChange]:
        """An input that is high at the beginning; all are low before."""
        active = part.door is not None and self._doors[part.door].part.opens == "always"
        change = _change(part, 0, active=active)
        return [change] if change.high else []

    def _noticed(self, part: SensorPart, walk: Walk) -> list[tuple[int, int]]:
        if part.kind == "beam":
            ways = zip(walk.ways, walk.bodies, strict=True)
            return [span for way, body in ways for span in self._broken(part, way, body.radius_m)]
        return [(begin, end + MOTION_US) for begin, end in self._moving(part, walk)]

    def _broken(self, part: SensorPart, way: Path, radius_m: float) -> list[tuple[int, int]]:
        """When a body stands in a beam that runs across the doorway."""
        half = self._portals[part.portal].width_m / 2
        local = self._frames[part.portal].to_frame(way.place)
        low, high = part.x_m - radius_m, part.x_m + radius_m
        at, points = refined(way.at_us, local, xs=(low, high), ys=(-half, half))
        middle = middles(points)
        within = (middle[:, 0] > low) & (middle[:, 0] < high) & (np.abs(middle[:, 1]) < half)
        return spans(at, within & (np.abs(middle[:, 2]) < STOREY_M))

    def _moving(self, part: SensorPart, walk: Walk) -> list[tuple[int, int]]:
        """When somebody moves within range of the doorway."""
        local = self._frames[part.portal].to_frame(walk.path.place)
        at, points = refined(walk.path.at_us, local, circles=[(0.0, 0.0, part.range_m)])
        middle = middles(points)
        within = np.hypot(middle[:, 0], middle[:, 1]) < part.range_m
        moves = np.abs(np.diff(points, axis=0)).max(axis=1) > 0
        return spans(at, within & moves & (np.abs(middle[:, 2]) < STOREY_M))

    def _show_badges(self, at_us: int) -> None:
        """Pulses of the cycles that have begun by then."""
        cycle_us = round(1e6 * (self._scenario.cycle_s or 0.0))
        while self._cycle * cycle_us <= at_us and (cycle_us or not self._cycle):
            for badge in self._scenario.badges:
                begin_us = self._cycle * cycle_us + round(1e6 * badge.at_s)
                for part, active in self._sensors:
                    if part.kind == "badge" and part.portal == badge.portal:
                        active.add(begin_us, begin_us + BADGE_US)
            self._cycle += 1


def _change(part: SensorPart, at_us: int, *, active: bool) -> InputChange:
    return InputChange(at_us, part.reader, part.gpi, high=active == part.active_high)
