"""An outbox without a disk, for tests and trials: the same promises for as long as the process lives."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import RLock
from uuid import uuid4

from edge.contracts import Row, Stream, StreamMark
from edge.outbox.errors import OutboxUnavailableError
from edge.outbox.port import MAX_BEYOND_WATERMARK, STREAMS, OpenRecord, OutboxSettings, OutboxStats, StoredRow
from edge.outbox.rules import (
    Coverage,
    Numbered,
    droppable_run,
    droppable_streams,
    gap,
    gap_over,
    number,
    renumber,
    what_stays,
    within,
)


@dataclass(slots=True)
class _Kept:
    written_us: int
    urgent: bool
    payload: bytes


@dataclass(slots=True)
class _StreamStore:
    epoch: str
    written: int = 0
    dropped: int = 0
    coverage: Coverage = field(default_factory=Coverage)
    rows: dict[int, _Kept] = field(default_factory=dict)  # by number, in any order
    notes: list[tuple[int, int]] = field(default_factory=list)  # (upto, when the watermark came to stand there)


class MemoryOutbox:
    """`Outbox` in dictionaries; `now_us` and `new_epoch` are arguments for the tests' sake."""

    def __init__(
        self,
        settings: OutboxSettings | None = None,
        *,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1_000,
        new_epoch: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        self._settings = settings or OutboxSettings()
        self._now_us = now_us
        self._new_epoch = new_epoch
        self._streams = {stream: _StreamStore(new_epoch()) for stream in STREAMS}
        self._open: dict[str, bytes] = {}
        self._lock = RLock()

    def append(
        self, stream: Stream, rows: Sequence[Row], *, opened: Sequence[OpenRecord] = (), closed: Sequence[str] = ()
    ) -> range:
        """See `Outbox.append`."""
        with self._lock:
            store = self._streams[stream]
            numbered = number(rows, store.written + 1)
            self._make_room(stream, sum(len(row.payload) for row in numbered))
            self._put(store, numbered)
            self._open.update((record.passage, record.payload) for record in opened)
            for passage in closed:
                self._open.pop(passage, None)
            return range(store.written + 1 - len(numbered), store.written + 1)

    def pending(
        self, stream: Stream, *, after: int, max_rows: int, max_bytes: int, urgent_since_us: int | None = None
    ) -> list[StoredRow]:
        """See `Outbox.pending`."""
        with self._lock:
            store = self._streams[stream]
            waiting = [seq for seq in sorted(store.rows) if seq > after and seq not in store.coverage]
            if urgent_since_us is None:
                return within((StoredRow(seq, store.rows[seq].payload) for seq in waiting), max_rows, max_bytes)
            kept = ((seq, store.rows[seq]) for seq in reversed(waiting))
            alarms = (
                StoredRow(seq, row.payload) for seq, row in kept if row.urgent and row.written_us >= urgent_since_us
            )
            return within(alarms, max_rows, max_bytes)[::-1]

    def commit(self, stream: Stream, mark: StreamMark) -> int:
        """See `Outbox.commit`."""
        with self._lock:
            store = self._streams[stream]
            coverage = Coverage.of(mark) if mark.epoch == store.epoch else Coverage()
            if coverage.top > store.written:
                self._begin_epoch(store)
                return 0
            gained = coverage.size - store.coverage.size
            store.coverage = coverage
            self._fill_holes(store)
            now_us = self._now_us()
            store.notes = [note for note in store.notes if note[0] < coverage.upto]
            store.notes.append((coverage.upto, now_us))
            self._expire(store, now_us)
            return max(gained, 0)

    def open_passages(self) -> list[OpenRecord]:
        """See `Outbox.open_passages`."""
        with self._lock:
            return [OpenRecord(passage, payload) for passage, payload in sorted(self._open.items())]

    def epoch(self, stream: Stream) -> str:
        """See `Outbox.epoch`."""
        return self._streams[stream].epoch

    def stats(self, stream: Stream) -> OutboxStats:
        """See `Outbox.stats`."""
        with self._lock:
            store = self._streams[stream]
            oldest = min((seq for seq in store.rows if seq not in store.coverage), default=None)
            return OutboxStats(
                stream=stream,
                epoch=store.epoch,
                written=store.written,
                upto=store.coverage.upto,
                pending=store.written - store.coverage.size,
                oldest_us=None if oldest is None else store.rows[oldest].written_us,
                dropped=store.dropped,
                set_aside=0,
            )

    def close(self) -> None:
        """See `Outbox.close`; what was stored can still be read."""

    def _put(self, store: _StreamStore, numbered: Sequence[Numbered]) -> None:
        now_us = self._now_us()
        for row in numbered:
            store.rows[row.seq] = _Kept(now_us, row.urgent, row.payload)
            store.dropped += row.dropped
        store.written += len(numbered)

    def _begin_epoch(self, store: _StreamStore) -> None:
        payloads = [kept.payload for seq, kept in sorted(store.rows.items()) if seq not in store.coverage]
        store.epoch, store.written, store.coverage = self._new_epoch(), 0, Coverage()
        store.rows, store.notes = {}, []
        self._put(store, renumber(payloads, 1))

    def _fill_holes(self, store: _StreamStore) -> None:
        lowest = min(store.rows, default=store.written + 1)
        for first, last in store.coverage.holes(lowest):
            payload = gap(first, last, "acknowledged long ago and no longer kept", last - first + 1)
            store.rows[last] = _Kept(self._now_us(), urgent=False, payload=payload)

    def _expire(self, store: _StreamStore, now_us: int) -> None:
        before_us = now_us - round(self._settings.keep_acknowledged_s * 1e6)
        upto = max((upto for upto, at_us in store.notes if at_us <= before_us), default=0)
        store.rows = {seq: kept for seq, kept in store.rows.items() if seq > upto}

    def _make_room(self, stream: Stream, wanted: int) -> None:
        while (over := self._used() + wanted - self._settings.max_bytes) > 0:
            forgot = [self._forget_acknowledged(store, over) for store in self._streams.values()]
            if not any(forgot) and not any(self._drop(self._streams[one]) for one in droppable_streams(stream)):
                kept = [kept.urgent for store in self._streams.values() for kept in store.rows.values()]
                raise OutboxUnavailableError(
                    f"the memory outbox has {self._settings.max_bytes} bytes, and they are full of "
                    f"{what_stays(stream, sum(kept), len(kept) - sum(kept))}; wait for the central"
                )

    def _used(self) -> int:
        return sum(len(kept.payload) for store in self._streams.values() for kept in store.rows.values())

    def _forget_acknowledged(self, store: _StreamStore, over: int) -> bool:
        held = sorted(seq for seq in store.rows if seq <= store.coverage.upto)
        freed = 0
        for seq in held:
            if freed >= over:
                break
            freed += len(store.rows.pop(seq).payload)
        return bool(held)

    def _drop(self, store: _StreamStore) -> bool:
        floor = store.coverage.upto + MAX_BEYOND_WATERMARK
        rows = (
            StoredRow(seq, kept.payload)
            for seq, kept in sorted(store.rows.items())
            if seq > floor and not kept.urgent and seq not in store.coverage
        )
        run = droppable_run(rows, max_rows=max(2, len(store.rows) // 4))
        if not run:
            return False
        payload, dropped = gap_over(run, "outbox full")
        for row in run:
            del store.rows[row.seq]
        store.rows[run[-1].seq] = _Kept(self._now_us(), urgent=False, payload=payload)
        store.dropped += dropped
        return True
