"""Item 12, the air: who is asked to answer, how often, and when; with the tags keeping their flags as Gen2 says."""

import asyncio
import contextlib

from edge.readers import SweepWish, TriggerSettings
from simulator.server.model import ReaderModel
from tests.helpers.conformance.bench import bench, epc, true_now
from tests.helpers.conformance.case import case

SHELF = range(1, 41)
"""Resident tags: more than the thirty that are borne."""


@contextlib.asynccontextmanager
async def field_of(reader, tags, *, every_s=0.5):
    """Let these tags (a set that may change) have power all the time; which of them answer is the radio's business."""

    async def feed():
        while True:
            reader.put(*sorted(tags))
            await asyncio.sleep(every_s)

    feeding = asyncio.create_task(feed())
    try:
        yield
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)


def commands(reader):
    """What the ROSpec that runs asks of the air, round by round, as of antenna 1."""
    spec = reader.device.inventory.active
    return [aispec.commands[1] for aispec in spec.aispecs if 1 in aispec.commands] if spec else []


@case(
    "12.5",
    "Many tags at rest eat the airtime of those who walk.",
    "forty tags have lain in range of an R420 for half a minute; once they are quieted a newcomer passes",
)
async def residents_quieted(seen):
    present = set(SHELF)
    async with bench(ReaderModel(max_filters=2)) as (reader, agent), field_of(reader, present):
        await agent.connected()
        reader.put(*SHELF, at_us=true_now().utc_us - 28_000_000)
        took_s = await agent.until(lambda: any(one.search_mode == 1 for one in commands(reader)), "quiet")
        seen.that(commands(reader)[0].session in {2, 3}, "asks in S2 or S3, single target, once they have stayed")
        seen.that("are kept quiet" in agent.health.plan, "says in health how many stay and what it does")
        seen.took("first read to quiet", took_s)
        await agent.until(lambda: len(commands(reader)) == 1, "rest")
        before = len(agent.reads)
        await asyncio.sleep(2)
        seen.that(len(agent.reads) - before <= len(SHELF), "hears little of them from then on")
        present.add(999)
        await agent.until(lambda: agent.tags().count(epc(999)) >= 3, "three reads of a newcomer")
        seen.that(len(agent.said("reader lost")) == 0, "follows the newcomer, who is read again and again")
        seen.that(any(command.filters for command in commands(reader)), "by Select on its EPC")


@case(
    "12.6",
    "Only tags of our own EPC prefixes matter: Gen2 Select leaves the others out.",
    "an R420 that takes two filters; `select` names one prefix",
)
async def select_prefixes(seen):
    wanted, stranger = epc(1), epc(1 << 80)
    prefix = wanted[:8].hex()
    assert not stranger.hex().startswith(prefix)
    async with bench(ReaderModel(max_filters=2), knobs={"select": (prefix,)}) as (reader, agent):
        await agent.connected()
        reader.put(1 << 80)
        reader.put(1)
        await agent.until_tags(1)
        seen.that(commands(reader)[0].filters[0].mask == wanted[:8], "asks the reader to select by that prefix")
        seen.that(agent.tags() == [wanted], "hears our tag and not the stranger")


@case(
    "12.7",
    "A reader may take no Select filter at all.",
    "an R420 that says so and refuses any; `select` names one prefix",
)
async def no_select(seen):
    async with bench(ReaderModel(max_filters=0), knobs={"select": (epc(1)[:8].hex(),)}) as (reader, agent):
        await agent.connected()
        reader.put(1)
        await agent.until_tags(1)
        seen.that(not commands(reader)[0].filters, "asks for none")
        seen.that(agent.tags() == [epc(1)], "and reads all tags")


@case(
    "12.8",
    "A count sweep wants every tag once and blinds the doorway meanwhile.",
    "forty tags lie in range, and a count is asked for",
)
async def count_sweep(seen):
    async with bench() as (reader, agent), field_of(reader, set(SHELF), every_s=0.1):
        await agent.until_tags(1)
        before = commands(reader)
        result = await agent.supervisor.sweep(SweepWish(timeout_ms=5000, silence_ms=500))
        seen.that(result.epcs == {epc(tag) for tag in SHELF}, "counts each of them")
        took_s = (result.end_us - result.begin_us) / 1e6
        seen.that(took_s < 5, "ends when no tag has been new for a while, and says from when to when it took")
        seen.that(commands(reader) == before, "goes back to its plan")
        count = len(agent.reads)
        await agent.until_tags(count + 1)
        seen.took("sweep", took_s)


@case(
    "12.9",
    "Reading may begin when an input calls.",
    "input 2 starts reading for half a second; tags are in range all the time",
)
async def gpi_triggered(seen):
    knobs = {"trigger": TriggerSettings(gpi=2, read_ms=500)}
    async with bench(knobs=knobs) as (reader, agent), field_of(reader, {1, 2}, every_s=0.05):
        await agent.connected()
        await asyncio.sleep(0.5)
        seen.that(agent.health.reads == 0, "reads nothing before the input calls")
        reader.gpi(2, high=True)
        took_s = await agent.until_tags(1)
        await agent.until(lambda: reader.device.radio() is None, "the end of reading")
        seen.that(0 < agent.health.reads < 100, "reads when it does, for as long as configured")
        seen.that(not agent.said("reader lost"), "stays in session meanwhile")
        seen.took("input to read", took_s)
