"""Reads of the registry on PostgreSQL."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any, Final

from psycopg.rows import dict_row

from central.application.errors import NotFound
from central.application.life import Cursor, Moments, MomentView, page
from central.application.register import (
    ActView,
    AssetLife,
    AuthorisationView,
    CountedView,
    ImportView,
    OpeningView,
    PersonView,
    PlaceView,
    RoleView,
    SerialView,
    StateView,
    TagView,
)
from central.domain.axes import AssetState
from central.domain.exceptions.taxonomy import CATEGORIES
from central.domain.people import Holder, holders
from central.storage.database import Connection, Database
from central.storage.log import PgLog
from central.storage.queries import query
from central.storage.states import PgStates

MAX_OF_ONE: Final = 1000
"""Acts and authorisations of one asset that its life shows."""


class PgRegister:
    """`central.application.register.Register`."""

    def __init__(self, database: Database, log: PgLog) -> None:
        self._database = database
        self._log = log

    async def life(self, asset: str) -> AssetLife:
        """Return all that is told of an asset, or raise `NotFound`."""
        params = {"asset": asset, "limit": MAX_OF_ONE}
        async with self._database.transaction() as connection:
            found = await _dicts(connection, "register.asset", params)
            if not found:
                raise NotFound(f"there is no asset {asset!r}: /api/v1/assets lists them")
            states = await PgStates(connection).states([asset])
            return AssetLife(
                **found[0],
                state=StateView.of(states.get(asset, AssetState())),
                tags=[TagView(**row) for row in await _dicts(connection, "register.tags", params)],
                serials=[SerialView(**row) for row in await _dicts(connection, "register.serials", params)],
                authorisations=[
                    AuthorisationView(**row) for row in await _dicts(connection, "register.authorisations", params)
                ],
                counted=[CountedView(**row) for row in await _dicts(connection, "register.counted", params)],
                acts=[ActView(**row) for row in await _dicts(connection, "register.acts", params)],
            )

    async def moments(self, asset: str, kinds: Collection[str], before: str | None, limit: int) -> Moments:
        """Return a page of an asset's life, newest first, of some kinds, before the end of another page."""
        end = Cursor.read(before)
        params = {"asset": asset, "kinds": list(kinds), "limit": limit}
        params |= {"before": end.at, "before_kind": end.kind, "before_key": end.key}
        async with self._database.transaction() as connection:
            if not await _dicts(connection, "register.asset", {"asset": asset}):
                raise NotFound(f"there is no asset {asset!r}: /api/v1/assets lists them")
            rows = await _dicts(connection, "life.moments", params)
        return page([MomentView(**_titled(row)) for row in rows], limit)

    async def places(self) -> list[PlaceView]:
        """Return what holds at each place, by id."""
        registry = await self._log.registry()
        return [
            PlaceView(
                id=place,
                **asdict(registry.places.situation(place)),
                openings=[
                    OpeningView(id=one.id, kind=one.kind, portal=one.portal)
                    for one in registry.openings
                    if one.location == place
                ],
                unlisted=registry.places.unlisted(place, registry.openings, registry.portals.values()),
                closed=registry.is_closed(place),
            )
            for place in sorted(one.id for one in registry.places)
        ]

    async def people(self) -> list[PersonView]:
        """Return people, by id."""
        return [PersonView(**row) for row in await self._rows("register.people", {})]

    async def not_acting(self, names: Sequence[str]) -> set[str]:
        """Return which of the names are no active person and no active service account."""
        return {row["name"] for row in await self._rows("register.not_acting", {"names": list(names)})}

    async def roles(self) -> list[RoleView]:
        """Return roles and who holds them, by id."""
        return [RoleView.model_validate(row) for row in await self._rows("register.roles", {})]

    async def answering(self, role: str, location: str | None) -> list[str]:
        """Return who answers for a role at a place: the nearest holders on the way up."""
        registry = await self._log.registry()
        if role not in {one.id for one in await self.roles()}:
            raise NotFound(f"there is no role {role!r}: /api/v1/roles lists them")
        if location is not None and location not in registry.places:
            raise NotFound(f"there is no location {location!r}: /api/v1/locations lists them")
        held = [Holder(**row) for row in await self._rows("register.holders", {"role": role})]
        return holders(role, location, registry.places, held)

    async def authorisations(self, asset: str | None, limit: int) -> list[AuthorisationView]:
        """Return authorisations, newest first."""
        rows = await self._rows("register.authorisations", {"asset": asset, "limit": limit})
        return [AuthorisationView(**row) for row in rows]

    async def imports(self, limit: int) -> list[ImportView]:
        """Return imports, newest first."""
        return [ImportView(**row) for row in await self._rows("undo.imports", {"limit": limit})]

    async def _rows(self, name: str, params: dict[str, Any]) -> list[dict[str, Any]]:
        async with self._database.transaction() as connection:
            return await _dicts(connection, name, params)


def _titled(row: dict[str, Any]) -> dict[str, Any]:
    """Give a moment of an exception the words of its category."""
    known = CATEGORIES.get(row["data"].get("category", "")) if row["kind"] == "exception" else None
    return row | {"data": row["data"] | {"title": known.title}} if known else row


async def _dicts(connection: Connection, name: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        return await (await cursor.execute(query(name), params)).fetchall()
