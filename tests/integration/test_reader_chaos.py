"""Faults in any order, by seed: whatever line and reader do, no read is invented or doubled, and we come back."""

import asyncio
import os
import random

import pytest

from edge.llrp import ReportDecoder
from tests.helpers.conformance.bench import epc, sim_reader, watched
from tests.helpers.fake_reader import report, tag
from tests.helpers.fault_proxy import FaultProxy

SECONDS = float(os.environ.get("STOCKGATE_CHAOS_SECONDS", "5"))
"""How long faults come; longer runs are for a machine of one's own."""
SEEDS = (1, 2, 3, 4)


@pytest.fixture(scope="module", autouse=True)
def _warm():
    ReportDecoder().decode(bytearray(report(tag())))


async def _line(proxy, rng):
    """Do one thing to the line."""
    match rng.randrange(9):
        case 0:
            proxy.reset()
        case 1:
            proxy.down.insert(rng.randbytes(rng.randint(1, 30)))
        case 2:
            proxy.down.lose(rng.randint(1, 40))
        case 3:
            way = rng.choice((proxy.up, proxy.down))
            way.swallow = True
            await asyncio.sleep(rng.uniform(0.1, 1.5))
            way.swallow = False
        case 4:
            proxy.down.cut = rng.choice(("whole", "bytes", "split"))
        case 5:
            proxy.down.delay_s, proxy.down.jitter_s = rng.uniform(0, 0.1), rng.uniform(0, 0.1)
        case 6:
            await proxy.cut_cable()
            await asyncio.sleep(rng.uniform(0.1, 1.5))
            await proxy.mend_cable()
        case 7:
            await proxy.refuse()
            await asyncio.sleep(rng.uniform(0.1, 0.5))
            await proxy.accept()
        case _:
            proxy.down.merge_s = rng.choice((0.0, 0.03))


async def _reader(reader, rng):
    """Do one thing to the reader."""
    faults = reader.faults
    match rng.randrange(6):
        case 0:
            await reader.listener.reboot(rng.uniform(0, 0.5))
        case 1:
            faults.dead_session_s = rng.choice((0.0, 0.7))
        case 2:
            faults.interleave = not faults.interleave
        case 3:
            faults.omit_unchanged = not faults.omit_unchanged
        case 4:
            faults.clock_offset_us = rng.choice((0, 3_600_000_000, -3_600_000_000))
        case _:
            faults.queue_while_away = not faults.queue_while_away


async def _mend(reader, proxy):
    faults = reader.faults
    faults.interleave = faults.omit_unchanged = False
    faults.dead_session_s = 0.0
    for way in (proxy.up, proxy.down):
        way.cut, way.merge_s, way.delay_s, way.jitter_s, way.swallow = "whole", 0.0, 0.0, 0.0, False


async def _feed(reader, put):
    """Let a new tag be read every 5 ms: each stands for one read, so that none can hide behind another."""
    while True:
        put.append(len(put))
        reader.put(put[-1], antenna=1 + len(put) % 2)
        await asyncio.sleep(0.005)


async def _run(seed):
    rng, put = random.Random(seed), []
    loop = asyncio.get_running_loop()
    async with (
        sim_reader() as reader,
        FaultProxy(reader.port, seed=seed) as proxy,
        watched(proxy.port, connect_timeout_s=0.5, request_timeout_s=1.0) as agent,
    ):
        await agent.connected()
        feeding = asyncio.create_task(_feed(reader, put))
        end_s = loop.time() + SECONDS
        while loop.time() < end_s:
            await rng.choice((lambda: _line(proxy, rng), lambda: _reader(reader, rng)))()
            await asyncio.sleep(rng.uniform(0.0, 0.5))
        await _mend(reader, proxy)
        mended = len(put)
        await agent.until(lambda: max(agent_numbers(agent), default=0) > mended)
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
    return agent, put


def agent_numbers(agent):
    return {int.from_bytes(read.epc[1:], "big") for read in agent.reads[-500:]}


async def test_no_read_is_invented_or_doubled_and_the_session_comes_back():
    runs = await asyncio.gather(*(_run(seed) for seed in SEEDS))
    for seed, (agent, put) in zip(SEEDS, runs, strict=True):
        wanted, heard = {epc(number) for number in put}, agent.tags()
        assert set(heard) <= wanted, f"seed {seed}: read what was never there"
        assert len(heard) == len(set(heard)), f"seed {seed}: read twice"
        states = [entry["event"] for entry in agent.logs if entry["event"] in {"reader back", "reader connected"}]
        assert states[0] == "reader connected"
        assert len(states) == 1 + agent.health.reconnects, f"seed {seed}: each return is told once"
        assert agent.health.reconnects == sum(row.reason == "reader_disconnected" for row in agent.losses), (
            f"seed {seed}: each outage is one loss row"
        )
