"""How long assets stay, and after how long without a word a place is in doubt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.domain.story.belief import CERTAIN
from central.domain.story.stays import DEPARTS_AFTER_H, Curve, Leaving, Stay, curve, patience_h, unseen

DAILY = [8.0, 8.5, 9.0, 8.2, 8.8, 9.1, 8.4]


def left_unseen(own, place, missed, hours):
    """The rule said out loud: who is over its time has left unseen, or stayed."""
    share = (sum(one <= hours for one in own) + place.at(hours)) / (len(own) + 1)
    return missed * share / (missed * share + 1 - share)


def test_a_curve_counts_each_asset_once_and_those_that_are_still_there_as_staying():
    stays = [Stay("daily", 8.0, ended=True)] * 9 + [Stay("rests", 500.0, ended=False)]
    assert curve(stays).at(7.9) == 0.0
    assert curve(stays).at(8.0) == pytest.approx(0.5)


def test_a_stay_that_goes_on_for_less_than_others_says_nothing_of_them():
    stays = [Stay("a", 8.0, ended=True), Stay("b", 1.0, ended=False), Stay("c", 10.0, ended=True)]
    assert curve(stays).at(8.0) == pytest.approx(0.5)
    assert curve(stays).at(10.0) == pytest.approx(1.0)


def test_nobody_that_ever_left_gives_a_curve_that_stays_at_nought():
    assert curve([Stay("a", 900.0, ended=False)]).at(1e6) == 0.0


def test_doors_that_miss_more_are_taken_more_often_than_they_tell():
    assert unseen([]) == pytest.approx(0.1)
    assert unseen([Leaving(80, 1000, 250.0)]) == pytest.approx(0.2, abs=0.005)
    two = [Leaving(80, 10_000, 2500.0), Leaving(100, 10_000, 0.0)]
    assert unseen(two) == pytest.approx(0.1, abs=0.005)


def test_who_goes_home_every_day_is_in_doubt_the_same_evening_and_who_never_left_for_weeks_is_not():
    place = curve([Stay("daily", hours, ended=True) for hours in DAILY] + [Stay("rests", 700.0, ended=False)] * 9)
    assert 8 < patience_h(DAILY, place, 0.2) <= 9.1
    assert patience_h([], Curve(), 0.2) > 24 * 7


def test_a_door_that_misses_nothing_needs_no_doubt_before_all_have_long_gone():
    assert patience_h(DAILY, Curve(), 1e-6) > 24 * 365


@given(
    st.lists(st.floats(0.1, 2000.0), max_size=12), st.lists(st.floats(0.1, 2000.0), max_size=12), st.floats(0.001, 0.9)
)
def test_patience_ends_where_the_place_gets_less_likely_than_is_certain(own, others, missed):
    place = curve([Stay(str(number), hours, ended=True) for number, hours in enumerate(others)])
    hours = patience_h(own, place, missed)
    assert 0 < hours <= DEPARTS_AFTER_H * 20
    if hours in {*own, *place.hours}:
        assert left_unseen(own, place, missed, hours) > 1 - CERTAIN - 1e-9
    earlier = [one for one in (*own, *place.hours) if one < hours]
    if earlier:
        assert left_unseen(own, place, missed, max(earlier)) <= 1 - CERTAIN + 1e-9


def test_between_two_departures_a_curve_rises_evenly_and_at_them_it_is_what_was_measured():
    known = Curve((10.0, 30.0), (0.2, 0.6))
    assert [known.between(hours) for hours in (0.0, 5.0, 10.0, 20.0, 30.0, 99.0)] == pytest.approx(
        [0.0, 0.1, 0.2, 0.4, 0.6, 0.6]
    )
    assert Curve().between(5.0) == 0.0
    assert Curve((0.0,), (0.5,)).between(0.0) == 0.5
