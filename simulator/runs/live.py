"""A scenario played live: simulated readers, real agents as processes, and a broker that somebody else runs."""

import asyncio
import contextlib
import json
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from simulator.clock import SimulatedClock
from simulator.engine import Engine, Service
from simulator.runs.agents import Agent, stop_all
from simulator.runs.broker import Address, Arrived, Events, address_of, line_of
from simulator.runs.errors import RunError
from simulator.runs.places import READERS_A_GATEWAY, Place, edge_config, gateways_in_use, readers_of
from simulator.runs.recording import keep_apart
from simulator.runs.sources import Cast
from simulator.runs.warm import warm_up
from simulator.truth import Truth

HOST: Final = "127.0.0.1"
UP_S: Final = 120.0
"""An agent starts in seconds; its first start ever compiles for a minute on a slow machine."""
QUIET_S: Final = 8.0
"""A passage is decided when its tag was silent for 2 s or at rest for 5 s; some more, and no event comes any more."""
SETTLE_S: Final = 60.0
ARRIVE_S: Final = 2.0
"""What an agent sent last as it ended is here by then."""
_LOOK_S: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOrder:
    """What is wanted.

    Attributes:
        mqtt: the broker's URL.
        speed: times real time; arrivals are noted at 1 only, since the agents' clock is the host's.
        confirm: confirm events as a central does.
        events: file for the rows that the agents publish, as JSON lines.
        truth: file for what truly happened.
        http_port: port for faults and inputs over HTTP, 0 for a free one; None is without.
    """

    mqtt: str
    speed: float = 1.0
    confirm: bool = False
    events: Path | None = None
    truth: Path | None = None
    http_port: int | None = None


def play(cast: Cast, order: LiveOrder, log: structlog.typing.FilteringBoundLogger) -> None:
    """Play a scenario to its end; nothing of it is left behind but the files asked for.

    Raises:
        RunError: the broker isn't there or didn't get all rows, an agent ended, a file can't be written, or SIGTERM or
            SIGINT came before the end.
        TruthError: the truth's file can't be written.
    """
    keep_apart([("--events", order.events), ("--truth", order.truth)])
    _check(cast)
    warm_up()
    asyncio.run(_Live(cast, order, log).run())


