"""The registry's writing side on PostgreSQL."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

from central.application.importing import Known
from central.application.sheets import SheetRow
from central.domain.places import Location
from central.storage.database import Database
from central.storage.log import PgLog, PgTransaction
from central.storage.queries import query

_WRITE: Final = {
    "locations": "registry.upsert_location",
    "portals": "registry.upsert_portal",
    "assets": "registry.upsert_asset",
    "tags": "registry.upsert_tag",
    "authorisations": "registry.upsert_authorisation",
}


class PgRegistry:
    """`central.application.importing.RegistryStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def importing(self) -> AsyncIterator["PgRegistryTransaction"]:
        """Open the one import transaction."""
        async with self._database.transaction() as connection:
            await connection.execute(query("registry.lock"))
            yield PgRegistryTransaction(connection, PgLog(self._database))


class PgRegistryTransaction(PgTransaction):
    """`central.application.importing.RegistryTransaction`."""

    async def known(self) -> Known:
        """Return what the registry holds."""
        registry = await self._rows("registry.locations")
        return Known(
            locations={row[0]: Location(*row) for row in registry},
            gateways=dict(await self._rows("registry.gateways")),
            portals={row[0]: row[2] for row in await self._rows("registry.portals")},
            assets={row[0] for row in await self._rows("registry.known_assets")},
            tags=dict(await self._rows("registry.known_tags")),
        )

    async def write(self, kind: str, rows: list[SheetRow], now: datetime) -> set[str]:
        """Write the rows of a kind; return the assets of authorisations that are new or changed."""
        values = [{**row.values, "now": now} for row in rows]
        if kind == "locations":
            values = _parents_first(values)
        if kind == "portals":
            await self._many(
                "registry.upsert_gateway", [{"id": v["gateway"], "site": v["site"], "now": now} for v in values]
            )
        if kind == "authorisations":
            return await self._authorise(values)
        await self._many(_WRITE[kind], values)
        if kind == "assets":
            placed = [{"asset": v["id"], "location": v["location"], "now": now} for v in values if v["location"]]
            await self._many("registry.place", placed)
        return set()

    async def close(self, rows: Mapping[str, int], now: datetime) -> None:
        """Record the import as an act and make a new version of the registry."""
        await self._connection.execute(query("registry.imported"), {"now": now, "detail": json.dumps(dict(rows))})
        await self._connection.execute(query("registry.bump"))

    async def _authorise(self, values: list[dict[str, Any]]) -> set[str]:
        changed = set()
        for one in values:
            row = await (await self._connection.execute(query(_WRITE["authorisations"]), one)).fetchone()
            if row is not None:
                changed.add(row[0])
        return changed

    async def _rows(self, name: str) -> list[tuple[Any, ...]]:
        return await (await self._connection.execute(query(name))).fetchall()

    async def _many(self, name: str, values: list[dict[str, Any]]) -> None:
        if values:
            await self._connection.cursor().executemany(query(name), values)


def _parents_first(values: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Order locations so that each one's parent, if it is among them, stands before it."""
    waiting = {value["id"]: value for value in values}
    ordered: list[dict[str, Any]] = []

    def place(name: str) -> None:
        value = waiting.pop(name, None)
        if value is not None:
            place(value["parent"])
            ordered.append(value)

    for name in list(waiting):
        place(name)
    return ordered
