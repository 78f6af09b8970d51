"""The jobs that stories need: what falls due, manifests read in part, what doors miss, how long assets stay."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from central.application.upkeep import (
    Upkeep,
    check_manifests,
    measure_all_places,
    measure_doors,
    measure_new_stays,
    tell_due,
)
from central.jobs.queue import Job

EVERY_MINUTE: Final = "* * * * *"
EVERY_QUARTER: Final = "*/15 * * * *"
EVERY_NIGHT: Final = "7 1 * * *"


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

    async def stays() -> str:
        measured = await measure_new_stays(store, now())
        return f"{measured} stays measured" if measured else ""

    async def places() -> str:
        return f"{await measure_all_places(store, now())} places measured"

    return [
        Job("stories_due", EVERY_MINUTE, dues),
        Job("measure_doors", EVERY_QUARTER, doors),
        Job("measure_stays", EVERY_QUARTER, stays),
        Job("measure_places", EVERY_NIGHT, places),
    ]
