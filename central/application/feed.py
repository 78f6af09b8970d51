"""The live feed: what changed goes to every listener after it is committed.

A listener that doesn't keep up is cut off rather than slowing the others; it connects again and reads the lists anew.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from central.application.views import on_the_wire

FeedKind = Literal["movement", "location", "alert", "gateway", "heartbeat"]

MAX_BEHIND: Final = 2000
"""Events that a listener may lag; two seconds of the busiest ingest."""


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One event; `id` only rises, across restarts too."""

    id: int
    kind: FeedKind
    data: str


class Listener:
    """One listener's queue; iterating ends when the feed closes or the listener fell too far behind."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[FeedEvent | None] = asyncio.Queue(MAX_BEHIND + 1)
        self.cut_off = False

    def put(self, event: FeedEvent) -> bool:
        """Queue an event; returns False if that cut the listener off."""
        if self.cut_off:
            return True
        if self._queue.qsize() >= MAX_BEHIND:
            self.end()
            return False
        self._queue.put_nowait(event)
        return True

    def end(self) -> None:
        """Let the iteration end after what is queued."""
        if not self.cut_off:
            self.cut_off = True
            self._queue.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[FeedEvent]:
        while (event := await self._queue.get()) is not None:
            yield event


class Feed:
    """Fan-out of changes to listeners of this process."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._last_id = 0
        self._listeners: set[Listener] = set()
        self._closed = False
        self.cut_off = 0

    @property
    def heard(self) -> bool:
        """Whether anybody listens; if not, events needn't be made."""
        return bool(self._listeners)

    def publish(self, kind: FeedKind, data: str) -> None:
        """Send one change to all listeners."""
        self.send(FeedEvent(self._next_id(), kind, data))

    def heartbeat(self, at: datetime) -> FeedEvent:
        """Return a sign of life."""
        return FeedEvent(self._next_id(), "heartbeat", f'{{"as_of":"{on_the_wire(at)}"}}')

    def send(self, event: FeedEvent) -> None:
        """Send one event to all listeners; one that lags too far is cut off."""
        for listener in self._listeners:
            if not listener.put(event):
                self.cut_off += 1

    @contextmanager
    def listen(self) -> Iterator[Listener]:
        """Join the feed for the length of the block."""
        listener = Listener()
        self._listeners.add(listener)
        if self._closed:
            listener.end()
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def begin_anew(self) -> None:
        """End every listener of now: something may have been missed, and who connects again reads the lists anew."""
        for listener in self._listeners:
            listener.end()

    def close(self) -> None:
        """End every listener, now and later."""
        self._closed = True
        for listener in self._listeners:
            listener.end()

    def _next_id(self) -> int:
        self._last_id = max(self._last_id + 1, self._now_us())
        return self._last_id
