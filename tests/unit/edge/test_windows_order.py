"""Reads into event order."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.windows import layout as L  # noqa: N812 (as in the room)
from edge.windows import order
from edge.windows.intake import kernels, plain
from edge.windows.order import Orderer, Wire
from tests.helpers import doorway

TABLE = np.array([[-1, -1], [0, 0], [3, 1], [-1, -1]])


def reads(times, first=0):
    """Make a wire of reads of one port, told apart by their channel."""
    return wire([(t, b"\x01", 1, -6000, 0, k) for k, t in enumerate(times, first)])


def wire(rows, **knobs):
    batch = doorway.batch(rows)
    return Wire(batch, batch.first_us, batch.last_us, TABLE, arrived_us=-1, **knobs)


def read(step):
    """Return a step's reads, which are only valid until the next is asked for."""
    return [(int(row[L.C_US]), int(row[L.C_CHANNEL])) for row in step.reads.cols]


def passed(steps):
    return [(*one, step.restart) for step in steps for one in read(step)]


def released(steps):
    return [t for step in steps for t, _ in read(step)]


@given(st.lists(st.integers(0, 2000), max_size=40), st.lists(st.integers(0, 40), max_size=5))
def test_order_does_not_depend_on_the_cuts(times, cuts):
    """The same reads leave in the same order, with the same counted as late, however they were cut."""
    whole = Orderer(100, 500)
    expected = released(whole.push("r", reads(times))) + released([whole.flush()])
    parts, pieces = Orderer(100, 500), []
    edges = [0, *sorted(min(cut, len(times)) for cut in cuts), len(times)]
    for a, b in itertools.pairwise(edges):
        pieces += released(parts.push("r", reads(times[a:b], a)))
    pieces += released([parts.flush()])
    assert pieces == expected
    assert (parts.late, parts.restarts) == (whole.late, whole.restarts)


@given(st.lists(st.integers(0, 2000), max_size=60), st.integers(1, 7))
def test_reads_leave_as_if_all_had_been_sorted_at_once(times, block):
    """However small the blocks: equal times in wire order, the late left out, a buffer that moves and grows unseen."""
    before, order.BLOCK = order.BLOCK, block
    try:
        orderer = Orderer(300, 10_000, kernels.admit)
        orderer._cols, orderer._keys = orderer._cols[: 4 * block], orderer._keys[: 4 * block]
        got = [one for step in orderer.push("r", reads(times)) for one in read(step)] + read(orderer.flush())
    finally:
        order.BLOCK = before
    kept = [(t, k) for k, t in enumerate(times) if max(times[: k + 1]) - t <= 300]
    assert got == sorted(kept, key=lambda one: one[0])
    assert orderer.late == len(times) - len(kept)


ROWS = st.tuples(
    st.one_of(st.none(), st.integers(-5, 3000), st.just(L.LATEST_US)), st.binary(max_size=62), st.integers(0, 9),
    st.one_of(st.none(), st.integers(-9000, 0)), st.one_of(st.none(), st.integers(-3, 32767)),
    st.one_of(st.none(), st.integers(0, 65535)),
)  # fmt: skip


@given(
    st.lists(ROWS, max_size=30).flatmap(lambda rows: st.permutations(rows + rows[::2])),
    st.booleans(),
    st.integers(-1, 500),
    st.integers(0, 30),
)
def test_the_kernel_admits_what_the_twin_admits(rows, clocked, arrived_us, room):
    """Row for row and byte for byte, with the same place to go on from and the same counters."""
    batch = doorway.batch(rows)
    batch.first_us[::2] -= 40
    batch.seen_count[::3] = 65535
    told = []
    for admit in (plain.admit, kernels.admit):
        cols, keys = np.zeros((room, L.COLS), np.int64), np.zeros((room, L.KEY_BYTES), np.uint8)
        state, taken, recent = np.zeros(L.INTAKE, np.int64), 0, np.zeros((2, L.RECENT), np.int64)
        for _ in range(3):
            taken = admit(
                taken, batch.epc, batch.epc_bits, batch.antenna, batch.rssi_cdbm, batch.phase, batch.channel,
                batch.seen_count, batch.first_us, batch.last_us, arrived_us, clocked, 7, TABLE, 100, 500, cols, keys,
                recent, state,
            )  # fmt: skip
        kept = keys[: state[L.I_HELD]].tobytes()
        told.append((taken, state.tolist(), cols.tolist(), kept, recent.tobytes()))
    assert told[0] == told[1]


