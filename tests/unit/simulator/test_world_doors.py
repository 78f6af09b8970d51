"""Doors open before who walks through, and shut behind."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.scenarios.space import DoorPart, PortalPart
from simulator.world.doors import Door, leaves_of
from simulator.world.frames import Placed
from simulator.world.paths import Gait, corners, walk
from tests.helpers.worlds import scenario, world
from tests.helpers.worlds import walk as a_walk

FAR_US = 10**9


def door(facing_deg=0.0, at=(0.0, 0.0), width_m=1.0, **keys):
    portal = PortalPart.model_validate({"id": "p", "facing_deg": facing_deg, "at": at, "width_m": width_m})
    return Door(DoorPart.model_validate({"id": "d", "doorway": "p", **keys}), Placed(portal), width_m)


def way(speed, points=((-6, 0), (6, 0)), start_us=0):
    return walk(corners(points), Gait(speed), np.random.default_rng(1)).placed(Placed(None), start_us)


@settings(max_examples=60)
@given(st.floats(0.3, 4), st.floats(0.2, 1.2), st.integers(0, 10**7))
def test_a_door_is_open_when_somebody_walks_through_and_shut_well_before_and_after(speed, opening_s, start_us):
    leaf = door(opening_s=opening_s)
    path = way(speed, start_us=start_us)
    leaf.walked(path)
    leaf.until(FAR_US)
    crossed_us = start_us + round(6e6 / speed)
    assert leaf.openness(crossed_us) == 1.0
    assert leaf.openness(start_us) == 0.0
    assert leaf.openness(int(path.at_us[-1]) + 4_000_000) == 0.0


def test_a_door_stays_open_between_two_who_follow_each_other_and_reopens_from_where_it_is():
    leaf = door()
    for start_us in (0, 1_000_000, 5_200_000):
        leaf.walked(way(1.0, start_us=start_us))
    leaf.until(FAR_US)
    assert all(leaf.openness(at_us) == 1.0 for at_us in range(6_000_000, 9_000_000, 100_000))
    parts = [leaf.openness(at_us) for at_us in range(8_000_000, 14_000_000, 10_000)]
    assert 0 < min(parts[:300]) < 1
    assert np.abs(np.diff(parts)).max() <= 0.011


def test_who_passes_at_a_distance_opens_nothing():
    leaf = door()
    leaf.walked(way(1.0, ((-2, -6), (-2, 6))))
    leaf.until(FAR_US)
    assert leaf.opened(-1, FAR_US) == []


@pytest.mark.parametrize(("opens", "open_at"), [("always", {0, 6, 50, 70}), ("never", set()), ([[10.0, 60.0]], {50})])
def test_a_door_is_propped_or_locked_whoever_comes(opens, open_at):
    leaf = door(opens=opens)
    leaf.walked(way(1.0))
    leaf.until(FAR_US)
    assert {at_s for at_s in (0, 6, 50, 70) if leaf.openness(at_s * 1_000_000) == 1.0} == open_at


def test_however_often_the_door_is_asked_it_moves_alike():
    whole, cut = door(), door()
    for one in (whole, cut):
        for start_us in (0, 7_000_000, 9_500_000):
            one.walked(way(1.3, start_us=start_us))
    whole.until(30_000_000)
    for at_us in range(0, 30_000_001, 70_000):
        cut.until(at_us)
    times = range(0, 30_000_000, 33_333)
    np.testing.assert_allclose([whole.openness(at) for at in times], [cut.openness(at) for at in times], atol=1e-9)


@pytest.mark.parametrize(("swings", "side"), [("in", -1), ("out", 1)])
@pytest.mark.parametrize("facing_deg", [0.0, 90.0, 200.0])
def test_leaves_shut_the_opening_and_swing_to_their_side(swings, side, facing_deg):
    for leaves in (1, 2):
        one = door(facing_deg, (3.0, 4.0), leaves=leaves, swings=swings, opens=[[0.0, 9.0]])
        one.until(FAR_US)
        arrays = leaves_of([one])
        for leaf in range(leaves):
            keys = slice(arrays.first[leaf], arrays.first[leaf + 1])
            for at_us, angle in zip(arrays.at_us[keys], arrays.angle[keys], strict=True):
                tip = arrays.hinge[leaf] + arrays.length_m[leaf] * np.array([np.cos(angle), np.sin(angle)])
                x, y = one.frame.to_frame(tip)
                expected = one.openness(int(at_us))
                assert x == pytest.approx(side * arrays.length_m[leaf] * expected, abs=1e-6)
                assert abs(y) <= 0.5 + 1e-9
        assert arrays.length_m.sum() == pytest.approx(1.0)


def test_an_ajar_door_has_a_small_angle():
    one = door(opens="always", angle_deg=10.0)
    arrays = leaves_of([one])
    assert arrays.angle[0] - np.pi / 2 == pytest.approx(np.radians(10))


def test_a_worlds_door_opens_for_its_walkers_in_the_scene():
    source = world('[[doors]]\nid = "d"\ndoorway = "door"\n' + a_walk(2.0, tags=[1], speed_mps=1.0))
    scene = source.scene("r1", 0, 12_000_000)
    at = np.interp([1e6, 6e6, 11.9e6], scene.leaves.at_us, scene.leaves.angle)
    np.testing.assert_allclose(at, [np.pi / 2, np.pi, np.pi / 2])


def test_a_door_without_its_doorway_is_an_error_in_words():
    with pytest.raises(Exception, match="doorway 'window' doesn't exist: there are door"):
        scenario('[[doors]]\nid = "d"\ndoorway = "window"\n')
