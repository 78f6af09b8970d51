"""The outbox on disk: SQLite, WAL, synchronous FULL. A returned `append` survives kill -9 and the mains."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from threading import RLock
from typing import Final, TypeVar
from uuid import uuid4

import msgspec
import structlog

from edge.contracts import Row, Stream, StreamMark
from edge.outbox import file
from edge.outbox.errors import OutboxUnavailableError
from edge.outbox.port import MAX_BEYOND_WATERMARK, STREAMS, OpenRecord, OutboxSettings, OutboxStats, StoredRow
from edge.outbox.queries import QUERIES
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

# A note of the watermark stands for the minute after it: one small row a minute tells how long rows were acknowledged.
NOTE_EVERY_US: Final = 60_000_000
# One transaction forgets no more than this, so that `commit` stays short on an SD card.
FORGET_ROWS: Final = 5_000
# Rows are dropped in blocks: a gap row for every few rows would fill the disk with gaps.
DROP_ROWS: Final = 1_000
_TOP: Final = 2**63 - 1

_T = TypeVar("_T")


class SqliteOutbox:
    """`Outbox` in one file; a file that is damaged is set aside, what can be read of it moves to a new epoch."""

    def __init__(
        self,
        path: Path,
        settings: OutboxSettings | None = None,
        *,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1_000,
        new_epoch: Callable[[], str] = lambda: uuid4().hex,
        log: structlog.typing.FilteringBoundLogger | None = None,
    ) -> None:
        self._path = path
        self._settings = settings or OutboxSettings()
        self._now_us = now_us
        self._new_epoch = new_epoch
        self._log: structlog.typing.FilteringBoundLogger = log or structlog.get_logger("edge.outbox")
        self._lock = RLock()
        self._set_aside = 0
        self._dropping: set[Stream] = set()
        self._hold = file.hold(path)
        try:
            self._db = self._open_or_set_aside()
        except BaseException:
            os.close(self._hold)
            raise

    def append(
        self, stream: Stream, rows: Sequence[Row], *, opened: Sequence[OpenRecord] = (), closed: Sequence[str] = ()
    ) -> range:
        """See `Outbox.append`."""

        def work() -> range:
            with self._transaction():
                written = self._numbers(stream)[1]
                numbered = number(rows, written + 1)
                dropping = self._make_room(stream, sum(len(row.payload) for row in numbered))
                self._put(stream, numbered)
                self._db.executemany(QUERIES["open_passage"], [record._asdict() for record in opened])
                self._db.executemany(QUERIES["close_passage"], [{"passage": passage} for passage in closed])
            self._tell_dropping(dropping)
            return range(written + 1, written + 1 + len(numbered))

        return self._guarded(work)

    def pending(
        self, stream: Stream, *, after: int, max_rows: int, max_bytes: int, urgent_since_us: int | None = None
    ) -> list[StoredRow]:
        """See `Outbox.pending`."""

        def work() -> list[StoredRow]:
            coverage = self._coverage(stream)
            query = {"stream": stream, "after": max(after, coverage.upto)}
            if urgent_since_us is None:
                with closing(self._db.execute(QUERIES["rows_after"], query)) as found:
                    rows = (StoredRow(seq, payload) for seq, payload in found if seq not in coverage)
                    return within(rows, max_rows, max_bytes)
            with closing(self._db.execute(QUERIES["alarms_after"], query)) as found:
                fresh = takewhile(lambda row: row[2] >= urgent_since_us, found)
                rows = (StoredRow(seq, payload) for seq, payload, _ in fresh if seq not in coverage)
                return within(rows, max_rows, max_bytes)[::-1]

        return self._guarded(work)

    def commit(self, stream: Stream, mark: StreamMark) -> int:
        """See `Outbox.commit`."""

        def work() -> int:
            epoch, written, *_ = self._numbers(stream)
            coverage = Coverage.of(mark) if mark.epoch == epoch else Coverage()
            if coverage.top > written:
                self._begin_epoch(stream, f"the central holds row {coverage.top}, this store has written {written}")
                return 0
            before = self._coverage(stream)
            if coverage == before:
                return 0
            with self._transaction(durable=False):
                self._keep_mark(stream, coverage)
                if coverage.upto < before.upto:
                    self._fill_holes(stream, coverage)
                self._expire(stream)
            return max(coverage.size - before.size, 0)

        return self._guarded(work)

    def open_passages(self) -> list[OpenRecord]:
        """See `Outbox.open_passages`."""
        return self._guarded(lambda: [OpenRecord(*row) for row in self._db.execute(QUERIES["open_passages"])])

    def epoch(self, stream: Stream) -> str:
        """See `Outbox.epoch`."""
        return self._guarded(lambda: self._numbers(stream)[0])

    def stats(self, stream: Stream) -> OutboxStats:
        """See `Outbox.stats`."""

        def work() -> OutboxStats:
            epoch, written, upto, _, dropped = self._numbers(stream)
            coverage = self._coverage(stream)
            with closing(self._db.execute(QUERIES["written_at"], {"stream": stream, "after": upto})) as found:
                oldest_us = next((written_us for seq, written_us in found if seq not in coverage), None)
            return OutboxStats(
                stream=stream,
                epoch=epoch,
                written=written,
                upto=upto,
                pending=written - coverage.size,
                oldest_us=oldest_us,
                dropped=dropped,
                set_aside=self._set_aside,
            )

        return self._guarded(work)

    def close(self) -> None:
        """See `Outbox.close`."""
        with self._lock:
            self._db.close()
            if self._hold >= 0:
                os.close(self._hold)
                self._hold = -1

    def _guarded(self, work: Callable[[], _T]) -> _T:
        """Run a piece of work; where the file turns out damaged, set it aside and run the work on a new one."""
        with self._lock:
            try:
                return work()
            except sqlite3.Error as error:
                if not file.is_damage(error):
                    raise file.unavailable(self._path, error) from error
                self._replace(error)
            try:
                return work()
            except sqlite3.Error as error:
                raise file.unavailable(self._path, error) from error

    @contextmanager
    def _transaction(self, *, durable: bool = True) -> Iterator[None]:
        """All or nothing; one that isn't durable may be forgotten by the mains, never half done."""
        self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                with suppress(sqlite3.Error):  # the first error is the one to tell
                    self._db.execute("ROLLBACK")
            raise

    def _open(self) -> sqlite3.Connection:
        db = file.connect(self._path)
        for stream in STREAMS:
            db.execute(QUERIES["add_stream"], {"stream": stream, "epoch": self._new_epoch()})
        return db

    def _open_or_set_aside(self) -> sqlite3.Connection:
        try:
            return self._open()
        except sqlite3.Error as error:
            if not file.is_damage(error):
                raise file.unavailable(self._path, error) from error
            self._replace(error)
            return self._db

    def _replace(self, damage: sqlite3.Error) -> None:
        """Set the damaged file aside, begin anew and take over what can still be read of the old."""
        with suppress(sqlite3.Error, AttributeError):  # no connection yet where the file was damaged at the start
            self._db.close()
        try:
            aside = file.set_aside(self._path, self._now_us())
            self._db = self._open()
        except (OSError, sqlite3.Error) as error:
            raise OutboxUnavailableError(f"outbox {self._path} is damaged and can't be made anew: {error}") from error
        self._set_aside += 1
        saved = file.salvage(aside)
        with self._transaction():
            for stream, payloads in saved.rows.items():
                self._put(stream, renumber(payloads, 1))
                self._db.execute(QUERIES["add_dropped"], {"stream": stream, "dropped": saved.lost[stream]})
            self._db.executemany(QUERIES["open_passage"], [record._asdict() for record in saved.open_passages])
        self._log.error(
            "outbox file was damaged: set aside, a new epoch begins",
            aside=str(aside),
            damage=str(damage),
            rows_saved=sum(map(len, saved.rows.values())),
            rows_lost=sum(saved.lost.values()),
        )

    def _begin_epoch(self, stream: Stream, why: str) -> None:
        """Number the pending rows anew: their old numbers were given to other rows before."""
        rows = self._db.execute(QUERIES["rows_after"], {"stream": stream, "after": 0}).fetchall()
        coverage = self._coverage(stream)
        payloads = [payload for seq, payload in rows if seq not in coverage]
        epoch = self._new_epoch()
        with self._transaction():
            self._db.execute(QUERIES["delete_range"], {"stream": stream, "first": 0, "last": _TOP})
            self._db.execute(QUERIES["forget_acknowledged_above"], {"stream": stream, "upto": -1})
            self._db.execute(QUERIES["set_epoch"], {"stream": stream, "epoch": epoch})
            self._put(stream, renumber(payloads, 1))
        self._log.error("outbox is an old copy: a new epoch begins", stream=stream, why=why, rows=len(payloads))

    def _numbers(self, stream: Stream) -> tuple[str, int, int, str, int]:
        row: tuple[str, int, int, str, int] = self._db.execute(QUERIES["get_stream"], {"stream": stream}).fetchone()
        return row

    def _coverage(self, stream: Stream) -> Coverage:
        _, _, upto, above, _ = self._numbers(stream)
        return Coverage(upto, tuple(msgspec.json.decode(above, type=list[tuple[int, int]])))

    def _put(self, stream: Stream, rows: Sequence[Numbered]) -> None:
        if not rows:
            return
        now_us = self._now_us()
        self._db.executemany(
            QUERIES["add_row"],
            [
                {"stream": stream, "seq": row.seq, "written_us": now_us, "urgent": row.urgent, "payload": row.payload}
                for row in rows
            ],
        )
        dropped = sum(row.dropped for row in rows)
        self._db.execute(QUERIES["set_written"], {"stream": stream, "written": rows[-1].seq, "dropped": dropped})

    def _put_gap(self, stream: Stream, seq: int, payload: bytes) -> None:
        row = {"stream": stream, "seq": seq, "written_us": self._now_us(), "urgent": False, "payload": payload}
        self._db.execute(QUERIES["add_row"], row)

    def _keep_mark(self, stream: Stream, coverage: Coverage) -> None:
        above = msgspec.json.encode(coverage.above).decode()
        self._db.execute(QUERIES["set_mark"], {"stream": stream, "upto": coverage.upto, "above": above})
        self._db.execute(QUERIES["forget_acknowledged_above"], {"stream": stream, "upto": coverage.upto})
        newest = self._db.execute(QUERIES["newest_acknowledged"], {"stream": stream}).fetchone()
        note = {"stream": stream, "upto": coverage.upto, "at_us": self._now_us()}
        if newest is None or note["at_us"] - newest[1] >= NOTE_EVERY_US:
            self._db.execute(QUERIES["add_acknowledged"], note)
        elif newest[0] < coverage.upto:
            self._db.execute(QUERIES["raise_acknowledged"], {**note, "old": newest[0]})
        if stream in self._dropping:
            self._dropping.discard(stream)
            self._log.warning("outbox takes rows again without dropping", stream=stream)

    def _fill_holes(self, stream: Stream, coverage: Coverage) -> None:
        """Declare rows that the central asks for again and that are no longer kept."""
        lowest = self._db.execute(QUERIES["lowest"], {"stream": stream}).fetchone()[0]
        below = lowest if lowest is not None else self._numbers(stream)[1] + 1
        for first, last in coverage.holes(below):
            self._put_gap(stream, last, gap(first, last, "acknowledged long ago and no longer kept", last - first + 1))

    def _expire(self, stream: Stream) -> None:
        before_us = self._now_us() - round(self._settings.keep_acknowledged_s * 1e6)
        query = {"stream": stream, "before_us": before_us}
        upto = self._db.execute(QUERIES["expired_upto"], query).fetchone()[0]
        if upto is not None:
            self._forget(stream, upto, FORGET_ROWS)

    def _forget(self, stream: Stream, upto: int, rows: int) -> bool:
        """Delete the lowest rows up to `upto`, at most so many; tell whether there were any."""
        lowest = self._db.execute(QUERIES["lowest"], {"stream": stream}).fetchone()[0]
        if lowest is None or lowest > upto:
            return False
        last = min(upto, lowest + rows - 1)
        self._db.execute(QUERIES["delete_range"], {"stream": stream, "first": lowest, "last": last})
        return True

    def _make_room(self, stream: Stream, wanted: int) -> set[Stream]:
        """Keep to the disk's budget, in the order that `Outbox` states; return whose rows were dropped."""
        dropping = set[Stream]()
        while self._used() + wanted > self._settings.max_bytes:
            # Every stream forgets something before the size is asked again.
            forgot = [self._forget(one, self._numbers(one)[2], DROP_ROWS) for one in STREAMS]
            if any(forgot):
                continue
            dropped = next((one for one in droppable_streams(stream) if self._drop(one)), None)
            if dropped is None:
                rows, alarms = self._db.execute(QUERIES["kept"]).fetchone()
                raise OutboxUnavailableError(
                    f"outbox {self._path} has {self._settings.max_bytes} bytes, and they are full of "
                    f"{what_stays(stream, alarms, rows - alarms)}: let it reach the central, or raise its limit"
                )
            dropping.add(dropped)
        return dropping

    def _used(self) -> int:
        pages, free, size = (
            self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def _drop(self, stream: Stream) -> bool:
        """Let one gap row take the place of the oldest rows that are no alarm and can't have been sent."""
        coverage = self._coverage(stream)
        query = {"stream": stream, "after": coverage.upto + MAX_BEYOND_WATERMARK}
        with closing(self._db.execute(QUERIES["droppable_after"], query)) as found:
            rows = (StoredRow(seq, payload) for seq, payload in found if seq not in coverage)
            run = droppable_run(rows, DROP_ROWS)
        if not run:
            return False
        payload, dropped = gap_over(run, "outbox full")
        self._db.execute(QUERIES["delete_range"], {"stream": stream, "first": run[0].seq, "last": run[-1].seq})
        self._put_gap(stream, run[-1].seq, payload)
        self._db.execute(QUERIES["add_dropped"], {"stream": stream, "dropped": dropped})
        return True

    def _tell_dropping(self, streams: Iterable[Stream]) -> None:
        """Say so once the rows that they went for are in; where that was refused, they haven't gone."""
        for stream in streams:
            if stream not in self._dropping:
                self._dropping.add(stream)
                self._log.error(
                    "outbox is full: the oldest rows are dropped", stream=stream, limit=self._settings.max_bytes
                )
