"""The other rules call what their sources say, on reads whose answer is plain."""

import numpy as np
import pytest

from tests.accuracy.peers import (
    CYCLE_US,
    EDGEX_DEPARTED_US,
    EPOCH_US,
    PEERS,
    EdgexStream,
    TagReads,
    smurf_presence,
)

SPAN = (0, 4_000_000)
EPC = b"\x30" * 12


def walk(*, reverse=False, there_and_back=False):
    """Reads each 20 ms of a tag whose level peaks at 1.2 s on the inside's antennas and at 2.8 s on the outside's."""
    rows = []
    for number, t_us in enumerate(range(400_000, 3_600_000, 20_000)):
        antenna = number % 4
        side = antenna // 2
        peak_us = 1_200_000 if side == reverse else 2_800_000
        peak_us = 2_000_000 if there_and_back else peak_us
        level = -5000 - abs(t_us - peak_us) // 500
        level -= 800 if there_and_back and side else 0
        if level > -7500:
            rows.append((t_us, antenna, side, level))
    return TagReads(*np.array(rows, np.int64).T)


@pytest.mark.parametrize("name", PEERS)
def test_every_peer_calls_a_plain_walk(name):
    """Loudest on one side, later on the other: each rule says which way; there and back it says so too."""
    assert PEERS[name](walk(), SPAN) == "out"
    assert PEERS[name](walk(reverse=True), SPAN) == "in"
    assert PEERS[name](walk(there_and_back=True), SPAN) == "turned_back"


@pytest.mark.parametrize("name", PEERS)
def test_every_peer_says_none_of_what_was_not_read(name):
    """No read in the span, no call."""
    assert PEERS[name](walk(), (10_000_000, 11_000_000)) == "none"


def test_smurf_bridges_the_gaps_of_a_slow_rate_and_ends_with_a_fast_one():
    """A tag read in each eighth cycle is present throughout; one that stops after full reading ends within an epoch."""
    slow = smurf_presence(np.arange(0, 8_000_000, 2 * EPOCH_US), (0, 8_000_000))
    assert slow[4:-2].all()
    fast = smurf_presence(np.arange(0, 2_000_000, CYCLE_US), (0, 8_000_000))
    assert fast[: 2_000_000 // EPOCH_US].all()
    assert not fast[2_000_000 // EPOCH_US + 1 :].any()


def test_edgex_holds_a_place_until_another_is_louder_by_the_offset():
    """5 dB louder is not enough, 7 dB is; after 1.25 s of silence at the old place no margin is left."""
    stream = EdgexStream()
    assert stream.read(EPC, 0, 0, 0, -60.0) is None
    assert [stream.read(EPC, 10_000 * n, 2, 1, -55.0) for n in (1, 2, 3)] == [None] * 3
    assert stream.side(EPC) == 0
    moved = stream.read(EPC, 1_300_000, 2, 1, -55.0)
    assert (moved.kind, moved.at_us) == ("out", 1_300_000)
    loud = EdgexStream()
    loud.read(EPC, 0, 0, 0, -60.0)
    loud.read(EPC, 10_000, 2, 1, -53.0)
    assert loud.read(EPC, 20_000, 2, 1, -53.0).kind == "out"


def test_edgex_forgets_a_tag_after_ten_minutes():
    """A departed tag arrives anew wherever it is heard next: that is no move."""
    stream = EdgexStream()
    stream.read(EPC, 0, 0, 0, -60.0)
    assert [stream.read(EPC, EDGEX_DEPARTED_US + n, 2, 1, -50.0) for n in (1, 2, 3)] == [None] * 3
    assert stream.side(EPC) == 1
