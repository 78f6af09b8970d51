"""What a reader's antennas heard since somebody last asked, as columns. Pure: all times are arguments.

Health and the plan of sessions ask once a second; what comes between is only kept, so that a report costs little.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.llrp import TagBatch
from edge.llrp.batch import NO_RSSI_CDBM, NO_TIME_US
from edge.llrp.reports import empty_batch
from edge.readers.model import ClockState

MAX_HELD_REPORTS: Final = 50_000
"""Ten seconds of eight antennas at full rate: beyond it the oldest count in no figure, but nothing is lost."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Tag reports as columns: EPC bytes and bits, antenna port, RSSI, reads that it stands for, host time."""

    epc: NDArray[np.uint8]
    epc_bits: NDArray[np.uint16]
    antenna: NDArray[np.uint16]
    rssi_cdbm: NDArray[np.int16]
    count: NDArray[np.uint16]
    at_us: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.antenna)

    def pick(self, which: NDArray[np.bool_]) -> "Heard":
        """Return some of the reports."""
        return Heard(*(getattr(self, item.name)[which] for item in fields(self)))


def nothing_heard() -> Heard:
    """Return columns without a row."""
    none = empty_batch(0)
    return Heard(none.epc, none.epc_bits, none.antenna, none.rssi_cdbm, none.seen_count, none.last_us)


class Hearing:
    """Keeps batches until they are taken; what one costs is put off until then."""

    def __init__(self) -> None:
        self._parts: list[tuple[TagBatch, int, ClockState]] = []
        self._reports = 0
        self.skipped = 0
        """Reports that no figure counts, since nobody asked for too long."""

    def add(self, batch: TagBatch, arrival_us: int, clock: ClockState) -> None:
        """Keep a batch with its arrival and clock; its arrays must not change afterwards."""
        self._parts.append((batch, arrival_us, clock))
        self._reports += len(batch)
        while self._reports > MAX_HELD_REPORTS and len(self._parts) > 1:
            gone = len(self._parts.pop(0)[0])
            self._reports -= gone
            self.skipped += gone

    def take(self) -> Heard | None:
        """Return what was kept since the last call, in order; None where that is nothing."""
        parts, self._parts, self._reports = self._parts, [], 0
        if not parts:
            return None
        batches = [batch for batch, _, _ in parts]
        return Heard(
            epc=np.concatenate([batch.epc for batch in batches]),
            epc_bits=np.concatenate([batch.epc_bits for batch in batches]),
            antenna=np.concatenate([batch.antenna for batch in batches]),
            rssi_cdbm=np.concatenate([batch.rssi_cdbm for batch in batches]),
            count=np.concatenate([batch.seen_count for batch in batches]),
            at_us=_host_times(parts),
        )


def _host_times(parts: list[tuple[TagBatch, int, ClockState]]) -> NDArray[np.int64]:
    """Return each report's host time: one that was queued proves life when it was read, not when it came."""
    sizes = [len(batch) for batch, _, _ in parts]
    arrival_us = np.repeat(np.array([arrival for _, arrival, _ in parts], np.int64), sizes)
    offset_us = np.repeat(np.array([clock.offset_us for _, _, clock in parts], np.int64), sizes)
    reader_us = np.concatenate([_reader_times(batch, clock) for batch, _, clock in parts])
    return np.where(reader_us == NO_TIME_US, arrival_us, np.minimum(reader_us + offset_us, arrival_us))


def _reader_times(batch: TagBatch, clock: ClockState) -> NDArray[np.int64]:
    if clock.source == "host":
        return np.full(len(batch), NO_TIME_US, np.int64)
    return batch.last_us if clock.source == "reader" else batch.last_uptime_us


def is_epc(heard: Heard | TagBatch, epc: bytes) -> NDArray[np.bool_]:
    """Say of each report whether its tag is this one."""
    wanted = np.frombuffer(epc, np.uint8)
    same = np.asarray(heard.epc_bits == 8 * len(epc))
    if same.any():
        same = same & (heard.epc[:, : len(wanted)] == wanted).all(axis=1)
    return same


def mean_rssi_cdbm(heard: Heard) -> int | None:
    """Return the mean RSSI of the reports that have one."""
    rssi = heard.rssi_cdbm[heard.rssi_cdbm != NO_RSSI_CDBM]
    return round(float(rssi.mean())) if len(rssi) else None
