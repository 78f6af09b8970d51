"""Other books held against ours: a snapshot is taken once, compared, and what differs stands in the exception queue.

What the queue says of a book is a function of its newest snapshot and of our register: a snapshot that comes late
changes nothing, nor does the same one again, and the next one that agrees lets the exceptions ask to be closed.
"""

import asyncio
import json
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final, Protocol

import structlog

from central.application.errors import NotFound, StepUnfit, StoreUnavailable
from central.application.openings import Opening
from central.application.sheets import Problem
from central.application.views import Instant, View
from central.domain.reconciling.bands import InTime, Overdue
from central.domain.reconciling.comparing import (
    EVERY_CLASS,
    Book,
    Comparison,
    Finding,
    Ours,
    Theirs,
    compare,
)
from central.domain.reconciling.people import Holding, Works, compare_people

AT_MOST: Final = 5000
"""Mismatches of one book in the queue: nobody can read more; the rest comes once these are put right."""
AHEAD: Final = timedelta(minutes=5)
"""Another system's clock may be ahead by this."""
_log = structlog.get_logger("central.books")
Said = tuple[str, str, str, str]
"""Category, asset, location and key of what the queue knows."""


class SnapshotView(View):
    """A snapshot of another book."""

    id: int
    book: str
    location: str
    taken_at: Instant
    complete: list[str]
    by: str
    recorded_at: Instant
    withdrawn_at: Instant | None
    rows: int


class Newest(View):
    """The newest snapshot of a book for a place."""

    id: int
    book: Book
    location: str
    location_name: str
    taken_at: Instant
    complete: list[str]
    by: str
    recorded_at: Instant


class HeldView(View):
    """Something that a person still answers for; `how` says why: custody, loan, or part of another asset."""

    asset: str
    name: str
    how: str
    location: str | None


class OpenView(View):
    """An exception that is open about it."""

    id: int
    category: str
    severity: str
    asset: str | None
    state: str


@dataclass(frozen=True, slots=True)
class Clearance:
    """What stands between a leaver and the final clearance: what they have, and what is open about it."""

    held: Sequence[HeldView]
    open: Sequence[OpenView]

    @property
    def clear(self) -> bool:
        """Tell whether nothing does."""
        return not self.held and not self.open


@dataclass(frozen=True, slots=True)
class NewSnapshot:
    """A book as it stood at an instant; `location` is what it is responsible for, with all below it."""

    book: Book
    location: str
    taken_at: datetime
    complete: tuple[str, ...]
    by: str
    rows: Sequence[Theirs]

    @property
    def digest(self) -> str:
        """SHA-256 of what it says, in hex; who brought it and how its rows are sorted isn't in it."""
        rows = ({name: value for name, value in asdict(row).items() if value and name != "line"} for row in self.rows)
        said = [sorted(self.complete), sorted(rows, key=lambda row: str(row["id"]))]
        return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


@dataclass(slots=True)
class Taken:
    """What became of a snapshot: its id (None for a dry run), how it compares, and what stood in the way."""

    id: int | None = None
    again: bool = False
    compared: Comparison = field(default_factory=lambda: Comparison(0, ()))
    problems: list[Problem] = field(default_factory=list)


class BookWork(Protocol):
    """Books inside one transaction."""

    async def same(self, new: NewSnapshot) -> tuple[int, str] | None:
        """Return id and digest of the snapshot of that book, place and instant that stands."""

    async def add(self, new: NewSnapshot, now: datetime) -> int:
        """Keep a snapshot with its rows and its act; return its id."""

    async def withdraw(self, snapshot: int, by: str, reason: str, now: datetime) -> tuple[Book, str] | None:
        """Let a snapshot count no more; return its book and place, None if none stands by that id."""

    async def newest(self, book: str | None = None, location: str | None = None) -> list[Newest]:
        """Return the newest snapshot of each book and place, or of one."""

    async def rows(self, snapshot: int) -> list[Theirs]:
        """Return a snapshot's rows."""

    async def ours(self, location: str) -> list[Ours]:
        """Return all our assets, and whether each lies at a place or below it."""

    async def holdings(self, location: str) -> list[Holding]:
        """Return what people answer for: by custody, on loan, and what belongs to that."""

    def calendar(self, location: str, now: datetime) -> tuple[date, Works]:
        """Return a place's day, and which days are business days there."""

    async def said(self, source: str, taken_at: datetime) -> dict[Said, datetime]:
        """Return since when a source says what it says; left out is what was closed before an instant."""

    async def standing_keys(self, source: str) -> set[str]:
        """Return the keys of which a source says something that stands."""

    async def settle_keys(
        self, source: str, keys: Collection[str], openings: Sequence[Opening], now: datetime
    ) -> list[int]:
        """Make the queue say about keys what a source says now."""

    async def unknown(self, asset: str | None, location: str | None) -> list[tuple[str, str]]:
        """Return what nobody registered of an asset and a location, as (column, id)."""

    async def where(self, assets: Collection[str]) -> dict[str, str]:
        """Return where assets are held to be."""


class Books(Protocol):
    """The store as books see it."""

    def work(self, *, alone: bool = True) -> AbstractAsyncContextManager[BookWork]:
        """Open a transaction; `alone` holds the registry's lock, which who only reads doesn't need."""

    async def listed(self, limit: int) -> list[SnapshotView]:
        """Return snapshots, the newest first, withdrawn ones too."""

    async def clearance(self, person: str) -> Clearance:
        """Return what a person still answers for and what is open about it, or raise `NotFound`."""

    async def overdue(self, at: datetime) -> Overdue:
        """Return finance's mismatches that were open beyond their date at an instant."""

    async def in_time(self, since: datetime, at: datetime) -> InTime:
        """Return how many unknown devices fell due in a period, and were closed in time."""


