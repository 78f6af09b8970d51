"""What a broker left out is asked for again, a part at a time, and nothing is asked where nothing lacks."""

import asyncio
import tracemalloc

import pytest
import structlog
from structlog.testing import capture_logs

from edge.gate import GateFiles, GateKeeper, asking
from edge.gate.keeper import MOST_QUEUED_BYTES
from tests.helpers.gate_messages import delta, entry, messages, store

LOG = structlog.get_logger()
QUIET_S = 0.02


@pytest.fixture
def keeper(tmp_path):
    """A keeper with its thread."""
    with GateKeeper(store(tmp_path, LOG), GateFiles(tmp_path), log=LOG) as made:
        yield made


class Broker:
    """Leaves out what it is told to, until it is asked."""

    def __init__(self, keeper, retained, left_out) -> None:
        self.keeper, self.retained, self.asked, self.up = keeper, dict(retained), [], True
        for channel, payload in self.retained.items():
            if channel not in left_out:
                keeper.take(channel, payload)

    def ask(self, channels):
        if self.up:
            self.asked.append(list(channels))
            for channel in channels:
                if channel in self.retained:
                    self.keeper.take(channel, self.retained[channel])
        return self.up


async def until(true):
    """Wait for a fact of another thread."""
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 (facts of another thread have no event to wait for)
            await asyncio.sleep(0.005)


RETAINED = [*messages(1, [entry(number) for number in range(60)]), ("gate/delta", delta(1, 1))]
PARTS = [channel for channel, _ in RETAINED if channel.startswith("gate/part")]


@pytest.mark.parametrize(
    "left_out", [PARTS[:3], PARTS, ["gate/manifest"], ["gate/delta"], [*PARTS[:1], "gate/manifest"]]
)
async def test_what_the_broker_left_out_is_asked_for(keeper, left_out):
    """However much of it."""
    broker = Broker(keeper, RETAINED, left_out)
    async with asking(keeper, broker.ask, log=LOG, quiet_s=QUIET_S):
        await until(lambda: keeper.snapshot is not None and keeper.snapshot.n == 1)
    asked = {channel for channels in broker.asked for channel in channels}
    assert set(left_out) <= asked
    assert asked <= {*left_out, "gate/manifest", "gate/delta"}
    assert keeper.lacking == []


async def test_nothing_is_asked_where_nothing_lacks_or_the_broker_is_away(keeper):
    """It is told once that something is asked."""
    broker = Broker(keeper, {}, [])
    broker.up = False
    with capture_logs() as logs:
        async with asking(keeper, broker.ask, log=structlog.get_logger(), quiet_s=QUIET_S):
            await asyncio.sleep(QUIET_S * 4)
            assert (broker.asked, logs) == ([], [])
            broker.up = True
            await until(lambda: len(broker.asked) > 2)
        assert [line["lacking"] for line in logs if "asking" in line["event"]] == [2]
    whole = Broker(keeper, RETAINED, [])
    await until(lambda: keeper.snapshot is not None and keeper.snapshot.n == 1)
    async with asking(keeper, whole.ask, log=LOG, quiet_s=QUIET_S):
        await asyncio.sleep(QUIET_S * 4)
    assert whole.asked == []


async def test_a_part_whose_manifest_never_comes_is_not_asked_about_for_ever(keeper):
    """Anybody can send one: it waits for a while, and is counted."""
    broker = Broker(keeper, RETAINED, [])
    await until(lambda: keeper.snapshot is not None and keeper.snapshot.n == 1)
    keeper.take("gate/part/7", b"SGP1" + bytes([255] * 4) + (7).to_bytes(2) + bytes(6))
    async with asking(keeper, broker.ask, log=LOG, quiet_s=QUIET_S, strays_last_s=4 * QUIET_S):
        await until(lambda: broker.asked)
        await until(lambda: keeper.counters.refused)
        assert keeper.counters.refused == {"unwanted": 1}
        assert keeper.lacking == []


def test_what_is_refused_of_a_flood_is_counted_and_none_of_it_kept(tmp_path):
    """While the gate's thread is busy: each refused message used to wait in its error's traceback."""
    keeper = GateKeeper(store(tmp_path, LOG), GateFiles(tmp_path), log=LOG)
    tracemalloc.start()
    try:
        for number in range(3_000):
            keeper.take("gate/manifest", bytes([number % 256]) * 100_000)
        assert tracemalloc.get_traced_memory()[0] < 1.2 * MOST_QUEUED_BYTES
    finally:
        tracemalloc.stop()
    with capture_logs() as logs, keeper:
        pass
    queued = MOST_QUEUED_BYTES // 100_000
    assert keeper.counters.refused == {"flood": 3_000 - queued, "unreadable": queued}
    assert [line["why"] for line in logs] == ["unreadable", "flood"]
