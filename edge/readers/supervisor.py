"""Keeps one reader in session for ever: dials, waits with full jitter after a loss, tells loss and return once each."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, Literal

from structlog.typing import FilteringBoundLogger

from edge.contracts import ReaderHealth
from edge.llrp import LlrpError
from edge.profiles import ProfileError
from edge.readers.antennas import Antennas
from edge.readers.dial import Dialler, TcpDialler
from edge.readers.errors import ReaderError, ReaderUnreachableError
from edge.readers.losses import LossLog
from edge.readers.model import Chunk, ReaderCounters, ReaderSettings, SweepWish
from edge.readers.outputs import OutputPort
from edge.readers.references import Baselines
from edge.readers.report import Standing, reader_health
from edge.readers.session import ReaderSession, tell_changes
from edge.readers.sweep import SweepResult
from edge.readers.tap import Tap

STABLE_S: Final = 10.0
"""A session that lasted this long was a good one: the next retry starts from the shortest wait."""


def backoff_s(attempt: int, settings: ReaderSettings, rng: random.Random) -> float:
    """Return the wait before retry `attempt` (from 0): up to a bound that doubles, so that doors spread out."""
    bound_s = settings.backoff_base_s * 2 ** min(attempt, 16)
    return rng.uniform(0.0, min(settings.backoff_max_s, bound_s))


class ReaderSupervisor:
    """One reader of the configuration.

    Args:
        settings: the reader.
        sink: gets every chunk of every session in order; it may wait, then receiving waits too.
        now_us: the host's clock, UTC microseconds.
        rng: for the waits between tries.
        log: logger.
        baselines: what reference tags were like when commissioned; None: what is learnt lives as long as this object.
        dialler: gives each session its connection; None: it is dialled as the settings say.
        tap: sees every connection's bytes, for a recording.
    """

    def __init__(
        self,
        settings: ReaderSettings,
        *,
        sink: Callable[[Chunk], Awaitable[None]],
        now_us: Callable[[], int],
        rng: random.Random,
        log: FilteringBoundLogger,
        baselines: Baselines | None = None,
        dialler: Dialler | None = None,
        tap: Tap | None = None,
    ) -> None:
        self._tap = tap
        self._settings = settings
        self._sink = sink
        self._now_us = now_us
        self._rng = rng
        self._log: FilteringBoundLogger = log.bind(reader=settings.id)
        self._state: Literal["connecting", "connected", "lost"] = "connecting"
        self._problem = ""
        self._kind: type[Exception] | None = None
        self._attempt = 0
        self._started_s = 0.0
        self._lost_at_us: int | None = None
        self._session: ReaderSession | None = None
        self._losses = LossLog(settings.id)
        self._told: set[str] = set()
        self._since_us = now_us()
        self._dialler = TcpDialler(settings) if dialler is None else dialler
        self._antennas = Antennas(
            settings.id,
            settings.antennas,
            settings.references,
            Baselines() if baselines is None else baselines,
            now_us=self._since_us,
        )
        self.counters = ReaderCounters()

    async def run(self) -> None:
        """Run for ever; cancel to stop, which closes the session in order."""
        while True:
            try:
                await self._run_session()
            except (ReaderError, LlrpError, ProfileError) as error:
                self._lost(error)
            await asyncio.sleep(backoff_s(self._attempt, self._settings, self._rng))
            self._attempt += 1

    def health(self) -> ReaderHealth:
        """Return state and counters for the heartbeat."""
        session = self._session if self._state == "connected" else None
        return reader_health(
            self._settings,
            self.counters,
            Standing(
                state=self._state,
                since_us=self._since_us,
                problem=self._problem or (session.problem if session is not None else ""),
            ),
            antennas=self._antennas.reports(),
            session=session,
        )

    @property
    def outputs(self) -> OutputPort:
        """Return the wired outputs of the session that runs; `ReaderError` where none does."""
        outputs = self.session.outputs
        if outputs is None:
            raise ReaderUnreachableError(f"reader {self._settings.id} is just being set: its outputs can't be switched")
        return outputs

    @property
    def session(self) -> ReaderSession:
        """Return the session that runs, for what is asked of it besides inventory; `ReaderError` where none does."""
        if self._state != "connected" or self._session is None:
            raise ReaderUnreachableError(
                f"reader {self._settings.id} at {self._settings.address} is not in session: "
                f"{self._problem or 'it is being dialled'}"
            )
        return self._session

    @property
    def asks_all(self) -> bool:
        """Whether a session runs in which tags at rest are asked all the time."""
        return self._state == "connected" and self._session is not None and self._session.asks_all

    async def sweep(self, wish: SweepWish) -> SweepResult:
        """Count the tags in the field by the session that runs; see `ReaderSession.sweep`."""
        return await self.session.sweep(wish)

    def end_sweep(self) -> None:
        """End a sweep at once, if one goes on."""
        if self._session is not None:
            self._session.end_sweep()

    async def _run_session(self) -> None:
        session = self._session = ReaderSession(
            self._settings,
            dialler=self._dialler,
            counters=self.counters,
            antennas=self._antennas,
            sink=self._sink,
            now_us=self._now_us,
            log=self._log,
            tell=self._tell,
            lost_at_us=self._lost_at_us,
            losses=self._losses,
            tap=self._tap,
        )
        try:
            await session.run(self._started)
        finally:
            if self._state == "connected":
                self._lost_at_us = session.heard_us
                tell_changes(self._antennas.lost(session.heard_us or self._now_us()), self._log)
                if asyncio.get_running_loop().time() - self._started_s >= STABLE_S:
                    self._attempt = 0

    def _started(self) -> None:
        if self._lost_at_us is not None:
            self.counters.reconnects += 1
        self._log.info(
            "reader connected" if self._lost_at_us is None else "reader back", address=self._settings.address
        )
        if self._told and self._session is not None and not self._session.problem:
            self._told.clear()
            self._log.info("reader runs as configured again")
        self._state, self._problem, self._kind = "connected", "", None
        self._since_us = self._now_us()
        self._started_s = asyncio.get_running_loop().time()

    def _tell(self, words: str) -> None:
        """Tell once what is not as configured, however often the reader is dialled."""
        if words not in self._told:
            self._told.add(words)
            self._log.warning("reader degraded", problem=words)

    def _lost(self, error: Exception) -> None:
        """Tell a loss once, and again only when its cause becomes another one."""
        if type(error) is not self._kind:
            self._log.warning("reader lost", problem=str(error), cause=type(error).__name__)
        if self._state == "connected":
            self._since_us = self._lost_at_us or self._now_us()
        self._state, self._problem, self._kind = "lost", str(error), type(error)
