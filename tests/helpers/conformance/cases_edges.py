"""Items 14 and 15: TLS, readers that dial, inputs and outputs."""

import asyncio
import contextlib
import tempfile
from dataclasses import replace
from pathlib import Path

from edge.contracts.times import instant_us
from edge.readers import GpiSettings, Listener, OutputSettings, ReaderSettings, TlsSettings
from simulator.server.model import zebra_fx9600
from tests.helpers.conformance.bench import bench, epc, quiet_log, sim_reader, watched
from tests.helpers.conformance.case import case
from tests.helpers.conformance.certificates import Certificate

S = 1_000_000
HERE = "127.0.0.1:0"


@contextlib.asynccontextmanager
async def certificates(*names):
    """Make self-signed certificates, in a thread: the loop has readers to serve."""
    with tempfile.TemporaryDirectory() as folder:
        yield [await asyncio.to_thread(Certificate, Path(folder), name) for name in names]


@case(
    "14.1",
    "LLRP over TLS shows a self-signed certificate.",
    "a reader with one, whose fingerprint is pinned",
    program="openssl",
)
async def tls_pinned(seen):
    async with certificates("reader") as [mine]:
        knobs = {"tls": TlsSettings(fingerprint=mine.fingerprint)}
        async with bench(tls=mine.server(), knobs=knobs) as (reader, agent):
            await agent.connected()
            reader.put(1)
            await agent.until_tags(1)
            seen.that(agent.tags() == [epc(1)], "trusts it by its fingerprint, and reads")
            seen.that(agent.health.problem == "", "and has nothing to complain of")


@case(
    "14.2",
    "Somebody stands between, or the reader was replaced: the certificate is another one.",
    "a reader with another certificate than the pinned one",
    program="openssl",
)
async def tls_another(seen):
    async with certificates("reader", "other") as [mine, other]:
        knobs = {"tls": TlsSettings(fingerprint=mine.fingerprint)}
        async with bench(tls=other.server(), knobs=knobs) as (reader, agent):
            await agent.until_state("lost")
            problem = agent.health.problem
            await asyncio.sleep(0.3)
            untouched = reader.device.config.version == 1 and not reader.device.extensions
            seen.that(untouched and not reader.device.inventory.rospecs, "asks it for nothing, however often it tries")
            seen.that(other.fingerprint in problem and mine.fingerprint in problem, "shows both fingerprints")


@case(
    "14.3",
    "Nothing vouches for a self-signed certificate yet.",
    "TLS without fingerprint and CA",
    program="openssl",
)
async def tls_unpinned(seen):
    async with (
        certificates("reader") as [mine],
        bench(tls=mine.server(), knobs={"tls": TlsSettings()}) as (_, agent),
    ):
        await agent.until_state("lost")
        wanted = f'tls = {{ fingerprint = "{mine.fingerprint}" }}'
        seen.that(wanted in agent.health.problem, "refuses it and says what to compare and what to write")


@case(
    "14.4",
    "Old Octane firmware knows TLS 1.0 and old cipher suites only.",
    "a reader that speaks nothing newer, first without `legacy`, then with it",
    program="openssl",
)
async def tls_old(seen):
    async with certificates("reader") as [mine], sim_reader(tls=mine.old_server()) as reader:
        async with watched(reader.port, tls=TlsSettings(fingerprint=mine.fingerprint)) as agent:
            await agent.until_state("lost")
            seen.that("legacy = true" in agent.health.problem, "refuses that by default and names the option")
        async with watched(reader.port, tls=TlsSettings(fingerprint=mine.fingerprint, legacy=True)) as agent:
            await agent.connected()
            seen.that(agent.health.problem == "", "takes it where the configuration says so")


