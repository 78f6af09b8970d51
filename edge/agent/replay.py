"""Recorded bytes through the windows: the rows that the agent published, or would have.

Pure: packets in, rows out. A recording of our own carries the clock, the boot and the numbering; with them the rows are
byte for byte what was published. Another program's capture has arrivals only: the clock is learnt from them anew. Bare
bytes and recorded reads have the reader's times alone.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, field
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from structlog.typing import FilteringBoundLogger

from edge.agent.pipeline import feed_chunk, window_clock
from edge.contracts import MovementRow
from edge.contracts.rows import ClockSource
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
    SensorNote,
    Skipped,
    dissect,
    notes_in,
)
from edge.readers import Chunk, ClockState, ReaderSettings
from edge.readers.replayed import ReplayedReader
from edge.windows import HeldTag, Windows, WindowsSettings
from edge.windows.windows import Counters

BOOT: Final = "replay"
"""Stands for the agent's start where the recording doesn't name one."""
SLICE_BYTES: Final = 256 * 1024
"""Of a bare file so much goes on at a time; how it is cut changes nothing."""
REST_US: Final = 3_600_000_000
"""Between files, or where nothing was recorded for an hour, no time was covered."""


class ReplayError(ValueError):
    """A recording can't be replayed with this configuration; the message says what to change."""


class Met(NamedTuple):
    """A reader as a recording shows it: its address, and its id where the recording is of our own."""

    place: Endpoint
    id: str | None = None

    def __str__(self) -> str:
        unnamed = self.id in {None, str(self.place)}
        return f"the reader at {self.place}" if unnamed else f"the reader {self.id} ({self.place})"


@dataclass(slots=True)
class Tally:
    """What became of a recording's packets and connections."""

    packets: int = 0
    skipped: Counter[Skipped] = field(default_factory=Counter)
    connections: int = 0
    lost_bytes: int = 0
    strange: dict[Met, int] = field(default_factory=dict)
    """Readers whose connections were left out, since the configuration doesn't name them, with their bytes."""
    covered_us: int = 0
    """Time that the recordings cover."""
    now_us: int | None = None
    """Newest instant so far: an arrival or, where there is none, a read by the reader's clock."""

    def pass_to(self, now_us: int) -> None:
        """Let the time of the recording pass; a leap back or ahead is another recording."""
        step_us = 0 if self.now_us is None else now_us - self.now_us
        if 0 <= step_us < REST_US:
            self.covered_us += step_us
        if not -REST_US < step_us < 0:
            self.now_us = now_us

    def pass_through(self, times_us: NDArray[np.int64]) -> None:
        """Let the times of some reads pass; rests between them cover nothing, in whatever order they stand."""
        ordered = np.sort(times_us)
        self.pass_to(int(ordered[0]))
        later = ordered[ordered > (self.now_us or 0)]
        if later.size:
            steps = np.diff(later, prepend=self.now_us or 0)
            self.covered_us += int(steps[steps < REST_US].sum())
            self.now_us = int(later[-1])


