"""Business days of a place, and the instants that fall due by them.

**What a business day is.** A day on which the responsible location works: its country's and subdivision's published
days, changed by the overrides for the country, the subdivision and the location with all that it lies in. Days are
local days, midnight to midnight in the location's time zone; a zone's 23- and 25-hour days are days like others.

**What "2 business days" means.** The local day on which the clock starts is never counted, whatever the hour and
whether or not it is a working day; the count takes the business days after it, and the time is up at the end of the
last one (its last microsecond). So a dispatch on Friday at 17:00, one at 23:00 and one on Saturday or Sunday all fall
due at the end of Tuesday; one at 00:30 on Monday falls due at the end of Wednesday. A start outside working time thus
neither gains nor loses. Zero business days end with the day of the start, or with the next business day if it is none.
Golden: two business days from 2026-12-24 end on 2026-12-29 in the United States and on 2026-12-30 in Great Britain.

**Half of it** is half of the counted days: of two the end of the first, of five noon of the third.

**Which calendar counts.** The one in force at the start: overrides that were recorded by then, and of the published
calendars the newest that was taken into use by then. So a due date is a function of the log; nothing that is recorded
later, in whatever order rows arrive, moves a date. The date carries the calendar's version, which names its very days.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from central.domain.published import FIRST, CalendarError, Published, Special, closed_days, published, version_of

OverrideStatus = Literal["working", "closed", "published"]
"""`published` takes an earlier override of the same scope back."""
TICK: Final = timedelta(microseconds=1)
LONGEST_CLOSED_D: Final = 60
"""Overrides leave no place so many days without a business day: nothing there would fall due."""
_EVERY_DAY: Final = "1111111"
"""numpy's own week is left out: a calendar's closed days hold its weekends."""


@dataclass(frozen=True, slots=True)
class CalendarKey:
    """Whose calendar: ISO country and subdivision, time zone, and the location with what it lies in, innermost first.

    Without a country it is Monday to Friday without holidays.
    """

    country: str | None = None
    subdivision: str | None = None
    timezone: str = "UTC"
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Override:
    """One day declared working or closed, for a location and below it, a subdivision or a country: the narrowest wins.

    Exactly one scope is set: `location`, or `country` with or without `subdivision`. Of one scope the latest stands.
    """

    id: int
    day: date
    status: OverrideStatus
    recorded_at: datetime
    country: str | None = None
    subdivision: str | None = None
    location: str | None = None
    reason: str = ""

    def rank(self, place: CalendarKey) -> int | None:
        """Return how narrowly this touches a place (0 is the location itself), or None where it doesn't."""
        if self.location is not None:
            return place.places.index(self.location) if self.location in place.places else None
        if self.country != place.country or self.subdivision not in {None, place.subdivision}:
            return None
        return len(place.places) + (self.subdivision is None)


@dataclass(frozen=True, slots=True)
class Due:
    """An instant (UTC) by which something has to be done, its local day, and the version of the calendar behind it."""

    at: datetime
    calendar: str
    day: date


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working days of one place as they stood at one time; `version` names these very days."""

    version: str
    published: Published
    special: tuple[Special, ...]
    busdays: np.busdaycalendar = field(repr=False, compare=False)

    def between(self, first: date, last: date) -> int:
        """Return how many business days lie after `first` up to `last`."""
        after = self._reached(first) + timedelta(days=1)
        return int(np.busday_count(after, self._reached(last) + timedelta(days=1), busdaycal=self.busdays))

    def works(self, day: date) -> bool:
        """Tell whether a day is a business day."""
        return bool(np.is_busday(self._reached(day), busdaycal=self.busdays))

    def hole(self, before: "Calendar", since: date) -> tuple[date, date] | None:
        """Return the first span of `LONGEST_CLOSED_D` days or more without a business day that wasn't so long before.

        Args:
            before: the same place's calendar, of the same published days.
            since: the day from which on to look.
        """
        works = self.working(since)
        edges = np.flatnonzero(np.diff(np.concatenate(([True], works, [True])).astype(np.int8)))
        for first, end in edges.reshape(-1, 2).tolist():
            if end - first >= LONGEST_CLOSED_D and before.working(since)[first:end].any():
                return since + timedelta(days=first), since + timedelta(days=end - 1)
        return None

    def working(self, since: date) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return for each day from one on up to the calendar's end whether it is a business day."""
        end = np.datetime64(self.published.last + timedelta(days=1), "D")
        days = np.arange(np.datetime64(since, "D"), end)
        return np.asarray(np.is_busday(days, busdaycal=self.busdays))

    def after(self, day: date, business_days: int) -> date:
        """Return the n-th business day after `day`, which isn't counted; for 0 the first one that isn't before it."""
        roll: Any = "forward" if business_days == 0 else "backward"
        found = np.busday_offset(self._reached(day), business_days, roll=roll, busdaycal=self.busdays)
        return self._reached(found.astype(date))

    def _reached(self, day: date) -> date:
        if FIRST <= day <= self.published.last:
            return day
        raise CalendarError(f"calendar {self.version} reaches from {FIRST} to {self.published.last}, not {day}")


