"""What stories need by the clock: tell them again when something falls due, look at manifests, measure the doors."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Protocol

from pydantic import Field

from central.application.openings import Opening
from central.application.ports import Transaction
from central.application.staying import StayWork, measure_places, measure_stays
from central.application.stories import tell
from central.application.views import Instant, View
from central.domain.story.accuracy import Accuracy, Part, Stretch, Tally, measure

MEASURED: Final = timedelta(days=90)
"""Span over which doors are measured: long enough for rare misses, short enough to show a door that got worse."""
MANIFEST_GRACE: Final = timedelta(minutes=15)
"""Between a manifest's first dispatch and calling what wasn't read: a second cart may be on its way."""
LOOKED_BACK: Final = timedelta(days=7)
"""How far back a first look goes for what fell due while nobody looked."""
MANIFEST: Final = "manifest"
"""By this name the exception queue knows what manifests say."""
PARTS: Final = 1000
"""Assets that one transaction tells again."""
UPKEEP_SHARD: Final = 0


class AccuracyView(View):
    """What a door is measured to miss and misread; each with the ends of its 95 % interval."""

    portal: str
    name: str
    since: Instant
    until: Instant
    crossings: int = Field(description="Crossings seen in the span.")
    missed: float = Field(description="Crossings that later sightings show to have been missed, by likelihood.")
    miss_rate: float | None = Field(description="Null where it saw nobody pass: it isn't known then.")
    miss_rate_low: float | None
    miss_rate_high: float | None
    missed_month: float | None
    missed_month_low: float | None
    missed_month_high: float | None
    misread: int = Field(description="Crossings that others contradict: wrong way round, or none at all.")
    misread_month: float
    misread_month_low: float
    misread_month_high: float


@dataclass(frozen=True, slots=True)
class Unread:
    """An asset of a manifest of which the rest has been dispatched for a while."""

    transfer: str
    origin: str
    dispatched_at: datetime
    missing: int
    total: int
    asset: str


class UpkeepWork(Transaction, Protocol):
    """The upkeep's part of a transaction."""

    async def due(self, after: datetime, now: datetime) -> list[str]:
        """Return the assets with something that falls due later than `after` and by `now`, or left by an upgrade."""

    async def told_again(self, assets: Sequence[str]) -> None:
        """Note that assets are told as this version tells them."""

    async def manifest_assets(self, since: datetime) -> list[str]:
        """Return the assets of transfers that could be dispatched after `since`, by id."""

    async def unread(self, before: datetime) -> list[Unread]:
        """Return what is missing of manifests of which a part was dispatched before an instant."""

    async def tallies(self, since: datetime, until: datetime) -> tuple[list[Tally], list[Stretch]]:
        """Return what each door saw in a span, and how often which sighting of an asset followed on which."""

    @property
    def staying(self) -> StayWork:
        """How long assets stay."""

    async def keep_accuracy(self, found: Sequence[Accuracy]) -> None:
        """Store the newest measurement of doors."""


class Upkeep(Protocol):
    """The store as upkeep sees it."""

    def work(self) -> AbstractAsyncContextManager[UpkeepWork]:
        """Open a transaction."""

    async def accuracy(self, portal: str | None = None) -> list[AccuracyView]:
        """Return what doors are measured to miss, all or one."""


async def tell_due(store: Upkeep, after: datetime | None, now: datetime) -> int:
    """Tell the stories again in which something fell due after `after`, or that an upgrade tells otherwise.

    Returns how many there were.
    """
    async with store.work() as work:
        assets = await work.due(after or now - LOOKED_BACK, now)
    for part in (assets[start : start + PARTS] for start in range(0, len(assets), PARTS)):
        async with store.work() as work:
            registry = await work.registry()
            await work.stories.lock(part)
            await tell(work, registry.world, registry.routes, dict.fromkeys(part, UPKEEP_SHARD), now)
            await work.told_again(part)
    return len(assets)


async def check_manifests(store: Upkeep, now: datetime) -> int:
    """Make the exception queue say which manifests were read in part; return how many assets are missing."""
    async with store.work() as work:
        assets = await work.manifest_assets(now - MEASURED)
        await work.stories.lock(assets)
        unread = await work.unread(now - MANIFEST_GRACE)
        await work.settle_exceptions(MANIFEST, assets, [_opening(one) for one in unread], now)
    return len(unread)


async def measure_doors(store: Upkeep, now: datetime) -> int:
    """Measure what doors miss, over the last 90 days; return how many doors there are."""
    since = now - MEASURED
    async with store.work() as work:
        world = (await work.registry()).world
        turns = [since, *(one for one in world.turns() if since < one < now), now]
        parts = []
        for begin, end in pairwise(turns):
            tallies, stretches = await work.tallies(begin, end)
            had = world.as_of(begin).portals
            parts.append(Part(begin, end, [one for one in tallies if one.portal in had], stretches))
        found = measure(parts, world.places)
        await work.keep_accuracy(found)
    return len(found)


async def measure_all_places(store: Upkeep, now: datetime) -> int:
    """Measure how long assets stay at each place, and what that says of each; return how many places there are."""
    async with store.work() as work:
        places = await measure_places(work.staying, now)
    await measure_new_stays(store, now)
    return places


async def measure_new_stays(store: Upkeep, now: datetime) -> int:
    """Measure for assets that came somewhere after how long without a word their place is in doubt."""
    measured = 0
    while True:
        async with store.work() as work:
            some = await measure_stays(work.staying, now)
        measured += some
        if not some:
            return measured


def _opening(one: Unread) -> Opening:
    words = f"incomplete, {one.total - one.missing} of {one.total}"
    evidence = {"transfer": one.transfer, "manifest": words}
    return Opening("partial_batch", None, one.asset, one.origin, one.dispatched_at, evidence, key=one.transfer)
