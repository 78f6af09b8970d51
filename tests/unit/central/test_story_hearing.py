"""What zone readers and sweeps hear, weighed beside crossings and acts."""

import random
from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.domain.story import Told, fold
from central.domain.story.hearing import credible
from tests.helpers.stories import DOORS, ROUTES, WORLD, act, at, cross, heard, told

BOOKED = act(0, "placed", location="stock-a")


def places(story):
    return story.belief.place, story.belief.basis, story.belief.certain


def test_heard_three_rounds_in_a_room_that_no_door_saw_it_enter_it_is_there_and_the_doors_are_blamed():
    rounds = [heard(hours, "corridor") for hours in (10, 11, 12)]
    story = told(BOOKED, *rounds[:1])
    assert places(story) == ("corridor", "inferred", False)
    assert "Heard in corridor for the first time" in story.belief.doubt
    story = told(BOOKED, *rounds)
    assert places(story) == ("corridor", "inferred", True)
    assert story.belief.since == at(10)
    assert [one.portal for one in story.missed] == ["door-a"]


def test_two_doors_away_it_takes_more_rounds_and_until_then_the_place_is_in_doubt():
    rounds = [heard(hours, "stock-b") for hours in range(10, 15)]
    faint = replace(rounds[0], share=0.1)
    assert places(told(BOOKED, faint)) == ("stock-a", "recorded", True)
    assert places(told(BOOKED, faint, *rounds[1:2])) == ("stock-b", "inferred", False)
    story = told(BOOKED, *rounds)
    assert places(story) == ("stock-b", "inferred", True)
    assert {one.portal for one in story.missed} == {"door-a", "door-b"}


def test_a_faint_hearing_moves_nothing_however_often_it_comes_but_is_told():
    rounds = [heard(hours, "stock-b", share=0.05) for hours in range(10, 30)]
    story = told(BOOKED, *rounds)
    assert story.belief.place == "stock-a"
    story = told(BOOKED, *(heard(hours, "stock-b", level_db=-15.0) for hours in range(10, 30)))
    assert story.belief.place == "stock-a"


@pytest.mark.parametrize(("level_db", "place"), [(9.0, "stock-b"), (1.0, "stock-a"), (-9.0, "stock-a")])
def test_of_two_rooms_that_hear_it_at_once_only_the_clearly_louder_one_speaks(level_db, place):
    rounds = []
    for hours in range(10, 14):
        rounds += [heard(hours, "stock-a", level_db=0.0), heard(hours, "stock-b", level_db=level_db)]
    assert told(BOOKED, *rounds).belief.place == place


def test_a_tag_that_two_rooms_hear_at_once_is_not_unique_or_in_the_wall_and_goes_to_and_fro_never():
    rounds = [heard(hours, room) for hours in range(10, 40) for room in ("stock-a", "stock-b")]
    assert credible(rounds) == []
    assert told(BOOKED, *rounds).missed == ()


def test_heard_earlier_in_the_same_round_elsewhere_it_may_have_moved_and_that_is_in_doubt_until_the_next():
    before = replace(heard(12.2, "stock-a", lasts_h=2.2), until=at(14))
    after = heard(14, "corridor", lasts_h=4)
    assert places(told(BOOKED, before, after)) == ("stock-a", "recorded", False)
    assert told(BOOKED, before, after, heard(18, "corridor", lasts_h=4)).belief.place == "corridor"


def test_what_lingers_in_a_room_after_a_crossing_out_of_it_proves_nothing():
    out = cross(10, "door-a", "out")
    story = told(BOOKED, out, heard(10.05, "stock-a"))
    assert (places(story), story.missed) == (("corridor", "observed", True), ())
    story = told(BOOKED, out, *(heard(hours, "stock-a") for hours in (11, 12, 13)))
    assert places(story) == ("stock-a", "inferred", True)
    assert [one.portal for one in story.missed] == ["door-a"]


def test_heard_where_it_is_changes_neither_since_when_nor_why():
    rounds = [heard(hours, "stock-b") for hours in range(11, 40)]
    crossings = cross(1, "door-a", "out"), cross(10, "door-b", "in")
    assert told(BOOKED, *crossings, *rounds).belief == told(BOOKED, *crossings).belief


