"""What a session's messages mean: reads, reader time, and rows for what the reader lost or its inputs saw."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from structlog.typing import FilteringBoundLogger

from edge.contracts import LossRow, SensorRow, instant
from edge.llrp import Chunk as Messages
from edge.llrp import ReportDecoder, TagBatch
from edge.llrp.batch import NO_TIME_US
from edge.llrp.control import ReaderEvent
from edge.llrp.reports import empty_batch
from edge.readers.clock import ClockFilter
from edge.readers.hearing import Hearing, is_epc
from edge.readers.inputs import Debounce, Edge
from edge.readers.losses import LossLog
from edge.readers.model import Chunk, ClockState, ReaderCounters, ReaderRow, ReaderSettings

OVERFLOW: Final = "reader_buffer_overflow"
UNDECODABLE: Final = "undecodable_report"
DISCONNECTED: Final = "reader_disconnected"


class Intake:
    """One connection's decoder and clock; counts go on over connections."""

    def __init__(
        self,
        settings: ReaderSettings,
        counters: ReaderCounters,
        log: FilteringBoundLogger,
        *,
        lost_at_us: int | None = None,
        losses: LossLog | None = None,
    ) -> None:
        self._settings = settings
        self._counters = counters
        self._log = log
        self._lost_at_us = lost_at_us
        self._gpis = {gpi.port: gpi for gpi in settings.gpis}
        self._antennas = np.array(settings.antennas, np.uint16)
        self._decoder = ReportDecoder()
        self._filter = ClockFilter()
        self._report_us: int | None = None
        self._losses = LossLog(settings.id) if losses is None else losses
        self._told: set[str] = set()
        self._unplugged: set[int] = set()
        self._debounce = Debounce(settings.gpis)
        self._reference_epcs = tuple(bytes.fromhex(epc) for epc in sorted(settings.reference_epcs))
        self.hearing = Hearing()
        """What the antennas heard, reference tags included, for the judgement of them."""
        self.news = Hearing()
        """The same, for the plan, which is looked at more often."""
        self.plugged: list[tuple[int, bool, int]] = []
        """Antennas that came off or on since somebody looked: port, whether on, last proof of life before it."""
        self.heard_us: int | None = None

    def take(self, arrival_us: int, messages: Messages, events: Sequence[ReaderEvent]) -> list[Chunk]:
        """Return what one receive brought: one chunk, or two where the reader's clock made a step within it."""
        proof_us = arrival_us if self.heard_us is None else self.heard_us
        self.heard_us = arrival_us
        rows: list[ReaderRow] = []
        for event in events:
            if event.connection_attempt is not None:
                self._filter.greet(arrival_us, utc_us=event.utc_us, uptime_us=event.uptime_us)
        parts = [(empty_batch(0), self._filter.state())]
        if messages.reports:
            parts = self._timed(self._decode(messages, arrival_us), arrival_us)
        rows += self._losses.due(arrival_us)
        for event in events:
            self._meet(event, arrival_us, parts[-1][1], rows)
            if event.antenna is not None:
                self.plugged.append((*event.antenna, proof_us))
        chunks = [
            Chunk(self._settings.id, arrival_us, self._heard(batch, arrival_us, clock), clock) for batch, clock in parts
        ]
        return [*chunks[:-1], replace(chunks[-1], rows=tuple(rows))]

    def evidence(self, batch: TagBatch) -> TagBatch:
        """Return a batch without the reads of reference tags, which are no asset and pass no door."""
        if not self._reference_epcs:
            return batch
        theirs = np.logical_or.reduce([is_epc(batch, epc) for epc in self._reference_epcs])
        if not theirs.any():
            return batch
        self._counters.reference_reads += int(batch.seen_count[theirs].sum())
        return _rows(batch, ~theirs)

    def _timed(self, batch: TagBatch, arrival_us: int) -> list[tuple[TagBatch, ClockState]]:
        """Return a batch with the clock that its times are of, cut where that made a step."""
        cut = self._filter.step_within(
            arrival_us, batch.last_us if self._filter.state().source == "reader" else batch.last_uptime_us
        )
        parts = [_rows(batch, slice(cut)), _rows(batch, slice(cut, None))] if cut else [batch]
        return [
            (
                part,
                self._filter.observe(arrival_us, utc_us=_newest(part.last_us), uptime_us=_newest(part.last_uptime_us)),
            )
            for part in parts
        ]

    def _heard(self, batch: TagBatch, arrival_us: int, clock: ClockState) -> TagBatch:
        """Note what the antennas heard, and return what is evidence of passages."""
        if len(batch):
            self.hearing.add(batch, arrival_us, clock)
            self.news.add(batch, arrival_us, clock)
            batch = self.evidence(batch)
        if len(batch):
            self._count(batch, arrival_us)
        return batch

    def inputs_are_settled(self) -> None:
        """Say that the reader debounces its inputs itself: what comes has lasted already."""
        self._debounce = Debounce(tuple(replace(gpi, debounce_ms=0) for gpi in self._settings.gpis))

    def levels(self, states: Mapping[int, bool], now_us: int) -> Chunk:
        """Take the inputs' levels as the reader holds them when a session begins."""
        edges = [
            edge
            for port, state in states.items()
            if port in self._gpis
            for edge in self._debounce.level(port, state=state, at_us=now_us)
        ]
        rows = tuple(self._sensor_row(edge) for edge in edges)
        return Chunk(self._settings.id, now_us, empty_batch(0), self._filter.state(), rows)

    def settle_inputs(self, now_us: int) -> Chunk | None:
        """Return the inputs' changes that have lasted by now, if there are any."""
        edges = self._debounce.settle(now_us)
        if not edges:
            return None
        rows = tuple(self._sensor_row(edge) for edge in edges)
        return Chunk(self._settings.id, now_us, empty_batch(0), self._filter.state(), rows)

    @property
    def inputs_due_us(self) -> int:
        """When `settle_inputs` has something to say at the earliest."""
        return self._debounce.due_us()

    @property
    def clock(self) -> ClockState:
        """The reader's clock as known now."""
        return self._filter.state()

    def started(self, now_us: int) -> Chunk:
        """Return the chunk that says that the reader inventories, with what the outage before it may have cost."""
        rows: tuple[ReaderRow, ...] = ()
        if self._lost_at_us is not None:
            rows = (self._loss(DISCONNECTED, self._lost_at_us, now_us),)
        return Chunk(self._settings.id, now_us, empty_batch(0), self._filter.state(), rows)

    def ended(self, now_us: int) -> Chunk | None:
        """Return the losses that waited to be told with those after them, if there are any."""
        rows = tuple(self._losses.due(now_us, all_of_them=True))
        return Chunk(self._settings.id, now_us, empty_batch(0), self._filter.state(), rows) if rows else None

    def bad_message(self, words: str) -> None:
        """Count a control message that can't be read; the first of a connection is logged."""
        self._counters.bad_messages += 1
        self._tell("bad message", f"a message can't be read: {words}")

    def stray_message(self, words: str) -> None:
        """Count a message that nobody waits for; the first of a connection is logged."""
        self._counters.stray_messages += 1
        self._tell("stray message", words)

    def _decode(self, messages: Messages, arrival_us: int) -> TagBatch:
        before = self._decoder.fault_count
        batch = self._decoder.decode(messages.data)
        self._counters.reports += messages.reports
        lost = self._decoder.fault_count - before
        if lost:
            self._counters.lost_reports += lost
            since_us = arrival_us if self._report_us is None else self._report_us
            self._losses.add(UNDECODABLE, since_us, arrival_us, lost)
            self._tell(UNDECODABLE, f"reports can't be decoded: {self._decoder.faults[0]}")
        self._report_us = arrival_us
        return batch

    def _meet(self, event: ReaderEvent, arrival_us: int, clock: ClockState, rows: list[ReaderRow]) -> None:
        at_us = _host_us(event, arrival_us, clock)
        if event.overflow:
            self._counters.buffer_overflows += 1
            rows.append(self._loss(OVERFLOW, at_us if self._report_us is None else self._report_us, at_us))
            self._tell(OVERFLOW, "the reader's report buffer overflowed: reads are lost; each time is a row `loss`")
        if event.buffer_percent is not None:
            self._counters.buffer_warnings += 1
            self._tell("buffer", f"the reader's report buffer is {event.buffer_percent} % full")
        if event.antenna is not None:
            self._meet_antenna(*event.antenna)
        if event.exception is not None:
            self._tell(
                f"exception {event.exception}", f"the reader reports an exception: {event.exception or 'no text'}"
            )
        if event.gpi is not None and event.gpi[0] in self._gpis:
            port, state = event.gpi
            edges = self._debounce.level(port, state=state, at_us=at_us)
            self._counters.bounces += self._debounce.take_bounces()
            rows += [self._sensor_row(edge) for edge in edges]

    def _sensor_row(self, edge: Edge) -> SensorRow:
        kind = self._gpis[edge.gpi].kind
        return SensorRow(
            seq=0, reader=self._settings.id, gpi=edge.gpi, kind=kind, state=edge.state, at=instant(edge.at_us)
        )

    def _meet_antenna(self, port: int, connected: bool) -> None:  # noqa: FBT001 (as the event says it)
        """Tell a cable that comes off, and its return; that all are on is how a session begins."""
        if not connected and port not in self._unplugged:
            self._unplugged.add(port)
            self._log.warning("antenna disconnected", antenna=port)
        elif connected and port in self._unplugged:
            self._unplugged.discard(port)
            self._log.info("antenna back", antenna=port)

    def _count(self, batch: TagBatch, arrival_us: int) -> None:
        counters = self._counters
        seen = batch.seen_count.astype(np.int64)
        counters.reads += int(seen.sum())
        counters.unlisted_reads += int(seen[~np.isin(batch.antenna, self._antennas)].sum())
        counters.last_read_us = arrival_us

    def _loss(self, reason: str, from_us: int, to_us: int) -> LossRow:
        first_us = min(from_us, to_us)
        return LossRow(seq=0, reader=self._settings.id, reason=reason, from_=instant(first_us), to=instant(to_us))

    def _tell(self, condition: str, words: str) -> None:
        if condition not in self._told:
            self._told.add(condition)
            self._log.warning(words)


def _rows(batch: TagBatch, which: slice | np.ndarray[tuple[int], np.dtype[np.bool_]]) -> TagBatch:
    return TagBatch(**{name: getattr(batch, name)[which] for name in TagBatch.__slots__})


def _newest(times_us: np.ndarray[tuple[int], np.dtype[np.int64]]) -> int | None:
    newest = int(times_us.max(initial=NO_TIME_US))
    return None if newest == NO_TIME_US else newest


def _host_us(event: ReaderEvent, arrival_us: int, clock: ClockState) -> int:
    """Return an event's host time by its own clock, where that is the one that the offset is of."""
    reader_us = {"reader": event.utc_us, "uptime": event.uptime_us}.get(clock.source)
    return arrival_us if reader_us is None else min(arrival_us, reader_us + clock.offset_us)
