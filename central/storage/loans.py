"""Loans and repairs on PostgreSQL: projections of their acts."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar

from psycopg.rows import class_row

from central.application.loans import Kind, LoanView, RepairView, Told
from central.application.views import View
from central.storage.database import Connection
from central.storage.queries import query

_V = TypeVar("_V", bound=View)


class PgLoans:
    """`central.application.loans.Loans` on the connection of a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def has_asset(self, asset: str) -> bool:
        """Tell whether an asset is registered."""
        return bool(await self._rows("asset", {"asset": asset}))

    async def has_person(self, person: str) -> bool:
        """Tell whether a person is registered and active."""
        return bool(await self._rows("person", {"person": person}))

    async def holds_role(self, person: str, role: str, places: Sequence[str]) -> bool:
        """Tell whether a person has a role, everywhere or at one of the places."""
        ((holds,),) = await self._rows("holds_role", {"person": person, "role": role, "places": list(places)})
        return bool(holds)

    async def tell(self, told: Told, now: datetime) -> None:
        """Write an act and bring the loan or repair up to it."""
        subject = f"{told.kind}/{told.id}"
        params = asdict(told) | {"kind": told.act, "subject": subject, "detail": json.dumps(told.detail), "now": now}
        await self._connection.execute(query("loans.told"), params)
        await self.project(told.kind, [subject])

    async def project(self, kind: Kind, subjects: Sequence[str] | None = None) -> None:
        """Bring loans or repairs up to their acts, all or those named."""
        given = None if subjects is None else list(subjects)
        await self._connection.execute(query(f"loans.project_{kind}s"), {"subjects": given})

    async def rebuild(self) -> None:
        """Make all loans and repairs anew from their acts."""
        kinds: tuple[Kind, ...] = ("loan", "repair")
        for kind in kinds:
            await self._connection.execute(query(f"loans.clear_{kind}s"))
            await self.project(kind)

    async def loan(self, loan: str) -> LoanView | None:
        """Return a loan."""
        return next(iter(await self._views(LoanView, "loan", {"id": loan})), None)

    async def repair(self, repair: str) -> RepairView | None:
        """Return a repair."""
        return next(iter(await self._views(RepairView, "repair", {"id": repair})), None)

    async def open_of(self, kind: Kind, asset: str) -> str | None:
        """Return the id of an asset's open loan or repair."""
        rows = await self._rows(f"{kind}_of", {"asset": asset})
        return rows[0][0] if rows else None

    async def loans(self, asset: str | None, limit: int, *, still_open: bool) -> list[LoanView]:
        """Return loans."""
        return await self._views(LoanView, "loans", {"asset": asset, "limit": limit, "open": still_open})

    async def repairs(self, asset: str | None, limit: int, *, still_open: bool) -> list[RepairView]:
        """Return repairs."""
        return await self._views(RepairView, "repairs", {"asset": asset, "limit": limit, "open": still_open})

    async def _rows(self, name: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
        return await (await self._connection.execute(query(f"loans.{name}"), params)).fetchall()

    async def _views(self, kind: type[_V], name: str, params: dict[str, Any]) -> list[_V]:
        async with self._connection.cursor(row_factory=class_row(kind)) as cursor:
            return await (await cursor.execute(query(f"loans.{name}"), params)).fetchall()
