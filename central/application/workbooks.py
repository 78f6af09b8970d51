"""Workbooks (XLSX) -> the same rows as CSV sheets: each of its sheets is one kind, told by its name.

Cells become text as the CSV reader wants it; what would be lost or is not what it looks like is a problem.
"""

import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final

import openpyxl

from central.application.columns import COLUMNS
from central.application.sheets import Problem, Sheets, read_rows

MAX_UNPACKED_BYTES: Final = 256 * 1024 * 1024
"""A workbook is packed; one that unpacks to more is refused before it fills the memory."""
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
        rows = _rows(into, place, sheet)
        header = next(rows, (1, []))[1]
        while header and not header[-1]:
            header.pop()
        wide = len(header)
        read_rows(into, kind, place, header, ((line, _fit(cells, wide)) for line, cells in rows))
    except Exception as error:  # noqa: BLE001 (as above: a broken sheet shows only while its rows are read)
        into.problems.append(Problem(place, 1, f"can't be read ({error}): save the workbook anew"))


def _rows(into: Sheets, place: str, sheet: Any) -> Iterator[tuple[int, list[str]]]:
    for line, row in enumerate(sheet.iter_rows(), 1):
        cells = []
        for cell in row:
            try:
                cells.append(_text(cell.value, cell.data_type))
            except ValueError as error:
                into.problems.append(Problem(place, line, f"cell {cell.coordinate}: {error}"))
                cells.append("")
        yield line, cells


def _fit(cells: list[str], wide: int) -> list[str]:
    """Fill a short row up, and drop empty cells beyond the header."""
    while len(cells) > wide and not cells[-1].strip():
        cells.pop()
    return cells + [""] * (wide - len(cells))


def _text(value: Any, data_type: str) -> str:
    """Return a cell as it would stand in CSV; what is not what it seems raises `ValueError`."""
    if value is None:
        return ""
    if data_type == "f":
        raise ValueError("holds a formula: paste its value")
    if data_type == "e":
        raise ValueError(f"holds the error {value}: mend it")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == value.time().min else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float):
        return _number(value)
    return str(value)


def _number(value: float) -> str:
    if abs(value) >= 10**EXACT_DIGITS:
        raise ValueError("is a number with more digits than Excel keeps: make the column text and enter it again")
    return str(int(value)) if value == int(value) else str(value)
