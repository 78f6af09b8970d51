"""Which walk is under way, when it is over, and whether it was called right."""

import pytest

from edge.commissioning import CommissioningError
from edge.commissioning.course import Course
from edge.commissioning.recipe import PLAIN, confirmation, read_plan, recipe, walk
from tests.helpers.commissioned import TAG, row, walked

DOOR = "stockroom-a-door"


def course(*walks, **knobs):
    """A course that has begun at 0 s."""
    made = Course(DOOR, walks or (walk(PLAIN, "out"),), **knobs)
    made.begin(0.0)
    return made


def test_walk_is_over_two_seconds_after_its_last_final():
    mine = course()
    mine.take([row("out")], 5.0)
    assert mine.settle(6.9) is None
    outcome = mine.settle(7.1)
    assert (outcome.result, outcome.kinds, outcome.confidence) == ("right", "out", 0.99)
    assert outcome.reads == {"r1/1": 9, "r1/2": 11, "r1/3": 8, "r1/4": 13}
    assert mine.walk is None


def test_group_is_right_only_with_all_of_its_tags():
    mine = course()
    mine.take([row("out"), row("in", epc=f"{TAG[:-1]}2", confidence=0.7)], 5.0)
    outcome = mine.settle(8.0)
    assert (outcome.result, outcome.kinds) == ("wrong", "1 out, 1 in")
    assert outcome.margin < 0


def test_walk_is_not_over_while_a_tag_of_it_is_on_its_way_unless_it_stays():
    mine = course()
    mine.opened([("a", TAG, DOOR), ("b", TAG, DOOR)], [], 4.0)
    mine.take([row("out")], 5.0)
    mine.opened([], ["a"], 5.0)
    assert mine.settle(12.0) is None
    assert mine.settle(13.1).result == "right"


def test_neighbours_tag_that_was_near_is_not_the_walkers():
    mine = course()
    mine.take([row("near", epc="00")], 4.0)
    assert mine.settle(7.0) is None
    mine.take([row("out")], 7.5)
    outcome = mine.settle(10.0)
    assert outcome.result == "right"
    assert [one.epc for one in outcome.rows] == [TAG]


def test_tag_of_one_read_beside_the_walkers_is_doubtful_and_no_outcome():
    mine = course()
    mine.take([row("out"), row("in", epc="00", reads=(1, 0, 0, 0))], 5.0)
    outcome = mine.settle(8.0)
    assert (outcome.result, [one.epc for one in outcome.rows]) == ("right", [TAG])
    assert [one.epc for one in mine.doubtful] == ["00"]
    alone = course()
    alone.take([row("out", reads=(1, 0, 1, 0))], 5.0)
    assert alone.settle(8.0).result == "right"
    assert alone.doubtful == []


def test_tag_at_the_edge_of_hearing_is_no_walk():
    mine = course()
    assert mine.take([row("near", epc="00", reads=(0, 2, 1, 0))], 5.0) == []
    assert mine.settle(50.0) is None


def test_walk_through_the_door_that_was_called_near_is_wrong():
    mine = course()
    mine.take([row("near")], 4.0)
    assert mine.settle(8.1).result == "wrong"


@pytest.mark.parametrize(("kind", "result"), [("near", "right"), ("turned_back", "right"), ("in", "wrong")])
def test_walk_past_the_door_must_not_be_called_a_crossing(kind, result):
    mine = course(walk("passing by inside", "none"))
    mine.take([row(kind)], 4.0)
    assert mine.settle(7.0).result == result


def test_walk_that_nobody_called_is_missed_after_its_time_or_when_said():
    mine = course(walk(PLAIN, "out"), walk(PLAIN, "in"), wait_s=18.0)
    assert mine.settle(17.9) is None
    outcome = mine.settle(18.0)
    assert (outcome.result, outcome.kinds, outcome.reads) == ("missed", "nothing", {})
    assert mine.missed(20.0).result == "missed"
    assert mine.settle(99.0) is None


def test_walk_past_the_door_is_right_where_nothing_is_called_of_it():
    mine = course(walk("passing by inside", "none"), walk("passing by outside", "none"), wait_s=18.0)
    assert mine.settle(18.0).result == "right"
    assert mine.missed(20.0).result == "right"


def test_walk_under_way_is_not_missed():
    mine = course(wait_s=18.0)
    mine.opened([("a", TAG, DOOR)], [], 17.0)
    assert mine.settle(30.0) is None


def test_tag_that_lies_there_or_was_put_down_holds_up_nobody():
    mine = course(residents={"00"}, wait_s=18.0)
    mine.opened([("a", "00", DOOR)], [], 17.0)
    assert mine.settle(18.0).result == "missed"
    mine = course(wait_s=18.0)
    mine.opened([("a", TAG, DOOR)], [], 1.0)
    mine.opened([("a", TAG, DOOR)], [], 15.0)
    assert mine.settle(20.9) is None
    assert mine.settle(21.0).result == "missed"


def test_without_a_time_limit_the_installer_is_waited_for():
    assert course().settle(1e6) is None


