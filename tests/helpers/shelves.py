"""A small seeded world of hits: assets, each tag with a hit rate of its own, some of which leave unseen."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from central.domain.presence.fold import Place, Stay, fold
from central.domain.presence.spans import Heard, Span, rounds

BEGIN = datetime(2026, 1, 1, 6, tzinfo=UTC)
DAY = timedelta(days=1)


def tag(index):
    """EPC of the world's asset number `index`."""
    return f"3034257bf7194e40{index:08x}"


@dataclass
class Shelves:
    """What was swept day by day, and since when each asset is gone in truth (day; infinite if it stays)."""

    sweeps: list
    rates: np.ndarray
    gone_from: np.ndarray


def shelves(seed, *, assets=250, days=50, leave_per_day=1 / 500, good=5.0, bad=1.0):
    """Make a world: hit rates from Beta(good, bad), one sweep a day, departures that no door told."""
    rng = np.random.default_rng(seed)
    rates = rng.beta(good, bad, assets)
    gone_from = rng.exponential(1 / leave_per_day, assets)
    sweeps = []
    for day in range(days):
        there = gone_from > day
        heard = there & (rng.random(assets) < rates)
        start = BEGIN + day * DAY
        hits = tuple(Heard(tag(int(index)), start + timedelta(minutes=5)) for index in np.flatnonzero(heard))
        sweeps.append(Span("shelf", "sweep", start, start + timedelta(minutes=20), 1.0, hits))
    return Shelves(sweeps, rates, gone_from)


def stays(assets, since=BEGIN - DAY, confidence=1.0):
    """The book: every asset has stood there since the day before."""
    return [Stay(f"A-{index:05d}", (tag(index),), since, confidence) for index in range(assets)]


def believed(world):
    """Yield (probabilities of being there, truth) for all assets after each sweep."""
    place, book = Place(), stays(len(world.rates))
    for day, sweep in enumerate(world.sweeps):
        place = fold(place, book, rounds([sweep]))
        yield np.array([place.assets[stay.asset].probability for stay in book]), world.gone_from > day, place
