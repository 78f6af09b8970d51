"""Upkeep of stories on PostgreSQL: what falls due, manifests read in part, what doors miss."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from central.application.upkeep import AccuracyView, Unread
from central.domain.presence.buckets import STRANGER_ROUNDS
from central.domain.story.accuracy import Accuracy, Estimate, Sighting, Stretch, Tally
from central.storage.database import Database
from central.storage.log import PgLog, PgTransaction
from central.storage.queries import query
from central.storage.staying import PgStayWork


class PgUpkeepWork(PgTransaction):
    """`central.application.upkeep.UpkeepWork` on one connection."""

    async def due(self, after: datetime, now: datetime) -> list[str]:
        """Return the assets with something that falls due later than `after` and by `now`, by id."""
        rows = await self._fetched("stories.due", {"after": after, "now": now})
        return sorted(row[0] for row in rows)

    async def manifest_assets(self, since: datetime) -> list[str]:
        """Return the assets of transfers that could be dispatched after `since`, by id."""
        return [row[0] for row in await self._fetched("transfers.manifest_assets", {"since": since})]

    async def unread(self, before: datetime) -> list[Unread]:
        """Return what is missing of manifests of which a part was dispatched before an instant."""
        return [Unread(*row) for row in await self._fetched("transfers.manifests", {"before": before})]

    async def tallies(self, since: datetime, until: datetime) -> tuple[list[Tally], list[Stretch]]:
        """Return what each door saw in a span, and how often which sighting of an asset followed on which."""
        params = {"since": since, "until": until, "least_rounds": STRANGER_ROUNDS}
        ways, stretches = Counter[tuple[str, str]](), []
        for last_portal, last_place, portal, place, times in await self._fetched("accuracy.sightings", params):
            if portal is not None:
                ways[portal, place] += times
            if last_place is not None:
                stretches.append(Stretch(Sighting(last_portal, last_place), Sighting(portal, place), times))
        tallies = [
            Tally(portal, inside, outside, ways[portal, outside], ways[portal, inside], misread)
            for portal, inside, outside, misread in await self._fetched("accuracy.tallies", params)
        ]
        return tallies, stretches

    async def told_again(self, assets: Sequence[str]) -> None:
        """Note that assets are told as this version tells them."""
        await self._connection.execute(query("stories.told_again"), {"assets": list(assets)})

    async def keep_accuracy(self, found: Sequence[Accuracy]) -> None:
        """Store the newest measurement of doors."""
        if found:
            await self._connection.cursor().executemany(query("accuracy.keep"), [_columns(one) for one in found])

    @property
    def staying(self) -> PgStayWork:
        """How long assets stay."""
        return PgStayWork(self._connection)

    async def _fetched(self, name: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
        return await (await self._connection.execute(query(name), params)).fetchall()


class PgUpkeep:
    """`central.application.upkeep.Upkeep`."""

    def __init__(self, database: Database, log: PgLog) -> None:
        self._database, self._log = database, log

    @asynccontextmanager
    async def work(self) -> AsyncIterator[PgUpkeepWork]:
        """Open a transaction."""
        async with self._database.transaction() as connection:
            yield PgUpkeepWork(connection, self._log)

    async def accuracy(self, portal: str | None = None) -> list[AccuracyView]:
        """Return what doors are measured to miss, all or one."""
        async with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=class_row(AccuracyView)) as cursor,
        ):
            return await (await cursor.execute(query("accuracy.list"), {"portal": portal})).fetchall()


def _columns(one: Accuracy) -> dict[str, Any]:
    """Return a measurement as columns: each estimate as itself and the ends of its interval."""
    columns: dict[str, Any] = {}
    for name, value in ((field, getattr(one, field)) for field in asdict(one)):
        if isinstance(value, Estimate):
            columns |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
        else:
            columns[name] = value
    return columns
