"""Who walks when: the scenario's walks, then cycles of them with variations."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final

import numpy as np

from simulator.scenarios.model import PortalPart, Scenario, WalkPart
from simulator.world.paths import Floats, Path, Stop, walk
from simulator.world.truth import visits
from simulator.world.values import Crossing

SPEED_SPREAD: Final = 0.1
"""Cycles after the first vary speeds by this part, evenly."""
SIDE_SPREAD_M: Final = 0.15
"""Cycles after the first shift a path along the wall by up to this."""
DELAY_S: Final = 0.4
"""Cycles after the first start a walk up to this later."""
TRUTH_STEP_S: Final = 0.01
CARRY_HEIGHT_M: Final = 1.0
ARM_M: Final = (0.12, -0.32)
"""Where a carried laptop is: ahead of and beside the walker's middle."""
CART_AHEAD_M: Final = 0.7
CART_COLUMNS: Final = 3
CART_PITCH_M: Final = 0.22


@dataclass(frozen=True, slots=True)
class Placed:
    """A portal's frame on the site."""

    portal: PortalPart

    def to_site(self, xy: Floats) -> Floats:
        """(..., 2) points of the portal's frame on the site."""
        turned: Floats = xy @ self._rotation().T + np.array(self.portal.at)
        return turned

    def to_portal(self, xy: Floats) -> Floats:
        """(..., 2) points of the site in the portal's frame."""
        turned: Floats = (xy - np.array(self.portal.at)) @ self._rotation()
        return turned

    def lift(self, point: tuple[float, float, float]) -> Floats:
        """(3,) a point of the portal's frame on the site."""
        return np.append(self.to_site(np.array(point[:2])), point[2])

    def _rotation(self) -> Floats:
        angle = math.radians(self.portal.facing_deg)
        return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


@dataclass(frozen=True, slots=True)
class Walk:
    """One walk that takes place: path on the site, and tags with their places around the walker.

    Attributes:
        offsets: (n, 3) ahead, to the left and up of the walker's middle, in metres.
        shadows: whether the walker's body stands between tags and antennas.
    """

    start_us: int
    path: Path
    portal: Placed
    epcs: tuple[bytes, ...]
    offsets: Floats
    shadows: bool

    @property
    def end_us(self) -> int:
        """When the walker has arrived."""
        return self.start_us + round(1e6 * self.path.duration_s)

    def positions(self, at_s: float) -> tuple[Floats, Floats, Floats]:
        """Tags (n, 3), their velocity (3,) and the walker (2,) on the site, at a scenario time."""
        since_s = at_s - self.start_us / 1e6
        middle, ahead = self.path.position(since_s), self.path.heading(since_s)
        left = np.array([-ahead[1], ahead[0]])
        ground = middle + self.offsets[:, :1] * ahead + self.offsets[:, 1:2] * left
        velocity = np.append(self.path.velocity(since_s), 0.0)
        return np.column_stack([ground, self.offsets[:, 2]]), velocity, middle

    def crossings(self) -> list[Crossing]:
        """What truly happens to each tag of this walk."""
        at_s = np.arange(0.0, self.path.duration_s + TRUTH_STEP_S, TRUTH_STEP_S)
        track = self.portal.to_portal(self.path.position(at_s))
        portal = self.portal.portal
        return [
            Crossing(
                epc,
                portal.id,
                "near" if portal.layout == "single" else visit.kind,
                self._us(visit.started_s),
                None if visit.crossed_s is None or portal.layout == "single" else self._us(visit.crossed_s),
                self._us(visit.ended_s),
            )
            for visit in visits(at_s, track, portal.width_m)
            for epc in self.epcs
        ]

    def _us(self, at_s: float) -> int:
        return min(self.start_us + round(1e6 * at_s), self.end_us)


def schedule(scenario: Scenario, rng: np.random.Generator, seconds: float | None) -> Iterator[Walk]:
    """Walks by cycle and start; without `cycle_s` once, and none that would end in the last quiet seconds."""
    last_us = math.inf if seconds is None else 1e6 * (seconds - scenario.quiet_end_s)
    portals: dict[str | None, Placed] = {portal.id: Placed(portal) for portal in scenario.portals}
    parts = sorted(scenario.walks, key=lambda part: part.at_s)
    for cycle in count() if scenario.cycle_s and parts else range(1):
        begin_s = cycle * (scenario.cycle_s or 0.0)
        if 1e6 * begin_s > last_us:
            return
        for part in parts:
            made = _walk(scenario, part, portals, begin_s, rng if cycle else None)
            if made.end_us <= last_us:
                yield made


def _walk(
    scenario: Scenario,
    part: WalkPart,
    portals: dict[str | None, Placed],
    begin_s: float,
    rng: np.random.Generator | None,
) -> Walk:
    """One walk; with `rng` it is a variation."""
    speed, aside, late = rng.uniform(-1, 1, 3) if rng is not None else np.zeros(3)
    route = next(route for route in scenario.routes if route.id == part.route)
    placed = portals[route.portal]
    points = [Stop(*point) for point in (reversed(route.points) if part.reverse else route.points)]
    local = walk(points, part.speed_mps * (1 + SPEED_SPREAD * speed), (0.0, SIDE_SPREAD_M * aside))
    return Walk(
        start_us=round(1e6 * (begin_s + part.at_s + DELAY_S * abs(late))),
        path=Path(local.at_s, placed.to_site(local.xy)),
        portal=placed,
        epcs=tuple(scenario.epc(tag) for tag in part.tags),
        offsets=_offsets(part),
        shadows=part.carry == "hand",
    )


def _offsets(part: WalkPart) -> Floats:
    """Places of the tags around the walker: under the arm one above the other, or in rows on a cart."""
    places = []
    for index in range(len(part.tags)):
        if part.carry == "hand":
            places.append((*ARM_M, CARRY_HEIGHT_M + 0.03 * index))
        else:
            row, column = divmod(index, CART_COLUMNS)
            ahead = CART_AHEAD_M + CART_PITCH_M * (row % CART_COLUMNS)
            up = CARRY_HEIGHT_M - 0.2 + CART_PITCH_M * (row // CART_COLUMNS)
            places.append((ahead, CART_PITCH_M * (column - 1), up))
    return np.array(places)
