"""What people see in counts and verifications, and what a signed count doesn't find: how it bears on the place."""

import pytest

from central.domain.story import Told, fold
from tests.helpers.stories import ROUTES, WORLD, act, at, categories, cross, heard, told


def verified(hours, location, grade="barcode", **more):
    return act(hours, "asset_verified", location=location, grade=grade, **more)


def missed(hours, location, run=7):
    return act(hours, "counted_missing", subject=f"count/{run}", location=location)


BOOKED = act(0, "placed", location="stock-a")


@pytest.mark.parametrize("grade", ["barcode", "serial_seen", "serial_and_custodian"])
def test_what_a_person_verified_at_another_site_is_there_and_left_without_a_transfer(grade):
    story = told(BOOKED, verified(1, "stock-c", grade))
    assert story.belief.place == "stock-c" or not story.belief.certain
    seen = told(BOOKED, act(1, "seen", location="stock-c"))
    assert (story.belief, story.findings) == (seen.belief, seen.findings)
    assert "moved_without_transfer" in categories(story)


def test_a_tag_that_a_person_read_elsewhere_moves_nothing():
    assert told(BOOKED, verified(1, "stock-c", "tag_seen")).belief == told(BOOKED).belief


@pytest.mark.parametrize("around", ["stock-a", "hq", "hq-site"])
def test_a_verification_where_it_is_or_around_it_changes_neither_place_nor_since(around):
    came = told(BOOKED, cross(1, "door-a", "out"), cross(2, "door-a", "in"))
    assert told(BOOKED, cross(1, "door-a", "out"), cross(2, "door-a", "in"), verified(3, around)).belief == came.belief


def test_a_verification_in_a_building_leaves_a_coarse_book_as_coarse_as_it_was():
    story = told(act(0, "placed", location="hq"), verified(1, "hq"), cross(2, "door-a", "out"))
    assert (story.belief.place, story.belief.basis, story.missed) == ("corridor", "observed", ())


def test_what_a_signed_count_misses_is_in_doubt_in_words_and_stays_where_it_is():
    belief = told(BOOKED, missed(1, "stock-a")).belief
    assert (belief.place, belief.since, belief.basis, belief.certain) == ("stock-a", at(0), "recorded", False)
    assert belief.confidence == pytest.approx(0.5)
    assert "Not found in stock-a by signed count 7" in belief.doubt


@pytest.mark.parametrize(
    "later",
    [
        verified(2, "stock-a"),
        act(2, "seen", location="stock-a"),
        cross(2, "door-a", "out"),
        heard(2, "stock-a", lasts_h=0.5),
        act(2, "placed", location="stock-a"),
    ],
)
def test_what_is_seen_or_heard_after_the_search_is_no_longer_missing(later):
    assert told(BOOKED, missed(1, "stock-a"), later).belief.certain


@pytest.mark.parametrize("earlier", [verified(0.5, "stock-a"), cross(0.5, "door-a", "in")])
def test_what_was_seen_before_the_search_is_missing_all_the_same(earlier):
    assert not told(BOOKED, missed(1, "stock-a"), earlier).belief.certain


def test_a_search_of_a_place_that_it_had_left_says_nothing():
    assert told(BOOKED, cross(0.5, "door-a", "out"), missed(1, "stock-a")).belief.certain


@pytest.mark.parametrize("cut", [70, 130, 139, 141])
def test_a_miss_outlives_the_checkpoint_that_comes_after_it(cut):
    crossings = [cross(n / 2, "door-a", "in" if n % 2 else "out") for n in range(140)]
    miss = missed(69.75, "stock-a")
    tags = [verified(70 + n, "stock-b", "tag_seen", number=9000 + n) for n in range(80)]
    whole = fold(Told(tuple(crossings), (BOOKED, miss, *tags)), WORLD, ROUTES)
    assert whole.checkpoint.missed == miss
    assert not whole.belief.certain
    begin = fold(Told(tuple(crossings), (BOOKED, miss, *tags[: cut - 60])), WORLD, ROUTES).checkpoint
    newer = tuple(one for one in (miss, *tags) if one.at > begin.at)
    on = fold(Told(tuple(one for one in crossings if one.at > begin.at), newer, begin=begin), WORLD, ROUTES)
    assert (on.belief, on.checkpoint) == (whole.belief, whole.checkpoint)
