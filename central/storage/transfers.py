"""Transfers on PostgreSQL."""

import json
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from psycopg.rows import class_row, dict_row

from central.application.errors import NotFound
from central.application.fitness import Standing
from central.application.in_transit import InTransit
from central.application.senders import Awaited
from central.application.transfer_views import LegView, TransferView
from central.application.transfers import Done
from central.storage.database import Connection, Database
from central.storage.in_transit import in_transit
from central.storage.log import PgLog, PgTransaction
from central.storage.queries import query


class PgTransferWork(PgTransaction):
    """`central.application.transfers.TransferWork` on one connection."""

    async def number(self) -> str:
        """Return the id of a new transfer."""
        return str((await self._rows("number", {}))[0][0])

    async def absent(
        self,
        *,
        people: Collection[str] = (),
        parties: Collection[str] = (),
        locations: Collection[str] = (),
        assets: Collection[str] = (),
    ) -> list[tuple[str, str]]:
        """Return what isn't registered: (what it was to be, name)."""
        wanted = {"people": people, "parties": parties, "locations": locations, "assets": assets}
        rows = await self._rows("absent", {name: list(names) for name, names in wanted.items()})
        return [(row[0], row[1]) for row in rows]

    async def standing(self, assets: Collection[str], now: datetime, *, but: str | None = None) -> list[Standing]:
        """Return how assets stand to a new transfer, or to the one named, by id."""
        return [
            Standing(*row) for row in await self._rows("standing", {"assets": list(assets), "now": now, "but": but})
        ]

    async def other_cost_centre(self, assets: Collection[str], cost_centre: str) -> bool:
        """Tell whether any of the assets has another cost centre."""
        rows = await self._rows("other_cost_centre", {"assets": list(assets), "cost_centre": cost_centre})
        return bool(rows[0][0])

    async def transfer(self, transfer: str, *, lock: bool = False) -> TransferView:
        """Return a transfer or raise `NotFound`."""
        if lock:
            await self._rows("lock", {"id": transfer})
        return await _one(self._connection, transfer)

    async def act(self, done: Done, now: datetime) -> None:
        """Log an act, once for each of its assets."""
        params = {
            "kind": done.kind, "by": done.by, "assets": list(done.assets), "subject": done.subject,
            "location": done.location, "detail": json.dumps(done.detail or {}), "now": now,
        }  # fmt: skip
        await self._connection.execute(query("transfers.act"), params)

    async def project_transfer(self, transfer: str) -> None:
        """Bring a transfer up to its acts."""
        await project_transfers(self._connection, [transfer])

    async def permit(self, transfer: TransferView, boundary: str, by: str, until: datetime, now: datetime) -> None:
        """Authorise a transfer's assets to leave a boundary."""
        params = _of(transfer) | {"boundary": boundary, "by": by, "until": until, "now": now}
        await self._connection.execute(query("transfers.permit"), params)

    async def withdraw(self, transfer: TransferView, now: datetime, assets: Collection[str] | None = None) -> None:
        """End what a transfer permitted, to all its assets or some."""
        params = _of(transfer) | {"now": now} | ({} if assets is None else {"assets": list(assets)})
        await self._connection.execute(query("transfers.withdraw"), params)

    async def awaited(self, assets: Collection[str]) -> list[Awaited]:
        """Return the approved transfers of assets, by id."""
        return [Awaited(*row) for row in await self._rows("awaited", {"assets": list(assets)})]

    async def sent_by(self, transfer: str, assets: Collection[str]) -> list[str]:
        """Return who scanned any of a transfer's assets out last."""
        return [row[0] for row in await self._rows("sent_by", {"transfer": transfer, "assets": list(assets)})]

    async def answers(self, person: str, party: str, places: Sequence[str]) -> bool:
        """Tell whether a person is a party, or holds that role everywhere or at one of the places."""
        return person == party or await self.loans.holds_role(person, party, places)

    async def under_way(self, asset: str) -> tuple[int, str | None, list[str], str] | None:
        """Return number, transfer, assumed columns and origin of the leg that an asset is on."""
        rows = await self._rows("under_way", {"asset": asset})
        return (rows[0][0], rows[0][1], rows[0][2], rows[0][3]) if rows else None

    async def _rows(self, name: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
        return await (await self._connection.execute(query(f"transfers.{name}"), params)).fetchall()


class PgTransfers:
    """`central.application.transfers.Transfers`."""

    def __init__(self, database: Database, log: PgLog) -> None:
        self._database, self._log = database, log

    @asynccontextmanager
    async def work(self) -> AsyncIterator[PgTransferWork]:
        """Open a transaction."""
        async with self._database.transaction() as connection:
            yield PgTransferWork(connection, self._log)

    async def transfers(self, *, asset: str | None, limit: int) -> list[TransferView]:
        """Return transfers, newest first."""
        async with self._database.transaction() as connection:
            return await _listed(connection, {"ids": None, "asset": asset, "limit": limit})

    async def transfer(self, transfer: str) -> TransferView:
        """Return a transfer or raise `NotFound`."""
        async with self._database.transaction() as connection:
            return await _one(connection, transfer)

    async def legs(self, *, asset: str | None, under_way: bool | None, now: datetime, limit: int) -> list[LegView]:
        """Return legs: under way by due date, then ended ones."""
        params = {"asset": asset, "under_way": under_way, "now": now, "limit": limit}
        async with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=class_row(LegView)) as cursor,
        ):
            return await (await cursor.execute(query("transfers.legs"), params)).fetchall()

    async def in_transit(self, *, location: str | None, now: datetime, limit: int) -> InTransit:
        """Return what is under way at, from or to a location (or anywhere), by transfer, the most urgent first."""
        async with self._database.transaction() as connection:
            return await in_transit(connection, location, now, limit)


async def project_transfers(connection: Connection, ids: Sequence[str] | None) -> None:
    """Bring transfers and their manifests up to their acts: those named, or all."""
    for name in ("project", "project_assets"):
        await connection.execute(query(f"transfers.{name}"), {"ids": ids})


def _of(transfer: TransferView) -> dict[str, Any]:
    assets = [one.id for one in transfer.going]
    return {"transfer": transfer.id, "assets": assets, "requested_by": transfer.requested_by}


async def _one(connection: Connection, transfer: str) -> TransferView:
    found = await _listed(connection, {"ids": [transfer], "asset": None, "limit": 1})
    if not found:
        raise NotFound(f"there is no transfer {transfer!r}")
    return found[0]


async def _listed(connection: Connection, params: dict[str, Any]) -> list[TransferView]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        rows = await (await cursor.execute(query("transfers.list"), params)).fetchall()
    return [TransferView.model_validate(row) for row in rows]
