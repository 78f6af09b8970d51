"""The in-transit board's figures from PostgreSQL."""

from datetime import datetime
from typing import Any

from psycopg.rows import class_row, dict_row

from central.application.errors import NotFound
from central.application.in_transit import GoingView, InTransit, ManifestCount, TransitTotals, trips
from central.storage.database import Connection
from central.storage.queries import query

_MANIFEST = (
    "transfer", "reason", "ticket", "origin", "origin_name", "destination", "destination_name", "total", "received",
    "unread", "came_back",
)  # fmt: skip


async def in_transit(connection: Connection, location: str | None, now: datetime, limit: int) -> InTransit:
    """Return what is under way at, from or to a location and all below it; None is everywhere."""
    params = {"location": location, "now": now, "limit": limit}
    if location is not None and not await _rows(connection, "location", params):
        raise NotFound(f"there is no location {location!r}: /api/v1/locations lists them")
    async with connection.cursor(row_factory=dict_row) as cursor:
        found = await (await cursor.execute(query("in_transit.legs"), params)).fetchall()
    legs = [GoingView.model_validate(row) for row in found]
    ids = sorted({leg.transfer for leg in legs if leg.transfer is not None})
    rows = await _rows(connection, "manifests", {"ids": ids})
    manifests = [ManifestCount.model_validate(dict(zip(_MANIFEST, row, strict=True))) for row in rows]
    async with connection.cursor(row_factory=class_row(TransitTotals)) as totals:
        total = await (await totals.execute(query("in_transit.totals"), params)).fetchone()
    assert total is not None  # noqa: S101 (a count always has a row)
    return InTransit(totals=total, trips=trips(legs, {one.transfer: one for one in manifests}))


async def _rows(connection: Connection, name: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    return await (await connection.execute(query(f"in_transit.{name}"), params)).fetchall()
