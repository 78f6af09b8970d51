"""Routes of other books: snapshots by sheet, how they compare with our register, and the figures that follow."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from central.api.patience import PatientRoute
from central.api.registry import MAX_SHEET, Id, ProblemView, Words
from central.api.routes import MAX_ID, TEXT, Limit
from central.api.shapes import Answer, Moment
from central.application.book_sheets import BOOK_COLUMNS, read_book
from central.application.books import (
    Books,
    HeldView,
    Newest,
    NewSnapshot,
    OpenView,
    SnapshotView,
    compared,
    take_snapshot,
    withdraw_snapshot,
)
from central.domain.reconciling.bands import Light
from central.domain.reconciling.comparing import Book, Comparison, Finding, Verdict


class Compared(BaseModel):
    """How a book compares with our register; rows that agree are only counted."""

    matched: int
    only_here: int
    only_there: int
    conflicts: int


class FindingView(BaseModel):
    """One mismatch, and the category of exception that it is."""

    verdict: Verdict
    category: str | None
    severity: str
    asset: str | None
    why: str
    told: dict[str, str]


class BookView(Newest):
    """The newest snapshot of a book for a place, as it compares with the register now."""

    compared: Compared
    findings: list[FindingView]


class BooksAnswer(Answer):
    """Books."""

    books: list[BookView]


class Snapshots(Answer):
    """Snapshots, newest first."""

    snapshots: list[SnapshotView]


class SnapshotAsked(BaseModel):
    """A book's sheet as CSV text; a dry run tells what would differ and keeps nothing."""

    book: Book
    location: Id = Field(description="What the book is responsible for, with all below it; it gives the calendar.")
    taken_at: Moment
    complete: list[Annotated[str, Field(max_length=80, pattern=TEXT)]] = Field(
        default_factory=list,
        max_length=200,
        description="Classes of assets of which the book has every one there, `*` for all: what it lacks of those"
        " is a mismatch.",
    )
    rows: str = Field(
        max_length=MAX_SHEET,
        examples=["id,serial,active,cost_centre\nFA-1,S1,true,4100\n"],
        description=" ".join(f"{book}: {', '.join(columns)}." for book, columns in BOOK_COLUMNS.items()),
    )
    by: Id
    dry_run: bool = False


class SnapshotAnswer(Answer):
    """What became of a snapshot; with problems, nothing was kept; `again`: it was there already."""

    id: int | None
    again: bool
    compared: Compared
    problems: list[ProblemView]


class WithdrawalAsked(BaseModel):
    """Who lets a snapshot count no more, and why."""

    by: Id
    reason: Annotated[Words, Field(min_length=3)]


class Figures(Answer):
    """Finance's mismatches open beyond their date, and unknown devices that were closed in time."""

    far_critical: int
    far_high: int
    far_other: int
    far: Light
    discovery_due: int
    discovery_closed: int
    discovery_ratio: float | None
    discovery: Light


class ClearanceAnswer(Answer):
    """What a person still has, and what is open about it; `clear` when nothing is."""

    person: str
    clear: bool
    held: list[HeldView]
    open: list[OpenView]


def books_read(books: Books, now: Callable[[], datetime]) -> APIRouter:
    """Return the reading routes."""
    router = APIRouter(prefix="/api/v1", tags=["books"])

    @router.get("/snapshots")
    async def snapshots(limit: Limit = 100) -> Snapshots:
        """Return snapshots of other books, newest first, withdrawn ones too."""
        return Snapshots(as_of=now(), snapshots=await books.listed(limit))

    @router.get("/reconciliation")
    async def reconciliation(
        book: Book | None = None,
        location: Annotated[str | None, Query(max_length=80, pattern=TEXT)] = None,
        limit: Limit = 100,
    ) -> BooksAnswer:
        """Return how each book's newest snapshot compares with our register now; `limit` of each book's mismatches."""
        found = await compared(books, book, location, now())
        told = await asyncio.to_thread(lambda: [_book(newest, one, limit) for newest, one in found])
        return BooksAnswer(as_of=now(), books=told)

    @router.get("/people/{person}/clearance")
    async def clearance(person: Annotated[str, Path(max_length=80, pattern=TEXT)]) -> ClearanceAnswer:
        """Return what stands between a leaver and the final clearance: assets, parts and loans, and open exceptions."""
        one = await books.clearance(person)
        return ClearanceAnswer(as_of=now(), person=person, clear=one.clear, held=list(one.held), open=list(one.open))

    @router.get("/reconciliation/figures")
    async def figures(
        at: Annotated[Moment | None, Query(description="As of when; now unless told.")] = None,
        days: Annotated[int, Query(ge=1, le=366, description="Days before that in which devices fell due.")] = 30,
    ) -> Figures:
        """Return the two figures of the scorecard that other books give, for now or a past instant."""
        until = at or now()
        late, done = await books.overdue(until), await books.in_time(until - timedelta(days=days), until)
        return Figures(
            as_of=until,
            far_critical=late.critical,
            far_high=late.high,
            far_other=late.other,
            far=late.light,
            discovery_due=done.due,
            discovery_closed=done.closed,
            discovery_ratio=done.ratio,
            discovery=done.light,
        )

    return router


def books_write(books: Books, now: Callable[[], datetime]) -> APIRouter:
    """Return the writing routes; who includes them puts the token before them."""
    router = APIRouter(prefix="/api/v1", tags=["books"], route_class=PatientRoute)

    @router.post("/snapshots")
    async def take(body: SnapshotAsked, response: Response) -> SnapshotAnswer:
        """Take a snapshot of another book, all rows or none; 422 with every problem by row."""
        at = now()
        rows, problems = await asyncio.to_thread(read_book, body.book, f"{body.book}.csv", body.rows)
        if problems:
            response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
            told = [ProblemView(file=one.file, line=one.line, text=one.text) for one in problems]
            return SnapshotAnswer(as_of=at, id=None, again=False, problems=told, compared=_counted(Comparison(0, ())))
        new = NewSnapshot(body.book, body.location, body.taken_at, tuple(body.complete), body.by, rows)
        done = await take_snapshot(books, new, at, dry_run=body.dry_run)
        return SnapshotAnswer(as_of=at, id=done.id, again=done.again, problems=[], compared=_counted(done.compared))

    @router.post("/snapshots/{snapshot}/withdraw")
    async def withdraw(snapshot: Annotated[int, Path(ge=1, le=MAX_ID)], body: WithdrawalAsked) -> Snapshots:
        """Let a snapshot count no more: the one before it does again."""
        at = now()
        await withdraw_snapshot(books, snapshot, body.by, body.reason, at)
        return Snapshots(as_of=at, snapshots=await books.listed(100))

    return router


def _counted(one: Comparison) -> Compared:
    return Compared(
        matched=one.matched,
        only_here=one.count("only_here"),
        only_there=one.count("only_there"),
        conflicts=one.count("conflict"),
    )


_ORDER = ("critical", "high", "medium", "low")


def _book(newest: Newest, one: Comparison, limit: int) -> BookView:
    worst = sorted(one.findings, key=lambda finding: (_ORDER.index(finding.severity), finding.key))[:limit]
    return BookView(**dict(newest), compared=_counted(one), findings=[_finding(finding) for finding in worst])


def _finding(one: Finding) -> FindingView:
    return FindingView(
        verdict=one.verdict,
        category=one.category,
        severity=one.severity,
        asset=one.asset,
        why=one.why,
        told=dict(one.told),
    )
