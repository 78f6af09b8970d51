"""Readers' connections as a pcapng file: what was received and sent, when, and the clock that was taken for it.

A replay wants exactly what the windows were given: each receive's bytes with the arrival that the session gave them,
and the clock's values where they change. So a receive waits until its chunk was made of it.
"""

from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from edge.contracts import SensorRow, instant_us
from edge.llrp.capture import (
    AsideNote,
    ClockNote,
    ConnectionNote,
    Endpoint,
    RecordedConnection,
    RecordingNote,
    RowsNote,
    SensorNote,
    header,
    to_comment,
)
from edge.llrp.capture.connection import LLRP_PORT
from edge.readers.model import Chunk

LAST_PORT: Final = 65535
FIRST_FREE_PORT: Final = 49152
"""Where two connections would look the same, the later one gets a port of its own from here on."""


class Recorder:
    """One file, several readers.

    Args:
        write: takes the file's bytes in order; may not raise, and is not called after `close`.
        now_us: the host's clock, UTC microseconds.
        host_synced: whether the host's clock may be believed now.
        note: who records.
    """

    def __init__(
        self,
        write: Callable[[bytes], None],
        *,
        now_us: Callable[[], int],
        host_synced: Callable[[], bool],
        note: RecordingNote,
    ) -> None:
        self._write, self.now_us, self.host_synced = write, now_us, host_synced
        self._closed = False
        self._used: set[tuple[Endpoint, str]] = set()
        write(header(application=f"stockgate-edge {note.version}", comments=[to_comment(note)]))

    def write(self, data: bytes) -> None:
        """Write a block of the file; nothing happens once it is closed."""
        if not self._closed:
            self._write(data)

    def close(self) -> None:
        """End the file: connections may outlast it, and what they tell their taps is let go."""
        self._closed = True

    def tap(self, reader: str) -> "ReaderTap":
        """Return the tap of one reader; it goes on over its connections."""
        return ReaderTap(self, reader)

    def ends(self, local: Endpoint, remote: Endpoint) -> tuple[Endpoint, Endpoint]:
        """Return client and reader as the packets show them: no two connections of a file look the same."""
        shown = local
        free = FIRST_FREE_PORT
        while (shown, remote.host) in self._used and free <= LAST_PORT:
            shown, free = Endpoint(local.host, free), free + 1
        self._used.add((shown, remote.host))
        return shown, Endpoint(remote.host, LLRP_PORT)


class _Held(NamedTuple):
    direction: Literal["in", "out"]
    at_us: int
    data: bytes


class ReaderTap:
    """The `Tap` of one reader."""

    def __init__(self, recorder: Recorder, reader: str) -> None:
        self._recorder, self._reader = recorder, reader
        self._connection: RecordedConnection | None = None
        self._held: list[_Held] = []
        self._clock: ClockNote | None = None

    def opened(self, *, local: Endpoint, remote: Endpoint) -> None:
        """See `Tap`."""
        client, reader = self._recorder.ends(local, remote)
        self._connection, self._held, self._clock = RecordedConnection(client=client, reader=reader), [], None
        note = ConnectionNote(reader=self._reader, host=remote.host, port=remote.port)
        self._recorder.write(self._connection.open(self._recorder.now_us(), [to_comment(note)]))

    def joined(self, *, local: Endpoint, remote: Endpoint) -> None:
        """Take a connection that stands already: the file shows no beginning of it, so a replay looks for one."""
        client, reader = self._recorder.ends(local, remote)
        self._connection, self._held, self._clock = RecordedConnection(client=client, reader=reader), [], None
        note = ConnectionNote(reader=self._reader, host=remote.host, port=remote.port)
        self._recorder.write(self._connection.note(self._recorder.now_us(), [to_comment(note)]))

    def received(self, data: bytes) -> None:
        """See `Tap`."""
        self._write_held()
        self._held.append(_Held("in", self._recorder.now_us(), data))

    def took(self, chunk: Chunk) -> None:
        """See `Tap`."""
        comments = self._clock_comments(chunk)
        if chunk.rows:
            comments = (*comments, to_comment(RowsNote(rows=len(chunk.rows), sensors=_sensors(chunk))))
        self._write_held(chunk.arrival_us, comments)

    def aside(self, chunk: Chunk) -> None:
        """See `Tap`."""
        if self._connection is not None:
            self._write_held()
            comments = [
                *self._clock_comments(chunk),
                to_comment(AsideNote(rows=len(chunk.rows), sensors=_sensors(chunk))),
            ]
            self._recorder.write(self._connection.note(chunk.arrival_us, comments))

    def sent(self, data: bytes) -> None:
        """See `Tap`."""
        self._held.append(_Held("out", self._recorder.now_us(), data))
        if self._held[0].direction == "out":
            self._write_held()

    def closed(self) -> None:
        """See `Tap`."""
        self._write_held()
        if self._connection is not None:
            self._recorder.write(self._connection.close(self._recorder.now_us()))
        self._connection = None

    def _write_held(self, arrival_us: int | None = None, comments: tuple[str, ...] = ()) -> None:
        """Write what waits, a receive first: what was sent meanwhile answers it."""
        held, self._held = self._held, []
        if self._connection is None:
            return
        for one in held:
            at_us = one.at_us if arrival_us is None else max(one.at_us, arrival_us)
            if one.direction == "in":
                at_us = one.at_us if arrival_us is None else arrival_us
                self._recorder.write(self._connection.received(at_us, one.data, comments))
            else:
                self._recorder.write(self._connection.sent(at_us, one.data))

    def _clock_comments(self, chunk: Chunk) -> tuple[str, ...]:
        clock = chunk.clock
        note = ClockNote(
            source=clock.source,
            offset_us=clock.offset_us,
            spread_us=clock.spread_us,
            stepped=clock.stepped,
            host_synced=self._recorder.host_synced(),
        )
        if note == self._clock:
            return ()
        self._clock = note
        return (to_comment(note),)


def _sensors(chunk: Chunk) -> list[SensorNote]:
    return [
        SensorNote(gpi=row.gpi, kind=row.kind, state=row.state, at_us=instant_us(row.at))
        for row in chunk.rows
        if isinstance(row, SensorRow)
    ]
