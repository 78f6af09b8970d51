"""What doors miss, measured from contradictions alone, against worlds in which it is known."""

import random
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.domain.story.accuracy import Part, Sighting, Stretch, Tally, measure, unseen
from central.domain.story.beta import mass_below, quantile
from tests.helpers.stories import DOORS, PLACES, START, at

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


def door(portal, outward=0, inward=0, misread=0):
    """Tally of a door of the small world."""
    return Tally(portal, *DOORS[portal], outward, inward, misread)


def went(first, then, times):
    """Stretch between crossings, told by (portal, where it led), or places where an asset was seen."""
    return Stretch(*(Sighting(None, one) if isinstance(one, str) else Sighting(*one) for one in (first, then)), times)


OUT_A, IN_A = ("door-a", "corridor"), ("door-a", "stock-a")


def test_what_is_found_beyond_a_door_that_did_not_see_it_was_missed_there():
    stretches = [went("stock-a", OUT_A, 60), went("stock-a", "corridor", 20), went(OUT_A, "corridor", 60)]
    missed = unseen([door("door-a", 60)], stretches, PLACES)["door-a"]
    assert missed.missed == pytest.approx(20, abs=0.5)
    assert missed.contradicted == pytest.approx(20, abs=0.5)


def test_a_crossing_that_one_of_two_doors_missed_goes_to_the_one_that_is_used_and_misses_more():
    """The entrance and the gate lead from the corridor to the street side by side."""
    tallies = [door("door-a", 100, 100), door("entrance", 100, 100), door("gate", 0, 0)]
    stretches = [went(OUT_A, ("entrance", "street"), 80), went(OUT_A, ("entrance", "corridor"), 20)]
    missed = unseen(tallies, stretches, PLACES)
    assert missed["entrance"].missed == pytest.approx(20, abs=2)
    assert missed["gate"].missed < 0.5
    found = {one.portal: one for one in measure([Part(*SPAN, tallies, stretches)], PLACES)}
    assert found["entrance"].miss_rate.low > 0


def test_a_door_that_came_halfway_has_missed_nothing_of_before_and_takes_no_blame_off_the_other():
    """The gate stands beside the entrance from day 30 on."""
    old = [door("door-a", 100, 100), door("entrance", 100, 100)]
    stretches = [went(OUT_A, ("entrance", "street"), 80), went(OUT_A, ("entrance", "corridor"), 20)]
    before, after = Part(START, at(24 * 30), old, stretches), Part(at(24 * 30), at(24 * 60), [*old, door("gate")], [])
    found = {one.portal: one for one in measure([before, after], PLACES)}
    assert (found["gate"].missed, found["gate"].since, found["gate"].until) == (0, at(24 * 30), at(24 * 60))
    (_, alone) = measure([before], PLACES)
    assert (found["entrance"].missed, found["entrance"].since) == (alone.missed, START)
    assert (found["entrance"].crossings, alone.crossings) == (400, 200)


def test_two_doors_side_by_side_that_are_used_alike_are_not_told_apart():
    tallies = [door("entrance", 100, 100), door("gate", 100, 100)]
    between = [("entrance", "street"), ("gate", "street")]
    stretches = [went("corridor", one, 100) for one in between] + [went("corridor", ("entrance", "corridor"), 40)]
    for one in measure([Part(*SPAN, tallies, stretches)], PLACES):
        assert one.miss_rate.low == 0
        assert one.miss_rate.high > 1.3 * one.miss_rate.value


def test_what_is_missed_out_and_in_again_is_expected_but_widens_the_interval():
    """A door gone through by turns that misses a fifth: a sixth of what follows is the same way again."""
    ways = [("entrance", "street"), ("entrance", "corridor")]
    alternate = [went(ways[0], ways[1], 250), went(ways[1], ways[0], 250)]
    again = [went(one, one, 50) for one in ways]
    (found,) = measure([Part(*SPAN, [door("entrance", 300, 300)], alternate + again)], PLACES)
    assert found.miss_rate.value == pytest.approx(0.2, abs=0.01)
    assert found.missed == pytest.approx(150, abs=8)
    assert found.miss_rate.high - found.miss_rate.low > 0.07


def test_a_sighting_outside_is_at_the_street_and_one_on_a_shelf_in_its_room():
    tallies = [door("door-a", 10, 10)]
    assert unseen(tallies, [went("shelf", "corridor", 5)], PLACES)["door-a"].missed == pytest.approx(5, abs=0.3)
    assert unseen([door("lobby", 10, 10)], [went("street", "hall", 5)], PLACES)["lobby"].missed == pytest.approx(
        5, abs=0.3
    )


def test_what_no_door_explains_blames_none():
    missed = unseen([door("door-a", 10), door("door-c", 10)], [went("stock-a", "stock-c", 9)], PLACES)
    assert {one.missed for one in missed.values()} == {0.0}
    assert unseen([], [], PLACES) == {}


def test_a_door_that_saw_nothing_may_be_anything():
    one = measure([Part(*SPAN, [door("gate")], [])], PLACES)[0]
    assert (one.miss_rate.value, one.missed_month.value) == (0, 0)
    assert one.miss_rate.high > 0.7


def test_a_month_of_misreads_has_an_interval():
    one = measure([Part(*SPAN, [door("door-a", 300, 300, misread=6)], [])], PLACES)[0]
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
    """Tallies and stretches of 40 assets that went 30 times about, through doors that miss at known rates."""
    draw, seen, followed = random.Random(seed), Counter(), Counter()
    for _ in range(40):
        last = Sighting(None, "stock-a")
        for _ in range(30):
            for portal, kind in draw.choice(ways):
                if draw.random() >= rates[portal]:
                    inside, outside = DOORS[portal]
                    now = Sighting(portal, inside if kind == "in" else outside)
                    seen[portal, kind] += 1
                    followed[last, now] += 1
                    last = now
    used = sorted({portal for portal, _ in seen})
    tallies = [door(portal, seen[portal, "out"], seen[portal, "in"]) for portal in used]
    return [*tallies, door("gate")], [Stretch(first, then, times) for (first, then), times in followed.items()]


@pytest.mark.parametrize("ways", WAYS)
@pytest.mark.parametrize("rate", [0.0, 0.05, 0.15, 0.3])
def test_measured_miss_rates_are_those_of_the_world(ways, rate):
    """Within the interval or 15 % of it, however the doors lie to each other."""
    rates = {"door-a": rate, "entrance": rate / 2, "door-b": rate}
    tallies, stretches = lived(WAYS[ways], rates, seed=7)
    *found, idle = measure([Part(START, at(24 * 60), tallies, stretches)], PLACES)
    assert idle.missed_month.value == 0
    for one in found:
        truth = rates[one.portal]
        assert one.miss_rate.low * 0.85 <= truth <= one.miss_rate.high * 1.15, (one.portal, truth, one.miss_rate)
        assert one.miss_rate.low <= one.miss_rate.value <= one.miss_rate.high
