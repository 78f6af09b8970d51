"""One session with one smart reader's topic, used once: subscribe, hand on what comes, tell what is missing."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import numpy as np
from structlog.typing import FilteringBoundLogger

from edge.contracts import AntennaHealth, SensorRow, instant
from edge.llrp import TagBatch
from edge.llrp.batch import NO_TIME_US
from edge.readers.clock import ClockFilter
from edge.readers.losses import LossLog
from edge.readers.model import Chunk, ClockState, ReaderCounters, ReaderRow
from edge.readers.sightings import Channels, to_batch
from edge.readers.smart import impinj, zebra
from edge.readers.smart.model import InputEvent, Parsed, SmartSettings
from edge.readers.smart.subscriber import Arrival, Subscriber

IDLE_S: Final = 0.25
"""Without messages, time is let pass this often, so that passages end."""
IDLE_LAG_US: Final = 500_000
"""…but so much behind now: a message may be on its way through reader and broker for that long."""
GAP: Final = "event_number_gap"
RESTARTED: Final = "reader_restarted"
UNDECODABLE: Final = "undecodable_report"
DROPPED: Final = "mqtt_buffer_overflow"
DISCONNECTED: Final = "reader_disconnected"
LOSSY: Final = "publishes by itself: what is lost between reader and broker can't be asked for again"
READ: Final = {"impinj-iot": impinj.read, "zebra-iotc": zebra.read}


class SmartSession:
    """One session.

    Args:
        settings: the reader.
        counters: counts that go on over sessions.
        sink: gets every chunk in order; while it waits, messages are held in a bounded list.
        now_us: the host's clock, UTC microseconds.
        log: logger with the reader's id bound.
        tell: gets what is not as configured though the session goes on, in words.
        lost_at_us: when the session before this one last heard from the reader; None if there was none.
    """

    def __init__(
        self,
        settings: SmartSettings,
        *,
        counters: ReaderCounters,
        sink: Callable[[Chunk], Awaitable[None]],
        now_us: Callable[[], int],
        log: FilteringBoundLogger,
        tell: Callable[[str], None],
        lost_at_us: int | None = None,
    ) -> None:
        self._settings, self._counters, self._sink = settings, counters, sink
        self._now_us, self._log, self._tell = now_us, log, tell
        self._lost_at_us = lost_at_us
        self._read = READ[settings.format]
        self._numbers = zebra.EventNumbers()
        self._clock, self._channels = ClockFilter(), Channels()
        self._losses = LossLog(settings.id)
        self._antennas = np.array(settings.antennas, np.uint16)
        self._kinds = {gpi.port: gpi.kind for gpi in settings.gpis}
        self._told: set[str] = set()
        self._dropped = 0
        self._silent = False
        self._since_us = 0
        self.heard_us: int | None = None
        """Host time of the reader's last message, or of the subscription; None before that."""

    @property
    def problem(self) -> str:
        """What is not as it should be though the session runs, in words."""
        if self._silent:
            return f"nothing has come for {self._settings.silence_s:g} s: is the reader running? It {LOSSY}"
        return LOSSY

    @property
    def who(self) -> str:
        """Not told: payloads name tags, not the reader's model."""
        return ""

    def antennas(self) -> list[AntennaHealth]:
        """Return nothing: what is published tells nothing of antennas."""
        return []

    async def run(self, started: Callable[[], None]) -> None:
        """Run until the broker is lost (`ReaderError`) or until cancelled; `started` is called once subscribed."""
        subscriber = Subscriber(self._settings, f"reader {self._settings.id} ({self._settings.address})", self._now_us)
        try:
            await subscriber.open()
            self.heard_us = self._since_us = self._now_us()
            if self._lost_at_us is not None:
                self._losses.add(DISCONNECTED, self._lost_at_us, self._since_us)
            started()
            self._tell(LOSSY)
            while True:
                arrivals = await subscriber.receive(IDLE_S)
                self._count_dropped(subscriber)
                await (self._take(arrivals) if arrivals else self._idle())
        finally:
            await subscriber.close()

    async def _take(self, arrivals: Sequence[Arrival]) -> None:
        fresh = [arrival for arrival in arrivals if not arrival.stale]
        if len(fresh) < len(arrivals):
            self._tell_once("retained", "retained messages are left out: they tell of the past")
        if not fresh:
            return
        at_us = fresh[-1].at_us
        parsed = self._parse(fresh)
        batch = self._batch(parsed)
        known_us = batch.last_us[batch.last_us != NO_TIME_US]
        clock = self._clock.observe(at_us, utc_us=int(known_us.max()) if len(known_us) else None, uptime_us=None)
        rows: list[ReaderRow] = [
            self._row(event, at_us, clock) for event in parsed.inputs if event.number in self._kinds
        ]
        self._heard(at_us)
        self._count(batch, at_us)
        await self._sink(Chunk(self._settings.id, at_us, batch, clock, (*rows, *self._losses.due(at_us))))

    async def _idle(self) -> None:
        """Let time pass, as long as the reader has been heard lately: silence is no proof of life."""
        now_us = self._now_us()
        since_us = now_us if self.heard_us is None else self.heard_us
        if self._settings.silence_s and now_us - since_us > self._settings.silence_s * 1e6:
            if not self._silent:
                self._silent = True
                self._log.warning("nothing comes from the reader", seconds=self._settings.silence_s)
            return
        at_us = now_us - IDLE_LAG_US
        if at_us > since_us:
            batch = to_batch((), self._channels)
            rows = self._losses.due(now_us)
            await self._sink(Chunk(self._settings.id, at_us, batch, self._clock.state(), tuple(rows)))

    def _parse(self, arrivals: Sequence[Arrival]) -> Parsed:
        """Read messages that came together as one; what can't be read is counted and told once."""
        whole = Parsed()
        since_us = arrivals[0].at_us if self.heard_us is None else self.heard_us
        for arrival in arrivals:
            parsed = self._read(arrival.payload)
            whole.sightings += parsed.sightings
            whole.inputs += parsed.inputs
            if parsed.malformed:
                self._counters.bad_messages += 1
                self._counters.lost_reports += parsed.malformed
                self._losses.add(UNDECODABLE, since_us, arrival.at_us, parsed.malformed)
                self._tell_once(UNDECODABLE, f"what the reader publishes can't all be read: {parsed.problem}")
            self._check_numbers(parsed, since_us, arrival.at_us)
        return whole

    def _check_numbers(self, parsed: Parsed, since_us: int, at_us: int) -> None:
        restarts = self._numbers.restarts
        if missing := self._numbers.missed(parsed.numbers):
            self._counters.lost_reports += missing
            self._losses.add(GAP, since_us, at_us, missing)
            self._tell_once(GAP, "the reader's event numbers have gaps: events were lost on the way")
        if self._numbers.restarts > restarts:
            self._losses.add(RESTARTED, since_us, at_us)
            self._log.info("the reader's event numbers began anew")

    def _batch(self, parsed: Parsed) -> TagBatch:
        """Return the reads as columns; a reader with one antenna needn't name it."""
        only = self._settings.antennas[0] if len(self._settings.antennas) == 1 else 0
        sightings = [tag if tag.antenna or not only else tag._replace(antenna=only) for tag in parsed.sightings]
        if any(tag.antenna == 0 for tag in sightings):
            self._tell_once("antenna", "tags come without an antenna port: switch it on in what the reader reports")
        return to_batch(sightings, self._channels)

    def _row(self, event: InputEvent, at_us: int, clock: ClockState) -> SensorRow:
        known = event.at_us is not None and clock.source == "reader"
        changed_us = min(at_us, (event.at_us or 0) + clock.offset_us) if known else at_us
        return SensorRow(
            seq=0,
            reader=self._settings.id,
            gpi=event.number,
            kind=self._kinds[event.number],
            state=event.state,
            at=instant(changed_us),
        )

    def _heard(self, at_us: int) -> None:
        self.heard_us = at_us
        if self._silent:
            self._silent = False
            self._log.info("the reader is heard again")

    def _count(self, batch: TagBatch, at_us: int) -> None:
        if len(batch):
            seen = batch.seen_count.astype(np.int64)
            self._counters.reads += int(seen.sum())
            self._counters.unlisted_reads += int(seen[~np.isin(batch.antenna, self._antennas)].sum())
            self._counters.reports += 1
            self._counters.last_read_us = at_us

    def _count_dropped(self, subscriber: Subscriber) -> None:
        dropped = subscriber.dropped - self._dropped
        if dropped:
            self._dropped = subscriber.dropped
            self._counters.lost_reports += dropped
            now_us = self._now_us()
            self._losses.add(DROPPED, now_us if self.heard_us is None else self.heard_us, now_us, dropped)
            self._tell_once(DROPPED, "the agent did not keep up: messages of the reader are dropped")

    def _tell_once(self, condition: str, words: str) -> None:
        if condition not in self._told:
            self._told.add(condition)
            self._log.warning(words)
