"""A count sweep: every tag in the field once, in a session that keeps who has answered quiet."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from structlog.typing import FilteringBoundLogger

from edge.llrp import TagBatch
from edge.llrp.control import ReaderEvent
from edge.readers.errors import ReaderRefusedError
from edge.readers.inventory import Inventory
from edge.readers.model import Session, SweepWish
from edge.readers.rospec import sweep_rospec, timed_sweep_rospec
from edge.readers.within import within

SweepEnd = Literal["silence", "time", "yielded"]
"""No tag was new for a while; time was over before that; or somebody came."""


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What a sweep found, the span in which the doorway was not watched, and what ended it."""

    epcs: frozenset[bytes]
    begin_us: int
    end_us: int
    ended: SweepEnd = "silence"


class Sweep:
    """One sweep; `take` gets what comes meanwhile.

    Args:
        wish: what it is to do.
        known: whether the reader has heard a tag of late.
        log: logger with the reader's id bound.
    """

    def __init__(self, wish: SweepWish, *, known: Callable[[bytes], bool], log: FilteringBoundLogger) -> None:
        self._wish, self._known, self._log = wish, known, log
        self._over = asyncio.Event()
        self._heard = asyncio.Event()
        self._epcs: set[bytes] = set()

    @property
    def epcs(self) -> frozenset[bytes]:
        """Tags found so far."""
        return frozenset(self._epcs)

    async def run(self, inventory: Inventory, session: Session) -> SweepEnd:
        """Sweep until no tag has been new for a while, time is over, or `end`; return which it was."""
        wish = self._wish
        try:
            await inventory.run_once(sweep_rospec(inventory.radio, wish, session))
        except ReaderRefusedError as error:
            self._log.info("sweeps by time alone", refused=str(error))
            await inventory.start_once(timed_sweep_rospec(inventory.radio, wish, session))
        silence: asyncio.Timeout | None = None
        try:
            async with within(wish.timeout_ms / 1000):
                while not self._over.is_set():
                    self._heard.clear()
                    async with within(wish.silence_ms / 1000) as silence:
                        await self._heard.wait()
        except TimeoutError:
            return "silence" if silence is not None and silence.expired() else "time"
        return "yielded"

    def end(self) -> None:
        """End it at once."""
        self._over.set()
        self._heard.set()

    def take(self, batch: TagBatch, events: list[ReaderEvent]) -> None:
        """Note new tags; an input that calls, or a stranger in the doorway, ends the sweep, for somebody comes."""
        raw, width = batch.epc.tobytes(), batch.epc.shape[1]
        before = len(self._epcs)
        told = zip(batch.epc_bits.tolist(), batch.antenna.tolist(), batch.rssi_cdbm.tolist(), strict=True)
        for row, (bits, port, rssi_cdbm) in enumerate(told):
            epc = raw[row * width : row * width + (bits + 7) // 8]
            if epc not in self._epcs:
                self._epcs.add(epc)
                if self._is_stranger(epc, port, rssi_cdbm):
                    self.end()
        if len(self._epcs) > before:
            self._heard.set()
        if any(event.gpi is not None for event in events):
            self.end()

    def _is_stranger(self, epc: bytes, port: int, rssi_cdbm: int) -> bool:
        least_cdbm = self._wish.doorway_cdbm.get(port)
        if least_cdbm is None or rssi_cdbm < least_cdbm:
            return False
        return epc not in self._wish.found and not self._known(epc)
