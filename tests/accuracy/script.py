"""Who walks when at a site: tags get numbers as they are taken, and every one a part that it plays."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np

from simulator.scenarios.model import Scenario
from tests.accuracy.site import Site

Point = tuple[float, float] | tuple[float, float, float]
FAR_M: Final = (3.6, 4.6)
"""Walks begin and end so far from the plane."""
LANE_M: Final = 1.7
"""Who turns along the corridor walks so far from its wall, or in the middle of a narrow one."""


@dataclass
class Script:
    """Walks at a site, one after the other; `at_s` is when the next begins.

    Attributes:
        role: what each tag is there for, by number.
        authorised: tags that may leave.
    """

    site: Site
    rng: np.random.Generator
    at_s: float = 2.0
    role: dict[int, str] = field(default_factory=dict)
    authorised: list[int] = field(default_factory=list)
    _routes: list[dict[str, Any]] = field(default_factory=list)
    _walks: list[dict[str, Any]] = field(default_factory=list)
    _taken: int = 0

    def __post_init__(self) -> None:
        self._taken = self.site.residents
        self.role.update(dict.fromkeys(range(1, self._taken + 1), "resident"))

    def new_tags(self, count: int, role: str, *, may_leave: bool = False) -> list[int]:
        """Take numbers that nobody had yet."""
        mine = list(range(self._taken + 1, self._taken + count + 1))
        self._taken += count
        self.role.update(dict.fromkeys(mine, role))
        if may_leave:
            self.authorised += mine
        return mine

    def through(self, portal: int = 0, *, outwards: bool) -> list[Point]:
        """Draw a way through a doorway: from the room straight on, or along the corridor; or the other way around."""
        name_y = self.site.portals[portal][1]
        y_m = self.lane(portal)
        inside = (-self.rng.uniform(*FAR_M), name_y + self.rng.uniform(-1.5, 1.5))
        far, lane_m = self.rng.uniform(*FAR_M), min(LANE_M, self.site.corridor_m / 2 + 0.3)
        ways: list[Point]
        if self.site.corridor_m > FAR_M[1] + 0.4 and self.rng.random() < 0.5:
            ways = [(far, name_y + self.rng.uniform(-1.5, 1.5))]
        else:
            side = 1.0 if self.rng.random() < 0.5 else -1.0
            ways = [(lane_m, y_m), (lane_m + 0.2, name_y + side * far)]
        points = [inside, (-0.8, y_m), (0.8, y_m), *ways]
        return points if outwards else points[::-1]

    def walk(
        self,
        points: Sequence[Point],
        *,
        tags: Sequence[int] = (),
        carry: str = "hand",
        speed_mps: float = 1.2,
        later_s: float = 0.0,
    ) -> float:
        """Let somebody walk from `at_s + later_s` on; return for how long, in seconds and roughly."""
        name = f"w{len(self._walks) + 1}"
        self._routes.append({"id": name, "points": [[float(v) for v in point] for point in points]})
        self._walks.append(
            {
                "id": name,
                "at_s": self.at_s + later_s,
                "route": name,
                "tags": list(tags),
                "speed_mps": speed_mps,
                "carry": carry if tags else "none",
            }
        )
        paused_s = sum(point[2] for point in points if len(point) > 2)
        legs = pairwise(points)
        return paused_s + sum(math.dist(one[:2], other[:2]) for one, other in legs) / speed_mps

    def scenario(self, name: str) -> Scenario:
        """All that was written so far."""
        tags = self.site.parts["tags"] | {"count": self._taken, "authorised": self.authorised}
        moves = {"name": name, "tags": tags, "routes": self._routes, "walks": self._walks}
        return Scenario.model_validate(self.site.parts | moves)

    def stand(self, x_m: float, seconds: float, portal: int = 0) -> list[Point]:
        """Draw how somebody stands in a doorway, on one side of its plane: not quite still, from foot to foot."""
        y_m = self.lane(portal)
        count = int(self.rng.integers(1, 5))
        side = math.copysign(1.0, x_m)
        places = [
            (side * max(0.03, abs(x_m + self.rng.normal(0, 0.08))), y_m + self.rng.normal(0, 0.08))
            for _ in range(count)
        ]
        return [(x, y, seconds / count) for x, y in places]

    def lane(self, portal: int = 0) -> float:
        """Draw where along the wall somebody walks through a doorway, metres."""
        middle_m, width_m = self.site.portals[portal][1:]
        free_m = max(width_m / 2 - 0.35, 0.0)
        return middle_m + float(self.rng.uniform(-free_m, free_m))
