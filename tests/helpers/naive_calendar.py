"""Business days the naive way, one day at a time, written apart from the product: the oracle of Show 3.

It knows nothing of numpy or of the product's calendars. It walks local days and asks the `holidays` package, a year at
a time, whether each one is worked; overrides are looked up in a plain dict.
"""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

ZONES = {
    "US": "America/New_York", "GB": "Europe/London", "IN": "Asia/Kolkata", "CA": "America/Toronto",
    "ID": "Asia/Jakarta", "AU": "Australia/Sydney",
}  # fmt: skip
SUBDIVISIONS = {"CA": "ON", "AU": "NSW", "US": None, "GB": None, "IN": None, "ID": None}


@cache
def closed(country, subdivision, year):
    """Days of a year that aren't worked, weekends apart; the year before and after are asked for what they observe."""
    book = holidays.country_holidays(country, subdiv=subdivision, years=[year - 1, year, year + 1])
    return {day for day in book if day.year == year}


def works(country, subdivision, day, overrides):
    """Whether a day is worked: an override says so, or it is neither Saturday, Sunday nor a holiday."""
    if day in overrides:
        return overrides[day]
    return day.isoweekday() not in {6, 7} and day not in closed(country, subdivision, day.year)


def due_day(start, count, country, subdivision, overrides=None, *, zone=None):
    """Walk day by day from the start's local day until `count` worked days have gone by."""
    day = start.astimezone(ZoneInfo(zone or ZONES[country])).date()
    passed = 0
    if count == 0:
        while not works(country, subdivision, day, overrides or {}):
            day += timedelta(days=1)
        return day
    while passed < count:
        day += timedelta(days=1)
        passed += works(country, subdivision, day, overrides or {})
    return day


def last_instant(day, zone):
    """The last microsecond before the next local day, found by walking the clock in minutes over UTC."""
    tz = ZoneInfo(zone)
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC) - timedelta(hours=14)
    while at.astimezone(tz).date() <= day:
        at += timedelta(minutes=15)
    return at - timedelta(microseconds=1)


def every_day(first, years):
    """All days of so many years."""
    day, end = first, date(first.year + years, first.month, first.day)
    while day < end:
        yield day
        day += timedelta(days=1)
