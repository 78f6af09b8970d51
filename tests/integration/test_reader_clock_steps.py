"""A reader whose clock is set in the middle of a walk: the walk is called as if nothing had happened."""

import asyncio

import numpy as np
import pytest

from edge.agent.pipeline import window_clock
from edge.contracts import instant_us
from edge.readers import link
from edge.windows import Windows
from tests.helpers import doorway
from tests.helpers.fake_reader import FakeReader, attempt
from tests.helpers.llrp_messages import custom, report, tag
from tests.helpers.supervised import agent_of

HOUR_US = 3600 * 1_000_000
BASE_US = 1_800_000_000_000_000
SLICE_US = 200_000
IMPINJ = 25882


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    """Each slice is awaited before the next is sent: there is nothing to gather."""
    monkeypatch.setattr(link, "GATHER_S", 0.0)


class Clock:
    """The host's clock, moved by the test."""

    def __init__(self) -> None:
        self.us = BASE_US

    def __call__(self):  # noqa: ANN204 (the time)
        return self.us


def walks():
    """Two walks, one in and one out again, among residents."""
    scene = doorway.Scene(np.random.default_rng(11), seconds=24.0)
    for kind, start_s in (("in", 2.0), ("out", 12.0)):
        scene.walk(kind, start_s).gain_db = -4.0
    for _ in range(3):
        scene.walk("resident", 0.0)
    return scene.rows()


def read(row, shift_us):
    """One read as an Impinj reader reports it, by a clock that is `shift_us` ahead of the scene's."""
    at_us, epc, antenna, rssi_cdbm, phase, channel = row
    at_us += shift_us
    parts = (
        custom(IMPINJ, 56, int(phase).to_bytes(2, "big")),
        custom(IMPINJ, 57, int(rssi_cdbm).to_bytes(2, "big", signed=True)),
    )
    times = {"first_us": at_us, "last_us": at_us}
    return tag(*parts, epc=epc, antenna=antenna, rssi_dbm=round(rssi_cdbm / 100), channel=channel, **times)


async def play(rows, *, step_us, at_us):
    """Send a scene slice by slice; from the scene's `at_us` on the reader's clock is `step_us` further."""
    windows, clock, out = Windows(doorway.settings(), boot="b"), Clock(), []
    begin_us = rows[0][0]
    reader_begin_us = BASE_US - 5 * HOUR_US - begin_us

    async def sink(chunk):
        known = window_clock(chunk.clock, host_synced=True)
        out.extend(windows.feed("r1", chunk.batch, arrival_us=chunk.arrival_us, clock=known))

    greeting = attempt(utc_us=BASE_US - 5 * HOUR_US)
    async with FakeReader(greeting=greeting) as reader, agent_of(reader.port, sink=sink, now_us=clock) as agent:
        await agent.until_state("connected")
        slices = [[] for _ in range((rows[-1][0] - begin_us) // SLICE_US + 1)]
        for row in rows:
            slices[(row[0] - begin_us) // SLICE_US].append(row)
        sent = 0
        for number, part in enumerate(slices):
            clock.us = BASE_US + (number + 1) * SLICE_US + 20_000
            tags = [read(row, reader_begin_us + (step_us if row[0] - begin_us >= at_us else 0)) for row in part]
            await reader.send(report(*tags))
            sent += len(part)
            await agent.until(lambda agent, sent=sent: len(agent.tags) >= sent)
        await asyncio.sleep(0)
    return [row for row in out + windows.flush() if row.final]


def shape(row):
    """What must be the same whatever the reader's clock did."""
    return row.epc, row.kind, row.reads


@pytest.mark.parametrize("step_us", [-HOUR_US, HOUR_US, -7_000_000])
@pytest.mark.parametrize(
    "at_us", [4_000_000 + SLICE_US // 2, 8_000_000], ids=["within a walk and a receive", "between"]
)
async def test_a_stepping_clock_reorders_nothing(step_us, at_us):
    rows = walks()
    expected = await play(rows, step_us=0, at_us=at_us)
    assert sorted(row.kind for row in expected) == ["in", "out"]
    stepped = await play(rows, step_us=step_us, at_us=at_us)
    assert [shape(row) for row in stepped] == [shape(row) for row in expected]
    for one, other in zip(stepped, expected, strict=True):
        for mine, theirs in ((one.started_at, other.started_at), (one.crossed_at, other.crossed_at)):
            assert abs(instant_us(mine) - instant_us(theirs)) < 300_000, "host time goes on"
    assert [row.at for row in stepped] == sorted(row.at for row in stepped)
