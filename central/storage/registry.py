"""The registry's writing side on PostgreSQL."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from central.application.checking import Known
from central.application.importing import Asked
from central.application.rows import Change, Row, columns, dumps
from central.domain.places import Location, Portal
from central.domain.tags import Binding, Bindings
from central.storage.database import Connection, Database
from central.storage.log import PgLog, PgTransaction
from central.storage.queries import query
from central.storage.states import PgStates
from central.storage.undoing import PgUndoing


class PgRegistry:
    """`central.application.importing.RegistryStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def importing(self) -> AsyncIterator["PgRegistryTransaction"]:
        """Open the one import transaction."""
        async with self._database.transaction() as connection:
            await connection.execute(query("registry.utc"))
            await connection.execute(query("registry.lock"))
            yield PgRegistryTransaction(connection, PgLog(self._database))


class PgRegistryRows:
    """`central.application.importing.RegistryRows` on one connection whose time zone is UTC."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def rows(self, kind: str, ids: Collection[str]) -> list[Row]:
        """Return the rows whose first key column is among `ids`."""
        found = await self._connection.execute(query(f"rows.{kind}"), {"ids": list(ids)})
        return [row[0] for row in await found.fetchall()]

    async def put(self, kind: str, rows: Sequence[Row], now: datetime) -> None:
        """Write whole rows."""
        await self._connection.execute(query(f"rows.put_{kind}"), {"rows": dumps(rows), "now": now})

    async def drop(self, kind: str, rows: Sequence[Row], now: datetime) -> None:
        """Take rows off; assets and locations go out of sight."""
        await self._connection.execute(query(f"rows.drop_{kind}"), {"rows": dumps(rows), "now": now})

    async def note(self, import_: int, changes: Sequence[Change]) -> None:
        """Keep what an import changed."""
        params = {"import": import_, "rows": dumps(columns(changes))}
        await self._connection.execute(query("rows.note"), params)

    async def noted(self, import_: int) -> list[Change]:
        """Return what an import changed."""
        found = await self._connection.execute(query("rows.noted"), {"import": import_})
        return [Change(*row) for row in await found.fetchall()]

    async def placed(self, assets: Collection[str]) -> dict[str, str]:
        """Return where the last standing record put assets."""
        found = await self._connection.execute(query("registry.placed"), {"assets": list(assets)})
        return dict(await found.fetchall())

    async def lock(self, assets: Collection[str]) -> None:
        """Lock assets in the order of their ids."""
        await self._connection.execute(query("projection.lock_assets_by_id"), {"assets": list(assets)})

    async def bump(self) -> None:
        """Make a new version of the registry: ingest reads it again."""
        await self._connection.execute(query("registry.bump"))


class PgRegistryTransaction(PgTransaction):
    """`central.application.importing.RegistryTransaction`."""

    @property
    def table(self) -> PgRegistryRows:
        """Rows of the registry."""
        return PgRegistryRows(self._connection)

    @property
    def states(self) -> PgStates:
        """Acts and states of assets."""
        return PgStates(self._connection)

    @property
    def undoing(self) -> PgUndoing:
        """Imports and what came after them."""
        return PgUndoing(self._connection)

    async def known(self, asked: Asked) -> Known:
        """Return what the registry holds."""
        assets, epcs = {"assets": list(asked.assets)}, {"epcs": list(asked.epcs)}
        people = await self._rows("registry.people")
        return Known(
            locations={row[0]: Location(*row) for row in await self._rows("registry.locations")},
            gateways=dict(await self._rows("registry.gateways")),
            portals={row[0]: Portal(*row) for row in await self._rows("registry.portals")},
            roles={row[0] for row in await self._rows("registry.roles")},
            people={name for name, _, _ in people},
            inactive={name for name, active, _ in people if not active},
            machines={name for name, _, kind in people if kind == "service"},
            pools={row[0] for row in await self._rows("registry.pools")},
            assets={row[0] for row in await self._rows("registry.assets", assets)},
            parents=dict(await self._rows("registry.parents", assets)),
            tags=Bindings([Binding(*row) for row in await self._rows("registry.bindings", epcs)]),
            states=await self.states.states(asked.assets),
        )

    async def _rows(self, name: str, params: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        return await (await self._connection.execute(query(name), params)).fetchall()
