"""Which instants the service takes: those beyond have no place in every time zone, and nobody means them."""

from datetime import UTC, date, datetime
from typing import Final

FIRST_DAY: Final = date(1970, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BEYOND: Final = datetime(2200, 1, 1, tzinfo=UTC)


def meant(at: datetime) -> datetime:
    """Return an instant, or raise `ValueError` if it is none that somebody means."""
    if not _FIRST <= at < _BEYOND:
        raise ValueError(f"{at.isoformat()} is outside 1970 to 2199: write the instant that you mean")
    return at
