"""The truth is cut exactly, and says what a slow look at every few millimetres says."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from simulator.scenarios.moves import CornerPart
from simulator.world.paths import Gait, corners, walk
from simulator.world.truth import visits

WIDTH_M = 1.2
STOPS = st.lists(
    st.tuples(st.integers(-250, 250), st.integers(-150, 150), st.sampled_from([0.0, 0.0, 2.0, 7.0, 25.0])).map(
        lambda stop: (stop[0] / 100, stop[1] / 100, stop[2])
    ),
    min_size=2,
    max_size=5,
)


def path_of(stops, speed=1.0):
    return walk(corners(stops), Gait(speed), np.random.default_rng(1))


def sampled(at_s, x, y, width):
    """The definitions, sample by sample: kinds of a track that stays in sight."""
    half, found, home, index = width / 2, [], x[0] > 0, 1
    while index < len(x):
        if (x[index] > 0) == (x[index - 1] > 0):
            index += 1
            continue
        stop = index + 1
        while stop < len(x) and (x[stop] > 0) == (x[index] > 0):
            stop += 1
        if abs(y[index]) > half:
            home = x[index] > 0
        elif (x[index] > 0) != home:
            beyond, stays = np.abs(x[index:stop]).max(), at_s[stop - 1] - at_s[index]
            if stop == len(x) or beyond >= 1 or stays >= 5:
                home = x[index] > 0
                found.append("out" if home else "in")
        index = stop
    if found:
        return found
    close = np.hypot(x, np.maximum(np.abs(y) - half, 0)) < 1
    if not close.any():
        return ["near"]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], close.astype(int), [0]])))
    longest = max(at_s[min(end, len(at_s) - 1)] - at_s[start] for start, end in edges.reshape(-1, 2))
    if longest >= 20:
        return ["parked"]
    return ["turned_back" if (x[0] > 0) == (x[-1] > 0) else "near"]


def slow(stops, width=WIDTH_M, aside=0.0):
    path = path_of(stops)
    at_us = np.arange(0, path.duration_us + 1, 4_000)
    place = path.position(at_us)
    return sampled(at_us / 1e6, place[:, 0] + aside, place[:, 1], width)


@settings(max_examples=150)
@given(STOPS)
def test_a_walks_kinds_are_those_of_a_slow_sampled_look(stops):
    """Where a few centimetres of place or width don't change what the slow look says."""
    path = path_of(stops)
    assume(path.duration_us > 0)
    expected = slow(stops)
    assume(all(slow(stops, WIDTH_M + width, aside) == expected for width in (-0.05, 0.05) for aside in (-0.03, 0.03)))
    assert [visit.kind for visit in visits(path.at_us, path.place, WIDTH_M)] == expected


@given(STOPS)
def test_a_crossing_is_on_the_plane_to_the_microsecond(stops):
    path = path_of(stops)
    for visit in visits(path.at_us, path.place, WIDTH_M):
        if visit.crossed_us is not None:
            assert abs(path.position(visit.crossed_us)[0]) < 1e-5
            assert abs(path.position(visit.crossed_us)[1]) <= WIDTH_M / 2 + 1e-5


def kinds(stops):
    path = path_of(stops)
    return [visit.kind for visit in visits(path.at_us, path.place, WIDTH_M)]


def test_who_goes_round_the_wall_has_not_crossed_the_doorway():
    assert kinds([(-2, 0), (-0.5, 0), (-0.5, 3), (0.5, 3), (2, 3)]) == ["near"]
    assert kinds([(-2, 0), (2, 0), (2, 3), (-2, 3), (-2, 0), (2, 0)]) == ["out", "out"]


def test_a_lift_that_passes_on_another_floor_is_not_at_the_doorway():
    up = [{"x": 0.5, "y": 0.0, "z": -9.0}, {"x": 0.5, "y": 0.0, "z": -3.0}]
    path = walk([CornerPart.model_validate(one) for one in up], Gait(1.0), np.random.default_rng(1))
    assert visits(path.at_us, path.place, WIDTH_M) == []
