"""Item 13: messages that are legal and unusual."""

import asyncio
import itertools

from tests.helpers.conformance.bench import bench, epc, sim_reader, watched
from tests.helpers.conformance.case import case

MANY = 20_000
"""Tag reports in a message of more than 1 MB."""


@case(
    "13.1",
    "A message of more than 1 MB is legal.",
    f"one RO_ACCESS_REPORT of {MANY} tag reports, 1.6 MB, under the default cap of 16 MiB",
)
async def huge_message(seen):
    async with bench() as (reader, agent):
        await agent.connected()
        reader.put_one_message(MANY)
        took_s = await agent.until(lambda: agent.supervisor.counters.reads >= MANY)
        seen.that(agent.health.reports == 1, "takes it as one message")
        seen.that(agent.health.reads == MANY and agent.health.lost_reports == 0, "reads every tag of it")
        seen.that(agent.health.state == "connected", "stays in session")
        seen.took("message to last read", took_s)


@case(
    "13.2",
    "A message beyond the cap.",
    "the same message under max_frame_mib = 1",
)
async def beyond_the_cap(seen):
    knobs = {"max_frame_bytes": 1 << 20}
    async with bench(knobs=knobs) as (reader, agent):
        await agent.connected()
        reader.put_one_message(MANY)
        await agent.until(lambda: agent.said("reader lost"))
        problem = agent.said("reader lost")[0]["problem"]
        seen.that("more than the 1048576 allowed" in problem, "says how long it is and what is allowed")
        seen.that("raise its max_frame_mib in edge.toml" in problem, "says what to change if the reader means it")
        await agent.until(lambda: agent.health.reconnects == 1)
        reader.put(5)
        await agent.until_tags(1)
        seen.that(agent.tags() == [epc(5)], "begins a new connection and reads on")
        seen.that(any(row.reason == "reader_disconnected" for row in agent.losses), "books what it cost as a loss")


@case(
    "13.3",
    "An RO_ACCESS_REPORT may be empty.",
    "an empty one comes before each report",
)
async def empty_report(seen):
    async with bench(empty_reports=True) as (reader, agent):
        await agent.connected()
        for tag in range(5):
            reader.put(tag)
        await agent.until_tags(5)
        seen.that(agent.tags() == [epc(tag) for tag in range(5)], "takes nothing from it")
        seen.that(agent.health.lost_reports == 0, "and counts no fault")


@case(
    "13.4",
    "One report may hold several tags.",
    "reports of five tags each, asked by report_every_tags = 5",
)
async def several_tags(seen):
    async with bench(knobs={"report_every_tags": 5, "report_every_ms": 0}) as (reader, agent):
        await agent.connected()
        reader.put(*range(15))
        await agent.until_tags(15)
        seen.that(agent.tags() == [epc(tag) for tag in range(15)], "reads each of them")
        seen.that(agent.health.reports == 3, "out of three reports")


@case(
    "13.5",
    "One tag report may stand for several reads (TagSeenCount above 1).",
    "a report that says the tag was seen 7 times",
)
async def seen_count(seen):
    async with bench() as (reader, agent):
        await agent.connected()
        reader.put(1, seen_count=7)
        await agent.until_tags(1)
        seen.that(agent.reads[0].seen_count == 7 and agent.health.reads == 7, "counts seven reads")


@case(
    "13.6",
    "Reports come after the response to STOP_ROSPEC.",
    "the agent is stopped; the reader goes on reporting until the connection is closed",
)
async def reports_after_stop(seen):
    async with sim_reader(late_reports_after_stop=True) as reader:
        async with watched(reader.port) as agent:
            await agent.connected()
            reader.put(1)
            await agent.until_tags(1)
            reader.faults.answer_delay_s = 0.1
            feeding = asyncio.create_task(feed(reader))
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
        await agent.until(lambda: not reader.device.connected)
        late = sum(tag != epc(1) for tag in agent.tags())
        seen.that(late > 0, "hands them on like any other")
        seen.that(
            not reader.device.inventory.rospecs and reader.device.closing,
            "still deletes its ROSpec and closes in order",
        )


async def feed(reader):
    """Let a tag be read every 10 ms."""
    for tag in itertools.count(2):
        reader.put(tag)
        await asyncio.sleep(0.01)
