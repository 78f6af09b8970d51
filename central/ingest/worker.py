"""The ingest loop: take what came, commit it in one transaction, then promise it by watermark.

Nothing is acknowledged before it is committed: while the database is down messages are put off, and the edge, which has
them still, sends them again.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import stamina
import structlog

from central.application.commit import Committed, commit
from central.application.errors import StoreBusy, StoreUnavailable
from central.application.leases import Leases
from central.application.metrics import Metrics
from central.application.ports import Log, Views
from central.application.records import Unreadable
from central.ingest.intake import Intake, Word, read_word
from central.ingest.link import Link
from central.ingest.promises import Promises
from central.ingest.quarantining import QuarantineLog
from central.ingest.serving import Serving
from central.ingest.timing import time_alerts
from central.ingest.waiting import LANES, Lane, Waiting
from central.ingest.words import Gateways, Hearing
from edge.contracts import EpcPrefix
from edge.contracts.topics import HEALTH, STATE

MAX_WORDS: Final = 10_000
"""Topics whose newest birth or heartbeat waits to be stored."""
MAX_MALFORMED: Final = 10_000
"""Births and heartbeats that wait for the quarantine; a gateway sends none of them again."""
RETRY_FIRST_S: Final = 0.1
RETRY_MAX_S: Final = 5.0
"""A database that restarts is back within seconds; edges hold their rows meanwhile."""

_log = structlog.get_logger("central.ingest")


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """How often the watermark is repeated, and which EPCs are ours: while none is, no tag is foreign."""

    watermark_s: float = 2.0
    own_prefixes: tuple[EpcPrefix, ...] = ()


class Ingest:
    """One ingest worker over one broker connection."""

    def __init__(
        self,
        link: Link,
        log: Log,
        views: Views,
        metrics: Metrics,
        *,
        now: Callable[[], datetime],
        settings: IngestSettings | None = None,
        leases: Leases | None = None,
    ) -> None:
        self._link, self._store, self._views, self._metrics = link, log, views, metrics
        self._now = now
        self._settings = settings or IngestSettings()
        self._promises, self._leases = Promises(link, log, metrics, now), leases
        self._serving = Serving(link, self._promises, leases, lambda: self._promise_now.set())  # noqa: PLW0108 (made below)
        self._gateways = Gateways()
        self._waiting = Waiting(link, metrics)
        self._words: dict[str, Word] = {}
        self._malformed: deque[Unreadable] = deque()
        self._quarantine = QuarantineLog()
        self._promise_now = asyncio.Event()
        self._putting_off = False
        self._dropping = False
        self._down: dict[str, str] = {}

    @property
    def problem(self) -> str:
        """Why nothing is committed now, or empty."""
        if self._down:
            return f"the database is not available: {next(iter(self._down.values()))}"
        return self._serving.problem if self._link.connected else "the broker is not connected"

    @property
    def waiting(self) -> Waiting:
        """What came and is not in a transaction yet."""
        return self._waiting

    async def run(self) -> None:
        """Work until cancelled."""
        self._link.start(self._serving.base, self.deliver, self._new_session)
        try:
            async with asyncio.TaskGroup() as tasks:
                for lane in self._waiting.lanes:
                    tasks.create_task(self._commit_for_ever(lane))
                tasks.create_task(self._promise_for_ever())
        finally:
            self._link.stop()

    def look_at_leases(self) -> None:
        """Follow the leases now; called when they change."""
        self._promise_now.set()

    def deliver(self, text: str, payload: bytes) -> None:
        """Take a message from the link; never waits."""
        if text.endswith((f"/{STATE}", f"/{HEALTH}")):
            self._hear(text, payload)
            self._waiting.lanes[0].work.set()
        elif not self._waiting.put(text, payload):
            self._put_off()

    def _hear(self, text: str, payload: bytes) -> None:
        """Read a birth, will or heartbeat at once: a newer one replaces it only if it is well, garbage is all kept."""
        word = read_word(text, payload, self._now())
        if isinstance(word, Unreadable):
            self._keep_malformed(word)
            return
        self._words.pop(text, None)  # so that words of one gateway stay in the order they came
        if len(self._words) < MAX_WORDS:
            self._words[text] = word
        else:
            self._put_off()

    def _keep_malformed(self, word: Unreadable) -> None:
        if len(self._malformed) < MAX_MALFORMED:
            self._malformed.append(word)
            return
        self._metrics.malformed_dropped.inc()
        if not self._dropping:
            self._dropping = True
            _log.error("malformed messages are dropped until the database catches up", topic=word.topic)

    def _put_off(self) -> None:
        self._metrics.overflow.inc()
        if not self._putting_off:
            self._putting_off = True
            _log.warning("messages are put off until the database catches up; the edge sends them again")

    def _new_session(self) -> None:
        self._serving.stand()
        self._promises.new_session()
        self._promise_now.set()

    async def _promise_for_ever(self) -> None:
        while True:
            self._promise_now.clear()
            self._metrics.broker.set(self._link.connected)
            self._quarantine.look(self._now())
            try:
                self._serving.follow((await self._store.registry()).sites)
                await self._promises.repeat()
            except StoreUnavailable as error:
                self._database_is(str(error), to="promise")
            else:
                self._database_is("", to="promise")
            try:
                async with asyncio.timeout(self._settings.watermark_s):
                    await self._promise_now.wait()
            except TimeoutError:
                continue

    async def _commit_for_ever(self, lane: Lane) -> None:
        """Commit what comes in a lane; the first also takes what has no place in a stream."""
        first = lane is self._waiting.lanes[0]
        while True:
            await lane.work.wait()
            lane.work.clear()
            while lane or (first and (self._words or self._malformed)):
                batch, words = lane.take(self._now()), list[Word]()
                if first:
                    batch.unreadable.extend(self._malformed)
                    self._malformed.clear()
                    words, self._words = list(self._words.values()), {}
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(lane.read_ahead(self._now))
                    await self._commit_with_patience(lane, batch, words)
            lane.settle()
            self._say_that_all_is_taken()

    def _say_that_all_is_taken(self) -> None:
        if self._putting_off and not self._waiting:
            self._putting_off = False
            _log.info("the database caught up, messages are taken again")
        if self._dropping and not self._malformed:
            self._dropping = False
            _log.info("the database caught up, malformed messages are kept again")

    async def _commit_with_patience(self, lane: Lane, batch: Intake, words: Sequence[Word]) -> None:
        """Commit; while the database can't, try again for ever with backoff and jitter."""
        what = f"commit {lane.number}"
        retrying = stamina.retry_context(
            on=StoreUnavailable, attempts=None, timeout=None, wait_initial=RETRY_FIRST_S, wait_max=RETRY_MAX_S
        )
        async for attempt in retrying:
            with attempt:
                try:
                    await self._attempt(lane, batch, words)
                except StoreBusy:
                    self._metrics.retries.inc()
                    raise
                except StoreUnavailable as error:
                    self._metrics.retries.inc()
                    self._database_is(str(error), to=what)
                    raise
        self._database_is("", to=what)

    async def _attempt(self, lane: Lane, batch: Intake, words: Sequence[Word]) -> None:
        now = self._now()
        heard = Hearing([], set())
        if words:
            registry = await self._store.registry()
            words = [word for word in words if self._serving.wants(word.topic.gateway, registry.sites)]
            heard = self._gateways.hear(words, registry)
        notices = [*batch.notices, *heard.notices]
        lease = None if self._leases is None else self._leases.lease
        shard = (0 if lease is None else lease.worker) * LANES + lane.number
        with self._metrics.commit_s.time():
            own = self._settings.own_prefixes
            done = await commit(
                self._store, batch.rows, batch.unreadable, notices, now, own=own, lease=lease, shard=shard
            )
        self._promises.advance(done.positions)
        if words or done.waiting:
            registry = await self._store.registry()
            done.refused += await self._gateways.note(self._store, registry, words, done.waiting, now)
        self._count(done)
        self._quarantine.note(done.refused, now)
        await time_alerts(self._views, self._metrics, done, now)

    def _count(self, done: Committed) -> None:
        metrics = self._metrics
        metrics.rows.inc(done.rows)
        metrics.repeated.inc(done.repeated)
        metrics.gaps.inc(done.gap_rows)
        metrics.quarantined.inc(len(done.refused))
        metrics.unknown_tags.inc(done.unknown_tags)
        metrics.foreign_tags.inc(done.foreign_tags)
        metrics.waiting.inc(len(done.waiting))
        metrics.unheld.inc(done.unheld)
        if done.rows:
            metrics.batch_rows.observe(done.rows)

    def _database_is(self, problem: str, *, to: str) -> None:
        """Note whether the database serves reads or commits, and log when the first fails and when all work again."""
        was = bool(self._down)
        self._down.pop(to, None)
        if problem:
            self._down[to] = problem
        if self._down and not was:
            _log.error("the database is not available, trying again; nothing is acknowledged", error=problem)
        elif was and not self._down:
            _log.info("the database is back")
