"""The composition root: listeners, a source of reads, the clock and the truth, in one asyncio loop."""

import asyncio
import contextlib
import signal
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from simulator.clock import SimulatedClock
from simulator.control.switchboard import Switchboard
from simulator.faults import FaultPlan
from simulator.scenarios.space import ReaderPart
from simulator.server.device import ReaderDevice
from simulator.server.listener import ReaderListener
from simulator.server.model import ReaderModel
from simulator.server.profiles import model_of
from simulator.truth import Truth, write_atomically
from simulator.world.values import InputChange, Source

TICK_S: Final = 0.01
"""How often reads are drawn and sent."""
READERS_A_TICK: Final = 40
"""So many readers get by with that; with more it is rarer, as a tick costs most by the reader, not by the read."""
LONGEST_TICK_S: Final = 0.05
TRUTH_PERIOD_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Where and how to serve.

    Attributes:
        http_port: port of the HTTP API on the same address, 0 for a free one; None is without.
    """

    listen: str
    base_port: int
    ready_file: Path | None
    exit_when_done: bool
    http_port: int | None = None


def models(readers: Iterable[ReaderPart]) -> dict[str, ReaderModel]:
    """Models of a scenario's readers, by their ids."""
    return {
        reader.id: model_of(reader.model, reader.region, ports=max(antenna.port for antenna in reader.antennas))
        for reader in readers
    }


class Engine:
    """Readers that are served, and the world behind them."""

    def __init__(
        self,
        readers: Mapping[str, ReaderModel],
        source: Source,
        clock: SimulatedClock,
        truth: Truth,
        log: structlog.typing.FilteringBoundLogger,
        *,
        faults: FaultPlan | None = None,
    ) -> None:
        self._source = source
        self._clock = clock
        self._truth = truth
        self._log = log
        self.listeners = {
            name: ReaderListener(name, ReaderDevice(model, identity(index)), clock.now, log)
            for index, (name, model) in enumerate(readers.items())
        }
        self.switchboard = Switchboard(self.listeners, clock, faults or FaultPlan(), log)
        self.ports: dict[str, int] = {}
        self.http_port: int | None = None
        self._tick_s = min(TICK_S * max(1.0, len(readers) / READERS_A_TICK), LONGEST_TICK_S)
        self._stop = asyncio.Event()
        self._told_waiting = False

    async def run(self, service: Service) -> None:
        """Serve until stopped.

        Raises:
            ListenError: a port can't be opened.
        """
        try:
            await self._listen(service)
            async with self._controlled(service):
                self._ready(service)
                await self._loop(exit_when_done=service.exit_when_done)
        finally:
            self._write_truth()
            for listener in self.listeners.values():
                await listener.close()

    def stop(self) -> None:
        """End `run` in an orderly way."""
        self._stop.set()

    def stop_on_signals(self) -> None:
        """SIGTERM and SIGINT end `run`."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)

    def step(self) -> None:
        """Draw and send what happened since the last step."""
        self._begin_when_started()
        now_us = self._clock.scenario_us()
        if now_us is not None:
            self.switchboard.catch_up(now_us)
            if not self._truth.done:
                self._happen(now_us)
        for listener in self.listeners.values():
            listener.tick()
        if now_us is not None and not self._truth.done:
            self._end_when_over(now_us)

    def _happen(self, now_us: int) -> None:
        """Give each reader its reads and inputs in the order of their times, as an input may start or end reading."""
        inputs: defaultdict[str, list[InputChange]] = defaultdict(list)
        for change in self._source.take_inputs(now_us):
            inputs[change.reader].append(change)
        begun_us = self._clock.begun_utc_us or 0
        for name, listener in self.listeners.items():
            with listener.mishap("hearing"):
                for change in inputs.get(name, ()):
                    listener.put(self._source.advance(name, change.at_us, listener.radio()), begun_us)
                    listener.input(change.port, self._clock.moment(change.at_us), high=change.high)
                listener.put(self._source.advance(name, now_us, listener.radio()), begun_us)

    async def _listen(self, service: Service) -> None:
        for index, (name, listener) in enumerate(self.listeners.items()):
            port = service.base_port + index if service.base_port else 0
            self.ports[name] = await listener.start(service.listen, port)
            self._log.info("reader listens", reader=name, host=service.listen, port=self.ports[name])

    @contextlib.asynccontextmanager
    async def _controlled(self, service: Service) -> AsyncIterator[None]:
        """Serve the HTTP API meanwhile, where it is wanted."""
        if service.http_port is None:
            yield
            return
        from simulator.control.http import serving  # noqa: PLC0415 - FastAPI takes its time to load

        async with serving(self.switchboard, self.state, service.listen, service.http_port) as self.http_port:
            self._log.info("http api listens", host=service.listen, port=self.http_port)
            yield

    def _ready(self, service: Service) -> None:
        self._write_truth()
        if service.ready_file is None:
            return
        ready = {"readers": {name: {"host": service.listen, "port": port} for name, port in self.ports.items()}}
        http = {} if self.http_port is None else {"http": {"host": service.listen, "port": self.http_port}}
        write_atomically(service.ready_file, msgspec.json.encode(ready | http))

    def state(self) -> dict[str, Any]:
        """What goes on now, as JSON has it: scenario time, and each reader with its counters."""
        now_us = self._clock.scenario_us()
        return {
            "scenario_time_s": None if now_us is None else now_us / 1e6,
            "done": self._truth.done,
            "readers": {
                name: {"port": self.ports.get(name), **listener.state()} for name, listener in self.listeners.items()
            },
            **self._counts(),
        }

    async def _loop(self, *, exit_when_done: bool) -> None:
        loop = asyncio.get_running_loop()
        next_truth_us = 0
        while not self._stop.is_set() and not (exit_when_done and self._truth.done):
            due_s = loop.time() + self._tick_s
            self.step()
            if self._clock.now().steady_us >= next_truth_us:
                next_truth_us = self._clock.now().steady_us + round(1e6 * TRUTH_PERIOD_S)
                self._write_truth()
            await asyncio.sleep(max(due_s - loop.time(), 0))

    def _begin_when_started(self) -> None:
        """Nothing happens before every reader has been asked to inventory once; say for which the world waits."""
        if self._clock.begun_utc_us is not None:
            return
        waiting = [name for name, one in self.listeners.items() if not one.device.inventory.ever_started]
        if not waiting:
            self._clock.begin()
            self._log.info("scenario begins")
        elif len(waiting) < len(self.listeners) and not self._told_waiting:
            self._told_waiting = True
            self._log.info(f"waiting for {', '.join(waiting)} to be started")

    def _end_when_over(self, now_us: int) -> None:
        self._truth.add(self._source.take_crossings(now_us), self._clock.begun_utc_us or 0)
        ends_us = self._source.ends_us
        if ends_us is not None and now_us >= ends_us:
            for listener in self.listeners.values():
                listener.flush()
            self._truth.done = True
            self._write_truth()
            self._log.info("scenario is over", **self._counts())

    def _counts(self) -> dict[str, int]:
        counters = [listener.device.inventory.counters.shown() for listener in self.listeners.values()]
        return {name: sum(counter[name] for counter in counters) for name in counters[0]}

    def _write_truth(self) -> None:
        self._truth.write(**self._counts(), residents=[epc.hex() for epc in self._source.residents])


def identity(index: int) -> bytes:
    """An EUI-64 of the locally administered kind, one a reader."""
    return bytes([0x02, 0x16, 0x25, 0xFF, 0xFE, 0x00]) + index.to_bytes(2)
