"""Registry sheets: CSV text -> typed rows, and every problem with its file and line. Pure.

Five kinds, told by file name. A header row is required; an empty cell means none; instants are RFC 3339 with a zone.
"""

import csv
import difflib
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from central.domain.places import LOCATION_KINDS, PORTAL_MODES
from edge.epc import EpcError, epc_bytes, epc_hex

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "locations": ("id", "name", "kind", "parent", "guarded"),
    "portals": ("id", "name", "site", "gateway", "inside", "outside", "mode"),
    "assets": ("id", "name", "class", "serial", "location"),
    "tags": ("epc", "asset", "role"),
    "authorisations": ("id", "asset", "boundary", "valid_from", "valid_to", "reason"),
}
"""Kinds in the order in which they refer to each other."""
KEYS: Final = {kind: columns[0] for kind, columns in COLUMNS.items()}
TAG_ROLES: Final = ("body", "lid", "box")

_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,80}")
_NAME_ON_TOPIC: Final = re.compile(r"[a-z0-9-]{1,40}")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and what would be right."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row: values by column, ready for the database."""

    file: str
    line: int
    values: dict[str, Any]


@dataclass(slots=True)
class Sheets:
    """All rows of an import by kind, and the problems so far."""

    rows: dict[str, list[SheetRow]] = field(default_factory=lambda: {kind: [] for kind in COLUMNS})
    broken: dict[str, list[SheetRow]] = field(default_factory=lambda: {kind: [] for kind in COLUMNS})
    """Rows with a problem of their own and the values that could be read: what else is wrong with them is told too."""
    problems: list[Problem] = field(default_factory=list)

    def ids(self, kind: str) -> set[str]:
        """Return the keys of a kind's rows."""
        return {row.values[KEYS[kind]] for row in self.all(kind) if KEYS[kind] in row.values}

    def all(self, kind: str) -> list[SheetRow]:
        """Return a kind's rows, broken ones too."""
        return [*self.rows[kind], *self.broken[kind]]


def read_sheet(into: Sheets, kind: str, file: str, text: str) -> None:
    """Read one file's text into `into`; rows with a problem are set apart and reported."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if not _check_header(into, kind, file, header):
            return
        seen = {row.values[KEYS[kind]]: row for row in into.rows[kind]}
        for cells in reader:
            if any(cell.strip() for cell in cells):
                _read_row(into, kind, SheetRow(file, reader.line_num, {}), header=header, cells=cells, seen=seen)
    except csv.Error as error:
        into.problems.append(Problem(file, reader.line_num, f"not readable as CSV: {error}"))


def _check_header(into: Sheets, kind: str, file: str, header: list[str]) -> bool:
    wanted = COLUMNS[kind]
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and mark in header[0]:
            text = f"the cells are separated by {name}: save the sheet as CSV with commas"
            into.problems.append(Problem(file, 1, text))
            return False
    missing = [name for name in wanted if name not in header]
    for name in header:
        if name not in wanted:
            near = difflib.get_close_matches(name, wanted, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"columns are {', '.join(wanted)}"
            into.problems.append(Problem(file, 1, f"unknown column {name!r}: {hint}"))
    if missing:
        into.problems.append(
            Problem(file, 1, f"the header lacks {', '.join(missing)}: it must name {', '.join(wanted)}")
        )
    if len(set(header)) < len(header):
        into.problems.append(Problem(file, 1, "the header names a column twice"))
    return not missing and len(set(header)) == len(header)


def _read_row(
    into: Sheets, kind: str, place: SheetRow, *, header: list[str], cells: list[str], seen: dict[str, SheetRow]
) -> None:
    if len(cells) != len(header):
        into.problems.append(Problem(place.file, place.line, f"{len(cells)} cells, the header has {len(header)}"))
        return
    texts = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    problems = []
    for column in COLUMNS[kind]:
        try:
            place.values[column] = _READ[kind][column](texts[column])
        except ValueError as error:
            problems.append(Problem(place.file, place.line, f"{column}: {error}"))
    into.problems.extend(problems)
    if problems:
        into.broken[kind].append(place)
        return
    key = place.values[KEYS[kind]]
    if key in seen:
        first = seen[key]
        text = f"{KEYS[kind]} {key!r} stands in {first.file}:{first.line} already"
        into.problems.append(Problem(place.file, place.line, text))
        into.broken[kind].append(place)
        return
    _finish(kind, place.values)
    seen[key] = place
    into.rows[kind].append(place)


def _finish(kind: str, values: dict[str, Any]) -> None:
    if kind == "locations" and values["guarded"] is None:
        values["guarded"] = values["kind"] == "building"


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


def _maybe_instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no instant: write it like 2026-01-31T08:15:00Z") from None
    if at.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone: end it with Z or an offset like +01:00")
    return at


def _epc(text: str) -> str:
    try:
        return epc_hex(epc_bytes(text))
    except EpcError as error:
        raise ValueError(str(error)) from None


_READ: Final[dict[str, dict[str, Callable[[str], Any]]]] = {
    "locations": {
        "id": _id, "name": _text, "kind": _one_of(LOCATION_KINDS), "parent": _maybe_id, "guarded": _maybe_bool,
    },
    "portals": {
        "id": _id, "name": _text, "site": _topic_name, "gateway": _topic_name, "inside": _id, "outside": _id,
        "mode": _one_of(PORTAL_MODES, "notify"),
    },
    "assets": {"id": _id, "name": _text, "class": _any, "serial": _maybe, "location": _maybe_id},
    "tags": {"epc": _epc, "asset": _id, "role": _one_of(TAG_ROLES, "body")},
    "authorisations": {
        "id": _id, "asset": _id, "boundary": _id, "valid_from": _maybe_instant, "valid_to": _maybe_instant,
        "reason": _any,
    },
}  # fmt: skip
