"""An LLRP emulator and a client of others (llrpkit, MIT) against our two roles.

Where llrpkit 0.3.0's emulator departs from LLRP 1.0.1, and what is adapted here for it:

- DELETE_ROSPEC 0 means "all"; it answers "no ROSpec 0". Our session takes that for nothing to delete.
- It says that it can hold events and reports, and answers ENABLE_EVENTS_AND_REPORTS with ERROR_MESSAGE, where the
  standard has no answer at all: one stray message a session, which is counted and told once.
- GET_REPORT is unknown to it, so `report_every_ms` stays 0 here.
- It reports each read at once whatever N says, and sends the same parameters whatever was selected: no ROSpecID.
- ROSpecs end with the connection, where a real reader keeps them: what others left can't be played there.
- Its model number 700 is no Impinj model; the test lets it say that of an R420.
"""

import asyncio
import struct

from llrpkit import Reader
from llrpkit.emulator import EmulatedTag, LLRPEmulator

from edge.readers import GpiSettings
from tests.helpers.conformance.bench import sim_reader, true_now, watched
from tests.helpers.fake_reader import attempt

R420 = {"model_number": 2_001_002, "firmware": "5.14.0.240"}
TAGS = [EmulatedTag(bytes([0x30, *([number] * 11)]), (1 + number % 4,), -50.0 - number) for number in range(12)]
WAIT_S = 60


async def test_the_agent_inventories_an_emulator_of_others():
    """All twelve tags, each where it is, with RSSI, phase and times that its own clock said."""
    async with LLRPEmulator(tags=TAGS, reads_per_sec=400, **R420) as emulator:
        begun_us = true_now().utc_us
        async with watched(emulator.port, antennas=(1, 2, 3, 4), tx_power_dbm=25.0) as agent:
            await agent.connected()
            await agent.until(lambda: set(agent.tags()) == {tag.epc for tag in TAGS} and len(agent.reads) > 200)
            health = agent.health
        wanted = {tag.epc: tag for tag in TAGS}
        for read in agent.reads:
            tag = wanted[read.epc]
            assert read.antenna in tag.antennas
            assert abs(read.rssi_cdbm - 100 * tag.rssi_dbm) < 1000
            assert begun_us - 1_000_000 < read.last_us <= true_now().utc_us
            assert 1 <= read.channel <= 50
        phases = {int(chunk.batch.phase[row]) for chunk in agent.chunks for row in range(len(chunk.batch))}
        assert len(phases) > 100
        assert 0 <= min(phases) <= max(phases) < 4096
        assert (health.lost_reports, health.unlisted_reads, health.problem) == (0, 0, "")
        assert agent.supervisor.counters.bad_messages == 0
        assert agent.supervisor.counters.stray_messages <= 1, "ENABLE_EVENTS_AND_REPORTS is answered there, see above"


async def test_keepalives_are_acknowledged_as_others_count_them():
    async with LLRPEmulator(**R420) as emulator, watched(emulator.port, keepalive_ms=200) as agent:
        await agent.until(lambda: emulator.keepalive_acks >= 3)
        assert agent.health.state == "connected"


async def test_power_reaches_an_emulator_of_others_by_value():
    """At 12 dBm only the strong tag answers there; its rule is -42 dBm minus the power."""
    tags = [EmulatedTag(b"\x01" * 12, (1,), -50.0), EmulatedTag(b"\x02" * 12, (1,), -60.0)]
    async with LLRPEmulator(tags=tags, **R420) as emulator, watched(emulator.port, tx_power_dbm=12.0) as agent:
        await agent.until_tags(20)
        assert set(agent.tags()) == {b"\x01" * 12}


async def test_inputs_and_cables_of_an_emulator_of_others_are_heard():
    gpis = (GpiSettings(port=2, kind="beam"),)
    async with LLRPEmulator(**R420) as emulator, watched(emulator.port, gpis=gpis) as agent:
        await agent.connected()
        await emulator.set_gpi(3, high=True)
        await emulator.set_gpi(2, high=True)
        await agent.until(lambda: any(row.state for row in agent.sensors))
        told = [(row.gpi, row.kind, row.state) for row in agent.sensors]
        assert told == [(2, "beam", False), (2, "beam", True)], "how it was at first, and its change"
        await emulator.set_antenna_connected(2, connected=False)
        await agent.until(lambda: agent.said("antenna disconnected"))


async def test_a_message_that_the_emulator_swallows_ends_the_session_and_the_next_one_runs():
    from llrpkit.protocol import messages  # noqa: PLC0415 (a hook of this test alone)

    async with LLRPEmulator(**R420) as emulator:
        emulator.drop_next(messages.ADD_ROSPEC)
        async with watched(emulator.port, request_timeout_s=0.5) as agent:
            await agent.until(lambda: agent.told("did not answer ADD_ROSPEC within 0.5 s"))
            await agent.until_tags(5)
            assert len(agent.said("reader lost")) == 1


async def test_the_emulator_is_free_for_the_next_client_after_the_agent():
    async with LLRPEmulator(**R420) as emulator:
        async with watched(emulator.port) as agent:
            await agent.until_tags(1)
        stream, writer = await asyncio.open_connection("127.0.0.1", emulator.port)
        word, length, _ = struct.unpack(">HII", await asyncio.wait_for(stream.readexactly(10), WAIT_S))
        greeting = await stream.readexactly(length - 10)
        writer.close()
        assert (word & 0x3FF, greeting[-2:]) == (63, attempt()[-2:])


async def test_a_client_of_others_inventories_our_simulated_reader():
    """Llrpkit's reader object: capabilities, mode table, power by value, and every read that was put."""
    async with sim_reader() as reader, Reader("127.0.0.1", reader.port) as client:
        assert (client.model_number, client.max_antennas, client.is_impinj) == (2_001_002, 4, True)
        assert client.impinj_extensions_enabled
        assert client.capabilities.power_index_for_dbm(30.0) == 81
        assert client.capabilities.mode(1002).mode_id == 1002
        found = []
        feeding = asyncio.create_task(_feed(reader))
        try:
            async with asyncio.timeout(WAIT_S):
                async for report in client.inventory(antennas=[1], tx_power_dbm=25.0):
                    found.append(report)
                    if len(found) == 10:
                        break
        finally:
            feeding.cancel()
        assert {report.epc for report in found} == {b"\x30" + (7).to_bytes(11, "big")}
        assert {(report.antenna, report.rssi_dbm) for report in found} == {(1, -55.0)}


async def test_a_client_of_others_switches_our_simulated_outputs():
    async with sim_reader() as reader, Reader("127.0.0.1", reader.port) as client:
        for state in (True, False):
            await client.set_gpo(2, state)
            assert (await client.get_gpio()).gpos[2] is state
            assert reader.device.config.gpo_high == ({2} if state else frozenset())


async def _feed(reader):
    while True:
        reader.put(7)
        await asyncio.sleep(0.01)
