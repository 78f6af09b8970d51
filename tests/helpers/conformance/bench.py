"""The test bench of one case: a simulated reader, the proxy before it, and our supervisor, in one event loop."""

import asyncio
import contextlib
import random
import ssl
import time
from dataclasses import dataclass, field

import structlog
from structlog.testing import LogCapture

from edge.readers import ReaderSettings, ReaderSupervisor
from simulator.faults import Faults
from simulator.server.device import ReaderDevice
from simulator.server.listener import ReaderListener
from simulator.server.model import ReaderModel
from simulator.server.now import Now
from simulator.server.reports import Report, ReportEncoder, report_message
from simulator.world.values import Read as Heard
from simulator.world.values import columns
from tests.helpers.conformance.tag_flags import TagFlags
from tests.helpers.fault_proxy import FaultProxy

WAIT_S = 30.0
"""Longest wait for what must happen: generous, since a busy machine must not fail a case."""
TICK_S = 0.02
KEEPALIVE_MS = 800
"""Period where a case doesn't care: dead after 2 s, so that cases are short and a busy machine fails few."""
DEAD_S = 2.5 * KEEPALIVE_MS / 1000


def true_now():
    """The true time, as the simulated readers' clocks are set before a fault touches them."""
    return Now(time.time_ns() // 1000, time.monotonic_ns() // 1000)


def quiet_log():
    """A logger for the simulator's side that says nothing."""
    return structlog.wrap_logger(structlog.PrintLogger(), processors=[LogCapture()])


def epc(number):
    """The EPC of a test tag."""
    return b"\x30" + number.to_bytes(11, "big")


@dataclass
class SimReader:
    """One simulated reader that listens, with its switches; a task lets its time pass."""

    listener: ReaderListener
    port: int
    flags: TagFlags = field(default_factory=TagFlags)

    @property
    def device(self):
        return self.listener.device

    @property
    def faults(self):
        return self.listener.device.faults

    def put(self, *tags, antenna=1, at_us=None, seen_count=1):
        """Let the antenna hear these tags now, or have heard them at a time."""
        at_us = true_now().utc_us if at_us is None else at_us
        epcs = [epc(tag) for tag in tags if self._answers(epc(tag), antenna)]
        self.listener.put(columns([Heard(at_us, antenna, one, -5500, 9, 1, seen_count) for one in epcs]), 0)

    def _answers(self, one, antenna):
        """Whether a tag that has power answers: the filters let it, and it doesn't keep quiet in its session."""
        radio = self.listener.radio()
        command = radio.commands.get(antenna) if radio else None
        if command is None:
            return True
        return command.selects(one) and self.flags.answers(one, command, true_now().steady_us)

    def put_one_message(self, count):
        """Report so many reads of one tag in a single message, encoded once: the loop that both share must not stop."""
        inventory = self.device.inventory
        at_us = true_now().utc_us
        one = ReportEncoder(self.faults).encode(
            Report(epc(1), 1, -5500, 9, 1, at_us, at_us), inventory.active.report.content, inventory.active.id
        )
        self.listener.tell([report_message(1, [one] * count)])

    def tell(self, make, *args, **kwargs):
        """Send an event that `make` (of `simulator.server.events`) builds at the reader's time."""
        self.listener.tell([make(*args, self.listener.now(), **kwargs)])

    def gpi(self, port, *, high):
        """Put a level on an input."""
        self.send(self.device.gpi(port, self.listener.now(), high=high))

    def send(self, messages):
        self.listener.tell(messages)

    async def _tick(self):
        while True:
            self.listener.tick()
            await asyncio.sleep(TICK_S)


@contextlib.asynccontextmanager
async def sim_reader(model=None, *, tls: ssl.SSLContext | None = None, **faults):
    """Serve a simulated reader on a free loopback port."""
    device = ReaderDevice(model or ReaderModel(), b"\x02" * 8, Faults(**faults))
    listener = ReaderListener("r1", device, true_now, quiet_log())
    reader = SimReader(listener, await listener.start("127.0.0.1", 0, tls=tls))
    ticking = asyncio.create_task(reader._tick())
    try:
        yield reader
    finally:
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)
        await asyncio.sleep(0.01)  # Python 3.11 leaks a connection whose server closes while it is being accepted
        await listener.close()


