"""Envelopes between the broker and the commit: a bounded queue that slows the broker down when the database is behind.

Policy: from `HELD_FROM` waiting envelopes on no receipt goes to the broker, which by MQTT's flow control then sends no
more than its window of unreceipted messages; from `RESUMED_AT` down they go again. A broker without a window meets the
hard bound `MAX_QUEUED`: what comes beyond it is dropped, counted, and sent again by the edge, which keeps all that no
watermark covers.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog

from central.application.metrics import Metrics
from central.ingest.intake import Intake, read_envelope
from central.ingest.link import Link

MAX_QUEUED: Final = 2000
"""Envelopes held at most: 200,000 rows."""
HELD_FROM: Final = 200
"""Ten batches: enough that the commit never waits, at most 25 MiB."""
RESUMED_AT: Final = 100
MAX_BATCH_ROWS: Final = 2000
"""Rows a transaction: large enough to spread its cost, small enough that an alert waits well under a second."""

_log = structlog.get_logger("central.ingest")


class Waiting:
    """What came and is not in a transaction yet."""

    def __init__(self, link: Link, metrics: Metrics) -> None:
        self._link, self._metrics = link, metrics
        self._envelopes: deque[tuple[str, bytes]] = deque()
        self._next = Intake()
        self._holding = False

    def __bool__(self) -> bool:
        return bool(self._envelopes or self._next.rows or self._next.unreadable)

    def __len__(self) -> int:
        """How many envelopes wait unread."""
        return len(self._envelopes)

    def put(self, text: str, payload: bytes) -> bool:
        """Take an envelope; return whether there was room."""
        if len(self._envelopes) >= MAX_QUEUED:
            return False
        self._envelopes.append((text, payload))
        if not self._holding and len(self._envelopes) >= HELD_FROM:
            self._hold(holding=True)
            self._link.hold()
            _log.warning("the database is behind: the broker gets no receipts until it catches up")
        return True

    def take(self, now: datetime) -> Intake:
        """Return one batch: what was read ahead, and more up to its size."""
        while self._wants_more():
            self._read_one(now)
        batch, self._next = self._next, Intake()
        return batch

    async def read_ahead(self, now: Callable[[], datetime]) -> None:
        """Read the next batch an envelope at a time: the commit beside it goes on whenever the database answers."""
        while self._wants_more():
            self._read_one(now())
            await asyncio.sleep(0)

    def _wants_more(self) -> bool:
        return bool(self._envelopes) and len(self._next.rows) < MAX_BATCH_ROWS

    def _read_one(self, now: datetime) -> None:
        one = read_envelope(*self._envelopes.popleft(), now)
        self._next.rows.extend(one.rows)
        self._next.unreadable.extend(one.unreadable)
        self._next.notices.extend(one.notices)
        if self._holding and len(self._envelopes) <= RESUMED_AT:
            self._hold(holding=False)
            self._link.resume()
            _log.info("the database caught up, the broker gets its receipts again")

    def _hold(self, *, holding: bool) -> None:
        self._holding = holding
        self._metrics.held.set(holding)
