"""Sheets of other books: rows of text -> rows of a snapshot, and every problem with its line. Pure."""

import csv
import difflib
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

from central.application.columns import READERS, Reader
from central.application.sheets import Problem, separator_problem
from central.domain.reconciling.comparing import Theirs

MAX_ROWS: Final = 200_000
"""Rows of one book: more than that is several places' books."""
LONGEST: Final = 200
"""Characters of a cell."""
NO_END: Final = "9999-12-31"


def _words(text: str) -> str:
    if not text:
        raise ValueError("is empty")
    return _maybe(text) or ""


def _maybe(text: str) -> str | None:
    if "\0" in text or len(text) > LONGEST:
        raise ValueError(f"holds a NUL character or more than {LONGEST} others")
    return text or None


def _name(text: str) -> str:
    return _maybe(text) or ""


def _leaves_on(text: str) -> str | None:
    """Read the day of an exit; some HR systems write the last day that there is for who stays."""
    return None if text == NO_END else _DATE(text)


_DATE: Final = READERS["assets"]["title_return_on"]
_SERIAL: Final = READERS["assets"]["serial"]
_ACTIVE: Final = READERS["people"]["active"]
_DEVICE: Final[Mapping[str, Reader]] = {
    "id": _words, "asset": _maybe, "serial": _SERIAL, "active": _ACTIVE, "person": _maybe, "name": _name,
}  # fmt: skip
BOOK_COLUMNS: Final[Mapping[str, Mapping[str, Reader]]] = {
    "far": {
        "id": _words, "asset": _maybe, "serial": _SERIAL, "active": _ACTIVE, "cost_centre": _maybe, "name": _name,
    },
    "itsm": {**_DEVICE, "cost_centre": _maybe},
    "mdm": _DEVICE,
    "discovery": _DEVICE,
    "hrms": {
        "id": READERS["people"]["id"], "active": _ACTIVE, "cost_centre": _maybe,
        "leaves_on": _leaves_on,
    },
}  # fmt: skip
"""What each book's sheet may name; `id` it must name."""


def read_book(book: str, file: str, text: str) -> tuple[list[Theirs], list[Problem]]:
    """Read one book's CSV; with any problem the rows are worth nothing."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    rows: dict[str, Theirs] = {}
    problems: list[Problem] = []
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        problems += _header(book, file, header)
        if problems:
            return [], problems
        for cells in reader:
            if any(cell.strip() for cell in cells):
                problems += _take(BOOK_COLUMNS[book], file, (reader.line_num, header, cells), rows)
    except csv.Error as error:
        problems.append(Problem(file, reader.line_num, f"not readable as CSV: {error}"))
    if len(rows) > MAX_ROWS:
        problems.append(Problem(file, 1, f"has {len(rows)} rows, at most {MAX_ROWS} are taken: split it by place"))
    return list(rows.values()), problems


def _header(book: str, file: str, header: Sequence[str]) -> list[Problem]:
    known = tuple(BOOK_COLUMNS[book])
    if wrong := separator_problem(file, header):
        return [wrong]
    problems = []
    for name in header:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"columns are {', '.join(known)}"
            problems.append(Problem(file, 1, f"unknown column {name!r}: {hint}"))
    if "id" not in header:
        problems.append(Problem(file, 1, "the header lacks id: what the thing is called in that book"))
    if len(set(header)) < len(header):
        problems.append(Problem(file, 1, "the header names a column twice"))
    return problems


def _take(
    readers: Mapping[str, Reader], file: str, place: tuple[int, Sequence[str], Sequence[str]], rows: dict[str, Theirs]
) -> list[Problem]:
    """Read a row's cells into `rows`; return what is wrong with it."""
    line, header, cells = place
    if len(cells) != len(header):
        return [Problem(file, line, f"{len(cells)} cells, the header has {len(header)}")]
    values: dict[str, Any] = {}
    problems = []
    for name, cell in zip(header, cells, strict=True):
        try:
            values[name] = readers[name](cell.strip())
        except ValueError as error:
            problems.append(Problem(file, line, f"{name}: {error}"))
    if problems:
        return problems
    row = Theirs(line, **values)
    if row.id in rows:
        return [Problem(file, line, f"id {row.id!r} stands in line {rows[row.id].line} already")]
    rows[row.id] = row
    return []
