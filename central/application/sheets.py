"""Registry sheets: rows of text -> typed rows, and every problem with its file and line. Pure.

The kinds are told by the file's name, in a workbook by its sheets' names (`central.application.columns`).
"""

import csv
import difflib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from central.application.columns import COLUMNS, MORE_COLUMNS, READERS, key_columns, key_of


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
    """One row: values by column, ready for the database; a column that the sheet lacks is absent."""

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
        return {key for row in self.all(kind) if (key := key_of(kind, row.values)) is not None}

    def all(self, kind: str) -> list[SheetRow]:
        """Return a kind's rows, broken ones too."""
        return [*self.rows[kind], *self.broken[kind]]


_ERRORS: Final = frozenset({"#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#N/A"})
"""What spreadsheets write for a formula that failed."""


def read_sheet(into: Sheets, kind: str, file: str, text: str) -> None:
    """Read one CSV file's text into `into`; rows with a problem are set apart and reported."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        header = next(reader, [])
        read_rows(into, kind, file, header, ((reader.line_num, cells) for cells in reader))
    except csv.Error as error:
        into.problems.append(Problem(file, reader.line_num, f"not readable as CSV: {error}"))


def read_rows(into: Sheets, kind: str, file: str, header: Sequence[str], rows: Iterable[tuple[int, list[str]]]) -> None:
    """Read numbered rows of cells into `into`; rows with a problem are set apart and reported."""
    names = [name.strip().lower() for name in header]
    if not _check_header(into, kind, file, names):
        return
    seen = {key_of(kind, row.values): row for row in into.rows[kind]}
    for line, cells in rows:
        if any(cell.strip() for cell in cells):
            _read_row(into, kind, SheetRow(file, line, {}), header=names, cells=cells, seen=seen)


def separator_problem(file: str, header: Sequence[str]) -> Problem | None:
    """Return what is wrong with a header whose cells are separated by something else than commas."""
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and mark in header[0]:
            return Problem(file, 1, f"the cells are separated by {name}: save the sheet as CSV with commas")
    return None


def _check_header(into: Sheets, kind: str, file: str, header: list[str]) -> bool:
    needed, known = COLUMNS[kind], (*COLUMNS[kind], *MORE_COLUMNS[kind])
    if wrong := separator_problem(file, header):
        into.problems.append(wrong)
        return False
    missing = [name for name in needed if name not in header]
    for name in header:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"columns are {', '.join(known)}"
            into.problems.append(Problem(file, 1, f"unknown column {name!r}: {hint}"))
    if missing:
        into.problems.append(
            Problem(file, 1, f"the header lacks {', '.join(missing)}: it must name {', '.join(needed)}")
        )
    if len(set(header)) < len(header):
        into.problems.append(Problem(file, 1, "the header names a column twice"))
    return not missing and len(set(header)) == len(header)


def _read_row(
    into: Sheets, kind: str, place: SheetRow, *, header: list[str], cells: list[str], seen: dict[str | None, SheetRow]
) -> None:
    if len(cells) != len(header):
        into.problems.append(Problem(place.file, place.line, f"{len(cells)} cells, the header has {len(header)}"))
        return
    problems = _read_cells(kind, place, dict(zip(header, map(str.strip, cells), strict=True)))
    into.problems.extend(problems)
    if problems:
        into.broken[kind].append(place)
        return
    key = key_of(kind, place.values)
    if key in seen:
        first = seen[key]
        text = f"{', '.join(key_columns(kind))} {key!r} stands in {first.file}:{first.line} already"
        into.problems.append(Problem(place.file, place.line, text))
        into.broken[kind].append(place)
        return
    _finish(kind, place.values)
    seen[key] = place
    into.rows[kind].append(place)


def _read_cells(kind: str, place: SheetRow, texts: dict[str, str]) -> list[Problem]:
    """Read a row's cells into its values; return what could not be read."""
    problems = []
    for column, read in READERS[kind].items():
        if column not in texts:
            continue
        try:
            place.values[column] = read(_plain(texts[column]))
        except ValueError as error:
            problems.append(Problem(place.file, place.line, f"{column}: {error}"))
    return problems


def _plain(text: str) -> str:
    """Return a cell's text; a formula, or the error that one ended in, raises `ValueError`."""
    if text.startswith("="):
        raise ValueError(f"{text!r} is a formula: paste its value")
    if text in _ERRORS:
        raise ValueError(f"holds the error {text}: mend it")
    return text


def _finish(kind: str, values: dict[str, Any]) -> None:
    if kind == "locations" and values["guarded"] is None:
        values["guarded"] = values["kind"] == "building"
