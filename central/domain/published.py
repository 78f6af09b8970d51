"""Working days as countries publish them: the `holidays` package read into plain values, year by year."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from hashlib import sha256
from importlib.metadata import version
from typing import Final, Literal

import holidays
from holidays.registry import EntityLoader

FIRST: Final = date(2020, 1, 1)
"""No event is believed to be older (`central.application.commit.EARLIEST`)."""
LAST_YEAR: Final = 2049
DIGEST_CHARS: Final = 12
"""Of SHA-256 in hex; enough for a few thousand calendars."""
SATURDAY_AND_SUNDAY: Final = frozenset({6, 7})

DayStatus = Literal["working", "closed"]


class CalendarError(ValueError):
    """A calendar that doesn't exist, or a day that it doesn't reach; the message names country and subdivision."""


@dataclass(frozen=True, slots=True)
class Special:
    """A day that differs from the week's usual pattern, and why."""

    day: date
    status: DayStatus
    name: str


@dataclass(frozen=True)
class Published:
    """The working days of a country or a subdivision from `FIRST` to `last`, both included.

    `weekend` holds ISO weekdays (Monday is 1) that aren't usually worked; `special` the days that differ, in order.
    Without a country it is Monday to Friday without holidays, for places that nobody has put on a map.
    """

    country: str | None
    subdivision: str | None
    source: str
    last: date
    weekend: frozenset[int]
    special: tuple[Special, ...]

    @cached_property
    def closed(self) -> tuple[date, ...]:
        """Every day that isn't worked, weekends too, in order."""
        return closed_days(self.last, self.weekend, self.special)

    @cached_property
    def version(self) -> str:
        """The calendar's name: its place, and a digest of its days. Equal days have equal names."""
        return version_of(self.country, self.subdivision, self.last, self.closed)


def closed_days(last: date, weekend: Iterable[int], special: Iterable[Special]) -> tuple[date, ...]:
    """Return every day until `last` that isn't worked; of one day the later special stands."""
    weekend, status = frozenset(weekend), {one.day: one.status for one in special}
    return tuple(day for day in days(last) if status.get(day, _usual(day, weekend)) == "closed")


def version_of(country: str | None, subdivision: str | None, last: date, closed: tuple[date, ...]) -> str:
    """Return the name of a calendar with these closed days."""
    place = "-".join(part for part in (country or "plain", subdivision) if part)
    text = ",".join([place, FIRST.isoformat(), last.isoformat(), *(day.isoformat() for day in closed)])
    return f"{place}:{sha256(text.encode()).hexdigest()[:DIGEST_CHARS]}"


@cache
def countries() -> frozenset[str]:
    """Return the codes of all countries that have a calendar: those of ISO 3166-1, and a few beside it."""
    return frozenset(EntityLoader.get_country_codes())


@cache
def published(country: str | None, subdivision: str | None) -> Published:
    """Return a country's working days as the installed `holidays` package has them.

    Args:
        country: ISO 3166-1 alpha-2, or None.
        subdivision: ISO 3166-2 without the country, or None.

    Raises:
        CalendarError: the package doesn't know the country or the subdivision.
    """
    if country is None:
        return Published(None, None, "Monday to Friday", date(LAST_YEAR, 12, 31), SATURDAY_AND_SUNDAY, ())
    last = date(_last_year(country, subdivision), 12, 31)
    book = _book(country, subdivision, range(FIRST.year, last.year + 1))
    weekend = frozenset(weekday + 1 for weekday in book.weekend)
    special = []
    for day in days(last):
        status: DayStatus = "working" if book.is_working_day(day) else "closed"
        if status != _usual(day, weekend):
            special.append(Special(day, status, book.get(day) or f"{status} by the country's week of that time"))
    return Published(country, subdivision, f"holidays {version('holidays')}", last, weekend, tuple(special))


def days(last: date) -> list[date]:
    """Return the days from `FIRST` to `last`, both included."""
    return [FIRST + timedelta(days=n) for n in range((last - FIRST).days + 1)]


def _usual(day: date, weekend: frozenset[int]) -> DayStatus:
    return "closed" if day.isoweekday() in weekend else "working"


def _last_year(country: str, subdivision: str | None) -> int:
    """Return the last year up to which the package knows every holiday; of some countries it says where that ends."""
    for year in range(FIRST.year, LAST_YEAR + 1):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                _book(country, subdivision, range(year, year + 1))
        except Warning as error:
            if year == FIRST.year:
                raise CalendarError(f"the calendar of {country} can't be used: {error}") from error
            return year - 1
    return LAST_YEAR


def _book(country: str, subdivision: str | None, years: range) -> holidays.HolidayBase:
    try:
        return holidays.country_holidays(country, subdiv=subdivision, years=years, language="en_US")
    except NotImplementedError as error:
        raise CalendarError(f"no calendar for {country}, subdivision {subdivision or 'none'}: {error}") from error
