"""Why a place is believed or doubted, in words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from central.application.believing import Standing, doubt_of, lasting, why

NOW = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
CALM = Standing(
    location="stock-a", since=NOW - timedelta(days=3), basis="observed", passage="p", doubt=None, silent=False,
    stale=False,
    heard_at=NOW - timedelta(minutes=20), gone=0.001, reads=[{"hits": 97.0, "misses": 3.0}],
    patience_h=90.0, unseen=0.12,
)  # fmt: skip


def test_a_place_for_which_all_speaks_has_no_doubt_and_says_who_saw_and_heard_it():
    assert doubt_of(CALM, NOW) is None
    assert why(CALM, NOW) == "A door saw it come there. Readers of stock-a heard it last 20 min ago."


def test_silence_is_told_beside_how_often_it_is_heard():
    silent = replace(CALM, silent=True, gone=0.97, heard_at=NOW - timedelta(hours=6))
    assert doubt_of(silent, NOW) == (
        "Not heard in stock-a for 6 h, where it is heard in 97% of rounds: gone with a probability of 97%."
    )
    never = replace(silent, heard_at=None, reads=[])
    assert doubt_of(never, NOW).startswith("Not heard in stock-a since it came 3 days ago, where readers hear")


def test_age_is_told_beside_what_doors_miss():
    stale = replace(CALM, stale=True, heard_at=None)
    assert doubt_of(stale, NOW) == (
        "Nothing has told of it for 3 days. It has stayed in stock-a longer than usual, and doors miss 12% of"
        " departures from there."
    )


def test_what_the_story_says_against_it_goes_first():
    assert doubt_of(replace(CALM, doubt="Crossed twice.", silent=True, stale=True), NOW) == "Crossed twice."


@pytest.mark.parametrize(("minutes", "words"), [(-5, "0 min"), (119, "119 min"), (121, "2 h"), (3000, "2 days")])
def test_spans_are_told_as_people_do(minutes, words):
    assert lasting(timedelta(minutes=minutes)) == words
