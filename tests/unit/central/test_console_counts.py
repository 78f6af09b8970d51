"""The counts page's sentences: what wasn't counted is never a zero, and no meaning hangs on colour."""

from datetime import UTC, datetime, timedelta

import pytest

from central.application.count_views import PlaceRow, live
from central.console import count_words
from central.domain.presence.buckets import Tally

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


def row(name, parent=None, tally=None, probability=0.97):
    return PlaceRow(name, name.title(), parent, tally or Tally("none"), probability, NOW, NOW)


ROWS = [
    row("hq", None),
    row("room", "hq", Tally("sighted", book=15, found=12, missing=1, unexpected=2, unknown=2)),
    row("hall", "hq", Tally("none", book=5, unknown=5)),
]


@pytest.fixture
def places():
    return {one.id: one.model_dump(mode="json") for one in live(ROWS)}


def test_how_many_is_answered_with_what_is_in_doubt(places):
    assert count_words.answer(places["room"], "T14") == (
        "15 T14 in Room", "12 found, 1 missing, 2 not in the book here, 2 not known.",
    )  # fmt: skip


def test_what_was_counted_in_part_says_which_share_and_has_no_variance(places):
    number, told = count_words.answer(places["hq"], "")
    assert number == "20 assets in Hq"
    assert told.startswith("Not counted: only 75% of them are.")
    assert count_words.coverage_words(places["hq"]) == "○ not counted, 75% is"
    assert count_words.variance(places["hq"]["total"]["net"]) == "n/a"
    assert count_words.answer(places["hall"], "")[1].startswith("Not counted: nothing listened there.")


def test_a_signed_count_of_a_place_without_radio_says_so_beside_the_book(places):
    signed = {
        "run": 7,
        "at": NOW.isoformat(),
        "by": "ann",
        "book": 5,
        "found": 4,
        "missing": 1,
        "unexpected": 0,
        "unknown": 0,
    }
    hall = places["hall"] | {"signed": signed}
    assert count_words.coverage_words(hall) == "◐ counted by hand, no radio"
    told = count_words.by_hand([hall, places["room"] | {"signed": signed}], NOW + timedelta(minutes=2))
    assert told == "Counted by hand, no. 7, signed 2 min ago: 4 of 5 found, 1 missing."
    assert count_words.by_hand(list(places.values()), NOW) == ""


def test_variance_has_a_sign(places):
    assert count_words.variance(places["room"]["total"]["net"]) == "-6.7%"
    assert count_words.variance(places["room"]["total"]["gross"]) == "+20.0%"
    assert count_words.variance(0.0) == "0%"


def test_coverage_has_a_sign_and_a_word(places):
    assert count_words.coverage_words(places["room"]) == "● seen, 97% of tags heard"
    empty = live([row("street")])[0].model_dump(mode="json")
    assert count_words.coverage_words(empty) == "○ nothing in the book"


def test_places_stand_as_a_tree(places):
    lines = count_words.place_lines(list(places.values()))
    assert [(line.place["id"], line.depth, line.holds_others) for line in lines] == [
        ("hq", 0, True), ("room", 1, False), ("hall", 1, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "missing in Room, under 1% that it is there; last seen 3 days ago"),
        ({"seen_at": None, "bucket": "unknown", "probability": None}, "by the book in Room; not seen there yet"),
        ({"elsewhere": "hall"}, "not in Room: heard in Hall"),
        ({"bucket": "unexpected"}, "is in Room, the book has it elsewhere; seen 3 days ago"),
    ],
)
def test_a_doubt_says_why_and_when_it_was_last_seen(changes, told):
    seen = (NOW - timedelta(days=3)).isoformat()
    doubt = {"bucket": "missing", "probability": 0.008, "seen_at": seen, "elsewhere": None} | changes
    assert count_words.doubt_words(doubt, "Room", "Hall", NOW) == told


def test_a_scheduled_count_says_what_it_waits_for():
    run = {"ranks": ["A"], "blind": True, "state": "submitted", "due_on": "2026-03-16", "signed_by": None}
    assert count_words.run_words(run) == "classes A; blind; waits for its signature, due 2026-03-16"
    assert count_words.run_words(run | {"state": "signed", "signed_by": "ann", "ranks": []}) == "blind; signed by ann"
