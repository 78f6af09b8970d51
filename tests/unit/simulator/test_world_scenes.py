"""Scenes: the same world however it is cut, and no tag in two places."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.scenarios.load import load
from simulator.world.scene import STILL
from tests.helpers.worlds import ALL_ON, walk, world

ROUTES = """
[[routes]]
id = "to-hatch"
portal = "door"
points = [[-4.0, 0.0], [-0.4, 0.0]]
[[routes]]
id = "from-hatch"
portal = "door"
points = [[0.3, 0.0], [4.0, 0.0]]
"""


def places(scene, at_us):
    """Where each tag is at a moment: index to place on the site, with how it points."""
    found = {}
    holds, carriers = scene.holds, scene.carriers
    for row in np.flatnonzero((holds.begin_us <= at_us) & (at_us < holds.end_us)):
        place, axis = holds.offset[row], holds.axis[row]
        if holds.carrier[row] != STILL:
            keys = slice(*carriers.first[holds.carrier[row] : holds.carrier[row] + 2])
            times = carriers.at_us[keys]
            foot = [np.interp(at_us, times, column) for column in carriers.place[keys].T]
            heading = carriers.heading[keys][np.searchsorted(times, at_us, side="right") - 1]
            turn = np.array([[np.cos(heading), -np.sin(heading), 0], [np.sin(heading), np.cos(heading), 0], [0, 0, 1]])
            place, axis = foot + turn @ place, turn @ axis
        assert int(holds.tag[row]) not in found, "a tag is in two places"
        found[int(holds.tag[row])] = np.concatenate([place, axis])
    return found


@settings(max_examples=15)
@given(st.integers(0, 5), st.lists(st.integers(0, 110_000_000), min_size=1, max_size=6), st.integers(1, 20_000_000))
def test_a_moment_is_the_same_in_whatever_scene_it_is_seen(seed, moments, length_us):
    for at_us in sorted(moments):
        whole = places(world(load("office"), seed).scene("r1", 0, 110_000_001), at_us)
        cut = world(load("office"), seed)
        cut.scene("r1", 0, at_us // 3)
        seen = places(cut.scene("r1", at_us, at_us + length_us), at_us)
        assert seen.keys() == whole.keys()
        for tag, place in seen.items():
            np.testing.assert_array_equal(place, whole[tag])


def test_a_scene_is_kept_while_it_covers_what_is_asked():
    source = world(walk(1.0, tags=[1]))
    first = source.scene("r1", 0, 20_000)
    assert source.scene("r1", 40_000, 60_000) is first
    assert source.scene("r1", 6_000_000, 6_100_000) is not first


def test_what_is_handed_on_lies_in_between_where_it_was_left():
    more = walk(1.0, "to-hatch", tags=[1], lies="both", speed_mps=1.0) + walk(
        9.0, "from-hatch", tags=[1], speed_mps=1.0
    )
    scene = world(ROUTES + more).scene("r1", 0, 20_000_000)
    before, carried, lying, taken = (places(scene, at_us)[0][:3] for at_us in (0, 2_000_000, 6_000_000, 10_000_000))
    np.testing.assert_allclose(before, [-4.0 + 0.12, -0.32, 1.0])
    np.testing.assert_allclose(carried, [-3.0 + 0.12, -0.32, 1.0])
    np.testing.assert_allclose(lying, [-0.4 + 0.12, -0.32, 1.0])
    np.testing.assert_allclose(taken, [1.3 + 0.12, -0.32, 1.0])
    assert 0 not in places(scene, 13_000_000)


def test_a_lying_tag_is_found_whenever_one_looks():
    more = walk(1.0, "to-hatch", tags=[1], lies="after") + walk(900.0, "from-hatch", tags=[1])
    source = world(ROUTES + more)
    for at_us in (6_000_000, 300_000_000, 899_000_000):
        source.scene("r1", at_us, at_us + 1)
        for reader_us in (at_us,):
            source.advance("r1", reader_us, None)
        source.take_crossings(at_us)
        assert places(source.scene("r1", at_us, at_us + 1), at_us)[0][0] == pytest.approx(-0.28)


def test_what_is_out_of_reach_is_in_no_scene():
    far = '[[routes]]\nid = "far"\npoints = [[60.0, 0.0], [70.0, 0.0]]\n'
    away = '[[shelves]]\nid = "s"\nat = [80.0, 0.0]\ntags = "2..9"\n[[walls]]\npoints = [[80.0, 0.0], [80.0, 5.0]]\n'
    scene = world(far + away + walk(1.0, "far", tags=[1])).scene("r1", 0, 10_000_000)
    assert (len(scene.holds.tag), len(scene.carriers.radius_m), len(scene.walls.loss_db)) == (0, 0, 0)


@settings(max_examples=6)
@given(st.lists(st.integers(1, 4_000_000), min_size=1, max_size=8), st.integers(0, 3))
def test_reads_of_the_world_are_the_same_however_time_is_cut(steps, seed):
    def heard(cuts):
        source, found = world(load("office"), seed), []
        for at_us in cuts:
            found += source.advance("r1", at_us, ALL_ON).rows()
        return found

    cuts = [at for at in np.cumsum(steps * 3) if at < 13_000_000]
    assert heard([*map(int, cuts), 13_000_000]) == heard(range(0, 13_000_001, 1_000_000))


def test_ways_tell_who_goes_where_however_far_the_world_has_come():
    source = world(walk(1.0, tags=[1], id="out") + walk(3.0, tags=[2, 3], id="cart", carry="cart"))
    first = source.tracks(0, source.ends_us)
    source.take_crossings(source.ends_us)
    again = source.tracks(0, source.ends_us)
    assert [(way.group, way.tags) for way in again] == [("out", (0,)), ("cart", (1, 2))]
    assert all(np.array_equal(one.place, other.place) for one, other in zip(first, again, strict=True))
    assert source.tracks(0, 500_000) == []