class Replay:
    """One replay.

    Args:
        readers: the readers as configured.
        windows: the portals as configured.
        places: where each reader stands, as (host, port); a None port is any. A recording's own ids go before it.
        log: logger.
        provisionals: whether rows that are not final come too.
        seen: is shown all that the windows are fed, with its clock, before they get it.
    """

    def __init__(
        self,
        readers: Iterable[ReaderSettings],
        windows: WindowsSettings,
        *,
        places: Mapping[str, list[tuple[str, int | None]]],
        log: FilteringBoundLogger,
        provisionals: bool = False,
        seen: Callable[[Chunk, ClockState], None] | None = None,
    ) -> None:
        self._settings, self._places, self._log = windows, places, log
        self._provisionals, self._seen = provisionals, seen
        self._readers = {one.id: ReplayedReader(one, log=log) for one in readers}
        self._reassembler, self._streams = Reassembler(), ReaderStreams()
        self._owners: dict[int, ReplayedReader | Met] = {}
        self._met: dict[str, Met] = {}
        self._guessed: set[str] = set()
        self._host_synced = True
        self._seq = 1
        self._noted = False
        self._begun: set[tuple[RecordingNote, int, bytes]] = set()
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

    @property
    def unfollowed(self) -> int:
        """Connections of which nothing shows who the reader is."""
        return self._streams.foreign

    def packet(self, packet: Packet) -> Iterator[MovementRow]:
        """Take one packet of a capture."""
        self.tally.packets += 1
        self.tally.pass_to(packet.at_us)
        for note in notes_in(packet.comments):
            if isinstance(note, RecordingNote):
                self._check_new(note, packet)
                yield from self._begin(note)
        segment = dissect(packet.link, packet.data, whole=packet.whole)
        if isinstance(segment, Skipped):
            self.tally.skipped[segment] += 1
            return
        for piece in self._reassembler.take(packet.at_us, segment, packet.comments):
            yield from self._piece(piece)

    def timeless(self, packet: Packet) -> Iterator[MovementRow]:
        """Take what is noted of its recording with a packet whose time is damaged; the packet itself is left out."""
        self.tally.packets += 1
        for note in notes_in(packet.comments):
            if isinstance(note, RecordingNote):
                self._check_new(note, packet)
                yield from self._begin(note)

    def bare(self, reader: str, data: bytes, *, slice_bytes: int = SLICE_BYTES) -> Iterator[MovementRow]:
        """Take the bytes of one connection without arrival times; their offset is 0."""
        mine = self._readers[reader]
        self.tally.connections += 1
        mine.connect()
        for begin in range(0, len(data), slice_bytes):
            for chunk in mine.take(0, data[begin : begin + slice_bytes]):
                if not len(chunk.batch):
                    continue
                if not _has_times(chunk.batch):
                    raise ReplayError(
                        f"the reports of reader {reader} carry no times, and a bare file has no arrivals: record pcapng"
                    )
                yield from self._timeless(chunk, chunk.clock.source)
        mine.finish()

    def begin_reads(self, reader: str) -> None:
        """Say that the reads of a reader's file come next, as a connection would bring them."""
        self.tally.connections += 1
        self._readers[reader].connect()

    def reads(self, reader: str, batch: TagBatch) -> Iterator[MovementRow]:
        """Take recorded reads; their times are the reader's, and its offset is 0."""
        return self._timeless(self._readers[reader].reads(batch), "reader")

    def _timeless(self, chunk: Chunk, source: ClockSource) -> Iterator[MovementRow]:
        """Feed what has no arrival: the reader's clock alone says when it was."""
        if len(chunk.batch):
            times = chunk.batch.last_uptime_us if source == "uptime" else chunk.batch.last_us
            self.tally.pass_through(times)
        yield from self._feed(chunk, arrival_us=None, clock=ClockState(source, 0, 0, stepped=False))

    def finish(self) -> Iterator[MovementRow]:
        """End of the recording: decide what is open by the evidence so far."""
        for piece in self._reassembler.finish():
            yield from self._piece(piece)
        yield from self._end()

    def _check_new(self, note: RecordingNote, first: Packet) -> None:
        """Refuse a recording that begins as an earlier one, like a copy made meanwhile; a cut one begins elsewhere."""
        begin = note, first.at_us, first.data
        if begin in self._begun:
            raise ReplayError("the same recording twice: every final would come twice; name each recording once")
        self._begun.add(begin)

    def _begin(self, note: RecordingNote) -> Iterator[MovementRow]:
        """Take what a recording says of itself; another boot ends what was open, as a restart does."""
        yield from self._end()
        self._past.append(self._windows.counters)
        self._windows = Windows(self._settings, boot=note.boot or BOOT)
        self._windows.hold(
            HeldTag(portal=one.portal, epc=one.epc, since_us=one.since_us, heard_us=one.heard_us) for one in note.held
        )
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
            met = Met(given.reader) if named is None else Met(Endpoint(named.host, named.port), named.reader)
            self._owners[given.connection] = self._connect(met)
        reader = self._owners[given.connection]
        if isinstance(reader, Met):
            self.tally.strange[reader] = self.tally.strange.get(reader, 0) + len(given.data)
            return
        self.tally.lost_bytes += given.lost
        if given.anew:
            reader.resume()
        for note in notes:
            if isinstance(note, ClockNote):
                self._host_synced = note.host_synced
                reader.set_clock(note)
            elif isinstance(note, AsideNote):
                chunk = reader.noted(reader.aside(given.at_us), note.sensors)
                yield from self._feed(chunk, arrival_us=given.at_us, clock=chunk.clock)
                self._seq += note.rows
        told = [note.sensors for note in notes if isinstance(note, RowsNote)]
        noted = self._noted and reader.is_noted
        taken_now = reader.take(given.at_us, given.data, settle=not noted) if given.data else []
        if noted:
            taken_now = _as_noted(reader, taken_now, told)
        for taken in taken_now:
            yield from self._feed(taken, arrival_us=given.at_us, clock=taken.clock)
            self._seq += 0 if noted else len(taken.rows)
        self._seq += sum(note.rows for note in notes if isinstance(note, RowsNote))

    def _feed(self, chunk: Chunk, *, arrival_us: int | None, clock: ClockState) -> Iterator[MovementRow]:
        if self._seen is not None:
            self._seen(chunk, clock)
        stamp = window_clock(clock, host_synced=self._host_synced)
        rows = feed_chunk(self._windows, chunk, stamp, arrival_us=arrival_us)
        self._windows.take_open_changes()
        yield from self._numbered(rows)

    def _numbered(self, rows: Iterable[MovementRow]) -> Iterator[MovementRow]:
        """Give rows the numbers that the outbox gives them; provisionals take theirs even where none are wanted."""
        for row in rows:
            if row.final or self._provisionals:
                yield msgspec.structs.replace(row, seq=self._seq)
            self._seq += 1

    def _connect(self, met: Met) -> ReplayedReader | Met:
        """Return whose connection it is, or `met` itself where it is none of the configuration."""
        name = self._named(met) if met.id is not None else self._whose(met)
        if name is None:
            return met
        self.tally.connections += 1
        self._readers[name].connect()
        return self._readers[name]

    def _named(self, met: Met) -> str | None:
        """Return the reader that a recording of our own means: by its id, else by its exact address."""
        name = met.id if met.id in self._readers else self._standing(met.place)
        if name is None:
            return None
        first = self._met.setdefault(name, met)
        if (first.id != met.id and first.place != met.place) or name in self._guessed:
            raise _both(name, first, met)
        return name

    def _whose(self, met: Met) -> str | None:
        """Return whose a connection without our notes is: the reader that stands there, else the one it must be.

        A guess is good for one place: two readers at one host, or strangers beside ours, are not made one.
        """
        name = self._standing(met.place)
        if name is None:
            name = self._guess(met.place)
            if name is None or (name in self._met and name not in self._guessed):
                return None
            self._guessed.add(name)
        first = self._met.setdefault(name, met)
        if name in self._guessed and first != met:
            raise _both(name, first, met)
        return name

    def _standing(self, place: Endpoint) -> str | None:
        """Return the reader that stands exactly at an address, or that was said to be all of that host."""
        for port in (place.port, None):
            found = [name for name, places in self._places.items() if (place.host, port) in places]
            if len(found) == 1:
                return found[0]
        return None

    def _guess(self, place: Endpoint) -> str | None:
        """Return the one reader of that host, whatever its port, or the only one there is."""
        hosts = [name for name, places in self._places.items() if any(host == place.host for host, _ in places)]
        if len(hosts) == 1:
            return hosts[0]
        return next(iter(self._readers)) if len(self._readers) == 1 else None


def _both(name: str, first: Met, second: Met) -> ReplayError:
    return ReplayError(
        f"{first} and {second} would both be reader {name} of the configuration: name each there with its own host "
        f"and port, or say where {name} stood with --reader {name}=HOST:PORT; without a port, all of a host is {name}"
    )


def _as_noted(reader: ReplayedReader, chunks: list[Chunk], told: list[list[SensorNote] | None]) -> list[Chunk]:
    """Return chunks with the inputs' changes as they were noted, which is with the last; before that was, as found."""
    if any(sensors is None for sensors in told) or not chunks:
        return chunks
    sensors = [one for noted in told for one in noted or ()]
    return [*(reader.noted(chunk, []) for chunk in chunks[:-1]), reader.noted(chunks[-1], sensors)]


def _has_times(batch: TagBatch) -> bool:
    columns = (batch.first_us, batch.last_us, batch.first_uptime_us, batch.last_uptime_us)
    return any(bool((column != NO_TIME_US).any()) for column in columns)


def _sum(counters: Iterable[Counters]) -> Counters:
    columns = zip(*(astuple(one) for one in counters), strict=True)
    return Counters(*(sum(column) for column in columns))
