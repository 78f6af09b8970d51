"""Recorded reads (CSV of a Zebra FX7500, as the ECD data set has them) as a source with the recorded times."""

import csv
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from simulator.world.values import Crossing, InputChange, RadioState, Read, Reads, columns

COLUMNS: Final = ("peakRssi", "phase", "channel", "antenna", "reads", "idHex", "time_reader")
LEAD_US: Final = 1_000_000
"""The recording's first read comes this long after the start, by the recorded clock."""
PHASE_STEPS: Final = 4096
MAX_ANTENNA: Final = 4
MAX_SEEN: Final = 0xFFFF


class RecordingError(Exception):
    """A recording that can't be used; says which file, which line, and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Reads in the order of their times.

    Attributes:
        begins_utc_us: instant of scenario time 0.
        frequencies_khz: the channels that occur; a read's channel is an index from 1 into them.
    """

    reads: tuple[Read, ...]
    begins_utc_us: int
    frequencies_khz: tuple[int, ...]


def load(paths: Sequence[Path]) -> Recording:
    """Read one recording or several as one.

    Raises:
        RecordingError: a file can't be read, or a row isn't a read.
    """
    rows = [row for path in paths for row in _rows(path)]
    if not rows:
        raise RecordingError(f"{', '.join(map(str, paths))}: no reads in there")
    channels = tuple(sorted({row.channel for row in rows}))
    ordered = sorted(rows, key=lambda row: row.at_us)
    begins_us = ordered[0].at_us - LEAD_US
    reads = (replace(r, at_us=r.at_us - begins_us, channel=channels.index(r.channel) + 1) for r in ordered)
    return Recording(tuple(reads), begins_us, channels)


class Playback:
    """A recording as a source: every read once, whenever the reader runs."""

    def __init__(self, recording: Recording) -> None:
        self._waiting = deque(recording.reads)
        self._last_us = recording.reads[-1].at_us

    @property
    def residents(self) -> list[bytes]:
        """None known: a recording doesn't say."""
        return []

    @property
    def ends_us(self) -> int | None:
        """The last read's time once all have been given; before that never."""
        return None if self._waiting else self._last_us

    def advance(self, reader: str, until_us: int, radio: RadioState | None) -> Reads:  # noqa: ARG002 - one reader
        """Reads up to a time; while nothing inventories they wait, since a recording can't be heard twice."""
        taken: list[Read] = []
        while radio is not None and self._waiting and self._waiting[0].at_us <= until_us:
            taken.append(self._waiting.popleft())
        return columns(taken)

    def take_inputs(self, until_us: int) -> list[InputChange]:  # noqa: ARG002 - a recording has none
        """None: a recording has none."""
        return []

    def take_crossings(self, until_us: int) -> list[Crossing]:  # noqa: ARG002 - a recording doesn't know
        """None known: a recording doesn't say."""
        return []


def _rows(path: Path) -> list[Read]:
    """Reads of one file; `at_us` is UTC and `channel` kHz still."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.reader(file)
            names = [name.strip() for name in next(table, [])]
            missing = [column for column in COLUMNS if column not in names]
            if missing:
                raise RecordingError(f"{path}: line 1: no column {missing[0]!r}; a recording has {', '.join(COLUMNS)}")
            return [_read(path, table.line_num, names, cells) for cells in table if any(cell.strip() for cell in cells)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RecordingError(f"{path}: can't be read as CSV: {error}") from error


def _read(path: Path, line: int, names: list[str], cells: list[str]) -> Read:
    row = dict(zip(names, (cell.strip() for cell in cells), strict=False))
    where = f"{path}: line {line}"
    turns = _number(row, "phase", where) / 360
    at_us = round(1e6 * _number(row, "time_reader", where, 0, 4e9))
    return Read(
        at_us=at_us,
        antenna=int(_number(row, "antenna", where, 1, MAX_ANTENNA)),
        epc=_epc(row, where),
        rssi_cdbm=round(100 * _number(row, "peakRssi", where, -128, 0)),
        phase=math.floor(turns * PHASE_STEPS) % PHASE_STEPS,
        channel=round(1000 * _number(row, "channel", where, 800, 1000)),
        seen_count=int(_number(row, "reads", where, 1, MAX_SEEN)),
    )


def _epc(row: Mapping[str, str], where: str) -> bytes:
    text = row.get("idHex", "")
    try:
        epc = bytes.fromhex(text)
    except ValueError:
        epc = b""
    if not epc:
        raise RecordingError(f"{where}: idHex is {text!r}, not the hexadecimal digits of an EPC")
    return epc


def _number(row: Mapping[str, str], column: str, where: str, low: float = -math.inf, high: float = math.inf) -> float:
    text = row.get(column, "")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high or math.isinf(value):
        span = "" if math.isinf(low) else f" from {low:g} to {high:g}"
        raise RecordingError(f"{where}: {column} is {text!r}, not a number{span}")
    return value
