"""The true visits of every asset: tracks across walks, each doorway's visits, and the reads that each got."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from simulator.scenarios.model import Scenario
from simulator.scenarios.space import DoorwayPart
from simulator.world.frames import Placed
from simulator.world.geometry import off_segment
from simulator.world.scene import Flags, Floats, Ints
from simulator.world.schedule import Walk
from simulator.world.truth import NEAR_M, PARKED_US, SIGHT_M, Visit, visits
from simulator.world.values import Crossing, TagState

LATE_US: Final = 1_000_000
"""A read up to this long after a visit's end still is one of that visit."""


MOST_CHUNKS: Final = 500
"""Reads that no visit asks for are dropped each time that so many chunks have come in."""
HANDED_M: Final = 3.0
"""What lies so near to where the next walk begins is handed on; from farther away it just is there."""


@dataclass(slots=True)
class Track:
    """Walks that move the same assets, one after the other, without a rest that ends a visit.

    Attributes:
        tags: numbers of the assets, with what can be read of each.
        lay: (3,) where they lay before the first of the walks took them, if they were handed to it.
    """

    walks: list[Walk]
    tags: dict[int, TagState]
    lay: Floats | None = None

    @property
    def ends_us(self) -> int:
        """When its last walk ends."""
        return self.walks[-1].end_us

    @property
    def closes_us(self) -> int:
        """From then on no further walk can continue it."""
        last = self.walks[-1]
        return last.end_us + (PARKED_US if last.lies_after else 0)

    def points(self, rests_us: int = 0) -> tuple[Ints, Floats]:
        """Times (n,) and places (n, 3) of the carrier's middle; between walks, and until `rests_us`, it lies."""
        at_us, place = self.walks[0].middle.at_us, self.walks[0].middle.place
        if self.lay is not None:
            at_us, place = np.append(at_us[:1], at_us), np.concatenate([self.lay[None, :], place])
        for walk in self.walks[1:]:
            at_us = np.concatenate([at_us, [walk.start_us], walk.middle.at_us])
            place = np.concatenate([place, place[-1:], walk.middle.place])
        if rests_us > self.ends_us:
            at_us, place = np.append(at_us, rests_us), np.concatenate([place, place[-1:]])
        return at_us, place

    def group(self, at_us: int) -> str:
        """The walk under way then, or the last before."""
        begun = [walk.group for walk in self.walks if walk.start_us <= at_us]
        return begun[-1] if begun else self.walks[0].group


@dataclass(slots=True)
class _Heard:
    """Reads of tags that move, of one portal: chunks of (times, tag numbers)."""

    chunks: list[tuple[Ints, Ints]] = field(default_factory=list)

    def count(self, tag: int, begin_us: int, end_us: int) -> int:
        """Reads of a tag in [begin, end]."""
        if not self.chunks:
            return 0
        at_us, tags = self._joined()
        return int(np.count_nonzero((tags == tag) & (at_us >= begin_us) & (at_us <= end_us)))

    def forget(self, before_us: int) -> None:
        """Drop what no visit asks for any more."""
        at_us, tags = self._joined()
        keep = at_us >= before_us
        self.chunks = [(at_us[keep], tags[keep])]

    def _joined(self) -> tuple[Ints, Ints]:
        if len(self.chunks) > 1:
            at_us, tags = (np.concatenate(column) for column in zip(*self.chunks, strict=True))
            self.chunks = [(at_us, tags)]
        return self.chunks[0]


