"""The registry's sheets: which columns each kind has, and how a cell's text is read. Pure.

Every kind has columns that its header must name and columns that it may; what a sheet doesn't name stays as it is. An
empty cell means none; instants are RFC 3339 with a zone.
"""

import difflib
import re
import zoneinfo
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from functools import cache
from typing import Any, Final

from central.domain import axes
from central.domain.exits import AUTHORISATION_KINDS, PASS_KINDS
from central.domain.instants import meant, meant_day
from central.domain.places import LOCATION_KINDS, OPENING_KINDS, PORTAL_MODES
from central.domain.published import countries
from edge.epc import EpcError, epc_bytes, epc_hex

Reader = Callable[[str], Any]
"""Turns a cell's text into a value or raises `ValueError`."""

TAG_ROLES: Final = ("body", "lid", "box")
TAG_STATES: Final = ("active", "retired")

_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,80}")
_NAME_ON_TOPIC: Final = re.compile(r"[a-z0-9-]{1,40}")
_SHORTENED: Final = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]{2,3}")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FIRST_DAY, _LAST_DAY = "2020-01-01", "2049-12-31"
_LONGEST_WAY_MIN: Final = 30 * 24 * 60
_SHORTEST_REASON: Final = 3
_SUBDIVISION: Final = re.compile(r"(?:[A-Z]{2}-)?([A-Z0-9]{1,3})")


def _id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError(f"{text!r} is no id: use 1 to 80 of A-Z, a-z, 0-9, '.', '_' and '-'")
    return text


def _topic_name(text: str) -> str:
    if not _NAME_ON_TOPIC.fullmatch(text):
        raise ValueError(f"{text!r}: use 1 to 40 of a-z, 0-9 and -")
    return text


def _text(text: str) -> str:
    if not text:
        raise ValueError("is empty")
    return _maybe(text) or text


def _maybe(text: str) -> str | None:
    if "\0" in text:
        raise ValueError("holds a NUL character")
    return text or None


def _serial(text: str) -> str:
    if _SHORTENED.fullmatch(text):
        raise ValueError(f"{text!r} is a number that a spreadsheet has cut short: make the column text, enter it again")
    return _text(text)


def _maybe_serial(text: str) -> str | None:
    return _serial(text) if text else None


def _any(text: str) -> str:
    return _maybe(text) or ""


def _maybe_id(text: str) -> str | None:
    return _id(text) if text else None


def _one_of(names: Iterable[str], default: str | None = None) -> Callable[[str], str]:
    known = tuple(names)

    def read(text: str) -> str:
        value = text.lower() or default
        if value in known:
            return str(value)
        near = difflib.get_close_matches(text.lower(), known, 1)
        raise ValueError(f"{text!r}: did you mean {near[0]!r}?" if near else f"{text!r}: use one of {', '.join(known)}")

    return read


def _maybe_bool(text: str) -> bool | None:
    try:
        return {"": None, "true": True, "false": False}[text.lower()]
    except KeyError:
        raise ValueError(f"{text!r}: write true or false, or leave it empty") from None


def _instant(text: str) -> datetime:
    at = _maybe_instant(text)
    if at is None:
        raise ValueError("is empty: write an instant like 2026-01-31T08:15:00Z")
    return at


def _maybe_instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no instant: write it like 2026-01-31T08:15:00Z") from None
    if at.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone: end it with Z or an offset like +01:00")
    return meant(at)


def _epc(text: str) -> str:
    try:
        return epc_hex(epc_bytes(text))
    except EpcError as error:
        raise ValueError(str(error)) from None


def _maybe_date(text: str) -> str | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no date: write it like 2026-01-31") from None
    return meant_day(day).isoformat()


def _maybe_epc(text: str) -> str | None:
    return _epc(text) if text else None


def _maybe_one_of(names: Iterable[str]) -> Callable[[str], str | None]:
    read = _one_of(names)
    return lambda text: read(text) if text else None


def _some_of(names: Iterable[str]) -> Callable[[str], list[str]]:
    read = _one_of(names)
    return lambda text: sorted({read(one) for one in text.split()})


def _bool_or(default: bool) -> Callable[[str], bool]:  # noqa: FBT001 (what an empty cell means)
    def read(text: str) -> bool:
        value = _maybe_bool(text)
        return default if value is None else value

    return read


