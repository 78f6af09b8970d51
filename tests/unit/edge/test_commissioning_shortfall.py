"""What walks lacked, and what an installer is told to change: tags that stay, a cable, a side, or all of it."""

import dataclasses

import pytest

from edge.commissioning.course import Outcome
from edge.commissioning.recipe import PLAIN, recipe, walk
from edge.commissioning.shortfall import Ear, changes, counted, may_still, missing_lines, proven, verdict_words
from tests.helpers.commissioned import PORTS, TAG, row, sample

EARS = tuple(Ear(f"r1/{port}", "inside" if port < 3 else "outside", 2400 + port * 10, 3 * port) for port in PORTS)
GOOD = (9, 11, 8, 13)
FREE = dataclasses.replace(sample().airtime, residents=2, reads=60)
TIGHT = sample().airtime


def outcome(*tags, how=PLAIN, expect="out", result="right"):
    """A walk of tags, each with reads by port."""
    rows = tuple(row(expect, reads=reads, epc=f"{TAG[:-1]}{number}") for number, reads in enumerate(tags))
    return Outcome(walk(how, expect), result, rows)


def counts(*reads, ears=EARS):
    """Walks of one tag each."""
    return counted([outcome(one) for one in reads], ears)


def told(short, *, airtime=FREE, ears=EARS, good=15):
    """What is to be changed where some of twenty walks were short."""
    return list(changes(counts(*[GOOD] * good, *[short] * (20 - good), ears=ears), ears, airtime))


def test_walks_through_the_doorway_are_counted_and_missed_ones_too():
    """Walks past the door and those left out are none of them."""
    walks = recipe()
    outcomes = [outcome(GOOD, how=one.how, expect=one.expect) if one.expect != "none" else None for one in walks[:32]]
    outcomes += [Outcome(one, "right", (row("near"),)) for one in walks[32:]]
    outcomes[3], outcomes[4] = Outcome(walks[3], "missed"), Outcome(walks[4], "skipped")
    found = counted(outcomes, EARS)
    assert [one.number for one in found] == [*range(1, 5), *range(6, 33)]
    assert found[0].reads == {"inside": 20, "outside": 21}
    assert found[3].reads == {"inside": 0, "outside": 0}
    assert found[3].lacking == "0 reads, 15 are needed; inside 0, 4 are needed; outside 0, 4 are needed"


def test_walk_counts_by_its_best_tag_and_by_no_antenna_of_another_doorway():
    (one,) = counted([outcome((1, 0, 0, 0), GOOD, (30, 30, 0, 0))], EARS)
    assert (one.reads, one.enough, one.lacking) == ({"inside": 20, "outside": 21}, True, "")
    (alone,) = counted([outcome(GOOD)], EARS[:3])
    assert (alone.reads, dict(alone.antennas)["r1/3"]) == ({"inside": 20, "outside": 8}, 8)


def test_what_a_wrong_call_was_read_like_counts_all_the_same():
    (one,) = counted([outcome(GOOD, result="wrong")], EARS)
    assert one.enough


def test_walks_are_told_with_what_they_lacked():
    found = counts(GOOD, (3, 2, 5, 4), (20, 20, 2, 1))
    assert missing_lines(found) == (
        "walk 2, plain (out): 14 reads, 15 are needed",
        "walk 3, plain (out): outside 3, 4 are needed",
    )
    assert verdict_words(found).startswith("1 of 3 walks through the door got 15 reads and 4 on each side: at least 10")


@pytest.mark.parametrize(("good", "short", "is_proven"), [(18, 2, True), (17, 3, False)])
def test_verdict_is_that_of_the_rule(good, short, is_proven):
    found = counts(*[GOOD] * good, *[(1, 1, 1, 1)] * short)
    assert proven(found) is is_proven
    assert verdict_words(found) == (
        f"{good} of 20 walks through the door got 15 reads and 4 on each side: 18 are needed"
    )


def test_it_is_known_as_soon_as_no_more_walks_can_prove_the_doorway():
    assert may_still(counts(*[(1, 1, 1, 1)] * 2), 18)
    assert not may_still(counts(*[(1, 1, 1, 1)] * 3), 17)
    assert may_still((), 0)


def test_nothing_is_to_be_changed_where_the_doorway_is_proven():
    assert told((1, 1, 1, 1), good=18) == []
    assert list(changes((), EARS, FREE)) == []


def test_side_that_hears_too_little_is_named_with_its_powers():
    (line,) = told((9, 11, 2, 1))
    assert line == (
        "outside hears too little (r1/3 6.5, r1/4 10.0 reads a walk; fewer than 4 in 5 of 20 walks): aim r1/3, r1/4 at "
        "the middle of the doorway, 1 m above the floor, and raise their power (now r1/3 24.3 dBm, r1/4 24.4 dBm) as "
        "far as `stockgate-edge check` says is legal"
    )


def test_side_that_hears_next_to_nothing_may_have_no_cable():
    (line,) = told((9, 11, 0, 0), good=0)
    assert line.startswith(
        "outside hears too little (r1/3 0.0, r1/4 0.0 reads a walk; fewer than 4 in 20 of 20 walks): "
    )
    assert "look at the cables of r1/3, r1/4 first, then aim" in line


def test_deaf_antenna_beside_one_that_hears_is_a_cable_before_all_else():
    (line,) = told((9, 0, 2, 1), good=0)
    assert line.startswith("antenna r1/2 gave 0.0 reads a walk, r1/1 beside it 9.0: look at its cable and connector, ")


def test_where_no_side_stands_out_all_antennas_are_worked_at():
    (line,) = told((3, 2, 4, 3))
    assert line.startswith(
        "5 of 20 walks were heard too little, and no side stands out: aim r1/1, r1/2, r1/3, r1/4 at "
    )


def test_antenna_that_stands_alone_has_no_sides():
    ears = (Ear("r1/1", ""),)
    (line,) = told((9, 0, 0, 0), ears=ears, good=0)
    assert line.startswith("20 of 20 walks were heard too little: aim r1/1 at ")
    found = counts((15, 0, 0, 0), (14, 0, 0, 0), ears=ears)
    assert [one.enough for one in found] == [True, False]
    assert "on each side" not in verdict_words(found)
    assert missing_lines(found) == ("walk 2, plain (out): 14 reads, 15 are needed",)
    assert counts((1, 0, 0, 0), ears=ears)[0].lacking == "1 reads, 15 are needed"


def test_tags_that_stay_are_told_before_power_is_raised_where_airtime_is_tight():
    first, second = told((3, 2, 4, 3), airtime=TIGHT)
    assert first.startswith(
        "27 tags that stay, most of them within range of r1/4 (12), leave 18 reads to a tag in the "
    )
    assert second.endswith("closer to it if need be; more power would hear more of the tags that stay")
    assert "raise" in told((3, 2, 4, 3), airtime=None)[0]
