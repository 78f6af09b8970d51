"""What a door misses and misreads, measured by itself: no ground truth, only what later sightings contradict.

A crossing that nobody saw comes out when the asset next turns up where the book can't have it. Doors that could have
missed it share it by their own rates (expectation and maximisation over all of them). Two misses in a row at one door,
out and in again, contradict nothing: how many of them there must be follows from how often such pairs are seen.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from central.domain.story.beta import quantile

MONTH: Final = timedelta(days=30)
LOW, HIGH = 0.025, 0.975
"""Ends of the interval: 95 %."""
_PRIOR_MISSES, _PRIOR_SEEN = 0.5, 1.0
_WHOLE: Final = 0.999
_ROUNDS: Final = 30
_MOST: Final = 0.95

Shared = Sequence[tuple[str, float]]
"""The doors that share a crossing that nobody saw, with their shares."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What is known of a door in a span: crossings seen, pairs of them (out and in at once), whole misses, misreads."""

    portal: str
    crossings: int
    pairs: int = 0
    missed: int = 0
    misread: int = 0


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


def measure(tallies: Sequence[Tally], shared: Sequence[Shared], since: datetime, until: datetime) -> list[Accuracy]:
    """Return the accuracy of each tallied door over a span; `shared` are misses that more than one door may own."""
    owned = share_out(tallies, shared)
    return [_measure(tally, owned[tally.portal], since, until) for tally in tallies]


def share_out(tallies: Sequence[Tally], shared: Sequence[Shared]) -> dict[str, float]:
    """Return how many of the shared misses each door owns, by likelihood."""
    known = {tally.portal: tally for tally in tallies}
    owned: dict[str, float] = dict.fromkeys(known, 0.0)
    expected = dict.fromkeys(known, 1.0)
    for _ in range(_ROUNDS if shared else 0):
        owned = _expect(shared, expected, owned)
        expected = {portal: _likely(tally, owned[portal]) for portal, tally in known.items()}
    return owned


def _likely(tally: Tally, owned: float) -> float:
    """Return how many crossings a door may be expected to miss: as much as it is used, at its own rate.

    One that saw nothing of late is hardly used, whatever its rate might be.
    """
    missed = tally.missed + owned + _PRIOR_MISSES
    return (tally.crossings + _PRIOR_SEEN) * missed / (tally.crossings + missed + _PRIOR_SEEN)


def _expect(shared: Sequence[Shared], expected: Mapping[str, float], known: Mapping[str, float]) -> dict[str, float]:
    owned = defaultdict[str, float](float, dict.fromkeys(known, 0.0))
    for doors in shared:
        weights = {portal: share * expected.get(portal, 0.0) for portal, share in doors}
        total, whole = sum(weights.values()), sum(share for _, share in doors)
        for portal, weight in weights.items():
            owned[portal] += min(1.0, whole * weight / total) if total else 0.0
    return owned


def _measure(tally: Tally, owned: float, since: datetime, until: datetime) -> Accuracy:
    months = (until - since) / MONTH
    missed = tally.missed + owned
    # What is only shared may belong to another door altogether: the ends are without it, and with half of it more.
    rates = [
        _rate(tally, missed / (tally.crossings + missed) if missed else 0.0),
        _rate(tally, quantile(LOW, tally.missed + _PRIOR_MISSES, tally.crossings + _PRIOR_SEEN)),
        _rate(tally, quantile(HIGH, missed + owned / 2 + _PRIOR_MISSES, tally.crossings + _PRIOR_SEEN)),
    ]
    rate = Estimate(rates[0], min(rates[:2]), max(rates[0], rates[2]))
    a_month = [tally.crossings * one / (1 - one) / months for one in (rate.value, rate.low, rate.high)]
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


def _rate(tally: Tally, contradicted: float) -> float:
    """Return the miss rate of a door of whose crossings a share `contradicted` came out as missed.

    Of pairs (out, in), of which both are seen with (1 - q)², both are missed with q²: they are added until it agrees.
    """
    contradicted = min(contradicted, _MOST)
    missed = tally.crossings * contradicted / (1 - contradicted)
    rate = contradicted
    for _ in range(_ROUNDS):
        unseen = 2 * tally.pairs * rate**2 / ((1 - rate) ** 2 * (1 + rate))
        total = tally.crossings + missed + unseen
        rate = min(_MOST, (missed + unseen) / total) if total else contradicted
    return rate
