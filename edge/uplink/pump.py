"""What to send next: watermarks in, envelopes out. Works on an outbox and a clock that it is given; no network."""

from dataclasses import dataclass, field
from typing import Final

import msgspec
import structlog

from edge.contracts import (
    MAX_ENVELOPE_BYTES,
    MAX_ENVELOPE_ROWS,
    ContractError,
    Stream,
    StreamMark,
    Watermark,
    decode_watermark,
    encode_envelope,
    topic,
)
from edge.outbox import STREAMS, Coverage, Outbox, StoredRow
from edge.outbox.port import ENVELOPE_OVERHEAD_BYTES
from edge.outbox.rules import damaged
from edge.uplink.flow import MAX_AHEAD, StreamFlow, runs
from edge.uplink.port import Message
from edge.uplink.settings import UplinkSettings

# Commas between the rows come on top of the rows' own bytes.
ROWS_BYTES: Final = MAX_ENVELOPE_BYTES - ENVELOPE_OVERHEAD_BYTES - MAX_ENVELOPE_ROWS

_json: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(slots=True)
class UplinkCounters:
    """What the uplink has done since the agent started."""

    envelopes: int = 0
    rows_sent: int = 0
    alarms_ahead: int = 0  # rows sent before their turn
    acknowledged: int = 0
    resends: int = 0  # times that sending began again because the watermark stood still
    sessions: int = 0  # central sessions heard
    bad_watermarks: int = 0
    skipped_watermarks: int = 0  # older ones of a flood: the newest say all that they said
    foreign_epochs: int = 0  # marks for an epoch that isn't ours
    connections: int = 0
    connection_failures: int = 0
    outbox_failures: int = 0
    damaged_rows: int = 0  # rows whose bytes on disk are no JSON any more, sent as gap rows
    renewals: int = 0  # connections left for a new certificate of ours
    renewal_failures: int = 0  # times that a new certificate was tried beside the connection and failed
    inbound_failures: int = 0  # messages of the central that their taker failed on


