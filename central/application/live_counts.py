"""The counts of all places as text, read once for many who ask; each answer says of when it is."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

FRESH_S: Final = 0.05
"""A text that is younger is not read again."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The counts as they stood when their reading began."""

    as_of: datetime
    text: str
    begun_s: float
    """By the clock that only ages are told by."""


class LiveCounts:
    """Answers at once with what is at most `kept_s` old, while it is read anew; 0 reads for each answer.

    Whoever finds nothing young enough waits for a reading, with all others who do.
    """

    def __init__(
        self,
        read: Callable[[], Awaitable[str]],
        now: Callable[[], datetime],
        *,
        kept_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read, self._now, self._kept_s, self._clock = read, now, kept_s, clock
        self._told: Counted | None = None
        self._reading: asyncio.Task[Counted] | None = None

    async def counted(self) -> Counted:
        """Return the counts; what the store raises comes to who had to wait for it."""
        if not self._kept_s:
            return await self._read_now()
        told = self._told
        age_s = float("inf") if told is None else self._clock() - told.begun_s
        if told is not None and age_s < FRESH_S:
            return told
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_now())
            self._reading.add_done_callback(self._have_read)
        if told is not None and age_s < self._kept_s:
            return told
        return await asyncio.shield(self._reading)  # who hangs up takes nobody else's answer along

    async def _read_now(self) -> Counted:
        as_of, begun_s = self._now(), self._clock()
        return Counted(as_of, await self._read(), begun_s)

    def _have_read(self, task: asyncio.Task[Counted]) -> None:
        self._reading = None
        failed = task.cancelled() or task.exception() is not None
        self._told = None if failed else task.result()
