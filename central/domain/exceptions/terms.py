"""By when an exception has to be taken and closed, given somebody who counts business days."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from central.domain.exceptions.taxonomy import ASSIGN_WITHIN_BD, CLOSE_WITHIN_BD

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
