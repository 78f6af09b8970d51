"""Calendars of places as the rest of the program uses them, and the administrator's side of them."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Final, Protocol

from central.application.errors import NotFound, StepUnfit
from central.application.views import Instant, View
from central.domain.calendars import (
    LONGEST_CLOSED_D,
    Calendar,
    CalendarKey,
    Calendars,
    Due,
    Override,
    OverrideStatus,
    day_of,
    due,
    due_anyhow,
    zone,
)
from central.domain.published import FIRST, CalendarError, DayStatus, Published, published

ALWAYS: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Since when the first calendar of a country counts."""


class PlaceCalendars:
    """The calendar of every location, as one version of the registry has them. A value: it reads no clock and no file.

    A location whose country, subdivision or time zone can't be used counts Monday to Friday in UTC, and stands in
    `problems` with the reason: a wrong cell in a sheet must not stop what comes from the doors.
    """

    def __init__(
        self, keys: Mapping[str, CalendarKey] = MappingProxyType({}), calendars: Calendars | None = None
    ) -> None:
        self.calendars = calendars or Calendars()
        self.problems: dict[str, str] = {}
        self._keys = {location: self._usable(location, key) for location, key in keys.items()}
        self.kept: set[str] = set()
        """Versions that the database is known to have."""

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def key(self, location: str | None) -> CalendarKey:
        """Return whose calendar counts at a location; None, or one that isn't known, counts Monday to Friday in UTC."""
        return self._keys.get(location, CalendarKey()) if location is not None else CalendarKey()

    def at(self, location: str | None, start: datetime) -> Calendar:
        """Return the calendar of a location as it stood at an instant."""
        return self.calendars.at(self.key(location), start)

    def special(self, location: str, at: datetime) -> DayStatus | None:
        """Say whether the local day of an instant is worked or closed otherwise than usual; None if it is as usual."""
        day = day_of(at, self.key(location))
        return next((one.status for one in self.at(location, at).special if one.day == day), None)

    def due(self, start: datetime, business_days: int, location: str | None) -> Due:
        """Return when so many business days are over at a location."""
        return due(start, business_days, self.key(location), self.calendars)

    def count(self, location: str | None, start: datetime, business_days: int) -> tuple[datetime, str]:
        """Return the instant, and the version of the calendar that counted; it never fails.

        Alerts and moves are told with it: one whose due date no calendar reaches counts Monday to Friday.
        """
        found = due_anyhow(start, business_days, self.key(location), self.calendars)
        return found.at, found.calendar

    def unkept(self) -> list[Calendar]:
        """Return the calendars that were asked for and that the database may not have yet."""
        found = {one.version: one for one in self.calendars.made if one.version not in self.kept}
        return list(found.values())

    def pairs(self) -> set[tuple[str | None, str | None]]:
        """Return the countries and subdivisions that any location lies in."""
        return {(key.country, key.subdivision) for key in self._keys.values()}

    def _usable(self, location: str, key: CalendarKey) -> CalendarKey:
        problem = unusable(key)
        if problem is None:
            return key
        self.problems[location] = problem
        return CalendarKey(places=key.places)


def unusable(key: CalendarKey) -> str | None:
    """Say why a location's country, subdivision and time zone can't be counted by; None if they can."""
    try:
        published(key.country, key.subdivision)
        zone(key.timezone)
    except CalendarError as error:
        return str(error)
    return None


@dataclass(frozen=True, slots=True)
class NewOverride:
    """A day declared working or closed, or `published` to take that back; exactly one scope, and a reason."""

    day: date
    status: OverrideStatus
    reason: str
    by: str
    country: str | None = None
    subdivision: str | None = None
    location: str | None = None


class OverrideView(View):
    """One override."""

    id: int
    day: date
    status: str
    country: str | None
    subdivision: str | None
    location: str | None
    reason: str
    by: str
    recorded_at: Instant


class DayView(View):
    """A day that differs from the week's usual pattern."""

    day: date
    status: str
    name: str


class CalendarView(View):
    """A location's calendar as it counts now."""

    location: str
    country: str | None
    subdivision: str | None
    timezone: str
    version: str
    source: str
    last_day: date
    weekend: list[int]
    problem: str | None
    special: list[DayView]


class CalendarWork(Protocol):
    """The calendars inside one transaction, which holds the registry's lock."""

    async def places(self) -> PlaceCalendars:
        """Return the calendars as this transaction sees them."""

    async def add(self, override: NewOverride, now: datetime) -> int:
        """Record an override and its act; return its id."""

    async def take(self, calendar: Published, since: datetime, now: datetime) -> None:
        """Count by a published calendar from an instant on."""

    async def changed(self) -> None:
        """Tell all programs to read the calendars again."""


