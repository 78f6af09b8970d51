"""What a stay's length and the doors' misses say of who left unseen, against worlds whose truth is known."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.domain.presence import history
from central.domain.presence.history import Rates
from central.domain.presence.leaving import BACK, ELSEWHERE, Usual
from central.domain.story.stays import Stay, curve
from tests.helpers.shelves import BEGIN, DAY

HOURS = st.floats(0.0, 2000.0).map(lambda hours: timedelta(hours=hours))
STAYS = st.lists(st.floats(0.01, 2000.0), max_size=20)


def measured(hours):
    """How long others stayed: each an asset of its own."""
    return curve(Stay(f"A-{number}", float(one), ended=True) for number, one in enumerate(hours))


@given(own=STAYS, others=STAYS, missed=st.floats(0.0, 1.0), carried=st.booleans(), parts=st.tuples(HOURS, HOURS, HOURS))
def test_what_becomes_of_an_asset_is_the_same_in_one_step_as_in_two(own, others, missed, carried, parts):
    usual = Usual(tuple(sorted(own)), measured(others), missed, carried=carried)
    start, middle, end = (BEGIN + sum(parts[:count], timedelta()) for count in (1, 2, 3))
    first, second = usual.since(BEGIN, start, middle), usual.since(BEGIN, middle, end)
    whole = usual.since(BEGIN, start, end)
    assert whole.stays == pytest.approx(first.stays * second.stays)
    assert whole.unseen == pytest.approx(first.unseen + first.stays * second.unseen)
    assert 0 < whole.stays <= 1
    assert 0 <= whole.unseen <= missed


@pytest.mark.parametrize("heard_h", [0.0, 24.0, 240.0])
def test_who_was_heard_after_the_others_had_passed_through_leaves_as_those_that_stay_do(heard_h):
    """Seven in ten pass through within a minute, the others stay for weeks; the door misses one in five that go."""
    rng = np.random.default_rng(11)
    lasts = np.where(rng.random(40_000) < 0.7, 0.02, rng.exponential(600.0, 40_000))
    seen = rng.random(40_000) >= 0.2
    end_h = heard_h + 168.0
    unseen = (lasts >= heard_h) & ~(seen & (lasts < end_h))
    usual = Usual((), measured(lasts[:4000]), 0.2)
    told = usual.still(BEGIN, BEGIN + timedelta(hours=heard_h), BEGIN + timedelta(hours=end_h))
    assert told == pytest.approx((lasts[unseen] >= end_h).mean(), abs=0.02)


def test_what_is_carried_is_gone_at_night_though_missed_ways_home_made_some_of_its_days_long():
    """Of forty stays three seem to last until the next evening: nobody saw the laptop go home and come back."""
    days = measured([8.0 + number / 40 for number in range(37)] + [33.0] * 3)
    night = BEGIN + timedelta(hours=15)
    assert Usual((), days, 0.25, carried=True).still(BEGIN, BEGIN, night) < 0.05
    assert Usual((), days, 0.25).still(BEGIN, BEGIN, night) > 0.15


def test_what_the_book_still_has_has_left_less_often_than_doors_miss():
    """A week in which one in ten leaves by a door that misses a third: most of the missed are seen again elsewhere."""
    desks = measured([100.0 * number for number in range(1, 11)])
    week, usual = BEGIN + timedelta(hours=100), Usual((), desks, 0.3)
    unseen = usual.since(BEGIN, BEGIN, week).unseen
    gone = history.aged(history.arrived(BEGIN, 1.0), week, Rates(1e-9), usual)
    assert unseen == pytest.approx(0.03)
    assert gone.away < unseen * (1.0 - ELSEWHERE.at_once)
    later = history.aged(gone, week + 30 * DAY, Rates(1e-9))
    assert later.away < gone.away
    assert Usual(carried=True).seen_again == BACK


@given(hits=st.integers(0, 9), silent=st.integers(1, 6))
def test_silences_count_as_misses_as_far_as_the_asset_is_there(hits, silent):
    key = ("e1", "floor", "sweep")
    known = history.arrived(BEGIN, 0.9, {key: history.Reads(float(hits), 1.0, 0, BEGIN)})
    for day in range(1, silent + 1):
        known = history.silence(known, {key: history.START["sweep"]}, BEGIN + day * DAY, Rates())
    told = [(one.misses, likely) for _, one, likely in history.so_far(known)]
    assert sum(likely for _, likely in told) == pytest.approx(1.0)
    assert dict(told)[max(misses for misses, _ in told)] == pytest.approx(known.there)
    assert max(misses for misses, _ in told) - min(misses for misses, _ in told) == pytest.approx(silent)
