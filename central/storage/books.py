"""Other books on PostgreSQL: snapshots, what our register has beside them, and what the queue says of them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any, Final, TypeVar

from psycopg.rows import class_row

from central.application.books import Clearance, HeldView, Newest, NewSnapshot, OpenView, Said, SnapshotView
from central.application.calendars import PlaceCalendars
from central.application.errors import NotFound
from central.application.rows import columns, dumps
from central.domain.calendars import day_of
from central.domain.reconciling.bands import InTime, Overdue
from central.domain.reconciling.comparing import Book, Ours, Theirs
from central.domain.reconciling.people import Holding, Works
from central.storage.database import Connection, Database
from central.storage.exceptions import PgExceptionWork
from central.storage.log import PgLog
from central.storage.queries import query

PIECE: Final = 1000
"""Rows that are written, or made values, without a pause."""
_T = TypeVar("_T")


class PgBookWork(PgExceptionWork):
    """`central.application.books.BookWork` on one connection."""

    def __init__(self, connection: Connection, places: PlaceCalendars) -> None:
        super().__init__(connection, places.count)
        self._places = places

    async def hold_book(self, book: str, location: str) -> None:
        """Let nobody else bring the queue up to this book of this place until the transaction ends."""
        await self._connection.execute(query("books.hold_book"), {"source": f"book/{book}/{location}"})

    async def hold_place(self, location: str) -> bool:
        """Keep a place from being taken out of the registry until the transaction ends; tell whether it is there."""
        return bool(await self._rows("books.hold_place", {"location": location}))

    async def same(self, new: NewSnapshot) -> tuple[int, str] | None:
        """Return id and digest of the snapshot of that book, place and instant that stands."""
        params = {"book": new.book, "location": new.location, "taken_at": new.taken_at}
        rows = await self._rows("books.same", params)
        return (rows[0][0], rows[0][1]) if rows else None

    async def add(self, new: NewSnapshot, digest: str, now: datetime) -> int:
        """Keep a snapshot with its rows and its act; return its id."""
        params = {"book": new.book, "location": new.location, "taken_at": new.taken_at, "by": new.by, "now": now}
        params |= {"complete": sorted(new.complete), "digest": digest, "count": len(new.rows)}
        ((snapshot,),) = await self._rows("books.add", params)
        for start in range(0, len(new.rows), PIECE):
            rows = dumps(columns(new.rows[start : start + PIECE]))
            await self._connection.execute(query("books.add_rows"), {"snapshot": snapshot, "rows": rows})
        return int(snapshot)

    async def of(self, snapshot: int) -> tuple[Book, str] | None:
        """Return a snapshot's book and place, None if there is none by that id."""
        rows = await self._rows("books.of", {"snapshot": snapshot})
        return (rows[0][0], rows[0][1]) if rows else None

    async def withdraw(self, snapshot: int, by: str, reason: str, now: datetime) -> tuple[Book, str] | None:
        """Let a snapshot count no more; return its book and place, None if none stands by that id."""
        params = {"snapshot": snapshot, "by": by, "reason": reason, "now": now}
        rows = await self._rows("books.withdraw", params)
        return (rows[0][0], rows[0][1]) if rows else None

    async def newest(self, book: str | None = None, location: str | None = None) -> list[Newest]:
        """Return the newest snapshot of each book and place, or of one."""
        async with self._connection.cursor(row_factory=class_row(Newest)) as cursor:
            params = {"book": book, "location": location}
            return await (await cursor.execute(query("books.newest"), params)).fetchall()

    async def rows(self, snapshot: int) -> list[Theirs]:
        """Return a snapshot's rows."""
        return await self._in_pieces("books.rows", {"snapshot": snapshot}, Theirs)

    async def ours(self, location: str) -> list[Ours]:
        """Return all our assets, and whether each lies at a place or below it."""
        return await self._in_pieces("books.ours", {"location": location}, Ours)

    async def holdings(self, location: str) -> list[Holding]:
        """Return what people answer for: by custody, on loan, and what belongs to that; and who is of a place."""
        return await self._in_pieces("books.holdings", {"location": location}, Holding)

    def calendar(self, location: str, now: datetime) -> tuple[date, Works]:
        """Return a place's day, and which days are business days there."""
        return day_of(now, self._places.key(location)), self._places.at(location, now).works

    async def said(self, source: str, taken_at: datetime) -> dict[Said, datetime]:
        """Return since when a source says what it says; left out is what was closed before an instant."""
        rows = await self._rows("books.said", {"source": source, "taken_at": taken_at})
        return {(row[0], row[1], row[2], row[3]): row[4] for row in rows}

    async def where(self, assets: Collection[str]) -> dict[str, str]:
        """Return where assets are held to be."""
        rows = await self._rows("books.where", {"assets": sorted(assets)})
        return dict(rows)

    async def _in_pieces(self, name: str, params: dict[str, Any], make: Callable[..., _T]) -> list[_T]:
        """Return rows as values, made beside everything else that the loop does: there are hundreds of thousands."""
        found: list[_T] = []
        cursor = await self._connection.execute(query(name), params)
        while rows := await cursor.fetchmany(PIECE):
            found += [make(*row) for row in rows]
            await asyncio.sleep(0)
        return found


class PgBooks:
    """`central.application.books.Books`."""

    def __init__(self, database: Database, log: PgLog) -> None:
        self._database = database
        self._log = log

    @asynccontextmanager
    async def work(self) -> AsyncIterator[PgBookWork]:
        """Open a transaction."""
        async with self._database.transaction() as connection:
            registry = await self._log.registry_in(connection)
            yield PgBookWork(connection, registry.calendars)
            await self._log.keep_calendars_in(connection)

    async def listed(self, limit: int) -> list[SnapshotView]:
        """Return snapshots, the newest first, withdrawn ones too."""
        async with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=class_row(SnapshotView)) as cursor,
        ):
            return await (await cursor.execute(query("books.listed"), {"limit": limit})).fetchall()

    async def clearance(self, person: str) -> Clearance:
        """Return what a person still answers for and what is open about it, or raise `NotFound`."""
        params = {"person": person}
        async with self._database.transaction() as connection:
            if not await (await connection.execute(query("books.person"), params)).fetchall():
                raise NotFound(f"there is no person {person!r}: /api/v1/people lists them")
            async with connection.cursor(row_factory=class_row(HeldView)) as cursor:
                held = await (await cursor.execute(query("books.held"), params)).fetchall()
            async with connection.cursor(row_factory=class_row(OpenView)) as cursor:
                told = params | {"assets": [one.asset for one in held]}
                return Clearance(held, await (await cursor.execute(query("books.open_about"), told)).fetchall())

    async def overdue(self, at: datetime) -> Overdue:
        """Return finance's mismatches that were open beyond their date at an instant."""
        return Overdue(*await self._figures("books.overdue", {"at": at}))

    async def in_time(self, since: datetime, at: datetime) -> InTime:
        """Return how many unknown devices fell due in a period, and were closed in time."""
        return InTime(*await self._figures("books.in_time", {"since": since, "at": at}))

    async def _figures(self, name: str, params: dict[str, Any]) -> tuple[int, ...]:
        async with self._database.transaction() as connection:
            row = await (await connection.execute(query(name), params)).fetchone()
            return tuple(row) if row else ()