def test_a_coarse_record_becomes_the_room_that_hears_it_without_a_missed_door():
    story = told(act(0, "placed", location="hq"), heard(5, "stock-b"))
    assert places(story) == ("stock-b", "observed", True)
    assert story.missed == ()


def test_a_shelf_in_the_room_that_hears_it_stays_the_shelf():
    story = told(act(0, "placed", location="shelf"), heard(5, "stock-a"), heard(6, "stock-a"))
    assert places(story) == ("shelf", "recorded", True)


def test_a_sweep_is_stronger_than_one_round_of_a_reader_on_the_wall():
    one = told(BOOKED, heard(10, "stock-b", swept=True)).belief
    other = told(BOOKED, heard(10, "stock-b")).belief
    assert one.confidence > other.confidence


def test_an_asset_of_which_nothing_else_is_known_is_where_it_is_heard():
    assert places(told(heard(3, "stock-b"))) == ("stock-b", "observed", True)


def test_heard_in_the_room_that_a_transfer_leads_to_it_has_arrived_as_inferred():
    order = {"from": "stock-a", "to": "stock-c", "sender": "ann", "receiver": "bob", "until": at(48).isoformat()}
    approval = act(0, "transfer_approved", subject="T-1", number=7, **order)
    rounds = [heard(hours, "stock-c") for hours in (20, 21, 22)]
    (leg,) = told(BOOKED, approval, cross(1, "entrance", "out"), *rounds).legs
    assert (leg.state, leg.ended_in, leg.ended_by) == ("received", "stock-c", "inferred")


hearings = st.builds(
    lambda hours, room, share: heard(hours, room, share=share),
    st.integers(1, 40),
    st.sampled_from(["stock-a", "stock-b", "stock-c"]),
    st.sampled_from([1.0, 0.1]),
)
crossings = st.builds(
    lambda half, door, kind, sure: cross(half / 2, door, kind, confidence=sure),
    st.integers(1, 80),
    st.sampled_from(sorted(DOORS)),
    st.sampled_from(["in", "out"]),
    st.sampled_from([0.6, 0.97]),
)
walks = st.lists(crossings, max_size=12, unique_by=lambda one: one.seq)


@given(walks, st.lists(hearings, max_size=20), st.randoms(use_true_random=False))
def test_the_story_is_a_function_of_the_set_of_crossings_and_hearings(walk, rounds, chance):
    items = [BOOKED, *walk, *rounds]
    messy = items + chance.sample(items, len(items) // 2)
    chance.shuffle(messy)
    assert told(*messy) == told(*items)


def in_parts(items):
    """Tell a story after each item, on from the checkpoint where that is older, as the store does."""
    story, missed = None, {}
    for number, item in enumerate(items):
        known = items[: number + 1]
        begin = story.checkpoint if story is not None else None
        if begin is not None and begin.at >= item.at:
            begin = None
        after = begin.at if begin is not None else at(-1000)
        kinds = defaultdict(list)
        for one in known:
            if type(one).__name__ == "Heard" or one.at > after:
                kinds[type(one).__name__].append(one)
        parts = tuple(kinds["Crossing"]), tuple(kinds["Act"])
        story = fold(Told(*parts, begin=begin, heard=tuple(kinds["Heard"])), WORLD, ROUTES)
        missed = {one: share for one, share in missed.items() if one[1] <= after}
        for one in story.missed:
            missed[one.portal, one.at] = missed.get((one.portal, one.at), 0) + one.share
    return story, missed


def test_told_on_from_checkpoints_it_ends_as_told_from_the_beginning():
    chance = random.Random(11)
    for _ in range(6):
        items = [BOOKED]
        for hours in range(1, 260):
            if chance.random() < 0.7:
                items.append(heard(hours, chance.choice(["stock-a", "stock-a", "stock-b"])))
            if chance.random() < 0.2:
                items.append(cross(hours + 0.5, chance.choice(sorted(DOORS)), chance.choice(["in", "out"])))
        story, missed = in_parts(items)
        whole = told(*items)
        assert story.checkpoint is not None
        assert story.belief == whole.belief
        assert set(missed) == {(one.portal, one.at) for one in whole.missed}
