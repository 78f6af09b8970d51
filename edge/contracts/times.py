"""Instants: integer UTC microseconds inside, RFC 3339 with six decimals on the wire."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from msgspec import Meta

from edge.contracts.errors import ContractError

Instant = Annotated[
    str,
    Meta(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$",
        description="RFC 3339, UTC, microseconds",
        extra_json_schema={"format": "date-time"},
    ),
]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def instant(at_us: int) -> str:
    """Return integer UTC microseconds since 1970 as RFC 3339 with six decimals."""
    return (_EPOCH + timedelta(microseconds=at_us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def instant_us(text: str) -> int:
    """Return the integer UTC microseconds of an RFC 3339 instant."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise ContractError(f"{text!r} is no instant: write it like 2026-01-31T08:15:00.000000Z") from None
    if parsed.tzinfo is None:
        raise ContractError(f"{text!r} names no time zone: end it with Z")
    return (parsed - _EPOCH) // timedelta(microseconds=1)
