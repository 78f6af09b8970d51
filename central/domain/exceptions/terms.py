"""By when an exception has to be taken and closed, given somebody who counts business days."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from central.domain.exceptions.taxonomy import ASSIGN_WITHIN_BD, CLOSE_WITHIN_BD

_FRIDAY = 5

CountDays = Callable[[str | None, datetime, int], tuple[datetime, str]]
"""(location, start, business days) to the instant at which they are over, and the calendar's version."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Frozen when the exception is opened; `calendar` is the version that counted."""

    assign_by: datetime
    due_at: datetime
    calendar: str


def terms(severity: str, location: str | None, start: datetime, count: CountDays) -> Terms:
    """Return the terms of an exception that is opened at `start` for somebody at `location`."""
    assign_by, calendar = count(location, start, ASSIGN_WITHIN_BD)
    due_at, _ = count(location, start, CLOSE_WITHIN_BD[severity])
    return Terms(assign_by, due_at, calendar)


def count_weekdays(_location: str | None, start: datetime, business_days: int) -> tuple[datetime, str]:
    """Count Mondays to Fridays in UTC: the end of the n-th one after the day of `start`."""
    day, left = start.astimezone(UTC).date(), business_days
    while left:
        day += timedelta(days=1)
        left -= day.isoweekday() <= _FRIDAY
    return datetime.combine(day + timedelta(days=1), time(), UTC) - timedelta(microseconds=1), "weekdays"
