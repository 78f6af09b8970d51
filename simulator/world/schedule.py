"""Who walks when: the scenario's walks, then cycles of them with variations."""

import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from simulator.scenarios.errors import ScenarioError
from simulator.scenarios.model import Scenario, WalkPart
from simulator.scenarios.moves import Carry
from simulator.world.carry import Body, Load, bodies, load, turn_s
from simulator.world.frames import Placed
from simulator.world.paths import Gait, Path, corners, walk
from simulator.world.scene import Floats

SPEED_SPREAD: Final = 0.1
"""Cycles after the first vary speeds by this part, evenly."""
SIDE_SPREAD_M: Final = 0.15
"""Cycles after the first shift a path along the wall by up to this."""
DELAY_S: Final = 0.4
"""Cycles after the first start a walk up to this later."""
_WALKS: Final = 1
"""What the seed's words are for, beside those of `tags.py`."""


@dataclass(frozen=True)
class Walk:
    """One walk that takes place.

    Attributes:
        group: its name, the same in each cycle but for the cycle's number.
        path: on the site, in scenario time.
        bodies: what moves; the last holds the tags.
        tags: numbers of the tags that are carried, in the order of `load`.
        peeled: numbers of the assets that are carried without their tags.
    """

    group: str
    path: Path
    carry: Carry
    bodies: tuple[Body, ...]
    tags: tuple[int, ...]
    peeled: tuple[int, ...]
    load: Load
    lies_before: bool = False
    lies_after: bool = False

    @property
    def start_us(self) -> int:
        """When it begins."""
        return int(self.path.at_us[0])

    @property
    def end_us(self) -> int:
        """When the walker has arrived."""
        return int(self.path.at_us[-1])

    @cached_property
    def ways(self) -> tuple[Path, ...]:
        """The path of each body."""
        return tuple(self.path.beside(body.ahead_m) if body.ahead_m else self.path for body in self.bodies)

    @property
    def middle(self) -> Path:
        """The path of what counts as the carrier: its middle is what crosses a doorway."""
        return self.ways[-1]

    def resting(self, *, at_end: bool) -> tuple[Floats, Floats, Floats]:
        """Places, axes and faces (n, 3) of the tags on the site at the walk's begin or end, where they lie."""
        index = -1 if at_end else 0
        heading = float(self.middle.heading[index])
        cos, sin = math.cos(heading), math.sin(heading)
        turn = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
        return self.middle.place[index] + self.load.offset @ turn, self.load.axis @ turn, self.load.face @ turn


