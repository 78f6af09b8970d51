"""The job of other books: our register changes too, so each night it is held against the newest snapshots again."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from central.application.books import Books, reconcile
from central.jobs.queue import Job

NIGHTLY: Final = "37 4 * * *"


def book_jobs(books: Books, now: Callable[[], datetime]) -> list[Job]:
    """Return the job; `now` is the clock that it goes by."""

    async def again() -> str:
        found = await reconcile(books, now())
        return f"{found} mismatches with other books stand" if found else ""

    return [Job("reconcile_books", NIGHTLY, again)]
