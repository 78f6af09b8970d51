"""Items 6 and 7: clocks, and reports that waited in the reader."""

import asyncio
import time

from tests.helpers.conformance.bench import bench, epc, sim_reader, true_now, watched
from tests.helpers.conformance.case import case
from tests.helpers.fault_proxy import FaultProxy

S = 1_000_000
HOUR_US = 3600 * S


def host_us(read):
    """A read's time on the host's clock, by the offset that came with its chunk."""
    shown = read.last_us if read.chunk.clock.source == "reader" else read.last_uptime_us
    return shown + read.chunk.clock.offset_us


@case(
    "6.1",
    "A reader's clock may begin at 2000-01-01.",
    "the reader's UTC is 26 years behind from the start",
)
async def clock_from_2000(seen):
    async with sim_reader() as reader:
        reader.faults.begin_at_2000(true_now().utc_us)
        async with watched(reader.port) as agent:
            await agent.connected()
            at_us = true_now().utc_us
            reader.put(1, at_us=at_us)
            await agent.until_tags(1)
            (read,) = agent.reads
            seen.that(read.last_us < 1_000_000_000 * S, "hands on the reader's time as it is")
            seen.that(abs(host_us(read) - at_us) < S, "with an offset that makes it the host's")
            seen.that(read.chunk.clock.spread_us >= 500_000, "and says that an offset from so few messages is rough")


@case(
    "6.2",
    "A reader's clock may step, by an hour forward and back (NTP, daylight saving).",
    "three reads, a step of +1 h, three reads, a step of -1 h, three reads",
)
async def clock_steps(seen):
    async with bench() as (reader, agent):
        await agent.connected()
        put_us = []
        for offset_us in (0, HOUR_US, 0):
            reader.faults.clock_offset_us = offset_us
            for _ in range(3):
                put_us.append(true_now().utc_us)
                reader.put(len(put_us), at_us=put_us[-1])
                await agent.until_tags(len(put_us))
        stepped = [read.chunk.clock.stepped for read in agent.reads]
        seen.that(
            [number for number, on in enumerate(stepped) if on] == [3, 6], "says with which read the clock jumped"
        )
        errors = [abs(host_us(read) - at_us) for read, at_us in zip(agent.reads, put_us, strict=True)]
        seen.that(max(errors) < S, "learns the new offset at once, so that host times stay right within 1 s")
        seen.that(agent.tags() == [epc(number) for number in range(1, 10)], "keeps the order of arrival")


@case(
    "6.3",
    "A reader may have no UTC at all and stamp with Uptime.",
    "reports and events carry Uptime parameters only",
)
async def uptime_only(seen):
    booted_us = true_now().utc_us - 1234 * S
    async with bench(stamps="uptime", booted_us=booted_us) as (reader, agent):
        await agent.connected()
        at_us = true_now().utc_us
        reader.put(1, at_us=at_us)
        await agent.until_tags(1)
        (read,) = agent.reads
        seen.that(read.chunk.clock.source == "uptime", "says that its clock is Uptime")
        seen.that(abs(host_us(read) - at_us) < S, "with an offset that makes it the host's time")


@case(
    "6.4",
    "A reader may send no times in reports.",
    "reports carry no timestamps",
)
async def no_times(seen):
    async with bench(stamps="none") as (reader, agent):
        await agent.connected()
        before_us = time.time_ns() // 1000
        reader.put(1)
        await agent.until_tags(1)
        (read,) = agent.reads
        seen.that(read.last_us < 0 and read.last_uptime_us < 0, "invents no times")
        seen.that(read.chunk.arrival_us >= before_us, "gives each chunk the time of its arrival on the host")


@case(
    "6.5",
    "Messages come late, never early: the network delays each differently.",
    "the proxy delays each piece by 0 to 150 ms for four seconds of reads",
)
async def jitter(seen):
    async with bench(proxied=True) as (reader, proxy, agent):
        await agent.connected()
        reader.put(100)
        await agent.until_tags(1)
        proxy.down.jitter_s = 0.15
        for tag in range(40):
            reader.put(tag)
            await asyncio.sleep(0.1)
        await agent.until_tags(41)
        first, last = agent.reads[0].chunk.clock, agent.reads[-1].chunk.clock
        seen.that(
            0 <= last.offset_us <= first.offset_us, "takes the quickest of them for the offset, however old it is"
        )
        seen.that(last.spread_us > 0, "and says how far the others lie apart")
        seen.that(not any(read.chunk.clock.stepped for read in agent.reads), "takes no delay for a step")
        seen.took("offset error", last.offset_us / 1e6)