class CalendarStore(Protocol):
    """The calendars as the API and the jobs see them."""

    def work(self) -> AbstractAsyncContextManager[CalendarWork]:
        """Open a transaction."""

    async def places(self) -> PlaceCalendars:
        """Return the calendars as they stand."""

    async def overrides(self, from_day: date, limit: int) -> Sequence[OverrideView]:
        """Return overrides of days from one on, the newest first."""


async def declare(store: CalendarStore, overrides: Sequence[NewOverride], now: datetime) -> list[int]:
    """Record overrides, all or none; they count for what starts from now on.

    Raises:
        NotFound: there is no such location.
        StepUnfit: a scope that isn't one, a day that no calendar reaches, or one that leaves a place without business
            days for too long; the message names the override.
    """
    async with store.work() as work:
        places = await work.places()
        known = set(places)
        for number, one in enumerate(overrides, 1):
            _check(number, one, known)
        ids = [await work.add(one, now) for one in overrides]
        shut = await asyncio.to_thread(shut_for_long, places, await work.places(), overrides, now)
        if shut is not None:
            number, why = shut
            raise StepUnfit(f"override {number + 1} ({overrides[number].day}) {why}")
        await work.changed()
    return ids


async def take_published(store: CalendarStore, now: datetime) -> list[str]:
    """Take into use what the installed package publishes otherwise than what counts; return the new versions.

    The first calendar of a country counts for all time, a later one from now on. A second call changes nothing.
    """
    taken: list[str] = []
    async with store.work() as work:
        places = await work.places()
        for country, subdivision in sorted(places.pairs(), key=str):
            ours, since = published(country, subdivision), places.calendars.newest(country, subdivision)
            if since is None or since.version != ours.version:
                await work.take(ours, ALWAYS if since is None else now, now)
                taken.append(ours.version)
        if taken:
            await work.changed()
    return taken


def view(places: PlaceCalendars, location: str, now: datetime, days: tuple[date, date]) -> CalendarView:
    """Return a location's calendar as it counts now, with the days that differ from its week from one day to another.

    Raises:
        NotFound: there is no such location.
    """
    if location not in set(places):
        raise NotFound(f"there is no location {location!r}: /api/v1/locations lists them")
    calendar, key = places.at(location, now), places.key(location)
    first, last = days
    return CalendarView(
        location=location,
        country=key.country,
        subdivision=key.subdivision,
        timezone=key.timezone,
        version=calendar.version,
        source=calendar.published.source,
        last_day=calendar.published.last,
        weekend=sorted(calendar.published.weekend),
        problem=places.problems.get(location),
        special=[
            DayView(day=one.day, status=one.status, name=one.name)
            for one in calendar.special
            if first <= one.day <= last
        ],
    )


def _check(number: int, one: NewOverride, known: Collection[str]) -> None:
    if (one.location is None) == (one.country is None):
        raise StepUnfit(f"override {number} ({one.day}): name either a location or a country")
    if one.subdivision is not None and one.country is None:
        raise StepUnfit(f"override {number} ({one.day}): a subdivision needs its country")
    if one.location is not None and one.location not in known:
        raise NotFound(f"override {number}: there is no location {one.location!r}: /api/v1/locations lists them")
    if why := unreached(one.day, one.country, one.subdivision):
        raise StepUnfit(f"override {number} ({one.day}): {why}")


def unreached(day: date, country: str | None, subdivision: str | None) -> str:
    """Say why no calendar knows a day; empty if one does."""
    try:
        reach = published(country, subdivision).last
    except CalendarError as error:
        return str(error)
    return "" if FIRST <= day <= reach else f"{day} is outside {FIRST} to {reach}, which the calendar reaches"


def shut_for_long(
    before: PlaceCalendars, after: PlaceCalendars, overrides: Sequence[NewOverride], now: datetime
) -> tuple[int, str] | None:
    """Return which of the overrides leaves a place without a business day for too long to be due by, and in words how.

    Args:
        before: the calendars without them.
        after: the calendars with them.
        overrides: what was declared at `now`.
        now: from when on to look.
    """
    scopes = {
        (one.country, one.subdivision, one.location): Override(
            0, one.day, one.status, now, one.country, one.subdivision, one.location
        )
        for one in overrides
    }
    keys = [after.key(location) for location in after]
    for key in after.calendars.alike(keys, touched_by=scopes.values()):
        hole = after.calendars.at(key, now).hole(before.calendars.at(key, now), now.date())
        if hole is None:
            continue
        first, last = hole
        number = next(
            number
            for number, one in enumerate(overrides)
            if first <= one.day <= last and scopes[one.country, one.subdivision, one.location].rank(key) is not None
        )
        return number, (
            f"leaves no working day from {first} to {last}: a place is closed for less than {LONGEST_CLOSED_D} days on "
            "end, or nothing there falls due in time"
        )
    return None
