"""Workbooks: cells become what CSV would hold, and what would be lost is told."""

import io
import zipfile
from datetime import date, datetime, time

import openpyxl
import pytest

from central.application.sheets import Sheets
from central.application.workbooks import read_workbook

HEADER = ["id", "name", "class", "serial", "location", "title", "title_return_on"]


def packed(*rows, name="assets"):
    book = openpyxl.Workbook()
    book.active.title = name
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def read_book(book):
    content = io.BytesIO()
    book.save(content)
    sheets = Sheets()
    read_workbook(sheets, "it.xlsx", content.getvalue())
    return sheets


def read(*rows, name="assets"):
    sheets = Sheets()
    read_workbook(sheets, "it.xlsx", packed(*rows, name=name))
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
        (date(2026, 3, 1), "cell D2: was made a date (2026-03-01 00:00:00), and this column has none: make it text"),
        (time(8, 15), "cell D2: was made a date (08:15:00)"),
    ],
)
def test_a_cell_that_is_not_what_it_seems_is_told(cell, told):
    (problem,) = read(HEADER, ["LT-1", "Laptop", "laptop", cell, None, None, None]).problems
    assert (problem.file, problem.line) == ("it.xlsx[assets]", 2)
    assert problem.text.startswith(told)


def test_what_a_workbook_shows_and_would_lose_is_told():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "assets"
    for row in (HEADER, ["LT-1", "Laptop", "laptop", 42, "hq"], ["LT-2", "Laptop", "laptop", "S2"]):
        sheet.append(row)
    sheet["D2"].number_format = "00000"
    sheet.merge_cells("E2:E3")
    problems = [(one.line, one.text) for one in read_book(book).problems]
    assert problems == [
        (2, "cells E2:E3 are merged, and only the first has a value: unmerge them and fill each"),
        (2, "cell D2: is the number 42 shown with zeros before it: make the column text and enter it again"),
    ]


def test_rows_beyond_the_size_that_the_file_tells_are_read():
    content = io.BytesIO()
    whole = io.BytesIO(packed(HEADER, *[[f"LT-{n}", "Laptop"] for n in range(9)]))
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(content, "w") as new:
        for one in old.infolist():
            text = old.read(one)
            if one.filename == "xl/worksheets/sheet1.xml":
                assert b'<dimension ref="A1:G10"' in text
                text = text.replace(b'<dimension ref="A1:G10"', b'<dimension ref="A1:B2"')
            new.writestr(one, text)
    sheets = Sheets()
    read_workbook(sheets, "it.xlsx", content.getvalue())
    assert (len(sheets.rows["assets"]), sheets.problems) == (9, [])


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
