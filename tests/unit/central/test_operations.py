"""Pure rules of what people set: schedules that slept, who answers for a place, weekdays, and the order of trips."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.application.columns import READERS
from central.application.in_transit import GoingView, trips
from central.domain.counting import newest, next_on
from central.domain.people import answering
from central.domain.places import Location, Places
from tests.helpers.fake_central import ago, going

PLACES = Places({
    "site": Location("site", "Site", "site", None, guarded=False),
    "house": Location("house", "House", "building", "site", guarded=True),
    "room": Location("room", "Room", "zone", "house", guarded=True),
})  # fmt: skip


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 2000), st.integers(1, 60))
def test_a_schedule_that_slept_counts_once_and_goes_on_after_today(on, days, months):
    today = date.fromordinal(on.toordinal() + days)
    last, after = newest("abc_cycle", on, today, months)
    assert on <= last <= today < after == next_on("abc_cycle", last, months)


@pytest.mark.parametrize(
    ("role", "owners", "answers"),
    [
        ("branch_admin", {"site": "keeper"}, "keeper"),
        ("branch_admin", {"site": "keeper", "house": "porter"}, "porter"),
        ("branch_admin", {}, "branch_admin"),
        ("security", {"site": "keeper"}, "security"),
    ],
)
def test_the_branch_is_who_owns_the_place_or_the_one_around_it(role, owners, answers):
    assert answering(role, "room", PLACES, owners) == answers
    assert answering(role, None, PLACES, owners) == role


@pytest.mark.parametrize(("text", "days"), [("mon-fri", "12345"), ("Sat", "6"), ("sun, mon,wed-thu", "1347")])
def test_weekdays_are_read_in_their_order(text, days):
    assert READERS["opening_hours"]["days"](text) == days


@pytest.mark.parametrize("text", ["", "mon-", "fri-mon", "1-5", "moon"])
def test_other_words_for_weekdays_are_refused_with_an_example(text):
    with pytest.raises(ValueError, match=r"mon-fri|from Monday on"):
        READERS["opening_hours"]["days"](text)


def test_trips_stand_by_urgency_with_the_undeclared_first():
    lost = {"transfer": None, "destination": None, "assumed": ["receiver"], "basis": "inferred"}
    legs = [
        going(1, transfer="T-2", receipt_due=ago(60)), going(2, transfer="T-1", receipt_due=ago(-60)),
        going(3, transfer="T-2", receipt_due=ago(-90)), going(4, **lost, receipt_due=ago(-900)),
    ]  # fmt: skip
    found = trips([GoingView.model_validate(one) for one in legs], {})
    assert [[leg.asset for leg in trip.legs] for trip in found] == [["LT-0004"], ["LT-0001", "LT-0003"], ["LT-0002"]]
    assert [trip.undeclared for trip in found] == [True, False, False]
