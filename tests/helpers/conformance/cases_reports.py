"""Items 5 and 8: reports with things left out, and events."""

import asyncio
import contextlib

from edge.contracts.times import instant_us
from edge.readers import GpiSettings, ReferenceSettings
from simulator.server import events
from simulator.server.model import ReaderModel
from tests.helpers.conformance.bench import bench, epc, sim_reader, true_now, watched
from tests.helpers.conformance.case import case

S = 1_000_000


@case(
    "5.1",
    "TagReportData may leave out what hasn't changed since the reader last sent it.",
    "antenna, RSSI, channel, seen count and times that equal the last report's on the ROSpec are left out",
)
async def omitted_unchanged(seen):
    async with bench(omit_unchanged=True) as (reader, agent):
        await agent.connected()
        at_us = true_now().utc_us
        for tag in (1, 2, 3):
            reader.put(tag, antenna=2, at_us=at_us)
        reader.put(4, antenna=1, at_us=at_us + S)
        await agent.until_tags(4)
        seen.that([read.antenna for read in agent.reads] == [2, 2, 2, 1], "fills in the antenna")
        seen.that({(read.rssi_cdbm, read.channel, read.seen_count) for read in agent.reads} == {(-5500, 1, 1)},
                  "RSSI, channel and seen count")  # fmt: skip
        seen.that([read.last_us - at_us for read in agent.reads] == [0, 0, 0, S], "and times from the last that came")


@case(
    "5.2",
    "What was sent before a reconnect counts no more.",
    "the connection is reset between two reports of different antennas, with unchanged values left out",
)
async def omitted_after_reconnect(seen):
    async with bench(omit_unchanged=True) as (reader, agent):
        await agent.connected()
        reader.put(1, antenna=2)
        await agent.until_tags(1)
        await reader.listener.reboot(0.1)
        await agent.until(lambda: agent.health.reconnects == 1)
        reader.put(2, antenna=2)
        reader.put(3, antenna=1)
        reader.put(4, antenna=1)
        await agent.until_tags(4)
        seen.that([read.antenna for read in agent.reads] == [2, 2, 1, 1], "begins with no last values, and reads right")


@case(
    "5.3",
    "EPC-96 and EPCData say the same in two ways.",
    "the same tag comes in the short form, then in the long one",
)
async def epc_forms(seen):
    async with bench() as (reader, agent):
        await agent.connected()
        reader.put(1)
        reader.faults.long_epc_form = True
        reader.put(1)
        await agent.until_tags(2)
        batches = [chunk.batch for chunk in agent.chunks if len(chunk.batch)]
        bits = {int(value) for batch in batches for value in batch.epc_bits}
        seen.that(agent.tags() == [epc(1), epc(1)] and bits == {96}, "takes both for one tag of 96 bits")


@case(
    "8.1",
    "ReportBufferLevelWarning: the reader's buffer fills.",
    "the reader has a small buffer, ignores N, and warns at 50 % and again",
)
async def buffer_warning(seen):
    model = ReaderModel(warns_of_buffer=True)
    small = {"ignore_n": True, "buffer_reports": 20, "buffer_warning_percent": 50}
    async with bench(model, knobs={"report_every_ms": 0}, **small) as (reader, agent):
        await agent.connected()
        reader.put(*range(12))
        await agent.until(lambda: agent.told("report buffer is 50 % full"))
        reader.tell(events.buffer_warning, 80)
        reader.tell(events.reader_exception, "that was all")
        await agent.until(lambda: agent.told("that was all"))
        seen.that(len(agent.told("report buffer is")) == 1, "asks for the event where there is one, and tells it once")
        seen.that(agent.health.state == "connected", "goes on")


@case(
    "8.2",
    "ReportBufferOverflowError: data was lost in the reader.",
    "the reader says so between two reports",
)
async def buffer_overflow(seen):
    async with bench() as (reader, agent):
        await agent.connected()
        reader.put(1)
        await agent.until_tags(1)
        reader.tell(events.buffer_overflow)
        await agent.until(lambda: agent.losses)
        (loss,) = agent.losses
        seen.that(loss.reason == "reader_buffer_overflow", "sends a loss event upstream")
        seen.that(instant_us(loss.from_) >= agent.reads[0].chunk.arrival_us - S, "that begins at the last report")
        seen.that(loss.count is None, "and says that the number is unknown")


@case(
    "8.3",
    "Events that nobody asked for: RF survey, AISpec and ROSpec ends.",
    "the reader sends each, though they are switched off",
)
async def unasked_events(seen):
    async with bench() as (reader, agent):
        await agent.connected()
        reader.tell(events.rf_survey_end, 1)
        reader.tell(events.aispec_end, 1, 1)
        reader.send([events.rospec_event(started=True, rospec_id=1, now=reader.listener.now())])
        reader.put(1)
        await agent.until_tags(1)
        counters = agent.supervisor.counters
        seen.that(counters.bad_messages == counters.stray_messages == 0, "reads them and goes on")


