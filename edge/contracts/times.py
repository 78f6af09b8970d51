"""Instants: integer UTC microseconds inside, RFC 3339 with six decimals on the wire."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Final

from msgspec import Meta

from edge.contracts.errors import ContractError

Instant = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$(?!\n)",
        description="RFC 3339, UTC, microseconds",
        extra_json_schema={"format": "date-time"},
    ),
]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def instant(at_us: int) -> str:
    """Return integer UTC microseconds since 1970 as RFC 3339 with six decimals; years 1 to 9999."""
    try:
        at = _EPOCH + timedelta(microseconds=at_us)
    except OverflowError:
        raise ContractError(f"{at_us} microseconds since 1970 is no year from 1 to 9999") from None
    return at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def instant_us(text: str) -> int:
    """Return the integer UTC microseconds of an RFC 3339 instant."""
    return (moment(text) - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=512)  # a row says the same instant several times, and is checked before it is read
def moment(text: str) -> datetime:
    """Return an RFC 3339 instant as an aware datetime; the same object for the same words."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise ContractError(f"{text!r} is no instant: write it like 2026-01-31T08:15:00.000000Z") from None
    if parsed.tzinfo is None:
        raise ContractError(f"{text!r} names no time zone: end it with Z")
    return parsed
