"""Rows on their way into the outbox: committed in groups, held and tried again while the outbox can't be written.

Order: rows reach the outbox in the order of `add`.
Ownership: a row belongs to the journal until the outbox's `append` returned.
Loss: none while at most `max_held_rows` wait. Beyond that new rows are dropped and counted, and of movements one `loss`
row says so as soon as the outbox takes rows again; a span of presence that isn't told covers nothing, which says it.
Alarms have room of their own beyond that, so that a full house of ordinary rows doesn't keep them out. What a journal
still holds when it ends is the next one's (`take_over`).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec
from structlog.typing import FilteringBoundLogger

from edge.contracts import LossRow, MovementRow, Row, Stream, instant
from edge.outbox import OpenRecord, Outbox, OutboxError, is_urgent

# One fsync takes 1-20 ms on the cards and disks that agents run on. At most 20 transactions a second leave the disk in
# peace, and an alarm waits at most this long; the first row after a quiet spell is written at once.
COMMIT_PERIOD_S: Final = 0.05
# A full disk is freed by a person or by log rotation: a retry a second notices it soon, and costs nothing.
RETRY_S: Final = 1.0
# A movement row is about 1.5 KB in memory: 75 MB, hours of a busy door.
MAX_HELD_ROWS: Final = 50_000
# An alarm or two a minute for two days; 7 MB.
MAX_HELD_ALARMS: Final = 5_000
# For who asks the agent how it is: what the door decided of late.
LATEST_MOVEMENTS: Final = 10


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a journal's end found unwritten: rows, passages opened and closed, a loss and who wants to know it told."""

    rows: list[Row]
    opened: dict[str, OpenRecord]
    closed: dict[str, None]
    loss: LossRow | None
    told: Callable[[], None] | None


