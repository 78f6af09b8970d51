"""A doorway's own frame on the site: the plane at x = 0, the outside at x > 0, y along the wall, z up."""

import math
from dataclasses import dataclass

import numpy as np

from simulator.scenarios.space import DoorwayPart
from simulator.world.scene import Floats


@dataclass(frozen=True, slots=True)
class Placed:
    """A doorway's frame; without a doorway it is the site's own."""

    doorway: DoorwayPart | None

    @property
    def facing(self) -> float:
        """Direction of the outside on the site, radians."""
        return 0.0 if self.doorway is None else math.radians(self.doorway.facing_deg)

    def to_site(self, points: Floats) -> Floats:
        """(..., 2 or 3) points of this frame on the site."""
        return self._turned(points, self._rotation().T, np.zeros(2), self._origin())

    def to_frame(self, points: Floats) -> Floats:
        """(..., 2 or 3) points of the site in this frame."""
        return self._turned(points, self._rotation(), self._origin(), np.zeros(2))

    def lift(self, point: tuple[float, float, float]) -> Floats:
        """(3,) a point of this frame on the site."""
        return self.to_site(np.array(point, dtype=np.float64))

    def _origin(self) -> Floats:
        return np.zeros(2) if self.doorway is None else np.array(self.doorway.at, dtype=np.float64)

    def _rotation(self) -> Floats:
        cos, sin = math.cos(self.facing), math.sin(self.facing)
        return np.array([[cos, -sin], [sin, cos]])

    @staticmethod
    def _turned(points: Floats, rotation: Floats, less: Floats, more: Floats) -> Floats:
        turned = np.array(points, dtype=np.float64)
        turned[..., :2] = (turned[..., :2] - less) @ rotation + more
        return turned
