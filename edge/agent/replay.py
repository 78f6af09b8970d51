"""Recorded bytes through the windows: the finals that the agent published, or would have.

Pure: packets in, rows out. A recording of our own carries the clock, the boot and the numbering; with them the rows are
byte for byte what was published. Another program's capture has arrivals only: the clock is learnt from them anew.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, field
from typing import Final

import msgspec
from structlog.typing import FilteringBoundLogger

from edge.agent.pipeline import window_clock
from edge.contracts import MovementRow
from edge.llrp import TagBatch
from edge.llrp.batch import NO_TIME_US
from edge.llrp.capture import (
    AsideNote,
    ClockNote,
    ConnectionNote,
    Endpoint,
    Packet,
    Piece,
    ReaderBytes,
    ReaderStreams,
    Reassembler,
    RecordingNote,
    RowsNote,
    Skipped,
    dissect,
    notes_in,
)
from edge.readers import Chunk, ClockState, ReaderSettings
from edge.readers.replayed import ReplayedReader
from edge.windows import Windows, WindowsSettings
from edge.windows.windows import Counters

BOOT: Final = "replay"
"""Stands for the agent's start where the recording doesn't name one."""
SLICE_BYTES: Final = 256 * 1024
"""Of a bare file so much goes on at a time; how it is cut changes nothing."""


class ReplayError(ValueError):
    """A recording can't be replayed with this configuration; the message says what to change."""


@dataclass(slots=True)
class Tally:
    """What became of a recording's packets and connections."""

    packets: int = 0
    skipped: Counter[Skipped] = field(default_factory=Counter)
    connections: int = 0
    lost_bytes: int = 0
    strange: dict[str, int] = field(default_factory=dict)
    """Readers whose connections were left out, since the configuration doesn't name them, with their bytes."""


