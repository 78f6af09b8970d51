"""Old hearings are forgotten, and what stories made of them is kept."""

from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from central.application.ports import Registry
from central.application.rollups import PRESENCE_KEPT
from central.application.stories import Stories, Teller, settled_before
from central.domain.story import Checkpoint

HEARINGS_KEPT: Final = PRESENCE_KEPT
"""As long as the presence that they follow from: folding a place anew brings back none that was forgotten."""
SLACK: Final = timedelta(days=30)
"""A story is settled once a month, not each night for one day more."""
PART: Final = 200
"""Assets whose stories are settled at a time."""


class AgeingStories(Stories, Protocol):
    """The stories' part of a transaction, as far as they age."""

    async def aged(self, before: date, after: str, limit: int) -> list[str]:
        """Return the next assets of which something was heard before a day, by id."""

    async def settle(self, bases: Mapping[str, Checkpoint]) -> None:
        """Keep from where stories are told on for good."""

    async def forget_heard(self, assets: Collection[str], before: date) -> int:
        """Forget what was heard of assets before a day, as far as no story needs it; return how many days of tags."""

    async def forget_strangers(self, before: date) -> int:
        """Forget what was heard before a day of tags that are on nothing; return how many days of tags."""


class AgeingWork(Teller, Protocol):
    """Ageing inside one transaction."""

    @property
    def stories(self) -> AgeingStories:
        """Where stories are kept."""

    async def registry(self) -> Registry:
        """Return the registry as this transaction sees it."""


class AgeingStore(Protocol):
    """The store as ageing sees it."""

    def work(self) -> AbstractAsyncContextManager[AgeingWork]:
        """Open a transaction."""


async def forget_hearings(
    store: AgeingStore, now: datetime, *, kept: timedelta = HEARINGS_KEPT, slack: timedelta = SLACK
) -> int:
    """Forget hearings that are older than we keep; return how many days of tags went.

    A story that was sure by then is settled there: it is told on from that point only. One that wasn't keeps all that
    was heard of it. A rebuild gives the same as before; what comes afterwards about the time before is in the log and
    in no story.
    """
    until = now - kept
    day, gone, last = until.date(), 0, ""
    while True:
        async with store.work() as work:
            assets = await work.stories.aged((until - slack).date(), last, PART)
            if not assets:
                return gone + await work.stories.forget_strangers(day)
            await work.stories.lock(assets)
            registry = await work.registry()
            await work.stories.settle(await settled_before(work, registry.world, registry.routes, assets, until))
            gone += await work.stories.forget_heard(assets, day)
        last = assets[-1]