class _Live:
    """One live run."""

    def __init__(self, cast: Cast, order: LiveOrder, log: structlog.typing.FilteringBoundLogger) -> None:
        self._cast, self._order, self._log = cast, order, log
        self._address = address_of(order.mqtt)
        self._stop = asyncio.Event()
        self._agents: list[Agent] = []
        self._lost = False
        self._unsent = 0
        self._last_event_s = 0.0
        self._truth = Truth(cast.scenario.name, cast.seed, order.truth, place=cast.scenario)
        self._clock = SimulatedClock(order.speed)
        self._engine = Engine(
            cast.models, cast.source, self._clock, self._truth, log, faults=cast.scenario.fault_plan()
        )

    async def run(self) -> None:
        self._truth.check()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)
        gateways = [(gateway.site, gateway.id) for gateway in gateways_in_use(self._cast.scenario)]
        with _lines(self._order.events) as write:
            events = Events(
                gateways,
                now_us=lambda: time.time_ns() // 1000,
                confirm=self._order.confirm,
                take=lambda arrived: self._take(arrived, write),
                turned=self._turned,
            )
            async with _connected(events, self._address), self._served(), self._run_agents(events):
                await self._until(lambda: self._clock.begun_utc_us is not None, UP_S, "its readers were not started")
                await self._until(lambda: self._truth.done)
                await self._settle(events)
        self._end(events)

    def _end(self, events: Events) -> None:
        """Say how it went; raise `RunError` where it isn't whole."""
        if (left_out := self._cast.left_out()) is not None:
            self._log.warning(left_out)
        stopped = self._stop.is_set() or not self._truth.done
        whole = not (stopped or self._unsent or self._lost)
        self._log.info("run is over", rows=events.rows, unsent=self._unsent, unreadable=events.unreadable, whole=whole)
        problems = ["it was stopped before its end"] if stopped else []
        if self._lost:
            problems.append(f"broker lost: {self._address.url} was not back by the end")
        if self._unsent:
            problems.append(f"{self._unsent} rows of the agents never arrived")
        if problems:
            raise RunError("not played to its end: " + "; ".join(problems))

    def _turned(self, connected: bool) -> None:  # noqa: FBT001 - the broker's own word
        self._lost = not connected
        self._last_event_s = time.monotonic()
        if connected:
            self._log.info("broker is back", broker=self._address.url)
        else:
            self._log.warning("broker lost: the agents keep their rows until it is back", broker=self._address.url)

    def _missing(self, events: Events) -> int:
        """Rows that the agents wrote and that have not come."""
        written = [(agent.gateway, agent.written()) for agent in self._agents]
        return sum(max(one.rows - events.came(name, one.epoch), 0) for name, one in written if one is not None)

    def _take(self, arrived: Arrived, write: Callable[[bytes], object]) -> None:
        self._last_event_s = time.monotonic()
        write(line_of(arrived, with_arrival=self._order.speed == 1))

    @contextlib.asynccontextmanager
    async def _served(self) -> AsyncIterator[None]:
        """Serve the readers on free ports; at the end the truth is written whatever happened."""
        service = Service(
            listen=HOST, base_port=0, ready_file=None, exit_when_done=False, http_port=self._order.http_port
        )
        task = asyncio.create_task(self._engine.run(service))
        try:
            while len(self._engine.ports) < len(self._cast.scenario.readers):
                if task.done():
                    await task
                await asyncio.sleep(_LOOK_S)
            yield
        finally:
            self._engine.stop()
            await task

    @contextlib.asynccontextmanager
    async def _run_agents(self, events: Events) -> AsyncIterator[None]:
        """Run one agent a gateway, in a private folder that goes with them."""
        folder = Path(tempfile.mkdtemp(prefix="stockgate-sim-"))
        try:
            for gateway in gateways_in_use(self._cast.scenario):
                places = {name: Place(HOST, port) for name, port in self._engine.ports.items()}
                config = edge_config(self._cast.scenario, gateway, places, self._address.url)
                self._agents.append(
                    Agent(gateway.id, folder / gateway.id, config + _credentials(folder, self._address))
                )
                await self._agents[-1].start()
                self._log.info("agent starts", gateway=gateway.id)
            yield
        finally:
            if forced := await stop_all(self._agents):
                self._log.warning("agents that did not end in order", gateways=forced)
            await self._count_missing(events)
            shutil.rmtree(folder, ignore_errors=True)

    async def _until(self, condition: Callable[[], bool], patience_s: float | None = None, what: str = "") -> None:
        """Wait for a condition or the order to stop; an agent that ends meanwhile ends the run."""
        begun_s = time.monotonic()
        while not condition() and not self._stop.is_set():
            for agent in self._agents:
                agent.check()
            if patience_s is not None and time.monotonic() - begun_s > patience_s:
                said = "; ".join(f"{agent.gateway}: {agent.end}" for agent in self._agents)
                raise RunError(f"{what} within {patience_s:.0f} s; the agents' last words: {said}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), _LOOK_S)

    async def _count_missing(self, events: Events) -> None:
        """Count what the agents, which have ended, wrote and what never came; give the last of it its moment."""
        for _ in range(round(ARRIVE_S / _LOOK_S)):
            self._unsent = self._missing(events)
            if self._lost or not self._unsent:
                return
            await asyncio.sleep(_LOOK_S)

    async def _settle(self, events: Events) -> None:
        """Wait until the last passages were decided: until nothing has come for a while, or is still to come."""
        begun_s = self._last_event_s = time.monotonic()

        def settled() -> bool:
            now_s = time.monotonic()
            quiet = now_s - self._last_event_s > QUIET_S and (self._lost or not self._missing(events))
            return quiet or now_s - begun_s > SETTLE_S

        await self._until(settled)


def _check(cast: Cast) -> None:
    if cast.source.ends_us is None:
        raise RunError(f"scenario {cast.scenario.name} has no end: say how long with --seconds")
    for gateway in gateways_in_use(cast.scenario):
        if (count := len(readers_of(cast.scenario, gateway))) > READERS_A_GATEWAY:
            raise RunError(
                f"gateway {gateway.id} drives {count} readers, and an agent drives {READERS_A_GATEWAY} at most: give "
                "some of them another gateway in the scenario"
            )


@contextlib.asynccontextmanager
async def _connected(events: Events, address: Address) -> AsyncIterator[None]:
    try:
        await events.connect(address)
        yield
    finally:
        await events.close()


@contextlib.contextmanager
def _lines(path: Path | None) -> Iterator[Callable[[bytes], object]]:
    """Open the file of events, where one is wanted. Each line is written at once, for who follows it."""
    if path is None:
        yield lambda _line: None
        return
    try:
        with path.open("wb", buffering=0) as file:
            yield file.write
    except OSError as error:
        raise RunError(f"--events {path}: can't be written: {error.strerror or error}") from error


def _credentials(folder: Path, address: Address) -> str:
    """Return the broker's credentials for `edge.toml`, as TOML. The password goes into a file that only we can read."""
    if address.username is None:
        return ""
    lines = [f"username = {json.dumps(address.username)}"]
    if address.password is not None:
        file = folder / "password"
        file.touch(mode=0o600)
        file.write_text(address.password + "\n", "utf-8")
        lines.append(f"password_file = {json.dumps(str(file))}")
    return "\n".join([*lines, ""])
