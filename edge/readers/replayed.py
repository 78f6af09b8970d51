"""One reader's bytes from a recording, made into the chunks that a session makes of them."""

from dataclasses import replace

from structlog.typing import FilteringBoundLogger

from edge.contracts import SensorRow, instant
from edge.llrp import Chunk as Messages
from edge.llrp import FrameBuffer, LlrpError, TagBatch, control
from edge.llrp.capture import ClockNote, SensorNote
from edge.llrp.control import ReaderEvent
from edge.llrp.reports import empty_batch
from edge.llrp.wire import Message
from edge.readers.intake import Intake
from edge.readers.model import Chunk, ClockState, ReaderCounters, ReaderSettings


class ReplayedReader:
    """The readers' side of a replay: no socket, no clock, no wait.

    Args:
        settings: the reader as configured.
        log: logger.
    """

    def __init__(self, settings: ReaderSettings, *, log: FilteringBoundLogger) -> None:
        self._settings, self._log = settings, log
        self.counters = ReaderCounters()
        self.faults: list[LlrpError] = []
        """Why the bytes of a connection could not be followed to its end, one a connection."""
        self.connect()

    def connect(self) -> None:
        """Begin a connection: what was learnt on the one before is forgotten, as a session does."""
        self._buffer = FrameBuffer(max_frame_bytes=self._settings.max_frame_bytes)
        self._intake = Intake(self._settings, self.counters, self._log)
        self._clock: ClockState | None = None
        self._clock_before: ClockState | None = None
        self._broken = False

    def resume(self) -> None:
        """Drop what waits of a message: bytes are missing, the next ones begin with a whole one."""
        self._buffer = FrameBuffer(max_frame_bytes=self._settings.max_frame_bytes)

    def set_clock(self, note: ClockNote) -> None:
        """Take the clock that was recorded; it holds from the next whole message on."""
        self._clock_before = self._clock
        self._clock = ClockState(note.source, note.offset_us, note.spread_us, note.stepped)

    def take(self, at_us: int, data: bytes, *, settle: bool = True) -> list[Chunk]:
        """Return what the bytes of one receive mean, as the session did; nothing while no message is whole.

        With `settle` inputs that have lasted by now are told too, as the session's timer did; a recording that notes
        its asides has that already. Where the reader's clock made a step within it, the recorded clock is that of the
        last part.
        """
        if self._broken:
            return []
        self._buffer.feed(data)
        messages = self._buffer.take()
        if messages.fault is not None:
            self._broken = True
            self.faults.append(messages.fault)
        if not messages.messages:
            return []
        *first, last = self._intake.take(at_us, messages, self._events(messages))
        before = self._clock_before
        settled = self._intake.settle_inputs(at_us) if settle else None
        if settled is not None:
            first = [self._timed(settled) if before is None else replace(settled, clock=before), *first]
        return [*(part if before is None else replace(part, clock=before) for part in first), self._timed(last)]

    def aside(self, at_us: int) -> Chunk:
        """Return a chunk that no receive brought: time has passed."""
        return self._timed(Chunk(self._settings.id, at_us, empty_batch(0), self._intake.clock))

    def reads(self, batch: TagBatch) -> Chunk:
        """Return a chunk of reads that were recorded without the messages that brought them."""
        evidence = self._intake.evidence(batch)
        self.counters.reads += int(evidence.seen_count.sum())
        return Chunk(self._settings.id, 0, evidence, self._intake.clock)

    def noted(self, chunk: Chunk, sensors: list[SensorNote] | None) -> Chunk:
        """Return a chunk with the changes of inputs that were noted with it; without a note it stays as it is."""
        if sensors is None:
            return chunk
        rows = [
            SensorRow(seq=0, reader=chunk.reader, gpi=one.gpi, kind=one.kind, state=one.state, at=instant(one.at_us))
            for one in sensors
        ]
        return replace(chunk, rows=tuple(rows))

    def finish(self) -> None:
        """Say that the connection's bytes have ended; a message that is cut off is kept as a fault."""
        if not self._broken:
            try:
                self._buffer.finish()
            except LlrpError as error:
                self.faults.append(error)

    def _timed(self, chunk: Chunk) -> Chunk:
        return chunk if self._clock is None else replace(chunk, clock=self._clock)

    def _events(self, messages: Messages) -> list[ReaderEvent]:
        events = []
        for frame in messages.others:
            if frame.type == Message.READER_EVENT_NOTIFICATION:
                try:
                    events.append(control.decode_event(frame))
                except LlrpError as error:
                    self._intake.bad_message(str(error))
        return events
