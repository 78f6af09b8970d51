"""Reader time that runs ahead of the host's shreds no walk: a queue that comes in, or a clock that is far too fast."""

import random
import struct

import numpy as np
import pytest
import structlog

from edge.agent.pipeline import window_clock
from edge.llrp import FrameBuffer, control
from edge.llrp.wire import Message
from edge.readers import ReaderSettings
from edge.readers.intake import Intake
from edge.readers.model import ReaderCounters
from edge.windows import WindowClock, Windows
from tests.helpers import doorway
from tests.helpers.fake_reader import attempt, message, tlv
from tests.helpers.llrp_messages import custom, report, tag

BASE_US = 1_800_000_000_000_000
IMPINJ = 25882
PAUSES_S = (0.5, 4.0, 9.0)
"""The doorway is empty before each walk, as it is in life; that is when the clocks part."""


def walks():
    """Three tags, one after the other, in and out again."""
    scene = doorway.Scene(np.random.default_rng(11), seconds=60.0)
    start_s = 1.0
    for pause_s in PAUSES_S:
        for kind in ("in", "out"):
            scene.walk(kind, start_s).gain_db = -4.0
            start_s += 5.0 + pause_s
    return scene.rows()


def uptime_greeting():
    """A greeting by the reader's uptime, though its reports tell UTC."""
    uptime = tlv(129, struct.pack("!Q", 12_345_678))
    return message(Message.READER_EVENT_NOTIFICATION, 0, tlv(246, uptime + tlv(256, struct.pack("!H", 0))))


def read(row):
    """One read as an Impinj reader reports it."""
    at_us, epc, antenna, rssi_cdbm, phase, channel = row
    parts = (
        custom(IMPINJ, 56, int(phase).to_bytes(2, "big")),
        custom(IMPINJ, 57, int(rssi_cdbm).to_bytes(2, "big", signed=True)),
    )
    times = {"first_us": at_us, "last_us": at_us}
    return report(tag(*parts, epc=epc, antenna=antenna, rssi_dbm=round(rssi_cdbm / 100), channel=channel, **times))


class Door:
    """A reader's bytes through intake and windows."""

    def __init__(self) -> None:
        settings = ReaderSettings(id="r1", host="192.0.2.10", antennas=(1, 2, 3, 4))
        self._intake = Intake(settings, ReaderCounters(), structlog.get_logger())
        self._buffer = FrameBuffer(max_frame_bytes=1 << 20)
        self.windows = Windows(doorway.settings(), boot="b")
        self._rows = []
        self.steps = 0

    def take(self, arrival_us, data):
        """One receive."""
        self._buffer.feed(data)
        messages = self._buffer.take()
        events = [control.decode_event(frame) for frame in messages.others]
        for chunk in self._intake.take(arrival_us, messages, events):
            clock = window_clock(chunk.clock, host_synced=True)
            self.steps += clock.stepped
            self._rows += self.windows.feed("r1", chunk.batch, arrival_us=arrival_us, clock=clock)

    def called(self):
        """What was called, and no read was dropped."""
        self._rows += self.windows.flush()
        assert (self.windows.counters.late_reads, self.windows.counters.clock_restarts) == (0, 0)
        return shapes(self._rows)


def shapes(rows):
    return [(row.epc, row.kind, row.reads) for row in rows if row.final]


@pytest.fixture(scope="module")
def rows():
    return walks()


@pytest.fixture(scope="module")
def expected(rows):
    """What the windows call when they get the reads with the reader's times and nothing else."""
    windows = Windows(doorway.settings(), boot="b")
    out = windows.feed("r1", doorway.batch(rows), arrival_us=None, clock=WindowClock()) + windows.flush()
    found = shapes(out)
    assert len({epc for epc, _, _ in found}) == 2 * len(PAUSES_S)
    assert {"in", "out"} <= {kind for _, kind, _ in found}
    return found


@pytest.mark.parametrize("size", [20, 100, 400])
def test_a_queue_of_reports_whose_clock_no_greeting_told_keeps_its_silences(rows, expected, size):
    """A minute that waited in the reader comes within milliseconds, cut as the network cuts it."""
    door = Door()
    door.take(BASE_US, uptime_greeting())
    for number, begin in enumerate(range(0, len(rows), size)):
        door.take(BASE_US + 10_000 + 5_000 * number, b"".join(map(read, rows[begin : begin + size])))
    assert door.called() == expected
    assert door.steps == 0


@pytest.mark.parametrize("speed", [1, 2, 5, 20])
@pytest.mark.parametrize("stall_s", [0.0, 0.03])
def test_a_clock_that_is_far_too_fast_makes_no_steps(rows, expected, speed, stall_s):
    """A simulator plays a scenario at a speed; the link gathers for 40 ms, and longer on a machine that is busy."""
    door, rng = Door(), random.Random(7)
    begin_us = rows[0][0] - 1_000_000
    door.take(BASE_US, attempt(utc_us=begin_us))
    begin, host_us = 0, 0
    while begin < len(rows):
        host_us = max(host_us, (rows[begin][0] - begin_us) // speed) + round(1e6 * rng.uniform(0, stall_s))
        due = [row for row in rows[begin:] if (row[0] - begin_us) // speed <= host_us]
        door.take(BASE_US + host_us, b"".join(map(read, due)))
        begin += len(due)
        host_us += 40_000
    assert door.called() == expected
    assert door.steps == 0