class Tracks:
    """Takes walks as they begin and reads as they are handed out, and gives crossings once they are sure."""

    def __init__(self, scenario: Scenario, frames: Mapping[str | None, Placed], dead: Flags) -> None:
        self._scenario = scenario
        self._frames = frames
        self._dead = dead
        self._portals = {portal.id: portal for portal in scenario.portals}
        self._doorways: list[DoorwayPart] = [*scenario.portals, *scenario.openings]
        self._open: list[Track] = []
        self._rest: dict[int, Floats] = {}
        self._heard = {portal.id: _Heard() for portal in scenario.portals}
        self._moving = np.zeros(scenario.tags.count + 1, dtype=np.bool_)
        for walk in scenario.walks:
            self._moving[list(walk.tags)] = True
        if scenario.traffic:
            self._moving[list(scenario.traffic.tags)] = True

    def walked(self, walk: Walk) -> None:
        """Begin or go on with the tracks of what a walk carries; walks come in the order of their starts."""
        states: dict[int, TagState] = {tag: self._state(tag, walk) for tag in walk.tags}
        states |= dict.fromkeys(walk.peeled, "peeled")
        for track in self._open:
            goes_on = {tag: states[tag] for tag in track.tags if tag in states}
            resting = track.walks[-1].lies_after and walk.start_us < track.closes_us
            if goes_on and resting and walk.start_us >= track.walks[-1].end_us:
                for tag in goes_on:
                    del track.tags[tag], states[tag]
                self._open.append(Track([*track.walks, walk], goes_on, track.lay))
        self._open = [track for track in self._open if track.tags]
        for lay, mine in self._by_rest(states, walk):
            self._open.append(Track([walk], mine, lay))
        for tag in walk.tags:
            self._rest.pop(tag, None)
            if walk.lies_after:
                self._rest[tag] = walk.middle.place[-1]

    def heard(self, portal: str, at_us: Ints, tag: Ints) -> None:
        """Take reads (n,) of one portal's antennas; `tag` is the index of each, or less than 0."""
        chosen = self._moving[tag + 1]
        if chosen.any():
            self._heard[portal].chunks.append((at_us[chosen], tag[chosen] + 1))

    def take(self, until_us: int, *, over: bool) -> list[Crossing]:
        """Crossings that are sure by then, in the order of their ends; at the end of the world all are."""
        sure = [track.closes_us + LATE_US <= until_us or (over and track.ends_us <= until_us) for track in self._open]
        closed = [track for track, done in zip(self._open, sure, strict=True) if done]
        self._open = [track for track, done in zip(self._open, sure, strict=True) if not done]
        found = [crossing for track in closed for crossing in self._crossings(track, until_us)]
        oldest = min([track.walks[0].start_us for track in self._open], default=until_us)
        for heard in self._heard.values():
            if len(heard.chunks) > MOST_CHUNKS:
                heard.forget(min(oldest, until_us) - LATE_US)
        return sorted(found, key=lambda crossing: (crossing.ended_us, crossing.portal, crossing.epc))

    def _by_rest(self, states: dict[int, TagState], walk: Walk) -> list[tuple[Floats | None, dict[int, TagState]]]:
        """Assets by where they lay before, near enough to have been handed on; None is nowhere."""
        found: dict[tuple[float, ...], tuple[Floats | None, dict[int, TagState]]] = {}
        for tag, state in states.items():
            lay = self._rest.get(tag)
            if lay is not None and np.linalg.norm(walk.middle.place[0] - lay) > HANDED_M:
                lay = None
            key = () if lay is None else tuple(float(axis) for axis in lay)
            found.setdefault(key, (lay, {}))[1][tag] = state
        return list(found.values())

    def _state(self, tag: int, walk: Walk) -> TagState:
        if self._dead[tag - 1]:
            return "dead"
        return "foil" if walk.carry == "foil-bag" else "ok"

    def _crossings(self, track: Track, until_us: int) -> Iterator[Crossing]:
        moved, rested = track.points(), track.points(min(track.closes_us, until_us))
        for doorway in self._doorways:
            frame, half = self._frames[doorway.id], doorway.width_m / 2
            if not any(walk.middle.comes_near(*doorway.at, SIGHT_M) for walk in track.walks):
                continue
            lies_there = off_segment(frame.to_frame(moved[1][-1:]), half)[0] < NEAR_M
            at_us, place = rested if lies_there else moved
            for visit in visits(at_us, frame.to_frame(place), doorway.width_m):
                yield from self._each(track, doorway, visit)

    def _each(self, track: Track, doorway: DoorwayPart, visit: Visit) -> Iterator[Crossing]:
        """One visit for each asset that made it."""
        portal = self._portals.get(doorway.id)
        single = portal is not None and portal.layout == "single"
        for tag, state in track.tags.items():
            yield Crossing(
                self._scenario.epc(tag),
                doorway.id,
                "near" if single else visit.kind,
                visit.started_us,
                None if single else visit.crossed_us,
                visit.ended_us,
                group=track.group(visit.started_us if visit.crossed_us is None else visit.crossed_us),
                reads=0 if state == "peeled" else self._reads(doorway.id, tag, visit),
                tag=state,
                monitored=portal is not None,
            )

    def _reads(self, doorway: str, tag: int, visit: Visit) -> int:
        heard = self._heard.get(doorway)
        return 0 if heard is None else heard.count(tag, visit.started_us, visit.ended_us + LATE_US)
