"""Items 9 to 12: held reports, capabilities by value, vendors' extensions, and when reports come."""

import asyncio
from dataclasses import replace

from simulator.server.codes import MessageType
from simulator.server.model import ETSI_KHZ, ReaderModel, zebra_fx9600
from simulator.server.rospec import ReportTrigger
from tests.helpers.conformance.bench import bench, epc, sim_reader, watched
from tests.helpers.conformance.case import case


@case(
    "9.1",
    "With HoldEventsAndReportsUponReconnect nothing comes until ENABLE_EVENTS_AND_REPORTS, which has no response.",
    "a client before us left the reader holding",
)
async def held_reports(seen):
    async with sim_reader() as reader:
        reader.device.config = replace(reader.device.config, hold=True)
        async with watched(reader.port) as agent:
            await agent.connected()
            reader.put(1)
            await agent.until_tags(1)
            seen.that(not reader.device.inventory.held, "sends ENABLE_EVENTS_AND_REPORTS once it is set up")
            seen.that(not agent.said("reader lost"), "waits for no response to it")
            seen.that(not reader.device.config.hold, "switches holding off")


@case(
    "9.2",
    "A reader that holds and queues has reports from before the reconnect waiting.",
    "twenty reads are queued while nobody is connected, and the reader holds",
)
async def held_queue(seen):
    async with bench(proxied=True, queue_while_away=True) as (reader, proxy, agent):
        await agent.connected()
        await proxy.refuse()
        proxy.reset()
        await agent.until_state("lost")
        await agent.until(lambda: not reader.device.connected)
        reader.device.config = replace(reader.device.config, hold=True)
        reader.put(*range(20))
        await proxy.accept()
        await agent.until_tags(20)
        seen.that(agent.tags() == [epc(number) for number in range(20)], "gets each of them once, in order")
        await agent.connected()
        seen.that(agent.health.lost_reports == 0, "is in session without a loss")


@case(
    "10.1",
    "Zebra lists its power table out of order, with indices from 0.",
    "a Zebra FX9600 as recorded; 20 dBm is configured",
)
async def zebra_powers(seen):
    async with bench(zebra_fx9600(), knobs={"tx_power_dbm": 20.0}) as (reader, agent):
        await agent.connected()
        spec = reader.device.inventory.active.aispecs[0]
        seen.that(spec.power_dbm == {1: 20.0, 2: 20.0}, "chooses the entry of 20.0 dBm by its value")
        seen.that(agent.health.problem == "", "and has nothing to complain of")


@case(
    "10.2",
    "Impinj's power index runs from 1 to 81 in steps of a quarter dB.",
    "an R420; 20.3 dBm is configured, which it hasn't got",
)
async def impinj_powers(seen):
    async with bench(knobs={"tx_power_dbm": 20.3}) as (reader, agent):
        await agent.connected()
        spec = reader.device.inventory.active.aispecs[0]
        seen.that(set(spec.power_dbm.values()) == {20.25}, "takes the next lower entry, 20.25 dBm, never a higher one")


@case(
    "10.3",
    "A power below all that the reader has can't be had.",
    "an R420, whose lowest is 10 dBm; 5 dBm is configured",
)
async def power_too_low(seen):
    async with bench(knobs={"tx_power_dbm": 5.0}) as (reader, agent):
        await agent.until_state("lost")
        seen.that(
            "its lowest is 10.00 dBm" in agent.health.problem, "refuses to transmit above it and says what is possible"
        )
        seen.that(reader.device.inventory.active is None, "starts no ROSpec")


@case(
    "10.4",
    "Channels depend on the region: some hop, others have fixed channels.",
    "an R420 for ETSI with four fixed channels, which refuses a channel index outside of its table",
)
async def fixed_channels(seen):
    model = ReaderModel(frequencies_khz=ETSI_KHZ, hopping=False)
    async with bench(model, knobs={"tx_power_dbm": 25.0}) as (reader, agent):
        await agent.connected()
        seen.that(
            set(reader.device.inventory.active.aispecs[0].power_dbm.values()) == {25.0}, "names a channel that exists"
        )
        seen.that(agent.health.problem == "", "and has nothing to complain of")


@case(
    "10.5",
    "Mode ids differ: Impinj 0 to 5 and from 1000, Zebra 0 to 35.",
    "both readers in turn; each refuses a mode that isn't in its table",
)
async def mode_ids(seen):
    for model in (ReaderModel(), zebra_fx9600()):
        async with bench(model) as (reader, agent):
            await agent.connected()
            commands = reader.device.inventory.active.aispecs[0].commands.values()
            listed = {None, *(mode.id for mode in model.modes)}
            assert {command.mode for command in commands} <= listed
            assert agent.health.problem == ""
    seen.that(condition=True, words="asks for a mode of the reader's own table, or leaves the reader's own")


@case(
    "10.6",
    "A configured antenna port may not exist on the reader.",
    "a two-port reader; ports 1, 2 and 4 are configured",
)
async def absent_antenna(seen):
    async with bench(ReaderModel(antennas=2), knobs={"antennas": (1, 2, 4)}) as (reader, agent):
        await agent.connected()
        seen.that(reader.device.inventory.active.aispecs[0].antennas == (1, 2), "inventories the ports that exist")
        seen.that(
            "has antenna ports 1 to 2, the configuration wants 4" in agent.health.problem, "names the one that doesn't"
        )


