"""The coverage ledger: when a place was sighted, when its book may be trusted, and when nothing is known.

sighted: zones or a sweep listened, and a tag that lay there would have been heard with probability p or more.
balanced: every door has worked since the place was last sighted, so that what left was seen to leave.
none: neither. A count there is "not counted", never a variance of zero.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Literal

from central.domain.presence.spans import merge

CoverageKind = Literal["sighted", "balanced", "none"]

MIN_PROBABILITY: Final = 0.8
"""A place is sighted where a tag in it would have been heard with this probability or more."""
HOLDS: Final = timedelta(minutes=5)
"""Listening that resumes within this went on: a sweep's end and the next hour's beginning needn't meet exactly."""
_Interval = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A time of listening, and the probability (0 to 1) that it would have heard a tag which lay there."""

    from_at: datetime
    to_at: datetime
    probability: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """One line of the ledger. `probability` is the last sighting's; None where there is no coverage."""

    from_at: datetime
    to_at: datetime
    kind: CoverageKind
    probability: float | None


@dataclass(frozen=True, slots=True)
class Doors:
    """What is known of a place's openings.

    `closed` says that all of them are portals or alarmed doors; `dark` are the times at which one of them was out of
    order.
    """

    closed: bool
    dark: tuple[_Interval, ...] = ()


def ledger(
    sightings: Iterable[Sighting], doors: Doors, upto: datetime, *, least: float = MIN_PROBABILITY
) -> tuple[Coverage, ...]:
    """Return a place's coverage from its first sighting to `upto`: no holes, and no two neighbours alike.

    A function of the set of sightings and outages: their order and cutting change nothing. Sightings after `upto` are
    left out.
    """
    good = [one for one in sightings if one.probability >= least and one.from_at < upto]
    if not good:
        return ()
    lines = _sighted(good, upto)
    dark = merge(doors.dark)
    between: list[Coverage] = []
    for line, after in zip(lines, [*lines[1:], None], strict=True):
        between.append(line)
        until = upto if after is None else after.from_at
        if line.to_at < until:
            between += _since(line, until, doors.closed, dark)
    return tuple(_joined(between))


def at(lines: Sequence[Coverage], when: datetime) -> Coverage | None:
    """Return the line that holds at `when`, its end included; None before the first."""
    place = bisect_right(lines, when, key=lambda line: line.from_at) - 1
    if place < 0 or when > lines[place].to_at:
        return None
    if when == lines[place].from_at and place > 0:
        return lines[place - 1]
    return lines[place]


def share(lines: Collection[Coverage], start: datetime, end: datetime, kinds: Collection[CoverageKind]) -> float:
    """Return which share (0 to 1) of a time was covered in one of the ways."""
    covered = sum(
        max(0.0, (min(line.to_at, end) - max(line.from_at, start)).total_seconds())
        for line in lines
        if line.kind in kinds
    )
    return covered / (end - start).total_seconds()


def _sighted(good: Sequence[Sighting], upto: datetime) -> list[Coverage]:
    """Cut sightings at each other's edges; at each time the best of those that hold then counts."""
    edges = sorted({edge for one in good for edge in (one.from_at, min(one.to_at, upto))})
    lines: list[Coverage] = []
    for start, end in pairwise(edges):
        best = max((one.probability for one in good if one.from_at <= start and one.to_at >= end), default=None)
        if best is not None:
            lines.append(Coverage(start, end, "sighted", best))
        elif end - start <= HOLDS and lines:
            lines.append(Coverage(start, end, "sighted", lines[-1].probability))
    return _joined(lines)


def _since(line: Coverage, until: datetime, closed: bool, dark: Sequence[_Interval]) -> list[Coverage]:  # noqa: FBT001 (as Doors has it)
    """Return what the time after a sighting is worth: balanced until the first outage, then none."""
    first = next((max(start, line.to_at) for start, end in dark if end > line.to_at and start < until), None)
    if not closed:
        first = line.to_at
    if first is None:
        return [Coverage(line.to_at, until, "balanced", line.probability)]
    trusted = [Coverage(line.to_at, first, "balanced", line.probability)] if line.to_at < first else []
    return [*trusted, Coverage(first, until, "none", None)]


def _joined(lines: Iterable[Coverage]) -> list[Coverage]:
    joined: list[Coverage] = []
    for line in lines:
        last = joined[-1] if joined else None
        if last and last.to_at == line.from_at and (last.kind, last.probability) == (line.kind, line.probability):
            joined[-1] = Coverage(last.from_at, line.to_at, line.kind, line.probability)
        else:
            joined.append(line)
    return joined
