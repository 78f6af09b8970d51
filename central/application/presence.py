"""The perpetual count: what zones and sweeps told, folded place by place into coverage, presence and counters.

It runs beside ingest, never in its transaction: a place is at most seconds behind its presence rows, and an alert never
waits for a count. Everything is a function of the log, so folding a place anew gives the same.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from central.application.openings import Opening
from central.domain.presence.buckets import Booked, Bucket, Tally, bucket_of, is_unexpected, tally
from central.domain.presence.coverage import Coverage, CoverageKind, Doors, Sighting, ledger
from central.domain.presence.fold import Place, Stay, Stranger, fold, opened
from central.domain.presence.history import Presence
from central.domain.presence.spans import CELL, SWEEP_JOIN, Round, Span, rounds

GRACE: Final = timedelta(minutes=2)
"""A round is folded this long after its end: what is late by less needs no folding anew."""
LIVE: Final = CELL + timedelta(minutes=10)
"""A place is sighted now if it was within this: antennas that always listen tell once an hour what they missed."""
LEDGER_REACH: Final = timedelta(days=35)
"""How far back the ledger is made anew at each count; what is older changes only by a fold from the beginning."""
BATCH: Final = 200
"""Places that one turn looks at; the others come with the next."""
SOURCE: Final = "counts"
BEGINNING: Final = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Taken:
    """What came for a place: None where nothing of this mode did, else since when."""

    upto: datetime | None
    zone_from: datetime | None
    sweep_from: datetime | None

    @property
    def late(self) -> bool:
        """Whether some of it belongs before what is folded already."""
        if self.upto is None:
            return True
        zone_late = self.zone_from is not None and self.zone_from < self.upto
        return zone_late or (self.sweep_from is not None and self.sweep_from <= self.upto + SWEEP_JOIN)


@dataclass(frozen=True, slots=True)
class BookRow:
    """An asset that the book has at a place. `elsewhere` is where it was credibly heard since, and when."""

    asset: str
    since: datetime
    observed: bool
    elsewhere: str | None
    elsewhere_at: datetime | None


@dataclass(frozen=True, slots=True)
class Guest:
    """An asset whose tag was heard at a place where the book hasn't got it."""

    asset: str
    stranger: Stranger
    booked_since: datetime | None
    heard_at_home: datetime | None


@dataclass(frozen=True, slots=True)
class Covered:
    """How a place is covered, with which probability, and when it was last sighted."""

    kind: CoverageKind
    probability: float | None
    sighted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """An asset's line in a place's count."""

    asset: str
    bucket: Bucket
    probability: float | None
    seen_at: datetime | None
    booked_since: datetime | None = None
    elsewhere: str | None = None


class PlaceWork(Protocol):
    """One place, locked, inside a transaction."""

    async def take(self) -> Taken:
        """Lock the place and take what came for it."""

    async def forget(self) -> None:
        """Forget what is folded of the place."""

    async def spans(self, after: datetime) -> list[Span]:
        """Return what its zones and sweeps told that ended after an instant."""

    async def stays(self, after: datetime) -> list[Stay]:
        """Return who stayed there at any time after an instant."""

    async def known(self, assets: Collection[str]) -> Place:
        """Return what is known of assets and strangers there; no sightings."""

    async def save_fold(
        self,
        before: Place,
        after: Place,
        modes: Mapping[tuple[datetime, datetime], str],
        upto: datetime | None,
        next_at: datetime | None,
    ) -> None:
        """Store what a fold changed, and how far it came."""

    async def ledger_from(self, before: datetime) -> datetime | None:
        """Return where the last sighted line began that began before an instant."""

    async def sightings(self, since: datetime) -> list[Sighting]:
        """Return its sightings that ended after an instant."""

    async def doors(self, since: datetime, now: datetime) -> Doors:
        """Return its openings and when they were dark."""

    async def save_ledger(self, since: datetime, lines: Sequence[Coverage]) -> None:
        """Store the ledger from an instant on."""

    async def book(self) -> list[BookRow]:
        """Return the assets that the book has there."""

    async def guests(self) -> list[Guest]:
        """Return the assets that were heard there and that the book has elsewhere."""

    async def counted(self) -> dict[str, tuple[Bucket, str | None]]:
        """Return each asset's bucket as it stands, and where else it was heard."""

    async def save_count(self, result: Tally, covered: Covered, lines: Sequence[Line], now: datetime) -> None:
        """Store the counters and each asset's bucket."""

    async def settle(self, assets: Collection[str], openings: Sequence[Opening], now: datetime) -> list[int]:
        """Lock assets and make the exception queue say this about them."""


class PresenceStore(Protocol):
    """The store as the perpetual count sees it."""

    async def due(self, now: datetime, limit: int) -> list[str]:
        """Return places that are to be folded or counted again."""

    def place(self, location: str) -> AbstractAsyncContextManager[PlaceWork]:
        """Open a transaction on a place."""


async def fold_due(store: PresenceStore, now: Callable[[], datetime]) -> list[str]:
    """Fold and count every place that is due, each in a transaction of its own; return them."""
    due = await store.due(now(), BATCH)
    for location in due:
        async with store.place(location) as work:
            await _fold(work, now())
            await _count(work, location, now())
    return due


