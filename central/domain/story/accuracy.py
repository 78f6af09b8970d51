"""What a door misses and misreads, measured by itself: no ground truth, only what later sightings contradict.

Between two sightings an asset goes from where the first left it to where the next finds it. Where these differ, doors
were passed unseen; where they don't, some may have been, out and in again. Going about is taken for a walk from door to
door, each next one chosen as it is chosen after the last, each crossing missed at the door's own rate; how often each
door was passed unseen is what such walks lead to expect (expectation and maximisation over all doors' ways and rates).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np

from central.domain.places import Places
from central.domain.story.beta import quantile
from central.domain.story.routes import BEYOND, OUTSIDE

MONTH: Final = timedelta(days=30)
LOW, HIGH = 0.025, 0.975
"""Ends of the interval: 95 %."""
_PRIOR_MISSES, _PRIOR_SEEN = 0.5, 1.0
_BEGIN: Final = 0.1
"""Miss rate to begin with."""
_IDLE: Final = 0.01
"""Uses of a door, either way, before any is known: one that never sees anything isn't ruled out."""
_ALIKE: Final = 2.0
"""What follows on a step is learnt from so many steps' worth of how doors are used by all."""
_ROUNDS: Final = 60
_ANY: Final = 0.5
"""Fewer missed crossings than this may be none."""
_MOST: Final = 0.95
_NO_WAY: Final = 1e-9
"""Where no door leads from a sighting to the next, none is to blame."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What a door saw in a span: crossings each way, and those that others contradict."""

    portal: str
    inside: str
    outside: str
    outward: int = 0
    inward: int = 0
    misread: int = 0

    @property
    def crossings(self) -> int:
        """Crossings either way."""
        return self.outward + self.inward

    def and_then(self, later: "Tally") -> "Tally":
        """Return what the door saw in this part of a span and in a later one."""
        return replace(
            later,
            outward=self.outward + later.outward,
            inward=self.inward + later.inward,
            misread=self.misread + later.misread,
        )


class Sighting(NamedTuple):
    """A crossing of a portal, that led to `place`; or, without a portal, that the asset was seen or heard there."""

    portal: str | None
    place: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """So many times a sighting was followed by the next."""

    first: Sighting
    then: Sighting
    times: int = 1


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with the ends of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How a door sees: share of crossings that it misses, and how many it misses and misreads a month."""

    portal: str
    since: datetime
    until: datetime
    crossings: int
    missed: float
    misread: int
    miss_rate: Estimate
    missed_month: Estimate
    misread_month: Estimate


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a span: what the doors that stood all through it saw, and the stretches between sightings in it."""

    since: datetime
    until: datetime
    tallies: Sequence[Tally]
    stretches: Sequence[Stretch]


def measure(parts: Sequence[Part], places: Places) -> list[Accuracy]:
    """Return the accuracy of each tallied door over a span whose parts follow each other.

    A door counts from the first part that tallies it: it has missed nothing before, and takes no blame off others.
    """
    since: dict[str, datetime] = {}
    seen: dict[str, Tally] = {}
    found: dict[str, Unseen] = {}
    for part in parts:
        missed = unseen(part.tallies, part.stretches, places)
        for tally in part.tallies:
            since.setdefault(tally.portal, part.since)
            before = seen.get(tally.portal)
            seen[tally.portal] = tally if before is None else before.and_then(tally)
            found[tally.portal] = found.get(tally.portal, _NOTHING).and_then(missed[tally.portal])
    doors = Counter(frozenset((tally.inside, tally.outside)) for tally in seen.values() if tally.crossings)
    return [
        _measure(
            tally, found[tally.portal], since[tally.portal], parts[-1].until,
            alone=doors[frozenset((tally.inside, tally.outside))] <= 1,
        )
        for tally in seen.values()
    ]  # fmt: skip


class Unseen(NamedTuple):
    """How many crossings a door is expected to have missed, and how many of them something contradicts."""

    missed: float
    contradicted: float

    def and_then(self, later: "Unseen") -> "Unseen":
        """Return what was missed in this part of a span and in a later one."""
        return Unseen(self.missed + later.missed, self.contradicted + later.contradicted)


_NOTHING: Final = Unseen(0.0, 0.0)


def unseen(tallies: Sequence[Tally], stretches: Iterable[Stretch], places: Places) -> dict[str, Unseen]:
    """Return what each door is to be expected to have missed."""
    if not tallies:
        return {}
    walks = _Walks(tallies, places)
    followed = walks.count(stretches)
    for _ in range(_ROUNDS):
        walks.learn(followed)
    missed, contradicted = walks.missed(followed), walks.missed(walks.broken(followed))
    return {
        tally.portal: Unseen(float(missed[index]), float(contradicted[index])) for index, tally in enumerate(tallies)
    }


