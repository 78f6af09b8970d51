"""What doors miss, measured from contradictions alone, against worlds in which it is known."""

import random
from collections import Counter, defaultdict
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.domain.story.accuracy import Tally, measure, share_out
from central.domain.story.beta import mass_below, quantile
from tests.helpers.stories import START, act, at, cross, told

SPAN = START, START + timedelta(days=60)


@pytest.mark.parametrize(
    ("share", "hits", "others", "expected"),
    [
        (0.5, 2, 2, 0.5), (0.975, 1, 20, 1 - 0.025**0.05), (0.025, 1, 400, 1 - 0.975**0.0025),
        (0.025, 3, 1, 0.025 ** (1 / 3)),
    ],
)  # fmt: skip
def test_quantiles_that_have_a_closed_form_are_met(share, hits, others, expected):
    assert quantile(share, hits, others) == pytest.approx(expected, rel=1e-6)


@given(st.floats(0.01, 0.99), st.floats(0.5, 400), st.floats(0.5, 400))
def test_a_quantile_has_its_share_of_the_mass_below_it(share, hits, others):
    assert mass_below(quantile(share, hits, others), hits, others) == pytest.approx(share, abs=1e-6)


def test_the_mass_agrees_with_an_integral():
    """Midpoint rule over the density of Beta(3, 7)."""
    steps = 20_000
    density = [252 * ((n + 0.5) / steps) ** 2 * (1 - (n + 0.5) / steps) ** 6 for n in range(steps)]
    assert mass_below(0.3, 3, 7) == pytest.approx(sum(density[: steps * 3 // 10]) / steps, abs=1e-6)


def test_shared_misses_go_to_the_door_that_misses_more_by_itself():
    tallies = [Tally("bad", 100, missed=30), Tally("good", 100, missed=1)]
    owned = share_out(tallies, [[("bad", 0.5), ("good", 0.5)]] * 10)
    assert owned["bad"] + owned["good"] == pytest.approx(10)
    assert owned["bad"] > 9


def test_a_door_that_nobody_uses_takes_no_blame():
    tallies = [Tally("used", 1000, missed=30), Tally("idle", 0)]
    assert share_out(tallies, [[("used", 0.5), ("idle", 0.5)]] * 10)["used"] > 9


def test_a_door_that_saw_nothing_may_be_anything():
    one = measure([Tally("idle", 0)], [], *SPAN)[0]
    assert (one.miss_rate.value, one.missed_month.value) == (0, 0)
    assert one.miss_rate.high > 0.7


def test_a_month_of_misreads_has_an_interval():
    one = measure([Tally("door", 600, misread=6)], [], *SPAN)[0]
    assert one.misread_month.value == 3
    assert 0.9 < one.misread_month.low < 3 < one.misread_month.high < 7


WAYS = {
    "lone": [[("door-a", "out"), ("door-a", "in")]],
    "chain": [[("door-a", "out"), ("entrance", "out"), ("entrance", "in"), ("door-a", "in")]],
    "mixed": [
        [("door-a", "out"), ("door-a", "in")],
        [("door-a", "out"), ("entrance", "out"), ("entrance", "in"), ("door-a", "in")],
        [("door-a", "out"), ("door-b", "in"), ("door-b", "out"), ("door-a", "in")],
    ],
}


def lived(ways, rates, seed):
    """Tallies and shared misses of 40 assets that went 30 times about, through doors that miss at known rates."""
    draw, seen, shared = random.Random(seed), defaultdict(Counter), []
    for _ in range(40):
        items, hour = [act(0, "placed", location="stock-a")], 0
        for _ in range(30):
            for portal, kind in draw.choice(ways):
                hour += 1
                if draw.random() >= rates[portal]:
                    items.append(cross(hour, portal, kind, confidence=0.98))
        for one, other in pairwise(items[1:]):
            seen[one.portal]["pairs"] += one.portal == other.portal and one.destination == other.origin
        for one in items[1:]:
            seen[one.portal]["crossings"] += 1
        by_time = defaultdict(list)
        for one in told(*items).missed:
            if one.share > 0.999:
                seen[one.portal]["missed"] += 1
            else:
                by_time[one.at].append((one.portal, one.share))
        shared += by_time.values()
    tallies = [Tally(portal, one["crossings"], one["pairs"], one["missed"]) for portal, one in seen.items()]
    return [*tallies, Tally("gate", 0)], shared


@pytest.mark.parametrize("ways", WAYS)
@pytest.mark.parametrize("rate", [0.0, 0.05, 0.15, 0.3])
def test_measured_miss_rates_are_those_of_the_world(ways, rate):
    """Within the interval or 15 % of it, however the doors lie to each other."""
    rates = {"door-a": rate, "entrance": rate / 2, "door-b": rate}
    tallies, shared = lived(WAYS[ways], rates, seed=7)
    *found, idle = measure(tallies, shared, START, at(24 * 60))
    assert idle.missed_month.value == 0
    for one in found:
        truth = rates[one.portal]
        assert one.miss_rate.low * 0.85 <= truth <= one.miss_rate.high * 1.15, (one.portal, truth, one.miss_rate)
        assert one.miss_rate.low <= one.miss_rate.value <= one.miss_rate.high