async def _fold(work: PlaceWork, now: datetime) -> None:
    taken = await work.take()
    after = taken.upto or BEGINNING
    if taken.late:
        after = BEGINNING
        await work.forget()
    found = rounds(await work.spans(after))
    closed = [one for one in found if after < one.to_at <= now - GRACE]
    stays = await work.stays(after)
    before = await work.known({stay.asset for stay in stays})
    done = opened(fold(before, stays, closed), [stay for stay in stays if stay.until is None])
    upto = max((one.to_at for one in closed), default=None if taken.late else taken.upto)
    ends = [one.to_at + GRACE for one in found if one.to_at > now - GRACE]
    await work.save_fold(before, done, _modes(closed), upto, min(ends, default=None))


def _modes(closed: Collection[Round]) -> dict[tuple[datetime, datetime], str]:
    return {(one.from_at, one.to_at): one.mode for one in closed}


async def _count(work: PlaceWork, location: str, now: datetime) -> None:
    covered = await _renew_ledger(work, now)
    book, guests = await work.book(), await work.guests()
    known = (await work.known({row.asset for row in book})).assets
    lines = [_line(row, known.get(row.asset), covered) for row in book] + _unexpected(guests)
    before = await work.counted()
    await work.save_count(tally(covered.kind, [line.bucket for line in lines]), covered, lines, now)
    await _report(work, location, before, lines, now)


async def _renew_ledger(work: PlaceWork, now: datetime) -> Covered:
    since = await work.ledger_from(now - LEDGER_REACH) or BEGINNING
    lines = ledger(await work.sightings(since), await work.doors(since, now), now)
    await work.save_ledger(since, lines)
    return covered_now(lines, now)


def covered_now(lines: Sequence[Coverage], now: datetime) -> Covered:
    """Return how a place is covered now: sighted while its last sighting is fresh, else as the ledger ends."""
    sighted = next((line for line in reversed(lines) if line.kind == "sighted"), None)
    if sighted is None:
        return Covered("none", None, None)
    fresh = now - sighted.to_at <= LIVE
    kind: CoverageKind = "sighted" if fresh else lines[-1].kind
    return Covered(kind, None if kind == "none" else sighted.probability, sighted.to_at)


def _line(row: BookRow, known: Presence | None, covered: Covered) -> Line:
    """Return the line of an asset of the book. Its silences weigh as of the sighting that they were heard in."""
    if known is not None and known.since < row.since:
        known = None
    kind = covered.kind
    if kind != "none" and known is not None and covered.sighted_at is not None and known.at <= covered.sighted_at:
        kind = "sighted"
    bucket = bucket_of(Booked(known, row.observed, row.elsewhere_at), kind)
    elsewhere = row.elsewhere if known is None or row.elsewhere_at is None or _later(row, known) else None
    probability, heard_at = (known.probability, known.heard_at) if known else (None, None)
    return Line(row.asset, bucket, probability, heard_at, row.since, elsewhere)


def _later(row: BookRow, known: Presence) -> bool:
    return row.elsewhere_at is not None and row.elsewhere_at > (known.heard_at or known.since)


def _unexpected(guests: Sequence[Guest]) -> list[Line]:
    """Return the lines of assets that are here though the book has them elsewhere, one an asset."""
    lines = {
        one.asset: Line(one.asset, "unexpected", None, one.stranger.last_at)
        for one in guests
        if is_unexpected(one.stranger, one.booked_since, one.heard_at_home)
    }
    return list(lines.values())


async def _report(
    work: PlaceWork,
    location: str,
    before: Mapping[str, tuple[Bucket, str | None]],
    lines: Sequence[Line],
    now: datetime,
) -> None:
    """Tell the exception queue of assets that became missing, and of those that are so no more.

    What a lapse of coverage leaves unknown stays as it was told: nothing has put it right.
    """
    booked = {line.asset: line for line in lines if line.bucket != "unexpected"}
    told = {asset for asset, (bucket, _) in before.items() if bucket == "missing"}
    changed = {
        asset
        for asset, line in booked.items()
        if (line.bucket, line.elsewhere) != before.get(asset)
        and (line.bucket == "missing" or (line.bucket == "found" and asset in before))
    }
    gone = told - booked.keys()
    if changed or gone:
        openings = [_opening(booked[asset], location) for asset in sorted(changed) if booked[asset].bucket == "missing"]
        await work.settle(changed | gone, openings, now)


def _opening(line: Line, location: str) -> Opening:
    """Return the exception of a missing asset: one that was heard elsewhere is at a wrong place, not lost."""
    at = line.seen_at or line.booked_since or BEGINNING
    evidence = {
        "probability_there": f"{line.probability or 0.0:.3f}",
        "last_seen": at.isoformat() if line.seen_at else "",
    }
    if line.elsewhere is not None:
        return Opening("wrong_location", None, line.asset, location, at, evidence | {"heard_at": line.elsewhere})
    return Opening("missing", None, line.asset, location, at, evidence)