class _Walks:
    """Walks from sighting to sighting: what follows on what, and which share of its crossings each door misses.

    A step is a door one way, or "seen at a place", which is never missed. All that lies outside is one place.
    """

    def __init__(self, tallies: Sequence[Tally], places: Places) -> None:
        self._places = places
        self._crossings = np.array([tally.crossings for tally in tallies], float)
        self._rate = np.full(len(tallies), _BEGIN)
        ways = [(tally.portal, self._named(tally.outside)) for tally in tallies]
        ways += [(tally.portal, self._named(tally.inside)) for tally in tallies]
        self._between = {self._named(side) for tally in tallies for side in (tally.inside, tally.outside)}
        steps: list[tuple[str | None, str]] = [*ways, *((None, place) for place in sorted(self._between))]
        self._steps = {step: number for number, step in enumerate(steps)}
        origins = [self._named(tally.inside) for tally in tallies] + [self._named(tally.outside) for tally in tallies]
        origins += sorted(self._between)
        ends = np.array([place for _, place in steps])
        self._joined = ends[:, None] == np.array(origins)[None, :]
        uses = [tally.outward for tally in tallies] + [tally.inward for tally in tallies] + [0] * len(self._between)
        self._usual = self._shares(np.array(uses, float) + _IDLE)
        self._then = self._usual
        self._door = np.arange(2 * len(tallies)) % max(len(tallies), 1)

    def count(self, stretches: Iterable[Stretch]) -> Any:
        """Return how often each step was followed by each, as far as it was seen."""
        followed = np.zeros((len(self._steps), len(self._steps)))
        for one in stretches:
            first, then = self._step(one.first), self._step(one.then)
            if first is not None and then is not None:
                followed[first, then] += one.times
        return followed

    def broken(self, followed: Any) -> Any:
        """Return those stretches whose second sighting begins elsewhere than the first ended."""
        return np.where(self._joined, 0.0, followed)

    def learn(self, followed: Any) -> None:
        """Learn ways and rates from stretches."""
        passed, ended = self._expect(followed)
        missed = self._by_door(passed)
        self._then = self._shares(_ALIKE * self._usual + passed + ended)
        rate = (missed + _PRIOR_MISSES) / (self._crossings + missed + _PRIOR_MISSES + _PRIOR_SEEN)
        self._rate = np.minimum(_MOST, rate)

    def missed(self, followed: Any) -> Any:
        """Return the crossings that each door is expected to have missed in stretches."""
        return self._by_door(self._expect(followed)[0])

    def _expect(self, followed: Any) -> tuple[Any, Any]:
        """Return how often each step is expected to have been taken after each: unseen, and at a stretch's end."""
        missing = np.zeros(len(self._steps))
        missing[: len(self._door)] = self._rate[self._door]
        hidden, told = self._then * missing, self._then * (1.0 - missing)
        ways = np.linalg.inv(np.eye(len(hidden)) - hidden)
        likely = ways @ told
        weight = np.divide(followed, likely, out=np.zeros_like(followed), where=likely > _NO_WAY)
        begun = ways.T @ weight
        return hidden * (begun @ likely.T), told * begun

    def _by_door(self, passed: Any) -> Any:
        return np.bincount(self._door, passed.sum(axis=0)[: len(self._door)], len(self._rate))

    def _shares(self, counts: Any) -> Any:
        possible = np.where(self._joined, counts, 0.0)
        total = possible.sum(axis=1, keepdims=True)
        return np.divide(possible, total, out=np.zeros_like(possible), where=total > 0)

    def _step(self, one: Sighting) -> int | None:
        """Return a sighting's number; None where nothing leads there."""
        if one.portal is not None:
            return self._steps.get((one.portal, self._named(one.place)))
        around = (self._named(place) for place in self._places.chain(one.place)) if one.place in self._places else ()
        return next((self._steps[None, place] for place in around if place in self._between), None)

    def _named(self, place: str) -> str:
        return OUTSIDE if place in self._places and self._places[place].kind in BEYOND else place


def _measure(tally: Tally, found: Unseen, since: datetime, until: datetime, *, alone: bool) -> Accuracy:
    """Return a door's accuracy.

    Crossings missed in pairs, out and in again, contradict nothing: they follow from the rate that the others show, and
    tell nothing of it. So a rate is known as well as from (contradicted / missed)² times as many crossings, which is
    exact where a door is gone through out and in by turns. What doors side by side have missed can't be told apart: the
    low end is without it, the high end with half more.
    """
    months, missed = (until - since) / MONTH, found.missed
    known = min(1.0, found.contradicted / missed) ** 2 if missed >= _ANY else 1.0
    least, most = (missed, missed) if alone else (0.0, 1.5 * missed)
    value = missed / (tally.crossings + missed) if missed else 0.0
    others = known * tally.crossings + _PRIOR_SEEN
    low = quantile(LOW, known * least + _PRIOR_MISSES, others) if least >= _ANY else 0.0
    high = quantile(HIGH, known * most + _PRIOR_MISSES, others)
    rate = Estimate(value, min(low, value), max(high, value))
    ends = (min(one, _MOST) for one in (rate.value, rate.low, rate.high))
    a_month = [tally.crossings * one / (1 - one) / months for one in ends]
    return Accuracy(
        tally.portal,
        since,
        until,
        tally.crossings,
        missed,
        tally.misread,
        rate,
        Estimate(*a_month),
        _misread(tally, months),
    )


def _misread(tally: Tally, months: float) -> Estimate:
    """Return the crossings a month that others contradict."""
    hits, others = tally.misread + _PRIOR_MISSES, max(0, tally.crossings - tally.misread) + _PRIOR_SEEN
    low, high = (quantile(end, hits, others) * tally.crossings for end in (LOW, HIGH))
    return Estimate(tally.misread / months, min(low, tally.misread) / months, max(high, tally.misread) / months)
