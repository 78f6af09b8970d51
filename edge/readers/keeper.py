"""Keeps a device that speaks no LLRP in session for ever, as `ReaderSupervisor` keeps an LLRP reader.

A session is used once. A loss is told once, and again only when its cause becomes another; so is the return.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Final, Literal, Protocol

from structlog.typing import FilteringBoundLogger

from edge.contracts import AntennaHealth, ReaderHealth, instant
from edge.readers.errors import ReaderError
from edge.readers.model import ReaderCounters

STABLE_S: Final = 10.0
"""A session that lasted this long was a good one: the next retry starts from the shortest wait."""


class KeptSession(Protocol):
    """One session with a device."""

    @property
    def problem(self) -> str:
        """What is not as it should be though the session runs, in words."""
        ...

    @property
    def heard_us(self) -> int | None:
        """Host time of the last sign of life; None before the first."""
        ...

    @property
    def who(self) -> str:
        """What the device says that it is; empty where it doesn't."""
        ...

    def antennas(self) -> list[AntennaHealth]:
        """Return what is known of its antennas."""
        ...

    async def run(self, started: Callable[[], None]) -> None:
        """Run until the device is lost (`ReaderError`) or until cancelled; `started` is called once it serves."""
        ...


class MakeSession(Protocol):
    """Makes a session; `tell` gets what is not as configured, once each, and `lost_at_us` ended the session before."""

    def __call__(self, *, tell: Callable[[str], None], lost_at_us: int | None) -> KeptSession:
        """Make one."""
        ...


def full_jitter_s(attempt: int, *, base_s: float, max_s: float, rng: random.Random) -> float:
    """Return the wait before retry `attempt` (from 0): anything up to a bound that doubles."""
    return rng.uniform(0.0, min(max_s, base_s * 2 ** min(attempt, 16)))


class Keeper:
    """One device of the configuration.

    Args:
        name: the device's id.
        address: where it is, for people.
        profile: what is spoken with it, as the birth message calls it.
        make: makes a session.
        counters: counts over all sessions, which sessions write.
        backoff_base_s: the first retry waits between 0 and this.
        backoff_max_s: longest wait between two tries.
        now_us: the host's clock.
        rng: for the waits.
        log: logger.
    """

    def __init__(
        self,
        name: str,
        address: str,
        *,
        profile: str,
        make: MakeSession,
        counters: ReaderCounters,
        backoff_base_s: float,
        backoff_max_s: float,
        now_us: Callable[[], int],
        rng: random.Random,
        log: FilteringBoundLogger,
    ) -> None:
        self._name, self._address, self._make, self._rng = name, address, make, rng
        self._profile, self._now_us = profile, now_us
        self._since_us = now_us()
        self._base_s, self._max_s = backoff_base_s, backoff_max_s
        self._log: FilteringBoundLogger = log.bind(reader=name)
        self._state: Literal["connecting", "connected", "lost"] = "connecting"
        self._problem = ""
        self._kind: type[Exception] | None = None
        self._attempt = 0
        self._started_s = 0.0
        self._lost_at_us: int | None = None
        self._session: KeptSession | None = None
        self._told: set[str] = set()
        self.counters = counters

    async def run(self) -> None:
        """Run for ever; cancel to stop, which ends the session in order."""
        while True:
            try:
                await self._run_session()
            except ReaderError as error:
                self._lost(error)
            await asyncio.sleep(full_jitter_s(self._attempt, base_s=self._base_s, max_s=self._max_s, rng=self._rng))
            self._attempt += 1

    def health(self) -> ReaderHealth:
        """Return state and counters for the heartbeat."""
        counters, last_us = self.counters, self.counters.last_read_us
        running = self._session if self._state == "connected" else None
        return ReaderHealth(
            id=self._name,
            state=self._state,
            reads=counters.reads,
            reports=counters.reports,
            unlisted_reads=counters.unlisted_reads,
            reconnects=counters.reconnects,
            lost_reports=counters.lost_reports,
            last_read_at=None if last_us is None else instant(last_us),
            problem=self._problem or ("" if running is None else running.problem),
            since=instant(self._since_us),
            model="" if running is None else running.who,
            profile=self._profile,
            antennas=[] if running is None else running.antennas(),
        )

    async def _run_session(self) -> None:
        session = self._session = self._make(tell=self._tell, lost_at_us=self._lost_at_us)
        try:
            await session.run(self._started)
        finally:
            if self._state == "connected":
                self._lost_at_us = session.heard_us
                self._since_us = self._now_us() if session.heard_us is None else session.heard_us
                if asyncio.get_running_loop().time() - self._started_s >= STABLE_S:
                    self._attempt = 0

    def _started(self) -> None:
        back = self._lost_at_us is not None
        self.counters.reconnects += back
        self._log.info("reader back" if back else "reader connected", address=self._address)
        self._state, self._problem, self._kind = "connected", "", None
        self._since_us = self._now_us()
        self._started_s = asyncio.get_running_loop().time()

    def _tell(self, words: str) -> None:
        if words not in self._told:
            self._told.add(words)
            self._log.warning("reader degraded", problem=words)

    def _lost(self, error: ReaderError) -> None:
        if type(error) is not self._kind:
            self._log.warning("reader lost", problem=str(error), cause=type(error).__name__)
        self._state, self._problem, self._kind = "lost", str(error), type(error)
