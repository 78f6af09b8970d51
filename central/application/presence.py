"""The perpetual count: what zones and sweeps told, folded place by place into coverage, presence and counters.

It runs beside ingest, never in its transaction: a place is at most seconds behind its presence rows, and an alert never
waits for a count. Everything is a function of the log, so folding a place anew gives the same.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, Protocol

from central.application.hearings import Retold, heard_in
from central.application.openings import Opening
from central.application.rollups import PRESENCE_KEPT
from central.domain.presence import history
from central.domain.presence.buckets import MISSING_ROUNDS, Booked, Bucket, Tally, bucket_of, is_unexpected, tally
from central.domain.presence.coverage import Coverage, CoverageKind, Doors, Sighting, ledger
from central.domain.presence.fold import Place, Stay, Stranger, fold, opened
from central.domain.presence.history import Presence
from central.domain.presence.leaving import NOTHING, Usual
from central.domain.presence.spans import CELL, SWEEP_JOIN, Round, Span, round_end, rounds
from central.domain.story import Heard

GRACE: Final = timedelta(minutes=2)
"""A round is folded this long after its end: what is late by less needs no folding anew."""
FORGETTING: Final = timedelta(days=3)
"""Presence that is nearly old enough to be forgotten may be forgotten in part: it takes back nothing that it told."""
LATENESS: Final = timedelta(minutes=10)
"""A place is sighted now if it was within one more round and this: what listens always tells at a round's end."""
LEDGER_REACH: Final = timedelta(days=35)
"""How far back the ledger is made anew at each count; what is older changes only by a fold from the beginning."""
HAND_HOLDS: Final = timedelta(days=30)
"""How long what a person saw stands against antennas that hear nothing."""
TAG_SILENT: Final = 0.5
"""A tag is at fault where antennas hold its asset for gone with this probability and a person sees it."""
SOURCE: Final = "counts"
BATCH: Final = 200
"""Places that one look takes; the others come with the next."""
BEGINNING: Final = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Taken:
    """What came for a place (spans without tags), how far it is folded, and when its last sweep before that ended."""

    upto: datetime | None
    came: tuple[Span, ...]
    swept_at: datetime | None

    @property
    def late(self) -> bool:
        """Whether some of it belongs to a round that is folded already."""
        return self.upto is None or any(self._late(span, self.upto) for span in self.came)

    def _late(self, span: Span, upto: datetime) -> bool:
        if span.mode == "zone":
            return round_end(span) <= upto
        joins = self.swept_at is not None and span.from_at <= self.swept_at + SWEEP_JOIN
        return span.to_at <= upto or joins


@dataclass(frozen=True, slots=True)
class BookRow:
    """An asset that the book has at a place. `elsewhere` is where it was credibly heard since, and when."""

    asset: str
    since: datetime
    observed: bool
    elsewhere: str | None
    elsewhere_at: datetime | None
    verified_at: datetime | None = None
    """When a person last saw it there."""
    usual: Usual = NOTHING
    """How long it is wont to stay."""


@dataclass(frozen=True, slots=True)
class Guest:
    """An asset whose tag was heard at a place where the book hasn't got it."""

    asset: str
    stranger: Stranger
    booked_since: datetime | None
    heard_at_home: datetime | None


class Told(NamedTuple):
    """An asset's bucket, where else it was heard, and whether its tag is silent though a person saw it."""

    bucket: Bucket
    elsewhere: str | None
    tag_silent: bool


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
    tag_silent: bool = False

    @property
    def told(self) -> "Told":
        """What the exception queue is told of."""
        return Told(self.bucket, self.elsewhere, self.tag_silent)


class PlaceWork(Protocol):
    """One place, locked, inside a transaction."""

    async def take(self) -> Taken:
        """Lock the place and take what came for it."""

    async def forget(self) -> None:
        """Forget what is folded of the place."""

    async def spans(self, after: datetime) -> list[Span]:
        """Return all spans of its rounds that end after an instant, and maybe some before."""

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

    async def note(self, heard: Sequence[Heard], whole_since: datetime | None) -> None:
        """Keep what the place heard; `whole_since`: from then on this is all, and what stands besides is gone."""

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

    async def counted(self) -> dict[str, Told]:
        """Return what each asset's line says as it stands."""

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

    async def retell(self, now: datetime) -> Retold:
        """Tell stories again of which zones or sweeps heard something new."""


async def fold_due(store: PresenceStore, now: Callable[[], datetime]) -> list[str]:
    """Fold and count every place that is due, and tell what they heard; return them.

    An error of one ends it, those before it are committed.
    """
    due = await store.due(now(), BATCH)
    for location in due:
        await fold_place(store, location, now())
    while await store.retell(now()):
        pass
    return due


async def fold_place(store: PresenceStore, location: str, now: datetime) -> None:
    """Fold what came of a place and count it, in one transaction."""
    async with store.place(location) as work:
        await _fold(work, location, now)
        await _count(work, location, now)


