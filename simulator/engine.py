"""The composition root: listeners, a source of reads, the clock and the truth, in one asyncio loop."""

import asyncio
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import structlog

from simulator.clock import SimulatedClock
from simulator.faults import FaultPlan
from simulator.server.device import ReaderDevice
from simulator.server.listener import ReaderListener
from simulator.server.model import ETSI_KHZ, FCC_KHZ, ReaderModel
from simulator.server.reports import Report
from simulator.truth import Truth, write_atomically
from simulator.world.values import Reads, Source

TICK_S: Final = 0.01
"""How often reads are drawn and sent."""
TRUTH_PERIOD_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Where and how to serve."""

    listen: str
    base_port: int
    ready_file: Path | None
    exit_when_done: bool


def models(regions: Mapping[str, str]) -> dict[str, ReaderModel]:
    """Reader models by the region of each reader."""
    return {
        name: ReaderModel(
            frequencies_khz=FCC_KHZ if region == "fcc" else ETSI_KHZ,
            hopping=region == "fcc",
        )
        for name, region in regions.items()
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
        self._faults = faults or FaultPlan()
        self._clock = clock
        self._truth = truth
        self._log = log
        self.listeners = {
            name: ReaderListener(name, ReaderDevice(model, identity(index)), clock.now, log)
            for index, (name, model) in enumerate(readers.items())
        }
        self.ports: dict[str, int] = {}
        self._stop = asyncio.Event()
        self._told_waiting = False

    async def run(self, service: Service) -> None:
        """Serve until stopped.

        Raises:
            ListenError: a port can't be opened.
        """
        try:
            await self._listen(service)
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
            self._misbehave(now_us)
        for name, listener in self.listeners.items():
            if now_us is not None and not self._truth.done:
                listener.put(self._reports(self._source.advance(name, now_us, listener.device.radio())))
            listener.tick()
        if now_us is not None and not self._truth.done:
            self._end_when_over(now_us)

    def _misbehave(self, now_us: int) -> None:
        """Set the switches whose time has come."""
        for change in self._faults.due(now_us):
            setattr(self.listeners[change.reader].device.faults, change.switch, change.value)
            self._log.info("fault", reader=change.reader, switch=change.switch, value=change.value)

    async def _listen(self, service: Service) -> None:
        for index, (name, listener) in enumerate(self.listeners.items()):
            port = service.base_port + index if service.base_port else 0
            self.ports[name] = await listener.start(service.listen, port)
            self._log.info("reader listens", reader=name, host=service.listen, port=self.ports[name])
        self._write_truth()
        if service.ready_file is not None:
            ready = {"readers": {name: {"host": service.listen, "port": port} for name, port in self.ports.items()}}
            write_atomically(service.ready_file, msgspec.json.encode(ready))

    async def _loop(self, *, exit_when_done: bool) -> None:
        next_truth_us = 0
        while not self._stop.is_set() and not (exit_when_done and self._truth.done):
            self.step()
            if self._clock.now().steady_us >= next_truth_us:
                next_truth_us = self._clock.now().steady_us + round(1e6 * TRUTH_PERIOD_S)
                self._write_truth()
            await asyncio.sleep(TICK_S)

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

    def _reports(self, reads: Reads) -> list[Report]:
        begun_us = self._clock.begun_utc_us or 0
        return [
            Report(
                epc=reads.epc_of(index),
                antenna=int(reads.antenna[index]),
                rssi_cdbm=int(reads.rssi_cdbm[index]),
                phase=int(reads.phase[index]),
                channel=int(reads.channel[index]),
                first_us=begun_us + int(reads.at_us[index]),
                last_us=begun_us + int(reads.last_us[index]),
                seen_count=int(reads.seen[index]),
            )
            for index in range(len(reads))
        ]

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
        counters = [listener.device.inventory.counters for listener in self.listeners.values()]
        return {
            "reads": sum(counter.tag_reads for counter in counters),
            "reports": sum(counter.reports for counter in counters),
            "unheard_reads": sum(counter.unheard_reads for counter in counters),
            "overflowed_reads": sum(counter.overflowed_reads for counter in counters),
        }

    def _write_truth(self) -> None:
        self._truth.write(**self._counts(), residents=[epc.hex() for epc in self._source.residents])


def identity(index: int) -> bytes:
    """An EUI-64 of the locally administered kind, one a reader."""
    return bytes([0x02, 0x16, 0x25, 0xFF, 0xFE, 0x00, 0x00, index])
