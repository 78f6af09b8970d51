"""The truth is cut exactly, and says what a slow look at every few millimetres says."""

from itertools import pairwise

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


def parks(at_s, close):
    """Whether 20 s go by in one stay within a metre, sample by sample."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], close.astype(int), [0]])))
    return any(at_s[min(end, len(at_s) - 1)] - at_s[start] >= 20 for start, end in edges.reshape(-1, 2))


def crossed(at_s, x, y, half):
    """Each crossing, sample by sample: the first sample beyond the plane, and the kind."""
    home, index = x[0] > 0, 1
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
                yield index, "out" if home else "in"
        index = stop


def sampled(at_s, x, y, width):
    """The definitions, sample by sample: kinds of a track that stays in sight."""
    half, found, before = width / 2, [], None
    close = np.hypot(x, np.maximum(np.abs(y) - half, 0)) < 1
    for index, kind in crossed(at_s, x, y, half):
        clear = [0] if before is None else before + np.flatnonzero(np.abs(x[before:index]) > 1)
        if len(clear) and parks(at_s[clear[0] : index + 1], close[clear[0] : index]):
            found.append("parked")
        found.append(kind)
        before = index
    if found:
        return found
    if not close.any():
        return ["near"]
    if parks(at_s, close):
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


def test_who_parks_and_then_goes_through_has_two_visits():
    """`parked` is final once 20 s within a metre have gone by; the crossing's visit begins there."""
    path = path_of([(-4.5, 0), (-0.5, 0, 60), (4.5, 0)])
    parked, out = visits(path.at_us, path.place, WIDTH_M)
    assert (parked.kind, parked.started_us, parked.crossed_us, parked.ended_us) == ("parked", 0, None, 23_500_000)
    assert (out.kind, out.started_us, out.crossed_us, out.ended_us) == ("out", 23_500_000, 64_500_000, 69_000_000)


def test_who_stands_behind_a_crossing_has_crossed_and_no_more():
    assert kinds([(-4.5, 0), (0.5, 0, 60), (4.5, 0)]) == ["out"]
    assert kinds([(-4.5, 0), (0.5, 0, 60)]) == ["out"]
    assert kinds([(-4.5, 0), (0.5, 0, 60), (-4.5, 0)]) == ["out", "in"]


def test_only_a_stay_of_twenty_seconds_before_the_plane_is_parked():
    """Time on both sides of a crossing doesn't add up, nor do two stays; a second long one gives nothing."""
    assert kinds([(-4.5, 0), (-0.5, 0, 15), (0.5, 0, 15), (4.5, 0)]) == ["out"]
    assert kinds([(-4.5, 0), (-0.5, 0, 15), (-3, 0), (-0.5, 0, 15), (4.5, 0)]) == ["out"]
    assert kinds([(-4.5, 0), (-0.5, 0, 60), (-3, 0), (-0.5, 0, 60), (4.5, 0)]) == ["parked", "out"]


def test_who_comes_back_from_beyond_and_parks_before_going_in_has_three_visits():
    path = path_of([(-4.5, 0), (2, 0), (0.5, 0, 60), (-4.5, 0)])
    found = visits(path.at_us, path.place, WIDTH_M)
    assert [visit.kind for visit in found] == ["out", "parked", "in"]
    assert all(before.ended_us == after.started_us for before, after in pairwise(found))


def test_who_goes_round_the_wall_has_not_crossed_the_doorway():
    assert kinds([(-2, 0), (-0.5, 0), (-0.5, 3), (0.5, 3), (2, 3)]) == ["near"]
    assert kinds([(-2, 0), (2, 0), (2, 3), (-2, 3), (-2, 0), (2, 0)]) == ["out", "out"]


def test_a_lift_that_passes_on_another_floor_is_not_at_the_doorway():
    up = [{"x": 0.5, "y": 0.0, "z": -9.0}, {"x": 0.5, "y": 0.0, "z": -3.0}]
    path = walk([CornerPart.model_validate(one) for one in up], Gait(1.0), np.random.default_rng(1))
    assert visits(path.at_us, path.place, WIDTH_M) == []
