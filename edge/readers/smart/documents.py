"""JSON as smart readers send it: one object, an array, or objects one after the other; and typed looks into it.

Errors: `MalformedError` and no other, for any payload.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from edge.readers.errors import MalformedError
from edge.readers.smart.model import Parsed

Event = Mapping[str, Any]
MOST_BYTES: Final = 4 * 1024 * 1024
"""A payload longer than this is none: readers batch some hundred events of 300 bytes."""
_DECODER: Final = json.JSONDecoder()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_SPACE: Final = " \t\r\n,"
"""Between objects: some firmware puts line ends or nothing at all."""


def parse(payload: bytes, take: Callable[[Event, Parsed], None]) -> Parsed:
    """Return what a payload brought; an event is malformed by itself, one that can't be split off ends the payload."""
    parsed = Parsed()
    try:
        for event in _events(payload):
            _take(event, parsed, take)
    except MalformedError as error:
        _count(parsed, error)
    return parsed


def text(event: Event, key: str) -> str | None:
    """Return a text; None where absent or null."""
    value = event.get(key)
    if value is not None and not isinstance(value, str):
        raise MalformedError(f"{key} is {_short(value)}, not a text")
    return value


def section(event: Event, key: str) -> Event | None:
    """Return an object within an event; None where absent or null."""
    value = event.get(key)
    if value is not None and not isinstance(value, dict):
        raise MalformedError(f"{key} is {_short(value)}, not an object")
    return value


def number(event: Event, key: str, low: float, high: float) -> float | None:
    """Return a number within bounds; None where absent or null."""
    value = event.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise MalformedError(f"{key} is {_short(value)}, not a number")
    if not low <= value <= high:
        raise MalformedError(f"{key} is {_short(value)}, not {low:g} to {high:g}")
    return value


def whole(event: Event, key: str, low: int, high: int) -> int | None:
    """Return a number within bounds, rounded to a whole one; None where absent or null."""
    value = number(event, key, low, high)
    return None if value is None else round(value)


def instant_us(event: Event, key: str) -> int | None:
    """Return a time (RFC 3339, or ISO 8601 with an offset without colon) as UTC microseconds; None where absent."""
    words = text(event, key)
    if words is None:
        return None
    try:
        at = datetime.fromisoformat(words)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        return (at - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError) as error:
        raise MalformedError(f"{key} is {_short(words)}, not a time") from error


def epc_hex(words: str, key: str) -> bytes:
    """Return the bytes of an EPC in hex."""
    try:
        epc = bytes.fromhex(words)
    except ValueError as error:
        raise MalformedError(f"{key} is {_short(words)}, not hex") from error
    return checked_epc(epc, key)


def checked_epc(epc: bytes, key: str) -> bytes:
    """Return an EPC of a length that Gen2 has."""
    if not 0 < len(epc) <= 62:  # noqa: PLR2004 (496 bits, Gen2's longest)
        raise MalformedError(f"{key} has {len(epc)} bytes, not 1 to 62")
    return epc


def _events(payload: bytes) -> Iterator[Any]:
    if len(payload) > MOST_BYTES:
        raise MalformedError(f"a payload of {len(payload)} bytes is too long")
    try:
        words = payload.decode()
    except UnicodeDecodeError as error:
        raise MalformedError("a payload is not UTF-8 text") from error
    at, end = _skip(words, 0), len(words)
    if at == end:
        raise MalformedError("a payload is empty")
    while at < end:
        try:
            document, at = _DECODER.raw_decode(words, at)
        except (ValueError, RecursionError) as error:
            raise MalformedError(
                f"a payload is not JSON from character {at} on: {_short(words[at : at + 40])}"
            ) from error
        yield from document if isinstance(document, list) else [document]
        at = _skip(words, at)


def _skip(words: str, at: int) -> int:
    while at < len(words) and words[at] in _SPACE:
        at += 1
    return at


def _take(event: Any, parsed: Parsed, take: Callable[[Event, Parsed], None]) -> None:
    try:
        if not isinstance(event, dict):
            raise MalformedError(f"an event is {_short(event)}, not an object")  # noqa: TRY301 (counted like the others)
        take(event, parsed)
    except MalformedError as error:
        _count(parsed, error)


def _count(parsed: Parsed, error: MalformedError) -> None:
    parsed.malformed += 1
    parsed.problem = parsed.problem or str(error)


def _short(value: object) -> str:
    words = repr(value)
    return words if len(words) <= 60 else words[:57] + "..."  # noqa: PLR2004 (a log line)
