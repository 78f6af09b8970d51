"""Stories of assets: folded again from all that is known of them, whenever something new is.

Crossings and acts may come late, twice and out of order: the story is a function of their set.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Protocol

from central.application.openings import Opening
from central.domain.exits import Authorisation
from central.domain.story import Act, Checkpoint, Crossing, Due, Heard, Routes, Story, Told, World, fold

SOURCE: Final = "story"
"""By this name the exception queue knows what stories say."""
COMPANY: Final = "company"
"""By this name it knows what is said of assets that lie in others."""
ACT_KINDS: Final = (
    "placed", "seen", "asset_verified", "counted_missing", "dispatch_scanned", "receipt_scanned", "leg_claimed",
    "custody_given", "transfer_line_cancelled",
)  # fmt: skip
"""Acts about an asset that its story hears; approvals and cancellations come by its transfers."""

TOLD_AT_ONCE: Final = 500
"""Stories after which others get their turn: an import tells those of all its assets beside ingest."""

DueKey = tuple[datetime, int, str]
"""Start, business days, and the location on whose calendar they are counted."""


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of one asset."""

    crossings: Sequence[Crossing] = ()
    acts: Sequence[Act] = ()
    heard: Sequence[Heard] = ()
    begin: Checkpoint | None = None
    """From where the story is told on; crossings and acts are newer."""
    frozen: Mapping[DueKey, Due] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Telling:
    """An asset's new story; `dues` are due dates that were worked out for it and are to be frozen.

    `begin` is from where it was told on; what it tells of missed and misread crossings is newer than that.
    """

    asset: str
    shard: int
    story: Story
    dues: Mapping[DueKey, Due]
    begin: Checkpoint | None = None


@dataclass(frozen=True, slots=True)
class Companion:
    """An asset that lies in another, where it is, and since when it is seen apart from that; None while it isn't."""

    asset: str
    parent: str
    apart_at: datetime | None
    location: str | None


@dataclass(frozen=True, slots=True)
class Tellings:
    """What telling stories did: places whose count moved, and exceptions that changed."""

    locations: set[str] = field(default_factory=set)
    exceptions: list[int] = field(default_factory=list)


class Stories(Protocol):
    """The stories' part of a transaction. Assets are locked before they are read."""

    async def lock(self, assets: Collection[str]) -> None:
        """Lock assets by id."""

    async def known(self, assets: Mapping[str, datetime | None]) -> dict[str, Known]:
        """Return what is known of assets: all, or what came after a checkpoint that is older than the instant given."""

    async def keep(self, tellings: Sequence[Telling], now: datetime) -> set[str]:
        """Store stories and what follows from them; return the locations whose count moved."""

    async def carried(self, assets: Collection[str]) -> dict[str, str]:
        """Return what lies in assets, however deep, and in which of them."""

    async def companions(self, assets: Collection[str]) -> list[Companion]:
        """Return those of the assets that lie in others."""

    async def unsettled(self) -> set[str]:
        """Return the assets whose stories hang on how places are joined."""


class Teller(Protocol):
    """What telling needs of a transaction."""

    @property
    def stories(self) -> Stories:
        """Where stories are kept."""

    async def authorisations(self, assets: Collection[str]) -> dict[str, Sequence[Authorisation]]:
        """Return the authorisations of assets."""

    async def settle_exceptions(
        self, source: str, assets: Collection[str], openings: Sequence[Opening], now: datetime
    ) -> list[int]:
        """Make the exception queue say about assets what a source says now."""


@dataclass(slots=True)
class _Freezer:
    """Due dates that stand once they have been worked out."""

    world: World
    frozen: Mapping[DueKey, Due]
    new: dict[DueKey, Due] = field(default_factory=dict)

    def due(self, start: datetime, business_days: int, location: str) -> Due:
        """Return the due date that was frozen, or work it out."""
        key = (start, business_days, location)
        known = self.frozen.get(key) or self.new.get(key)
        if known is None:
            known = self.new[key] = self.world.due(start, business_days, location)
        return known