async def take_snapshot(books: Books, new: NewSnapshot, now: datetime, *, dry_run: bool = False) -> Taken:
    """Keep a snapshot and bring the queue up to it; a dry run only tells what would differ.

    Raises:
        NotFound: nobody registered the place.
        StepUnfit: it is to come, or complete in a class that no asset has, or another snapshot of the same book, place
            and instant stands.
    """
    if new.taken_at > now + AHEAD:
        raise StepUnfit(f"taken_at: {new.taken_at.isoformat()} is still to come")
    async with books.work() as work:
        for column, name in await work.unknown(None, new.location):
            raise NotFound(f"{column}: {name!r} is not registered: import locations.csv")
        compared = await _compare(work, new, new.rows, now)
        same = await work.same(new)
        if same is None:
            await _check_classes(work, new)
        if same is not None and same[1] != new.digest:
            raise StepUnfit(
                f"snapshot {same[0]} of {new.book} for {new.location} at {new.taken_at.isoformat()} says otherwise:"
                " withdraw it first"
            )
        if dry_run or same is not None:
            return Taken(same[0] if same else None, same is not None, compared)
        done = Taken(await work.add(new, now), compared=compared)
        await _settle(work, new.book, new.location, now)
    return done


async def withdraw_snapshot(books: Books, snapshot: int, by: str, reason: str, now: datetime) -> None:
    """Let a snapshot count no more: the one before it does again.

    Raises:
        NotFound: none stands by that id.
    """
    async with books.work() as work:
        gone = await work.withdraw(snapshot, by, reason, now)
        if gone is None:
            raise NotFound(f"no snapshot {snapshot} stands: /api/v1/snapshots lists them")
        await _settle(work, *gone, now)


async def reconcile(books: Books, now: datetime) -> int:
    """Hold every newest snapshot against the register as it is now; return how many mismatches stand.

    A book that fails is told and raised once the others are done.
    """
    found = 0
    async with books.work(alone=False) as work:
        newest = await work.newest()
    failed: Exception | None = None
    for one in newest:
        try:
            async with books.work() as work:
                found += await _settle(work, one.book, one.location, now)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 (one book that trips a fault of ours must not stop all others)
            told = {"book": one.book, "location": one.location, "error": str(error)}
            _log.error("a book can't be held against the register; the others are", **told)
            failed = error
    if failed is not None:
        raise failed
    return found


async def compared(
    books: Books, book: str | None, location: str | None, now: datetime
) -> list[tuple[Newest, Comparison]]:
    """Return how the newest snapshots compare with the register as it is now."""
    async with books.work(alone=False) as work:
        return [
            (one, await _compare(work, one, await work.rows(one.id), now)) for one in await work.newest(book, location)
        ]


async def _compare(work: BookWork, of: NewSnapshot | Newest, rows: Sequence[Theirs], now: datetime) -> Comparison:
    """Compare beside the loop: a large book takes a second or two."""
    if of.book == "hrms":
        today, works = work.calendar(of.location, now)
        return await asyncio.to_thread(
            compare_people, await work.holdings(of.location), rows, of.complete, today, works
        )
    return await asyncio.to_thread(compare, of.book, await work.ours(of.location), rows, of.complete)


async def _check_classes(work: BookWork, new: NewSnapshot) -> None:
    """Refuse a class that no asset has: misspelt, it would claim nothing without a word."""
    if new.book == "hrms" or not new.complete:
        return
    known = {one.asset_class for one in await work.ours(new.location)} | {EVERY_CLASS}
    unknown = next((name for name in new.complete if name not in known), None)
    if unknown is not None:
        raise StepUnfit(
            f"complete: no asset is of the class {unknown!r}: name classes of /api/v1/assets, or '*' for all"
        )


async def _settle(work: BookWork, book: Book, location: str, now: datetime) -> int:
    """Make the queue say what the newest snapshot says, and nothing more; return how many mismatches that are."""
    source = f"book/{book}/{location}"
    openings: list[Opening] = []
    for newest in await work.newest(book, location):
        found = await _compare(work, newest, await work.rows(newest.id), now)
        told = [one for one in found.findings if one.category is not None]
        said = await work.said(source, newest.taken_at)
        known = {key for *_, key in said}
        told = sorted(told, key=lambda one: (one.key not in known, one.key))[:AT_MOST]
        at_home = await work.where([one.asset for one in told if one.asset]) if book == "hrms" else {}
        openings = [_opening(newest, one, at_home.get(one.asset or "", location), said) for one in told]
    keys = {one.key for one in openings} | await work.standing_keys(source)
    if keys:
        await work.settle_keys(source, keys, openings, now)
    return len(openings)


def _opening(newest: Newest, one: Finding, place: str, said: dict[Said, datetime]) -> Opening:
    """Return a finding as what the queue takes; what was said before is said since then."""
    at = said.get((one.category or "", one.asset or "", place, one.key), newest.taken_at)
    told = {**one.told, "why": one.why, "book": newest.book}
    return Opening(one.category or "", one.severity, one.asset, place, at, told, one.key)
