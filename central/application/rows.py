"""What a sheet's row makes of a registry row: whole rows, built from what stands and what the sheet says. Pure.

Rows of the registry are JSON objects of a table's columns, as the store keeps and compares them; instants are text.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final

from central.application.sheets import SheetRow
from central.domain.exits import pass_kind
from central.domain.tags import ALWAYS, Binding

Row = dict[str, Any]

KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "role_holders": ("role", "location", "person"),
    "neighbours": ("portal", "neighbour"),
    "serials": ("asset", "from_at"),
    "tags": ("epc", "bound_from"),
    "opening_hours": ("location", "days"),
    "travel_times": ("one", "other"),
    "calendar_overrides": ("day", "country", "subdivision", "location"),
    "portal_mutes": ("portal", "from_at"),
}
"""Key columns of a kind's table; all others have `id`."""
ORDER: Final = (
    "roles", "locations", "people", "role_holders", "pools", "gateways", "portals", "neighbours", "openings", "assets",
    "serials", "tags", "authorisations", "opening_hours", "travel_times", "calendar_overrides", "portal_mutes",
)  # fmt: skip
"""Kinds of registry rows in the order in which they refer to each other."""
SAID: Final = frozenset({"calendar_overrides", "portal_mutes"})
"""Kinds that are words of a person: they stand in the log, and say by whom."""


@dataclass(frozen=True, slots=True)
class Change:
    """A registry row that an import makes, changes or removes, and the sheet's row that says so."""

    kind: str
    key: str
    file: str
    line: int
    before: Row | None
    after: Row | None


def row_key(kind: str, row: Mapping[str, Any]) -> str:
    """Return a registry row's key as one text."""
    parts = ["" if row.get(name) is None else str(row[name]) for name in KEYS.get(kind, ("id",))]
    return "/".join(sorted(parts) if kind == "travel_times" else parts)


def plain(value: Any) -> Any:
    """Return a value as JSON has it; instants in the one form that the store compares."""
    if isinstance(value, datetime):
        return instant_text(value)
    return value.isoformat() if isinstance(value, time) else value


@lru_cache(maxsize=1024)  # thousands of an import's rows say the same instant
def instant_text(at: datetime) -> str:
    """Return an instant as the database writes it in JSON, in UTC: without zeros at the end of the fraction."""
    whole, _, fraction = at.astimezone(UTC).replace(tzinfo=None).isoformat().partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}+00:00" if fraction else f"{whole}+00:00"


def merged(kind: str, sheet: SheetRow, before: Row | None, now: datetime) -> Row:
    """Return the whole registry row that a sheet's row asks for; what it doesn't name stays or has its default."""
    told = {name: plain(value) for name, value in sheet.values.items()}
    base = dict(before) if before is not None else dict(_DEFAULTS.get(kind, {}))
    columns = _COLUMNS[kind]
    row = base | {name: value for name, value in told.items() if name in columns}
    return _FINISH[kind](row, before, now) if kind in _FINISH else row


def binding_of(row: Row) -> Binding:
    """Return a tag's registry row as a binding."""
    end = row["bound_to"]
    return Binding(
        row["epc"], row["asset"], datetime.fromisoformat(row["bound_from"]),
        datetime.fromisoformat(end) if end else None, row["role"], row["state"], row["tid"],
    )  # fmt: skip


def tag_row(binding: Binding, before: Row | None, now: datetime) -> Row:
    """Return a binding as a registry row.

    A tag that comes off or onto a box is registered anew: from then on the box goes its own way, or is its asset's.
    """
    stays = before is not None and (before["role"] == "box") == (binding.role == "box")
    return {
        "epc": binding.epc,
        "asset": binding.asset,
        "role": binding.role,
        "registered_at": before["registered_at"] if before is not None and stays else instant_text(now),
        "tid": binding.tid,
        "bound_from": instant_text(binding.bound_from),
        "bound_to": instant_text(binding.bound_to) if binding.bound_to else None,
        "state": binding.state,
    }


