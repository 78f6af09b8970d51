"""Reader, switch and antenna cables are cut under an agent: `health` says so in 10 s, from the last sign of life."""

import asyncio
import contextlib
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge.contracts import Health, decode_health, instant_us, topic
from tests.helpers.brokers import Nats
from tests.helpers.conformance.bench import epc, sim_reader
from tests.helpers.fault_proxy import FaultProxy

LIMIT_S = 10.0
"""The promise: a fault is in `health` within this time."""
PATIENCE_S = 60.0
PROGRAM = Path(sys.executable).with_name("stockgate-edge")
READERS = ("r1", "r2")
KEEPALIVE_MS = {"r1": 1000, "r2": 2000}
"""The default, and what a security portal has: dead after 2.5 s and 5 s."""
DEAD_US = {name: 2500 * keepalive_ms for name, keepalive_ms in KEEPALIVE_MS.items()}
SLACK_US = 500_000
"""Of the reader's clock as the agent knows it, and of what a busy machine is late."""
REFERENCE = {("r1", 1): 11, ("r1", 2): 12, ("r2", 1): 21, ("r2", 2): 22}
"""Reference tags by reader and port."""
CONFIG = """
site = "hq"
gateway = "hq-east-1"
{readers}
[[portals]]
id = "stockroom-a-door"
inside = "stockroom-a"
outside = "corridor"
antennas = [
  {{ reader = "r1", port = 1, side = "inside" }}, {{ reader = "r1", port = 2, side = "outside" }},
]
[[portals]]
id = "stockroom-b-door"
inside = "stockroom-b"
outside = "corridor"
antennas = [
  {{ reader = "r2", port = 1, side = "inside" }}, {{ reader = "r2", port = 2, side = "outside" }},
]
[mqtt]
url = "{url}"
"""
READER = """
[[readers]]
id = "{id}"
host = "127.0.0.1"
port = {port}
keepalive_ms = {keepalive_ms}
connect_timeout_s = 1
backoff_max_s = 0.5
references = [{{ port = 1, epc = "{first}" }}, {{ port = 2, epc = "{second}" }}]
"""


@dataclass
class Central:
    """Hears the heartbeat."""

    port: int
    healths: list[Health] = field(default_factory=list)

    def __enter__(self):  # noqa: ANN204 (itself)
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id="central", clean_session=True)
        self.client.on_connect = lambda client, *_: client.subscribe(topic("hq", "hq-east-1", "health"))
        self.client.on_message = lambda _client, _data, message: self.healths.append(decode_health(message.payload))
        self.client.connect("127.0.0.1", self.port)
        self.client.loop_start()
        return self

    def __exit__(self, *_) -> None:
        self.client.disconnect()
        self.client.loop_stop()
        self.client.on_connect = self.client.on_message = None

    async def until(self, condition, what):
        """Wait for a heartbeat of which `condition` holds; returns it and how long that took."""
        begun_s = time.monotonic()
        while time.monotonic() - begun_s < PATIENCE_S:
            if self.healths and condition(self.healths[-1]):
                return self.healths[-1], time.monotonic() - begun_s
            await asyncio.sleep(0.02)
        raise AssertionError(f"{what} is not in health: {self.healths[-1:]}")


@dataclass
class Site:
    """Two readers behind a proxy each, the agent, and who hears its heartbeat."""

    readers: dict
    proxies: dict
    central: Central
    fed_us: dict

    async def all_well(self):
        return await self.central.until(
            lambda health: (
                {reader.state for reader in health.readers} == {"connected"}
                and {antenna.state for reader in health.readers for antenna in reader.antennas} == {"ok"}
                and {portal.state for portal in health.portals} == {"watching"}
            ),
            "all is well",
        )


def now_us():
    return time.time_ns() // 1000


def by_id(things, wanted):
    return next(thing for thing in things if thing.id == wanted)


def antenna(health, reader, port):
    return next(one for one in by_id(health.readers, reader).antennas if one.port == port)


@contextlib.asynccontextmanager
async def feeding(readers, fed_us):
    """Let every antenna hear its reference tag ten times a second; note when it did last."""

    async def feed():
        while True:
            for (name, port), tag in REFERENCE.items():
                if port not in readers[name].faults.silent_antennas:
                    fed_us[name, port] = now_us()
                readers[name].put(tag, antenna=port)
            await asyncio.sleep(0.1)

    task = asyncio.create_task(feed())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def write_config(path, proxies, url):
    readers = "".join(
        READER.format(
            id=name,
            port=proxies[name].port,
            keepalive_ms=KEEPALIVE_MS[name],
            first=epc(REFERENCE[name, 1]).hex(),
            second=epc(REFERENCE[name, 2]).hex(),
        )
        for name in READERS
    )
    path.write_text(CONFIG.format(readers=readers, url=url))


