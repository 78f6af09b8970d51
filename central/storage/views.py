"""Read models on PostgreSQL, and the one thing that the API writes."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from msgspec.structs import astuple
from psycopg.rows import class_row, dict_row

from central.application.believing import Standing, doubt_of, why
from central.application.changes import Run
from central.application.errors import NotFound
from central.application.views import (
    AlertView,
    AssetView,
    EventTotals,
    GatewayView,
    LocationView,
    MovementView,
    PortalView,
    QuarantineView,
    StreamView,
    Summary,
    View,
)
from central.domain.position import Position
from central.storage.database import Connection, Database
from central.storage.queries import query
from edge.contracts import event_id

_V = TypeVar("_V", bound=View)

EXCERPT: Final = "backslashreplace"
"""How bytes of a quarantined payload that are no UTF-8 are shown."""


_TOLD: Final = ("passage", "silent", "stale", "heard_at", "gone", "reads", "patience_h", "unseen")
"""What an asset's doubts are made of."""


class PgViews:
    """`central.application.ports.Views`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def locations(self, ids: Collection[str] | None = None) -> list[LocationView]:
        """Return locations with their counts, all or those named."""
        return await self._all(LocationView, "views.locations", {"ids": None if ids is None else list(ids)})

    async def locations_json(self) -> str:
        """Return all locations with their counts as JSON objects with commas between them."""
        async with self._database.reading() as connection:
            row = await (await connection.execute(query("views.locations_json"), prepare=True)).fetchone()
        return str(row[0]) if row else ""

    async def assets(self, *, location: str | None, query: str | None, limit: int, now: datetime) -> list[AssetView]:
        """Return assets, by id, as they are held to be at an instant."""
        params = {"location": location, "query": query, "limit": limit, "now": now}
        return [_asset(row, now) for row in await self._dicts("views.assets", params)]

    async def asset(self, asset: str, now: datetime) -> AssetView:
        """Return one asset as it is held to be at an instant, or raise `NotFound`."""
        found = await self._dicts("views.asset", {"asset": asset, "now": now})
        if not found:
            raise NotFound(f"there is no asset {asset!r}")
        return _asset(found[0], now)

    async def movements(self, *, portal: str | None = None, asset: str | None = None, limit: int) -> list[MovementView]:
        """Return the newest revision of each passage, newest first."""
        name = "views.movements" if asset is None else "views.movements_of"
        rows = await self._dicts(name, {"portal": portal, "asset": asset, "limit": limit})
        return [_movement(row) for row in rows]

    async def assets_by_id(self, ids: Collection[str], now: datetime) -> list[AssetView]:
        """Return the assets named, by id, as they are held to be at an instant."""
        return [_asset(row, now) for row in await self._dicts("views.assets_by_id", {"ids": list(ids), "now": now})]

    async def movements_in(self, runs: Sequence[Run]) -> list[MovementView]:
        """Return all revisions of passages that stand in runs, oldest first."""
        gateways, epochs, firsts, lasts, starts, ends = (
            list(column) for column in zip(*map(astuple, runs), strict=True)
        )
        names = {"gateways": gateways, "epochs": epochs, "firsts": firsts, "lasts": lasts}
        times = {"starts": starts, "ends": ends, "first_at": min(starts), "last_at": max(ends)}
        return [_movement(row) for row in await self._dicts("views.movements_in", names | times)]

    async def portals(self) -> list[PortalView]:
        """Return all portals, by id."""
        return await self._all(PortalView, "views.portals", {})

    async def alerts(self, *, state: str, limit: int, skip: int = 0, gravest: bool = False) -> list[AlertView]:
        """Return alerts by state, newest or gravest first, without so many of them."""
        params = {"state": state, "limit": limit, "skip": skip, "gravest": gravest}
        return [_alert(row) for row in await self._dicts("views.alerts", params)]

    async def alerts_by_id(self, ids: Collection[int]) -> list[AlertView]:
        """Return the alerts named, oldest first."""
        return [_alert(row) for row in await self._dicts("views.alerts_by_id", {"ids": list(ids)})]

    async def acknowledge(self, alert: int, by: str, now: datetime) -> AlertView:
        """Acknowledge an alert or raise `NotFound`; the first acknowledgement stands."""
        async with self._database.transaction() as connection:
            params = {"alert": alert, "by": by, "now": now, "kind": "acknowledged", "detail": ""}
            done = await (await connection.execute(query("alerts.acknowledge"), params)).fetchone()
            if done is not None:
                await connection.execute(query("alerts.add_event"), params)
                await connection.execute(query("alerts.acknowledge_act"), params)
        found = await self.alerts_by_id([alert])
        if not found:
            raise NotFound(f"there is no alert {alert}")
        return found[0]

    async def gateways(self, names: Collection[str] | None = None) -> list[GatewayView]:
        """Return gateways, all or those named."""
        return await self._all(GatewayView, "views.gateways", {"names": None if names is None else list(names)})

    async def quarantined(self, limit: int) -> list[QuarantineView]:
        """Return the quarantine, newest first."""
        rows = await self._dicts("views.quarantined", {"limit": limit})
        return [QuarantineView(**row | {"payload": row["payload"].decode(errors=EXCERPT)}) for row in rows]

    async def summary(self) -> Summary:
        """Return totals."""
        async with self._database.transaction() as connection:
            totals = (await _fetch(connection, "views.totals", {}))[0]
            streams = [
                StreamView(**row | {"above": row["above"] or []})
                for row in await _fetch(connection, "views.streams", {})
            ]
        covered = sum(Position(one.upto, tuple(one.above)).covered for one in streams)
        events = EventTotals(
            committed=covered, **{name: totals.pop(name) for name in ("gaps", "duplicated", "rejected")}
        )
        return Summary(**totals, events=events, streams=streams)

    async def ping(self) -> None:
        """Raise `StoreUnavailable` if the database doesn't answer."""
        await self._dicts("views.ping", {})

    async def _all(self, kind: type[_V], name: str, params: dict[str, Any]) -> list[_V]:
        async with self._database.reading() as connection, connection.cursor(row_factory=class_row(kind)) as cursor:
            return await (await cursor.execute(query(name), params)).fetchall()

    async def _dicts(self, name: str, params: dict[str, Any]) -> list[dict[str, Any]]:
        async with self._database.reading() as connection:
            return await _fetch(connection, name, params)


async def _fetch(connection: Connection, name: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        return await (await cursor.execute(query(name), params)).fetchall()


def _movement(row: dict[str, Any]) -> MovementView:
    passage = row["passage"].hex
    return MovementView.model_validate(row | {"passage": passage, "id": event_id(passage, row["rev"])})


def _asset(row: dict[str, Any], now: datetime) -> AssetView:
    """Return an asset with what speaks for its place, and against it."""
    told = {name: row.pop(name) for name in _TOLD}
    if row["location"] is not None:
        known = {name: row[name] for name in ("location", "since", "basis", "doubt")}
        one = Standing(**known, **told | {"reads": told["reads"] or ()})
        row |= {"doubt": doubt_of(one, now), "why": why(one, now)}
    return AssetView.model_validate(row)


def _alert(row: dict[str, Any]) -> AlertView:
    assets = row["assets"] or []
    first = assets[0] if assets else {}
    values = row | {
        "assets": assets,
        "asset": {name: first[name] for name in ("id", "name", "class")} if first else None,
        "epc": first.get("epc"),
        "passage": first.get("passage"),
        "from": row["from_location"],
        "to": row["to_location"],
        "latency_ms": (row["raised_at"] - row["at"]).total_seconds() * 1000,
    }
    return AlertView.model_validate(values)
