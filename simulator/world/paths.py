"""Where a walker is at any time: straight legs at one speed, with stops."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stop:
    """One point of a path in metres, and how long the walker stands there."""

    x: float
    y: float
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Path:
    """Position over time as corner points.

    Attributes:
        at_s: (n,) rising times from 0.
        xy: (n, 2) metres.
    """

    at_s: Floats
    xy: Floats

    @property
    def duration_s(self) -> float:
        """Time from the first point to the last."""
        return float(self.at_s[-1])

    def position(self, at_s: float | Floats) -> Floats:
        """(..., 2) position at these times, clamped to the ends."""
        return np.stack([np.interp(at_s, self.at_s, self.xy[:, axis]) for axis in (0, 1)], axis=-1)

    def velocity(self, at_s: float) -> Floats:
        """(2,) metres a second on the leg at that time; at a stop it is 0."""
        leg = int(np.clip(np.searchsorted(self.at_s, at_s, side="right") - 1, 0, len(self.at_s) - 2))
        took_s = self.at_s[leg + 1] - self.at_s[leg]
        step: Floats = (self.xy[leg + 1] - self.xy[leg]) / max(took_s, 1e-9)
        return step

    def heading(self, at_s: float) -> Floats:
        """(2,) unit vector of where the walker faces; at a stop it is where the last leg led."""
        leg = int(np.clip(np.searchsorted(self.at_s, at_s, side="right") - 1, 0, len(self.at_s) - 2))
        while leg > 0 and np.allclose(self.xy[leg + 1], self.xy[leg]):
            leg -= 1
        step = self.xy[leg + 1] - self.xy[leg]
        length = float(np.hypot(*step))
        return step / length if length else np.array([1.0, 0.0])


def walk(stops: Sequence[Stop], speed_mps: float, shift: tuple[float, float] = (0.0, 0.0)) -> Path:
    """Walk along stops at one speed, the whole path moved sideways by `shift`."""
    at_s, xy, now_s = [0.0], [(stops[0].x + shift[0], stops[0].y + shift[1])], 0.0
    for before, stop in pairwise(stops):
        if before.pause_s:
            now_s += before.pause_s
            at_s.append(now_s)
            xy.append(xy[-1])
        now_s += float(np.hypot(stop.x - before.x, stop.y - before.y)) / speed_mps
        at_s.append(now_s)
        xy.append((stop.x + shift[0], stop.y + shift[1]))
    return Path(np.array(at_s), np.array(xy))