@contextlib.asynccontextmanager
async def site(folder):
    broker = Nats(folder)
    broker.start()
    process = None
    try:
        async with contextlib.AsyncExitStack() as stack:
            readers = {name: await stack.enter_async_context(sim_reader()) for name in READERS}
            proxies = {name: await stack.enter_async_context(FaultProxy(readers[name].port)) for name in READERS}
            fed_us = {}
            await stack.enter_async_context(feeding(readers, fed_us))
            central = stack.enter_context(Central(broker.port))
            write_config(folder / "edge.toml", proxies, broker.url)
            words = ["run", "--config", folder / "edge.toml", "--data-dir", folder / "data"]
            with (folder / "agent.log").open("wb") as log:
                process = await asyncio.create_subprocess_exec(PROGRAM, *map(str, words), stdout=log, stderr=log)
            try:
                yield Site(readers, proxies, central, fed_us)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(signal.SIGTERM)
                await asyncio.wait_for(process.wait(), PATIENCE_S)
    finally:
        broker.stop()


async def cut(place, names, portals):
    """Cut these readers' cables; the fault and the gap must be in health in time, from the last sign of life."""
    cut_us = now_us()
    for name in names:
        await place.proxies[name].cut_cable()
    heard_us = {name: place.proxies[name].down.forwarded_us for name in names}
    health, took_s = await place.central.until(
        lambda health: (
            all(by_id(health.readers, name).state == "lost" for name in names)
            and all(by_id(health.portals, portal).state == "dark" for portal in portals)
        ),
        f"{names} cut",
    )
    assert took_s < LIMIT_S
    begun = {name: instant_us(by_id(health.readers, name).since) for name in names}
    for name, at_us in begun.items():
        assert heard_us[name] <= at_us <= instant_us(health.at) - DEAD_US[name], "the last that came, and no later"
    gaps = {gap.portal: instant_us(gap.from_) for gap in health.gaps if gap.portal in portals and gap.to is None}
    assert gaps == dict(zip(portals, begun.values(), strict=True))
    for name in names:
        await place.proxies[name].mend_cable()
    health, _ = await place.all_well()
    closed = [gap for gap in health.gaps if gap.portal in portals and instant_us(gap.from_) in gaps.values()]
    assert len(closed) == len(portals)
    assert all(instant_us(gap.to) > cut_us for gap in closed)
    return took_s


@pytest.fixture
def record(record_property):
    """Say what was observed, for who reads the log: run with -s."""

    def say(what, seconds):
        record_property(what, seconds)
        print(f"{what}: {seconds:.2f} s")  # noqa: T201 (a figure for who asks for it)

    return say


async def test_a_cut_is_in_health_within_ten_seconds_and_the_gap_begins_at_the_last_sign_of_life(tmp_path, record):
    """One reader, then both at once as when their switch dies, then an antenna with an event and without."""
    async with site(tmp_path) as place:
        await place.all_well()
        record("reader cut to health", await cut(place, ["r1"], ["stockroom-a-door"]))
        record("switch cut to health", await cut(place, ["r1", "r2"], ["stockroom-a-door", "stockroom-b-door"]))

        reader, cut_us, fed_us = place.readers["r1"], now_us(), place.fed_us["r1", 2]
        reader.send(reader.device.unplug(2, reader.listener.now()))
        health, took_s = await place.central.until(
            lambda health: antenna(health, "r1", 2).state == "fault", "antenna 2 of r1, unplugged with an event"
        )
        record("antenna cut to health, with an event", took_s)
        assert took_s < LIMIT_S
        since_us = instant_us(antenna(health, "r1", 2).since)
        assert fed_us - SLACK_US <= since_us <= cut_us + SLACK_US
        health, _ = await place.central.until(
            lambda health: by_id(health.portals, "stockroom-a-door").state == "partial", "the doorway, partly blind"
        )
        gap = next(gap for gap in health.gaps if gap.portal == "stockroom-a-door" and gap.to is None)
        assert (gap.state, gap.from_) == ("partial", antenna(health, "r1", 2).since)
        reader.send(reader.device.plug(2, reader.listener.now()))

        reader, cut_us = place.readers["r2"], now_us()
        reader.faults.silent_antennas = frozenset({1})
        health, took_s = await place.central.until(
            lambda health: antenna(health, "r2", 1).state == "fault", "antenna 1 of r2, silent without an event"
        )
        record("antenna cut to health, without an event", took_s)
        assert took_s < LIMIT_S
        since_us = instant_us(antenna(health, "r2", 1).since)
        assert place.fed_us["r2", 1] - SLACK_US <= since_us <= cut_us + SLACK_US
        assert antenna(health, "r2", 2).state == "ok", "its neighbour is judged by itself"
        reader.faults.silent_antennas = frozenset()
        await place.all_well()
