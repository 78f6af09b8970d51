"""The job that forgets what is too old: presence and readers' hours, never a movement."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from central.application.rollups import Rollups, forget_old
from central.jobs.queue import Job

NIGHTLY: Final = "41 2 * * *"


def retention_jobs(store: Rollups, now: Callable[[], datetime]) -> list[Job]:
    """Return the jobs; `now` is the clock that they go by."""

    async def retention() -> str:
        presence, hours = await forget_old(store, now())
        return f"forgot {presence} presence rows, {hours} hours of readers" if presence or hours else ""

    return [Job("retention", NIGHTLY, retention)]
