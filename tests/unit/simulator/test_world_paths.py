"""Paths: speeds, stops and turns."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.scenarios.load import load
from simulator.scenarios.moves import CornerPart
from simulator.world.paths import TURN_STEP_RAD, Gait, corners, walk
from simulator.world.schedule import Schedule

STOPS = st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9), st.floats(0, 3)), min_size=2, max_size=6)


def rng():
    return np.random.default_rng(4)


def corner(x, y, **more):
    return CornerPart.model_validate({"x": x, "y": y, **more})


def test_a_corner_may_change_speed_and_height_from_there_on():
    route = [corner(0, 0), corner(2, 0, speed_mps=0.5), corner(2, 0, z=2), corner(4, 0, z=2, pause_s=3)]
    path = walk(route, Gait(2.0), rng())
    assert path.duration_us == 1_000_000 + 4_000_000 + 4_000_000 + 3_000_000
    np.testing.assert_allclose(path.position(3_000_000), [2, 0, 1])


def test_backwards_is_the_same_way_at_the_same_speeds():
    route = [corner(0, 0), corner(2, 0, speed_mps=0.5, pause_s=1), corner(5, 1)]
    there, back = walk(route, Gait(2.0), rng()), walk(route, Gait(2.0), rng(), reverse=True)
    assert there.duration_us == back.duration_us
    for at_us in range(0, there.duration_us, 100_000):
        np.testing.assert_allclose(there.position(at_us), back.position(there.duration_us - at_us), atol=1e-5)


@given(STOPS)
def test_keyframes_never_go_back_in_time_and_a_turn_has_no_jump(stops):
    path = walk(corners(stops), Gait(1.3), rng())
    assert (np.diff(path.at_us) >= 0).all()
    turned = np.abs(np.diff(np.unwrap(path.heading)))
    took_us = np.diff(path.at_us)
    assert (turned[took_us > 0] <= TURN_STEP_RAD + 1e-9).all()


def test_what_is_pushed_swings_around_its_walker_in_a_turn():
    path = walk(corners([(0, 0), (4, 0), (0, 0)]), Gait(1.0), rng())
    cart = path.beside(0.95)
    np.testing.assert_allclose(np.linalg.norm(cart.place - path.place, axis=1), 0.95)
    np.testing.assert_allclose(cart.position(1_000_000), [1.95, 0, 0])
    np.testing.assert_allclose(cart.position(7_000_000), [0.05, 0, 0], atol=1e-9)


def test_a_forklifts_load_swings_no_faster_than_a_forklift_turns():
    """In the gallery's own bends, which are gentle; a walker's turn would swing it at 5 m/s."""
    schedule = Schedule(load("forklift-500"), 26, math.inf)
    pallet = schedule.made(0, 0).middle
    took_s = np.diff(pallet.at_us) / 1e6
    sideways = np.abs(np.diff(pallet.place[:, 1]))
    assert sideways.max() > 0.1
    assert (sideways <= 1.2 * took_s).all()


def test_hesitation_stops_here_and_there_and_only_delays():
    route = corners([(0, 0), (30, 0)])
    straight, slow = walk(route, Gait(1.0), rng()), walk(route, Gait(1.0, hesitation=0.5), rng())
    stops = np.flatnonzero((np.diff(slow.place[:, 0]) == 0) & (np.diff(slow.at_us) > 0))
    assert 8 <= len(stops) <= 22
    assert slow.duration_us - straight.duration_us == pytest.approx(np.diff(slow.at_us)[stops].sum(), abs=40)
    np.testing.assert_allclose(slow.place[-1], straight.place[-1])
