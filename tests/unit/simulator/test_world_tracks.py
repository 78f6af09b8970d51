"""Crossings of assets: over several walks and doorways, with tags or without."""

import pytest

from simulator.scenarios.errors import ScenarioError
from tests.helpers.worlds import ALL_ON, DOOR, crossings, walk, world

ROUTES = """
[[routes]]
id = "to-hatch"
portal = "door"
points = [[-4.0, 0.0], [-0.4, 0.0]]
[[routes]]
id = "from-hatch"
portal = "door"
points = [[0.3, 0.0], [4.0, 0.0]]
[[routes]]
id = "inside"
portal = "door"
points = [[-2.0, -3.0], [-2.0, 3.0]]
"""


def told(found):
    return [(one.epc[-1], one.portal, one.kind, one.group, one.tag) for one in found]


def test_what_is_handed_through_a_hatch_crosses_once_on_one_track():
    more = walk(1.0, "to-hatch", tags=[1], id="gives", lies="after") + walk(9.0, "from-hatch", tags=[1], id="takes")
    (only,) = crossings(world(ROUTES + more))
    assert (only.kind, only.group) == ("out", "takes")
    assert (only.started_us, only.crossed_us) == (1_000_000, 9_000_000)


def test_what_lies_in_the_doorway_for_long_is_parked_and_a_later_crossing_is_a_new_visit():
    more = walk(1.0, "to-hatch", tags=[1], id="gives", lies="after") + walk(60.0, "from-hatch", tags=[1], id="takes")
    assert told(crossings(world(ROUTES + more))) == [
        (1, "door", "parked", "gives", "ok"),
        (1, "door", "out", "takes", "ok"),
    ]


def test_who_stands_in_the_doorway_for_long_and_goes_out_is_parked_and_then_out():
    """One walk, two crossings of its asset, one after the other."""
    waits = '[[routes]]\nid = "waits"\nportal = "door"\npoints = [[-4.0, 0.0], [-0.5, 0.0, 25.0], [4.0, 0.0]]\n'
    source = world(waits + walk(1.0, "waits", tags=[1], id="waits", speed_mps=1.0))
    parked, out = crossings(source)
    assert told([parked, out]) == [(1, "door", "parked", "waits", "ok"), (1, "door", "out", "waits", "ok")]
    assert (parked.started_us, parked.crossed_us, parked.ended_us) == (1_000_000, None, 24_000_000)
    assert (out.started_us, out.crossed_us, out.ended_us) == (24_000_000, 30_000_000, 34_000_000)


def test_what_is_laid_down_beyond_the_doorway_ends_its_visit_there():
    (only,) = crossings(world(ROUTES + walk(1.0, tags=[1], speed_mps=1.0, lies="after")))
    assert (only.kind, only.ended_us) == ("out", 9_000_000)


def test_a_tag_that_is_carried_on_within_the_room_goes_on_with_its_group_split():
    more = walk(1.0, tags=[1, 2], id="both", lies="after") + walk(14.0, tags=[1], id="back", reverse=True)
    found = told(crossings(world(more)))
    assert sorted(found) == [
        (1, "door", "in", "back", "ok"),
        (1, "door", "out", "both", "ok"),
        (2, "door", "out", "both", "ok"),
    ]


def test_a_peeled_asset_crosses_while_its_tag_stays_and_is_read():
    resident = '[[residents]]\ntag = 1\nportal = "door"\nposition = [-0.8, 0.5, 1.2]\nextra_loss_db = -9.0\n'
    source = world(resident + walk(1.0, peeled=[1], id="thief"))
    reads = [source.advance("r1", at_us, ALL_ON) for at_us in range(0, source.ends_us + 1, 50_000)]
    assert sum(len(one) for one in reads) > 20
    (only,) = crossings(source)
    assert (only.kind, only.group, only.tag, only.reads) == ("out", "thief", "peeled", 0)


def test_dead_tags_and_foil_are_in_the_truth_and_never_read():
    more = "[[tag_types]]\ntags = [1]\ndead = true\n" + walk(1.0, tags=[1]) + walk(1.2, tags=[2], carry="foil-bag")
    source = world(more)
    for at_us in range(0, source.ends_us + 1, 50_000):
        assert not len(source.advance("r1", at_us, ALL_ON))
    assert sorted((one.epc[-1], one.tag, one.reads) for one in crossings(source)) == [(1, "dead", 0), (2, "foil", 0)]


def test_an_opening_is_crossed_unheard_and_one_walk_visits_every_doorway_on_its_way():
    more = """
[[openings]]
id = "gap"
at = [8.0, 0.0]
inside = "hall"
outside = "street"
[[routes]]
id = "far"
points = [[-4.0, 0.0], [20.0, 0.0]]
"""
    found = crossings(world(more + walk(1.0, "far", tags=[1], speed_mps=1.0)))
    assert [(one.portal, one.kind, one.monitored) for one in found] == [("door", "out", True), ("gap", "out", False)]
    assert [one.crossed_us for one in found] == [5_000_000, 13_000_000]
    assert [one.ended_us for one in found] == [10_000_000, 18_000_000]


def test_a_single_antenna_tells_no_direction_so_the_truth_is_near():
    base = DOOR.replace('id = "door"\ninside', 'id = "door"\nlayout = "single"\ninside')
    (only,) = crossings(world(walk(1.0, tags=[1]), base=base))
    assert (only.kind, only.crossed_us) == ("near", None)


def test_a_cart_crosses_by_its_middle_and_a_hand_by_itself():
    cart, hand = (crossings(world(walk(1.0, tags=[1], speed_mps=1.0, carry=carry)))[0] for carry in ("cart", "arm"))
    assert hand.crossed_us - cart.crossed_us == pytest.approx(950_000, abs=2)


def test_a_tag_that_lies_still_has_no_crossing_and_is_a_resident():
    resident = '[[residents]]\ntag = 5\nportal = "door"\nposition = [-0.8, 0.5, 1.2]\n'
    source = world(resident + walk(1.0, tags=[1]))
    assert [epc[-1] for epc in source.residents] == [5]
    assert {one.epc[-1] for one in crossings(source)} == {1}


def test_reads_of_a_visit_are_those_that_were_handed_out_however_time_is_cut():
    counts = []
    for step_us in (20_000, 700_000):
        source = world(walk(1.0, tags=[1, 2]))
        handed = [0, 0]
        for at_us in range(0, source.ends_us + step_us, step_us):
            for tag in source.advance("r1", at_us, ALL_ON).tag:
                handed[tag] += 1
        found = [one.reads for one in crossings(source)]
        assert found == handed
        counts.append(found)
    assert counts[0] == counts[1]
    assert min(counts[0]) > 5


def test_a_tag_that_two_would_carry_at_once_is_refused():
    with pytest.raises(ScenarioError, match=r"walk b takes tag 1 at 3 s, but a has it until 7\.7 s"):
        world(walk(1.0, tags=[1], id="a") + walk(3.0, tags=[2, 1], id="b"))


def test_a_scenario_that_is_too_short_for_its_walks_is_refused():
    with pytest.raises(ScenarioError, match=r"its last walk ends at 7\.7 s, but it lasts 8 s"):
        world(walk(1.0, tags=[1]), base="seconds = 8.0\n" + DOOR)
