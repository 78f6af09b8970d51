"""Reads into event order."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.windows import layout as L  # noqa: N812 (as in the room)
from edge.windows.order import Orderer, Reads


def reads(times):
    cols = np.zeros((len(times), L.COLS), np.int64)
    cols[:, L.C_US] = times
    cols[:, L.C_COUNT] = np.arange(len(times))
    return Reads(cols, np.zeros((len(times), 62), np.uint8))


def released(steps):
    return [int(t) for step in steps for t in step.reads.cols[:, L.C_US]]


@given(st.lists(st.integers(0, 2000), max_size=40), st.lists(st.integers(0, 40), max_size=5))
def test_order_does_not_depend_on_the_cuts(times, cuts):
    """The same reads leave in the same order, with the same counted as late, however they were cut."""
    whole = Orderer(100, 500)
    expected = [*whole.push("r", reads(times)), whole.flush()]
    parts, pieces = Orderer(100, 500), []
    edges = [0, *sorted(min(cut, len(times)) for cut in cuts), len(times)]
    for a, b in itertools.pairwise(edges):
        pieces += parts.push("r", reads(times[a:b]))
    pieces.append(parts.flush())
    assert released(pieces) == released(expected)
    assert (parts.late, parts.restarts) == (whole.late, whole.restarts)


def test_reads_within_the_grace_are_put_in_order():
    orderer = Orderer(100, 5000)
    steps = [*orderer.push("r", reads([1000, 950, 1020])), orderer.flush()]
    assert released(steps) == [950, 1000, 1020]
    assert orderer.late == 0


def test_reads_beyond_the_grace_are_counted_late():
    orderer = Orderer(100, 5000)
    steps = [*orderer.push("r", reads([1000, 899])), orderer.flush()]
    assert released(steps) == [1000]
    assert orderer.late == 1


def test_a_clock_set_back_starts_time_anew_and_loses_nothing():
    orderer = Orderer(100, 5000)
    steps = [*orderer.push("r", reads([1_000_000, 1000, 1010])), orderer.flush()]
    assert released(steps) == [1_000_000, 1000, 1010]
    assert [step.restart for step in steps] == [True, False, False]
    assert (orderer.late, orderer.restarts) == (0, 1)


def test_an_idle_instant_releases_but_makes_no_later_read_late():
    """A keepalive may overtake reads that the reader kept while the network was down."""
    orderer = Orderer(100, 5000)
    orderer.push("r", reads([1000]))
    assert released([orderer.idle("r", 4000)]) == [1000]
    steps = [*orderer.push("r", reads([1100])), orderer.flush()]
    assert released(steps) == [1100]
    assert orderer.late == 0


def test_a_group_waits_for_its_slower_reader_but_not_for_a_dead_one():
    orderer = Orderer(0, 10_000_000)
    orderer.push("a", reads([1000]))
    assert released(orderer.push("b", reads([500]))) == []
    assert released(orderer.push("b", reads([1500]))) == [500]
    assert released(orderer.push("a", reads([9_000_000]))) == [1000, 1500]
