"""Who walks at a random door: through it, back from it, past it, to a stop in it; alone, in groups, with tags or none.

A side is -1 for the inside and 1 for the outside; a place is (x, y) in the doorway's frame. How a walk is called is
never said here: the simulator's truth says it, by where the carrier was.
"""

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from tests.accuracy.draw import Draw
from tests.accuracy.mix import Mix
from tests.accuracy.stands import PORTAL, WIDE_M

Point = list[float]
"""x, y and, as a third number, seconds of standing there."""
NEARS: Final = {"pass": 0.5, "errand": 0.25, "put": 0.13, "pick": 0.12}
ONE: Final = {"hand": 0.56, "backpack": 0.25, "dragged": 0.07, "arm": 0.02, "face-to-face": 0.08, "foil-bag": 0.02}
GROUPS: Final = {"few": 0.45, "cart": 0.5, "pallet": 0.05}
FEW: Final = {"hand": 0.5, "backpack": 0.2, "face-to-face": 0.3}
AHEAD_M: Final = {"cart": 0.95, "pallet": 1.4}
"""What is pushed is so far ahead of who pushes it, and it is what crosses."""
REST_S: Final = 31.0
"""What was laid down is taken on so much later at least: its own visit is over by then (simulator.world.tracks)."""
PACES: Final = {"slow": (0.3, 0.7), "usual": (0.7, 1.7), "fast": (1.7, 3.0)}


@dataclass(frozen=True)
class Load:
    """Tags that one carries together."""

    carry: str
    tags: list[int]

    @property
    def ahead_m(self) -> float:
        """How far ahead of the walker's middle the carrier is that counts."""
        return AHEAD_M.get(self.carry, 0.0)


