"""What people see of assets, in a count or outside one: it verifies them, and their places follow from it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

from central.application.count_views import Observation
from central.application.openings import Opening
from central.application.senders import Seen, SendersWork, own, told_by_sender
from central.application.stories import parts_of, tell
from central.domain.places import Places
from central.domain.story.routes import BEYOND

PEOPLE_SHARD: Final = 0
"""Counter shard of what people move."""

Pairs = Sequence[tuple[str, Observation]]
"""Observations, each with the asset that it is of."""


class Apart(NamedTuple):
    """An asset that is under no way, where the book has it, and where and when somebody saw it after it came there."""

    asset: str
    booked: str
    seen: str
    at: datetime


class SightingWork(Protocol):
    """What taking observations needs of a transaction."""

    @property
    def telling(self) -> SendersWork:
        """Where stories are told."""

    async def find(self, seen: Sequence[Observation]) -> list[str]:
        """Return the assets that were seen; raise `NotFound` if one isn't known, or where it was seen, or by whom."""

    async def apart(self, seen: Pairs) -> list[Apart]:
        """Return those that the book has elsewhere than where they were seen, and outside of the count under way."""

    async def observe(self, seen: Pairs, parts: Pairs, more: Mapping[Seen, Mapping[str, Any]], now: datetime) -> None:
        """Keep observations; what lies in what was seen (`parts`) is held to be there too, which verifies nothing.

        `more` is what the log says of some of them besides.
        """

    async def open(self, openings: Sequence[Opening], now: datetime) -> None:
        """Open exceptions."""


class Taken(NamedTuple):
    """The assets that were seen, in the order of the observations, and those that the book had elsewhere."""

    assets: list[str]
    apart: list[Apart]


async def take(work: SightingWork, seen: Sequence[Observation], now: datetime) -> Taken:
    """Keep observations, tell the stories of what was seen, and return what the book had elsewhere.

    Who only read a tag tells nothing of the place: it may have been read through a wall. What a transfer's sender says
    to see at its goal is there, but isn't received by that.
    """
    assets = await work.find(seen)
    pairs = list(zip(assets, seen, strict=True))
    clear = [(asset, one) for asset, one in pairs if one.grade != "tag_seen"]
    inside = await parts_of(work.telling.stories, {asset for asset, _ in clear}) if clear else {}
    by_parent = {parent: [part for part, in_ in inside.items() if in_ == parent] for parent in set(inside.values())}
    parts = [(part, one) for asset, one in clear for part in by_parent.get(asset, ())]
    await work.telling.stories.lock({*assets, *inside})
    registry = await work.telling.registry()
    apart = await work.apart(clear) if clear else []
    mine = await own(work.telling, [Seen(asset, one.by, one.location) for asset, one in [*clear, *parts]])
    await work.observe(pairs, parts, {one: told_by_sender(transfers) for one, transfers in mine.items()}, now)
    if clear:
        told = {asset for asset, _ in clear} | inside.keys()
        await tell(work.telling, registry.world, registry.routes, dict.fromkeys(told, PEOPLE_SHARD), now)
    return Taken(assets, apart)


async def open_apart(work: SightingWork, found: Sequence[Apart], now: datetime) -> None:
    """Open `wrong_location` of locked assets that the book had elsewhere than they were seen."""
    if wrong := elsewhere(found, (await work.telling.registry()).places):
        await work.open(wrong, now)


async def doubt(work: SightingWork, assets: Collection[str], now: datetime) -> None:
    """Tell the stories of locked assets again that a count called missing."""
    registry = await work.telling.registry()
    await tell(work.telling, registry.world, registry.routes, dict.fromkeys(assets, PEOPLE_SHARD), now)


def elsewhere(found: Sequence[Apart], places: Places) -> list[Opening]:
    """Return what was seen in a wrong place: not just in a finer or coarser one, and not back from outside."""
    return [
        Opening("wrong_location", None, one.asset, one.booked, one.at, {"seen_at": one.seen})
        for one in found
        if places[one.booked].kind not in BEYOND
        and not places.within(one.seen, one.booked)
        and not places.within(one.booked, one.seen)
    ]
