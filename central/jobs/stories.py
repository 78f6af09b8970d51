"""The jobs that stories need: what falls due, manifests read in part, what doors miss."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from central.application.upkeep import Upkeep, check_manifests, measure_doors, tell_due
from central.jobs.queue import Job

EVERY_MINUTE: Final = "* * * * *"
EVERY_QUARTER: Final = "*/15 * * * *"


def story_jobs(store: Upkeep, now: Callable[[], datetime]) -> list[Job]:
    """Return the jobs; `now` is the clock that they go by."""
    looked: list[datetime] = []

    async def dues() -> str:
        at = now()
        told = await tell_due(store, looked[-1] if looked else None, at)
        looked[:] = [at]
        missing = await check_manifests(store, at)
        return f"told {told} stories again, {missing} assets of manifests missing" if told or missing else ""

    async def doors() -> str:
        await measure_doors(store, now())
        return ""

    return [Job("stories_due", EVERY_MINUTE, dues), Job("measure_doors", EVERY_QUARTER, doors)]
