"""A count sweep: every tag in the field once, in a session that keeps who has answered quiet."""

import asyncio
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from edge.llrp import TagBatch
from edge.llrp.control import ReaderEvent
from edge.readers.errors import ReaderRefusedError
from edge.readers.inventory import Inventory
from edge.readers.rospec import sweep_rospec, timed_sweep_rospec


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What a sweep found, and the span in which the doorway was not watched."""

    epcs: frozenset[bytes]
    begin_us: int
    end_us: int


class Sweep:
    """One sweep; `take` gets what comes meanwhile."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log
        self._over = asyncio.Event()
        self._heard = asyncio.Event()
        self._epcs: set[bytes] = set()

    @property
    def epcs(self) -> frozenset[bytes]:
        """Tags found so far."""
        return frozenset(self._epcs)

    async def run(self, inventory: Inventory, *, timeout_ms: int, silence_ms: int) -> None:
        """Sweep until no tag has been new for a while, time is over, or `end`."""
        try:
            await inventory.run_once(sweep_rospec(inventory.radio, timeout_ms=timeout_ms, silence_ms=silence_ms))
        except ReaderRefusedError as error:
            self._log.info("sweeps by time alone", refused=str(error))
            await inventory.start_once(timed_sweep_rospec(inventory.radio, timeout_ms=timeout_ms))
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                while not self._over.is_set():
                    self._heard.clear()
                    async with asyncio.timeout(silence_ms / 1000):
                        await self._heard.wait()
        except TimeoutError:
            return

    def end(self) -> None:
        """End it at once."""
        self._over.set()
        self._heard.set()

    def take(self, batch: TagBatch, events: list[ReaderEvent]) -> None:
        """Note new tags; an input that calls ends the sweep, for somebody comes."""
        raw, width = batch.epc.tobytes(), batch.epc.shape[1]
        before = len(self._epcs)
        for row, bits in enumerate(batch.epc_bits.tolist()):
            self._epcs.add(raw[row * width : row * width + (bits + 7) // 8])
        if len(self._epcs) > before:
            self._heard.set()
        if any(event.gpi is not None for event in events):
            self.end()