class Calendars:
    """All calendars: what was published and taken into use when, and the overrides.

    Args:
        taken: by (country, subdivision), what was taken into use and since when, the oldest first; the oldest also
            counts for all time before. Without an entry the installed package's own days count.
        overrides: in any order.
    """

    def __init__(
        self,
        overrides: Iterable[Override] = (),
        taken: Mapping[tuple[str | None, str | None], Sequence[tuple[datetime, Published]]] | None = None,
    ) -> None:
        self._overrides = sorted(overrides, key=lambda one: (one.recorded_at, one.id))
        self._taken = taken or {}
        self._touching: dict[CalendarKey, tuple[list[datetime], list[Override]]] = {}
        self._made: dict[tuple[CalendarKey, int, int], Calendar] = {}

    def at(self, place: CalendarKey, start: datetime) -> Calendar:
        """Return the calendar of a place as it stood at `start`."""
        instants, overrides = self._of(place)
        known, base, number = bisect_right(instants, start), *self._base(place, start)
        key = (place, known, number)
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = _make(base, place, overrides[:known])
        return made

    def alike(self, places: Iterable[CalendarKey], *, touched_by: Iterable[Override] = ()) -> set[CalendarKey]:
        """Return one key for all places that have the same working days; only those that any of some overrides touch.

        A company has thousands of rooms and a handful of calendars.
        """
        named, touching = {one.location for one in self._overrides}, list(touched_by)
        return {
            CalendarKey(one.country, one.subdivision, places=tuple(name for name in one.places if name in named))
            for one in places
            if any(override.rank(one) is not None for override in touching)
        }

    @property
    def made(self) -> Collection[Calendar]:
        """The calendars that were asked for so far."""
        return self._made.values()

    def newest(self, country: str | None, subdivision: str | None) -> Published | None:
        """Return what a country's calendar was taken into use last; None if the installed package's own counts."""
        taken = self._taken.get((country, subdivision))
        return taken[-1][1] if taken else None

    def _of(self, place: CalendarKey) -> tuple[list[datetime], list[Override]]:
        found = self._touching.get(place)
        if found is None:
            overrides = [one for one in self._overrides if one.rank(place) is not None]
            found = self._touching[place] = [one.recorded_at for one in overrides], overrides
        return found

    def _base(self, place: CalendarKey, start: datetime) -> tuple[Published, int]:
        taken = self._taken.get((place.country, place.subdivision))
        if not taken:
            return published(place.country, place.subdivision), 0
        number = max(0, bisect_right([since for since, _ in taken], start) - 1)
        return taken[number][1], number


def due(start: datetime, business_days: int, place: CalendarKey, calendars: Calendars) -> Due:
    """Return when `business_days` from `start` are over, by the calendar that was in force at `start`.

    Raises:
        CalendarError: no such country or time zone, or the calendar doesn't reach that day.
    """
    if business_days < 0:
        raise CalendarError(f"a due date lies ahead: {business_days} business days do not")
    calendar = calendars.at(place, start)
    day = calendar.after(day_of(start, place), business_days)
    return Due(end_of(day, place), calendar.version, day)


def due_anyhow(start: datetime, business_days: int, place: CalendarKey, calendars: Calendars) -> Due:
    """Return the same, counted Monday to Friday where the place's calendar has no such day, and by days beyond that.

    For what must not fail on a due date: an alert, or a move. The version says by what was counted.
    """
    try:
        return due(start, business_days, place, calendars)
    except CalendarError:
        plain = plain_of(place)
    try:
        return due(start, business_days, plain, calendars)
    except CalendarError:
        day = day_of(start, plain) + timedelta(days=business_days)
        return Due(end_of(day, plain), calendars.at(plain, start).version, day)


def plain_of(place: CalendarKey) -> CalendarKey:
    """Return Monday to Friday in a place's time zone, which no override touches."""
    return CalendarKey(timezone=place.timezone)


def halfway(start: datetime, business_days: int, place: CalendarKey, calendars: Calendars) -> datetime:
    """Return when half of the counted days are over: the end of a day, or noon where their number is odd."""
    calendar, half = calendars.at(place, start), business_days // 2
    if business_days % 2:
        return middle_of(calendar.after(day_of(start, place), half + 1), place)
    return end_of(calendar.after(day_of(start, place), half), place)


def later(first: Due, business_days: int, place: CalendarKey, calendar: Calendar) -> Due:
    """Return the end of the n-th business day after a due date, by the calendar that froze it; 0 is the date itself."""
    if business_days == 0:
        return first
    day = calendar.after(first.day, business_days)
    return Due(end_of(day, place), calendar.version, day)


def end_of(day: date, place: CalendarKey) -> datetime:
    """Return the last microsecond of a local day, in UTC."""
    midnight = datetime.combine(day + timedelta(days=1), time(), zone(place.timezone))
    return midnight.astimezone(UTC) - TICK


def middle_of(day: date, place: CalendarKey) -> datetime:
    """Return noon of a local day, in UTC."""
    return datetime.combine(day, time(12), zone(place.timezone)).astimezone(UTC)


def day_of(at: datetime, place: CalendarKey) -> date:
    """Return the local day of an instant."""
    return at.astimezone(zone(place.timezone)).date()


@cache
def zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name, or raise `CalendarError`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise CalendarError(f"there is no time zone {name!r}: use an IANA name such as Europe/London") from error


def _make(base: Published, place: CalendarKey, overrides: Sequence[Override]) -> Calendar:
    """Put the overrides over the published days; of one scope the latest counts, of several scopes the narrowest."""
    latest = {(one.day, one.rank(place) or 0): one for one in overrides}
    by_day: dict[date, Override] = {}
    for (day, _), one in sorted(latest.items(), key=lambda item: -item[0][1]):
        if one.status != "published":
            by_day[day] = one
    changed = [Special(day, one.status, one.reason) for day, one in by_day.items() if one.status != "published"]
    special = {one.day: one for one in (*base.special, *changed)}
    closed = closed_days(base.last, base.weekend, special.values())
    version = version_of(base.country, base.subdivision, base.last, closed)
    busdays = np.busdaycalendar(weekmask=_EVERY_DAY, holidays=np.array(closed, dtype="datetime64[D]"))
    return Calendar(version, base, tuple(sorted(special.values(), key=lambda one: one.day)), busdays)
