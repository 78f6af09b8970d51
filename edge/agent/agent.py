"""The running agent: its tasks, its heartbeat, and the order in which it stops.

Stop: readers say goodbye, so nothing new comes; the journal writes what it holds; the uplink drains for a bounded time.
Windows are not flushed: a passage that is open now was not seen to its end, so it stays in the outbox's notes, and the
next start ends it as `unresolved`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from msgspec import UNSET
from msgspec.structs import replace
from structlog.typing import FilteringBoundLogger

from edge.agent.coverage import Coverage, tell_doorway
from edge.agent.health import Identity, reader_health, stream_health
from edge.agent.journal import Journal
from edge.contracts import GateHealth, Health, HostHealth, PortalHealth, ReaderHealth, Stream, UplinkState, instant
from edge.outbox import STREAMS, Outbox, OutboxError, OutboxStats

# A reader that answers does so in milliseconds; one that doesn't frees its session by itself.
GOODBYE_S: Final = 5.0
# A reader that is lost for less than this may never show as a gap; its reconnect is counted all the same.
LOOK_S: Final = 0.5


class Reader(Protocol):
    """What the agent wants of `edge.readers.ReaderSupervisor`."""

    async def run(self) -> None:
        """Keep the reader in session until cancelled."""
        ...

    def health(self) -> ReaderHealth:
        """Return state and counters."""
        ...


class Uplink(Protocol):
    """What the agent wants of `edge.uplink.Forwarder`."""

    @property
    def state(self) -> UplinkState:
        """Where it stands."""
        ...

    async def run(self) -> None:
        """Forward until `stop`, then drain for a bounded time and return."""
        ...

    def stop(self) -> None:
        """Ask `run` to drain and return."""
        ...

    def leave(self) -> None:
        """Ask `run` to return at once, since the next begins."""
        ...

    def publish_health(self, health: Health) -> bool:
        """Publish the heartbeat if the broker is there; tell whether it was."""
        ...


class Shown(Protocol):
    """What the agent wants of `edge.signals.Signals`."""

    async def run(self) -> None:
        """Drive lights and sirens until cancelled; they are off then."""
        ...

    def look(self, readers: Sequence[ReaderHealth], portals: Sequence[PortalHealth]) -> None:
        """Take how readers and doorways are."""
        ...


class Counted(Protocol):
    """What the agent wants of `edge.agent.counting.Counting`."""

    @property
    def journal(self) -> Journal:
        """Where its rows wait for the outbox."""
        ...

    async def run(self) -> None:
        """Write rows until `stop`."""
        ...

    def look(self, readers: Sequence[ReaderHealth]) -> None:
        """Take how readers are, and let time pass."""
        ...

    def stop(self) -> None:
        """End what is open, write what is held, and let `run` return."""
        ...


class Agent:
    """Runs what `compose` has built."""

    def __init__(
        self,
        me: Identity,
        *,
        readers: Sequence[Reader],
        journal: Journal,
        outbox: Outbox,
        uplink: Uplink,
        heartbeat_s: float,
        now_us: Callable[[], int],
        log: FilteringBoundLogger,
        coverage: Coverage | None = None,
        host: Callable[[], HostHealth] | None = None,
        signals: Shown | None = None,
        gate: Callable[[], GateHealth] | None = None,
        counting: Counted | None = None,
        trouble: Callable[[str], str] = lambda _: "",
    ) -> None:
        self._gate, self._counting, self._trouble = gate, counting, trouble
        self._me, self._readers, self._journal, self._outbox, self._uplink = me, readers, journal, outbox, uplink
        self._heartbeat_s, self._now_us, self._log = heartbeat_s, now_us, log
        self._coverage = Coverage((), now_us=me.started_us) if coverage is None else coverage
        self._host = host
        self._told_of_host: HostHealth | None = None
        self._signals = signals
        self._stats: list[OutboxStats] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def run(
        self,
        stop: asyncio.Event,
        *,
        closing: Callable[[], Awaitable[None]] | None = None,
        back_soon: Callable[[], bool] = lambda: False,
    ) -> None:
        """Run until `stop` is set; a task that fails ends them all and its error is raised.

        Args:
            stop: ends it in order.
            closing: what is done first then, while everything still runs.
            back_soon: whether the next agent begins at once, so that nothing need be drained; asked after `stop`.
        """
        async with asyncio.TaskGroup() as group:
            uplink = group.create_task(self._uplink.run(), name="uplink")
            journal = group.create_task(self._journal.run(), name="journal")
            beat = group.create_task(self._beat(), name="heartbeat")
            look = group.create_task(self._look(), name="coverage")
            readers = [group.create_task(reader.run(), name="reader") for reader in self._readers]
            counting = [] if self._counting is None else [group.create_task(self._counting.run(), name="counting")]
            signals = [] if self._signals is None else [group.create_task(self._signals.run(), name="signals")]
            self._tasks = [uplink, journal, beat, look, *readers, *signals, *counting]
            await stop.wait()
            self._tasks = []
            anew = back_soon()
            self._log.info("beginning anew" if anew else "stopping")
            if closing is not None:
                await closing()
            for task in signals:  # before the readers that switch them say goodbye
                task.cancel()
                await asyncio.wait([task], timeout=GOODBYE_S)
            for task in readers:
                task.cancel()
            _, busy = await asyncio.wait(readers, timeout=GOODBYE_S)
            if busy:
                self._log.warning("readers did not say goodbye in time", count=len(busy))
            self._journal.stop()
            if self._counting is not None:
                self._counting.stop()
            await asyncio.wait([journal, *counting])
            if anew:
                self._uplink.leave()
            else:
                self._uplink.stop()
            await asyncio.wait([uplink])
            beat.cancel()
            look.cancel()

    def ended(self) -> tuple[str, ...]:
        """Return the names of tasks that are over though the agent wasn't stopped."""
        return tuple(task.get_name() for task in self._tasks if task.done())

    @property
    def set_aside(self) -> int:
        """Outbox files found damaged since the start, as of the last beat."""
        return max((stats.set_aside for stats in self._stats), default=0)

    def health(self) -> Health:
        """Return the heartbeat as of now; the outbox's figures are those of the last beat."""
        now_us = self._now_us()
        streams = [
            stream_health(
                stats,
                now_us=now_us,
                held=0 if journal is None else journal.held,
                dropped=0 if journal is None else journal.dropped,
            )
            for stats in self._stats
            for journal in [self._journal_of(stats.stream)]
        ]
        return Health(
            gateway=self._me.gateway,
            boot=self._me.boot,
            at=instant(now_us),
            uptime_s=max(now_us - self._me.started_us, 0) / 1e6,
            uplink=self._uplink.state,
            readers=reader_health(self._troubled(reader.health()) for reader in self._readers),
            streams=streams,
            portals=self._coverage.portals(),
            gaps=self._coverage.gaps(),
            host=UNSET if self._told_of_host is None else self._told_of_host,
            gate=UNSET if self._gate is None else self._gate(),
        )

    def _troubled(self, reader: ReaderHealth) -> ReaderHealth:
        """Say of a reader that is well what is wrong with what is wired to it."""
        problem = reader.problem or self._trouble(reader.id)
        return reader if problem == reader.problem else replace(reader, problem=problem)

    def _journal_of(self, stream: Stream) -> Journal | None:
        if stream == "movement":
            return self._journal
        return None if self._counting is None else self._counting.journal

    async def _look(self) -> None:
        """Judge the doorways, more often than the heartbeat says so: a gap may be shorter than that."""
        while True:
            readers = reader_health(reader.health() for reader in self._readers)
            for change in self._coverage.look(readers, self._now_us()):
                tell_doorway(change, self._log)
            if self._signals is not None:
                self._signals.look(readers, self._coverage.portals())
            if self._counting is not None:
                self._counting.look(readers)
            await asyncio.sleep(LOOK_S)

    async def _beat(self) -> None:
        while True:
            try:
                self._stats = await asyncio.to_thread(self._read_stats)
            except OutboxError as error:
                # The journal tells when the outbox can't be written; the heartbeat goes on with the last figures.
                self._log.debug("outbox figures can't be read", problem=str(error))
            self._told_of_host = await asyncio.to_thread(self._read_host)
            self._uplink.publish_health(self.health())
            await asyncio.sleep(self._heartbeat_s)

    def _read_host(self) -> HostHealth | None:
        return None if self._host is None else self._host()

    def _read_stats(self) -> list[OutboxStats]:
        return [self._outbox.stats(stream) for stream in STREAMS]
