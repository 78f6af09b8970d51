"""Many reads at once give the bytes that the report encoder, their definition, gives one by one."""

import os
import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulator.faults import Faults
from simulator.server.batch import FIELDS, BatchEncoder, Encoded, Pending, framed, reports_of
from simulator.server.reports import Content, ReportEncoder, report_message
from simulator.world.values import NO_TAG, Reads

LONG = st.integers(-(1 << 40), 1 << 50)
BEGUN_US = 1_700_000_000_000_000


def column(rng, low, high, count):
    return rng.integers(low, high, count, dtype=np.int64)


def reads(seed, count, width=20):
    """Reads of every kind; EPCs of 96 bits and of other lengths."""
    rng = np.random.default_rng(seed)
    at_us = np.sort(column(rng, 0, 1 << 40, count))
    return Reads(
        at_us=at_us,
        last_us=at_us + column(rng, 0, 1000, count),
        antenna=column(rng, 1, 17, count),
        tag=np.full(count, NO_TAG, dtype=np.int64),
        epc=rng.integers(0, 256, (count, width), dtype=np.uint8),
        epc_bytes=np.where(column(rng, 0, 2, count) == 1, 12, column(rng, 0, width + 1, count)),
        rssi_cdbm=column(rng, -14_000, 3000, count),
        phase=column(rng, 0, 4096, count),
        doppler=column(rng, -(1 << 15), 1 << 15, count),
        channel=column(rng, 1, 51, count),
        seen=column(rng, 1, 1 << 16, count),
    )


contents = st.builds(Content, **dict.fromkeys(FIELDS, st.booleans()))
faults = st.builds(
    Faults,
    stamps=st.sampled_from(["utc", "uptime", "none"]),
    clock_offset_us=LONG,
    clock_skew_ppm=st.sampled_from([0.0, 250.0, -40.5]),
    skew_since_us=st.just(BEGUN_US),
    booted_us=st.integers(0, 1 << 51),
    long_epc_form=st.booleans(),
    omit_unchanged=st.booleans(),
    omit_parameters=st.frozensets(st.sampled_from(FIELDS), max_size=3),
)


@given(st.integers(0, 1 << 32), st.integers(1, 30), contents, faults, st.integers(1, 0xFFFFFFFF))
def test_a_batch_is_the_reports_one_by_one(seed, count, content, broken, rospec_id):
    found, one_by_one = reads(seed, count), ReportEncoder(broken)
    wanted = [one_by_one.encode(one, content, rospec_id) for one in reports_of(found, BEGUN_US)]
    batch = BatchEncoder(broken).encode(found, BEGUN_US, content, rospec_id)
    assert [batch.cut(at, at + 1).data.tobytes() for at in range(count)] == wanted
    assert batch.seen.tolist() == found.seen.tolist()


@given(st.integers(1, 40), st.integers(1, 50), st.sampled_from([1, 7, 0xFFFFFFFE, 0xFFFFFFFF]))
def test_framed_reports_are_the_messages_one_by_one(count, per_message, first_id):
    batch = BatchEncoder(Faults()).encode(reads(count, count), 0, Content(), 1)
    parts = [batch.cut(at, at + 1).data.tobytes() for at in range(count)]
    wanted = [
        report_message((first_id - 1 + number) % 0xFFFFFFFF + 1, parts[at : at + per_message])
        for number, at in enumerate(range(0, count, per_message))
    ]
    assert framed(batch, per_message, first_id) == wanted


def test_what_waits_comes_out_as_it_went_in():
    batch = BatchEncoder(Faults()).encode(reads(3, 10), 0, Content(), 1)
    pending = Pending()
    for begin, end in ((0, 3), (3, 4), (4, 10)):
        pending.add(batch.cut(begin, end))
    assert len(pending) == 10
    taken = pending.take()
    assert (taken.data.tobytes(), taken.ends.tolist()) == (batch.data.tobytes(), batch.ends.tolist())
    assert len(pending) == pending.drop() == 0


def test_no_reports_are_cut_from_none():
    none = Encoded(np.zeros(0, np.uint8), np.zeros(0, np.int64), np.zeros(0, np.int64))
    assert len(none.cut(0, 0)) == 0


SCRIPT = """
from test_simulator_batch import BEGUN_US, FIELDS, reads
from simulator.faults import Faults
from simulator.server.batch import BatchEncoder, framed
from simulator.server.reports import Content
content = Content(**dict.fromkeys(FIELDS, True))
batch = BatchEncoder(Faults()).encode(reads(5, 12), BEGUN_US, content, 9)
print(b"".join(framed(batch, 5, 0xFFFFFFFF)).hex())
"""


def test_plain_python_gives_the_bytes_of_compiled_code():
    folder = os.path.dirname(__file__)  # noqa: PTH120 - an import path is text
    outs = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([folder, *sys.path]), **plain},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for plain in ({}, {"NUMBA_DISABLE_JIT": "1"})
    ]
    assert outs[0] == outs[1] != ""