def test_reads_within_the_grace_are_put_in_order():
    orderer = Orderer(100, 5000)
    assert released(orderer.push("r", reads([1000, 950, 1020]))) + released([orderer.flush()]) == [950, 1000, 1020]
    assert orderer.late == 0


def test_reads_beyond_the_grace_are_counted_late():
    orderer = Orderer(100, 5000)
    assert released(orderer.push("r", reads([1000, 899]))) + released([orderer.flush()]) == [1000]
    assert orderer.late == 1


def test_a_clock_set_back_starts_time_anew_and_loses_nothing():
    orderer = Orderer(100, 5000)
    before, after = passed(orderer.push("r", reads([1_000_000, 1000, 1010]))), passed([orderer.flush()])
    assert before + after == [(1_000_000, 0, True), (1000, 1, False), (1010, 2, False)]
    assert (orderer.late, orderer.restarts) == (0, 1)


def test_an_idle_instant_releases_but_makes_no_later_read_late():
    """A keepalive may overtake reads that the reader kept while the network was down."""
    orderer = Orderer(100, 5000)
    assert released(orderer.push("r", reads([1000]))) == []
    assert released([orderer.idle("r", 4000)]) == [1000]
    assert released(orderer.push("r", reads([1100]))) + released([orderer.flush()]) == [1100]
    assert orderer.late == 0


def test_a_group_waits_for_its_slower_reader_but_not_for_a_dead_one():
    orderer = Orderer(0, 10_000_000)
    assert released(orderer.push("a", reads([1000]))) == []
    assert released(orderer.push("b", reads([500]))) == []
    assert released(orderer.push("b", reads([1500]))) == [500]
    assert released(orderer.push("a", reads([9_000_000]))) == [1000, 1500]


def test_a_read_is_known_again_among_the_last_4096_whatever_the_intake():
    """Sent again it is counted and left out; one that differs in anything is another."""
    fresh = [(1000 + k, bytes([k % 7]), 1, -6000, k % 4096, k % 50) for k in range(9000)]
    for admit in (plain.admit, kernels.admit):
        orderer = Orderer(100, 50_000, admit)
        assert len(passed(orderer.push("r", wire(fresh)))) == len(fresh) - 101
        assert passed(orderer.push("r", wire(fresh[-L.REMEMBERED :]))) == []
        assert (orderer.twice, orderer.late) == (L.REMEMBERED, 0)
        other = [(t, epc, a, rssi, turn + 1, hop) for t, epc, a, rssi, turn, hop in fresh[-50:-40]]
        list(orderer.push("r", wire(other)))
        assert orderer.twice == L.REMEMBERED
        list(orderer.push("r", wire(fresh[:10])))
        assert (orderer.twice, orderer.late) == (L.REMEMBERED, 10)
        assert len(passed([orderer.flush()])) == 111


def test_reads_without_a_time_of_their_own_are_no_duplicates():
    """Nothing tells whether a tag was read twice or told twice."""
    orderer = Orderer(100, 500)
    again = Wire(doorway.batch([(None, b"\1", 1, -6000, 0, 1)] * 3), *[np.full(3, -1)] * 2, TABLE, arrived_us=5)
    list(orderer.push("r", again))
    assert (orderer.twice, len(passed([orderer.flush()]))) == (0, 3)