class Journal:
    """Group commit in front of one stream of an outbox."""

    def __init__(
        self,
        outbox: Outbox,
        *,
        executor: Executor | None = None,
        notify: Callable[[], None],
        now_us: Callable[[], int],
        log: FilteringBoundLogger,
        commit_period_s: float = COMMIT_PERIOD_S,
        retry_s: float = RETRY_S,
        max_held_rows: int = MAX_HELD_ROWS,
        max_held_alarms: int = MAX_HELD_ALARMS,
        stream: Stream = "movement",
        max_group_rows: int | None = None,
    ) -> None:
        self._stream: Stream = stream
        self._max_group_rows = max_group_rows
        self._outbox, self._executor, self._notify, self._now_us, self._log = outbox, executor, notify, now_us, log
        self._commit_period_s, self._retry_s, self._max_held_rows = commit_period_s, retry_s, max_held_rows
        self._max_held_alarms = max_held_alarms
        self._rows: list[Row] = []
        self._opened: dict[str, OpenRecord] = {}
        self._closed: dict[str, None] = {}
        self._loss: LossRow | None = None
        self._told: Callable[[], None] | None = None
        self._dropping = False
        self._wake = asyncio.Event()
        self._stopping = False
        self.problem = ""
        self._problem_since_us = 0
        self.dropped = 0
        self.committed = 0
        self.latest: deque[MovementRow] = deque(maxlen=LATEST_MOVEMENTS)

    @property
    def held(self) -> int:
        """Rows that wait for the outbox."""
        return len(self._rows)

    def add(self, rows: Sequence[Row], *, opened: Sequence[OpenRecord] = (), closed: Sequence[str] = ()) -> None:
        """Take rows, and passages opened (or changed) and closed; returns at once."""
        room = max(self._max_held_rows - len(self._rows), 0)
        self._rows.extend(rows[:room])
        self.latest.extend(row for row in rows if isinstance(row, MovementRow))
        alarms = [row for row in rows[room:] if is_urgent(row)] if len(rows) > room else []
        alarms = alarms[: max(self._max_held_rows + self._max_held_alarms - len(self._rows), 0)]
        self._rows.extend(alarms)
        if len(rows) > room + len(alarms):
            self._drop(len(rows) - room - len(alarms))
        self._opened.update((record.passage, record) for record in opened)
        self._closed.update(dict.fromkeys(closed))
        self._wake.set()

    def open_passages(self) -> list[OpenRecord]:
        """Return the passages noted as open: the outbox's notes with what waits here."""
        records = {record.passage: record for record in self._outbox.open_passages()} | self._opened
        return [record for passage, record in records.items() if passage not in self._closed]

    def give_up(self) -> Waiting:
        """Hand out what waits here, once `run` has ended."""
        waiting = Waiting(self._rows, self._opened, self._closed, self._loss, self._told)
        self._rows, self._opened, self._closed, self._loss, self._told = [], {}, {}, None, None
        return waiting

    def take_over(self, waiting: Waiting) -> None:
        """Take what an earlier journal of the stream gave up, before what is held here."""
        if waiting.rows:
            self._log.info(
                "rows that waited for the outbox are taken over", stream=self._stream, rows=len(waiting.rows)
            )
        self._rows[:0] = waiting.rows
        self._opened, self._closed = waiting.opened | self._opened, waiting.closed | self._closed
        if waiting.loss is not None:
            self.declare(waiting.loss, told=waiting.told)
        self._wake.set()

    def declare(self, loss: LossRow, *, told: Callable[[], None] | None) -> None:
        """Tell of a loss with the next rows; `told` is called once the outbox has it."""
        here = self._loss
        if here is not None:
            loss = msgspec.structs.replace(here, from_=loss.from_, count=(loss.count or 0) + (here.count or 0))
        self._loss, self._told = loss, told
        self._wake.set()

    def as_loss(self, reason: str) -> LossRow | None:
        """Return the row that stands for all that is held, None where there is nothing."""
        loss = self._loss
        count = len(self._rows) + (0 if loss is None else loss.count or 0)
        if not count:
            return None
        now = instant(self._now_us())
        since = instant(self._problem_since_us) if self.problem else now
        return LossRow(
            seq=0, reader="agent", reason=reason, from_=since if loss is None else min(loss.from_, since), to=now,
            count=count,
        )  # fmt: skip

    def stop(self) -> None:
        """Ask `run` to write what is held, with one try, and end."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Commit until `stop`; never raises for an outbox that can't be written."""
        while not self._stopping or self._has_work():
            await self._wake.wait()
            self._wake.clear()
            while self._has_work():
                if await self._commit_group():
                    await self._pause(self._commit_period_s)
                elif self._stopping:
                    return  # what is held is the next journal's, or is told as lost
                else:
                    await self._pause(self._retry_s)

    def _has_work(self) -> bool:
        return bool(self._rows or self._opened or self._closed or self._loss)

    async def _pause(self, seconds: float) -> None:
        """Wait, but not when the agent stops."""
        if not self._stopping:
            await asyncio.sleep(seconds)

    def _group(self) -> list[Row]:
        """Return the rows of the next transaction: all, so that a passage's end never parts from its row, or the first.

        Rows of presence are large, and an alarm that comes meanwhile waits for the transaction before it.
        """
        return self._rows[: self._max_group_rows]

    async def _commit_group(self) -> bool:
        """Write a group of rows in one transaction."""
        rows, opened, closed, loss = self._group(), dict(self._opened), dict(self._closed), self._loss
        group = [*rows, loss] if loss is not None else rows
        stays = [record for passage, record in opened.items() if passage not in closed]
        write = partial(self._outbox.append, self._stream, group, opened=stays, closed=list(closed))
        writing = asyncio.get_running_loop().run_in_executor(self._executor, write)
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:  # the thread goes on: what it writes is no longer ours to give up
            await asyncio.wait([writing])
            if writing.exception() is None:
                self._written(len(rows), opened, closed, loss)
            raise
        except OutboxError as error:
            self._note_problem(str(error))
            return False
        self._note_problem("")
        self._dropping = False
        self._written(len(rows), opened, closed, loss)
        self.committed += len(group)
        self._notify()
        return True

    def _written(
        self, rows: int, opened: dict[str, OpenRecord], closed: dict[str, None], loss: LossRow | None
    ) -> None:  # fmt: skip
        """Let go of what was written; what changed again meanwhile stays for the next group."""
        del self._rows[:rows]
        for passage, record in opened.items():
            if self._opened.get(passage) is record:
                del self._opened[passage]
        for passage in closed:
            self._closed.pop(passage, None)
        if loss is not None and self._loss is loss:
            self._loss = None
            if self._told is not None:
                self._told()
                self._told = None

    def _note_problem(self, problem: str) -> None:
        if problem and not self.problem:
            self._problem_since_us = self._now_us()
            self._log.error("outbox can't be written; events are held and tried again", problem=problem)
        elif self.problem and not problem:
            self._log.info("outbox takes events again", held=self.held, dropped=self.dropped)
        self.problem = problem

    def _drop(self, count: int) -> None:
        if not self._dropping:
            self._dropping = True
            self._log.error(
                "too many events held: new ones are dropped until the outbox can be written", held=self.held
            )
        self.dropped += count
        if self._stream == "movement":
            now = instant(self._now_us())
            start, before = (now, 0) if self._loss is None else (self._loss.from_, self._loss.count or 0)
            reason = "the agent's outbox could not be written"
            self._loss = LossRow(seq=0, reader="agent", reason=reason, from_=start, to=now, count=before + count)
