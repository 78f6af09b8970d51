"""Cuts the world into scenes: for each reader what stands, moves and lies within its reach in a stretch of time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.scenarios.model import Scenario
from simulator.world.doors import Door, leaves_of
from simulator.world.scene import STILL, Antennas, Carriers, Flags, Floats, Holds, Scene, Surroundings, Tags, Walls
from simulator.world.schedule import Walk

REACH_M: Final = 17.0
"""What is farther from every antenna than an ordinary tag's 14.7 m in free space, and 1.3 dB, isn't in a scene."""
ORDINARY_DBM: Final = -20.0
"""Power that wakes such a tag; a keener one is heard farther off."""
AHEAD_M: Final = 2.0
"""What is carried or pushed goes so far ahead of the walker at most."""
SHADOW_M: Final = 8.0
"""Who carries nothing matters within this."""
WINDOW_US: Final = 5_000_000
"""A scene is made for at least so long, so that a live tick finds one ready."""
ENVIRONMENTS: Final = {"office": (2.0, 8.0, 0.35), "warehouse": (2.0, 5.0, 0.5), "open": (2.0, 12.0, 0.5)}
"""Path exponent, Rician K in dB and the floor's reflection of each environment."""


@dataclass(frozen=True, slots=True)
class Lying:
    """Tags that lie still for a while, between two walks or before the first."""

    holds: Holds

    def near(self, begin_us: int, end_us: int) -> bool:
        """Whether any of them is there in a stretch of time."""
        return bool(((self.holds.begin_us < end_us) & (self.holds.end_us > begin_us)).any())


class Window:
    """One reader's view: what stands within its reach, chosen once, and the scene that was made last."""

    def __init__(
        self,
        antennas: Antennas,
        stands: tuple[Surroundings, Tags, Walls, Holds],
        doors: Iterable[Door],
        one_sided: Flags,
    ) -> None:
        self.antennas = antennas
        flat = antennas.position[:, :2]
        self._box = (*(float(v) for v in flat.min(axis=0)), *(float(v) for v in flat.max(axis=0)))
        self._surroundings, self._tags, walls, still = stands
        self._one_sided = one_sided
        self._reach_m = heard_m(self._tags)
        self._walls = Walls._make(column[_walls_near(walls, antennas, self._reach_m)] for column in walls)
        self._still = Holds._make(column[_places_near(still.offset, antennas, self._reach_m)] for column in still)
        self._doors = [door for door in doors if _near(door.hinges[0].place[None, :], antennas, SHADOW_M)]
        self._made: Scene | None = None

    def made(self, begin_us: int, end_us: int) -> Scene | None:
        """The last scene, if it covers a stretch."""
        scene = self._made
        return scene if scene is not None and scene.begin_us <= begin_us and end_us <= scene.end_us else None

    def make(self, begin_us: int, end_us: int, walks: Iterable[Walk], lying: Iterable[Lying]) -> Scene:
        """Make the scene of a stretch; `walks` and `lying` are all that are under way in it, in the order of starts."""
        chosen = [walk for walk in walks if walk.end_us > begin_us and walk.start_us < end_us and self._sees(walk)]
        bodies = [0, *np.cumsum([len(walk.bodies) for walk in chosen])]
        held = [
            _holds(walk, int(after) - 1, self._one_sided)
            for walk, after in zip(chosen, bodies[1:], strict=True)
            if walk.tags
        ]
        laid = [one.holds for one in lying if one.near(begin_us, end_us) and self._reaches(one.holds)]
        self._made = Scene(
            begin_us=begin_us,
            end_us=end_us,
            surroundings=self._surroundings,
            tags=self._tags,
            carriers=_carriers(chosen),
            holds=_joined([self._still, *laid, *held]) if laid or held else self._still,
            walls=self._walls,
            leaves=leaves_of(self._doors),
        )
        return self._made

    def _sees(self, walk: Walk) -> bool:
        left, low, right, high = walk.path.box
        within_m = (self._reach_m if walk.tags else SHADOW_M) + AHEAD_M
        x_m, y_m, to_x_m, to_y_m = self._box
        across = left <= to_x_m + within_m and right >= x_m - within_m
        return across and low <= to_y_m + within_m and high >= y_m - within_m

    def _reaches(self, holds: Holds) -> bool:
        return _near(holds.offset[:, :2], self.antennas, self._reach_m)


def heard_m(tags: Tags) -> float:
    """How far off the keenest tag is heard at 36 dBm in free space: what is farther isn't in a scene."""
    keenest_dbm = min(ORDINARY_DBM, float(tags.sensitivity_dbm[~tags.dead].min(initial=ORDINARY_DBM)))
    return float(REACH_M * 10 ** ((ORDINARY_DBM - keenest_dbm) / 20))