def _maybe_country(text: str) -> str | None:
    if text and (not _COUNTRY.fullmatch(text.upper()) or text.upper() not in countries()):
        raise ValueError(f"{text!r} is no country: write its two letters, like GB (ISO 3166-1)")
    return text.upper() or None


def _maybe_subdivision(text: str) -> str | None:
    found = _SUBDIVISION.fullmatch(text.upper())
    if text and found is None:
        raise ValueError(f"{text!r} is no subdivision: write its code, like NSW or AU-NSW (ISO 3166-2)")
    return found[1] if found else None


@cache
def _timezones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _maybe_timezone(text: str) -> str | None:
    if text and text not in _timezones():
        near = difflib.get_close_matches(text, _timezones(), 1)
        hint = f"did you mean {near[0]!r}?" if near else "write it like Europe/London"
        raise ValueError(f"{text!r} is no time zone: {hint}")
    return text or None


def _day(text: str) -> str:
    found = _maybe_date(text)
    if found is None:
        raise ValueError("is empty: write a date like 2026-01-31")
    if not _FIRST_DAY <= found <= _LAST_DAY:
        raise ValueError(f"{text!r}: calendars reach from {_FIRST_DAY} to {_LAST_DAY}")
    return found


def _weekdays(text: str) -> str:
    """Read weekdays like mon-fri or mon,wed,sat as ISO digits in their order."""
    found: set[int] = set()
    for part in text.lower().replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        if first not in _WEEKDAYS or (last or first) not in _WEEKDAYS or (dash and not last):
            raise ValueError(f"{text!r}: write weekdays like mon-fri or mon,wed,sat ({', '.join(_WEEKDAYS)})")
        begin, end = _WEEKDAYS.index(first), _WEEKDAYS.index(last or first)
        if end < begin:
            raise ValueError(f"{text!r}: a span of weekdays goes from Monday on, like fri-sun")
        found |= set(range(begin + 1, end + 2))
    return "".join(map(str, sorted(found)))


def _clock(text: str) -> time:
    try:
        found = time.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time of day: write it like 08:30") from None
    if found.tzinfo is not None:
        raise ValueError(f"{text!r}: leave the zone out, it is the place's own time")
    return found.replace(microsecond=0)