@case(
    "14.5",
    "The reader may dial its client (reader-initiated connection).",
    "the reader dials, is cut off, and dials again",
)
async def reader_dials(seen):
    settings = ReaderSettings(id="r1", host="127.0.0.1", listen=HERE, antennas=(1, 2))
    async with sim_reader() as reader, Listener((settings,), log=quiet_log()) as door:
        dialler = door.dialler(settings)
        async with watched(None, dialler=dialler, listen=HERE) as agent:
            calling = asyncio.create_task(reader.listener.dial("127.0.0.1", door.port(HERE)))
            took_s = await agent.connected()
            reader.put(1)
            await agent.until_tags(1)
            seen.that(agent.tags() == [epc(1)], "waits for its call, greets it as any other, and reads")
            seen.took("call to connected", took_s)
            await reader.listener.reboot(0.1)
            await asyncio.gather(calling, return_exceptions=True)
            calling = asyncio.create_task(reader.listener.dial("127.0.0.1", door.port(HERE)))
            await agent.until(lambda: agent.health.reconnects == 1)
            seen.that(agent.health.state == "connected", "takes the next call after a loss")
        await asyncio.gather(calling, return_exceptions=True)


@case(
    "14.6",
    "Anybody may dial a port that listens.",
    "a stranger calls from another address of this machine, then the reader calls",
)
async def stranger_dials(seen):
    settings = ReaderSettings(id="r1", host="127.0.0.1", listen=HERE, antennas=(1, 2))
    async with sim_reader() as reader, Listener((settings,), log=quiet_log()) as door:
        async with watched(None, dialler=door.dialler(settings), listen=HERE) as agent:
            local = ("127.0.0.2", 0)
            stream, writer = await asyncio.open_connection("127.0.0.1", door.port(HERE), local_addr=local)
            with contextlib.suppress(ConnectionError):
                assert await asyncio.wait_for(stream.read(), 10) == b""
            writer.close()
            seen.that(door.strangers == 1, "turns the stranger away without a word, and counts it")
            calling = asyncio.create_task(reader.listener.dial("127.0.0.1", door.port(HERE)))
            await agent.connected()
            seen.that(agent.health.reads == 0, "takes the reader's own call")
        await asyncio.gather(calling, return_exceptions=True)


@case(
    "15.1",
    "Contacts bounce.",
    "a Zebra's input 1 rattles five times in 100 ms before it stays high",
)
async def bounce(seen):
    gpis = (GpiSettings(port=1, kind="door", debounce_ms=150),)
    async with bench(zebra_fx9600(), knobs={"gpis": gpis}) as (reader, agent):
        await agent.connected()
        await agent.until(lambda: agent.sensors, "the level at the beginning")
        before, now, told = agent.supervisor.counters.bounces, reader.listener.now(), []
        for ago_us, high in zip(range(100_000, 0, -20_000), (True, False, True, False, True), strict=True):
            at_us = now.utc_us - ago_us
            told += reader.device.gpi(1, replace(now, utc_us=at_us), high=high)
        reader.send(told)
        await agent.until(lambda: any(row.state for row in agent.sensors))
        await asyncio.sleep(0.3)
        changes = [row for row in agent.sensors if row.state]
        seen.that(len(changes) == 1 and agent.sensors[-1].state, "makes one sensor row of it")
        seen.that(abs(instant_us(changes[0].at) - at_us) < S / 4, "dated when it began to last")
        seen.that(agent.supervisor.counters.bounces - before == 2, "and counts what did not last")


@case(
    "15.2",
    "An Impinj reader can debounce by itself.",
    "an R420; the simulated inputs then tell only what lasts",
)
async def reader_debounces(seen):
    gpis = (GpiSettings(port=1, kind="beam", debounce_ms=100),)
    async with bench(knobs={"gpis": gpis}) as (reader, agent):
        await agent.connected()
        seen.that(reader.device.config.debounce_ms == {1: 100}, "sets the reader's own debounce")
        for high in (True, False, True):
            reader.gpi(1, high=high)
            await asyncio.sleep(0.03)
        await agent.until(lambda: any(row.state for row in agent.sensors))
        seen.that(len([row for row in agent.sensors if row.state]) == 1, "and tells one change")


