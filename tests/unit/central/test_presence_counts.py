"""Buckets, variance and the tree: net hides what gross shows, and what was not counted is never zero."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.domain.presence.buckets import Booked, Tally, bucket_of, is_unexpected, tally
from central.domain.presence.fold import Stranger
from central.domain.presence.history import Presence
from central.domain.presence.tree import roll_up

T0 = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = T0 + timedelta(hours=1)


def known(gone, silent=0, heard_at=LATER):
    return Presence(T0, LATER, 1.0 - gone, gone, heard_at=heard_at, silent=silent)


@pytest.mark.parametrize(
    ("asset", "coverage", "bucket"),
    [
        (Booked(known(0.001), observed=True), "sighted", "found"),
        (Booked(known(0.001), observed=True), "balanced", "found"),
        (Booked(known(0.001), observed=True), "none", "unknown"),
        (Booked(known(0.995, 4), observed=True), "sighted", "missing"),
        (Booked(known(0.995, 4), observed=True), "balanced", "unknown"),
        (Booked(known(0.995, 4), observed=True), "none", "unknown"),
        (Booked(known(0.995, 1), observed=True), "sighted", "unknown"),
        (Booked(known(0.6, 4), observed=True), "sighted", "unknown"),
        (Booked(known(0.02, heard_at=None), observed=True), "sighted", "found"),
        (Booked(known(0.02, heard_at=None), observed=False), "sighted", "unknown"),
        (Booked(None, observed=True), "sighted", "unknown"),
        (Booked(known(0.001), observed=True, elsewhere_at=LATER + timedelta(hours=1)), "sighted", "missing"),
        (Booked(known(0.001), observed=True, elsewhere_at=T0), "sighted", "found"),
    ],
)
def test_a_bucket_needs_evidence_and_missing_needs_sight(asset, coverage, bucket):
    assert bucket_of(asset, coverage) == bucket


@pytest.mark.parametrize(
    ("rounds", "swept", "since", "home", "unexpected"),
    [
        (1, True, None, None, True),
        (1, False, None, None, False),
        (2, False, T0, T0, True),
        (5, True, LATER, None, False),
        (5, True, T0, LATER, False),
    ],
)
def test_unexpected_is_heard_well_and_later_than_at_home(rounds, swept, since, home, unexpected):
    assert is_unexpected(Stranger("e1", T0, LATER, rounds, swept), since, home) is unexpected


def test_net_hides_what_gross_shows():
    one = tally("sighted", ["found"] * 8 + ["missing"] * 2 + ["unexpected"] * 2)
    assert (one.book, one.net, one.gross) == (10, 0.0, 0.4)


def test_without_coverage_there_is_no_variance_and_an_empty_book_has_none():
    assert tally("none", ["unknown"] * 3).net is None
    assert tally("none", ["unknown"] * 3).gross is None
    assert tally("sighted", ["unexpected"]).net is None


def test_not_counted_below_is_not_counted_above_with_the_share_that_was():
    parents = {"in": None, "pune": "in", "room-1": "pune", "room-2": "pune", "leeds": "in"}
    tallies = {
        "room-1": Tally("sighted", book=30, found=29, missing=1),
        "room-2": Tally("none", book=10, unknown=10),
        "leeds": Tally("balanced", book=60, found=60),
    }
    up = roll_up(parents, tallies)
    assert (up["room-1"].counted, up["room-1"].covered) == (True, 1.0)
    assert (up["pune"].counted, up["pune"].covered, up["pune"].not_counted) == (False, 0.75, ("room-2",))
    assert (up["in"].counted, up["in"].covered, up["in"].tally.coverage) == (False, 0.9, "balanced")
    assert up["in"].tally.missing == 1
    assert not up["room-2"].counted
    assert (up["room-2"].tally.net, up["room-2"].covered) == (None, 0.0)


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=12), st.randoms())
def test_the_top_is_the_sum_of_its_places_however_they_nest(places, random):
    parents, tallies = {"0": None}, {}
    for number, (book, counted) in enumerate(places):
        if number:
            parents[str(number)] = str(random.randrange(number))
        tallies[str(number)] = Tally("sighted" if counted else "none", book=book, unknown=book)
    top = roll_up(parents, tallies)["0"]
    assert top.book == sum(book for book, _ in places)
    assert top.tally.book == sum(book for book, counted in places if counted)
    assert top.not_counted == tuple(sorted(str(n) for n, (book, counted) in enumerate(places) if book and not counted))