def _minutes(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number of minutes") from None
    if not 0 < found <= _LONGEST_WAY_MIN:
        raise ValueError(f"{text!r}: a way takes more than 0 and up to {_LONGEST_WAY_MIN} minutes (30 days)")
    return found


def _reason(text: str) -> str:
    if len(text) < _SHORTEST_REASON:
        raise ValueError(f"{text!r}: give a reason of at least {_SHORTEST_REASON} characters")
    return _text(text)


_NEEDED: Final[dict[str, dict[str, Reader]]] = {
    "roles": {"id": _id, "name": _text},
    "locations": {
        "id": _id, "name": _text, "kind": _one_of(LOCATION_KINDS), "parent": _maybe_id, "guarded": _maybe_bool,
    },
    "people": {"id": _id, "name": _text},
    "role_holders": {"role": _id, "location": _maybe_id, "person": _id},
    "pools": {"id": _id, "name": _text, "owner": _id},
    "portals": {
        "id": _id, "name": _text, "site": _topic_name, "gateway": _topic_name, "inside": _id, "outside": _id,
        "mode": _one_of(PORTAL_MODES, "notify"),
    },
    "neighbours": {"portal": _id, "neighbour": _id},
    "openings": {"id": _id, "location": _id, "kind": _one_of(OPENING_KINDS), "portal": _maybe_id},
    "assets": {"id": _id, "name": _text, "class": _any, "serial": _maybe_serial, "location": _maybe_id},
    "serials": {"asset": _id, "serial": _serial, "from_at": _instant, "to_at": _maybe_instant},
    "tags": {"epc": _epc, "asset": _id, "role": _one_of(TAG_ROLES, "body")},
    "authorisations": {
        "id": _id, "asset": _id, "boundary": _id, "valid_from": _maybe_instant, "valid_to": _maybe_instant,
        "reason": _any,
    },
    "opening_hours": {"location": _id, "days": _weekdays, "opens": _clock, "closes": _clock},
    "travel_times": {"one": _id, "other": _id, "minutes": _minutes},
    "calendar_overrides": {"day": _day, "status": _one_of(("working", "closed")), "reason": _reason},
    "portal_mutes": {"portal": _id, "from_at": _instant, "until_at": _instant, "reason": _reason},
}  # fmt: skip
_MORE: Final[dict[str, dict[str, Reader]]] = {
    "locations": {
        "country": _maybe_country, "subdivision": _maybe_subdivision, "timezone": _maybe_timezone,
        "owner_role": _maybe_id,
    },
    "people": {
        "location": _maybe_id, "active": _bool_or(default=True), "kind": _one_of(("person", "service"), "person"),
    },
    "role_holders": {"removed": _bool_or(default=False)},
    "neighbours": {"removed": _bool_or(default=False)},
    "openings": {"removed": _bool_or(default=False)},
    "assets": {
        "model": _maybe, "cost_centre": _maybe, "parent": _maybe_id, "lifecycle": _maybe_one_of(axes.LIFECYCLES),
        "custody_kind": _maybe_one_of(axes.CUSTODY_KINDS), "custodian": _maybe_id,
        "condition": _maybe_one_of(axes.CONDITIONS), "data_state": _maybe_one_of(axes.DATA_STATES),
        "title": _maybe_one_of(axes.TITLES), "title_holder": _maybe, "title_return_on": _maybe_date,
    },
    "tags": {
        "tid": _maybe_epc, "state": _maybe_one_of(TAG_STATES), "bound_from": _maybe_instant, "bound_to": _maybe_instant,
    },
    "authorisations": {
        "kind": _one_of(AUTHORISATION_KINDS, "standing"), "person": _maybe_id, "single_use": _bool_or(default=False),
        "expected_return": _maybe_instant, "requested_by": _maybe_id, "approved_by": _maybe_id,
        "despite": _some_of(axes.BLOCKS), "pass_kind": _maybe_one_of(PASS_KINDS),
    },
    "opening_hours": {"removed": _bool_or(default=False)},
    "travel_times": {"removed": _bool_or(default=False)},
    "calendar_overrides": {
        "location": _maybe_id, "country": _maybe_country, "subdivision": _maybe_subdivision,
        "removed": _bool_or(default=False),
    },
    "portal_mutes": {"mode": _one_of(("observe", "notify"), "observe"), "removed": _bool_or(default=False)},
}  # fmt: skip

COLUMNS: Final[dict[str, tuple[str, ...]]] = {kind: tuple(columns) for kind, columns in _NEEDED.items()}
"""Columns that a header must name, by kind; kinds stand in the order in which they refer to each other."""
MORE_COLUMNS: Final[dict[str, tuple[str, ...]]] = {kind: tuple(_MORE.get(kind, ())) for kind in _NEEDED}
"""Columns that a header may name."""
READERS: Final[dict[str, dict[str, Reader]]] = {kind: _NEEDED[kind] | _MORE.get(kind, {}) for kind in _NEEDED}
_KEYS: Final = {
    "role_holders": ("role", "location", "person"), "neighbours": ("portal", "neighbour"),
    "serials": ("asset", "from_at"), "opening_hours": ("location", "days"), "travel_times": ("one", "other"),
    "calendar_overrides": ("day",), "portal_mutes": ("portal", "from_at"),
}  # fmt: skip


DATED: Final = frozenset(
    column
    for readers in READERS.values()
    for column, read in readers.items()
    if read in {_instant, _maybe_instant, _maybe_date}
)
"""Columns that hold instants or dates."""
_SCOPE: Final = ("country", "subdivision", "location")
"""Which of these a sheet names is its own choice; whom an override is for is a part of its key all the same."""


def key_columns(kind: str) -> tuple[str, ...]:
    """Return the columns that tell one row of a kind from another."""
    return _KEYS.get(kind, COLUMNS[kind][:1])


def key_of(kind: str, values: dict[str, Any]) -> str | None:
    """Return a row's key as one text, or None if its key could not be read."""
    columns = key_columns(kind)
    if any(column not in values for column in columns):
        return None
    columns += _SCOPE if kind == "calendar_overrides" else ()
    parts = ["" if values.get(column) is None else str(values[column]) for column in columns]
    return "/".join(sorted(parts) if kind == "travel_times" else parts)
