"""Which instants the service takes: those beyond have no place in every time zone, and nobody means them."""

from datetime import UTC, date, datetime
from typing import Final

FIRST_DAY: Final = date(1990, 1, 1)
LAST_DAY: Final = date(2079, 12, 31)
"""Some fifty years ahead; one constant and no clock, so that a sheet reads the same each time."""
_FIRST: Final = datetime(1990, 1, 1, tzinfo=UTC)
_YEARS: Final = f"{FIRST_DAY.year} to {LAST_DAY.year}"
_BEYOND: Final = datetime(2080, 1, 1, tzinfo=UTC)


def meant(at: datetime) -> datetime:
    """Return an instant, or raise `ValueError` if it is none that somebody means."""
    if not _FIRST <= at < _BEYOND:
        raise ValueError(f"{at.isoformat()} is outside {_YEARS}: write the instant that you mean")
    return at


def meant_day(day: date) -> date:
    """Return a day, or raise `ValueError` if it is none that somebody means."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"{day.isoformat()} is outside {_YEARS}: write the day that you mean")
    return day