def test_provisionals_and_other_portals_are_no_outcome():
    mine = course()
    shown = mine.take([row("out", final=False), row("in", portal="gate"), row("retracted")], 5.0)
    assert [one.kind for one in shown] == ["out", "retracted"]
    assert mine.settle(50.0) is None


@pytest.mark.parametrize("expect", ["out", "none"])
@pytest.mark.parametrize("here_first", [True, False])
def test_walk_through_the_doorway_beside_is_none_here_though_it_was_heard(expect, here_first):
    """Its `near` here may come before its crossing there or after it."""
    mine = course(walk(PLAIN, "out") if expect == "out" else walk("passing by inside", "none"))
    near, crossing = row("near"), row("in", portal="gate")
    for at_s, one in zip((4.0, 6.0), (near, crossing) if here_first else (crossing, near), strict=True):
        mine.take([one], at_s)
    assert mine.settle(30.0) is None
    assert mine.beside == [crossing]


def test_tag_on_its_way_through_the_doorway_beside_is_waited_for():
    mine = course()
    mine.opened([("a", TAG, "gate")], [], 3.0)
    mine.take([row("near")], 4.0)
    assert mine.settle(12.5) is None
    mine.opened([], ["a"], 13.0)
    assert (mine.settle(13.0).result, mine.beside) == ("wrong", [])


def test_tag_that_was_put_down_in_the_doorway_beside_holds_up_nobody():
    mine = course()
    mine.opened([("a", TAG, "gate")], [], 3.0)
    mine.take([row("near")], 20.0)
    assert mine.settle(24.1).result == "wrong"


def test_tag_that_crossed_beside_may_pass_here_later():
    mine = course(walk("passing by inside", "none"))
    mine.take([row("in", portal="gate")], 4.0)
    mine.take([row("near")], 17.0)
    assert mine.settle(20.0).result == "right"


def test_tag_that_lies_there_is_a_stray_only_if_called_a_crossing():
    mine = course(residents={"00"})
    mine.take([row("near", epc="00"), row("out", epc="00")], 5.0)
    assert [one.epc for one in mine.strays] == ["00"]
    assert mine.settle(50.0) is None


def test_last_walk_can_be_done_again_and_counts_no_more():
    mine = course(walk(PLAIN, "out"), walk(PLAIN, "in"))
    mine.take([row("in")], 5.0)
    assert mine.settle(8.0).result == "wrong"
    assert (mine.repeat(9.0).expect, mine.place) == ("out", "1 of 2")
    mine.take([row("out")], 12.0)
    assert mine.settle(15.0).result == "right"
    assert [one.result for one in mine.outcomes] == ["right"]


def test_first_walk_has_none_before_it():
    assert course().repeat(1.0) is None


def test_walk_can_be_left_out():
    mine = course()
    assert mine.skip(1.0).result == "skipped"
    assert mine.skip(1.0) is None
    assert mine.missed(1.0) is None
    assert mine.place == "1 of 1"


def test_recipe_walks_ten_each_way_and_what_fails_in_practice():
    walks = recipe()
    plain = [one.expect for one in walks if one.how == PLAIN]
    assert (plain.count("in"), plain.count("out")) == (10, 10)
    assert len(walks) == 34
    assert {one.expect for one in walks if one.how.startswith("passing")} == {"none"}
    assert "from inside to outside" in walks[0].says
    assert [(one.how, one.expect) for one in confirmation()] == [(PLAIN, "out")]


def test_plan_of_a_file_is_walked_in_its_order(tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text(
        '[[walks]]\nhow = "backpack"\nexpect = "in"\ntimes = 2\n'
        '[[walks]]\nhow = "on a stretcher"\nexpect = "out"\nsays = "{way}, feet first"'
    )
    walks = read_plan(plan)
    assert [(one.how, one.expect) for one in walks] == [("backpack", "in")] * 2 + [("on a stretcher", "out")]
    assert walks[2].says == "from inside to outside, feet first"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("walks = 3", "is no plan of walks"),
        ('[[walks]]\nhow = "plain"\nexpect = "up"', "Invalid enum value 'up'"),
        ('[[walks]]\nhow = "hopping"\nexpect = "in"', "'hopping' is none of plain, against the body"),
        ('[[walks]]\nhow = "plain"\nexpect = "in"\ntimes = 0', "times counts from 1"),
        ("walks = []", "a plan has 1 to 200 walks"),
        ('[[walks]]\nhow = "plain"\nexpect = "in"\ntime = 3', "unknown field `time`"),
        ("walks = [", "is no plan of walks"),
    ],
)
def test_plan_that_is_wrong_is_told_with_its_place(tmp_path, text, words):
    plan = tmp_path / "plan.toml"
    plan.write_text(text)
    with pytest.raises(CommissioningError, match=r"plan\.toml") as caught:
        read_plan(plan)
    assert words in str(caught.value)


def test_plan_that_is_not_there_is_told(tmp_path):
    with pytest.raises(CommissioningError, match="no plan of walks"):
        read_plan(tmp_path / "nowhere.toml")


def test_all_walks_of_a_recipe_can_be_right():
    outcomes = walked(lambda _number, one: [row("near" if one.expect == "none" else one.expect)])
    assert {one.result for one in outcomes} == {"right"}
