"""Other books held against ours: a snapshot is taken once, compared, and what differs stands in the exception queue.

What the queue says of a book is a function of its newest snapshot and of our register: a snapshot that comes late
changes nothing, nor does the same one again, and the next one that agrees lets the exceptions ask to be closed.
"""

import asyncio
import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final, Protocol, TypeVar

import structlog

from central.application.errors import NotFound, StepUnfit, StoreUnavailable, ValueUnfit
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
PIECE: Final = 500
"""Keys that the queue is told of in one statement."""
_SAID: Final = tuple(one.name for one in fields(Theirs) if one.name != "line")
_log = structlog.get_logger("central.books")
_T = TypeVar("_T")
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

    def digest(self) -> str:
        """Return the SHA-256 of what it says, in hex; who brought it and how its rows are sorted isn't in it.

        It is of one JSON text, made row by row: written in one go a large one would hold up every other thread.
        """
        found = sha256(f"[{json.dumps(sorted(self.complete))}, [".encode())
        between = ""
        for row in sorted(self.rows, key=lambda row: row.id):
            said = {name: value for name in _SAID if (value := getattr(row, name))}
            found.update(f"{between}{json.dumps(said, sort_keys=True)}".encode())
            between = ", "
        found.update(b"]]")
        return found.hexdigest()


@dataclass(slots=True)
class Taken:
    """What became of a snapshot: its id (None for a dry run), how it compares, and what stood in the way."""

    id: int | None = None
    again: bool = False
    compared: Comparison = field(default_factory=lambda: Comparison(0, ()))
    problems: list[Problem] = field(default_factory=list)


class BookWork(Protocol):
    """Books inside one transaction."""

    async def hold_book(self, book: str, location: str) -> None:
        """Let nobody else bring the queue up to this book of this place until the transaction ends."""

    async def hold_place(self, location: str) -> bool:
        """Keep a place from being taken out of the registry until the transaction ends; tell whether it is there."""

    async def same(self, new: NewSnapshot) -> tuple[int, str] | None:
        """Return id and digest of the snapshot of that book, place and instant that stands."""

    async def add(self, new: NewSnapshot, digest: str, now: datetime) -> int:
        """Keep a snapshot with its rows and its act; return its id."""

    async def of(self, snapshot: int) -> tuple[Book, str] | None:
        """Return a snapshot's book and place, None if there is none by that id."""

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

    async def open_exceptions(
        self, openings: Sequence[Opening], now: datetime, *, source: str = "central"
    ) -> list[int]:
        """Make the queue say what a source says, too."""

    async def settle_keys(
        self, source: str, keys: Collection[str], openings: Sequence[Opening], now: datetime
    ) -> list[int]:
        """Make the queue say about keys what a source says now, and nothing more."""

    async def unknown(self, asset: str | None, location: str | None) -> list[tuple[str, str]]:
        """Return what nobody registered of an asset and a location, as (column, id)."""

    async def where(self, assets: Collection[str]) -> dict[str, str]:
        """Return where assets are held to be."""


