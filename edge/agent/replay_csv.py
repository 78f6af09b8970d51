"""Recorded reads as CSV -> columnar batches: a form of our own, and what a Zebra FX7500's recorder writes.

| our column | what | may be left out |
|---|---|---|
| `time_us` | when it was read: UTC microseconds of the reader's clock | no |
| `epc` | hexadecimal digits | no |
| `antenna` | LLRP port, from 1 | no |
| `rssi_cdbm` | hundredths of dBm | yes, or empty |
| `phase` | 12-bit steps, 0 to 4095 | yes, or empty |
| `channel` | index of the channel, from 1 | yes, or empty |
| `count` | reads that the row stands for | yes, or empty: 1 |
| `reader` | id of the configuration | yes: `--reader ID`, or the only one |

The recorder's columns are those of `ZEBRA`: seconds of UTC, hexadecimal digits, port, dBm, degrees, MHz, reads. Others
are passed over, and so are spaces, tabs and commas around a value. Rows are taken in the order in which they stand.
Errors: `CsvError`, which says which line, what is wrong there and what would be right.
"""

import csv
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np

from edge.llrp import TagBatch
from edge.llrp.batch import EPC_BYTES, NO_CHANNEL, NO_PHASE, NO_RSSI_CDBM, NO_TIME_US

OURS: Final[tuple[str, ...]] = ("time_us", "epc", "antenna")
OPTIONAL: Final = ("rssi_cdbm", "phase", "channel", "count", "reader")
ZEBRA: Final[tuple[str, ...]] = ("time_reader", "idHex", "antenna", "peakRssi", "phase", "channel", "reads")
PHASE_STEPS: Final = 4096
MAX_U16: Final = 0xFFFF
WHOLE: Final = re.compile(r"[+-]?[0-9]+")
DECIMAL: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
MAX_DIGITS: Final = 24
HEXADECIMAL: Final = re.compile(r"([0-9a-fA-F]{2})+")
"""Narrower than Python's own: `1_000` and digits of other scripts are no numbers of a recorder."""
LATEST_US: Final = 4_102_444_800_000_000
"""The year 2100, as in `edge.windows`."""


class CsvError(ValueError):
    """Rows that are no reads; the message says where and what to do."""


class Row(NamedTuple):
    """One read; `reader` is None where the file doesn't say."""

    reader: str | None
    time_us: int
    epc: bytes
    antenna: int
    rssi_cdbm: int
    phase: int
    channel: int
    seen: int


