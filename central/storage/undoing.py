"""Imports on PostgreSQL, and what came after them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from central.application.errors import NotFound
from central.application.rows import Row, dumps
from central.storage.database import Connection
from central.storage.queries import query

_WITHOUT_USERS: Final = frozenset({"role_holders", "neighbours", "openings", "serials", "opening_hours", "travel_times",
                                   "calendar_overrides", "portal_mutes"})  # fmt: skip
"""Kinds that nothing refers to."""


class PgUndoing:
    """`central.application.undoing.Undoing` on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def undone_at(self, import_: int) -> datetime | None:
        """Return when an import was taken back, None if it stands; `NotFound` if there is no such import."""
        rows = await self._rows("undo.import", {"import": import_})
        if not rows:
            raise NotFound(f"there is no import {import_}: /api/v1/imports lists them")
        at: datetime | None = rows[0][1]
        return at

    async def acts(self, import_: int) -> list[tuple[int, str | None]]:
        """Return ids and assets of the acts that an import brought about."""
        return [(row[0], row[1]) for row in await self._rows("undo.acts", {"import": import_})]

    async def later(self, import_: int) -> list[tuple[str, str]]:
        """Return assets of the import's acts, and the words for what came later on top of those."""
        rows = [
            *await self._rows("undo.later_acts", {"import": import_}),
            *await self._rows("undo.later_crossings", {"import": import_}),
        ]
        return [(row[0], row[1]) for row in rows]

    async def void(self, import_: int, undo: int) -> None:
        """Let the import's acts count no more."""
        await self._connection.execute(query("undo.void"), {"import": import_, "undo": undo})

    async def users(self, kind: str, rows: Sequence[Row]) -> list[tuple[str, str]]:
        """Return the first key column of rows that are to go, and the words for what still needs them."""
        if kind in _WITHOUT_USERS:
            return []
        ids = {str(row["epc"] if kind == "tags" else row["id"]) for row in rows}
        found = await self._rows(f"undo.users_{kind}", {"ids": sorted(ids), "rows": dumps(rows)})
        return [(row[0], row[1]) for row in found if row[0] in ids]

    async def _rows(self, name: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
        return await (await self._connection.execute(query(name), params)).fetchall()