@dataclass
class Traffic:
    """Makes routes and walks one after the other; `count` is the number of tags so far."""

    draw: Draw
    place: dict[str, Any]
    count: int
    mix: Mix
    routes: list[dict[str, Any]] = field(default_factory=list)
    walks: list[dict[str, Any]] = field(default_factory=list)
    weak: list[int] = field(default_factory=list)
    on_metal: list[int] = field(default_factory=list)
    at_s: float = 3.0
    _laid: list[tuple[float, Point, Load]] = field(default_factory=list)
    _gone: dict[int, list[tuple[float, Load]]] = field(default_factory=lambda: {-1: [], 1: []})

    def __post_init__(self) -> None:
        self.width_m: float = self.place["portals"][0]["width_m"]
        self.depth_m, self.half_m, self.corridor_m = self.place["room"]

    def fill(self, count: int) -> None:
        """Make so many walks."""
        while len(self.walks) < count:
            kind = self.draw.weighted(self.mix.kinds)
            ends_s = getattr(self, f"_{kind}")()
            waits = kind == "park" and self.draw.chance(0.3)
            self.at_s = round(max(self.at_s, ends_s if waits else 0.0) + self.draw.span(7.5, 12.0, least=5.0), 2)

    def _cross(self) -> float:
        side = self.draw.sign()
        load = self._known_or_new(side)
        ends_s = self._walk("cross", self._through(side, load), load, self._speed(load.carry))
        self._gone[-side].append((ends_s, load))
        return ends_s

    def _meet(self) -> float:
        """Two that come from both sides, and meet within a metre or so of the plane."""
        side = self.draw.sign()
        load = self._load()
        points, speed = self._through(side, load), self._speed(load.carry)
        first_s = self._walk("meet", points, load, speed)
        at_plane_s = self.at_s + _seconds(points, speed, until_x=0.0)
        load = self._load()
        points, speed = self._through(-side, load), self._speed(load.carry)
        start_s = at_plane_s - _seconds(points, speed, until_x=0.0) + self.draw.span(-1.2, 1.2)
        return max(first_s, self._walk("meet", points, load, speed, at_s=max(start_s, 1.0)))

    def _tail(self) -> float:
        """One behind the other, half a metre to two metres apart."""
        side, load = self.draw.sign(), self._load()
        points, speed = self._through(side, load), self.draw.span(0.7, 1.7)
        first = self._walk("tail", points, load, speed)
        behind = [[point[0], round(point[1] + self.draw.span(-0.15, 0.15), 3), *point[2:]] for point in points]
        start_s = self.at_s + self.draw.span(0.5, 2.0) / speed
        return max(first, self._walk("tail", behind, self._load(small=True), speed, at_s=start_s))

    def _turn(self) -> float:
        """To the plane or a little beyond it, and back to the side that it came from."""
        side, load = self.draw.sign(), self._load()
        # Nobody swings a trolley round in the doorway itself.
        across = not load.ahead_m and self.draw.chance(self.mix.across)
        nearest = -self.draw.span(0.05, 0.7) if across else self.draw.span(0.0, 0.9)
        pause_s = 0.0 if self.draw.chance(0.4) else self.draw.span(0.3, 1.2) if across else self.draw.span(0.3, 8.0)
        turning = [side * (nearest + load.ahead_m), self._lane(), pause_s]
        points = [*self._from(side, load, abs(turning[0])), turning, *self._from(side, load, abs(turning[0]))[::-1]]
        speed = max(self._speed(load.carry), 0.6 if across else 0.0)
        return self._walk("turn", points, load, speed)

    def _near(self) -> float:
        return float(getattr(self, f"_near_{self.draw.weighted(NEARS)}")())

    def _near_pass(self) -> float:
        """Along the wall, inside or outside."""
        side, way, load = self.draw.sign(), self.draw.sign(), self._load()
        farthest = self._deep(side) - 0.4
        x, ends = side * self.draw.span(1.25, min(5.0, farthest)), 6.0 if side > 0 else self.half_m - 0.4
        bent = round(x + side * self.draw.span(0.0, 0.3), 3)
        points = [[x, -way * ends], [bent, self.draw.span(-1.0, 1.0)], [x, way * ends]]
        return self._walk("pass", points, load, self._speed(load.carry))

    def _near_errand(self) -> float:
        """To a shelf, a table or a wall near the door, and back; trolleys stay inside."""
        load = self._load()
        side = -1 if load.ahead_m or self.draw.chance(0.75) else 1
        spot = [*self._spot(side, load.ahead_m), self.draw.span(0.5, 10.0)]
        points = [self._from(side, load)[0], spot, self._from(side, load)[0]]
        return self._walk("errand", points, load, self._speed(load.carry))

    def _near_put(self) -> float:
        """Tags are brought and lie there from then on."""
        load = self._load(small=True)
        spot = self._spot(-1, 0.0)
        ends_s = self._walk("put", [self._from(-1, load)[0], spot], load, self._speed(load.carry), lies="after")
        self._laid.append((ends_s + REST_S, spot, load))
        return ends_s

    def _near_pick(self) -> float:
        """What lies there is taken, and carried away or out."""
        ready = next((one for one in self._laid if one[0] < self.at_s), None)
        if ready is not None:
            self._laid.remove(ready)
        spot, load = ready[1:] if ready else (self._spot(-1, 0.0), self._load(small=True))
        points = [spot, *(self._through(-1, load)[1:] if self.draw.chance(0.5) else self._from(-1, load)[:1])]
        return self._walk("pick", points, load, self._speed(load.carry), lies="before")

    def _park(self) -> float:
        """Stands within a metre for 20 s or more, then goes back, or through."""
        side, load = self.draw.sign(), self._load()
        back = self.draw.chance(0.5)
        # Who stands beyond the plane has gone through. A trolley goes back from before the plane only.
        off_m = self.draw.span(0.0 if back and load.ahead_m else -0.85, 0.85) + load.ahead_m
        spot = [side * off_m, self._lane(), self.draw.span(20.5, 60.0, least=20.2)]
        away = self._from(side if back else -side, load, abs(off_m))[::-1]
        return self._walk("park", [*self._from(side, load, abs(off_m)), spot, *away], load, self._speed(load.carry))

    def _empty(self) -> float:
        """Somebody without tags."""
        side, nothing = self.draw.sign(), Load("none", [])
        way = self._through(side, nothing)
        back = [*self._from(side, nothing), self._from(side, nothing)[0]]
        return self._walk("empty", way if self.draw.chance(0.7) else back, nothing, self._speed("hand"))

    def _through(self, side: int, load: Load) -> list[Point]:
        before, after = self._from(side, load), self._from(-side, load)[::-1]
        if self.draw.chance(0.1):
            stop = self.draw.span(-0.4, max(abs(before[-1][0]) - 0.05, 0.0))
            # A trolley goes on straight: its middle swings through no door post.
            lane = before[-1][1] / 2 if load.ahead_m else self._lane()
            before.append([side * stop, lane, self.draw.span(0.5, 8.0)])
        return [*before, *after]

    def _from(self, side: int, load: Load, clear_m: float = 0.0) -> list[Point]:
        """The way from far off up to about a metre before the doorway, on one side, whence the load goes straight.

        A trolley is turned to the doorway before it is in it, a forklift comes straight. The last point is farther
        from the plane than `clear_m`.
        """
        door_m = max(self.draw.span(0.45, 1.2) + load.ahead_m, clear_m + 0.1)
        door = [side * door_m, self._lane()]
        if load.carry == "pallet":
            return [[side * max(min(5.5, self._deep(side) - 0.3), door_m + 0.3), door[1]], door]
        if side > 0 and (self.corridor_m < 5.2 or self.draw.chance(0.45)):
            lane = self.draw.span(door_m + 0.1, max(min(self.corridor_m - 0.5, 2.6), door_m + 0.2))
            along = self.draw.sign()
            return [[lane, along * self.draw.span(5.0, 6.5)], [lane, along * self.draw.span(0.2, 1.0)], door]
        farthest = min(self._deep(side) - 0.3, 6.5)
        y = self.draw.span(-1.0, 1.0) * min(self.half_m - 0.6, 3.0)
        return [[side * self.draw.span(min(5.0, farthest), farthest), y], door]

    def _deep(self, side: int) -> float:
        """How far the room, or the corridor, reaches."""
        return float(self.corridor_m if side > 0 else self.depth_m)

    def _lane(self) -> float:
        """Where across the opening somebody walks."""
        return self.draw.span(-1.0, 1.0, least=-1.0, most=1.0) * max(self.width_m / 2 - 0.3, 0.05)

    def _spot(self, side: int, ahead_m: float) -> Point:
        """A place near the door but farther than a metre from it."""
        farthest = min(self._deep(side) - 0.5, 5.0)
        x = side * (self.draw.span(1.3, max(farthest - ahead_m, 1.4)) + ahead_m)
        return [round(x, 3), round(self.draw.span(-1.0, 1.0) * min(self.half_m - 0.5, 3.5), 3)]

    def _speed(self, carry: str) -> float:
        pace = self.draw.weighted(self.mix.paces)
        speed = self.draw.span(*PACES[pace], least=0.3, most=3.0)
        return min(speed, 2.0) if carry == "cart" else speed

    def _known_or_new(self, side: int) -> Load:
        """What has gone to a side comes back now and then."""
        if self.draw.chance(0.2):
            ready = [one for one in self._gone[side] if one[0] + 15.0 < self.at_s]
            if ready:
                one = ready[self.draw.whole(0, len(ready) - 1)]
                self._gone[side].remove(one)
                return one[1]
        return self._load()

    def _load(self, *, small: bool = False) -> Load:
        """Draw what is carried; new tags."""
        size = "one" if small or not self.draw.chance(0.13) else self.draw.weighted(GROUPS)
        if size == "pallet" and self.width_m < WIDE_M:
            size = "cart"
        carry, count = {
            "one": lambda: (self.draw.weighted(ONE), 1),
            "few": lambda: (self.draw.weighted(FEW), self.draw.whole(2, 3)),
            "cart": lambda: ("cart", 4 + int(17 * self.draw.span(0.0, 1.0, least=0.0, most=0.999) ** 2)),
            "pallet": lambda: ("pallet", self.draw.whole(8, 30)),
        }[size]()
        if carry == "face-to-face" and count == 1:
            count = 2
        return Load(carry, self._new_tags(count))

    def _new_tags(self, count: int) -> list[int]:
        found = list(range(self.count + 1, self.count + count + 1))
        self.count += count
        share = 1.0 if self.draw.chance(self.mix.weak_loads) else self.mix.weak_tags
        self.weak += [tag for tag in found if self.draw.chance(share)]
        self.on_metal += [tag for tag in found if tag not in self.weak and self.draw.chance(0.08)]
        return found

    def _walk(
        self,
        kind: str,
        points: list[Point],
        load: Load,
        speed: float,
        *,
        at_s: float | None = None,
        lies: str = "never",
    ) -> float:
        """Add one walk; return when it ends at the latest, seconds."""
        name = f"w{len(self.walks) + 1}-{kind}"
        points = _distinct([[round(number, 3) for number in point] for point in points])
        hesitation = self.draw.span(0.05, 0.4, least=0.02, most=0.6) if self.draw.chance(0.2) else 0.0
        start_s = round(self.at_s if at_s is None else at_s, 2)
        self.routes.append({"id": name, "portal": PORTAL, "points": points})
        self.walks.append(
            {
                "id": name,
                "at_s": start_s,
                "route": name,
                "tags": load.tags,
                "speed_mps": speed,
                "hesitation": hesitation,
                "carry": load.carry,
                "lies": lies,
            }
        )
        return (
            start_s
            + _seconds(points, speed)
            + 1.5 * sum(math.ceil(_length(*leg)) for leg in pairwise(points)) * (hesitation > 0)
        )


def _length(one: Point, other: Point) -> float:
    return math.hypot(one[0] - other[0], one[1] - other[1])


def _seconds(points: list[Point], speed: float, until_x: float | None = None) -> float:
    """How long a way takes without hesitation; with `until_x`, up to where it first passes that x."""
    total = 0.0
    for here, there in pairwise(points):
        total += here[2] if len(here) > 2 else 0.0
        if until_x is not None and (here[0] - until_x) * (there[0] - until_x) <= 0 and here[0] != there[0]:
            return total + _length(here, there) * abs((until_x - here[0]) / (there[0] - here[0])) / speed
        total += _length(here, there) / speed
    return total + (points[-1][2] if len(points[-1]) > 2 else 0.0)


def _distinct(points: list[Point]) -> list[Point]:
    """Leave out a point that is the one before."""
    found = points[:1]
    for point in points[1:]:
        if point[:2] != found[-1][:2] or len(point) > 2:
            found.append(point)
    return found
