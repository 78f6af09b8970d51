"""Chunks on their way to the sink, in order; receiving stops while too many wait."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Final

from structlog.typing import FilteringBoundLogger

from edge.readers.model import Chunk, ReaderCounters
from edge.readers.within import within

QUEUE_HIGH: Final = 256
QUEUE_LOW: Final = 64
"""Chunks that wait for the sink: at the first number receiving stops, at the second it goes on."""
FLUSH_S: Final = 5.0
"""When the agent stops, the sink has this long for the chunks that wait."""


class Delivery:
    """One session's queue.

    Args:
        sink: gets every chunk in order; it may wait.
        pause: stops receiving.
        resume: lets it go on.
        counters: where what the sink never took is counted.
        log: logger with the reader's id bound.
    """

    def __init__(
        self,
        sink: Callable[[Chunk], Awaitable[None]],
        *,
        pause: Callable[[], None],
        resume: Callable[[], None],
        counters: ReaderCounters,
        log: FilteringBoundLogger,
    ) -> None:
        self._sink, self._pause, self._resume = sink, pause, resume
        self._counters, self._log = counters, log
        self._queue: asyncio.Queue[Chunk | None] = asyncio.Queue()
        self._handing: Chunk | None = None
        self._paused = False
        self._ending = False

    def put(self, chunk: Chunk) -> None:
        """Queue a chunk; nothing is ever dropped here."""
        self._queue.put_nowait(chunk)
        if self._queue.qsize() >= QUEUE_HIGH and not self._paused and not self._ending:
            self._paused = True
            self._pause()

    def end(self) -> None:
        """Say that no back-pressure is wanted any more: what still comes is the farewell."""
        self._ending = True

    async def run(self) -> None:
        """Hand chunks to the sink until `flush`."""
        while (chunk := await self._queue.get()) is not None:
            self._handing = chunk
            await self._sink(chunk)
            self._handing = None
            if self._paused and not self._ending and self._queue.qsize() <= QUEUE_LOW:
                self._paused = False
                self._resume()

    async def flush(self, running: asyncio.Task[None], *, bounded: bool) -> None:
        """Give the sink what still waits; what it doesn't take in time is counted and told."""
        self._queue.put_nowait(None)
        try:
            async with within(FLUSH_S if bounded else None):
                await running
        except TimeoutError:
            left = [chunk for chunk in (self._handing, *self._left()) if chunk is not None]
            reports = sum(len(chunk.batch) for chunk in left)
            self._counters.lost_reports += reports
            self._log.error("stopped before the reads that waited were taken", chunks=len(left), reports=reports)

    def _left(self) -> Iterator[Chunk | None]:
        with suppress(asyncio.QueueEmpty):
            while True:
                yield self._queue.get_nowait()
