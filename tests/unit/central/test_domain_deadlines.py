"""Stages of a due date: warning at half of the business days, due, three levels, and who hears of each."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from central.domain.calendars import CalendarKey, Calendars, due, halfway
from central.domain.deadlines import Obligation, Policy, halfway_to, plan

LONDON = ZoneInfo("Europe/London")
PLACE = CalendarKey("GB", None, "Europe/London", ("store",))
START = datetime(2026, 12, 24, 15, tzinfo=LONDON)
CALENDARS = Calendars()
POLICY = Policy(
    "receipt", None, warn=True, steps=(0, 1, 3), path=("receiver", "branch_admin", "itam_manager", "it_ops_head")
)


def planned(policy=POLICY, days=2, start=START, path=()):
    when = due(start, days, PLACE, CALENDARS)
    one = Obligation("receipt", "LT-1/1", "LT-1", "store", start, when.at, "anna", path)
    return plan(one, policy, PLACE, CALENDARS.at(PLACE, start))


def test_a_receipt_warns_at_half_is_due_and_climbs_three_levels():
    """From the day before Christmas: half is the 29th, due the 30th; the 1st is a holiday in Britain."""
    found = [(one.stage, one.at.astimezone(LONDON).strftime("%m-%d %H:%M"), one.recipient) for one in planned()]
    assert found == [
        ("warn", "12-29 23:59", "anna"),
        ("due", "12-30 23:59", "anna"),
        ("l1", "12-30 23:59", "branch_admin"),
        ("l2", "12-31 23:59", "itam_manager"),
        ("l3", "01-05 23:59", "it_ops_head"),
    ]
    assert {one.calendar for one in planned()} == {due(START, 2, PLACE, Calendars()).calendar}


def test_a_records_own_path_wins_and_a_short_one_ends_with_its_last():
    assert [one.recipient for one in planned(path=("receiver", "boss"))] == ["anna", "anna", "boss", "boss", "boss"]


def test_without_a_warning_it_begins_with_the_due_date():
    quiet = Policy("receipt", None, warn=False, steps=(2,), path=("receiver", "boss"))
    assert [one.stage for one in planned(quiet)] == ["due", "l1"]


@given(hours=st.integers(0, 3 * 365 * 24), days=st.integers(1, 30))
def test_half_of_a_due_date_is_half_of_the_days_that_were_counted_to_it(hours, days):
    start = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    when = due(start, days, PLACE, CALENDARS)
    assert halfway_to(start, when.at, PLACE, CALENDARS.at(PLACE, start)) == halfway(start, days, PLACE, CALENDARS)


@given(hours=st.integers(0, 3 * 365 * 24), days=st.integers(0, 30))
def test_stages_come_in_their_order(hours, days):
    stages = planned(days=days, start=datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=hours))
    instants = [one.at for one in stages]
    assert instants == sorted(instants)


def test_with_no_business_day_between_half_is_half_of_the_time():
    end = datetime(2026, 12, 26, 12, tzinfo=LONDON)
    start = datetime(2026, 12, 25, 12, tzinfo=LONDON)
    assert halfway_to(start, end, PLACE, Calendars().at(PLACE, start)) == start + (end - start) / 2
