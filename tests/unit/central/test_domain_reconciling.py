"""Another book against ours: what is found by id or serial, what is missing where it is claimed, what differs."""

import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.application.book_sheets import read_book
from central.domain.exceptions.taxonomy import CATEGORIES, SEVERITIES
from central.domain.published import CalendarError
from central.domain.reconciling.bands import InTime, Overdue
from central.domain.reconciling.comparing import Ours, Theirs, compare
from central.domain.reconciling.people import Holding, back_by, compare_people

OURS = [
    Ours("LT-1", "laptop", "S1", "in_use", person="ann", cost_centre="4100"),
    Ours("LT-2", "laptop", "S2", "in_stock"),
    Ours("LT-3", "laptop", "S3", "disposed"),
    Ours("SR-1", "server", "X1", "in_use", owned=False),
]


def told(found):
    return [(one.verdict, one.category, one.severity, one.asset) for one in found.findings]


def test_rows_that_agree_are_matched_by_id_or_by_serial_however_it_is_written():
    rows = [Theirs(2, "F1", asset="LT-1", serial="s1"), Theirs(3, "F2", serial="s2")]
    found = compare("far", OURS, rows, ["laptop"])
    assert (found.matched, found.findings) == (2, ())


@pytest.mark.parametrize(
    ("book", "row", "finding"),
    [
        ("far", Theirs(2, "F", serial="S9"), ("only_there", "finance_mismatch", "high", None)),
        ("mdm", Theirs(2, "M", serial="S9"), ("only_there", "mdm_not_in_inventory", "high", None)),
        ("discovery", Theirs(2, "D", serial="S9"), ("only_there", "unknown_device", "high", None)),
        ("itsm", Theirs(2, "I", serial="S9"), ("only_there", "record_conflict", "medium", None)),
        ("far", Theirs(2, "F", serial="S3"), ("conflict", "active_but_disposed", "high", "LT-3")),
        ("mdm", Theirs(2, "M", serial="S3"), ("conflict", "active_but_disposed", "high", "LT-3")),
        ("far", Theirs(2, "F", serial="S1", active=False), ("conflict", "finance_mismatch", "critical", "LT-1")),
        ("far", Theirs(2, "F", serial="S2", active=False), ("conflict", "finance_mismatch", "high", "LT-2")),
        ("far", Theirs(2, "F", asset="LT-1", serial="S7"), ("conflict", "finance_mismatch", "high", "LT-1")),
        ("far", Theirs(2, "F", asset="LT-1", cost_centre="4200"), ("conflict", "finance_mismatch", "medium", "LT-1")),
        ("mdm", Theirs(2, "M", serial="S1", person="bob"), ("conflict", "record_conflict", "medium", "LT-1")),
    ],
)
def test_each_difference_is_a_finding_of_its_category(book, row, finding):
    assert told(compare(book, OURS, [row])) == [finding]


@pytest.mark.parametrize(
    ("book", "row"),
    [
        ("far", Theirs(2, "F", serial="S9", active=False)),
        ("far", Theirs(2, "F", serial="S3", active=False)),
        ("far", Theirs(2, "F", serial="X1", cost_centre="1")),
        ("mdm", Theirs(2, "M", serial="S1", active=False)),
    ],
)
def test_what_both_gave_up_and_what_is_leased_is_no_mismatch(book, row):
    assert compare(book, OURS, [row]).findings == ()


def test_what_a_book_lacks_is_a_mismatch_only_where_it_claims_to_have_all():
    assert compare("far", OURS, []).findings == ()
    assert told(compare("far", OURS, [], ["laptop"])) == [
        ("only_here", "finance_mismatch", "high", "LT-1"), ("only_here", "finance_mismatch", "high", "LT-2"),
    ]  # fmt: skip
    assert [one.asset for one in compare("mdm", OURS, [], ["*"]).findings] == ["LT-1", "LT-2", "SR-1"]
    away = [Ours("LT-1", "laptop", "S1", "in_use", within=False), Ours("LT-4", "laptop", "S4", "ordered")]
    assert compare("far", away, [], ["*"]).findings == ()


def test_a_serial_that_two_assets_bear_finds_the_one_that_is_not_disposed_of():
    two = [Ours("A", "laptop", "S1", "disposed"), Ours("B", "laptop", "S1", "in_use")]
    assert compare("far", two, [Theirs(2, "F", serial="S1")]).findings == ()
    both = [Ours("A", "laptop", "S1", "in_use"), Ours("B", "laptop", "S1", "in_use")]
    assert [one.verdict for one in compare("far", both, [Theirs(2, "F", serial="S1")]).findings] == ["only_there"]


