"""Envelopes between the broker and the commit: a bounded queue that slows the broker down when the database is behind.

Policy: from `HELD_FROM` waiting envelopes on no receipt goes to the broker, which by MQTT's flow control then sends no
more than its window of unreceipted messages; from `RESUMED_AT` down they go again. A database that is behind for longer
than `HOLD_S` is down rather than slow: edges begin to send again then, and the broker must not keep all of it, so
receipts go out and what comes beyond `MAX_QUEUED` is dropped and counted. Nothing is lost by that: the edge keeps all
that no watermark covers, and itself sends no more than 2,000 rows beyond it. `MAX_QUEUED` also bounds a broker that
minds no window: Mosquitto 2 sends all it has kept once receipts come again.

Envelopes stand in lanes, each of which is committed a batch after another: while the database works for one, the other
is read and judged. All that waits or is under way of one gateway stands in one lane, so its order is kept; assets that
two gateways see at once are kept apart by their locks.

Alarms go before all that waits in their lane, in a batch of their own, which is small: they wait for the batch that is
under way and no other. The highest revision wins in whatever order rows come, and what is not committed yet is a hole
in the stream's position, as it is where the edge sends an alarm before its turn. No two such batches follow one
another, so that a flood of alarms doesn't keep the backlog waiting.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple

import structlog

from central.application.metrics import Metrics
from central.ingest.intake import Intake, is_alarm, read_envelope
from central.ingest.link import Link

LANES: Final = 2
"""As many as keep the database busy while this program reads and judges; it runs on one processor itself."""
MAX_QUEUED: Final = 2000
"""Envelopes held at most: 200,000 rows."""
MAX_ALARMS: Final = 500
"""Envelopes of alarms held beside them, for which a full queue is no reason to be dropped."""
HELD_FROM: Final = 200
"""Ten batches: enough that the commit never waits, at most 25 MiB."""
RESUMED_AT: Final = 100
HOLD_S: Final = 4.0
"""Below the 5 s after which an edge without a watermark sends again."""
MAX_BATCH_ROWS: Final = 2000
"""Rows a transaction: large enough to spread its cost, small enough that an alert waits well under a second."""

_log = structlog.get_logger("central.ingest")


class _Envelope(NamedTuple):
    gateway: str
    """Site and gateway by the topic; what isn't one stands for itself."""
    topic: str
    payload: bytes


class Lane:
    """Envelopes whose batches are committed one after another. Only one task takes from it."""

    def __init__(self, number: int, waiting: "Waiting") -> None:
        self.number = number
        self.work = asyncio.Event()
        """Set when something came."""
        self._waiting = waiting
        self._envelopes: deque[_Envelope] = deque()
        self._alarms: deque[_Envelope] = deque()
        self._alarms_alone = False
        self._next, self._read = Intake(), list[str]()
        self._under_way: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._envelopes or self._alarms or self._next.rows or self._next.unreadable)

    def __len__(self) -> int:
        """How many envelopes wait unread."""
        return len(self._envelopes) + len(self._alarms)

    @property
    def alarms(self) -> int:
        """How many of them are alarms that go before the others."""
        return len(self._alarms)

    @property
    def load(self) -> int:
        """How many envelopes wait or are under way."""
        return len(self) + len(self._read) + len(self._under_way)

    def put(self, one: _Envelope, *, first: bool = False) -> None:
        """Take an envelope; `first`: before all but alarms."""
        (self._alarms if first else self._envelopes).append(one)
        self.work.set()

    def take(self, now: datetime) -> Intake:
        """Return one batch: the alarms, or what was read ahead and more up to its size. What was taken is settled."""
        self.settle()
        batch, read = Intake(), list[str]()
        while self._alarms and len(batch.rows) < MAX_BATCH_ROWS:
            self._read_into(batch, read, self._alarms, now)
        self._alarms_alone = bool(read) and not self._alarms_alone
        if self._alarms_alone:
            self._under_way = read
            return batch
        while self._wants_more():
            self._read_into(self._next, self._read, self._envelopes, now)
        batch.add(self._next)
        self._under_way, self._read, self._next = [*read, *self._read], [], Intake()
        return batch

    def settle(self) -> None:
        """Note that the batch which was taken is committed."""
        self._waiting.settled(self._under_way)
        self._under_way = []

    async def read_ahead(self, now: Callable[[], datetime]) -> None:
        """Read the next batch an envelope at a time: the commit beside it goes on whenever the database answers."""
        while self._wants_more():
            self._read_into(self._next, self._read, self._envelopes, now())
            await asyncio.sleep(0)

    def _wants_more(self) -> bool:
        return bool(self._envelopes) and len(self._next.rows) < MAX_BATCH_ROWS

    def _read_into(self, batch: Intake, read: list[str], envelopes: deque[_Envelope], now: datetime) -> None:
        envelope = envelopes.popleft()
        batch.add(read_envelope(envelope.topic, envelope.payload, now))
        read.append(envelope.gateway)
        self._waiting.caught_up()


class Waiting:
    """What came and is not in a transaction yet."""

    def __init__(self, link: Link, metrics: Metrics) -> None:
        self._link, self._metrics = link, metrics
        self.lanes = tuple(Lane(number, self) for number in range(LANES))
        self._lane_of: dict[str, Lane] = {}
        self._open = Counter[str]()
        """Envelopes of each gateway that aren't committed yet."""
        self._behind = False
        self._giving_up: asyncio.TimerHandle | None = None

    def __bool__(self) -> bool:
        return any(self.lanes)

    def __len__(self) -> int:
        """How many envelopes wait unread."""
        return sum(map(len, self.lanes))

    def put(self, text: str, payload: bytes) -> bool:
        """Take an envelope into its gateway's lane, or that with the least to do; return whether there was room."""
        alarms = sum(lane.alarms for lane in self.lanes)
        first = bool(self._open) and is_alarm(payload)
        if (alarms >= MAX_ALARMS) if first else (len(self) - alarms >= MAX_QUEUED):
            return False
        gateway = text.rpartition("/")[0]
        if gateway not in self._lane_of:
            self._lane_of[gateway] = min(self.lanes, key=lambda one: one.load)
        lane = self._lane_of[gateway]
        self._open[gateway] += 1
        lane.put(_Envelope(gateway, text, payload), first=first)
        if not self._behind and len(self) >= HELD_FROM:
            self._behind = True
            self._hold()
        return True

    def settled(self, gateways: list[str]) -> None:
        """Note committed envelopes by their gateways: one of which nothing is left may go into any lane."""
        for gateway, count in Counter(gateways).items():
            self._open[gateway] -= count
            if not self._open[gateway]:
                del self._open[gateway], self._lane_of[gateway]

    def caught_up(self) -> None:
        """Let receipts go out again once few wait."""
        if self._behind and len(self) <= RESUMED_AT:
            self._behind = False
            self._resume("the database caught up, the broker gets its receipts again")

    def _hold(self) -> None:
        self._link.hold()
        self._metrics.held.set(1)
        words = "the database stays behind: the broker gets its receipts, and edges send again what finds no room"
        self._giving_up = asyncio.get_running_loop().call_later(HOLD_S, self._resume, words)
        _log.warning("the database is behind: the broker gets no receipts until it catches up")

    def _resume(self, words: str) -> None:
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None
            self._link.resume()
            self._metrics.held.set(0)
            _log.warning(words)
