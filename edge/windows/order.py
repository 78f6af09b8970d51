"""Reads into event order: a grace for what comes out of order, a restart where a clock was set back.

Whatever the cuts between calls, the same reads leave in the same order, because lateness is judged read by read
against the newest read before it on the wire. Rows are written once, into a buffer that is used again and again;
they are sorted only where they came out of order.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.llrp.batch import TagBatch
from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.intake import plain

LAG_US: Final = 2_000_000
"""A reader that delivered nothing while its group went on by this much doesn't hold the others up."""
BLOCK: Final = 2048
"""Reads taken at a time: their rows, 280 KB, stay in the processor's cache until the engine has taken them."""
_NEVER: Final = -(1 << 62)


@dataclass(frozen=True, slots=True)
class Wire:
    """One reader's batch in wire order, and what places its reads.

    Attributes:
        first_us, last_us: (n,) int64, of the clock in use.
        table: (ports, 2) portal and antenna by port, -1 where nothing is listed; the last row is for all beyond.
        arrived_us: event time where the reader sent none; -1 where nothing says.
        clocked: the reader's own times count.
        shift_us: what is added to all times.
    """

    batch: TagBatch
    first_us: NDArray[np.int64]
    last_us: NDArray[np.int64]
    table: NDArray[np.int64]
    arrived_us: int
    clocked: bool = True
    shift_us: int = 0


@dataclass(frozen=True, slots=True)
class Reads:
    """Reads as the engines take them, valid until the next is asked for.

    Attributes:
        cols: (n, COLS) int64 as in `layout`.
        keys: (n, 64) uint8, EPC bytes, portal and length as in a slot.
    """

    cols: NDArray[np.int64]
    keys: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.cols)


@dataclass(frozen=True, slots=True)
class Step:
    """Reads released in event order, and the instant before which nothing more will come.

    `restart` is set where a clock was set back: all visits end, time begins anew.
    """

    reads: Reads
    before_us: int
    restart: bool = False