class Replay:
    """One replay.

    Args:
        readers: the readers as configured.
        windows: the portals as configured.
        places: where each reader stands, as (host, port); a None port is any. Only for captures of other programs.
        log: logger.
    """

    def __init__(
        self,
        readers: Iterable[ReaderSettings],
        windows: WindowsSettings,
        *,
        places: Mapping[str, list[tuple[str, int | None]]],
        log: FilteringBoundLogger,
    ) -> None:
        self._settings, self._places, self._log = windows, places, log
        self._readers = {one.id: ReplayedReader(one, log=log) for one in readers}
        self._reassembler, self._streams = Reassembler(), ReaderStreams()
        self._owners: dict[int, ReplayedReader | None] = {}
        self._only: tuple[str, Endpoint] | None = None
        self._host_synced = True
        self._seq = 1
        self._noted = False
        self._windows = Windows(windows, boot=BOOT)
        self._past: list[Counters] = []
        self.tally = Tally()

    @property
    def counters(self) -> Counters:
        """What became of the reads."""
        return _sum([*self._past, self._windows.counters])

    @property
    def faults(self) -> list[str]:
        """What could not be read, in words."""
        return [f"reader {name}: {fault}" for name, reader in self._readers.items() for fault in reader.faults]

    @property
    def lost_bytes(self) -> int:
        """Bytes of readers that the recording lacks, or that could not be followed."""
        return self.tally.lost_bytes + self._streams.lost

    def packet(self, packet: Packet) -> Iterator[MovementRow]:
        """Take one packet of a capture."""
        self.tally.packets += 1
        for note in notes_in(packet.comments):
            if isinstance(note, RecordingNote):
                yield from self._begin(note)
        segment = dissect(packet.link, packet.data, whole=packet.whole)
        if isinstance(segment, Skipped):
            self.tally.skipped[segment] += 1
            return
        for piece in self._reassembler.take(packet.at_us, segment, packet.comments):
            yield from self._piece(piece)

    def bare(self, reader: str, data: bytes) -> Iterator[MovementRow]:
        """Take the bytes of one connection without arrival times; their offset is 0."""
        mine = self._readers[reader]
        self.tally.connections += 1
        mine.connect()
        for begin in range(0, len(data), SLICE_BYTES):
            for chunk in mine.take(0, data[begin : begin + SLICE_BYTES]):
                if not len(chunk.batch):
                    continue
                if not _has_times(chunk.batch):
                    raise ReplayError(
                        f"the reports of reader {reader} carry no times, and a bare file has no arrivals: record pcapng"
                    )
                clock = ClockState(chunk.clock.source, 0, 0, stepped=False)
                yield from self._feed(chunk, arrival_us=None, clock=clock)
        mine.finish()

    def finish(self) -> Iterator[MovementRow]:
        """End of the recording: decide what is open by the evidence so far."""
        for piece in self._reassembler.finish():
            yield from self._piece(piece)
        yield from self._end()

    def _begin(self, note: RecordingNote) -> Iterator[MovementRow]:
        """Take what a recording says of itself; another boot ends what was open, as a restart does."""
        yield from self._end()
        self._past.append(self._windows.counters)
        self._windows = Windows(self._settings, boot=note.boot or BOOT)
        self._seq = note.first_seq
        self._noted = True

    def _end(self) -> Iterator[MovementRow]:
        return self._numbered(self._windows.flush())

    def _piece(self, piece: Piece) -> Iterator[MovementRow]:
        for one in self._streams.take(piece):
            yield from self._bytes(one)

    def _bytes(self, given: ReaderBytes) -> Iterator[MovementRow]:
        notes = list(notes_in(given.comments))
        if given.connection not in self._owners:
            named = next((note for note in notes if isinstance(note, ConnectionNote)), None)
            self._owners[given.connection] = self._connect(given.reader, named)
        reader = self._owners[given.connection]
        if reader is None:
            self.tally.strange[str(given.reader)] = self.tally.strange.get(str(given.reader), 0) + len(given.data)
            return
        self.tally.lost_bytes += given.lost
        if given.anew:
            reader.resume()
        for note in notes:
            if isinstance(note, ClockNote):
                self._host_synced = note.host_synced
                reader.set_clock(note)
            elif isinstance(note, AsideNote):
                chunk = reader.aside(given.at_us)
                yield from self._feed(chunk, arrival_us=given.at_us, clock=chunk.clock)
                self._seq += note.rows
        for taken in reader.take(given.at_us, given.data) if given.data else ():
            yield from self._feed(taken, arrival_us=given.at_us, clock=taken.clock)
            self._seq += 0 if self._noted else len(taken.rows)
        self._seq += sum(note.rows for note in notes if isinstance(note, RowsNote))

    def _feed(self, chunk: Chunk, *, arrival_us: int | None, clock: ClockState) -> Iterator[MovementRow]:
        stamp = window_clock(clock, host_synced=self._host_synced)
        rows = self._windows.feed(chunk.reader, chunk.batch, arrival_us=arrival_us, clock=stamp)
        self._windows.take_open_changes()
        yield from self._numbered(rows)

    def _numbered(self, rows: Iterable[MovementRow]) -> Iterator[MovementRow]:
        """Give rows the numbers that the outbox gives them; provisionals take theirs and go no further."""
        for row in rows:
            if row.final:
                yield msgspec.structs.replace(row, seq=self._seq)
            self._seq += 1

    def _connect(self, place: Endpoint, named: ConnectionNote | None) -> ReplayedReader | None:
        """Return whose connection it is: the reader that a note names, else the one that stands there."""
        if named is None or named.reader not in self._readers:
            name = self._whose(place if named is None else Endpoint(named.host, named.port))
        else:
            name = named.reader
        if name is None:
            return None
        self.tally.connections += 1
        self._readers[name].connect()
        return self._readers[name]

    def _whose(self, place: Endpoint) -> str | None:
        """Return the reader that stands at an address: exactly there, or on that host, or the only one there is."""
        exact = [name for name, places in self._places.items() if (place.host, place.port) in places]
        if exact:
            return exact[0]
        hosts = [
            name
            for name, places in self._places.items()
            if any(host == place.host for host, port in places if not port)
        ]
        if len(hosts) == 1:
            return hosts[0]
        if len(self._readers) == 1 and self._only in {None, (next(iter(self._readers)), place)}:
            self._only = next(iter(self._readers)), place
            return self._only[0]
        return None


def _has_times(batch: TagBatch) -> bool:
    columns = (batch.first_us, batch.last_us, batch.first_uptime_us, batch.last_uptime_us)
    return any(bool((column != NO_TIME_US).any()) for column in columns)


def _sum(counters: Iterable[Counters]) -> Counters:
    columns = zip(*(astuple(one) for one in counters), strict=True)
    return Counters(*(sum(column) for column in columns))
