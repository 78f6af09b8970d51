"""Ghosts and flipped bits: as many as was asked, the same however time is cut, and nothing else is touched."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.faults import Faults
from simulator.faults.reads import GHOST_BYTES, disturbed
from simulator.world.values import NO_TAG, Reads, no_reads

COLUMNS = [name for name in Reads.__slots__ if name not in {"epc", "epc_bytes", "tag"}]


def reads(count, width=12):
    """Reads of one tag, one every ten milliseconds on each of four antennas."""
    number = np.arange(count, dtype=np.int64)
    ones = np.ones(count, dtype=np.int64)
    return Reads(
        at_us=10_000 * (number // 4),
        last_us=10_000 * (number // 4),
        antenna=1 + number % 4,
        tag=0 * ones,
        epc=np.tile(np.arange(width, dtype=np.uint8), (count, 1)),
        epc_bytes=width * ones,
        rssi_cdbm=-5000 - number,
        phase=number % 4096,
        doppler=number % 7,
        channel=1 + number % 50,
        seen=ones,
    )


def bits_apart(left, right):
    return np.unpackbits(left ^ right, axis=1).sum(axis=1)


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_a_share_of_reads_has_one_wrong_bit(share):
    given_reads = reads(4000)
    found = disturbed(given_reads, Faults(bit_flip_share=share), b"r1")
    apart = bits_apart(found.epc, given_reads.epc)
    assert set(apart.tolist()) <= {0, 1}
    assert abs(apart.mean() - share) < 0.03
    assert len(np.unique(np.argmax(np.unpackbits(found.epc ^ given_reads.epc, axis=1), axis=1))) > 90
    for name in (*COLUMNS, "epc_bytes", "tag"):
        assert getattr(found, name).tolist() == getattr(given_reads, name).tolist()


@pytest.mark.parametrize("share", [0.1, 1.0])
@pytest.mark.parametrize("width", [8, 12, 16])
def test_a_share_of_reads_is_followed_by_a_ghost(share, width):
    given_reads = reads(2000, width)
    found = disturbed(given_reads, Faults(ghost_share=share), b"r1")
    ghosts = found.tag == NO_TAG
    assert abs(ghosts.sum() / 2000 - share) < 0.03
    assert {found.epc_of(row) for row in np.flatnonzero(~ghosts)} == {given_reads.epc_of(0)}
    epcs = {found.epc_of(row) for row in np.flatnonzero(ghosts)}
    assert len(epcs) == ghosts.sum()
    assert {len(epc) for epc in epcs} == {GHOST_BYTES}
    assert np.all(np.diff(found.at_us) >= 0)
    for name in COLUMNS:
        assert getattr(found, name)[~ghosts].tolist() == getattr(given_reads, name).tolist()


@given(st.lists(st.integers(1, 199), max_size=5, unique=True).map(sorted))
def test_faults_of_reads_do_not_depend_on_how_time_is_cut(cuts):
    whole, faults = reads(200), Faults(ghost_share=0.3, bit_flip_share=0.3)
    bounds = [0, *cuts, 200]
    parts = [disturbed(whole.at(slice(a, b)), faults, b"r1") for a, b in pairwise(bounds)]
    together = disturbed(whole, faults, b"r1")
    assert b"".join(part.epc.tobytes() for part in parts) == together.epc.tobytes()
    assert disturbed(whole, faults, b"r2").epc.tobytes() != together.epc.tobytes()


def test_without_faults_and_without_reads_nothing_is_made():
    some = reads(5)
    assert disturbed(some, Faults(), b"r1") is some
    assert len(disturbed(no_reads(), Faults(ghost_share=1.0, bit_flip_share=1.0), b"r1")) == 0
