"""What is wrong with records, looked for each night: nobody in charge, one serial twice, not verified any more."""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Final, Protocol

from central.application.openings import Opening

SOURCE: Final = "records"
"""By this name the exception queue knows what the review says."""
AT_MOST: Final = 5000
"""Of each kind in one night: a queue that nobody can read helps nobody; the rest is found once these are put right."""


class ReviewWork(Protocol):
    """The review inside one transaction."""

    async def wrong_records(self, now: datetime, limit: int) -> list[Opening]:
        """Return what is wrong with assets' records, at most so many of each category."""

    async def reviewed(self) -> set[str]:
        """Return the assets of which the review said something that stands."""

    async def settle_exceptions(
        self, source: str, assets: Collection[str], openings: Sequence[Opening], now: datetime
    ) -> list[int]:
        """Make the exception queue say about assets what a source says now."""


class Reviews(Protocol):
    """The store as the review sees it."""

    def work(self) -> AbstractAsyncContextManager[ReviewWork]:
        """Open a transaction."""


async def review_records(store: Reviews, now: datetime) -> int:
    """Make the queue say what is wrong with records now, no more and no less; return how many things are."""
    async with store.work() as work:
        found = await work.wrong_records(now, AT_MOST)
        assets = {one.asset for one in found if one.asset is not None} | await work.reviewed()
        await work.settle_exceptions(SOURCE, assets, found, now)
    return len(found)
