"""What people tell that rules judge by, sightings, and dark doors, on PostgreSQL."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime, time
from typing import Any, TypeVar

from psycopg.rows import class_row

from central.application.errors import NotFound
from central.application.knowing import DoubtView, OpenHours, OutageView, PlaceHoursView, Sighted, TravelView
from central.application.ports import Notice, Registry
from central.application.views import View
from central.domain.anomalies.doors import Dark, GatewayWord
from central.domain.exceptions.terms import CountDays
from central.storage import alerts
from central.storage.database import Connection, Database
from central.storage.exceptions import PgExceptionWork
from central.storage.log import PgLog
from central.storage.queries import query

_V = TypeVar("_V", bound=View)


class PgKnowledgeWork(PgExceptionWork):
    """`central.application.knowing.KnowledgeWork` and `central.application.darkness.DarkWork` on one connection."""

    def __init__(self, connection: Connection, count: CountDays, log: PgLog) -> None:
        super().__init__(connection, count)
        self._log = log

    async def registry(self) -> Registry:
        """Return the registry as this transaction sees it."""
        return await self._log.registry_in(self._connection)

    async def set_hours(self, asset_class: str, days: list[int], opens: time, closes: time) -> None:
        """Say when assets of a class may move."""
        params = {"class": asset_class, "days": days, "opens": opens, "closes": closes}
        await self._tell("anomalies.set_hours", params)

    async def drop_hours(self, asset_class: str) -> None:
        """Let them move at any time again."""
        if not await self._rows("anomalies.drop_hours", {"class": asset_class}):
            raise NotFound(f"class {asset_class!r} has no hours")
        await self._connection.execute(query("registry.bump"))

    async def set_place_hours(self, location: str, hours: Sequence[OpenHours]) -> None:
        """Say when a place is open, instead of what was told before."""
        await self._connection.execute(query("anomalies.drop_place_hours"), {"location": location})
        params = {
            "location": location,
            "days": [one.days for one in hours],
            "opens": [one.opens for one in hours],
            "closes": [one.closes for one in hours],
        }
        await self._tell("anomalies.set_place_hours", params)

    async def set_spot(self, location: str, latitude: float, longitude: float) -> None:
        """Say where a site lies."""
        params = {"location": location, "latitude": latitude, "longitude": longitude}
        await self._tell("anomalies.set_spot", params)

    async def set_travel(self, one: str, other: str, fastest_s: float) -> None:
        """Say how long the fastest way between two sites takes."""
        await self._tell("anomalies.set_travel", {"one": one, "other": other, "fastest_s": fastest_s})

    async def told(self, subject: str, by: str, detail: Mapping[str, Any], now: datetime) -> None:
        """Write into the log who told which setting."""
        params = {"subject": subject, "by": by, "detail": json.dumps(detail), "now": now}
        await self._connection.execute(query("anomalies.told"), params)

    async def sighted(self, seen: Sighted, now: datetime) -> int:
        """Lock the asset and write the sighting into the log."""
        if not await self._rows("projection.lock_assets_by_id", {"assets": [seen.asset]}):
            raise NotFound(f"there is no asset {seen.asset!r}")
        detail = json.dumps({"source": seen.source, "reference": seen.reference})
        ((act,),) = await self._rows("anomalies.sighted", asdict(seen) | {"now": now, "detail": detail})
        return int(act)

    async def book(self, asset: str) -> tuple[str, datetime] | None:
        """Return where the book has an asset, and since when."""
        rows = await self._rows("anomalies.book", {"asset": asset})
        return (rows[0][0], rows[0][1]) if rows else None

    async def crossings_since(self, asset: str, since: datetime) -> list[tuple[str, str]]:
        """Return from where to where doors saw an asset go."""
        rows = await self._rows("anomalies.crossings_since", {"asset": asset, "since": since})
        return [(row[0], row[1]) for row in rows]

    async def notice(self, notice: Notice, now: datetime) -> list[int]:
        """Open an alert that is about no passage."""
        return await self.notices([notice], now)

    async def notices(self, notices: Sequence[Notice], now: datetime) -> list[int]:
        """Open or clear alerts."""
        return await alerts.give_notices(self._connection, notices, now)

    async def words(self) -> dict[str, GatewayWord]:
        """Return the newest word of each registered gateway."""
        return {
            row[0]: GatewayWord(row[1], row[2], row[3], _dark(row[4]))
            for row in await self._rows("anomalies.words", {})
        }

    async def known_dark(self) -> dict[str, Dark]:
        """Return the doors that are known to be dark, as we knew them."""
        await self._connection.execute(query("anomalies.lock_outages"))
        return {row[0]: Dark(*row) for row in await self._rows("anomalies.open_outages", {})}

    async def open_outage(self, dark: Dark) -> None:
        """Write down that a door is dark."""
        await self._connection.execute(query("anomalies.open_outage"), asdict(dark))

    async def worsen_outage(self, dark: Dark) -> None:
        """Write down that what was planned went wrong."""
        await self._connection.execute(query("anomalies.worsen_outage"), asdict(dark))

    async def end_outage(self, portal: str, now: datetime) -> None:
        """Write down that it is watched again."""
        await self._connection.execute(query("anomalies.end_outage"), {"portal": portal, "now": now})

    async def _tell(self, name: str, params: dict[str, Any]) -> None:
        await self._connection.execute(query(name), params)
        await self._connection.execute(query("registry.bump"))


class PgKnowledgeBook:
    """`central.application.knowing.KnowledgeBook` and `central.application.darkness.DarkBook`."""

    def __init__(self, database: Database, log: PgLog) -> None:
        self._database, self._log = database, log

    @asynccontextmanager
    async def work(self) -> AsyncIterator[PgKnowledgeWork]:
        """Open a transaction."""
        async with self._database.transaction() as connection:
            registry = await self._log.registry_in(connection)
            yield PgKnowledgeWork(connection, registry.calendars.count, self._log)
            await self._log.keep_calendars_in(connection)

    async def place_hours(self) -> list[PlaceHoursView]:
        """Return when places are open."""
        return await self._views(PlaceHoursView, "place_hours", {})

    async def travel(self) -> list[TravelView]:
        """Return how long ways between sites take, as far as that was told."""
        return await self._views(TravelView, "travel_told", {})

    async def outages(self, limit: int) -> list[OutageView]:
        """Return when doors were dark, newest first."""
        return await self._views(OutageView, "outages", {"limit": limit})

    async def doubtful(self, location: str | None, limit: int) -> list[DoubtView]:
        """Return assets whose place is in doubt since a door beside it was dark, by id."""
        return await self._views(DoubtView, "doubtful", {"location": location, "limit": limit})

    async def _views(self, kind: type[_V], name: str, params: dict[str, Any]) -> list[_V]:
        async with self._database.transaction() as connection, connection.cursor(row_factory=class_row(kind)) as cursor:
            return await (await cursor.execute(query(f"anomalies.{name}"), params)).fetchall()


def _dark(portals: list[dict[str, Any]] | None) -> dict[str, tuple[datetime, str]]:
    """Return the doors that a heartbeat calls dark; the contract has checked its words."""
    return {
        one["id"]: (datetime.fromisoformat(one["since"]), one.get("reason") or "its readers don't watch it")
        for one in portals or []
        if one["state"] == "dark"
    }
