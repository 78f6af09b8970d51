"""Polylines against lines and circles: cut where they meet, so that each piece is wholly on one side of each."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from simulator.world.scene import Flags, Floats, Ints

if TYPE_CHECKING:
    from numpy.typing import NDArray

Circle = tuple[float, float, float]
"""x and y of its middle, and its radius, metres."""


def refined(
    at_us: Ints, place: Floats, *, xs: Sequence[float] = (), ys: Sequence[float] = (), circles: Sequence[Circle] = ()
) -> tuple[Floats, Floats]:
    """Cut a track (times (n,), places (n, 3)) where x, y or the distance from a middle pass these levels.

    Returns: times (m,) as microseconds with fractions, and places (m, 3); all points of the track are among them.
    """
    step = np.diff(place, axis=0)
    cuts = [np.arange(len(at_us), dtype=np.float64)]
    cuts += [_on_level(place[:-1, 0], step[:, 0], level) for level in xs]
    cuts += [_on_level(place[:-1, 1], step[:, 1], level) for level in ys]
    cuts += [cut for circle in circles for cut in _on_circle(place[:-1, :2], step[:, :2], circle)]
    along, index = np.unique(np.concatenate(cuts)), np.arange(len(at_us))
    return np.interp(along, index, at_us), np.column_stack([np.interp(along, index, axis) for axis in place.T])


def middles(place: Floats) -> Floats:
    """(m - 1, 3) the middle of each piece, by which the whole piece is judged."""
    between: Floats = (place[1:] + place[:-1]) / 2
    return between


def off_segment(points: Floats, half_m: float) -> Floats:
    """(n,) distance of points (n, 2 or more) from the segment x = 0, |y| <= half_m."""
    distance: Floats = np.hypot(points[:, 0], np.maximum(np.abs(points[:, 1]) - half_m, 0.0))
    return distance


def around_segment(half_m: float, radius_m: float) -> tuple[tuple[float, float], tuple[float, float], list[Circle]]:
    """Levels of x and of y, and circles, at which `off_segment` may pass a radius."""
    return (
        (-radius_m, radius_m),
        (-half_m, half_m),
        [(0.0, -half_m, radius_m), (0.0, half_m, radius_m)],
    )


def runs(chosen: Flags) -> list[tuple[int, int]]:
    """First piece and the one behind the last of each unbroken run of chosen pieces."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], chosen.astype(np.int8), [0]])))
    return [(int(first), int(stop)) for first, stop in edges.reshape(-1, 2)]


def spans(at: Floats, chosen: Flags) -> list[tuple[int, int]]:
    """Begin and end in whole microseconds of each unbroken run of chosen pieces between times `at`."""
    return [(round(float(at[first])), round(float(at[stop]))) for first, stop in runs(chosen)]


def _on_level(start: Floats, step: Floats, level: float) -> Floats:
    with np.errstate(all="ignore"):
        part = (level - start) / step
    return _inner(part)


def _on_circle(start: Floats, step: Floats, circle: Circle) -> list[Floats]:
    x, y, radius = circle
    off = start - np.array([x, y])
    square = np.einsum("ij,ij->i", step, step)
    half = np.einsum("ij,ij->i", off, step)
    rest = np.einsum("ij,ij->i", off, off) - radius**2
    with np.errstate(all="ignore"):
        root = np.sqrt(half**2 - square * rest)
        return [_inner((-half - root) / square), _inner((-half + root) / square)]


def _inner(part: Floats) -> Floats:
    """Positions along the track (index of the leg and the part of it) of what lies within a leg."""
    met: NDArray[np.intp] = np.flatnonzero((part > 0) & (part < 1))
    along: Floats = met + part[met]
    return along
