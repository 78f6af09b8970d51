"""A working day by the seed: trips through, into and past doorways, with tags that conserve their side of each door."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal

import numpy as np

from simulator.scenarios.model import PortalPart, Scenario
from simulator.scenarios.moves import Carry, TrafficPart
from simulator.scenarios.space import DoorwayPart
from simulator.world.carry import bodies, load
from simulator.world.frames import Placed
from simulator.world.paths import Gait, corners, walk
from simulator.world.scene import Floats, Ints
from simulator.world.schedule import Walk
from simulator.world.truth import SIGHT_M, visits

REACHES_M: Final = (4.8, 3.4, 2.4, 1.6)
"""A trip begins and ends so far from its doorway; nearer where it would go through another one's opening."""
ASIDE_M: Final = 0.8
CHAIN_M: Final = 15.0
CHAINED: Final = 0.35
"""Share of the crossings that go on through a next portal of the room, where there is one so near."""
REST_US: Final = 40_000_000
"""A tag lies so long, out of everybody's range, before somebody takes it again."""
RUSH: Final = 0.6
"""Mornings, noons and evenings are busier than the hours between by this."""
HAND_MOST: Final = 3
"""More than so many go on a cart."""
STOP_S: Final = (5.0, 60.0)
_TRAFFIC: Final = 5
"""What the seed's words are for, beside those of `tags.py`."""

Errand = Literal["cross", "turn", "pass", "stop"]


@dataclass(frozen=True, slots=True)
class Trip:
    """What somebody is about to do.

    Attributes:
        side: 1 if it begins outside of the portal, else -1.
    """

    portal: PortalPart
    side: int
    errand: Errand
    carry: Carry
    tags: tuple[int, ...]
    speed_mps: float


class Traffic:
    """Trips in the order of their starts, made as time goes on."""

    def __init__(
        self, scenario: Scenario, part: TrafficPart, frames: Mapping[str | None, Placed], seed: int, limit_us: float
    ) -> None:
        self._portals = scenario.portals
        self._doorways: list[DoorwayPart] = [*scenario.portals, *scenario.openings]
        self._part = part
        self._frames = frames
        self._seed = seed
        self._limit_us = min(limit_us, 1e6 * (part.seconds - scenario.quiet_end_s))
        rng = np.random.default_rng([seed, _TRAFFIC])
        self._starts_us = _starts(part, rng)
        self._next = 0
        rooms = {room for portal in scenario.portals for room in (portal.inside, portal.outside)}
        self._rooms = {room: number for number, room in enumerate(sorted(rooms))}
        self._tags = np.array(part.tags, dtype=np.int64)
        self._room = rng.integers(0, len(self._rooms), len(self._tags))
        self._free_us = np.zeros(len(self._tags), dtype=np.int64)
        self.left_out = 0

    def until(self, at_us: int) -> list[Walk]:
        """Walks that start up to then and haven't been given yet."""
        found = []
        while self._next < len(self._starts_us) and self._starts_us[self._next] <= at_us:
            made = self._made(self._next)
            if made is not None:
                found.append(made)
            self._next += 1
        return found

    def rooms(self) -> dict[int, str]:
        """Where each tag is once all walks given so far are over."""
        names = {number: room for room, number in self._rooms.items()}
        return {int(tag): names[int(room)] for tag, room in zip(self._tags, self._room, strict=True)}

    def _made(self, number: int) -> Walk | None:
        """The trip of that number; None where it can't be walked, or not before the quiet end."""
        rng = np.random.default_rng([self._seed, _TRAFFIC, number + 1])
        start_us = int(self._starts_us[number])
        trip = self._trip(start_us, rng)
        words = rng.integers(0, 2**31, 2)
        for chained, reach_m in product((True, False), REACHES_M):
            made = self._walk(f"trip-{number + 1}", trip, start_us, (reach_m, chained), words)
            if made.end_us > self._limit_us:
                return None
            rooms = self._rooms_after(made, trip)
            if rooms is not None:
                self._move(made, rooms)
                return made
        self.left_out += 1
        return None

    def _trip(self, start_us: int, rng: np.random.Generator) -> Trip:
        part = self._part
        portal = self._portals[int(rng.integers(len(self._portals)))]
        side = 1 if rng.random() < 0.5 else -1  # noqa: PLR2004 - as many go in as out
        drawn, loaded = rng.random(2)
        errand: Errand = "cross"
        shares: tuple[tuple[Errand, float], ...] = (
            ("turn", part.turning_back),
            ("pass", part.passing_by),
            ("stop", part.stopping),
        )
        for kind, share in shares:
            if 0 <= drawn < share:
                errand = kind
            drawn -= share
        tags = self._taken(portal, side, start_us, rng) if loaded < part.carrying else ()
        if loaded < part.carrying and not tags:
            side = -side
            tags = self._taken(portal, side, start_us, rng)
        speed_mps = float(rng.uniform(min(part.speeds_mps), max(part.speeds_mps)))
        return Trip(portal, side, errand, _carry(len(tags), rng), tags, speed_mps)

    def _taken(self, portal: PortalPart, side: int, start_us: int, rng: np.random.Generator) -> tuple[int, ...]:
        """Tags that lie free on the side where the trip begins."""
        wanted = 1
        if rng.random() < self._part.group_share:
            wanted = int(rng.integers(2, self._part.group_max + 1))
        room = self._rooms[portal.outside if side > 0 else portal.inside]
        free = np.flatnonzero((self._room == room) & (self._free_us <= start_us))
        chosen = rng.choice(free, min(wanted, len(free)), replace=False)
        return tuple(int(tag) for tag in self._tags[np.sort(chosen)])

    def _walk(self, group: str, trip: Trip, start_us: int, reach: tuple[float, bool], words: Ints) -> Walk:
        """The trip as a walk; the same words give the same walk but for its reach, and whether it may go on."""
        reach_m, chained = reach
        route_rng, load_rng = np.random.default_rng(int(words[0])), np.random.default_rng(int(words[1]))
        frame = self._frames[trip.portal.id]
        points = _route(trip, reach_m, route_rng)
        onward = self._onward(trip, reach_m, route_rng) if chained else []
        if onward:
            local = [frame.to_frame(np.array(point)) for point in onward]
            points = [*points[:-1], *((float(x), float(y), 0.0) for x, y in local)]
        path = walk(corners(points), Gait(trip.speed_mps), route_rng)
        return Walk(
            group=group,
            path=path.placed(frame, start_us),
            carry=trip.carry,
            bodies=bodies(trip.carry, None, load_rng),
            tags=trip.tags,
            peeled=(),
            load=load(trip.carry, len(trip.tags), None, load_rng),
        )

    def _onward(self, trip: Trip, reach_m: float, rng: np.random.Generator) -> list[tuple[float, float]]:
        """Points on the site through a next portal of the room behind the first; none where it isn't chained."""
        chained, picked = rng.random(2)
        room = trip.portal.inside if trip.side > 0 else trip.portal.outside
        near = [
            portal
            for portal in self._portals
            if portal.id != trip.portal.id
            and room in {portal.inside, portal.outside}
            and math.dist(portal.at, trip.portal.at) < CHAIN_M
        ]
        if trip.errand != "cross" or chained >= CHAINED or not near:
            return []
        portal = near[int(picked * len(near))]
        side = 1.0 if portal.outside == room else -1.0
        ways = ((1.2 * side, 0.0), (-1.2 * side, 0.0), (-reach_m * side, 0.0))
        return [_pair(self._frames[portal.id].to_site(np.array(way))) for way in ways]

    def _rooms_after(self, made: Walk, trip: Trip) -> str | None:
        """Where a trip ends, by all doorways that it truly crosses; None if one of them isn't in that room."""
        room = trip.portal.outside if trip.side > 0 else trip.portal.inside
        for _, doorway, kind in sorted(self._crossed(made), key=lambda one: one[0]):
            before, after = (doorway.inside, doorway.outside) if kind == "out" else (doorway.outside, doorway.inside)
            if before != room:
                return None
            room = after
        return room if room in self._rooms else None

    def _crossed(self, made: Walk) -> Iterator[tuple[int, DoorwayPart, str]]:
        middle = made.middle
        for doorway in self._doorways:
            if not middle.comes_near(*doorway.at, SIGHT_M):
                continue
            local = self._frames[doorway.id].to_frame(middle.place)
            for visit in visits(middle.at_us, local, doorway.width_m):
                if visit.crossed_us is not None:
                    yield visit.crossed_us, doorway, visit.kind

    def _move(self, made: Walk, room: str) -> None:
        rows = np.isin(self._tags, made.tags)
        self._room[rows] = self._rooms[room]
        self._free_us[rows] = made.end_us + REST_US


