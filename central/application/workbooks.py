"""Workbooks (XLSX) -> the same rows as CSV sheets: each of its sheets is one kind, told by its name.

Cells become text as the CSV reader wants it; what would be lost or is not what it looks like is a problem.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import openpyxl

from central.application.columns import COLUMNS, DATED
from central.application.sheets import Problem, Sheets, read_rows

MAX_UNPACKED_BYTES: Final = 256 * 1024 * 1024
"""A workbook is packed; one that unpacks to more is refused before it fills the memory."""
_CHUNK_BYTES: Final = 1024 * 1024
_MERGED: Final = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]{0,80}?ref="([A-Z]{1,3}([0-9]{1,7}):[A-Z0-9]{2,10})"')
_OVERLAP_BYTES: Final = 200
"""No shorter than what `_MERGED` finds, so that none is cut in two."""
EXACT_DIGITS: Final = 15
"""Excel keeps so many digits of a number; what had more has lost them."""


def read_workbook(into: Sheets, file: str, content: bytes) -> None:
    """Read the sheets of a workbook into `into`; sheets of no known kind are problems, so that nothing is left out."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(one.file_size for one in packed.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            text = f"unpacks to {unpacked} bytes, {MAX_UNPACKED_BYTES} is the most: split it"
            into.problems.append(Problem(file, 1, text))
            return
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    except Exception as error:  # noqa: BLE001 (openpyxl documents none and lets out zip, XML, key and value errors)
        into.problems.append(Problem(file, 1, f"is no workbook that can be read ({error}): save it as .xlsx or CSV"))
        return
    for sheet in book.worksheets:
        _read_sheet(into, file, sheet)


def _read_sheet(into: Sheets, file: str, sheet: Any) -> None:
    kind, place = sheet.title.strip().lower(), f"{file}[{sheet.title}]"
    if kind not in COLUMNS:
        text = f"the sheet's name tells no kind: name it one of {', '.join(COLUMNS)}, or take it out"
        into.problems.append(Problem(place, 1, text))
        return
    try:
        sheet.reset_dimensions()  # what the file says of its size may be wrong, and rows beyond it would be left out
        for ref, line in _merged(sheet).items():
            text = f"cells {ref} are merged, and only the first has a value: unmerge them and fill each"
            into.problems.append(Problem(place, line, text))
        rows = _rows(into, place, sheet)
        header = next(rows, (1, []))[1]
        while header and not header[-1]:
            header.pop()
        wide = len(header)
        read_rows(into, kind, place, header, ((line, _fit(cells, wide)) for line, cells in rows))
    except Exception as error:  # noqa: BLE001 (as above: a broken sheet shows only while its rows are read)
        into.problems.append(Problem(place, 1, f"can't be read ({error}): save the workbook anew"))


def _merged(sheet: Any) -> dict[str, int]:
    """Return merged ranges and the row in which each begins; openpyxl doesn't tell them of a sheet that it streams."""
    found: dict[str, int] = {}
    with sheet.parent._archive.open(sheet._worksheet_path) as packed:  # noqa: SLF001 (as openpyxl itself opens it)
        kept = b""
        while chunk := packed.read(_CHUNK_BYTES):
            text = kept + chunk
            found |= {ref.decode("ascii"): int(line) for ref, line in _MERGED.findall(text)}
            kept = text[-_OVERLAP_BYTES:]
    return found


def _rows(into: Sheets, place: str, sheet: Any) -> Iterator[tuple[int, list[str]]]:
    dated: set[int] = set()
    for line, row in enumerate(sheet.iter_rows(), 1):
        cells = []
        for number, cell in enumerate(row):
            try:
                cells.append(_text(cell, dated=number in dated))
            except ValueError as error:
                into.problems.append(Problem(place, line, f"cell {cell.coordinate}: {error}"))
                cells.append("")
        if line == 1:
            dated = {number for number, text in enumerate(cells) if text.strip().lower() in DATED}
        yield line, cells


def _fit(cells: list[str], wide: int) -> list[str]:
    """Fill a short row up, and drop empty cells beyond the header."""
    while len(cells) > wide and not cells[-1].strip():
        cells.pop()
    return cells + [""] * (wide - len(cells))


def _text(cell: Any, *, dated: bool) -> str:
    """Return a cell as it would stand in CSV; what is not what it seems raises `ValueError`."""
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        raise ValueError("holds a formula: paste its value")
    if cell.data_type == "e":
        raise ValueError(f"holds the error {value}: mend it")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date | time | timedelta) and not dated:
        raise ValueError(f"was made a date ({value}), and this column has none: make it text and enter it again")
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == value.time().min else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float):
        return _number(value, cell.number_format)
    return str(value)


def _number(value: float, shown_as: str) -> str:
    if re.fullmatch("00+", shown_as) and abs(value) < 10 ** (len(shown_as) - 1):
        raise ValueError(f"is the number {value} shown with zeros before it: make the column text and enter it again")
    if abs(value) >= 10**EXACT_DIGITS:
        raise ValueError("is a number with more digits than Excel keeps: make the column text and enter it again")
    return str(int(value)) if value == int(value) else str(value)
