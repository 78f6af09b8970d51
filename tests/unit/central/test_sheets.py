"""Registry sheets: each problem names file, line and what would be right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.application.columns import COLUMNS
from central.application.sheets import Sheets, read_sheet


def read(kind, text):
    sheets = Sheets()
    read_sheet(sheets, kind, f"{kind}.csv", text)
    return sheets


def told(kind, text):
    return [str(problem) for problem in read(kind, text).problems]


def test_a_good_sheet_is_typed_and_its_gaps_filled():
    sheets = read(
        "locations",
        "\ufeffid,name,kind,parent,guarded\nhq,HQ,Building,,\n\nhall,Hall,zone,hq,\ncage,Cage,zone,hq,TRUE\n",
    )
    assert not sheets.problems
    assert [row.values["guarded"] for row in sheets.rows["locations"]] == [True, False, True]
    assert sheets.rows["locations"][1].line == 4


def test_epcs_are_read_as_people_write_them():
    sheets = read("tags", "epc,asset,role\n3034-257B F719,LT-1,\n")
    assert sheets.rows["tags"][0].values == {"epc": "3034257bf719", "asset": "LT-1", "role": "body"}


@pytest.mark.parametrize(
    ("kind", "row", "expected"),
    [
        ("locations", "hq,HQ,bulding,,", "locations.csv:2: kind: 'bulding': did you mean 'building'?"),
        ("locations", "hq,,zone,,", "locations.csv:2: name: is empty"),
        ("locations", "hq,=cmd|'x'!A0,zone,,", "locations.csv:2: name: \"=cmd|'x'!A0\" is a formula: paste its value"),
        ("assets", "LT-1,#REF!,,,", "assets.csv:2: name: holds the error #REF!: mend it"),
        ("assets", "LT-1,L,,1.23E+11,", "assets.csv:2: serial: '1.23E+11' is a number that a spreadsheet"),
        ("locations", "hq,HQ,zone,,maybe", "locations.csv:2: guarded: 'maybe': write true or false"),
        ("locations", "h q,HQ,zone,,", "locations.csv:2: id: 'h q' is no id"),
        ("portals", "d,Door,HQ,g,a,b,", "portals.csv:2: site: 'HQ': use 1 to 40 of a-z"),
        ("portals", "d,Door,hq,g,a,b", "portals.csv:2: 6 cells, the header has 7"),
        ("tags", "30zz,LT-1,body", "tags.csv:2: epc: EPC '30zz' is not hexadecimal"),
        (
            "authorisations",
            "A,LT-1,hq,2026-01-01T00:00:00,,",
            "authorisations.csv:2: valid_from: '2026-01-01T00:00:00' names no",
        ),
        ("authorisations", "A,LT-1,hq,soon,,", "authorisations.csv:2: valid_from: 'soon' is no instant"),
    ],
)
def test_a_bad_cell_is_told_by_file_line_and_column(kind, row, expected):
    problems = told(kind, ",".join(COLUMNS[kind]) + "\n" + row + "\n")
    assert len(problems) == 1
    assert problems[0].startswith(expected)


def test_all_problems_are_told_not_only_the_first():
    assert len(told("locations", "id,name,kind,parent,guarded\nx y,,zone,,\nb,B,nowhere,,\n")) == 3


def test_a_wrong_header_names_the_nearest_column_and_stops_the_sheet():
    problems = told("tags", "ecp,asset,role\n30,LT-1,body\n")
    assert problems == [
        "tags.csv:1: unknown column 'ecp': did you mean 'epc'?",
        "tags.csv:1: the header lacks epc: it must name epc, asset, role",
    ]


def test_a_key_twice_names_the_first_place():
    assert "tags.csv:2 already" in told("tags", "epc,asset,role\n30,LT-1,body\n3 0,LT-2,lid\n")[0]


def test_an_empty_file_is_told_to_lack_its_header():
    assert "the header lacks" in told("assets", "")[0]


@given(st.sampled_from(sorted(COLUMNS)), st.text(max_size=200))
def test_any_text_gives_rows_or_problems_and_no_error(kind, text):
    sheets = read(kind, ",".join(COLUMNS[kind]) + "\n" + text)
    assert all(set(row.values) == set(COLUMNS[kind]) for row in sheets.rows[kind])


@pytest.mark.parametrize(("mark", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_a_sheet_with_other_separators_is_told_to_use_commas(mark, name):
    sheets = Sheets()
    read_sheet(sheets, "tags", "tags.csv", mark.join(("epc", "asset", "role")) + "\n")
    assert [problem.text for problem in sheets.problems] == [
        f"the cells are separated by {name}: save the sheet as CSV with commas"
    ]


def test_a_header_may_name_further_columns_and_leave_them_out():
    sheets = read("locations", "id,name,kind,parent,guarded,country,subdivision,timezone\nhq,HQ,site,,,gb,GB-ENG,\n")
    values = sheets.rows["locations"][0].values
    assert (values["country"], values["subdivision"], values["timezone"]) == ("GB", "ENG", None)
    assert "owner_role" not in values


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("Great Britain,,", "country: 'Great Britain' is no country: write its two letters"),
        ("ZZ,,", "country: 'ZZ' is no country: write its two letters"),
        (",England,", "subdivision: 'England' is no subdivision: write its code"),
        (",,Europe/Londn", "timezone: 'Europe/Londn' is no time zone: did you mean 'Europe/London'?"),
    ],
)
def test_a_place_that_is_not_on_the_map_is_told(cell, expected):
    text = f"id,name,kind,parent,guarded,country,subdivision,timezone\nhq,HQ,site,,,{cell}\n"
    assert told("locations", text)[0].startswith(f"locations.csv:2: {expected}")
