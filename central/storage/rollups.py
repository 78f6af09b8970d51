"""Rollups on PostgreSQL."""

from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from central.application.rollups import By, ReaderHourView, TrafficView
from central.storage.database import Database
from central.storage.queries import query


class PgRollups:
    """`central.application.rollups.Rollups`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def traffic(self, portal: str, since: datetime, until: datetime, by: By, limit: int) -> list[TrafficView]:
        """Return how busy a door was, newest first."""
        params = {"portal": portal, "since": since, "until": until, "limit": limit}
        async with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=class_row(TrafficView)) as cursor,
        ):
            return await (await cursor.execute(query(f"rollups.portal_{by}s"), params)).fetchall()

    async def readers(self, gateway: str, since: datetime, until: datetime, limit: int) -> list[ReaderHourView]:
        """Return how the readers of a gateway fared, newest first."""
        params = {"gateway": gateway, "since": since, "until": until, "limit": limit}
        async with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=class_row(ReaderHourView)) as cursor,
        ):
            return await (await cursor.execute(query("rollups.reader_hours"), params)).fetchall()

    async def forget_presence(self, before: datetime, limit: int) -> int:
        """Delete presence that came before an instant, at most so many rows."""
        return await self._deleted("rollups.forget_presence", {"before": before, "limit": limit})

    async def forget_reader_hours(self, before: datetime, limit: int) -> int:
        """Delete readers' hours before an instant, at most so many."""
        return await self._deleted("rollups.forget_reader_hours", {"before": before, "limit": limit})

    async def _deleted(self, name: str, params: dict[str, Any]) -> int:
        async with self._database.transaction() as connection:
            return (await connection.execute(query(name), params)).rowcount
