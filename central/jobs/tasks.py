"""The jobs of the service: what each does, and when."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog

from central.application.alerting import AlertBook, settle_claims
from central.application.calendars import CalendarStore, take_published
from central.application.deadlines import SweepLog, sweep
from central.jobs.queue import Job

EVERY_MINUTE: Final = "* * * * *"
EVERY_FIVE_MINUTES: Final = "*/5 * * * *"
DAILY: Final = "17 3 * * *"

_log = structlog.get_logger("central.jobs")


def jobs(log: SweepLog, book: AlertBook, calendars: CalendarStore, now: Callable[[], datetime]) -> list[Job]:
    """Return all jobs; `now` is the clock that they go by."""

    async def deadlines() -> str:
        done = await sweep(log, now())
        for problem in done.problems:
            _log.error("a deadline can't be planned", problem=problem)
        return f"planned {done.planned}, fired {done.fired}" if done.planned or done.fired else ""

    async def false_reads() -> str:
        changed = await settle_claims(book, now())
        return f"settled {len(changed)}" if changed else ""

    async def published_calendars() -> str:
        taken = await take_published(calendars, now())
        return f"took {', '.join(taken)} into use" if taken else ""

    return [
        Job("deadlines", EVERY_MINUTE, deadlines),
        Job("false_reads", EVERY_FIVE_MINUTES, false_reads),
        Job("published_calendars", DAILY, published_calendars),
    ]
