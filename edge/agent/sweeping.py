"""Count sweeps by the clock: they wait for quiet doorways, stop at once when something moves there, and go on later.

A sweep is asked of its reader a few seconds at a time; in between the doorway is looked at by the ordinary plan. First
in single target, so that each tag answers once and weak ones get their turn, until none was new for a second. Then in
dual target, which asks everybody: a tag that has had power ever since the last sweep still holds that it was counted.
Only when that, too, has asked until no tag was new the sweep is complete.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self

from structlog.typing import FilteringBoundLogger

from edge.contracts import SensorRow
from edge.presence import Place, Quiet, SweepSettings, is_due
from edge.readers import Chunk, ReaderError, SweepResult, SweepWish
from edge.windows import HeldTag, OpenPassage

LOOK_S: Final = 0.5
SLICE_S: Final = 5
"""Longest time that a doorway isn't looked at: who walks through takes two seconds, and is still near after five."""
PEEK_S: Final = 1.0
"""Between two slices the plan runs for so long: five rounds that find newcomers."""
SILENCE_MS: Final = 1_000
"""A slice has asked all that it can when no tag was new for a second."""
RETRY_S: Final = 5.0
"""A reader that is not in session, or busy, is asked again after this."""
ARRIVE_S: Final = 1.0
"""The last reads of a sweep are on their way for so long at most."""


class Sweeper(Protocol):
    """What is wanted of `edge.readers.ReaderSupervisor`."""

    async def sweep(self, wish: SweepWish) -> SweepResult:
        """Count every tag once; `ReaderError` where it can't now."""
        ...

    def end_sweep(self) -> None:
        """End a sweep at once, if one goes on."""
        ...


class Counter(Protocol):
    """What is wanted of `edge.agent.counting.Counting`."""

    def begin_sweep(self, place: Place) -> bool:
        """Begin to tell of a sweep; False where this time was told already."""
        ...

    def pause_sweep(self, name: str, now_us: int) -> None:
        """Take that it waits for somebody at the door."""
        ...

    def resume_sweep(self, name: str) -> bool:
        """Take that it goes on; False where it paused for too long and must begin anew."""
        ...

    def swept(self, name: str, from_us: int, to_us: int) -> None:
        """Take that its antennas were on."""
        ...

    def end_sweep(self, name: str, end_us: int, *, complete: bool) -> None:
        """Tell of it."""
        ...


@dataclass(slots=True)
class SweepCounters:
    """Counts since the agent started.

    Attributes:
        begun: sweeps that began.
        complete: those that came to their end.
        yielded: times that one stopped for somebody at a doorway.
        refused: times that a reader could not sweep when it was asked to.
    """

    begun: int = 0
    complete: int = 0
    yielded: int = 0
    refused: int = 0