@dataclass(slots=True)
class Orderer:
    """Holds the reads of one group of readers (readers that share a portal) until their order is certain."""

    grace_us: int
    step_back_us: int
    admit: Callable[..., int] = plain.admit
    newest_us: dict[str, int] = field(default_factory=dict)
    restarts: int = 0
    _met_us: dict[str, int] = field(default_factory=dict)
    """How far the group was when a reader last delivered: who brings old reads holds the others up meanwhile."""
    _cols: NDArray[np.int64] = field(default_factory=lambda: np.empty((4 * BLOCK, L.COLS), np.int64))
    _keys: NDArray[np.uint8] = field(default_factory=lambda: np.empty((4 * BLOCK, L.KEY_BYTES), np.uint8))
    _begin: int = 0
    _recent: NDArray[np.int64] = field(default_factory=lambda: np.zeros((2, L.RECENT), np.int64))
    _state: NDArray[np.int64] = field(default_factory=lambda: np.zeros(L.INTAKE, np.int64))

    def __post_init__(self) -> None:
        """Begin with nothing held."""
        self._empty()

    @property
    def late(self) -> int:
        """Reports that came after the grace."""
        return int(self._state[L.I_LATE])

    @property
    def twice(self) -> int:
        """Reads that had been sent before, of those that were taken last (`layout.REMEMBERED`)."""
        return int(self._state[L.I_TWICE])

    @property
    def unlisted(self) -> int:
        """Reads of ports that no portal lists."""
        return int(self._state[L.I_UNLISTED])

    @property
    def unusable(self) -> int:
        """Reads without EPC or time."""
        return int(self._state[L.I_UNUSABLE])

    def push(self, reader: str, wire: Wire) -> Iterator[Step]:
        """Take reads in wire order, yield what may go on; use a step before asking for the next."""
        taken = 0
        while taken < len(wire.batch):
            taken = self._take(reader, wire, taken)
            if self._state[L.I_BACK]:
                self._state[L.I_BACK] = 0
                yield self._restart(reader)
            elif taken < len(wire.batch):
                yield self._release(self.before_us())
        yield self._release(self.before_us())

    def idle(self, reader: str, now_us: int) -> Step:
        """Nothing was read until an instant: release what is older, without making later reads late."""
        now_us -= self.grace_us
        active = [
            self._released_us(at)
            for other, at in self.newest_us.items()
            if other != reader and self._released_us(self._met_us[other]) > now_us - LAG_US
        ]
        return self._release(max(min([now_us, *active]), self.before_us()))

    def flush(self) -> Step:
        """Release everything."""
        return self._release(L.NEVER_US)

    def before_us(self) -> int:
        """Instant before which no read in order can come any more."""
        if not self.newest_us:
            return _NEVER
        newest = max(self.newest_us.values())
        active = (at for reader, at in self.newest_us.items() if self._met_us[reader] > newest - LAG_US)
        return min(self._released_us(at) for at in active)

    def _released_us(self, newest_us: int) -> int:
        return newest_us - self.grace_us

    def _restart(self, reader: str) -> Step:
        self.restarts += 1
        step = self._release(L.NEVER_US)
        del self.newest_us[reader]
        return Step(step.reads, step.before_us, restart=True)

    def _take(self, reader: str, wire: Wire, begin: int) -> int:
        self._make_room()
        held = int(self._state[L.I_HELD])
        batch, end = wire.batch, held + BLOCK
        self._state[L.I_NEWEST_US] = self.newest_us.get(reader, _NEVER)
        taken = self.admit(
            begin, batch.epc, batch.epc_bits, batch.antenna, batch.rssi_cdbm, batch.phase, batch.channel,
            batch.seen_count, wire.first_us, wire.last_us, wire.arrived_us, wire.clocked, wire.shift_us, wire.table,
            self.grace_us, self.step_back_us, self._cols[:end], self._keys[:end], self._recent, self._state,
        )  # fmt: skip
        if self._state[L.I_NEWEST_US] != _NEVER:
            self.newest_us[reader] = int(self._state[L.I_NEWEST_US])
        if self._state[L.I_HELD] > held:
            self._met_us[reader] = max(self.newest_us.values())
        return taken

    def _make_room(self) -> None:
        """Have room for a block: move what is held to the front, into twice the memory if that fills half of it."""
        held = int(self._state[L.I_HELD])
        if held + BLOCK <= len(self._cols):
            return
        kept = held - self._begin
        cols, keys = self._cols[self._begin : held], self._keys[self._begin : held]
        if 2 * (kept + BLOCK) > len(self._cols):
            size = 2 * len(self._cols)
            self._cols, self._keys = np.empty((size, L.COLS), np.int64), np.empty((size, L.KEY_BYTES), np.uint8)
        self._cols[:kept], self._keys[:kept] = cols, keys
        self._begin, self._state[L.I_HELD] = 0, kept

    def _empty(self) -> None:
        self._begin, self._state[L.I_HELD] = 0, 0
        self._state[L.I_SORTED], self._state[L.I_LAST_US] = 1, _NEVER

    def _release(self, before_us: int) -> Step:
        held = int(self._state[L.I_HELD])
        if not self._state[L.I_SORTED]:
            order = self._begin + np.argsort(self._cols[self._begin : held, L.C_US], kind="stable")
            self._cols[self._begin : held], self._keys[self._begin : held] = self._cols[order], self._keys[order]
            self._state[L.I_SORTED], self._state[L.I_LAST_US] = 1, self._cols[held - 1, L.C_US]
        cut = bisect_left(range(held), before_us, lo=self._begin, key=lambda row: int(self._cols[row, L.C_US]))
        reads = Reads(self._cols[self._begin : cut], self._keys[self._begin : cut])
        self._begin = cut
        if cut == held:
            self._empty()
        return Step(reads, before_us)