def test_finance_that_has_an_asset_twice_is_told_once():
    rows = [Theirs(2, "F1", serial="S2"), Theirs(3, "F2", asset="LT-2")]
    assert told(compare("far", OURS, rows)) == [("conflict", "finance_mismatch", "medium", "LT-2")]


def weekdays(day):
    return day.isoweekday() < 6


HELD = [Holding("LT-1", "ann", "4100"), Holding("LT-2", "bob"), Holding("LT-3", "cid", "4100")]
TODAY = date(2026, 3, 2)


def people(*rows, complete=(), today=TODAY):
    return compare_people(HELD, rows, complete, today, weekdays)


def test_who_has_an_asset_and_is_not_active_or_unknown_to_hr_is_told_by_asset():
    rows = [Theirs(2, "ann"), Theirs(3, "bob", active=False)]
    assert told(people(*rows)) == [("conflict", "user_not_in_hrms", "medium", "LT-2")]
    found = people(*rows, complete=["*"])
    assert ([one.asset for one in found.findings], found.matched) == (["LT-2", "LT-3"], 1)


def test_what_a_leaver_has_is_to_be_back_five_business_days_before_the_exit_and_told_ever_more_gravely():
    row = Theirs(2, "ann", leaves_on="2026-03-13")
    assert back_by(date(2026, 3, 13), weekdays) == date(2026, 3, 6)
    assert back_by(date(2026, 3, 15), weekdays) == date(2026, 3, 9)
    for today, severity, stage in (
        ("2026-03-06", "low", "leaving"), ("2026-03-07", "medium", "late"), ("2026-03-13", "medium", "late"),
        ("2026-03-14", "high", "left"),
    ):  # fmt: skip
        (one,) = people(row, today=date.fromisoformat(today)).findings
        assert (one.category, one.severity, one.key) == ("not_returned", severity, f"asset/LT-1/ann/{stage}")
        assert one.told["back_by"] == "2026-03-06"


def test_an_exit_that_no_calendar_reaches_is_judged_by_weekdays():
    """HR's 9999 for no end, and who left long ago; a calendar raises there."""

    def works(day):
        raise CalendarError(f"does not reach {day}")

    assert back_by(date(9999, 12, 31), works) == date(9999, 12, 24)
    assert back_by(date(1, 1, 3), works) == date.min
    (one,) = compare_people(HELD[:1], [Theirs(2, "ann", leaves_on="2019-06-30")], (), TODAY, works).findings
    assert (one.severity, one.told["back_by"]) == ("high", "2019-06-24")


def test_a_complete_list_of_one_place_says_nothing_of_who_is_of_another():
    held = [Holding("LT-1", "uma", within=False), Holding("LT-2", "bob")]
    found = compare_people(held, [], ["*"], TODAY, weekdays)
    assert [one.asset for one in found.findings] == ["LT-2"]


def test_a_borrower_who_leaves_is_told_beside_the_custodian_who_stays():
    held = [Holding("LT-1", "ann", "4100"), Holding("LT-1", "bob", "4100", lent=True)]
    rows = [Theirs(2, "ann"), Theirs(3, "bob", cost_centre="4200", leaves_on="2026-03-13")]
    (one,) = compare_people(held, rows, (), TODAY, weekdays).findings
    assert (one.category, one.key, one.told["custodian"]) == ("not_returned", "asset/LT-1/bob/leaving", "bob")


def test_a_change_of_department_asks_for_a_review_of_every_asset_that_stays_with_the_old_one():
    rows = [
        Theirs(2, "ann", cost_centre="4200"),
        Theirs(3, "bob", cost_centre="4200"),
        Theirs(4, "cid", cost_centre="4100"),
    ]
    assert told(people(*rows)) == [("conflict", "transfer_review", "medium", "LT-1")]


@given(st.dates(date(2026, 1, 1), date(2027, 1, 1)), st.sets(st.integers(1, 7), min_size=1))
def test_five_business_days_lie_from_the_date_to_the_exit(leaves_on, working):
    until = back_by(leaves_on, lambda day: day.isoweekday() in working)
    days = [until + timedelta(days=number) for number in range((leaves_on - until).days)]
    assert sum(day.isoweekday() in working for day in days) == 5
    assert until.isoweekday() in working


