"""The quarantine's waiting items on PostgreSQL."""

import json
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from central.application.quarantine import Item, Outcome
from central.application.records import StreamKey
from central.storage.database import Connection, Database
from central.storage.log import PgLog, PgTransaction
from central.storage.queries import query


class PgQuarantine:
    """`central.application.quarantine.QuarantineStore`."""

    def __init__(self, database: Database, log: PgLog) -> None:
        self._database, self._log = database, log

    async def waiting(self, ids: Collection[int] | None, limit: int) -> list[Item]:
        """Return items that wait, oldest first."""
        params = {"ids": None if ids is None else sorted(ids), "limit": limit}
        async with self._database.transaction() as connection:
            rows = await (await connection.execute(query("quarantine.waiting"), params)).fetchall()
        return [_item(*row) for row in rows]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["PgQuarantineTransaction"]:
        """Open a transaction."""
        async with self._database.transaction() as connection:
            yield PgQuarantineTransaction(connection, self._log)
            await self._log.keep_calendars_in(connection)


def _item(number: int, topic: str, payload: bytes, whole: bool, *place: Any) -> Item:  # noqa: FBT001 (a row's columns)
    gateway, stream, epoch, seq = place
    return Item(number, topic, payload, whole, StreamKey(gateway, stream, epoch) if seq else None, seq)


class PgQuarantineTransaction:
    """`central.application.quarantine.QuarantineTransaction`."""

    def __init__(self, connection: Connection, log: PgLog) -> None:
        self._connection = connection
        self.log = PgTransaction(connection, log)

    async def still(self, ids: Collection[int]) -> set[int]:
        """Lock items and return those that wait still."""
        rows = await self._connection.execute(query("quarantine.still"), {"ids": sorted(ids)})
        return {row[0] for row in await rows.fetchall()}

    async def note(self, outcomes: Sequence[Outcome], by: str, now: datetime) -> None:
        """Settle items without a problem, and keep the newest reason of the others."""
        if not outcomes:
            return
        settled = [one.id for one in outcomes if not one.problem]
        params = {
            "ids": [one.id for one in outcomes],
            "problems": [one.problem.replace("\0", "\\0") for one in outcomes],
            "now": now,
            "by": by,
            "detail": json.dumps({"settled": settled, "tried": len(outcomes)}),
        }
        await self._connection.execute(query("quarantine.note"), params)
        await self._connection.execute(query("quarantine.act"), params)
