"""The live feed: what changed goes to every listener after it is committed.

A listener that doesn't keep up is cut off rather than slowing the others; it connects again with the id that it heard
last and catches up at its own pace.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from central.application.views import on_the_wire

FeedKind = Literal["movement", "passed", "location", "asset", "alert", "gateway", "anew", "heartbeat"]
"""`passed` says how many movements were committed; `anew`, that the lists are to be read again."""

TO_ALL: Final[frozenset[str]] = frozenset({"anew", "heartbeat"})
"""Whatever a listener asked for, it gets these."""
MAX_BEHIND: Final = 2000
"""Events that a listener may lag."""
ANEW: Final = "{}"


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One event; an `id` says that everything up to that place in the order of all changes has been told."""

    kind: FeedKind
    data: str
    id: str | None = None


class Listener:
    """One listener's queue; iterating ends when the feed closes or the listener fell too far behind."""

    def __init__(self, kinds: Collection[str] | None = None) -> None:
        self._kinds = kinds
        self._queue: asyncio.Queue[FeedEvent | None] = asyncio.Queue(MAX_BEHIND + 1)
        self.cut_off = False

    def wants(self, kind: str) -> bool:
        """Tell whether it asked for a kind of events."""
        return self._kinds is None or kind in self._kinds or kind in TO_ALL

    def put(self, event: FeedEvent) -> bool:
        """Queue an event; returns False if that cut the listener off."""
        if self.cut_off or not self.wants(event.kind):
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

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._closed = False
        self.position: str | None = None
        """Up to where everything has been told; None while nobody knows."""
        self.cut_off = 0

    @property
    def heard(self) -> bool:
        """Whether anybody listens; if not, events needn't be made."""
        return bool(self._listeners)

    def wanted(self, kind: FeedKind) -> bool:
        """Tell whether anybody listens to a kind of events."""
        return any(listener.wants(kind) for listener in self._listeners)

    def publish(self, kind: FeedKind, data: str) -> None:
        """Send one change to all listeners."""
        self.send([FeedEvent(kind, data)])

    def heartbeat(self, at: datetime) -> FeedEvent:
        """Return a sign of life, which tells how far the feed has come."""
        return FeedEvent("heartbeat", f'{{"as_of":"{on_the_wire(at)}"}}', self.position)

    def send(self, events: Collection[FeedEvent], reached: str | None = None) -> None:
        """Send events to all listeners; one that lags too far is cut off. `reached` is the place after the last."""
        self.position = reached or self.position
        for number, event in enumerate(events, 1):
            told = replace(event, id=reached) if reached and number == len(events) else event
            for listener in self._listeners:
                if not listener.put(told):
                    self.cut_off += 1

    @contextmanager
    def listen(self, kinds: Collection[str] | None = None) -> Iterator[Listener]:
        """Join the feed for the length of the block, for some kinds of events or all."""
        listener = Listener(kinds)
        self._listeners.add(listener)
        if self._closed:
            listener.end()
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def begin_anew(self) -> None:
        """End every listener of now: something may have been missed, and who connects again reads the lists anew."""
        self.position = None
        for listener in self._listeners:
            listener.end()

    def close(self) -> None:
        """End every listener, now and later."""
        self._closed = True
        for listener in self._listeners:
            listener.end()
