"""What stands around the running agent on its own machine: service manager, watchdog and the socket for `status`."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from edge.agent.agent import Agent
from edge.agent.at_the_door import AtTheDoor
from edge.agent.fitness import OnTrial
from edge.agent.journal import Journal
from edge.agent.kernel_cache import Kernels
from edge.agent.machine import Machine
from edge.agent.notify import Progress, ServiceManager, Standing, attend
from edge.agent.pipeline import Pipeline
from edge.agent.status_socket import AgentStatus, Movement, StatusServer
from edge.contracts import MovementRow


class Connection(Protocol):
    """What the status wants of the uplink."""

    @property
    def trouble(self) -> tuple[int, str]:
        """How many connections in a row were of no use, and what ended the last; 0 and nothing while all is well."""
        ...

    @property
    def central_heard(self) -> bool:
        """Whether the central has spoken over the connection that stands."""
        ...

    @property
    def certificate_days_left(self) -> float | None:
        """How long our certificate at the broker still holds; None without one."""
        ...

    @property
    def certificate_problem(self) -> str:
        """Why the certificate that lies in our files isn't used; empty where it is."""
        ...


@dataclass(slots=True)
class AgentWork:
    """How far one agent's parts have come, and how it is.

    Attributes:
        machine: looks at the machine.
        executor: the outbox's one thread.
        door: looks at what is told of the door.
        trial: looks at which pushed configuration is on trial.
    """

    agent: Agent
    journal: Journal
    pipeline: Pipeline
    uplink: Connection
    executor: Executor
    machine: Callable[[], Machine]
    version: str
    site: str
    broker: str
    door: Callable[[], AtTheDoor] = AtTheDoor
    trial: Callable[[], OnTrial | None] = lambda: None
    kernels: Kernels = field(default_factory=lambda: Kernels(seconds=0.0, compiled=0, loaded=0))
    progress: Progress = field(default_factory=Progress)
    _given: Future[None] | None = None

    def standing(self) -> Standing:
        """See `Work.standing`."""
        turns = self._given is None or self._given.done()
        if turns:
            self._given = self.executor.submit(_nothing)
        return Standing(
            outbox_turns=turns,
            ended=self.agent.ended(),
            reports=sum(reader.reports for reader in self.agent.health().readers),
            chunks=self.pipeline.chunks,
        )

    def words(self) -> str:
        """See `Work.words`."""
        health = self.agent.health()
        there = sum(reader.state == "connected" for reader in health.readers)
        waiting = sum(stream.pending for stream in health.streams)
        problem = "; ".join(self.progress.stuck) or self.journal.problem
        words = f"{there} of {len(health.readers)} readers, uplink {health.uplink}, {waiting} events wait"
        return f"{words}; {problem}".replace("\n", " ") if problem else words

    def status(self, watchdog_s: float | None) -> AgentStatus:
        """Return what `stockgate-edge status` shows."""
        failures, problem = self.uplink.trouble
        return AgentStatus(
            version=self.version,
            pid=os.getpid(),
            site=self.site,
            health=self.agent.health(),
            machine=self.machine(),
            kernels=self.kernels,
            broker=self.broker,
            uplink_failures=failures,
            uplink_problem=problem,
            central_heard=self.uplink.central_heard,
            certificate_days_left=self.uplink.certificate_days_left,
            certificate_problem=self.uplink.certificate_problem,
            outbox_problem=self.journal.problem,
            held=self.journal.held,
            set_aside=self.agent.set_aside,
            watchdog_s=watchdog_s,
            stuck=self.progress.stuck,
            movements=[_told(row) for row in self.journal.latest],
            door=self.door(),
            trial=self.trial(),
        )


def _told(row: MovementRow) -> Movement:
    return Movement(
        at=row.at,
        portal=row.portal,
        epc=row.epc,
        kind=row.kind,
        final=row.final,
        confidence=row.confidence,
        verdict="" if row.gate is None else row.gate.verdict,
    )


def _nothing() -> None:
    """Show that a thread takes work."""


@asynccontextmanager
async def attended(
    work: AgentWork,
    folder: Path,
    *,
    stop: asyncio.Event,
    back_soon: Callable[[], bool] = lambda: False,
    log: FilteringBoundLogger,
) -> AsyncIterator[None]:
    """Serve the status and attend to the service manager while the body runs; the body ends after `stop`."""
    manager = ServiceManager.from_environment(os.environ, pid=os.getpid())
    async with StatusServer(folder, lambda: work.status(manager.watchdog_s), log=log):
        watching = attend(manager, work, work.progress, stop=stop, back_soon=back_soon, log=log)
        task = asyncio.create_task(watching, name="watchdog")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
