"""Tag reports of one connection: chunks of whole messages in, columnar batches out."""

import os
from importlib.util import find_spec
from typing import Final, Protocol

import numpy as np

from edge.llrp.batch import EPC_BYTES, TagBatch
from edge.llrp.errors import LlrpError
from edge.llrp.reports_plain import ROSPECS, FaultAt, PlainState, TagRead, read_reports
from edge.llrp.wire import FAULT_TEXTS, Fault

DESCRIBED_FAULTS: Final = 16
"""Faults of one chunk that are put in words; all are counted. A stream of garbage must not cost memory."""
BytesLike = bytes | bytearray | memoryview
# Made once: finding the dtype of a type costs as much as a small array.
U8, U16, U32 = np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.uint32)
I16, I32, I64 = np.dtype(np.int16), np.dtype(np.int32), np.dtype(np.int64)


class Reports(Protocol):
    """The walk over a chunk, with the connection's memory in it; there is a compiled and a plain one."""

    def read(self, data: BytesLike) -> tuple[TagBatch, list[FaultAt], int]:
        """Return the tag reports of a chunk, its first faults, and how many faults there are in all."""


class ReportDecoder:
    """Decodes the RO_ACCESS_REPORTs of one connection; make a new one, or `reset`, for each connection.

    Args:
        reports: the walk to use; by default the compiled one where numba is there and not switched off.
    """

    def __init__(self, reports: Reports | None = None) -> None:
        self._chosen = reports
        self._reports = reports or choose_reports()
        self.faults: tuple[LlrpError, ...] = ()
        """What was wrong in the last chunk, in words; the first 16."""
        self.fault_count = 0
        """Faults since this decoder was made; each lost a tag report, the rest of a message, or of a chunk."""
        self.reports = 0
        """Tag reports decoded since this decoder was made."""

    def decode(self, data: BytesLike) -> TagBatch:
        """Return all tag reports of a chunk of whole messages; never raises.

        What is malformed is left out, counted in `fault_count` and told in `faults`; all else of the chunk is in the
        batch. Messages of other types are passed over.
        """
        batch, faults, count = self._reports.read(data)
        self.faults = tuple(_error(fault) for fault in faults[:DESCRIBED_FAULTS]) if faults else ()
        self.fault_count += count
        self.reports += len(batch)
        return batch

    def reset(self) -> None:
        """Forget last values, as a new connection must; counters go on."""
        self._reports = type(self._reports)()
        self.faults = ()


class PlainReports:
    """The definition itself, where numba is absent or switched off (NUMBA_DISABLE_JIT=1)."""

    def __init__(self) -> None:
        self._state = PlainState()

    def read(self, data: BytesLike) -> tuple[TagBatch, list[FaultAt], int]:
        """See `Reports.read`."""
        reads, faults = read_reports(bytes(data), self._state)
        return to_batch(reads), faults, len(faults)


class CompiledReports:
    """The kernel with its arrays; importing numba is put off until one is made."""

    def __init__(self) -> None:
        from edge.llrp import kernels  # noqa: PLC0415 - loads numba, which only this class wants

        self._count = kernels.count_reports
        self._walk = kernels.walk_reports
        self._last = np.empty((ROSPECS, kernels.STATE_FIELDS), np.int64)
        self._meta = np.zeros(kernels.META_FIELDS, np.int64)
        self._meta[3] = -1
        self._faults = np.empty((DESCRIBED_FAULTS, 3), np.int64)

    def read(self, data: BytesLike) -> tuple[TagBatch, list[FaultAt], int]:
        """See `Reports.read`."""
        array = np.frombuffer(data, U8)
        if not array.flags.writeable:
            array = array.copy()
        batch = empty_batch(self._count(array))
        rows, count = self._walk(
            array, self._last, self._meta, self._faults, batch.epc, batch.epc_bits, batch.antenna, batch.rssi_cdbm,
            batch.phase, batch.channel, batch.first_us, batch.last_us, batch.first_uptime_us, batch.last_uptime_us,
            batch.seen_count, batch.rospec_id, batch.message,
        )  # fmt: skip
        faults = self._told(count) if count else []
        return (batch if rows == len(batch) else _first(batch, rows)), faults, count

    def _told(self, count: int) -> list[FaultAt]:
        told = self._faults[: min(count, DESCRIBED_FAULTS)].tolist()
        return [FaultAt(Fault(fault), offset, message) for fault, offset, message in told]


def choose_reports() -> Reports:
    """Return the compiled walk where numba is there and not switched off, else the plain one."""
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0" or find_spec("numba") is None:
        return PlainReports()
    return CompiledReports()


def empty_batch(rows: int) -> TagBatch:
    """Return columns of `rows` rows with nothing written to them yet."""
    new = np.empty
    return TagBatch(
        epc=new((rows, EPC_BYTES), U8),
        epc_bits=new(rows, U16),
        antenna=new(rows, U16),
        rssi_cdbm=new(rows, I16),
        phase=new(rows, I16),
        channel=new(rows, U16),
        first_us=new(rows, I64),
        last_us=new(rows, I64),
        first_uptime_us=new(rows, I64),
        last_uptime_us=new(rows, I64),
        seen_count=new(rows, U16),
        rospec_id=new(rows, U32),
        message=new(rows, I32),
    )


def to_batch(reads: list[TagRead]) -> TagBatch:
    """Return tag reads as columns."""
    batch = empty_batch(len(reads))
    for row, read in enumerate(reads):
        batch.epc[row] = np.frombuffer(read.epc.ljust(EPC_BYTES, b"\0"), np.uint8)
        for name in TagRead._fields[1:]:
            getattr(batch, name)[row] = getattr(read, name)
    return batch


def _first(batch: TagBatch, rows: int) -> TagBatch:
    return TagBatch(**{name: getattr(batch, name)[:rows] for name in TagBatch.__slots__})


def _error(at: FaultAt) -> LlrpError:
    return LlrpError(f"message {at.message} of the chunk, byte {at.offset}: {FAULT_TEXTS[at.fault]}", offset=at.offset)