class Sweeps:
    """All sweeps of a gateway; a context in which they run by the clock.

    Args:
        settings: the sweeps.
        readers: returns the LLRP readers by id.
        counter: tells what they find.
        quiet: the doorways.
        serving: the portals of each reader.
        host_synced: whether the host's clock may be believed: sweeps go by it.
        now_us: the host's clock.
        log: logger.
    """

    def __init__(
        self,
        settings: Sequence[SweepSettings],
        readers: Callable[[], Mapping[str, Sweeper]],
        counter: Counter | None,
        quiet: Quiet,
        *,
        serving: Mapping[str, frozenset[str]],
        host_synced: Callable[[], bool],
        now_us: Callable[[], int],
        log: FilteringBoundLogger,
    ) -> None:
        self._settings, self._readers, self._counter, self._quiet = settings, readers, counter, quiet
        self._serving, self._host_synced, self._now_us, self._log = serving, host_synced, now_us, log
        self._tasks: list[asyncio.Task[None]] = []
        self.counters = SweepCounters()

    async def __aenter__(self) -> Self:
        if self._counter is not None:
            self._tasks = [asyncio.create_task(self._keep(one, self._counter), name="sweep") for one in self._settings]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def stir(self, chunk: Chunk, opened: Iterable[OpenPassage | HeldTag], closed: Iterable[str]) -> None:
        """Take what a chunk told of doorways; whatever sweeps at one where something moves stops at once."""
        now_us = chunk.arrival_us
        told = [self._quiet.sense(row, now_us) for row in chunk.rows if isinstance(row, SensorRow)]
        passages = [(one.passage, one.portal) for one in opened if isinstance(one, OpenPassage)]
        stirring = self._quiet.passages(passages, closed, now_us).union(one for one in told if one is not None)
        if stirring:
            for name, reader in self._readers().items():
                if stirring & self._serving.get(name, frozenset()):
                    reader.end_sweep()

    async def _keep(self, one: SweepSettings, counter: Counter) -> None:
        """Begin a sweep whenever it is due; what falls due while it goes on is left out."""
        looked_us = self._now_us()
        while True:
            await asyncio.sleep(LOOK_S)
            now_us = self._now_us()
            if self._host_synced() and is_due(one.at_min, one.every_min, looked_us, now_us):
                await self._sweep(one, counter)
                now_us = self._now_us()
            looked_us = now_us

    async def _sweep(self, one: SweepSettings, counter: Counter) -> None:
        count = _Count(one, left_ms=one.airtime_s * 1000)
        name = one.place.name
        try:
            async with asyncio.timeout(one.within_min * 60):
                while count.goes_on:
                    await self._until_quiet(one.reader, count.quiet_s)
                    await self._slice(count, counter)
        except TimeoutError:
            self._log.warning("sweep given up: its doorways were not quiet for long enough", sweep=name)
        if not count.begun:
            return
        await asyncio.sleep(ARRIVE_S)
        self.counters.complete += count.complete
        counter.end_sweep(name, count.end_us, complete=count.complete)
        self._log.info(
            "sweep over",
            sweep=name,
            tags=len(count.found),
            runs=count.runs,
            complete=count.complete,
            yielded=count.yielded,
        )

    async def _until_quiet(self, reader: str, quiet_s: float) -> None:
        portals, for_us = self._serving.get(reader, frozenset()), round(quiet_s * 1e6)
        while not self._quiet.is_quiet(portals, for_us, self._now_us()):  # noqa: ASYNC110 (time alone may bring it)
            await asyncio.sleep(LOOK_S / 2)

    async def _slice(self, count: "_Count", counter: Counter) -> None:
        """Let the reader sweep for some seconds, and note what came of it."""
        one, name = count.settings, count.settings.place.name
        if not self._goes_on(count, counter):
            self._log.warning("no sweep: this time was told already, the clock was set back", sweep=name)
            count.left_ms = 0
            return
        try:
            result = await self._readers()[one.reader].sweep(count.wish())
        except ReaderError as error:
            self.counters.refused += 1
            if count.problem != str(error):
                count.problem = str(error)
                self._log.warning("sweep waits: its reader can't now", sweep=name, problem=count.problem)
            if not count.runs:
                counter.end_sweep(name, self._now_us(), complete=False)
                count.begun = False
            await asyncio.sleep(RETRY_S)
            return
        self.counters.begun += not count.runs
        counter.swept(name, result.begin_us, result.end_us)
        count.take(result)
        if count.paused:
            counter.pause_sweep(name, result.end_us)
        self.counters.yielded += result.ended == "yielded"
        if count.goes_on:
            await asyncio.sleep(PEEK_S)

    def _goes_on(self, count: "_Count", counter: Counter) -> bool:
        """Begin to tell of a sweep, or go on after a pause; after a long one it is told as it is, and begins anew."""
        if count.paused and not counter.resume_sweep(count.settings.place.name):
            counter.end_sweep(count.settings.place.name, count.end_us, complete=False)
            count.begin_anew()
        count.paused = False
        if not count.begun:
            count.begun = counter.begin_sweep(count.settings.place)
        return count.begun


@dataclass(slots=True)
class _Count:
    """One sweep on its way."""

    settings: SweepSettings
    left_ms: int
    begun: bool = False
    complete: bool = False
    asks_everybody: bool = False
    paused: bool = False
    found: frozenset[bytes] = frozenset()
    runs: int = 0
    yielded: int = 0
    end_us: int = 0
    quiet_s: float = 0.0
    problem: str = ""

    def __post_init__(self) -> None:
        """Wait for the quiet that is configured."""
        self.quiet_s = self.settings.quiet_s

    @property
    def goes_on(self) -> bool:
        """Whether there is something left to do, and airtime for it."""
        return not self.complete and self.left_ms > 0

    def wish(self) -> SweepWish:
        """Return what the reader is to do next."""
        return SweepWish(
            timeout_ms=min(self.left_ms, SLICE_S * 1000),
            silence_ms=SILENCE_MS,
            ports=self.settings.ports,
            doorway_cdbm=dict(self.settings.doorway_cdbm),
            found=self.found,
            target="dual" if self.asks_everybody else "single",
        )

    def begin_anew(self) -> None:
        """Forget who was counted: too long ago for one count."""
        self.found, self.asks_everybody, self.begun = frozenset(), False, False

    def take(self, result: SweepResult) -> None:
        """Take what a slice came to."""
        self.found |= result.epcs
        self.runs += 1
        self.end_us = result.end_us
        self.left_ms -= max((result.end_us - result.begin_us) // 1000, 1)
        self.paused = result.ended == "yielded"
        self.yielded += self.paused
        self.quiet_s = self.settings.quiet_s if self.paused else 0.0
        if result.ended == "silence":
            self.complete = self.asks_everybody
            self.asks_everybody = True
