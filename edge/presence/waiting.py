"""Reads that wait to be summed: a chunk often brings a handful, and numpy wants thousands."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.llrp import TagBatch
from edge.llrp.batch import NO_TIME_US
from edge.presence.fold import WORD_BYTES
from edge.presence.span import Columns


class _Taken(NamedTuple):
    batch: TagBatch
    arrival_us: int
    source: str
    offset_us: int


class Waiting:
    """One reader's reads since they were last taken."""

    def __init__(self) -> None:
        self._taken: list[_Taken] = []
        self.rows = 0

    def put(self, batch: TagBatch, *, arrival_us: int, source: str, offset_us: int) -> None:
        """Keep a batch; what it is of is worked out when it is taken, with many others."""
        self._taken.append(_Taken(batch, arrival_us, source, offset_us))
        self.rows += len(batch)

    def take(self) -> Columns | None:
        """Return what waits, in wire order; a read without an EPC is none."""
        if not self._taken:
            return None
        taken, self._taken, self.rows = self._taken, [], 0
        length = (_column([one.batch.epc_bits for one in taken]) + 7) // 8
        columns = Columns(
            _column([one.batch.antenna for one in taken]),
            _wide([one.batch for one in taken], int(length.max())),
            length,
            _column([one.batch.rssi_cdbm for one in taken]),
            _host_us(taken),
            _column([one.batch.seen_count for one in taken]),
        )
        return columns if length.all() else columns.pick(length > 0)


def _column(parts: list[NDArray[Any]]) -> NDArray[np.int64]:
    return np.concatenate(parts).astype(np.int64)


def _host_us(taken: list[_Taken]) -> NDArray[np.int64]:
    """Return when reads were, by the host's clock: as old as their reader says, never younger than their arrival."""
    rows = [len(one.batch) for one in taken]
    arrival_us = np.repeat(np.array([one.arrival_us for one in taken], np.int64), rows)
    offset_us = np.repeat(np.array([one.offset_us for one in taken], np.int64), rows)
    told = np.concatenate([_reader_us(one) for one in taken])
    host_us: NDArray[np.int64] = np.where(told == NO_TIME_US, arrival_us, np.minimum(told + offset_us, arrival_us))
    return host_us


def _reader_us(one: _Taken) -> NDArray[np.int64]:
    if one.source == "reader":
        return one.batch.last_us
    if one.source == "uptime":
        return one.batch.last_uptime_us
    return np.full(len(one.batch), NO_TIME_US, np.int64)


def _wide(batches: list[TagBatch], length: int) -> NDArray[np.uint8]:
    """Return EPCs side by side, as wide as the longest in whole words."""
    width = max(-(-length // WORD_BYTES), 1) * WORD_BYTES
    rows = sum(len(batch) for batch in batches)
    epc = np.zeros((rows, width), np.uint8)
    begin = 0
    for batch in batches:
        taken = min(width, batch.epc.shape[1])
        epc[begin : begin + len(batch), :taken] = batch.epc[:, :taken]
        begin += len(batch)
    return epc
