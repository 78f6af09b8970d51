"""Working days as countries publish them: the `holidays` package read into plain values, year by year."""

import warnings
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from typing import Final, Literal

import holidays

FIRST: Final = date(2020, 1, 1)
"""No event is believed to be older (`central.application.commit.EARLIEST`)."""
LAST_YEAR: Final = 2049
DIGEST_CHARS: Final = 12
"""Of SHA-256 in hex; enough for a few thousand calendars."""

DayStatus = Literal["working", "closed"]


class CalendarError(ValueError):
    """A calendar that doesn't exist, or a day that it doesn't reach; the message names country and subdivision."""


@dataclass(frozen=True, slots=True)
class Published:
    """The days on which a country or a subdivision doesn't work, from `FIRST` to `last`, both included.

    `closed` holds every such day in order, weekends too, so that working Saturdays and weekends that move with a law
    need no rule of their own. `names` tells the days that differ from the week's usual pattern.
    """

    country: str | None
    subdivision: str | None
    source: str
    last: date
    closed: tuple[date, ...]
    names: tuple[tuple[date, DayStatus, str], ...]


def version_of(country: str | None, subdivision: str | None, last: date, closed: tuple[date, ...]) -> str:
    """Return the name of a calendar: its place, and a digest of its days. Equal days have equal names."""
    place = "-".join(part for part in (country or "plain", subdivision) if part)
    text = ",".join([place, FIRST.isoformat(), last.isoformat(), *(day.isoformat() for day in closed)])
    return f"{place}:{sha256(text.encode()).hexdigest()[:DIGEST_CHARS]}"


@cache
def published(country: str | None, subdivision: str | None) -> Published:
    """Return a country's published working days as the installed `holidays` package has them.

    Args:
        country: ISO 3166-1 alpha-2; None is Monday to Friday without holidays, for places that nobody has put on a map.
        subdivision: ISO 3166-2 without the country, or None.

    Raises:
        CalendarError: the package doesn't know the country or the subdivision.
    """
    if country is None:
        return _plain()
    last_year = _last_year(country, subdivision)
    last = date(last_year, 12, 31)
    book = _book(country, subdivision, range(FIRST.year, last_year + 1))
    closed: list[date] = []
    names: list[tuple[date, DayStatus, str]] = []
    for day in days(FIRST, last):
        works, weekend = book.is_working_day(day), book.is_weekend(day)
        if not works:
            closed.append(day)
        if works == weekend:
            names.append((day, "working" if works else "closed", book.get(day) or "working weekend"))
    return Published(country, subdivision, f"holidays {version('holidays')}", last, tuple(closed), tuple(names))


def days(first: date, last: date) -> list[date]:
    """Return the days from `first` to `last`, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


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


def _plain() -> Published:
    last = date(LAST_YEAR, 12, 31)
    closed = tuple(day for day in days(FIRST, last) if day.isoweekday() > 5)  # noqa: PLR2004 (Monday is 1)
    return Published(None, None, "Monday to Friday", last, closed, ())