class Schedule:
    """The scenario's walks in the order of their starts, made as time goes on."""

    def __init__(self, scenario: Scenario, seed: int, limit_us: float) -> None:
        self._scenario = scenario
        self._seed = seed
        self._limit_us = limit_us
        self._frames: Mapping[str | None, Placed] = frames(scenario)
        self._routes = {route.id: route for route in scenario.routes}
        self._parts = sorted(enumerate(scenario.walks), key=lambda pair: pair[1].at_s)
        self._turns = _turns([part for _, part in self._parts])
        self._waiting: list[tuple[int, int, Walk]] = []
        self._cycle = 0
        self.left_out = 0
        """Walks so far that would have ended after the limit, and don't take place."""
        self._refuse_the_impossible()

    @property
    def endless(self) -> bool:
        """Whether cycles follow each other for ever."""
        return bool(self._scenario.cycle_s and self._parts) and self._limit_us == math.inf

    @cached_property
    def last_end_us(self) -> int:
        """When the last walk of the first cycle ends."""
        return max((self.made(place, 0).end_us for place in range(len(self._parts))), default=0)

    def until(self, at_us: int) -> list[Walk]:
        """Walks that start up to then and haven't been given yet."""
        while self._more(at_us):
            for place in range(len(self._parts)):
                made = self.made(place, self._cycle)
                if made.end_us <= self._limit_us:
                    heapq.heappush(self._waiting, (made.start_us, self._cycle * len(self._parts) + place, made))
                else:
                    self.left_out += 1
            self._cycle += 1
        taken = []
        while self._waiting and self._waiting[0][0] <= at_us:
            taken.append(heapq.heappop(self._waiting)[2])
        return taken

    def firsts(self) -> list[tuple[int, Walk]]:
        """Each tag that walks, with its first walk."""
        return [(tag, self.made(turns[0], 0)) for tag, turns in self._turns.items()]

    def after(self, tag: int, walk: Walk) -> Walk | None:
        """The next walk that takes a tag; None where there is none, or none within the limit."""
        turns = self._turns.get(tag, [])
        starts = [self._start_us(place) for place in turns]
        cycle_us = round(1e6 * self._scenario.cycle_s) if self._scenario.cycle_s else None
        cycle = 0 if cycle_us is None else max(walk.start_us // cycle_us - 1, 0)
        while turns and (cycle == 0 or cycle_us is not None):
            for place, start_us in zip(turns, starts, strict=True):
                if start_us + cycle * (cycle_us or 0) + round(1e6 * DELAY_S) <= walk.start_us:
                    continue
                made = self.made(place, cycle)
                if made.start_us > walk.start_us:
                    return made if made.end_us <= self._limit_us else None
            cycle += 1
        return None

    def made(self, place: int, cycle: int) -> Walk:
        """The walk at a place of the cycle's order, in one cycle; those after the first are variations."""
        index, part = self._parts[place]
        rng = np.random.default_rng([self._seed, _WALKS, index, cycle])
        speed, aside, late = rng.uniform(-1, 1, 3) if cycle else np.zeros(3)
        gait = Gait(
            part.speed_mps, 1 + SPEED_SPREAD * speed, SIDE_SPREAD_M * aside, part.hesitation, turn_s(part.carry)
        )
        start_us = self._start_us(place) + round(1e6 * (cycle * (self._scenario.cycle_s or 0.0) + DELAY_S * abs(late)))
        route = self._routes[part.route]
        path = walk(corners(route.points), gait, rng, reverse=part.reverse).placed(self._frames[route.portal], start_us)
        return made_walk(part, f"{part.id or f'walk-{index + 1}'}{f'-{cycle + 1}' if cycle else ''}", path, rng)

    def _refuse_the_impossible(self) -> None:
        """Tags that nothing carries, or that two walks carry at one time."""
        busy: dict[int, Walk] = {}
        for place, (_, part) in enumerate(self._parts):
            made = self.made(place, 0)
            if part.carry == "none" and part.tags:
                raise ScenarioError(f"walk {made.group}: carry is none, but it has tags; say how they are carried")
            for tag in part.tags:
                before = busy.get(tag)
                if before is not None and before.end_us > made.start_us:
                    raise ScenarioError(
                        f"walk {made.group} takes tag {tag} at {made.start_us / 1e6:g} s, but {before.group} has it "
                        f"until {before.end_us / 1e6:.1f} s: let it start later, or take another tag"
                    )
                busy[tag] = made

    def _start_us(self, place: int) -> int:
        return round(1e6 * self._parts[place][1].at_s)

    def _more(self, at_us: int) -> bool:
        if self._cycle and not self._scenario.cycle_s:
            return False
        begin_us = 1e6 * self._cycle * (self._scenario.cycle_s or 0.0)
        return bool(self._parts) and begin_us <= min(at_us, self._limit_us)


def made_walk(part: WalkPart, group: str, path: Path, rng: np.random.Generator) -> Walk:
    """A walk along a path that is placed already."""
    return Walk(
        group=group,
        path=path,
        carry=part.carry,
        bodies=bodies(part.carry, part.height_m, rng),
        tags=part.tags,
        peeled=part.peeled,
        load=load(part.carry, len(part.tags), part.height_m, rng),
        lies_before=part.lies in {"before", "both"},
        lies_after=part.lies in {"after", "both"},
    )


def frames(scenario: Scenario) -> dict[str | None, Placed]:
    """The frame of each doorway by its name, and the site's own."""
    found: dict[str | None, Placed] = {one.id: Placed(one) for one in (*scenario.portals, *scenario.openings)}
    return found | {None: Placed(None)}


def _turns(parts: Sequence[WalkPart]) -> dict[int, list[int]]:
    """Places in the cycle's order of the walks that take each tag."""
    turns: dict[int, list[int]] = {}
    for place, part in enumerate(parts):
        for tag in part.tags:
            turns.setdefault(tag, []).append(place)
    return turns
