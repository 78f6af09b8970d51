"""The shell of `edge.presence`: chunks and the readers' health go in, rows go into the outbox's presence stream."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from structlog.typing import FilteringBoundLogger

from edge.agent.journal import Journal
from edge.contracts import LossRow, ReaderHealth
from edge.outbox import OpenRecord
from edge.presence import News, Place, Presence, PresenceCounters, PresenceError, Told, decode_told
from edge.readers import Chunk

RECORD: Final = "presence:told"
"""Name under which the outbox keeps, beside open passages, which time has been told."""
MAX_GROUP_ROWS: Final = 4
"""A row of 400 tags is 45 KB: four of them are written in less time than two alarms are apart."""
MAX_HELD_ROWS: Final = 400
"""Rows that wait for an outbox that can't be written: 18 MB, a day of a stockroom's shelves."""


class Asker(Protocol):
    """What is wanted of `edge.readers.ReaderSupervisor`."""

    @property
    def asks_all(self) -> bool:
        """Whether tags at rest are asked all the time."""
        ...


class Noted(Protocol):
    """An outbox, or a journal in front of it."""

    def open_passages(self) -> list[OpenRecord]:
        """Return what is noted as open."""
        ...


class Counting:
    """What zones hear, on its way into the outbox.

    Args:
        presence: the core.
        journal: of the presence stream.
        askers: returns the readers that may ask some tags only, by id.
        host_synced: whether the host's clock may be believed now.
        now_us: the host's clock.
        log: logger.
    """

    def __init__(
        self,
        presence: Presence,
        journal: Journal,
        *,
        askers: Callable[[], Mapping[str, Asker]],
        host_synced: Callable[[], bool],
        now_us: Callable[[], int],
        log: FilteringBoundLogger,
    ) -> None:
        self._presence, self._askers, self._host_synced = presence, askers, host_synced
        self._now_us, self._log = now_us, log
        self._waits_for_clock = False
        self._steps = 0
        self.journal = journal

    @property
    def counters(self) -> PresenceCounters:
        """What became of the reads."""
        return self._presence.counters

    def take(self, chunk: Chunk) -> None:
        """Take a chunk's reads, and what its reader lost."""
        clock = chunk.clock
        self._presence.take(
            chunk.reader, chunk.batch, arrival_us=chunk.arrival_us, source=clock.source, offset_us=clock.offset_us
        )
        for row in chunk.rows:
            if isinstance(row, LossRow):
                self._presence.lost(row)

    def look(self, readers: Sequence[ReaderHealth]) -> None:
        """Let time pass."""
        synced = self._host_synced()
        asks_all = {name: one.asks_all for name, one in self._askers().items()}
        self._store(self._presence.look(self._now_us(), readers, asks_all, synced=synced))
        self._tell_clock(synced=synced)

    async def run(self) -> None:
        """Write rows until `stop`."""
        await self.journal.run()

    def stop(self) -> None:
        """End all spans, write what is held, with one try, and let `run` return."""
        self._store(self._presence.stop(self._now_us()))
        self.journal.stop()

    def begin_sweep(self, place: Place) -> bool:
        """See `Presence.begin_sweep`."""
        return self._presence.begin_sweep(place, self._now_us())

    def pause_sweep(self, name: str, now_us: int) -> None:
        """See `Presence.pause_sweep`."""
        self._presence.pause_sweep(name, now_us)

    def resume_sweep(self, name: str) -> bool:
        """See `Presence.resume_sweep`."""
        return self._presence.resume_sweep(name, self._now_us())

    def swept(self, name: str, from_us: int, to_us: int) -> None:
        """See `Presence.swept`."""
        self._presence.swept(name, from_us, to_us)

    def end_sweep(self, name: str, end_us: int, *, complete: bool) -> None:
        """See `Presence.end_sweep`."""
        self._store(self._presence.end_sweep(name, end_us, complete=complete))

    def _store(self, news: News | None) -> None:
        if news is not None:
            self.journal.add(news.rows, opened=[OpenRecord(RECORD, news.note)])

    def _tell_clock(self, *, synced: bool) -> None:
        """Say once that nothing is counted for want of a clock, and once that it is again; and of each step back."""
        if synced == self._waits_for_clock:
            self._waits_for_clock = not synced
            if synced:
                self._log.info("the host's clock is set: zones are counted")
            else:
                self._log.warning("zones are not counted: nothing has set the host's clock yet")
        if self.counters.clock_steps != self._steps:
            self._steps = self.counters.clock_steps
            self._log.warning("the host's clock was set back: time that zones were counted in is not counted twice")


def told_before(noted: Noted, log: FilteringBoundLogger) -> dict[str, Told]:
    """Return what earlier starts have told; nothing where that can't be read."""
    for record in noted.open_passages():
        if record.passage == RECORD:
            try:
                return decode_told(record.payload)
            except PresenceError as error:
                log.warning("which time zones were counted in is lost: a span may overlap one", problem=str(error))
    return {}
