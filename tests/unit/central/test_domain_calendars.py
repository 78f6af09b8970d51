"""Business days: golden dates, what a start means, the naive oracle over ten years, overrides and versions."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from central.domain.calendars import LONGEST_CLOSED_D, CalendarKey, Calendars, Override, due, due_anyhow, halfway, later
from central.domain.published import CalendarError, published
from tests.helpers.naive_calendar import SUBDIVISIONS, ZONES, due_day, last_instant

US = CalendarKey("US", None, "America/New_York", ("hq", "ny"))
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def local(zone, *parts):
    return datetime(*parts, tzinfo=ZoneInfo(zone))


def day_of(start, count, place, calendars=None):
    return due(start, count, place, calendars or Calendars()).day


@pytest.mark.parametrize(
    ("country", "subdivision", "wanted"),
    [("US", None, 29), ("GB", None, 30), ("AU", "NSW", 30), ("IN", None, 29), ("ID", None, 29), ("CA", "ON", 30)],
)
def test_two_business_days_from_the_day_before_christmas(country, subdivision, wanted):
    place = CalendarKey(country, subdivision, ZONES[country])
    start = local(ZONES[country], 2026, 12, 24, 15)
    assert day_of(start, 2, place) == date(2026, 12, wanted)


@pytest.mark.parametrize(
    ("start", "wanted"),
    [
        ((2026, 3, 6, 17, 0), (2026, 3, 10)),  # Friday at five
        ((2026, 3, 6, 23, 0), (2026, 3, 10)),
        ((2026, 3, 7, 12, 0), (2026, 3, 10)),  # Saturday
        ((2026, 3, 8, 23, 59), (2026, 3, 10)),  # Sunday; the clocks went forward that night
        ((2026, 3, 9, 0, 30), (2026, 3, 11)),  # Monday, half past midnight
    ],
)
def test_the_day_of_the_start_is_never_counted(start, wanted):
    assert day_of(local("America/New_York", *start), 2, US) == date(*wanted)


def test_a_due_instant_is_the_last_microsecond_of_the_local_day():
    found = due(local("America/New_York", 2026, 3, 6, 17), 2, US, Calendars())
    assert found.at == datetime(2026, 3, 11, 4, tzinfo=UTC) - timedelta(microseconds=1)
    assert found.at.astimezone(ZoneInfo("America/New_York")).date() == found.day


def test_the_day_is_the_responsible_locations_own():
    """One instant is Friday evening in New York and Saturday in Sydney."""
    start = datetime(2026, 3, 6, 22, tzinfo=UTC)
    sydney = CalendarKey("AU", "NSW", "Australia/Sydney")
    assert (day_of(start, 1, US), day_of(start, 1, sydney)) == (date(2026, 3, 9), date(2026, 3, 9))
    assert day_of(datetime(2026, 3, 5, 22, tzinfo=UTC), 1, US) == date(2026, 3, 6)
    assert day_of(datetime(2026, 3, 5, 22, tzinfo=UTC), 1, sydney) == date(2026, 3, 9)


def test_half_of_an_odd_number_is_noon_and_of_an_even_one_the_end_of_a_day():
    start = local("America/New_York", 2026, 3, 6, 17)
    assert halfway(start, 2, US, Calendars()) == datetime(2026, 3, 10, 4, tzinfo=UTC) - timedelta(microseconds=1)
    assert halfway(start, 5, US, Calendars()) == local("America/New_York", 2026, 3, 11, 12)


def test_zero_business_days_end_with_the_day_or_the_next_one_worked():
    assert day_of(local("America/New_York", 2026, 3, 6, 17), 0, US) == date(2026, 3, 6)
    assert day_of(local("America/New_York", 2026, 3, 7, 17), 0, US) == date(2026, 3, 9)


def test_escalation_counts_on_from_the_due_date():
    calendars, start = Calendars(), local("America/New_York", 2026, 3, 6, 17)
    first, calendar = due(start, 2, US, calendars), calendars.at(US, start)
    assert later(first, 0, US, calendar) == first
    assert [later(first, n, US, calendar).day for n in (1, 3)] == [date(2026, 3, 11), date(2026, 3, 13)]


@pytest.mark.parametrize("country", sorted(ZONES))
def test_due_dates_equal_the_naive_oracles_over_ten_years(country):
    """A sample of the days and counts; `make accuracy ONLY=central.sla` goes through all of them."""
    place, calendars = CalendarKey(country, SUBDIVISIONS[country], ZONES[country]), Calendars()
    for n in range(0, 3653, 11):
        start = datetime(2024, 1, 1, (n * 7) % 24, tzinfo=UTC) + timedelta(days=n)
        for count in (0, 1, 2, 5, 15):
            found = due(start, count, place, calendars)
            assert found.day == due_day(start, count, country, SUBDIVISIONS[country]), (start, count)
        if n % 330 == 0:
            assert found.at == last_instant(found.day, ZONES[country])


@settings(max_examples=40)
@given(
    start=st.integers(0, 10 * 365 * 24).map(lambda hours: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=hours)),
    count=st.integers(0, 40),
    country=st.sampled_from(sorted(ZONES)),
    changed=st.dictionaries(st.integers(-3, 70), st.booleans(), max_size=12),
)
def test_overrides_equal_the_naive_oracles(start, count, country, changed):
    plain = {start.date() + timedelta(days=n): works for n, works in changed.items()}
    rows = [
        Override(n, day, "working" if works else "closed", LONG_AGO, location="hq")
        for n, (day, works) in enumerate(plain.items())
    ]
    place = CalendarKey(country, SUBDIVISIONS[country], ZONES[country], ("desk", "hq"))
    assert day_of(start, count, place, Calendars(rows)) == due_day(start, count, country, SUBDIVISIONS[country], plain)


def override(number, status, *, at=LONG_AGO, day=date(2026, 3, 10), **scope):
    return Override(number, day, status, at, **scope)


START = local("America/New_York", 2026, 3, 9, 9)


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([override(1, "closed", country="US")], 11),
        ([override(1, "closed", country="GB")], 10),
        ([override(1, "closed", country="US"), override(2, "working", location="ny")], 10),
        ([override(1, "closed", location="ny"), override(2, "working", country="US")], 11),
        ([override(1, "closed", location="ny"), override(2, "working", location="hq")], 10),
        ([override(2, "published", location="hq"), override(1, "closed", location="hq")], 10),
        ([override(1, "closed", country="US"), override(2, "published", location="hq")], 11),
        ([override(1, "closed", country="US", subdivision="CA")], 10),
    ],
)
def test_the_narrowest_and_latest_override_stands(rows, wanted):
    assert day_of(START, 1, US, Calendars(rows)) == date(2026, 3, wanted)


def test_an_override_moves_no_date_that_began_before_it_was_recorded():
    """The date and its version are frozen by what was known at the start, however late the question comes."""
    row = override(1, "closed", at=START + timedelta(minutes=1), location="hq")
    before, after = due(START, 1, US, Calendars()), due(START, 1, US, Calendars([row]))
    assert before == after
    late = due(START + timedelta(minutes=1), 1, US, Calendars([row]))
    assert (late.day, late.calendar == before.calendar) == (date(2026, 3, 11), False)


def test_an_override_that_changes_nothing_keeps_the_version():
    row = override(1, "working", location="hq")
    assert due(START, 1, US, Calendars([row])).calendar == due(START, 1, US, Calendars()).calendar


def test_a_newly_published_calendar_counts_from_when_it_was_taken_into_use():
    taken = {("US", None): [(LONG_AGO, published("US", None)), (START, published("GB", None))]}
    calendars = Calendars(taken=taken)
    assert calendars.at(US, START - timedelta(seconds=1)).published.country == "US"
    assert calendars.at(US, LONG_AGO - timedelta(days=1)).published.country == "US"
    assert calendars.at(US, START).published.country == "GB"


def test_working_weekends_and_weekends_that_moved_are_as_published():
    """China works some Sundays; the Emirates rested on Fridays until 2022."""
    china, emirates = Calendars().at(CalendarKey("CN"), START), Calendars().at(CalendarKey("AE"), START)
    assert china.works(date(2024, 2, 4))
    assert [emirates.works(day) for day in (date(2021, 6, 4), date(2021, 6, 6), date(2022, 6, 5))] == [
        False,
        True,
        False,
    ]


def test_a_place_without_a_country_counts_monday_to_friday():
    assert day_of(datetime(2026, 12, 24, 12, tzinfo=UTC), 2, CalendarKey()) == date(2026, 12, 28)


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (CalendarKey("ZZ"), "no calendar for ZZ, subdivision none: "),
        (CalendarKey("US", "XX"), "no calendar for US, subdivision XX: "),
        (CalendarKey("US", None, "Mars/Base"), "there is no time zone 'Mars/Base'"),
    ],
)
def test_a_calendar_that_does_not_exist_is_told(place, told):
    with pytest.raises(CalendarError, match=told):
        due(START, 2, place, Calendars())


def test_days_that_nobody_has_published_are_refused_rather_than_guessed():
    """The package knows India's movable feasts up to 2035."""
    with pytest.raises(CalendarError, match="reaches from 2020-01-01 to 2035-12-31, not 2036-"):
        due(datetime(2035, 12, 31, tzinfo=UTC), 2, CalendarKey("IN", None, "Asia/Kolkata"), Calendars())
    with pytest.raises(CalendarError, match="lies ahead"):
        due(START, -1, US, Calendars())


