"""The account of captures on PostgreSQL."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from central.application.capturing import BY, Address, CaptureView, Expected, Received
from central.application.errors import NotFound
from central.domain.captures import Held
from central.storage.database import Connection, Database
from central.storage.queries import query


class PgCaptures:
    """`central.application.capturing.CaptureBook`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def expect(self, command: int, address: Address) -> None:
        """Keep an address."""
        values = {name: getattr(address, name) for name in ("token_hash", "max_bytes", "expires_at")}
        async with self._database.transaction() as connection:
            await connection.execute(query("captures.expect"), values | {"command": command})

    async def address(self, token_hash: bytes) -> Expected | None:
        """Return what an address is for."""
        async with self._database.transaction() as connection:
            found = await connection.execute(query("captures.address"), {"token_hash": token_hash})
            row = await found.fetchone()
        return None if row is None else Expected(*row)

    async def receive(self, received: Received) -> bool:
        """Keep that a file came, as an act; False if another came before, or the address has expired."""
        held = received.held
        values = {"command": held.command, "bytes": held.bytes, "sha256": held.sha256, "at": received.at}
        async with self._database.transaction() as connection:
            if not await (await connection.execute(query("captures.receive"), values)).fetchall():
                return await (await connection.execute(query("captures.same"), values)).fetchone() is not None
            told = {"bytes": held.bytes, "sha256": held.sha256}
            await _tell(connection, "capture_received", held.command, received.gateway, received.at, told)
        return True

    async def fetched(self, command: int, by: str, at: datetime) -> None:
        """Keep that somebody took a file away, as an act."""
        async with self._database.transaction() as connection:
            await _tell(connection, "capture_fetched", command, by, at, {})

    async def drop(self, commands: Collection[int], at: datetime) -> None:
        """Keep that files were deleted, each as an act."""
        async with self._database.transaction() as connection:
            found = await connection.execute(query("captures.drop"), {"commands": list(commands), "at": at})
            for (command,) in await found.fetchall():
                await _tell(connection, "capture_dropped", command, BY, at, {})

    async def held(self) -> list[Held]:
        """Return which files are kept, newest first."""
        async with self._database.transaction() as connection:
            return [Held(*row) for row in await (await connection.execute(query("captures.held"))).fetchall()]

    async def captures(self, now: datetime, *, gateway: str | None = None, limit: int = 100) -> list[CaptureView]:
        """Return captures, newest first."""
        params = {"gateway": gateway, "id": None, "limit": limit, "now": now}
        found = await self._views(params)
        if not found and gateway is not None and not await self._knows(gateway):
            raise NotFound(f"there is no registered gateway {gateway!r}: /api/v1/gateways lists them")
        return found

    async def capture(self, number: int, now: datetime) -> CaptureView:
        """Return one."""
        found = await self._views({"gateway": None, "id": number, "limit": 1, "now": now})
        if not found:
            raise NotFound(f"there is no capture {number}: /api/v1/gateways/GATEWAY/captures lists them")
        return found[0]

    async def _views(self, params: dict[str, Any]) -> list[CaptureView]:
        async with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=class_row(CaptureView)) as cursor,
        ):
            return await (await cursor.execute(query("captures.captures"), params)).fetchall()

    async def _knows(self, gateway: str) -> bool:
        async with self._database.transaction() as connection:
            found = await connection.execute(query("commanding.gateway"), {"gateway": gateway})
            return await found.fetchone() is not None


async def _tell(  # noqa: PLR0917 (an act, all of it)
    connection: Connection, act: str, command: int, by: str, at: datetime, detail: Mapping[str, Any]
) -> None:
    params = {"act": act, "subject": f"command/{command}", "by": by, "at": at, "detail": json.dumps(dict(detail))}
    await connection.execute(query("commanding.told"), params)
