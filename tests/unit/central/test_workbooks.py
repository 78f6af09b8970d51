"""Workbooks: cells become what CSV would hold, and what would be lost is told."""

import io
from datetime import date, datetime

import openpyxl
import pytest

from central.application.sheets import Sheets
from central.application.workbooks import read_workbook

HEADER = ["id", "name", "class", "serial", "location", "title", "title_return_on"]


def read(*rows, name="assets"):
    book = openpyxl.Workbook()
    book.active.title = name
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    sheets = Sheets()
    read_workbook(sheets, "it.xlsx", content.getvalue())
    return sheets


def test_numbers_dates_and_empty_cells_read_as_they_look():
    sheets = read(
        [*HEADER, None],
        ["LT-1", "Laptop", "laptop", 1001.0, None, "leased", date(2027, 1, 31)],
        [None] * 9,
        ["LT-2", 7450, "laptop", "0012"],
        name=" Assets ",
    )
    assert not sheets.problems
    first, second = sheets.rows["assets"]
    assert (first.values["serial"], first.values["title_return_on"]) == ("1001", "2027-01-31")
    assert (second.line, second.values["name"], second.values["serial"]) == (4, "7450", "0012")


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("=A1", "cell D2: holds a formula: paste its value"),
        (3.034257e24, "cell D2: is a number with more digits than Excel keeps"),
    ],
)
def test_a_cell_that_is_not_what_it_seems_is_told(cell, told):
    (problem,) = read(HEADER, ["LT-1", "Laptop", "laptop", cell, None, None, None]).problems
    assert (problem.file, problem.line) == ("it.xlsx[assets]", 2)
    assert problem.text.startswith(told)


def test_an_instant_without_a_zone_is_told_as_in_csv():
    sheets = read(
        ["id", "asset", "boundary", "valid_from", "valid_to", "reason"],
        ["A", "LT-1", "hq", datetime(2026, 1, 31, 8, 15), None, None],  # noqa: DTZ001 (a workbook's have none)
        name="authorisations",
    )
    assert [one.text.partition(":")[0] for one in sheets.problems] == ["valid_from"]
    assert "names no time zone" in sheets.problems[0].text


def test_a_sheet_of_no_kind_and_a_file_that_is_none_are_told():
    assert "the sheet's name tells no kind" in read(["a"], name="Notes").problems[0].text
    sheets = Sheets()
    read_workbook(sheets, "it.xlsx", b"PK\x03\x04 no more")
    assert "is no workbook that can be read" in sheets.problems[0].text