def _starts(part: TrafficPart, rng: np.random.Generator) -> Ints:
    """Starts of all trips in microseconds, in order."""
    count = int(rng.poisson(part.people * part.trips_per_person))
    even = np.sort(rng.random(count))
    busy = even - RUSH * np.sin(4 * np.pi * even) / (4 * np.pi)
    return np.rint(1e6 * part.seconds * busy).astype(np.int64)


def _carry(count: int, rng: np.random.Generator) -> Carry:
    drawn = rng.random()
    if not count:
        return "none"
    if count > HAND_MOST:
        return "cart"
    return "hand" if drawn < 0.7 else "backpack" if drawn < 0.9 else "cart"  # noqa: PLR2004 - most go under an arm


def _route(trip: Trip, reach_m: float, rng: np.random.Generator) -> list[tuple[float, float, float]]:
    """Points in the portal's frame, with pauses: x, y, seconds."""
    side, half = trip.side, max(trip.portal.width_m / 2 - 0.3, 0.0)
    first, last = rng.uniform(-ASIDE_M, ASIDE_M, 2)
    at, deep, pause = rng.random(3)
    middle = half * (2 * at - 1)
    begin, end = (side * reach_m, first, 0.0), (-side * reach_m, last, 0.0)
    if trip.errand == "pass":
        away = side * (1.3 + 1.5 * deep)
        along = reach_m if first < 0 else -reach_m
        return [(away, -along, 0.0), (away, along, 0.0)]
    if trip.errand == "turn":
        return [begin, (side * (1.0 * deep - 0.2), middle, pause), (side * reach_m, last, 0.0)]
    if trip.errand == "stop":
        stands_s = STOP_S[0] + (STOP_S[1] - STOP_S[0]) * pause
        goes_back = rng.random() < 0.3  # noqa: PLR2004 - most go on after all
        return [begin, (side * (deep - 0.5), middle, stands_s), (side * reach_m, last, 0.0) if goes_back else end]
    return [begin, (1.0 * side, middle, 0.0), (-1.0 * side, middle, 0.0), end]


def _pair(point: Floats) -> tuple[float, float]:
    return float(point[0]), float(point[1])