@case(
    "6.6",
    "A clock that began at 2000 is set right in mid-session (NTP has answered at last).",
    "reads at 2000-01-01, then the reader's UTC jumps 26 years ahead",
)
async def clock_set_right(seen):
    async with sim_reader() as reader:
        reader.faults.begin_at_2000(true_now().utc_us)
        async with watched(reader.port) as agent:
            await agent.connected()
            put_us = [true_now().utc_us]
            reader.put(1, at_us=put_us[0])
            await agent.until_tags(1)
            reader.faults.clock_offset_us = 0
            put_us.append(true_now().utc_us)
            reader.put(2, at_us=put_us[1])
            await agent.until_tags(2)
            errors = [abs(host_us(read) - at_us) for read, at_us in zip(agent.reads, put_us, strict=True)]
            seen.that([read.chunk.clock.stepped for read in agent.reads] == [False, True], "calls it a step")
            seen.that(max(errors) < S, "and gives both reads the host's time within 1 s")


@case(
    "6.7",
    "A clock may step between two reads of one report.",
    "one message holds three reads, then three that a clock set an hour ahead has stamped; the next one is set back",
)
async def step_within(seen):
    async with bench(ignore_n=True, knobs={"report_every_ms": 0}) as (reader, agent):
        await agent.connected()
        put_us = []
        for offset_us in (HOUR_US, 0):
            for ahead_us in (HOUR_US - offset_us, offset_us):
                reader.faults.clock_offset_us = ahead_us
                for _ in range(3):
                    put_us.append(true_now().utc_us)
                    reader.put(len(put_us), at_us=put_us[-1])
            reader.send(reader.device.inventory.report_now())
            await agent.until_tags(len(put_us))
        errors = [abs(host_us(read) - at_us) for read, at_us in zip(agent.reads, put_us, strict=True)]
        seen.that(max(errors) < S, "gives each read its own offset, so that host times stay right within 1 s")
        seen.that(agent.tags() == [epc(number) for number in range(1, 13)], "and keeps the order of arrival")


@case(
    "7.1",
    "Zebra queues reports while the network is down and flushes them afterwards; it can't be switched off.",
    "300 reads of the five minutes before wait in the reader and come at once after the reconnect, over a slow line",
)
async def queued_burst(seen):
    async with bench(proxied=True, queue_while_away=True) as (reader, proxy, agent):
        await agent.connected()
        reader.put(1)
        await agent.until_tags(1)
        offset_us = agent.reads[0].chunk.clock.offset_us
        await proxy.refuse()
        proxy.reset()
        await agent.until_state("lost")
        begun_us = true_now().utc_us - 300 * S
        for number in range(300):
            reader.put(1000 + number, at_us=begun_us + number * S)
        proxy.down.bytes_per_s = 15_000
        await proxy.accept()
        await agent.until_tags(301)
        old = agent.reads[1:]
        seen.that(
            [read.epc for read in old] == [epc(1000 + number) for number in range(300)], "takes each queued read once"
        )
        errors = [abs(host_us(read) - begun_us - number * S) for number, read in enumerate(old)]
        seen.that(max(errors) < S, "with the time at which the reader heard it, not at which it came")
        seen.that(abs(old[-1].chunk.clock.offset_us - offset_us) < S, "lets old times touch neither offset nor step")
        seen.that(not any(read.chunk.clock.stepped for read in old), "calls none of it a step")


@case(
    "7.2",
    "A reader without a battery clock queues too.",
    "300 reads of the five minutes before wait in a reader whose clock began at 2000",
)
async def queued_from_2000(seen):
    async with sim_reader(queue_while_away=True) as reader, FaultProxy(reader.port) as proxy:
        reader.faults.begin_at_2000(true_now().utc_us - 1000 * S)
        async with watched(proxy.port) as agent:
            await agent.connected()
            await proxy.refuse()
            proxy.reset()
            await agent.until_state("lost")
            begun_us = true_now().utc_us - 300 * S
            for number in range(300):
                reader.put(1000 + number, at_us=begun_us + number * S)
            await proxy.accept()
            await agent.until_tags(300)
            errors = [abs(host_us(read) - begun_us - number * S) for number, read in enumerate(agent.reads)]
            seen.that(max(errors) < S, "learns the offset from the greeting, and dates each read by it")