@dataclass(slots=True)
class Pump:
    """The sequenced streams of one gateway on their way up."""

    outbox: Outbox
    site: str
    gateway: str
    settings: UplinkSettings
    log: structlog.typing.FilteringBoundLogger
    counters: UplinkCounters = field(default_factory=UplinkCounters)
    central_heard: bool = False  # a watermark came in this connection
    behind: bool = False  # after the last `due`: rows wait that may not be sent yet, or the watermark stands still
    waiting: bool = True  # after the last `due`: more rows may wait to be sent
    _session: str | None = None
    _flows: dict[Stream, StreamFlow] = field(default_factory=dict)
    _connected_at_s: float = 0.0
    _bad_watermark: bool = False
    _foreign: set[Stream] = field(default_factory=set)  # told of a foreign epoch since a mark of ours came
    _damaged: bool = False

    def connected(self, now_s: float) -> None:
        """Begin anew: what an earlier connection carried may be lost."""
        self.central_heard = False
        self.waiting = True
        self._connected_at_s = now_s
        for flow in self._flows.values():
            flow.rewind(now_s)

    def heard(self, payload: bytes, now_s: float) -> None:
        """Take a watermark as it came from the broker."""
        try:
            watermark = decode_watermark(payload)
        except ContractError as error:
            self.counters.bad_watermarks += 1
            if not self._bad_watermark:
                self.log.warning("watermark can't be read: rows stay until one can", problem=str(error))
            self._bad_watermark = True
            return
        if self._bad_watermark:
            self._bad_watermark = False
            self.log.info("watermark can be read again")
        self._take(watermark, now_s)

    def due(self, now_s: float, now_us: int, max_messages: int) -> list[Message]:
        """Return the next envelopes, alarms before backlog; they count as sent.

        Args:
            now_s: the monotonic clock.
            now_us: the wall clock, by which the outbox notes when a row was written.
            max_messages: at most about this many; rows sent together may take a few more.
        """
        if not self.central_heard and now_s - self._connected_at_s < self.settings.watermark_wait_s:
            return []
        messages: list[Message] = []
        self.behind = self.waiting = False
        for stream in STREAMS:
            flow = self._flow(stream, now_s)
            if flow.stalled(now_s, self.settings.resend_max_s):
                self._send_again(stream, flow, now_s)
            fresh_us = now_us - round(self.settings.alarm_fresh_s * 1e6)
            messages += self._alarms(stream, flow, now_s, fresh_us, max_messages - len(messages))
            messages += self._in_order(stream, flow, now_s, max_messages - len(messages))
            self.behind |= not flow.room or flow.stalls > 0
        return messages

    def drained(self) -> bool:
        """Tell whether the watermark covers everything that was written."""
        return all(self.outbox.stats(stream).pending == 0 for stream in STREAMS)

    def _take(self, watermark: Watermark, now_s: float) -> None:
        restart = watermark.session != self._session
        if restart:
            self.counters.sessions += 1
        for stream in STREAMS:
            mark = watermark.streams.get(stream)
            self._take_mark(stream, mark, restart=restart, now_s=now_s)
        self._session = watermark.session
        self.central_heard = True

    def _take_mark(self, stream: Stream, mark: StreamMark | None, *, restart: bool, now_s: float) -> None:
        flow = self._flow(stream, now_s)
        if mark is not None and mark.epoch != flow.epoch:
            self._note_foreign(stream, mark.epoch, flow.epoch)
            mark = None
        elif mark is not None:
            self._foreign.discard(stream)
        if mark is None:
            if not restart:
                return
            mark = StreamMark(epoch=flow.epoch, upto=0)  # the central holds nothing of this epoch
        coverage = Coverage.of(mark)
        if not restart and not flow.advances(coverage):
            return
        self.counters.acknowledged += self.outbox.commit(stream, mark)
        if flow.stalls:
            self.log.info("watermark moves again", stream=stream, upto=coverage.upto)
        if self._flow(stream, now_s) is flow:  # else the outbox found that it is an old copy and began a new epoch
            flow.take_mark(coverage, restart=restart, now_s=now_s)

    def _note_foreign(self, stream: Stream, theirs: str, ours: str) -> None:
        self.counters.foreign_epochs += 1
        if stream not in self._foreign:
            self._foreign.add(stream)
            self.log.warning("watermark is for another epoch: no row is freed", stream=stream, theirs=theirs, ours=ours)

    def _flow(self, stream: Stream, now_s: float) -> StreamFlow:
        """Return the stream's flow; where the outbox began a new epoch the old one's is of no use."""
        epoch = self.outbox.epoch(stream)
        flow = self._flows.get(stream)
        if flow is None or flow.epoch != epoch:
            upto = self.outbox.stats(stream).upto
            flow = StreamFlow(epoch, Coverage(upto), self.settings.resend_after_s, moved_at_s=now_s)
            self._flows[stream] = flow
        return flow

    def _send_again(self, stream: Stream, flow: StreamFlow, now_s: float) -> None:
        if flow.stalls == 1:
            self.log.warning("watermark stands still: sending again from it", stream=stream, upto=flow.coverage.upto)
        self.counters.resends += 1
        flow.rewind(now_s)

    def _alarms(
        self, stream: Stream, flow: StreamFlow, now_s: float, fresh_us: int, max_messages: int
    ) -> list[Message]:
        """Send fresh alarms before their turn, where their turn doesn't come now anyway."""
        if max_messages <= 0 or not flow.room_ahead:
            return []
        turn = flow.cursor + min(flow.room, max_messages * MAX_ENVELOPE_ROWS)
        rows = self.outbox.pending(
            stream, after=turn, max_rows=MAX_AHEAD, max_bytes=ROWS_BYTES, urgent_since_us=fresh_us
        )
        if not rows or self.outbox.epoch(stream) != flow.epoch:
            return []
        send = flow.take_ahead(rows, now_s)
        self.counters.alarms_ahead += len(send)
        return self._envelopes(stream, flow, send)

    def _in_order(self, stream: Stream, flow: StreamFlow, now_s: float, max_messages: int) -> list[Message]:
        messages: list[Message] = []
        while len(messages) < max_messages and flow.room:
            limit = min(MAX_ENVELOPE_ROWS, flow.room)
            rows = self.outbox.pending(stream, after=flow.cursor, max_rows=limit, max_bytes=ROWS_BYTES)
            if not rows:
                return messages
            if self.outbox.epoch(stream) != flow.epoch:
                break
            messages += self._envelopes(stream, flow, flow.take_turn(rows, now_s))
        self.waiting = True
        return messages

    def _envelopes(self, stream: Stream, flow: StreamFlow, rows: list[StoredRow]) -> list[Message]:
        where = topic(self.site, self.gateway, stream)
        messages = []
        for run in runs(rows):
            payload = encode_envelope(
                gateway=self.gateway,
                stream=stream,
                epoch=flow.epoch,
                first=run[0].seq,
                last=run[-1].seq,
                rows=[self._sound(row) for row in run],
            )
            messages.append(Message(where, payload))
            self.counters.rows_sent += len(run)
        self.counters.envelopes += len(messages)
        return messages

    def _sound(self, row: StoredRow) -> bytes:
        """Return a row's bytes; where the card spoilt them a gap row, so that its neighbours can still be read."""
        if _is_object(row.payload):
            return row.payload
        self.counters.damaged_rows += 1
        if not self._damaged:
            self._damaged = True
            self.log.error("a row in the outbox is damaged: a gap row goes in its place", seq=row.seq)
        return damaged(row.seq)


def _is_object(payload: bytes) -> bool:
    try:
        _json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
