"""The numba engine: owns the arrays that the kernels work on."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.llrp.batch import EPC_BYTES
from edge.windows import kernels
from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.settings import MAX_ANTENNAS
from edge.windows.snapshot import Snapshot

RECORDS: Final = 256
"""Records a kernel call can hold; a call that fills them is drained and continued."""


class CompiledEngine:
    """Slots behind a chained hash; memory is reserved at once and touched as tags come."""

    def __init__(self, knobs: NDArray[np.int64], max_tags: int) -> None:
        buckets = 1 << (2 * max_tags - 1).bit_length()
        self._head = np.zeros((max_tags, L.HEAD), np.int64)
        self._ant = np.zeros((max_tags, MAX_ANTENNAS, L.ANT), np.int64)
        self._bins = np.zeros((max_tags, 2, L.BINS, 2), np.int32)
        self._log = np.zeros((max_tags, L.LOG_ROWS, L.LOG), np.int32)
        self._cells = np.zeros((max_tags, L.CELLS, 2), np.int64)
        self._keys = np.zeros((max_tags, EPC_BYTES), np.uint8)
        self._first = np.full(buckets, -1, np.int32)
        self._chain = np.full(max_tags, -1, np.int32)
        self._due = np.full(max_tags, L.NEVER_US, np.int64)
        self._meta = np.zeros(L.META, np.int64)
        self._knobs = knobs
        self._out = (
            np.zeros((RECORDS, 2), np.int64),
            np.zeros((RECORDS, L.HEAD), np.int64),
            np.zeros((RECORDS, MAX_ANTENNAS, L.ANT), np.int64),
            np.zeros((RECORDS, 2, L.BINS, 2), np.int32),
            np.zeros((RECORDS, L.LOG_ROWS, L.LOG), np.int32),
            np.zeros((RECORDS, EPC_BYTES), np.uint8),
        )

    @property
    def evicted(self) -> int:
        """Pairs that had to go because the table was full."""
        return int(self._meta[L.M_EVICTED])

    @property
    def quiet(self) -> int:
        """Visits that ended without anything to tell."""
        return int(self._meta[L.M_QUIET])

    def known(self, since_us: int) -> int:
        """Count the pairs whose level at rest is known and that were heard since an instant."""
        used = self._head[: self._meta[L.M_USED]]
        return int(((used[:, L.BASE_CDBM] != L.NO_BASE) & (used[:, L.LAST_US] >= since_us)).sum())

    def advance(self, cols: NDArray[np.int64], epcs: NDArray[np.uint8]) -> list[Snapshot]:
        """Take reads in event order."""
        records: list[Snapshot] = []
        taken = 0
        while taken < len(cols):
            taken = kernels.advance(
                taken, cols, epcs, self._head, self._ant, self._bins, self._log, self._cells, self._keys,
                self._first, self._chain, self._due, self._meta, self._knobs, *self._out,
            )  # fmt: skip
            records += self._drain()
        return records

    def sweep(self, before_us: int, *, flush: bool = False) -> list[Snapshot]:
        """End visits by the silence behind them."""
        records: list[Snapshot] = []
        done = False
        while not done:
            done = kernels.sweep(
                before_us, flush, self._head, self._ant, self._bins, self._log, self._keys, self._due, self._meta,
                self._knobs, *self._out,
            )  # fmt: skip
            records += self._drain()
        return records

    def _drain(self) -> list[Snapshot]:
        out, head, ant, bins, log, keys = self._out
        filled = int(self._meta[L.M_OUT])
        self._meta[L.M_OUT] = 0
        return [
            Snapshot(
                int(out[k, 0]),
                int(out[k, 1]),
                keys[k, : head[k, L.EPC_BYTES]].tobytes(),
                head[k].copy(),
                ant[k].copy(),
                bins[k].copy(),
                log[k, : head[k, L.LOGGED]].copy(),
            )
            for k in range(filled)
        ]
