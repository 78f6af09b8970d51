"""Rows on their way into the outbox: committed in groups, held and tried again while the outbox can't be written.

Order: rows reach the outbox in the order of `add`.
Ownership: a row belongs to the journal until the outbox's `append` returned.
Loss: none while at most `max_held_rows` wait. Beyond that new rows are dropped and counted, and of movements one `loss`
row says so as soon as the outbox takes rows again; a span of presence that isn't told covers nothing, which says it.
Alarms have room of their own beyond that, so that a full house of ordinary rows doesn't keep them out.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Final

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
        self._dropping = False
        self._wake = asyncio.Event()
        self._stopping = False
        self.problem = ""
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
                    self._log.error(
                        "rows lost at stop: the outbox can't be written", rows=self.held, problem=self.problem
                    )
                    return
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
        try:
            write = partial(self._outbox.append, self._stream, group, opened=stays, closed=list(closed))
            await asyncio.get_running_loop().run_in_executor(self._executor, write)
        except OutboxError as error:
            self._note_problem(str(error))
            return False
        self._note_problem("")
        self._dropping = False
        self._forget(len(rows), opened, closed)
        if loss is not None and self._loss is loss:
            self._loss = None
        self.committed += len(group)
        self._notify()
        return True

    def _forget(self, rows: int, opened: dict[str, OpenRecord], closed: dict[str, None]) -> None:
        """Let go of what was written; what changed again meanwhile stays for the next group."""
        del self._rows[:rows]
        for passage, record in opened.items():
            if self._opened.get(passage) is record:
                del self._opened[passage]
        for passage in closed:
            self._closed.pop(passage, None)

    def _note_problem(self, problem: str) -> None:
        if problem and not self.problem:
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