@case(
    "8.4",
    "GPIEvent: a beam or door contact on an input.",
    "input 2 (a door) and input 3 (not configured) change",
)
async def gpi_event(seen):
    async with bench(knobs={"gpis": (GpiSettings(port=2, kind="door"),)}) as (reader, agent):
        await agent.connected()
        seen.that(reader.device.config.gpi_enabled == {2}, "enables the inputs that are wired")
        for port in (3, 2):
            reader.gpi(port, high=True)
        at_us = true_now().utc_us
        await agent.until(lambda: len(agent.sensors) > 1)
        before, row = agent.sensors
        seen.that((before.gpi, before.state) == (2, False), "says with a sensor row how the input was when we came")
        seen.that((row.gpi, row.kind, row.state) == (2, "door", True), "makes a sensor row of its change")
        seen.that(abs(instant_us(row.at) - at_us) < S, "with the time of the event")


@case(
    "8.5",
    "AntennaEvent: a cable comes off, and is back.",
    "the reader says that antenna 2 is off, twice, then that it is on",
)
async def antenna_event(seen):
    async with bench() as (reader, agent):
        await agent.connected()
        for _ in range(2):
            reader.send(reader.device.unplug(2, reader.listener.now()))
        await agent.until(lambda: agent.said("antenna disconnected"))
        reader.send(reader.device.plug(2, reader.listener.now()))
        await agent.until(lambda: agent.said("antenna back"))
        seen.that(len(agent.said("antenna disconnected")) == 1, "tells the loss once and the return once")


@case(
    "8.6",
    "ReaderExceptionEvent: the reader has trouble of its own.",
    'the reader says "antenna port 2 overheats", twice',
)
async def reader_exception(seen):
    async with bench() as (reader, agent):
        await agent.connected()
        for _ in range(2):
            reader.tell(events.reader_exception, "antenna port 2 overheats")
        reader.put(1)
        await agent.until_tags(1)
        seen.that(len(agent.told("antenna port 2 overheats")) == 1, "repeats its words in the log, once")
        seen.that(agent.health.state == "connected", "goes on")


@case(
    "8.7",
    "ConnectionCloseEvent: the reader hangs up in order.",
    "the reader says so and closes",
)
async def connection_close(seen):
    async with bench() as (reader, agent):
        await agent.connected()
        reader.tell(events.connection_close)
        reader.device.closing = True
        await agent.until(lambda: agent.said("reader lost"))
        seen.that("said that it closes the connection" in agent.said("reader lost")[0]["problem"], "says who hung up")
        await agent.until(lambda: agent.health.reconnects == 1)
        seen.that(agent.health.state == "connected", "dials again")


@case(
    "8.8",
    "AntennaEvent is unreliable on some readers: a cable comes off and no event comes.",
    "antenna 2 hears its reference tag ten times a second, then nothing; the reader says nothing of it",
)
async def antenna_silent(seen):
    references = tuple(ReferenceSettings(port=port, epc=epc(port).hex()) for port in (1, 2))
    knobs = {"references": references, "reference_epcs": frozenset(one.epc for one in references)}
    async with bench(knobs=knobs) as (reader, agent), references_heard(reader):
        await agent.until(lambda: states(agent) == ["ok", "ok"], "two antennas that are well")
        cut_us = true_now().utc_us
        reader.faults.silent_antennas = frozenset({2})
        took_s = await agent.until(lambda: states(agent) == ["ok", "fault"], "a fault of antenna 2 alone")
        seen.that(took_s < 10, "calls that antenna a fault within 10 s, and its neighbour well")
        fault = agent.health.antennas[1]
        seen.that("reference tag" in fault.reason and "look at cable" in fault.reason, "says why and where to look")
        seen.that(abs(instant_us(fault.since) - cut_us) < S / 2, "dates it from the last time that it was heard")
        seen.took("cut to fault", took_s)
        reader.faults.silent_antennas = frozenset()
        await agent.until(lambda: states(agent) == ["ok", "ok"], "two antennas that are well again")
        seen.that(agent.supervisor.counters.reference_reads > 0, "counts reference tags apart from assets")


@case(
    "8.9",
    "A cable may have been off before the session began, when no event could tell.",
    "antenna 2 is open while the agent connects",
)
async def antenna_open_before(seen):
    async with sim_reader() as reader:
        reader.device.unplug(2, reader.listener.now())
        async with watched(reader.port) as agent:
            await agent.connected()
            await agent.until(lambda: states(agent)[1] == "fault", "a fault of antenna 2")
            seen.that("nothing is connected" in agent.health.antennas[1].reason, "asks the reader; calls it a fault")
            reader.send(reader.device.plug(2, reader.listener.now()))
            await agent.until(lambda: states(agent)[1] == "ok", "antenna 2 well")
            seen.that(agent.health.antennas[1].state == "ok", "and well when the reader says that it is back")


def states(agent):
    """The antennas' states by port."""
    return [antenna.state for antenna in agent.health.antennas]


@contextlib.asynccontextmanager
async def references_heard(reader):
    """Let antennas 1 and 2 hear their reference tags ten times a second."""

    async def feed():
        while True:
            for port in (1, 2):
                reader.put(port, antenna=port)
            await asyncio.sleep(0.1)

    feeding = asyncio.create_task(feed())
    try:
        yield
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
