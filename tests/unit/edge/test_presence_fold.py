"""Sums by tag and place against the plain twin, and the bounded table that they go into."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.presence import fold, plain
from edge.presence.table import Table

EPCS = st.binary(min_size=1, max_size=62) | st.sampled_from(
    [b"\x00", b"\x00\x00", bytes(8), bytes(12), b"\x30" + bytes(11)]
)
READS = st.lists(
    st.builds(
        plain.PlainRead,
        place=st.integers(0, 3),
        epc=EPCS,
        rssi_cdbm=st.integers(-32768, 32767),
        at_us=st.integers(0, 2**50),
        seen=st.integers(1, 65535),
    ),
    max_size=60,
)


def columns(reads):
    width = max([8, *(-(-len(read.epc) // 8) * 8 for read in reads)])
    epc = np.zeros((len(reads), width), np.uint8)
    for at, read in enumerate(reads):
        epc[at, : len(read.epc)] = np.frombuffer(read.epc, np.uint8)

    def column(values):
        return np.array(list(values), np.int64)

    return fold.Reads(
        column(read.place for read in reads),
        epc,
        column(len(read.epc) for read in reads),
        column(read.rssi_cdbm for read in reads),
        column(read.at_us for read in reads),
        column(read.seen for read in reads),
    )


def told(sums):
    rows = zip(sums.keys, sums.reads.tolist(), sums.best_cdbm.tolist(), sums.last_us.tolist(), strict=True)
    return [(key, plain.PlainSum(*rest)) for key, *rest in rows]


@given(READS)
def test_sums_are_those_of_the_plain_twin_in_the_order_of_first_reads(reads):
    assert told(fold.summed(columns(reads))) == list(plain.summed(reads).items())


@given(READS)
def test_tags_whose_hashes_are_alike_are_told_apart_by_their_bytes(reads):
    """As a forger could choose them: all hashes the same."""
    honest, fold.hashes = fold.hashes, lambda some: np.zeros(len(some), np.uint64)
    try:
        assert told(fold.summed(columns(reads))) == list(plain.summed(reads).items())
    finally:
        fold.hashes = honest


@given(READS, st.lists(st.integers(0, 60), max_size=4))
def test_the_table_is_the_same_however_reads_are_cut(reads, cuts):
    whole, cut = Table(20), Table(20)
    whole.add(fold.summed(columns(reads)), lambda epc: epc[0] % 5 == 1)
    edges = [0, *sorted(min(one, len(reads)) for one in cuts), len(reads)]
    for begin, end in pairwise(edges):
        cut.add(fold.summed(columns(reads[begin:end])), lambda epc: epc[0] % 5 == 1)
    assert list(cut.tags()) == list(whole.tags())
    assert (cut.full, cut.shed_reads, cut.foreign_reads) == (whole.full, whole.shed_reads, whole.foreign_reads)


@given(READS)
def test_each_read_is_held_foreign_or_without_room(reads):
    table = Table(3)
    table.add(fold.summed(columns(reads)), lambda epc: epc[0] > 200)
    held = sum(tag.reads for _, tag in table.tags())
    assert len(table) <= 3
    assert held + table.foreign_reads + table.shed_reads == sum(read.seen for read in reads)
    assert bool(table.full) == (table.shed_reads > 0)
    assert not any(tag.epc[0] > 200 for _, tag in table.tags())


def test_a_table_grows_beyond_its_first_rows():
    reads = [plain.PlainRead(0, bytes([at // 256, at % 256]), -5000, at, 1) for at in range(1000)]
    table = Table(1000)
    table.add(fold.summed(columns(reads)), lambda _: False)
    assert [tag.last_us for _, tag in table.tags()] == list(range(1000))
