"""What is wrong with records, tags and doors, looked for each night: nobody in charge, read less and less, blind."""

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from central.application.openings import Opening
from central.domain.anomalies.fading import Reading, weaker

SOURCE: Final = "records"
"""By this name the exception queue knows what the review says."""
AT_MOST: Final = 5000
"""Of each kind in one night: a queue that nobody can read helps nobody; the rest is found once these are put right."""

TAGS: Final = "tags"
DOORS: Final = "leaky_doors"
"""By these names the queue knows what the reviews of tags and of doors say."""
PASSAGES: Final = "passages"
PLACED: Final = "its place is known since"
LATELY: Final = timedelta(days=2)
"""Tags that no door placed since were looked at in a night before."""
CROSSINGS: Final = 60
"""So many of a tag's newest crossings are looked at."""
PART: Final = 2000
"""Assets whose tags are looked at in one transaction."""
SURELY_MISSED: Final = 0.05
"""A door is told whose share of missed crossings is above this, even at the lower end of its 95 % interval."""


@dataclass(frozen=True, slots=True)
class TagReadings:
    """A tag's newest crossings, newest first; `at` is the newest one's."""

    asset: str
    location: str | None
    epc: str
    at: datetime
    readings: Sequence[Reading]


@dataclass(frozen=True, slots=True)
class LeakyDoor:
    """A door that misses crossings, as it was measured last: at least this share, so many a month."""

    portal: str
    inside: str
    until: datetime
    least_share: float
    missed_month: float


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

    async def settle_keys(
        self, source: str, keys: Collection[str], openings: Sequence[Opening], now: datetime
    ) -> list[int]:
        """Do the same for what a source says about keys, as doors are."""

    async def crossers(self, source: str, since: datetime, after: str, limit: int) -> list[str]:
        """Return the next assets that a door placed since then, or of which a source says something, by id."""

    async def readings(self, assets: Collection[str], crossings: int) -> list[TagReadings]:
        """Return the newest crossings of each tag that is on the assets, box tags left out."""

    async def leaky_doors(self, share: float) -> list[LeakyDoor]:
        """Return the doors that surely miss more than a share of crossings."""

    async def standing_keys(self, source: str) -> set[str]:
        """Return the keys of which a source says something that stands."""

    async def placed_since(self) -> set[str]:
        """Return assets that passed a door nobody knows which way, and whose place is known since then."""

    async def suggest_closing(
        self, categories: Collection[str], assets: Collection[str], words: str, source: str, now: datetime
    ) -> list[int]:
        """Suggest the closing of assets' open exceptions of some categories; return which."""


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


async def review_tags(store: Reviews, now: datetime, *, part: int = PART) -> int:
    """Make the queue say which tags are read less than they were at the same door; return how many are."""
    weak, last = 0, ""
    while True:
        async with store.work() as work:
            assets = await work.crossers(TAGS, now - LATELY, last, part)
            if not assets:
                return weak
            found = list(_weak_tags(await work.readings(assets, CROSSINGS)))
            await work.settle_exceptions(TAGS, assets, found, now)
        weak, last = weak + len(found), assets[-1]


async def review_doors(store: Reviews, now: datetime) -> int:
    """Make the queue say which doors miss crossings, by what they were last measured to miss; return how many do."""
    async with store.work() as work:
        found = [_leaky(one) for one in await work.leaky_doors(SURELY_MISSED)]
        keys = {one.key for one in found} | await work.standing_keys(DOORS)
        await work.settle_keys(DOORS, keys, found, now)
    return len(found)


async def review_passages(store: Reviews, now: datetime) -> int:
    """Suggest to close passages that nobody knew the way of, where the asset was placed since; return how many."""
    async with store.work() as work:
        assets = await work.placed_since()
        return len(await work.suggest_closing(["ambiguous_passage"], assets, PLACED, PASSAGES, now)) if assets else 0


def _weak_tags(tags: Iterable[TagReadings]) -> Iterable[Opening]:
    for tag in tags:
        odd = weaker(tag.readings)
        if odd is not None:
            told = {"epc": tag.epc, "portal": odd.portal, "usual_reads": f"{odd.usual:g}", "reads_now": f"{odd.now:g}"}
            yield Opening("weak_tag", None, tag.asset, tag.location, _month(tag.at), told, tag.epc)


def _leaky(door: LeakyDoor) -> Opening:
    told = {"portal": door.portal, "missed_share_at_least": f"{door.least_share:.3f}"}
    told |= {"missed_a_month": f"{door.missed_month:.1f}"}
    return Opening("missed_crossing", None, None, door.inside, _month(door.until), told, door.portal)


def _month(at: datetime) -> datetime:
    """Return the beginning of an instant's month (UTC): what lasts is one occurrence a month, not one a night."""
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
