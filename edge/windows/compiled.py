"""The numba engine: owns the arrays that the kernels work on."""

import math
from mmap import mmap
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.windows import kernels
from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.settings import MAX_ANTENNAS, WindowsError
from edge.windows.snapshot import Snapshot

RECORDS: Final = 64
"""Records a kernel call can hold; a call that fills them is drained and continued."""
LINE: Final = 64
"""Bytes of a processor's cache line: a slot begins on one, or each of its parts would lie on two."""


class CompiledEngine:
    """Slots behind a chained hash, and a pool of visits; memory is reserved at once and touched as tags come.

    Of `max_tags` pairs each takes 640 bytes and 10 of the hash, of `max_visits` visits each takes 1.3 KB, and 0.8 KB
    for each 64 of its reads: 65 MB for 100,000 pairs, and 9 to 31 MB for 4,096 visits, whatever comes. When the slots
    are taken the longest silent of 64 goes, when the visits are taken the quietest of all is ended
    (`layout.KEEP_US`); both count as `evicted`.
    """

    def __init__(self, knobs: NDArray[np.int64], max_tags: int, max_visits: int = L.VISITS) -> None:
        if len(knobs) > L.MAX_PORTALS:
            raise WindowsError(f"{len(knobs)} portals share readers: {L.MAX_PORTALS} at most, split the gateway")
        visits = min(max_visits, max_tags)
        slots = _aligned(max_tags * L.SLOT_BYTES)
        self._meta = np.zeros(L.META, np.int64)
        self._meta[L.M_FREE], self._meta[L.M_DUE_US] = -1, L.NEVER_US
        self._slots = slots.view(np.int64).reshape(max_tags, -1)
        self._shorts = slots.view(np.int16).reshape(max_tags, -1)
        self._out = (
            np.zeros((RECORDS, 2), np.int64),
            np.zeros((RECORDS, L.HEAD), np.int64),
            np.zeros((RECORDS, MAX_ANTENNAS, L.ANT), np.int64),
            np.zeros((RECORDS, L.LOG_ROWS, L.LOG), np.int32),
            np.zeros((RECORDS, L.KEY_WORDS), np.int64),
        )
        self._state = (
            self._slots,
            slots.view(np.int32).reshape(max_tags, -1),
            self._shorts,
            np.full(1 << (2 * max_tags - 1).bit_length(), -1, np.int32),
            np.zeros((visits, L.HEAD), np.int64),
            np.zeros((visits, MAX_ANTENNAS, L.ANT), np.int64),
            _untouched(L.LOG_ROWS // L.LOG_PART, visits, L.LOG_PART, L.PACKED),
            np.full((visits, L.CLOCKS), L.NEVER_US, np.int64),
            self._meta,
            knobs,
            *self._out,
        )

    @property
    def evicted(self) -> int:
        """Pairs and visits that had to go because there was no room."""
        return int(self._meta[L.M_EVICTED])

    @property
    def quiet(self) -> int:
        """Visits that ended without anything to tell."""
        return int(self._meta[L.M_QUIET])

    def known(self, since_us: int) -> int:
        """Count the pairs whose level at rest is known and that were heard since an instant."""
        used = int(self._meta[L.M_USED])
        known = self._shorts[:used, L.S_BASE] != L.NO_RSSI
        return int((known & (self._slots[:used, L.S_LAST_US] >= since_us)).sum())

    def advance(self, cols: NDArray[np.int64], keys: NDArray[np.uint8]) -> list[Snapshot]:
        """Take reads in event order."""
        records: list[Snapshot] = []
        words, taken = keys.view(np.int64), 0
        while taken < len(cols):
            taken = int(kernels.advance(taken, cols, words, *self._state))
            records += self._drain()
        return records

    def sweep(self, before_us: int, *, flush: bool = False) -> list[Snapshot]:
        """End visits by the silence behind them."""
        records: list[Snapshot] = []
        done = False
        while not done:
            done = kernels.sweep(before_us, flush, *self._state)
            records += self._drain()
        return records

    def _drain(self) -> list[Snapshot]:
        out, head, ant, log, keys = self._out
        filled = int(self._meta[L.M_OUT])
        self._meta[L.M_OUT] = 0
        return [
            Snapshot(
                int(out[k, 0]),
                int(out[k, 1]),
                keys[k].tobytes()[: head[k, L.EPC_BYTES]],
                head[k].copy(),
                ant[k].copy(),
                log[k, : head[k, L.LOGGED]].copy(),
            )
            for k in range(filled)
        ]


def _untouched(*shape: int) -> NDArray[np.int32]:
    """Return zeros of which a page takes memory once it is written to: numpy asks for pages of 2 MB, where it can."""
    memory = mmap(-1, max(4 * math.prod(shape), 1))
    return np.frombuffer(memory, np.int32).reshape(shape)


def _aligned(size: int) -> NDArray[np.uint8]:
    """Return zeros that begin on a cache line."""
    memory = np.zeros(size + LINE, np.uint8)
    skip = -memory.ctypes.data % LINE
    return memory[skip : skip + size]