class Books(Protocol):
    """The store as books see it."""

    def work(self) -> AbstractAsyncContextManager[BookWork]:
        """Open a transaction; it holds no lock of the registry, which no book changes."""

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
        ValueUnfit: it is still to come.
        StepUnfit: it is complete in a class that no asset has, or another snapshot of the same book, place and instant
            stands.
    """
    if new.taken_at > now + AHEAD:
        told = f"taken_at: {new.taken_at.isoformat()} is still to come, and it is {now.isoformat(timespec='seconds')}"
        raise ValueUnfit(f"{told}: tell when the book stood so")
    digest = await asyncio.to_thread(new.digest)
    async with books.work() as work:
        for column, name in await work.unknown(None, new.location):
            raise NotFound(f"{column}: {name!r} is not registered: import locations.csv")
        if not dry_run:
            await work.hold_book(new.book, new.location)
        same = await work.same(new)
        if same is None:
            await _check_classes(work, new)
        if same is not None and same[1] != digest:
            raise StepUnfit(
                f"snapshot {same[0]} of {new.book} for {new.location} at {new.taken_at.isoformat()} says otherwise:"
                " withdraw it first"
            )
        compared = await _compare(work, new, new.rows, now)
        if dry_run or same is not None:
            return Taken(same[0] if same else None, same is not None, compared)
        if not await work.hold_place(new.location):
            raise NotFound(f"location: {new.location!r} was taken out of the registry meanwhile")
        done = Taken(await work.add(new, digest, now), compared=compared)
        for newest in await work.newest(new.book, new.location):
            if newest.id == done.id:  # one that comes late changes nothing
                await _tell(work, newest, compared, now)
    return done


async def withdraw_snapshot(books: Books, snapshot: int, by: str, reason: str, now: datetime) -> None:
    """Let a snapshot count no more: the one before it does again.

    Raises:
        NotFound: none stands by that id.
    """
    async with books.work() as work:
        of = await work.of(snapshot)
        if of is not None:
            await work.hold_book(*of)
        gone = await work.withdraw(snapshot, by, reason, now)
        if gone is None:
            raise NotFound(f"no snapshot {snapshot} stands: /api/v1/snapshots lists them")
        await _settle(work, *gone, now)


async def reconcile(books: Books, now: datetime) -> int:
    """Hold every newest snapshot against the register as it is now; return how many mismatches stand.

    A book that fails is told and raised once the others are done.
    """
    found = 0
    async with books.work() as work:
        newest = await work.newest()
    failed: Exception | None = None
    for one in newest:
        try:
            async with books.work() as work:
                await work.hold_book(one.book, one.location)
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
    async with books.work() as work:
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
    for newest in await work.newest(book, location):
        return await _tell(work, newest, await _compare(work, newest, await work.rows(newest.id), now), now)
    source = f"book/{book}/{location}"
    for piece in _pieces(sorted(await work.standing_keys(source))):
        await work.settle_keys(source, piece, [], now)
    return 0


async def _tell(work: BookWork, newest: Newest, found: Comparison, now: datetime) -> int:
    """Make the queue say what a comparison found, and nothing more, in pieces: what is new first, then what is gone.

    So no exception is without an occurrence between two pieces, and asks to be closed.
    """
    source = f"book/{newest.book}/{newest.location}"
    said = await work.said(source, newest.taken_at)
    told = await asyncio.to_thread(_chosen, found, {key for *_, key in said})
    at_home = await work.where([one.asset for one in told if one.asset]) if newest.book == "hrms" else {}
    openings = [_opening(newest, one, at_home.get(one.asset or "", newest.location), said) for one in told]
    standing = await work.standing_keys(source)
    for some in _pieces(openings):
        await work.open_exceptions(some, now, source=source)
    by_key: dict[str, list[Opening]] = {key: [] for key in sorted(standing)}
    for one in openings:
        if one.key in by_key:
            by_key[one.key].append(one)
    for keys in _pieces(list(by_key)):
        await work.settle_keys(source, keys, [one for key in keys for one in by_key[key]], now)
    return len(openings)


def _chosen(found: Comparison, known: Collection[str]) -> list[Finding]:
    """Return the findings that the queue takes: those that it knows before others."""
    told = [one for one in found.findings if one.category is not None]
    return sorted(told, key=lambda one: (one.key not in known, one.key))[:AT_MOST]


def _pieces(all_: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (all_[start : start + PIECE] for start in range(0, len(all_), PIECE))


def _opening(newest: Newest, one: Finding, place: str, said: dict[Said, datetime]) -> Opening:
    """Return a finding as what the queue takes; what was said before is said since then."""
    at = said.get((one.category or "", one.asset or "", place, one.key), newest.taken_at)
    told = {**one.told, "why": one.why, "book": newest.book}
    return Opening(one.category or "", one.severity, one.asset, place, at, told, one.key)