@dataclass
class Watched:
    """Our side: a supervisor, all that it handed on, and all that it logged."""

    supervisor: ReaderSupervisor
    chunks: list = field(default_factory=list)
    logs: list = field(default_factory=list)

    @property
    def health(self):
        return self.supervisor.health()

    @property
    def rows(self):
        return [row for chunk in self.chunks for row in chunk.rows]

    @property
    def losses(self):
        return [row for row in self.rows if hasattr(row, "reason")]

    @property
    def sensors(self):
        return [row for row in self.rows if hasattr(row, "gpi")]

    @property
    def reads(self):
        """Every tag report: EPC, antenna, first and last times, seen count, RSSI, channel, phase."""
        found = []
        for chunk in self.chunks:
            batch = chunk.batch
            found += [
                Read(
                    bytes(batch.epc[row, :12]),
                    int(batch.antenna[row]),
                    int(batch.last_us[row]),
                    int(batch.last_uptime_us[row]),
                    int(batch.seen_count[row]),
                    int(batch.rssi_cdbm[row]),
                    int(batch.channel[row]),
                    chunk,
                )
                for row in range(len(batch))
            ]
        return found

    def tags(self):
        """EPCs in the order of their arrival."""
        return [read.epc for read in self.reads]

    def said(self, event):
        return [entry for entry in self.logs if entry["event"] == event]

    def told(self, words):
        """Log lines whose event or problem holds these words."""
        return [entry for entry in self.logs if words in entry["event"] or words in str(entry.get("problem", ""))]

    async def until(self, condition, what="what was waited for"):
        """Wait until `condition()` holds; returns how long it took."""
        begun_s = time.monotonic()
        try:
            async with asyncio.timeout(WAIT_S):
                while not condition():  # noqa: ASYNC110 (conditions of many kinds, none of which can notify)
                    await asyncio.sleep(0.005)
        except TimeoutError:
            raise AssertionError(f"{what} did not come; health {self.health}, log {self.logs}") from None
        return time.monotonic() - begun_s

    async def until_state(self, state):
        return await self.until(lambda: self.health.state == state, f"state {state}")

    async def connected(self):
        return await self.until_state("connected")

    async def until_tags(self, count):
        return await self.until(lambda: len(self.reads) >= count, f"{count} reads")


@dataclass(frozen=True)
class Read:
    """One tag report as our side understood it."""

    epc: bytes
    antenna: int
    last_us: int
    last_uptime_us: int
    seen_count: int
    rssi_cdbm: int
    channel: int
    chunk: object


@contextlib.asynccontextmanager
async def watched(port, *, dialler=None, **knobs):
    """Run a supervisor against a port, or on what `dialler` brings; it is cancelled and awaited at the end."""
    knobs = {
        "antennas": (1, 2),
        "keepalive_ms": KEEPALIVE_MS,
        "connect_timeout_s": 5.0,
        "request_timeout_s": 5.0,
        "backoff_base_s": 0.05,
        "backoff_max_s": 0.3,
    } | knobs
    settings = ReaderSettings(id="r1", host="127.0.0.1", port=port, **knobs)
    chunks, capture = [], LogCapture()

    async def keep(chunk):
        chunks.append(chunk)

    supervisor = ReaderSupervisor(
        settings,
        sink=keep,
        dialler=dialler,
        now_us=lambda: time.time_ns() // 1000,
        rng=random.Random(1),
        log=structlog.wrap_logger(structlog.PrintLogger(), processors=[capture]),
    )
    agent = Watched(supervisor, chunks, capture.entries)
    task = asyncio.create_task(supervisor.run())
    try:
        yield agent
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.asynccontextmanager
async def bench(model=None, *, proxied=False, tls=None, knobs=None, **faults):
    """A reader and our side on it: yields (reader, agent), or (reader, proxy, agent) with the proxy between."""
    async with sim_reader(model, tls=tls, **faults) as reader:
        if not proxied:
            async with watched(reader.port, **(knobs or {})) as agent:
                yield reader, agent
            return
        async with FaultProxy(reader.port) as proxy, watched(proxy.port, **(knobs or {})) as agent:
            yield reader, proxy, agent