async def tell(
    transaction: Teller,
    world: World,
    routes: Routes,
    shards: Mapping[str, int],
    now: datetime,
    *,
    fresh: Mapping[str, datetime] | None = None,
) -> Tellings:
    """Fold the stories of assets again, keep them, and make the exception queue say what is wrong with them.

    `shards` gives each asset's counter shard. The assets are locked. `fresh` names assets of which nothing is new but
    crossings or hearings from an instant on: their stories are told on from their checkpoints if those are older.
    """
    if not shards:
        return Tellings()
    tellings = await fold_again(transaction, world, routes, shards, fresh)
    locations = await transaction.stories.keep(tellings, now)
    wrong = [opening for one in tellings for opening in openings(one, now)]
    return Tellings(locations, await transaction.settle_exceptions(SOURCE, shards.keys(), wrong, now))


async def with_parts(stories: Stories, assets: Collection[str]) -> list[str]:
    """Return assets and what lies in them, unless that was seen apart; by id."""
    return sorted({*assets, *await parts_of(stories, assets)})


async def parts_of(stories: Stories, assets: Collection[str]) -> dict[str, str]:
    """Return what lies in assets and wasn't seen apart, and in which of them."""
    parts = await stories.carried(assets)
    apart = {one.asset for one in await stories.companions(sorted(parts)) if one.apart_at is not None}
    return {part: parts[part] for part in sorted(set(parts) - apart - set(assets))}


async def tell_apart(transaction: Teller, assets: Collection[str], now: datetime) -> list[int]:
    """Say in the queue which assets are seen apart from what they lie in; return the exceptions that changed."""
    found = await transaction.stories.companions(assets)
    apart = [
        Opening("separated", None, one.asset, one.location, one.apart_at, {"parent": one.parent})
        for one in found
        if one.apart_at is not None
    ]
    return await transaction.settle_exceptions(COMPANY, [one.asset for one in found], apart, now) if found else []


async def fold_again(
    transaction: Teller,
    world: World,
    routes: Routes,
    shards: Mapping[str, int],
    fresh: Mapping[str, datetime] | None = None,
) -> list[Telling]:
    """Return the stories of assets as all that is known of them tells them."""
    known = await transaction.stories.known({asset: (fresh or {}).get(asset) for asset in shards})
    unset = [asset for asset, one in known.items() if one.begin and not all(each.synced for each in one.crossings)]
    if unset:  # a clock that wasn't set may put a crossing before the checkpoint
        known |= await transaction.stories.known(dict.fromkeys(unset))
    permits = await transaction.authorisations(shards.keys())
    tellings: list[Telling] = []
    for asset, shard in sorted(shards.items()):
        tellings.append(_tell(asset, shard, known.get(asset, Known()), permits.get(asset, ()), world, routes))
        if len(tellings) % TOLD_AT_ONCE == 0:
            await asyncio.sleep(0)
    return tellings


async def settled_before(
    transaction: Teller, world: World, routes: Routes, assets: Collection[str], until: datetime
) -> dict[str, Checkpoint]:
    """Return from where stories may be told on that are told of nothing but what came before an instant.

    Assets whose stories were never sure enough until then are left out.
    """
    known = await transaction.stories.known(dict.fromkeys(assets))
    permits = await transaction.authorisations(assets)
    found: dict[str, Checkpoint] = {}
    for asset, one in known.items():
        early = replace(
            one,
            crossings=[each for each in one.crossings if each.at < until],
            acts=[each for each in one.acts if each.at < until],
            heard=[each for each in one.heard if each.at < until],
        )
        mark = _tell(asset, 0, early, permits.get(asset, ()), world, routes).story.checkpoint
        if mark is not None and (one.begin is None or mark.at > one.begin.at):
            found[asset] = mark
    return found


def openings(telling: Telling, now: datetime) -> list[Opening]:
    """Return what is wrong by now; what falls due later is told when it does."""
    return [
        Opening(one.category, one.severity, telling.asset, one.location, one.at, one.evidence)
        for one in telling.story.findings
        if one.at <= now
    ]


def _tell(  # noqa: PLR0917 (what a fold depends on, all of it)
    asset: str, shard: int, known: Known, permits: Sequence[Authorisation], world: World, routes: Routes
) -> Telling:
    freezer = _Freezer(world, known.frozen)
    told = Told(tuple(known.crossings), tuple(known.acts), tuple(permits), known.begin, tuple(known.heard))
    return Telling(asset, shard, fold(told, replace(world, due=freezer.due), routes), freezer.new, known.begin)
