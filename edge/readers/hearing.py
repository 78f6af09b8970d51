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

MAX_HELD_READS: Final = 50_000
"""Ten seconds of eight antennas at full rate: beyond it the oldest reads count in no figure, but nothing is lost."""


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


def heard_of(batch: TagBatch, arrival_us: int, clock: ClockState) -> Heard:
    """Return a batch's columns with host times: a report that was queued proves life when it was read, not now."""
    at_us = np.full(len(batch), arrival_us, np.int64)
    if clock.source != "host":
        reader_us = batch.last_us if clock.source == "reader" else batch.last_uptime_us
        known = reader_us != NO_TIME_US
        at_us[known] = np.minimum(reader_us[known] + clock.offset_us, arrival_us)
    return Heard(batch.epc, batch.epc_bits, batch.antenna, batch.rssi_cdbm, batch.seen_count, at_us)


class Hearing:
    """Keeps reports until they are taken."""

    def __init__(self) -> None:
        self._parts: list[Heard] = []
        self._reads = 0
        self.skipped = 0
        """Reports that no figure counts, since nobody asked for too long."""

    def add(self, heard: Heard) -> None:
        """Keep reports; their arrays must not change afterwards."""
        self._parts.append(heard)
        self._reads += len(heard)
        while self._reads > MAX_HELD_READS and len(self._parts) > 1:
            gone = len(self._parts.pop(0))
            self._reads -= gone
            self.skipped += gone

    def take(self) -> Heard | None:
        """Return what was kept since the last call, in order; None where that is nothing."""
        parts, self._parts, self._reads = self._parts, [], 0
        if not parts:
            return None
        return Heard(*(np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(Heard)))


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
