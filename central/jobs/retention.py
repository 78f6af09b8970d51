"""The job that forgets what is too old: presence, hearings and readers' hours, never a movement."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from central.application.ageing import AgeingStore, forget_hearings
from central.application.rollups import Rollups, forget_old
from central.jobs.queue import Job

NIGHTLY: Final = "41 2 * * *"


def retention_jobs(store: Rollups, stories: AgeingStore, now: Callable[[], datetime]) -> list[Job]:
    """Return the jobs; `now` is the clock that they go by."""

    async def retention() -> str:
        presence, hours = await forget_old(store, now())
        heard = await forget_hearings(stories, now())
        told = f"forgot {presence} presence rows, {heard} days of tags heard, {hours} hours of readers"
        return told if presence or heard or hours else ""

    return [Job("retention", NIGHTLY, retention)]
