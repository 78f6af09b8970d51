"""One passage found in a replay, with the reads and the sensors that it was decided on.

Errors: `ExplainError`, which says what there is instead.
"""

import string
from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.contracts import MovementRow, SensorRow, instant_us
from edge.llrp import TagBatch
from edge.llrp.batch import NO_TIME_US
from edge.readers import Chunk, ClockState
from edge.windows import PortalSettings, WindowsSettings

HINTS: Final = 5
MARGIN_US: Final = 2_000_000
"""Reads and sensors are shown from so long before the visit to so long after it, or after its final."""
READ_COLS: Final = 6
R_US, R_ANTENNA, R_RSSI, R_PHASE, R_CHANNEL, R_COUNT = range(READ_COLS)
"""Columns of `Passage.reads`: host microseconds, antenna's index in the portal, the rest as in `TagBatch`."""


class ExplainError(ValueError):
    """There is no such passage to explain; the message says what there is."""


@dataclass(frozen=True, slots=True)
class Called:
    """A row, and the instant of the recording at which it was written."""

    row: MovementRow
    at_us: int


@dataclass(slots=True)
class Passage:
    """All that is drawn of one passage.

    Attributes:
        portal: where it was.
        calls: its rows in the order of their revisions; the last one is final.
        reads: (n, READ_COLS) int64 in the order of time.
        sensors: changes of beams and door contacts at the portal's readers.
    """

    portal: PortalSettings
    calls: list[Called]
    reads: NDArray[np.int64]
    sensors: list[SensorRow]

    @property
    def final(self) -> MovementRow:
        """What was called at last."""
        return self.calls[-1].row


@dataclass(slots=True)
class Finder:
    """Takes a replay's rows and keeps those that a person asked for.

    Args:
        wanted: a passage's id or an EPC, hexadecimal digits.
    """

    wanted: str
    found: dict[str, list[MovementRow]] = field(default_factory=dict)
    others: deque[MovementRow] = field(default_factory=lambda: deque(maxlen=HINTS))

    def __post_init__(self) -> None:
        """Refuse what can be neither; write it as rows do."""
        self.wanted = self.wanted.strip().lower()
        if len(self.wanted) % 2 or not self.wanted or set(self.wanted) - set(string.hexdigits):
            raise ExplainError(
                f"--explain {self.wanted or repr('')}: write a passage's id or an EPC, both in hexadecimal digits"
            )

    def take(self, row: MovementRow) -> None:
        """Take the next row."""
        if self.wanted in {row.passage, row.epc}:
            self.found.setdefault(row.passage, []).append(row)
        elif row.final:
            self.others.append(row)

    def choose(self) -> MovementRow:
        """Return the final of the passage that is meant; of an EPC with several visits that of the last one."""
        if not self.found:
            instead = "; the last ones are " + ", ".join(map(brief, self.others)) if self.others else ""
            raise ExplainError(f"--explain {self.wanted}: no passage of that id or EPC was called{instead}")
        return list(self.found.values())[-1][-1]

    def rest(self) -> list[MovementRow]:
        """Return the finals of the same EPC's other visits."""
        return [rows[-1] for rows in list(self.found.values())[:-1]]


def brief(row: MovementRow) -> str:
    """Return a passage in a few words that can be given to `--explain`."""
    return f"{row.passage} ({row.kind}, tag {row.epc}, {row.portal}, {row.started_at[11:19]})"


class Gatherer:
    """Takes what a second replay feeds to the windows and keeps what belongs to one passage.

    Args:
        final: the passage.
        windows: the portals as configured.
    """

    def __init__(self, final: MovementRow, windows: WindowsSettings) -> None:
        self._final = final
        self._epc = np.frombuffer(bytes.fromhex(final.epc), np.uint8)
        self._portal = next(portal for portal in windows.portals if portal.id == final.portal)
        self._places = {(one.reader, one.port): at for at, one in enumerate(self._portal.antennas)}
        self._readers = {one.reader for one in self._portal.antennas}
        self._begin_us = instant_us(final.started_at) - MARGIN_US
        self._end_us = instant_us(final.ended_at or final.at) + MARGIN_US
        self._calls: list[Called] = []
        self._reads: list[NDArray[np.int64]] = []
        self._sensors: list[SensorRow] = []

    def called(self, row: MovementRow, at_us: int) -> None:
        """Take the next row, and the instant of the recording at which it came."""
        if row.passage == self._final.passage:
            self._calls.append(Called(row, at_us))

    def seen(self, chunk: Chunk, clock: ClockState) -> None:
        """Take what goes to the windows."""
        if chunk.reader not in self._readers:
            return
        self._sensors += [row for row in chunk.rows if isinstance(row, SensorRow) and row.kind in {"beam", "door"}]
        if len(chunk.batch):
            reads = self._mine(chunk.reader, chunk.batch, chunk.arrival_us, clock)
            if len(reads):
                self._reads.append(reads)

    def passage(self) -> Passage:
        """Return what was kept."""
        reads = np.concatenate(self._reads) if self._reads else np.empty((0, READ_COLS), np.int64)
        end_us = max([self._end_us, *(call.at_us for call in self._calls)])
        return Passage(
            portal=self._portal,
            calls=self._calls,
            reads=reads[np.argsort(reads[:, R_US], kind="stable")],
            sensors=[row for row in self._sensors if instant_us(row.at) <= end_us],
        )

    def _mine(self, reader: str, batch: TagBatch, arrival_us: int, clock: ClockState) -> NDArray[np.int64]:
        """Return the tag's reads at the portal's antennas around the visit, in host time."""
        times = _host_us(batch, arrival_us, clock)
        mine = (batch.epc_bits.astype(np.int64) + 7) // 8 == len(self._epc)
        mine &= (batch.epc[:, : len(self._epc)] == self._epc).all(axis=1)
        mine &= (times >= self._begin_us) & (times <= self._end_us)
        places = np.array([self._places.get((reader, port), -1) for port in batch.antenna[mine].tolist()], np.int64)
        columns = (batch.rssi_cdbm, batch.phase, batch.channel, batch.seen_count)
        rows = np.stack([times[mine], places, *(column[mine].astype(np.int64) for column in columns)], axis=1)
        return rows[places >= 0]


def _host_us(batch: TagBatch, arrival_us: int, clock: ClockState) -> NDArray[np.int64]:
    """Return when each read was, in host time; the arrival where the reader sent no time."""
    first_us, last_us = batch.first_us, batch.last_us
    if clock.source == "uptime":
        first_us, last_us = batch.first_uptime_us, batch.last_uptime_us
    elif clock.source == "host":
        return np.full(len(batch), arrival_us, np.int64)
    times = np.where(last_us == NO_TIME_US, first_us, last_us)
    return np.where(times == NO_TIME_US, arrival_us, times + clock.offset_us)
