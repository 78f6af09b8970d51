"""Where an asset is held to be, and what its course takes for granted."""

import random
from collections import defaultdict
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.domain.story import Crossing, Gap, Routes, Told, World, fold
from tests.helpers.stories import DOORS, PLACES, PORTALS, ROUTES, WORLD, act, approved, at, cross, told, weekdays


def shares(story):
    """Each door's share in all missed crossings."""
    found = defaultdict(float)
    for one in story.missed:
        found[one.portal] += one.share
    return {portal: round(share, 2) for portal, share in found.items()}


def test_an_asset_of_which_nothing_is_known_is_nowhere():
    assert told().belief is None


def test_the_book_places_an_asset_and_a_crossing_moves_it():
    belief = told(act(0, "placed", location="stock-a")).belief
    assert (belief.place, belief.basis, belief.confidence, belief.certain) == ("stock-a", "recorded", 1.0, True)
    story = told(act(0, "placed", location="stock-a"), cross(1, "door-a", "out"))
    belief = story.belief
    assert (belief.place, belief.since, belief.basis, belief.confidence) == ("corridor", at(1), "observed", 0.97)
    assert belief.certain
    assert story.missed == story.misread == ()


@pytest.mark.parametrize("coarse", ["hq", "hq-site", "north", "shelf"])
def test_a_book_that_names_a_building_or_a_shelf_contradicts_no_door(coarse):
    story = told(act(0, "placed", location=coarse), cross(1, "door-a", "out"))
    assert (story.belief.place, story.belief.basis, story.missed) == ("corridor", "observed", ())


def test_a_second_out_in_a_row_is_inferred_and_books_the_way_back_that_was_missed():
    story = told(act(0, "placed", location="stock-a"), cross(1, "door-a", "out"), cross(2, "door-a", "out"))
    assert (story.belief.place, story.belief.basis) == ("corridor", "inferred")
    assert shares(story) == {"door-a": 1.0}
    assert story.missed[0].at == at(2)


def test_a_second_out_that_was_hardly_seen_leaves_the_place_in_doubt():
    story = told(
        act(0, "placed", location="stock-a"), cross(1, "door-a", "out"), cross(2, "door-a", "out", confidence=0.7)
    )
    assert (story.belief.place, story.belief.certain) == ("corridor", False)
    assert "twice in a row" in story.belief.doubt
    assert [one.category for one in story.findings] == ["location_doubtful"]


def test_seen_beyond_a_door_that_it_never_crossed_books_that_door():
    story = told(act(0, "placed", location="stock-a"), cross(1, "entrance", "out"))
    assert (story.belief.place, story.belief.basis) == ("street", "inferred")
    assert shares(story) == {"door-a": 1.0}


def test_doors_side_by_side_share_what_one_of_them_missed():
    story = told(act(0, "placed", location="street"), cross(1, "door-a", "in"))
    assert shares(story) == {"entrance": 0.5, "gate": 0.5}


def test_a_door_that_the_registry_got_later_shares_only_what_was_missed_from_then_on():
    world = World(PLACES, PORTALS, weekdays, since={"gate": at(5)})
    items = [act(0, "placed", location="street"), cross(1, "door-a", "in"), act(4, "placed", location="street")]
    before = told(*items, world=world, routes=Routes(world))
    assert shares(before) == {"entrance": 1.0}
    after = told(*items, cross(5, "door-a", "in"), world=world, routes=Routes(world))
    assert shares(after) == {"entrance": 1.5, "gate": 0.5}


def test_the_first_doors_of_all_are_held_to_have_stood_before_the_registry_had_them():
    world = World(PLACES, PORTALS, weekdays, since=dict.fromkeys(PORTALS, at(5)))
    story = told(act(0, "placed", location="street"), cross(1, "door-a", "in"), world=world, routes=Routes(world))
    assert shares(story) == {"entrance": 0.5, "gate": 0.5}


def test_an_unwatched_opening_takes_the_blame_from_the_doors():
    world = World(PLACES, PORTALS, weekdays, gaps=(Gap("window", "stock-a", "unmonitored"),))
    story = told(act(0, "placed", location="stock-a"), cross(1, "entrance", "out"), world=world, routes=Routes(world))
    assert story.belief.place == "street"
    assert shares(story).get("door-a", 0) < 0.2


def test_an_in_at_another_site_moves_it_there_and_blames_the_doors_between():
    story = told(act(0, "placed", location="stock-a"), cross(30, "lobby", "in"))
    assert (story.belief.place, story.belief.basis) == ("hall", "inferred")
    assert shares(story) == {"door-a": 1.0, "entrance": 0.5, "gate": 0.5}


