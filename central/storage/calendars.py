"""Calendars on PostgreSQL: what was taken into use, the overrides, and each version that anything fell due by."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from psycopg.rows import class_row

from central.application.calendars import NewOverride, OverrideView, PlaceCalendars
from central.domain.calendars import Calendar, CalendarKey, Calendars, Override
from central.domain.places import Location, Places
from central.domain.published import Published, Special
from central.storage.database import Connection, Database
from central.storage.queries import query


async def load_calendars(connection: Connection, places: Places) -> PlaceCalendars:
    """Return the calendars of all locations as an open transaction sees them."""
    keys = {}
    for location, country, subdivision, timezone in await _rows(connection, "calendars.places"):
        keys[location] = CalendarKey(country, subdivision, timezone or "UTC", places.chain(location))
    overrides = [Override(*row) for row in await _rows(connection, "calendars.overrides")]
    taken: dict[tuple[str | None, str | None], list[tuple[datetime, Published]]] = {}
    for row in await _rows(connection, "calendars.taken"):
        taken.setdefault((row[0], row[1]), []).append((row[2], _published(row)))
    return PlaceCalendars(keys, Calendars(overrides, taken))


async def keep_calendars(connection: Connection, places: PlaceCalendars) -> None:
    """Store the calendars that were counted by and that the database may lack.

    One counts as kept only when it was found there: what this transaction adds may yet be taken back with it.
    """
    for calendar in places.unkept():
        if not await _keep(connection, calendar.published, calendar):
            places.kept.add(calendar.version)


class PgCalendarWork:
    """`central.application.calendars.CalendarWork` on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def places(self) -> PlaceCalendars:
        """Return the calendars as this transaction sees them."""
        return await _load(self._connection)

    async def add(self, override: NewOverride, now: datetime) -> int:
        """Record an override and its act; return its id."""
        cursor = await self._connection.execute(query("calendars.override"), asdict(override) | {"now": now})
        row = await cursor.fetchone()
        return int(row[0]) if row else 0

    async def take(self, calendar: Published, since: datetime, now: datetime) -> None:
        """Count by a published calendar from an instant on."""
        await _keep(self._connection, calendar, calendar)
        params = {"country": calendar.country, "subdivision": calendar.subdivision, "version": calendar.version}
        await self._connection.execute(query("calendars.take"), params | {"since": since, "now": now})

    async def changed(self) -> None:
        """Tell all programs to read the calendars again."""
        await self._connection.execute(query("registry.bump"))


class PgCalendars:
    """`central.application.calendars.CalendarStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def work(self) -> AsyncIterator[PgCalendarWork]:
        """Open a transaction that holds the registry's lock."""
        async with self._database.transaction() as connection:
            await connection.execute(query("registry.lock"))
            yield PgCalendarWork(connection)

    async def places(self) -> PlaceCalendars:
        """Return the calendars as they stand."""
        async with self._database.transaction() as connection:
            return await _load(connection)

    async def overrides(self, from_day: date, limit: int) -> list[OverrideView]:
        """Return overrides of days from one on, the newest first."""
        params = {"from_day": from_day, "limit": limit}
        async with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=class_row(OverrideView)) as cursor,
        ):
            return await (await cursor.execute(query("calendars.listed"), params)).fetchall()


async def _load(connection: Connection) -> PlaceCalendars:
    locations = {row[0]: Location(*row) for row in await _rows(connection, "registry.locations")}
    return await load_calendars(connection, Places(locations))


async def _keep(connection: Connection, head: Published, kept: Published | Calendar) -> bool:
    """Store a calendar's days; tell whether they are new."""
    params = {
        "version": kept.version,
        "country": head.country,
        "subdivision": head.subdivision,
        "source": head.source,
        "last_day": head.last,
        "weekend": sorted(head.weekend),
    }
    if await (await connection.execute(query("calendars.keep_version"), params)).fetchone() is None:
        return False
    columns = {
        "version": kept.version,
        "days": [one.day for one in kept.special],
        "working": [one.status == "working" for one in kept.special],
        "names": [one.name for one in kept.special],
    }
    await connection.execute(query("calendars.keep_days"), columns)
    return True


def _published(row: tuple[Any, ...]) -> Published:
    country, subdivision, _, source, last, weekend, days, working, names = row
    special = tuple(
        Special(day, "working" if works else "closed", name)
        for day, works, name in zip(days, working, names, strict=True)
    )
    return Published(country, subdivision, source, last, frozenset(weekend), special)


async def _rows(connection: Connection, name: str) -> list[tuple[Any, ...]]:
    return await (await connection.execute(query(name))).fetchall()
