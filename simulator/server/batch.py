"""Many reads to the wire at once: encoded reports, what waits of them, and the messages that they go in."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.faults import Faults
from simulator.server.kernels import FIXED_BYTES, HEADER_BYTES, encode_reports, frame_reports
from simulator.server.reports import Content, Report, ReportEncoder
from simulator.world.values import Reads

FIELDS: Final = (
    "rospec_id", "spec_index", "inventory_id", "antenna", "peak_rssi", "channel", "first_seen", "last_seen",
    "seen_count", "pc", "crc", "impinj_rssi", "impinj_phase", "impinj_doppler",
)  # fmt: skip
"""Switches of `Content` in the order in which the kernel takes them."""
_STAMPS: Final = {"none": 0, "utc": 1, "uptime": 2}


@dataclass(frozen=True, slots=True)
class Encoded:
    """Encoded tag reports, one behind the other.

    Attributes:
        data: their bytes.
        ends: (n,) where each ends in `data`.
        seen: (n,) how many singulations each stands for.
    """

    data: NDArray[np.uint8]
    ends: NDArray[np.int64]
    seen: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ends)

    def cut(self, begin: int, end: int) -> "Encoded":
        """Reports from one place to another."""
        if begin == 0 and end >= len(self):
            return self
        first = int(self.ends[begin - 1]) if begin else 0
        last = int(self.ends[end - 1]) if end else 0
        return Encoded(self.data[first:last], self.ends[begin:end] - first, self.seen[begin:end])


class BatchEncoder:
    """Encodes reads of one connection as the reader's faults have it."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._one_by_one = ReportEncoder(faults)
        self._selected: dict[Content, NDArray[np.uint8]] = {}

    def reset(self) -> None:
        """Begin a new connection: nothing has been sent on it yet."""
        self._one_by_one.reset()

    def encode(self, reads: Reads, begun_us: int, content: Content, rospec_id: int) -> Encoded:
        """Encode reads whose times count from `begun_us`, true UTC."""
        content = content.without(self._faults.omit_parameters)
        if self._faults.omit_unchanged:
            return self._each(reads, begun_us, content, rospec_id)
        count, width = reads.epc.shape
        first_us = self._faults.shown_us(reads.at_us + begun_us)
        last_us = first_us if reads.last_us is reads.at_us else self._faults.shown_us(reads.last_us + begun_us)
        out = np.empty(count * (width + FIXED_BYTES), dtype=np.uint8)
        ends = np.empty(count, dtype=np.int64)
        epc = reads.epc if reads.epc.flags.writeable else reads.epc.copy()
        size = encode_reports(
            epc,
            reads.epc_bytes,
            reads.antenna,
            reads.rssi_cdbm,
            reads.phase,
            reads.doppler,
            reads.channel,
            first_us,
            last_us,
            reads.seen,
            self._selection(content),
            rospec_id,
            _STAMPS[self._faults.stamps],
            self._faults.long_epc_form,
            out,
            ends,
        )
        return Encoded(out[:size], ends, reads.seen)

    def _each(self, reads: Reads, begun_us: int, content: Content, rospec_id: int) -> Encoded:
        """One by one, where a report depends on the one before it."""
        parts = [self._one_by_one.encode(one, content, rospec_id) for one in reports_of(reads, begun_us)]
        ends = np.cumsum(np.array([len(part) for part in parts], dtype=np.int64))
        return Encoded(np.frombuffer(bytearray(b"".join(parts)), dtype=np.uint8), ends, reads.seen)

    def _selection(self, content: Content) -> NDArray[np.uint8]:
        found = self._selected.get(content)
        if found is None:
            found = np.array([getattr(content, name) for name in FIELDS], dtype=np.uint8)
            self._selected[content] = found
        return found


def reports_of(reads: Reads, begun_us: int) -> list[Report]:
    """Each read as a report by itself."""
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
            doppler=int(reads.doppler[index]),
        )
        for index in range(len(reads))
    ]


def framed(reports: Encoded, per_message: int, first_id: int) -> list[bytes]:
    """Put so many reports at a time into RO_ACCESS_REPORTs; ids count up from the first."""
    messages = -(-len(reports) // per_message)
    out = np.empty(len(reports.data) + HEADER_BYTES * messages, dtype=np.uint8)
    ends = np.empty(messages, dtype=np.int64)
    frame_reports(reports.data, reports.ends, per_message, first_id, out, ends)
    data = out.tobytes()
    if messages == 1:
        return [data]
    return [data[begin:end] for begin, end in pairwise([0, *ends.tolist()])]


class Pending:
    """Encoded reports that wait to be sent, oldest first."""

    def __init__(self) -> None:
        self._parts: list[Encoded] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, reports: Encoded) -> None:
        """Keep some more."""
        self._parts.append(reports)
        self._count += len(reports)

    def take(self) -> Encoded:
        """Hand out all of them, at least one."""
        parts, self._parts, self._count = self._parts, [], 0
        return parts[0] if len(parts) == 1 else _joined(parts)

    def drop(self) -> int:
        """Forget all of them; returns how many singulations they stood for."""
        seen = sum(int(part.seen.sum()) for part in self._parts)
        self._parts, self._count = [], 0
        return seen


def _joined(parts: list[Encoded]) -> Encoded:
    starts = np.cumsum([0, *(len(part.data) for part in parts[:-1])])
    ends = [part.ends + start for part, start in zip(parts, starts, strict=True)]
    return Encoded(
        np.concatenate([part.data for part in parts]),
        np.concatenate(ends),
        np.concatenate([part.seen for part in parts]),
    )
