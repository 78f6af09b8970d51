"""The job queue: periodic jobs on procrastinate, over the service's own connection pool.

Every job may run twice, beside itself or not at all for a while: what it finds to do it does in transactions that
commit whole. Several workers share the jobs; a tick of the clock is queued once, whoever sees it first. A job whose
worker was killed is queued again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import procrastinate
import structlog
from procrastinate.exceptions import ProcrastinateException
from psycopg_pool import AsyncConnectionPool

from central.application.errors import CentralError

STOP_S: Final = 10.0
"""How long a job may go on once the worker is told to stop; then it is cancelled, and its transaction taken back."""
RETRY_S: Final = 2.0
"""Between attempts to work while the database is down."""
FAILED_KEPT_H: Final = 7 * 24
"""How long failed jobs stay in the queue's tables to be looked at."""
HOUSEKEEPING: Final = "*/5 * * * *"

_log = structlog.get_logger("central.jobs")


@dataclass(frozen=True, slots=True)
class Job:
    """Something done by the clock: a cron expression (UTC), and what to call; it returns what it did, in words."""

    name: str
    cron: str
    run: Callable[[], Awaitable[str]]


class Queue:
    """A worker of the queue; `run` works until it is cancelled."""

    def __init__(self, pool: AsyncConnectionPool[Any], jobs: Sequence[Job]) -> None:
        self._pool = pool
        self._failing: set[str] = set()
        self.app = procrastinate.App(connector=procrastinate.PsycopgConnector())
        for job in jobs:
            self._register(job)
        self._register(Job("housekeeping", HOUSEKEEPING, self._housekeep))

    async def run(self) -> None:
        """Work until cancelled; a database that goes away is waited for."""
        logging.getLogger("procrastinate").setLevel(logging.CRITICAL)  # what it would tell is told here, once
        down = False
        while True:
            try:
                await self._open()
                if down:
                    _log.info("the database is back: jobs go on")
                down = False
                await self.app.run_worker_async(
                    install_signal_handlers=False, shutdown_graceful_timeout=STOP_S, delete_jobs="successful"
                )
            except ProcrastinateException as error:
                if not down:
                    _log.warning("the database is not available: jobs wait", error=str(error))
                down = True
            await asyncio.sleep(RETRY_S)

    async def run_waiting(self) -> None:
        """Run what is queued and return."""
        await self._open()
        await self.app.run_worker_async(
            wait=False, install_signal_handlers=False, listen_notify=False, delete_jobs="successful"
        )

    async def _open(self) -> None:
        await self.app.open_async(self._pool)
        await self.app.check_connection_async()

    def _register(self, job: Job) -> None:
        async def run(timestamp: int) -> None:
            del timestamp  # a late job does what is to be done now
            await self._run(job)

        task = self.app.task(name=job.name, queueing_lock=job.name, queue="stockgate")(run)
        self.app.periodic(cron=job.cron)(task)

    async def _run(self, job: Job) -> None:
        try:
            did = await job.run()
        except CentralError as error:
            if job.name not in self._failing:
                _log.warning("job failed, it will be tried again", job=job.name, error=str(error))
            self._failing.add(job.name)
            raise
        if job.name in self._failing:
            _log.info("job works again", job=job.name)
            self._failing.discard(job.name)
        if did:
            _log.info("job done", job=job.name, did=did)

    async def _housekeep(self) -> str:
        """Queue again what killed workers had begun, and forget old failures."""
        manager = self.app.job_manager
        stalled = list(await manager.get_stalled_jobs())
        for job in stalled:
            await manager.retry_job(job)
        await manager.delete_old_jobs(nb_hours=FAILED_KEPT_H, include_failed=True)
        return f"queued {len(stalled)} jobs of killed workers again" if stalled else ""