@case(
    "15.3",
    "Two light beams give the direction by their order.",
    "beam 1, then beam 2, 200 ms later",
)
async def beams(seen):
    gpis = (GpiSettings(port=1, kind="beam"), GpiSettings(port=2, kind="beam"))
    async with bench(knobs={"gpis": gpis}) as (reader, agent):
        await agent.connected()
        for port in (1, 2):
            reader.gpi(port, high=True)
            await asyncio.sleep(0.2)
        await agent.until(lambda: sum(row.state for row in agent.sensors) == 2)
        broken = [row for row in agent.sensors if row.state]
        seen.that([row.gpi for row in broken] == [1, 2], "keeps their order")
        gap_us = instant_us(broken[1].at) - instant_us(broken[0].at)
        seen.that(100_000 < gap_us < 2_000_000, "and the time between them")


@case(
    "15.4",
    "Outputs keep their state when a client dies: a siren goes on.",
    "the client before us left outputs 1 and 2 high; 2 is wired so that low is on",
)
async def outputs_left_on(seen):
    outputs = (OutputSettings(output=1, inverted=False), OutputSettings(output=2, inverted=True))
    async with sim_reader() as reader:
        write(reader, {1: True, 2: True})
        async with watched(reader.port, outputs=outputs) as agent:
            await agent.connected()
            seen.that(reader.device.config.gpo_high == {2}, "switches all that is wired off, by each one's polarity")
            seen.that([output.on for output in agent.health.outputs] == [False, False], "and says so in health")


@case(
    "15.5",
    "A dead agent must not leave a siren on: Impinj ends a pulse by itself.",
    "an output is pulsed for 0.6 s, and the cable is cut at once",
)
async def pulse_ends_itself(seen):
    outputs = (OutputSettings(output=1, inverted=False),)
    async with bench(proxied=True, knobs={"outputs": outputs}) as (reader, proxy, agent):
        await agent.connected()
        seen.that(agent.supervisor.outputs.ends_itself, "says that the device ends its pulses")
        await agent.supervisor.outputs.pulse(1, 600)
        seen.that(reader.device.config.gpo_high == {1}, "uses the reader's pulse mode")
        await proxy.cut_cable()
        took_s = await agent.until(lambda: not reader.device.config.gpo_high, "the end of the pulse")
        seen.that(took_s < 1.0, "needs not be there for the end")
        seen.took("cut to off", took_s)
        await proxy.mend_cable()


@case(
    "15.6",
    "Other readers have no pulse mode.",
    "an output of a Zebra is pulsed for 0.3 s; the next pulse is still on when the agent is stopped",
)
async def pulse_ended_by_us(seen):
    outputs = (OutputSettings(output=1, inverted=False),)
    async with sim_reader(zebra_fx9600()) as reader:
        async with watched(reader.port, outputs=outputs) as agent:
            await agent.connected()
            port = agent.supervisor.outputs
            seen.that(not port.ends_itself, "says that it must end pulses itself")
            await port.pulse(1, 300)
            assert reader.device.config.gpo_high == {1}
            await agent.until(lambda: not reader.device.config.gpo_high, "the end of the pulse")
            seen.that(not reader.device.config.gpo_high, "ends the pulse in time")
            await port.pulse(1, 60_000)
        await agent.until(lambda: not reader.device.connected)
        seen.that(not reader.device.config.gpo_high, "and ends one that is still on when it is stopped")


@case(
    "15.7",
    "Speedway outputs are active low.",
    "output 1 of an R420, its polarity left to the profile",
)
async def active_low(seen):
    async with bench(knobs={"outputs": (OutputSettings(output=1),)}) as (reader, agent):
        await agent.connected()
        seen.that(reader.device.config.gpo_high == {1}, "is off while the output is high")
        await agent.supervisor.outputs.switch(1, True)  # noqa: FBT003 (as a light switch)
        seen.that(reader.device.config.gpo_high == frozenset(), "and on while it is low")


def write(reader, levels):
    """Leave outputs as a client before us had them."""
    config = reader.device.config
    reader.device.config = replace(config, gpo_high=frozenset(port for port, high in levels.items() if high))