def serial_rows(asset: str, serial: str | None, known: list[Row], now: datetime) -> list[Row]:
    """Return the serial rows that change when an asset bears `serial` from now; none where it does so already.

    One that was told in the same instant, or by an import that began later and was done before, ends right after that.
    """
    standing = next((row for row in known if row["to_at"] is None), None)
    if (standing["serial"] if standing else None) == serial:
        return []
    since = datetime.fromisoformat(standing["from_at"]) if standing else ALWAYS
    turn = max(now, since + timedelta(microseconds=1))
    changed = [{**standing, "to_at": instant_text(turn)}] if standing else []
    if serial:
        begins = turn if known else ALWAYS
        changed.append({"asset": asset, "serial": serial, "from_at": instant_text(begins), "to_at": None})
    return changed


def same(current: Row | None, noted: Row | None) -> bool:
    """Tell whether a row still is as it was noted, whatever columns the program has got since."""
    if current is None or noted is None:
        return current is noted
    return all(name in current and current[name] == value for name, value in noted.items())


def dumps(rows: Any) -> str:
    """Return rows as JSON for the store."""
    return json.dumps(rows)


def columns(ones: Sequence[Any]) -> list[Row]:
    """Return dataclasses of one class as rows of their fields; `asdict` would copy all that they hold, cell by cell."""
    names = [one.name for one in fields(ones[0])] if ones else []
    return [{name: plain(getattr(one, name)) for name in names} for one in ones]


def _asset(row: Row, before: Row | None, now: datetime) -> Row:
    if row["parent"] is None:
        row["parent_since"] = None
    elif before is None or before["parent"] != row["parent"]:
        row["parent_since"] = instant_text(now)
    return row


def _authorisation(row: Row, _before: Row | None, now: datetime) -> Row:
    return row | {"recorded_at": instant_text(now), "pass_kind": pass_kind(row["kind"], row["pass_kind"])}


def _travel(row: Row, _before: Row | None, _now: datetime) -> Row:
    """Put a pair of sites in order: the way back takes as long."""
    one, other = sorted((row["one"], row["other"]))
    return row | {"one": one, "other": other}


_FINISH: Final[Mapping[str, Callable[[Row, Row | None, datetime], Row]]] = {
    "assets": _asset,
    "authorisations": _authorisation,
    "travel_times": _travel,
}
_DEFAULTS: Final[Mapping[str, Row]] = {
    "locations": {"country": None, "subdivision": None, "timezone": None, "owner_role": None},
    "people": {"location": None, "active": True, "kind": "person"},
    "assets": {"model": None, "cost_centre": None, "parent": None, "parent_since": None},
    "authorisations": {
        "kind": "standing", "person": None, "single_use": False, "expected_return": None, "requested_by": None,
        "approved_by": None, "withdrawn_at": None, "despite": [], "pass_kind": None,
    },
    "calendar_overrides": {"country": None, "subdivision": None, "location": None},
    "portal_mutes": {"mode": "observe"},
}  # fmt: skip
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "roles": ("id", "name"),
    "locations": ("id", "name", "kind", "parent", "guarded", "country", "subdivision", "timezone", "owner_role"),
    "people": ("id", "name", "location", "active", "kind"),
    "role_holders": ("role", "location", "person"),
    "pools": ("id", "name", "owner"),
    "portals": ("id", "name", "gateway", "inside", "outside", "mode"),
    "neighbours": ("portal", "neighbour"),
    "openings": ("id", "location", "kind", "portal"),
    "assets": ("id", "name", "class", "serial", "model", "cost_centre", "parent"),
    "serials": ("asset", "serial", "from_at", "to_at"),
    "authorisations": (
        "id", "kind", "asset", "boundary", "valid_from", "valid_to", "reason", "person", "single_use",
        "expected_return", "requested_by", "approved_by", "despite", "pass_kind",
    ),
    "opening_hours": ("location", "days", "opens", "closes"),
    "travel_times": ("one", "other", "minutes"),
    "calendar_overrides": ("day", "country", "subdivision", "location", "status", "reason"),
    "portal_mutes": ("portal", "from_at", "until_at", "mode", "reason"),
}  # fmt: skip