async def _fold(work: PlaceWork, location: str, now: datetime) -> None:
    taken = await work.take()
    after = taken.upto or BEGINNING
    if taken.late:
        after = BEGINNING
        await work.forget()
    spans = await work.spans(after)
    found = rounds(spans)
    closed = [one for one in found if after < one.to_at <= now - GRACE]
    whole_since = now - PRESENCE_KEPT + FORGETTING if taken.late else None
    await work.note(heard_in(location, spans, closed), whole_since)
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
    known = _as_of(now, book, (await work.known({row.asset for row in book})).assets)
    lines = [_line(row, known.get(row.asset), covered, now) for row in book] + _unexpected(guests)
    before = await work.counted()
    await work.save_count(tally(covered.kind, [line.bucket for line in lines]), covered, lines, now)
    await _report(work, location, before, lines, now)


def _as_of(now: datetime, book: Sequence[BookRow], known: Mapping[str, Presence]) -> dict[str, Presence]:
    """Return what is known of the assets of the book by now: since the last round some have left unseen."""
    here = [(known[row.asset], row) for row in book if row.asset in known and known[row.asset].since >= row.since]
    rates = history.rates_at(one for one, _ in here)
    return {row.asset: history.later(one, now, rates, row.usual) for one, row in here}


async def _renew_ledger(work: PlaceWork, now: datetime) -> Covered:
    since = await work.ledger_from(now - LEDGER_REACH) or BEGINNING
    sightings = await work.sightings(since)
    lines = ledger(sightings, await work.doors(since, now), now)
    await work.save_ledger(since, lines)
    last = max(sightings, key=lambda one: one.to_at, default=None)
    return covered_now(lines, now, last.to_at - last.from_at if last else CELL)


def covered_now(lines: Sequence[Coverage], now: datetime, lasted: timedelta) -> Covered:
    """Return how a place is covered now: sighted while its last sighting is fresh, else as the ledger ends.

    `lasted` is how long the last round of listening did.
    """
    sighted = next((line for line in reversed(lines) if line.kind == "sighted"), None)
    if sighted is None:
        return Covered("none", None, None)
    fresh = now - sighted.to_at <= max(CELL, lasted) + LATENESS
    kind: CoverageKind = "sighted" if fresh else lines[-1].kind
    return Covered(kind, None if kind == "none" else sighted.probability, sighted.to_at)


def _line(row: BookRow, known: Presence | None, covered: Covered, now: datetime) -> Line:
    """Return the line of an asset of the book."""
    probability, heard_at = (known.probability, known.heard_at) if known else (None, None)
    last = heard_at or row.since
    elsewhere = row.elsewhere if row.elsewhere_at is not None and row.elsewhere_at > last else None
    if _by_hand(row, last, now):
        silent = known is not None and known.gone >= TAG_SILENT and known.silent >= MISSING_ROUNDS
        bucket: Bucket = "unknown" if covered.kind == "none" else "found"
        return Line(row.asset, bucket, probability, row.verified_at, row.since, None, silent)
    bucket = bucket_of(Booked(known, row.observed, row.elsewhere_at), _sight(known, covered))
    return Line(row.asset, bucket, probability, heard_at, row.since, elsewhere)


def _sight(known: Presence | None, covered: Covered) -> CoverageKind:
    """Return how a place is covered for an asset: its silences weigh as of the sighting that they were heard in."""
    if covered.kind != "none" and known and covered.sighted_at and known.at <= covered.sighted_at:
        return "sighted"
    return covered.kind


def _by_hand(row: BookRow, last: datetime, now: datetime) -> bool:
    """Whether a person saw the asset after antennas last did: then their silence is its tag's fault."""
    at = row.verified_at
    if at is None or at <= last or now - at > HAND_HOLDS:
        return False
    return row.elsewhere_at is None or row.elsewhere_at <= at


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
    before: Mapping[str, Told],
    lines: Sequence[Line],
    now: datetime,
) -> None:
    """Tell the exception queue of assets that became missing, and of those that are so no more.

    What a lapse of coverage leaves unknown stays as it was told: nothing has put it right.
    """
    booked = {line.asset: line for line in lines if line.bucket != "unexpected"}
    wrong = {asset for asset, told in before.items() if told.bucket == "missing" or told.tag_silent}
    changed = {asset for asset, line in booked.items() if line.told != before.get(asset) and _says(line, before)}
    settled = changed | (wrong - booked.keys())
    if settled:
        openings = [one for asset in sorted(changed) for one in _openings(booked[asset], location)]
        await work.settle(settled, openings, now)


def _says(line: Line, before: Mapping[str, Told]) -> bool:
    return line.bucket == "missing" or line.tag_silent or (line.bucket == "found" and line.asset in before)


def _openings(line: Line, location: str) -> list[Opening]:
    """Return the exceptions of a line: missing; at a wrong place if it was heard elsewhere; or a tag that is silent."""
    at = line.seen_at or line.booked_since or BEGINNING
    seen = line.seen_at.isoformat() if line.seen_at else ""
    evidence = {"probability_there": f"{line.probability or 0.0:.3f}", "last_seen": seen}
    if line.tag_silent:
        return [Opening("tag_damaged", None, line.asset, location, at, evidence)]
    if line.bucket != "missing":
        return []
    if line.elsewhere is not None:
        return [Opening("wrong_location", None, line.asset, location, at, evidence | {"heard_at": line.elsewhere})]
    return [Opening("missing", None, line.asset, location, at, evidence)]