class CsvReads:
    """Files of one replay; a channel that is given in MHz keeps its index over all of them.

    Attributes:
        rows: read so far of the file that is read.
        cut: the line inside which it ended, left out; None where it ended with a whole one.
        unended: whether nothing says that its last row is whole, as no line end follows it.
    """

    def __init__(self) -> None:
        self._channels: dict[int, int] = {}
        self.rows = 0
        self.cut: int | None = None
        self.unended = False

    def batches(self, lines: Iterable[str], rows: int) -> Iterator[tuple[str | None, TagBatch]]:
        """Yield batches of at most so many rows of a file, each of one reader, in the order of the file."""
        held: list[Row] = []
        self.rows, self.cut, self.unended = 0, None, False
        for row in self._rows(self._watched(lines)):
            self.rows += 1
            if held and (held[0].reader != row.reader or len(held) == rows):
                yield held[0].reader, _batch(held)
                held = []
            held.append(row)
        if held:
            yield held[0].reader, _batch(held)
        if not self.rows and self.cut is None:
            raise CsvError("it has no rows, only the names of their columns: there is nothing to replay")

    def _watched(self, lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            self.unended = not line.endswith(("\n", "\r"))
            yield line

    def _rows(self, lines: Iterable[str]) -> Iterator[Row]:
        table = csv.reader(lines)
        try:
            names = [name.strip(" \t,\ufeff") for name in next(table, [])]
            read = self._form(names)
            for found in table:
                cells = [cell.strip(" \t,") for cell in found]
                if not any(cells):
                    continue
                if len(cells) < len(names) and self.unended:
                    self.cut = table.line_num
                    return
                yield _checked(read, names, cells, table.line_num)
        except csv.Error as error:
            raise CsvError(f"line {table.line_num}: can't be read as CSV: {error}") from error

    def _form(self, names: list[str]) -> Callable[[Mapping[str, str]], Row]:
        """Return what reads a row of the form that the first line names."""
        twice = [name for name in {*OURS, *OPTIONAL, *ZEBRA} if names.count(name) > 1]
        if twice:
            raise CsvError(f"line 1: names {', '.join(sorted(twice))} twice: leave one of them out")
        lacks = {form: [name for name in form if name not in names] for form in (OURS, ZEBRA)}
        if not lacks[OURS]:
            return _ours
        if not lacks[ZEBRA]:
            return self._zebra
        nearest = min((OURS, ZEBRA), key=lambda form: len(lacks[form]) / len(form))
        raise CsvError(
            f"line 1: no column {', '.join(lacks[nearest])}; recorded reads have {', '.join(OURS)} and, if known, "
            f"{', '.join(OPTIONAL)}; or, as a Zebra FX7500's recorder writes them, {', '.join(ZEBRA)}"
        )

    def _zebra(self, row: Mapping[str, str]) -> Row:
        khz = round(1000 * _number(row, "channel", 800, 1000))
        return Row(
            reader=None,
            time_us=round(1e6 * _number(row, "time_reader", 0, LATEST_US / 1e6)),
            epc=_epc(row, "idHex"),
            antenna=_integer(row, "antenna", 1, MAX_U16),
            rssi_cdbm=round(100 * _number(row, "peakRssi", -128, 127)),
            phase=round(_number(row, "phase", -720, 720) / 360 * PHASE_STEPS) % PHASE_STEPS,
            channel=self._channels.setdefault(khz, len(self._channels) + 1),
            seen=_integer(row, "reads", 1, MAX_U16),
        )


def _ours(row: Mapping[str, str]) -> Row:
    return Row(
        reader=row.get("reader") or None,
        time_us=_integer(row, "time_us", 0, LATEST_US),
        epc=_epc(row, "epc"),
        antenna=_integer(row, "antenna", 1, MAX_U16),
        rssi_cdbm=_integer(row, "rssi_cdbm", -32767, 32767, absent=NO_RSSI_CDBM),
        phase=_integer(row, "phase", 0, PHASE_STEPS - 1, absent=NO_PHASE),
        channel=_integer(row, "channel", 1, MAX_U16, absent=NO_CHANNEL),
        seen=_integer(row, "count", 1, MAX_U16, absent=1),
    )


def _checked(read: Callable[[Mapping[str, str]], Row], names: list[str], cells: list[str], line: int) -> Row:
    try:
        row = read(dict(zip(names, cells, strict=False)))
    except CsvError as error:
        raise CsvError(f"line {line}: {error}") from error
    if len(cells) < len(names):
        raise CsvError(
            f"line {line}: ends after {len(cells)} of {len(names)} columns: leave cells empty, but keep their commas"
        )
    if any(cells[len(names) :]):
        raise CsvError(f"line {line}: has {len(cells)} columns, and line 1 names {len(names)}")
    return row


def _epc(row: Mapping[str, str], column: str) -> bytes:
    text = row.get(column, "")
    epc = bytes.fromhex(text) if HEXADECIMAL.fullmatch(text) else b""
    if not 0 < len(epc) <= EPC_BYTES:
        raise CsvError(f"{column} is {text!r}: write an EPC as 2 to {2 * EPC_BYTES} hexadecimal digits, two a byte")
    return epc


def _integer(row: Mapping[str, str], column: str, low: int, high: int, *, absent: int | None = None) -> int:
    text = row.get(column, "")
    if not text and absent is not None:
        return absent
    value = int(text) if WHOLE.fullmatch(text) and len(text) < MAX_DIGITS else low - 1
    if not low <= value <= high:
        raise CsvError(f"{column} is {text!r}: write a whole number from {low} to {high}")
    return value


def _number(row: Mapping[str, str], column: str, low: float, high: float) -> float:
    text = row.get(column, "")
    value = float(text) if DECIMAL.fullmatch(text) else math.nan
    if not low <= value <= high:
        raise CsvError(f"{column} is {text!r}: write a number from {low:g} to {high:g}")
    return value


def _batch(rows: list[Row]) -> TagBatch:
    count = len(rows)
    epc = np.zeros((count, EPC_BYTES), np.uint8)
    for at, row in enumerate(rows):
        epc[at, : len(row.epc)] = np.frombuffer(row.epc, np.uint8)
    times = np.array([row.time_us for row in rows], np.int64)
    absent = np.full(count, NO_TIME_US, np.int64)
    return TagBatch(
        epc=epc,
        epc_bits=np.array([8 * len(row.epc) for row in rows], np.uint16),
        antenna=np.array([row.antenna for row in rows], np.uint16),
        rssi_cdbm=np.array([row.rssi_cdbm for row in rows], np.int16),
        phase=np.array([row.phase for row in rows], np.int16),
        channel=np.array([row.channel for row in rows], np.uint16),
        first_us=times,
        last_us=times,
        first_uptime_us=absent,
        last_uptime_us=absent,
        seen_count=np.array([row.seen for row in rows], np.uint16),
        rospec_id=np.zeros(count, np.uint32),
        message=np.zeros(count, np.int32),
    )
