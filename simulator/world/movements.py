"""All that moves, as time goes on: walks under way, tags that lie between them, and the doors that they open."""

import heapq
import math
from collections.abc import Callable, Iterator
from typing import Final

from simulator.scenarios.model import Scenario
from simulator.world.doors import Door
from simulator.world.scenes import Lying, lying
from simulator.world.schedule import Schedule, Walk
from simulator.world.tags import one_sided
from simulator.world.traffic import Traffic

KEPT_US: Final = 2_000_000
"""Walks are kept so long beyond the time that everybody has passed: a round begins before it is asked for."""
FOREVER_US: Final = 2**62


class Movements:
    """Makes walks in the order of their starts, tells whoever watches, and forgets them when they are over."""

    def __init__(self, scenario: Scenario, schedule: Schedule, traffic: Traffic | None, doors: dict[str, Door]) -> None:
        self._schedule = schedule
        self._traffic = traffic
        self._lies = any(part.lies != "never" for part in scenario.walks)
        self._doors = doors
        self._watchers: list[Callable[[Walk], None]] = []
        self._clocks: list[Callable[[int], None]] = []
        self._known_us = -1
        self.going: list[Walk] = []
        self._sided = dict(enumerate(one_sided(scenario).tolist(), start=1))
        self._lying: list[tuple[int, int, Lying]] = []
        self._laid = 0
        for tag, first in schedule.firsts():
            if first.lies_before:
                self._lay(first, [tag], 0, first.start_us, at_end=False)

    @property
    def lying(self) -> list[Lying]:
        """Tags that lie, the earliest laid first."""
        return [one for _, _, one in sorted(self._lying, key=lambda entry: entry[1])]

    def watch(self, watcher: Callable[[Walk], None]) -> None:
        """Have somebody told of every walk, in the order of their starts, before it begins."""
        self._watchers.append(watcher)

    def follow(self, clock: Callable[[int], None]) -> None:
        """Have somebody told up to when walks and doors are known."""
        self._clocks.append(clock)

    def until(self, at_us: int) -> None:
        """Know all that starts up to then."""
        if at_us <= self._known_us:
            return
        self._known_us = at_us
        trips = [] if self._traffic is None else self._traffic.until(at_us)
        for walk in sorted([*self._schedule.until(at_us), *trips], key=lambda walk: walk.start_us):
            self.going.append(walk)
            if self._lies:
                self._lay_down(walk)
            for watcher in self._watchers:
                watcher(walk)
            for door in self._doors.values():
                for way in walk.ways:
                    door.walked(way)
        for door in self._doors.values():
            door.until(at_us)
        for clock in self._clocks:
            clock(at_us)

    def forget(self, before_us: int) -> None:
        """Drop what was over well before."""
        limit_us = before_us - KEPT_US
        if self.going and min(walk.end_us for walk in self.going) < limit_us:
            self.going = [walk for walk in self.going if walk.end_us >= limit_us]
        while self._lying and self._lying[0][0] < limit_us:
            heapq.heappop(self._lying)
        for door in self._doors.values():
            door.forget(limit_us)

    def _lay_down(self, walk: Walk) -> None:
        """Its tags lie until their next walk: where this one ended, or where the next begins."""
        for next_walk, tags in self._by_next(walk):
            until_us = FOREVER_US if next_walk is None else next_walk.start_us
            if walk.lies_after:
                self._lay(walk, tags, walk.end_us, until_us, at_end=True)
            elif next_walk is not None and next_walk.lies_before:
                self._lay(next_walk, tags, walk.end_us, until_us, at_end=False)

    def _by_next(self, walk: Walk) -> Iterator[tuple[Walk | None, list[int]]]:
        found: dict[tuple[int, str], tuple[Walk | None, list[int]]] = {}
        for tag in walk.tags:
            after = self._schedule.after(tag, walk)
            key = (-1, "") if after is None else (after.start_us, after.group)
            found.setdefault(key, (after, []))[1].append(tag)
        yield from found.values()

    def _lay(self, walk: Walk, tags: list[int], begin_us: int, end_us: int, *, at_end: bool) -> None:
        if end_us > begin_us:
            self._laid += 1
            laid = lying(walk, tags, begin_us, end_us, self._sided, at_end=at_end)
            heapq.heappush(self._lying, (end_us, self._laid, laid))


def lasts_s(scenario: Scenario, seconds: float | None) -> float | None:
    """How long a scenario lasts: as given, as it says itself, or as its working day; None is by its walks."""
    if seconds is not None or scenario.seconds is not None or scenario.traffic is None:
        return scenario.seconds if seconds is None else seconds
    return scenario.traffic.seconds


def limit_us(scenario: Scenario, seconds: float | None) -> float:
    """No walk ends later: the last seconds of a limited run are quiet."""
    given = lasts_s(scenario, seconds)
    return math.inf if given is None else 1e6 * (given - scenario.quiet_end_s)
