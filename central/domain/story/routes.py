"""Ways between places: how likely an asset got from one to another unseen, and which doors would have missed it.

The rates are fixed, so that a story is a function of its log; each door's own, which everybody's sightings tell, is
measured apart (`central.domain.story.accuracy`).
"""

import heapq
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from central.domain.story.records import World

MISSED_AT: Final = {"portal": 0.05, "alarmed_door": 0.01, "unmonitored": 0.5}
"""How readily an opening lets an asset through unseen, before anything is known of it."""
FREE: Final = 1.0
UNKNOWN_WAY: Final = 0.01
"""No way is less likely than this: people carry things through windows, and registries lack doors."""
OUTSIDE: Final = "\0outside"
"""Where all that lies beyond the outermost doors meets; no location's id can be this."""
BEYOND: Final = frozenset({"exterior", "remote", "vendor", "repair", "disposal"})
"""Kinds of places that are reached from outside."""
_SAME: Final = 1e-9
_FURTHEST: Final = 1e-8
"""Likelihood at which the search ends: six doors missed in a row blame none of them."""
_KEPT: Final = 100_000
"""Ways that are remembered at most."""


@dataclass(frozen=True, slots=True)
class Way:
    """The likeliest ways from one place to another; each door's share is the expected number of crossings it missed."""

    likelihood: float
    shares: tuple[tuple[str, float], ...] = ()

    @property
    def free(self) -> bool:
        """Whether nothing stands in the way."""
        return self.likelihood >= FREE


HERE: Final = Way(FREE)


class Routes:
    """Ways through the registry's openings, worked out once each."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._steps: dict[str, dict[str, list[tuple[str | None, float]]]] = defaultdict(lambda: defaultdict(list))
        self._known: dict[tuple[str, str], Way] = {}
        self._bounded: set[str] = set()
        self._turns = world.turns()
        self._earlier: dict[int, Routes] = {}
        self._draw()

    def at(self, instant: datetime) -> "Routes":
        """Return the ways through the doors that the registry had at an instant: a later one explains nothing."""
        if not self._turns or instant >= self._turns[-1]:
            return self
        number = bisect_right(self._turns, instant)
        if number not in self._earlier:
            self._earlier[number] = Routes(self._world.as_of(instant))
        return self._earlier[number]

    def way(self, origin: str, destination: str) -> Way:
        """Return the likeliest way; where none is known, one that blames nobody."""
        if origin == destination:
            return HERE
        known = self._known.get((origin, destination))
        if known is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            known = self._known[origin, destination] = self._search(origin, destination)
        return known

    def within(self, location: str, around: str) -> bool:
        """Tell whether a location is another or lies in it."""
        return self._world.places.within(location, around)

    def _draw(self) -> None:
        for portal in self._world.portals.values():
            self._join(portal.inside, portal.outside, portal.id, MISSED_AT["portal"])
            self._bounded.add(portal.inside)
        for gap in self._world.gaps:
            for inside, outside in self._around(gap.location):
                self._join(inside, outside, None, MISSED_AT.get(gap.kind, FREE))
            self._bounded.add(gap.location)
        for location in self._world.places:
            if location.kind in BEYOND:
                self._join(location.id, OUTSIDE, None, FREE)
            elif location.parent is not None and location.id not in self._bounded:
                self._join(location.id, location.parent, None, FREE)

    def _around(self, location: str) -> set[tuple[str, str]]:
        """Return the pairs of places that a boundary divides: an unwatched opening may lie at any of them."""
        pairs = {
            (portal.inside, portal.outside) if inner else (portal.outside, portal.inside)
            for portal in self._world.portals.values()
            if (inner := self.within(portal.inside, location)) != self.within(portal.outside, location)
        }
        parent = self._world.places[location].parent
        return pairs or ({(location, parent)} if parent is not None else set())

    def _join(self, one: str, other: str, portal: str | None, rate: float) -> None:
        self._steps[one][other].append((portal, rate))
        self._steps[other][one].append((portal, rate))

    def _search(self, origin: str, destination: str) -> Way:
        """Widen from the origin by falling likelihood; ties are kept, since their doors share the blame."""
        best, before = {origin: FREE}, defaultdict[str, list[str]](list)
        heap = [(-FREE, origin)]
        done: dict[str, None] = {}
        while heap and -heap[0][0] > _FURTHEST:
            likelihood, place = heapq.heappop(heap)
            if place in done:
                continue
            done[place] = None
            if place == destination:
                return self._way(best, before, list(done))
            for beyond, openings in self._steps[place].items():
                reached = -likelihood * min(FREE, sum(rate for _, rate in openings))
                if beyond in done:
                    continue
                if reached > best.get(beyond, 0.0) * (1 + _SAME):
                    best[beyond], before[beyond] = reached, [place]
                    heapq.heappush(heap, (-reached, beyond))
                elif reached >= best.get(beyond, 0.0) * (1 - _SAME) and place not in before[beyond]:
                    before[beyond].append(place)
        return Way(UNKNOWN_WAY)

    def _way(self, best: dict[str, float], before: dict[str, list[str]], done: list[str]) -> Way:
        """Share one unit of passing, from the destination back to the origin, over the tied ways and parallel doors."""
        passing = defaultdict[str, float](float, {done[-1]: 1.0})
        shares = defaultdict[str, float](float)
        for place in reversed(done):
            for source in before[place]:
                part = passing[place] / len(before[place])
                passing[source] += part
                openings = self._steps[source][place]
                total = sum(rate for _, rate in openings)
                for portal, rate in openings:
                    if portal is not None:
                        shares[portal] += part * rate / total
        found = tuple(sorted((portal, share) for portal, share in shares.items() if share > _SAME))
        return Way(max(UNKNOWN_WAY, best[done[-1]]), found)