def test_a_crossing_that_later_ones_contradict_was_read_the_wrong_way_round():
    story = told(
        act(0, "placed", location="stock-a"), cross(1, "door-a", "out"), cross(2, "door-a", "out", confidence=0.6),
        cross(3, "door-a", "out"), cross(4, "door-a", "in"),
    )  # fmt: skip
    assert [(one.portal, one.at, one.kind) for one in story.misread] == [("door-a", at(2), "wrong_way")]
    assert story.missed == ()
    assert (story.belief.place, story.belief.certain) == ("stock-a", True)


def test_a_sighting_by_a_person_moves_it_and_blames_the_door_in_between():
    story = told(act(0, "placed", location="stock-a"), act(1, "seen", location="corridor"))
    assert (story.belief.place, story.belief.basis, story.belief.passage) == ("corridor", "inferred", None)
    assert shares(story) == {"door-a": 1.0}


def test_a_new_record_ends_every_doubt():
    story = told(
        cross(1, "door-a", "out"), cross(2, "door-a", "out", confidence=0.6), act(3, "placed", location="stock-b")
    )
    assert (story.belief.place, story.belief.basis, story.belief.certain) == ("stock-b", "recorded", True)


def test_a_clock_that_was_not_set_keeps_its_streams_order():
    """The middle crossing says that it happened a year ago; its neighbours in the stream know better."""
    items = [cross(1, "door-a", "out", seq=1), cross(3, "door-a", "out", seq=3)]
    middle = Crossing(at(-9000), "gw", "e1", 2, "m", "door-a", "corridor", "stock-a", 0.97, None, synced=False)
    story = told(act(0, "placed", location="stock-a"), *items, middle)
    assert (story.belief.place, story.belief.basis, story.missed) == ("corridor", "observed", ())


moves = st.lists(
    st.tuples(
        st.sampled_from(sorted(DOORS)), st.sampled_from(["in", "out"]), st.integers(0, 9), st.booleans(),
        st.sampled_from([0.4, 0.7, 0.9, 0.99]),
    ),
    max_size=9,
)  # fmt: skip
ACTS = (
    act(0, "placed", location="stock-a"), approved(1, "stock-a", "stock-c"), act(3, "seen", location="corridor"),
    act(5, "receipt_scanned", subject="T-1", location="stock-c"), act(6, "transfer_cancelled", subject="T-1", number=9),
)  # fmt: skip


@given(moves, st.lists(st.sampled_from(ACTS), unique_by=lambda one: one.id), st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_tell_the_same_story(drawn, acts, order):
    crossings = [
        cross(hour, portal, kind, seq=number, synced=synced, confidence=confidence)
        for number, (portal, kind, hour, synced, confidence) in enumerate(drawn, 1)
    ]
    messy, other = crossings + order.sample(crossings, len(crossings) // 2), acts * 2
    order.shuffle(messy)
    order.shuffle(other)
    story = fold(Told(tuple(crossings), tuple(acts)), WORLD, ROUTES)
    assert fold(Told(tuple(messy), tuple(other)), WORLD, ROUTES) == story
    assert all(0 < one.share <= 1 for one in story.missed)


ROUND = [("door-a", "out"), ("entrance", "out"), ("gate", "in"), ("door-b", "in"), ("door-b", "out"), ("door-a", "in")]


@pytest.mark.parametrize("seed", range(12))
def test_a_story_told_on_from_a_checkpoint_is_the_story_told_whole(seed):
    draw = random.Random(seed)
    rounds = [
        cross(n / 2, *ROUND[n % 6], confidence=draw.choice([0.6, 0.95, 0.99]))
        for n in range(200)
        if draw.random() > 0.1
    ]
    acts = draw.sample(ACTS, 3)
    begin = fold(Told(tuple(rounds[: draw.randint(90, 150)]), tuple(acts)), WORLD, ROUTES).checkpoint
    newer = tuple(one for one in rounds if one.at > begin.at), tuple(one for one in acts if one.at > begin.at)
    on = fold(Told(*newer, begin=begin), WORLD, ROUTES)
    whole = fold(Told(tuple(rounds), tuple(acts)), WORLD, ROUTES)
    assert (on.belief, on.legs, on.findings) == (whole.belief, whole.legs, whole.findings)
    assert on.checkpoint == whole.checkpoint
    assert on.missed == tuple(one for one in whole.missed if one.at > begin.at)
    assert on.misread == tuple(one for one in whole.misread if one.at > begin.at)


def test_a_long_log_is_folded_to_its_end():
    items = [cross(hour, "door-a", "out" if hour % 2 else "in") for hour in range(1, 3000)]
    story = told(*items)
    assert (story.belief.place, story.belief.since) == ("corridor", at(2999))
    assert story.belief.since - at(0) > timedelta(days=100)
