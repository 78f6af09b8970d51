"""Inputs that bounce give one change, at the instant of its beginning."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from edge.readers.inputs import NEVER_US, Debounce, Edge
from edge.readers.model import GpiSettings

MS = 1_000


def door(debounce_ms=100):
    return Debounce((GpiSettings(port=1, kind="door", debounce_ms=debounce_ms),))


def test_a_level_counts_once_it_has_lasted_and_from_when_it_began():
    inputs = door()
    assert inputs.level(1, state=True, at_us=0) == []
    assert inputs.due_us() == 100 * MS
    assert inputs.settle(99 * MS) == []
    assert inputs.settle(100 * MS) == [Edge(1, state=True, at_us=0)]
    assert inputs.due_us() == NEVER_US


def test_a_contact_that_rattles_gives_one_change():
    inputs = door()
    edges = []
    for number, at_ms in enumerate((0, 5, 9, 14, 20)):
        edges += inputs.level(1, state=number % 2 == 0, at_us=at_ms * MS)
    edges += inputs.settle(500 * MS)
    assert edges == [Edge(1, state=True, at_us=20 * MS)]
    assert inputs.take_bounces() == 4
    assert inputs.take_bounces() == 0


def test_a_flicker_back_to_the_level_it_had_is_no_change():
    inputs = door()
    inputs.level(1, state=False, at_us=0)
    inputs.settle(200 * MS)
    assert inputs.level(1, state=True, at_us=300 * MS) == []
    assert inputs.level(1, state=False, at_us=320 * MS) == []
    assert inputs.settle(900 * MS) == []


def test_a_pulse_of_a_tenth_of_a_second_is_seen():
    inputs = door()
    edges = inputs.level(1, state=True, at_us=0) + inputs.level(1, state=False, at_us=100 * MS)
    assert edges + inputs.settle(300 * MS) == [Edge(1, state=True, at_us=0), Edge(1, state=False, at_us=100 * MS)]


def test_a_level_told_twice_is_one():
    inputs = door()
    inputs.level(1, state=True, at_us=0)
    edges = inputs.level(1, state=True, at_us=60 * MS) + inputs.settle(100 * MS)
    assert edges == [Edge(1, state=True, at_us=0)]
    assert inputs.take_bounces() == 0


def test_without_debounce_every_change_counts_at_once():
    inputs = door(0)
    assert [inputs.level(1, state=state, at_us=1) for state in (True, False)] == [
        [Edge(1, state=True, at_us=1)],
        [Edge(1, state=False, at_us=1)],
    ]


def test_an_input_that_is_not_wired_is_passed_over():
    assert door().level(2, state=True, at_us=0) == []
    assert door().due_us() == NEVER_US


@given(st.lists(st.tuples(st.integers(1, 400), st.booleans()), max_size=60))
def test_changes_alternate_in_order_and_none_is_shorter_than_the_debounce(steps):
    inputs, now_us, edges, levels = door(), 0, [], []
    for wait_ms, state in steps:
        now_us += wait_ms * MS
        levels.append((now_us, state))
        edges += inputs.level(1, state=state, at_us=now_us)
    edges += inputs.settle(now_us + 100 * MS)
    assert [edge.at_us for edge in edges] == sorted(edge.at_us for edge in edges)
    assert all(one.state != other.state for one, other in itertools.pairwise(edges))
    assert all(other.at_us - one.at_us >= 100 * MS for one, other in itertools.pairwise(edges))
    if levels:
        assert edges, "the last level has lasted"
        assert edges[-1].state == levels[-1][1]
