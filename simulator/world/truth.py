"""What truly happened at a doorway, by the movement event's definitions and geometry alone.

The doorway's own frame is used: x is the distance from its plane, positive outside; y runs along the wall, and the
opening is where |y| is below half its width.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.world.paths import Floats
from simulator.world.values import Kind

BEYOND_M: Final = 1.0
"""A crossing is one once the tag is this far beyond the plane, or stays beyond it for `BEYOND_S`."""
BEYOND_S: Final = 5.0
NEAR_M: Final = 1.0
"""Closer than this to the opening is turned back or parked, not near."""
PARKED_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Visit:
    """One part of a track with one kind; times in seconds of the track."""

    kind: Kind
    started_s: float
    crossed_s: float | None
    ended_s: float


def visits(at_s: Floats, xy: Floats, width_m: float) -> list[Visit]:
    """Split a track (times (n,), positions (n, 2) in the doorway's frame) into its true visits."""
    found: list[Visit] = []
    begin = 0
    crossings = _crossings(at_s, xy, width_m)
    for at, after in zip(crossings, [*crossings, len(at_s)][1:], strict=True):
        kind: Kind = "out" if xy[at, 0] > 0 else "in"
        end = _left(xy[:after], at)
        found.append(Visit(kind, float(at_s[begin]), float(at_s[at]), float(at_s[end])))
        begin = end
    if not found:
        found.append(Visit(_without_crossing(at_s, xy, width_m), float(at_s[0]), None, float(at_s[-1])))
    elif begin < len(at_s) - 1:
        last = found[-1]
        found[-1] = Visit(last.kind, last.started_s, last.crossed_s, float(at_s[-1]))
    return found


def _crossings(at_s: Floats, xy: Floats, width_m: float) -> list[int]:
    """Indices of the first sample beyond the plane, of each change of side that holds."""
    outside = xy[:, 0] > 0
    changes = np.flatnonzero(outside[1:] != outside[:-1]) + 1
    changes = changes[np.abs(xy[changes, 1]) <= width_m / 2]
    held, side = [], bool(outside[0])
    for place, at in enumerate(changes):
        until = changes[place + 1] if place + 1 < len(changes) else len(at_s)
        stays = bool(outside[at]) != side and _stays(at_s[at:until], xy[at:until], whole=until == len(at_s))
        if stays:
            held.append(int(at))
            side = bool(outside[at])
    return held


def _stays(at_s: Floats, xy: Floats, *, whole: bool) -> bool:
    """Beyond for 1 m, for 5 s, or until the track's end, where the tag goes on living on that side."""
    return whole or bool(np.abs(xy[:, 0]).max() >= BEYOND_M or at_s[-1] - at_s[0] >= BEYOND_S)


def _left(xy: Floats, crossed: int) -> int:
    """First sample after a crossing that is clear of the doorway; the last one where none is."""
    clear = np.flatnonzero(np.abs(xy[crossed:, 0]) >= BEYOND_M)
    return crossed + int(clear[0]) if len(clear) else len(xy) - 1


def _without_crossing(at_s: Floats, xy: Floats, width_m: float) -> Kind:
    aside = np.maximum(np.abs(xy[:, 1]) - width_m / 2, 0.0)
    close = np.hypot(xy[:, 0], aside) < NEAR_M
    if not close.any():
        return "near"
    edges = np.flatnonzero(np.diff(np.concatenate([[0], close.astype(np.int8), [0]])))
    longest = max(at_s[min(stop, len(at_s) - 1)] - at_s[start] for start, stop in edges.reshape(-1, 2))
    return "parked" if longest >= PARKED_S else "turned_back"
