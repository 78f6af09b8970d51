"""Doors over time: who comes near opens a leaf, and it shuts behind; or spans, always, never."""

import heapq
import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.scenarios.model import Scenario
from simulator.scenarios.space import DoorPart
from simulator.world.frames import Placed
from simulator.world.geometry import around_segment, middles, off_segment, refined, spans
from simulator.world.paths import Path
from simulator.world.scene import Floats, Leaves

OPENS_M: Final = 1.2
"""A door is opened by who comes so near to the opening."""
AHEAD_US: Final = 200_000
"""Who walks faster than that allows has it open this long before the plane."""
HELD_US: Final = 1_000_000
"""It stays open so long behind the last one."""
LEAF_M: Final = 2.05
LEAF_DB: Final = {"metal": 25.0, "wood": 4.0, "glass": 3.0}
MIRROR: Final = {"metal": 0.95, "wood": 0.15, "glass": 0.3}
CONTACT: Final = 0.05
"""A contact says open from this part of the whole angle on."""


@dataclass(frozen=True, slots=True)
class Hinge:
    """One leaf: its angle is `shut + opening * swing`, both radians on the site."""

    place: Floats
    length_m: float
    shut: float
    swing: float


class Door:
    """One door: how far it is open, as keyframes that are right up to the time that was told last."""

    def __init__(self, part: DoorPart, frame: Placed, width_m: float) -> None:
        self.part = part
        self.frame = frame
        self._half_m = width_m / 2
        middle = frame.to_site(np.zeros(2))
        self._middle = (float(middle[0]), float(middle[1]))
        self._opening_us = max(round(1e6 * part.opening_s), 1)
        self._asked: list[tuple[int, int]] = []
        self._open_to_us = 0
        self.keys: list[tuple[int, float]] = [(0, 1.0 if part.opens == "always" else 0.0)]
        if not isinstance(part.opens, str):
            self._asked = [(round(1e6 * begin), round(1e6 * end)) for begin, end in part.opens]
            heapq.heapify(self._asked)
        self.hinges = self._hinges(width_m)

    def walked(self, way: Path) -> None:
        """Take notice of who will walk there."""
        if self.part.opens == "for-walkers":
            for begin_us, end_us in self._near(way):
                heapq.heappush(self._asked, (begin_us, end_us + HELD_US))

    def until(self, at_us: int) -> None:
        """Move the leaves as those ask who come near up to then; all of them must have been told."""
        while self._asked and self._asked[0][0] <= at_us:
            self._open(*heapq.heappop(self._asked))

    def forget(self, before_us: int) -> None:
        """Drop keyframes that no one asks for any more."""
        while len(self.keys) > 1 and self.keys[1][0] < before_us:
            del self.keys[0]

    def openness(self, at_us: int) -> float:
        """0 shut to 1 open."""
        times, parts = zip(*self.keys, strict=True)
        return float(np.interp(at_us, times, parts))

    def angles(self) -> tuple[list[int], list[float]]:
        """Keyframes: times, and the angle from shut, in radians."""
        whole = math.radians(self.part.angle_deg)
        return [at_us for at_us, _ in self.keys], [whole * part for _, part in self.keys]

    def opened(self, begin_us: int, end_us: int) -> list[tuple[int, bool]]:
        """Times in (begin, end] at which its contact changes, and whether it is open then."""
        found: list[tuple[int, bool]] = []
        for (since_us, part), (to_us, after) in zip(self.keys, self.keys[1:], strict=False):
            if (part >= CONTACT) == (after >= CONTACT):
                continue
            at_us = round(since_us + (CONTACT - part) / (after - part) * (to_us - since_us))
            if begin_us < at_us <= end_us:
                found.append((at_us, after > part))
        return found

    def _open(self, begin_us: int, end_us: int) -> None:
        part = self.openness(begin_us)
        self.keys = [key for key in self.keys if key[0] < begin_us]
        opened_us = begin_us + round((1 - part) * self._opening_us)
        self._open_to_us = max(self._open_to_us, opened_us, end_us)
        self.keys += [(begin_us, part), (opened_us, 1.0), (self._open_to_us, 1.0)]
        self.keys.append((self._open_to_us + self._opening_us, 0.0))

    def _near(self, way: Path) -> list[tuple[int, int]]:
        """When somebody is so near that the door opens; early enough for who is fast."""
        if not way.comes_near(*self._middle, self._half_m + OPENS_M):
            return []
        local = self.frame.to_frame(way.place)
        xs, ys, circles = around_segment(self._half_m, OPENS_M)
        at, points = refined(way.at_us, local, xs=(*xs, 0.0), ys=ys, circles=circles)
        middle = middles(points)
        near = (off_segment(middle, self._half_m) < OPENS_M) & (np.abs(middle[:, 2]) < LEAF_M)
        on_plane = (points[:, 0] == 0) | (np.abs(points[:, 0]) < 1e-9)  # noqa: PLR2004 - a cut is that exact
        through = at[on_plane & (np.abs(points[:, 1]) <= self._half_m)]
        early = self._opening_us + AHEAD_US
        found = []
        for begin_us, end_us in spans(at, near):
            crossed = through[(through >= begin_us) & (through <= end_us)]
            first = min([begin_us, *(round(float(when)) - early for when in crossed)])
            found.append((max(first, int(way.at_us[0])), end_us))
        return found

    def _hinges(self, width_m: float) -> tuple[Hinge, ...]:
        """Left as seen from outside is at y < 0, and its leaf turns counter-clockwise inwards."""
        inwards = 1.0 if self.part.swings == "in" else -1.0
        length = width_m / self.part.leaves
        half = width_m / 2
        left = Hinge(self.frame.to_site(np.array([0.0, -half])), length, math.pi / 2 + self.frame.facing, inwards)
        right = Hinge(self.frame.to_site(np.array([0.0, half])), length, -math.pi / 2 + self.frame.facing, -inwards)
        return (left,) if self.part.leaves == 1 else (left, right)


def doors(scenario: Scenario, frames: dict[str | None, Placed]) -> dict[str, Door]:
    """All doors by their names."""
    widths = {one.id: one.width_m for one in (*scenario.portals, *scenario.openings)}
    return {part.id: Door(part, frames[part.doorway], widths[part.doorway]) for part in scenario.doors}


def leaves_of(chosen: list[Door]) -> Leaves:
    """The leaves of some doors as arrays."""
    rows, first, at_us, angles = [], [0], [], []
    for door in chosen:
        times, turned = door.angles()
        for hinge in door.hinges:
            loss, mirror = LEAF_DB[door.part.material], MIRROR[door.part.material]
            rows.append((*hinge.place, hinge.length_m, LEAF_M, loss, mirror))
            at_us += times
            angles += [hinge.shut + hinge.swing * angle for angle in turned]
            first.append(len(at_us))
    table = np.array(rows, dtype=np.float64).reshape(-1, 6)
    return Leaves(
        hinge=table[:, :2].copy(),
        length_m=table[:, 2].copy(),
        top_m=table[:, 3].copy(),
        loss_db=table[:, 4].copy(),
        mirror=table[:, 5].copy(),
        first=np.array(first, dtype=np.int64),
        at_us=np.array(at_us, dtype=np.int64),
        angle=np.array(angles, dtype=np.float64),
    )