@case(
    "11.1",
    "Impinj's parameters are refused until IMPINJ_ENABLE_EXTENSIONS.",
    "an R420 that refuses them without the handshake",
)
async def extensions(seen):
    async with bench() as (reader, agent):
        await agent.connected()
        seen.that(reader.device.extensions, "sends the handshake first")
        reader.put(1)
        await agent.until_tags(1)
        phase = next(int(chunk.batch.phase[0]) for chunk in agent.chunks if len(chunk.batch))
        seen.that(phase == 9, "and gets phase with each read")


@case(
    "11.2",
    "A reader that doesn't know a vendor's extensions answers ERROR_MESSAGE.",
    "an R420 whose firmware answers the handshake so",
)
async def extensions_refused(seen):
    async with bench(unknown=frozenset({MessageType.CUSTOM_MESSAGE})) as (reader, agent):
        await agent.connected()
        seen.that("goes on without vendor extensions and phase" in agent.health.problem, "goes on without, and says so")
        reader.put(1)
        await agent.until_tags(1)
        seen.that(agent.tags() == [epc(1)], "reads")


@case(
    "11.3",
    "Another vendor's reader gets no Impinj message at all.",
    "a Zebra FX9600 that would answer one with ERROR_MESSAGE",
)
async def no_extensions(seen):
    async with bench(zebra_fx9600()) as (reader, agent):
        await agent.connected()
        reader.put(1)
        await agent.until_tags(1)
        seen.that(agent.health.problem == "" and not reader.device.extensions, "asks for nothing of Impinj's")
        seen.that(agent.supervisor.counters.stray_messages == 0, "provokes no error")


@case(
    "11.4",
    "A reader refuses a SET_READER_CONFIG that asks for more than it knows.",
    "SET_READER_CONFIG is refused with status 111 the first time",
)
async def configuration_refused(seen):
    async with bench(refused={MessageType.SET_READER_CONFIG: 111}) as (reader, agent):
        await agent.until(lambda: agent.told("goes on with keepalives alone, without events"))
        reader.faults.refused.clear()
        await agent.connected()
        seen.that(condition=True, words="tries keepalives alone and says so")
        seen.that(agent.health.state == "connected", "is in session once it is taken")


@case(
    "12.1",
    "A reader's own report trigger may be N = 0, which reports nothing.",
    "the client before us left ROReportSpec without a trigger in the configuration",
)
async def no_report_trigger(seen):
    async with sim_reader() as reader:
        reader.device.config = replace(
            reader.device.config, report=replace(reader.device.config.report, trigger=ReportTrigger.NONE, n=0)
        )
        async with watched(reader.port) as agent:
            await agent.connected()
            report = reader.device.inventory.active.report
            seen.that(report is not None and report.n >= 1, "brings a report trigger of its own with its ROSpec")
            reader.put(1)
            await agent.until_tags(1)
            seen.that(agent.tags() == [epc(1)], "gets each read")


@case(
    "12.2",
    "A reader may gather reports in spite of N.",
    "N is ignored; reports go out on GET_REPORT alone, and report_every_ms = 100 is configured",
)
async def gathered_reports(seen):
    async with bench(knobs={"report_every_ms": 100}, ignore_n=True) as (reader, agent):
        await agent.connected()
        reader.put(1, 2, 3)
        took_s = await agent.until_tags(3)
        seen.that(agent.tags() == [epc(1), epc(2), epc(3)], "fetches them by GET_REPORT in time")
        seen.took("read to arrival", took_s)


@case(
    "12.3",
    "A reader may not know GET_REPORT.",
    "it is answered by ERROR_MESSAGE; reports of 1000 tags every 100 ms are configured",
)
async def no_get_report(seen):
    knobs = {"report_every_ms": 100, "report_every_tags": 1000}
    async with bench(knobs=knobs, unknown=frozenset({MessageType.GET_REPORT})) as (reader, agent):
        await agent.until(lambda: agent.told("does not know GET_REPORT: each read is reported by itself"))
        await agent.until(lambda: (spec := reader.device.inventory.active) is not None and spec.report.n == 1)
        reader.put(1)
        await agent.until_tags(1)
        seen.that(agent.tags() == [epc(1)], "says so, and has each read reported by itself from then on")


@case(
    "12.4",
    '"No more tags after the first" is session persistence: a doorway wants tags asked again.',
    "the simulated reader keeps what session and search mode were asked of it",
)
async def session_plan(seen):
    async with bench() as (reader, agent):
        await agent.connected()
        await asyncio.sleep(0.1)
        commands = set(reader.device.inventory.active.aispecs[0].commands.values())
        seen.that({command.session for command in commands} <= {0, 1}, "asks for session S0 or S1 at an empty doorway")
        seen.that({command.search_mode for command in commands} == {2}, "with dual target (Impinj search mode 2)")
