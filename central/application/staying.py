"""How long nothing need be heard of an asset before its place is in doubt: measured place by place and asset by asset.

What comes of it is no part of a story, which is a function of the asset's own log: it stands beside it, and holds for
as long as the stay does that it was measured for.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from central.domain.story.stays import Cohort, Curve, Leaving, Stay, curve, patience_h, unseen

REMEMBERED: Final = timedelta(days=90)
"""How far back stays are looked at."""
MOST_STAYS: Final = 200_000
"""Newest stays from which places are measured."""
STAYS_AT_ONCE: Final = 2000
"""Assets that one transaction measures."""


StayKey = tuple[str, Cohort]
"""(place, cohort)."""


@dataclass(frozen=True, slots=True)
class Staying:
    """How long assets stay at a place, and which share (0 to 1) of those who leave no door sees."""

    location: str
    cohort: Cohort
    curve: Curve
    unseen: float

    @property
    def patience_h(self) -> float:
        """After how many hours without a word an asset is in doubt that never stayed here before."""
        return patience_h((), self.curve, self.unseen)


@dataclass(frozen=True, slots=True)
class Begun:
    """A stay that goes on, whether the asset is one that is carried, and the hours of its earlier ones at the place."""

    asset: str
    location: str
    since: datetime
    carried: bool
    own_h: Sequence[float]


class StayWork(Protocol):
    """The part of a transaction that knows how long assets stay."""

    async def stays(self, since: datetime, now: datetime, most: int) -> Mapping[StayKey, Sequence[Stay]]:
        """Return stays by place and cohort: the newest that have ended since an instant, and those that go on."""

    async def leavings(self, since: datetime) -> Mapping[str, Sequence[Leaving]]:
        """Return seen departures by place."""

    async def keep_staying(self, found: Collection[Staying], now: datetime) -> None:
        """Store how long assets stay at places, in place of what stood there."""

    async def staying(self) -> Mapping[StayKey, Staying]:
        """Return how long assets that were seen to come or are carried stay, by place and cohort."""

    async def forget_patience(self) -> None:
        """Forget how long nothing need be heard of each asset: places were measured anew."""

    async def begun(self, since: datetime, limit: int) -> Sequence[Begun]:
        """Return stays that a door or a reader saw begin, for which no patience stands."""

    async def keep_patience(self, found: Collection[tuple[Begun, float]]) -> None:
        """Store after how many hours without a word each asset's place is in doubt."""


async def measure_places(work: StayWork, now: datetime) -> int:
    """Measure how long assets stay at each place; return how many places were measured."""
    stays = await work.stays(now - REMEMBERED, now, MOST_STAYS)
    leavings = await work.leavings(now - REMEMBERED)
    found = [
        Staying(place, cohort, curve(its), unseen(leavings.get(place, ()))) for (place, cohort), its in stays.items()
    ]
    await work.keep_staying(found, now)
    await work.forget_patience()
    return len({one.location for one in found})


async def measure_stays(work: StayWork, now: datetime) -> int:
    """Measure the patience for stays that began; return how many there were, at most `STAYS_AT_ONCE`."""
    begun = await work.begun(now - REMEMBERED, STAYS_AT_ONCE)
    if not begun:
        return 0
    places = await work.staying()
    nothing = Staying("", "arrived", curve=Curve(), unseen=unseen(()))
    told = [(one, places.get((one.location, "carried" if one.carried else "arrived"), nothing)) for one in begun]
    await work.keep_patience([(one, patience_h(one.own_h, place.curve, place.unseen)) for one, place in told])
    return len(begun)
