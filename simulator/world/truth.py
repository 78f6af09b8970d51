"""What truly happened at a doorway, by the movement event's definitions and geometry alone.

The doorway's own frame is used: x is the distance from its plane, positive outside; y runs along the wall, and the
opening is where |y| is below half its width. A track is cut exactly where it enters or leaves anything that a
definition names, so no step of time decides.

`parked` is final once it is true, so a crossing after it is a visit of its own: the parked one begins with the visit
and ends when `PARKED_US` within `NEAR_M` have gone by, and there the crossing's begins. (The stay within 1 m itself
lasts until the crossing, or beyond it, and would leave the crossing no way up to the plane.) Without a crossing after
it the parked visit lasts until the doorway is out of sight, since leaving gives nothing. Nor does standing within 1 m
behind a crossing: it is that crossing's visit until the doorway is clear.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.world.geometry import around_segment, middles, off_segment, refined, runs
from simulator.world.scene import Flags, Floats, Ints
from simulator.world.values import Kind

BEYOND_M: Final = 1.0
"""A crossing is one once the tag is this far beyond the plane, or stays beyond it for `BEYOND_US`."""
BEYOND_US: Final = 5_000_000
ON_PLANE_M: Final = 1e-9
NEAR_M: Final = 1.0
"""Closer than this to the opening is turned back or parked, not near."""
PARKED_US: Final = 20_000_000
SIGHT_M: Final = 5.0
"""A visit lasts while the tag is within this of the doorway's middle."""
AWAY_US: Final = 5_000_000
"""Who is out of sight for less is still on the same visit."""
STOREY_M: Final = 2.0
"""What is so far above or below the doorway's floor isn't at the doorway."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One part of a track with one kind; times as the track's."""

    kind: Kind
    started_us: int
    crossed_us: int | None
    ended_us: int


@dataclass(frozen=True, slots=True)
class _Track:
    """Pieces (m) between points (m + 1) of a track; each piece is wholly on one side of all that matters.

    Attributes:
        outside: side of each piece; on the plane itself it is the side before.
        beyond_m: greatest distance from the plane.
    """

    at: Floats
    y: Floats
    outside: Flags
    beyond_m: Floats
    close: Flags
    width_m: float

    def cut(self, first: int, stop: int) -> "_Track":
        """Pieces first to stop - 1."""
        return _Track(
            self.at[first : stop + 1],
            self.y[first : stop + 1],
            self.outside[first:stop],
            self.beyond_m[first:stop],
            self.close[first:stop],
            self.width_m,
        )


def visits(at_us: Ints, place: Floats, width_m: float) -> list[Visit]:
    """Split a track (times (n,), places (n, 3) in the doorway's frame) into its true visits; none out of sight."""
    if len(at_us) < 2 or at_us[-1] == at_us[0]:  # noqa: PLR2004 - a point is no track
        return []
    half = width_m / 2
    xs, ys, circles = around_segment(half, NEAR_M)
    levels = (*xs, 0.0, -BEYOND_M, BEYOND_M)
    at, points = refined(at_us, place, xs=levels, ys=ys, circles=[*circles, (0.0, 0.0, SIGHT_M)])
    middle = middles(points)
    on_floor = np.abs(middle[:, 2]) < STOREY_M
    seen = (np.hypot(middle[:, 0], middle[:, 1]) < SIGHT_M) & on_floor
    track = _Track(
        at=at,
        y=points[:, 1],
        outside=_sides(middle[:, 0]),
        beyond_m=np.maximum(np.abs(points[1:, 0]), np.abs(points[:-1, 0])),
        close=(off_segment(middle, half) < NEAR_M) & on_floor,
        width_m=width_m,
    )
    return [visit for first, stop in _stretches(at, seen) for visit in _visits(track.cut(first, stop))]


def _sides(x: Floats) -> Flags:
    """Which pieces are outside; one on the plane is where the one before was."""
    known = np.flatnonzero(np.abs(x) > ON_PLANE_M)
    if not len(known):
        return np.zeros(len(x), dtype=np.bool_)
    last = known[np.maximum(np.searchsorted(known, np.arange(len(x)), side="right") - 1, 0)]
    outside: Flags = x[last] > 0
    return outside


def _stretches(at: Floats, seen: Flags) -> list[tuple[int, int]]:
    """Runs of pieces in sight, joined where they are a short while apart."""
    joined: list[tuple[int, int]] = []
    for first, stop in runs(seen):
        if at[stop] == at[first]:
            continue
        if joined and at[first] - at[joined[-1][1]] < AWAY_US:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((first, stop))
    return joined


def _visits(track: _Track) -> list[Visit]:
    """Visits of one stretch in sight: one for each crossing and for who parked before it, or a single one without."""
    found: list[Visit] = []
    count, begin = len(track.outside), 0
    crossings = list(_crossings(track))
    for at, after in zip(crossings, [*crossings, count][1:], strict=True):
        kind: Kind = "out" if track.outside[at] else "in"
        end = count if after == count else _clear(track, at, after)
        begun_us, parked_us = _us(track, begin), _parked_us(track.cut(begin, at))
        if parked_us is not None:
            found.append(Visit("parked", begun_us, None, parked_us))
            begun_us = parked_us
        found.append(Visit(kind, begun_us, _us(track, at), _us(track, end)))
        begin = end
    return found or [Visit(_without_crossing(track), _us(track, 0), None, _us(track, count))]


def _crossings(track: _Track) -> Iterator[int]:
    """First piece beyond the plane of each change of side that holds; who goes around the wall only changes sides."""
    changes = np.flatnonzero(track.outside[1:] != track.outside[:-1]) + 1
    through = np.abs(track.y[changes]) <= track.width_m / 2
    side = bool(track.outside[0])
    for place, at in enumerate(changes):
        last = place + 1 == len(changes)
        until = len(track.outside) if last else int(changes[place + 1])
        if not through[place]:
            side = bool(track.outside[at])
        elif bool(track.outside[at]) != side and (last or _stays(track, int(at), until)):
            side = bool(track.outside[at])
            yield int(at)


def _stays(track: _Track, first: int, stop: int) -> bool:
    """Beyond for 1 m or for 5 s; who stays until the end of the track goes on living on that side."""
    return bool(track.beyond_m[first:stop].max() > BEYOND_M - 1e-9 or track.at[stop] - track.at[first] >= BEYOND_US)


def _clear(track: _Track, crossed: int, stop: int) -> int:
    """Point after a crossing at which the doorway is clear; the next crossing's where it never is."""
    clear = np.flatnonzero(track.beyond_m[crossed:stop] > BEYOND_M)
    return crossed + int(clear[0]) if len(clear) else stop


def _without_crossing(track: _Track) -> Kind:
    if not track.close.any():
        return "near"
    if _parked_us(track) is not None:
        return "parked"
    return "turned_back" if track.outside[0] == track.outside[-1] else "near"


def _parked_us(track: _Track) -> int | None:
    """When the first stay that is long enough has become `parked`; None where none is."""
    stays = (first for first, stop in runs(track.close) if track.at[stop] - track.at[first] >= PARKED_US)
    first = next(stays, None)
    return None if first is None else _us(track, first) + PARKED_US


def _us(track: _Track, point: int) -> int:
    return round(float(track.at[point]))
