"""The jobs of the exception queue: what nobody had goes to who answers for it by now, and records are reviewed."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from central.application.exceptions import Exceptions
from central.application.reviewing import review_doors, review_passages, review_records, review_tags
from central.jobs.queue import Job

EVERY_FIVE_MINUTES: Final = "*/5 * * * *"
NIGHTLY: Final = "7 4 * * *"
AT_ONCE: Final = 500


def exception_jobs(queue: Exceptions, now: Callable[[], datetime]) -> list[Job]:
    """Return the jobs; `now` is the clock that they go by."""

    async def waiting() -> str:
        async with queue.work() as work:
            given = await work.assign(await work.unassigned(AT_ONCE), now())
        return f"assigned {given} exceptions" if given else ""

    async def review() -> str:
        found = await review_records(queue, now())
        weak, leaky = await review_tags(queue, now()), await review_doors(queue, now())
        await review_passages(queue, now())
        told = f"{found} records are wrong, {weak} tags are weak, {leaky} doors miss crossings"
        return told if found or weak or leaky else ""

    return [Job("assign_exceptions", EVERY_FIVE_MINUTES, waiting), Job("review_records", NIGHTLY, review)]