_SERIALS = st.sampled_from(["S1", "s1", "S2", "S3", None])
_OURS = st.builds(
    Ours, st.sampled_from("ABCDE"), st.just("laptop"), _SERIALS,
    st.sampled_from([None, "ordered", "in_use", "in_stock", "disposed"]), st.booleans(),
    st.sampled_from([None, "ann"]), st.sampled_from([None, "1", "2"]), st.booleans(),
)  # fmt: skip
_THEIRS = st.builds(
    Theirs, st.integers(2, 9), st.uuids().map(str), st.sampled_from(["A", "B", "Z", None]), _SERIALS, st.booleans(),
    st.sampled_from([None, "ann", "bob"]), st.sampled_from([None, "1", "2"]),
)  # fmt: skip


@given(
    st.sampled_from(["far", "itsm", "mdm", "discovery"]),
    st.lists(_OURS, max_size=5, unique_by=lambda one: one.asset),
    st.lists(_THEIRS, max_size=6),
    st.randoms(use_true_random=False),
)
def test_the_order_of_rows_changes_no_finding_and_every_key_stands_once(book, ours, theirs, rng: random.Random):
    found = compare(book, ours, theirs, ["*"])
    mixed = rng.sample(theirs, len(theirs))
    again = compare(book, rng.sample(ours, len(ours)), mixed, ["*"])
    assert (found.matched, {one.key: one.category for one in found.findings}) == (
        again.matched, {one.key: one.category for one in again.findings},
    )  # fmt: skip
    keys = [one.key for one in found.findings]
    assert len(keys) == len(set(keys))
    assert all(one.category in CATEGORIES and one.severity in SEVERITIES for one in found.findings)


@pytest.mark.parametrize(
    ("figure", "light"),
    [
        (Overdue(0, 0, 9), "green"), (Overdue(0, 1, 0), "yellow"), (Overdue(0, 5, 0), "yellow"),
        (Overdue(0, 6, 0), "red"), (Overdue(1, 0, 0), "red"),
        (InTime(0, 0), "n/a"), (InTime(10, 9), "green"), (InTime(1000, 899), "yellow"), (InTime(4, 3), "yellow"),
        (InTime(1000, 749), "red"),
    ],
)  # fmt: skip
def test_bands_have_no_holes(figure, light):
    assert figure.light == light


def test_a_sheet_tells_every_problem_by_its_line():
    rows, problems = read_book("far", "far.csv", "id,serial,active\nF1,S1,true\nF2,1.2E+12,\nF1,S2,maybe\nF1,S4,\n")
    assert len(rows) == 1
    assert [(one.line, one.text.split(":")[0]) for one in problems] == [
        (3, "serial"), (4, "active"), (5, "id 'F1' stands in line 2 already"),
    ]  # fmt: skip
    assert [one.text for one in read_book("mdm", "mdm.csv", "id,sreial\n")[1]] == [
        "unknown column 'sreial': did you mean 'serial'?"
    ]
    assert [one.line for one in read_book("hrms", "hrms.csv", "active\ntrue\n")[1]] == [1]


def test_an_exit_that_nobody_means_is_a_problem_of_its_line_and_the_last_day_that_there_is_means_no_exit():
    text = "id,leaves_on\nann,9999-12-31\nbob,0001-01-01\ncid,2080-01-01\ndan,2079-12-31\n"
    rows, problems = read_book("hrms", "hrms.csv", text)
    assert [(one.id, one.leaves_on) for one in rows] == [("ann", None), ("dan", "2079-12-31")]
    assert [str(one) for one in problems] == [
        "hrms.csv:3: leaves_on: 0001-01-01 is outside 1990 to 2079: write the day that you mean",
        "hrms.csv:4: leaves_on: 2080-01-01 is outside 1990 to 2079: write the day that you mean",
    ]


@pytest.mark.parametrize(("mark", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_a_book_that_excel_separated_otherwise_is_told_so_and_its_byte_order_mark_is_taken(mark, name):
    (found,) = read_book("far", "far.csv", f"\ufeffid{mark}serial\r\nF1{mark}S1\r\n")[1]
    assert str(found) == f"far.csv:1: the cells are separated by {name}: save the sheet as CSV with commas"
    rows, problems = read_book("far", "far.csv", "\ufeffid,serial\r\nF1,S1\r\n")
    assert ([(one.id, one.serial) for one in rows], problems) == ([("F1", "S1")], [])
