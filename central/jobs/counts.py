"""The job of scheduled counts: what is due is opened, its book frozen."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from central.application.counts import Counts
from central.jobs.queue import Job

EVERY_TEN_MINUTES: Final = "*/10 * * * *"


def count_jobs(counts: Counts, now: Callable[[], datetime]) -> list[Job]:
    """Return the jobs; `now` is the clock that they go by."""

    async def scheduled() -> str:
        opened = await counts.open_due(now())
        return f"opened counts {', '.join(map(str, opened))}" if opened else ""

    return [Job("scheduled_counts", EVERY_TEN_MINUTES, scheduled)]
