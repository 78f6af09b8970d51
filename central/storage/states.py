"""The axes of assets' states on PostgreSQL: acts appended, states folded from them and projected."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import Any, Final

from psycopg.rows import dict_row

from central.application.rows import columns, dumps, plain
from central.application.states import NewAct
from central.domain.axes import KINDS, AssetState, AxisAct, fold_axes
from central.storage.database import Connection
from central.storage.queries import query

CHUNK: Final = 10_000
"""Assets that a rebuild folds at a time."""
_FIELDS: Final = tuple(one.name for one in fields(AssetState))


class PgStates:
    """`central.application.states.States` on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def states(self, assets: Collection[str]) -> dict[str, AssetState]:
        """Return the states of assets of which anything is told."""
        async with self._connection.cursor(row_factory=dict_row) as cursor:
            rows = await (await cursor.execute(query("state.states"), {"assets": list(assets)})).fetchall()
        return {row.pop("asset"): AssetState(**row | {"holds": tuple(row["holds"])}) for row in rows}

    async def acts_on(self, assets: Collection[str], kinds: Collection[str] = KINDS) -> dict[str, list[AxisAct]]:
        """Return the acts that the axes of assets are made of, all or those of some kinds."""
        params = {"assets": list(assets), "kinds": list(kinds)}
        found: dict[str, list[AxisAct]] = {}
        for row in await (await self._connection.execute(query("state.acts"), params)).fetchall():
            found.setdefault(row[0], []).append(AxisAct(*row[1:]))
        return found

    async def add_acts(self, acts: Sequence[NewAct]) -> list[int]:
        """Append acts; return their ids, which rise in the order of the acts."""
        if not acts:
            return []
        told = {"acts": dumps(columns(acts))}
        found = await (await self._connection.execute(query("state.add_acts"), told)).fetchall()
        return [row[0] for row in found]

    async def project(self, assets: Collection[str]) -> None:
        """Fold the states of assets, whose rows the caller has locked, from their acts."""
        told = await self.acts_on(assets)
        await self._save({asset: fold_axes(acts) for asset, acts in told.items()})
        await self._connection.execute(query("state.forget"), {"assets": sorted(set(assets) - set(told))})

    async def rebuild(self) -> None:
        """Forget all states and fold them from the log."""
        await self._connection.execute(query("state.clear"))
        after = ""
        while True:
            params = {"kinds": list(KINDS), "after": after, "limit": CHUNK}
            rows = await (await self._connection.execute(query("state.told"), params)).fetchall()
            if not rows:
                return
            await self.project([row[0] for row in rows])
            after = rows[-1][0]

    async def _save(self, states: dict[str, AssetState]) -> None:
        if states:
            rows = [{"asset": asset} | _json(state) for asset, state in sorted(states.items())]
            await self._connection.execute(query("state.save"), {"rows": dumps(rows)})


def _json(state: AssetState) -> dict[str, Any]:
    row = {name: plain(getattr(state, name)) for name in _FIELDS}
    returns = state.title_return_on
    return row | {"holds": list(state.holds), "title_return_on": returns.isoformat() if returns else None}