def shut(first, last):
    return [override(n, "closed", day=first + timedelta(days=n), location="hq") for n in range((last - first).days + 1)]


def test_what_must_not_fail_counts_monday_to_friday_where_its_place_never_works_again():
    calendars = Calendars(shut(date(2026, 3, 9), date(2049, 12, 31)))
    with pytest.raises(CalendarError, match="reaches from"):
        due(START, 2, US, calendars)
    found = due_anyhow(START, 2, US, calendars)
    assert (found.day, found.calendar.split(":")[0]) == (date(2026, 3, 11), "plain")
    assert found.at.astimezone(ZoneInfo("America/New_York")).date() == found.day
    assert found.calendar in {one.version for one in calendars.made}
    assert due_anyhow(START, 2, CalendarKey("US"), calendars) == due(START, 2, CalendarKey("US"), calendars)


@pytest.mark.parametrize("start", [datetime(2049, 12, 31, 12, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)])
def test_what_must_not_fail_counts_days_where_no_calendar_reaches(start):
    found = due_anyhow(start, 3, US, Calendars())
    assert found.day == start.astimezone(ZoneInfo("America/New_York")).date() + timedelta(days=3)


@pytest.mark.parametrize(("closed_d", "holed"), [(LONGEST_CLOSED_D - 1, False), (LONGEST_CLOSED_D, True)])
def test_a_hole_is_a_span_without_business_days_that_was_not_there_before(closed_d, holed):
    first = date(2026, 6, 1)
    last = first + timedelta(days=closed_d - 1)
    framed = [
        override(n, "working", day=day, location="hq")
        for n, day in enumerate((first - timedelta(days=1), last + timedelta(days=1)), 900)
    ]
    before, after = Calendars(framed).at(US, START), Calendars([*framed, *shut(first, last)]).at(US, START)
    assert after.hole(before, START.date()) == ((first, last) if holed else None)
    assert after.hole(after, START.date()) is None


def test_places_that_work_on_the_same_days_are_looked_at_once():
    rows = [override(1, "closed", location="hq")]
    rooms = [CalendarKey("US", None, "America/New_York", (f"room-{n}", "hq", "ny")) for n in range(9)]
    elsewhere = CalendarKey("US", None, "America/New_York", ("room-10", "la"))
    assert Calendars(rows).alike([*rooms, elsewhere], touched_by=rows) == {CalendarKey("US", places=("hq",))}