def surroundings(scenario: Scenario) -> Surroundings:
    """The site's radio: what the scenario says, else what its environment means."""
    site = scenario.site
    exponent, k_db, ground = ENVIRONMENTS[site.environment]
    return Surroundings(
        exponent if site.path_exponent is None else site.path_exponent,
        k_db if site.rician_k_db is None else site.rician_k_db,
        ground if site.ground_reflection is None else site.ground_reflection,
    )


def lying(walk: Walk, tags: list[int], begin_us: int, end_us: int, sided: Mapping[int, bool], *, at_end: bool) -> Lying:
    """Some of a walk's tags lie where it begins or ends."""
    places, axes, faces = walk.resting(at_end=at_end)
    rows = [walk.tags.index(tag) for tag in tags]
    one_sided = np.array([sided.get(tag, False) for tag in tags], dtype=np.float64)
    return Lying(
        Holds(
            tag=np.array(tags, dtype=np.int64) - 1,
            carrier=np.full(len(tags), STILL, dtype=np.int64),
            begin_us=np.full(len(tags), begin_us, dtype=np.int64),
            end_us=np.full(len(tags), end_us, dtype=np.int64),
            offset=places[rows],
            axis=axes[rows],
            face=faces[rows] * one_sided[:, None],
            loss_db=walk.load.loss_db[rows],
        )
    )


def _holds(walk: Walk, carrier: int, one_sided: Flags) -> Holds:
    count = len(walk.tags)
    tag = np.array(walk.tags, dtype=np.int64) - 1
    return Holds(
        tag=tag,
        carrier=np.full(count, carrier, dtype=np.int64),
        begin_us=np.full(count, walk.start_us, dtype=np.int64),
        end_us=np.full(count, walk.end_us, dtype=np.int64),
        offset=walk.load.offset,
        axis=walk.load.axis,
        face=walk.load.face * one_sided[tag, None],
        loss_db=walk.load.loss_db,
    )


def _joined(parts: list[Holds]) -> Holds:
    return Holds._make(np.concatenate(columns) for columns in zip(*parts, strict=True))


def _carriers(walks: list[Walk]) -> Carriers:
    ways = [way for walk in walks for way in walk.ways]
    bodies = [body for walk in walks for body in walk.bodies]
    table = np.array([(b.radius_m, b.bottom_m, b.top_m, b.loss_db) for b in bodies], dtype=np.float64).reshape(-1, 4)
    return Carriers(
        first=np.concatenate([[0], np.cumsum([len(way.at_us) for way in ways])]).astype(np.int64),
        at_us=np.concatenate([np.zeros(0, dtype=np.int64), *(way.at_us for way in ways)]),
        place=np.concatenate([np.zeros((0, 3)), *(way.place for way in ways)]),
        heading=np.concatenate([np.zeros(0), *(way.heading for way in ways)]),
        radius_m=table[:, 0].copy(),
        bottom_m=table[:, 1].copy(),
        top_m=table[:, 2].copy(),
        loss_db=table[:, 3].copy(),
    )


def _near(points: Floats, antennas: Antennas, reach_m: float) -> bool:
    """Whether the box around some points comes within reach of the box around the antennas."""
    low, high = points.min(axis=0), points.max(axis=0)
    left, right = antennas.position[:, :2].min(axis=0), antennas.position[:, :2].max(axis=0)
    return bool((low <= right + reach_m).all() and (high >= left - reach_m).all())


def _places_near(places: Floats, antennas: Antennas, reach_m: float) -> np.typing.NDArray[np.bool_]:
    """(n,) which places any antenna reaches."""
    off = places[:, None, :] - antennas.position[None, :, :]
    near: np.typing.NDArray[np.bool_] = (np.linalg.norm(off, axis=2) < reach_m).any(axis=1)
    return near


def _walls_near(walls: Walls, antennas: Antennas, reach_m: float) -> np.typing.NDArray[np.bool_]:
    """(w,) which walls come within reach: by the box around each."""
    left, right = antennas.position[:, :2].min(axis=0) - reach_m, antennas.position[:, :2].max(axis=0) + reach_m
    low, high = np.minimum(walls.ends[:, :2], walls.ends[:, 2:]), np.maximum(walls.ends[:, :2], walls.ends[:, 2:])
    near: np.typing.NDArray[np.bool_] = ((low <= right) & (high >= left)).all(axis=1)
    return near
