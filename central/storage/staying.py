"""How long assets stay, on PostgreSQL."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from central.application.staying import Begun, Staying, StayKey
from central.domain.story.stays import Curve, Leaving, Stay
from central.storage.database import Connection
from central.storage.queries import query


class PgStayWork:
    """`central.application.staying.StayWork` on the connection of a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def stays(self, since: datetime, now: datetime, most: int) -> Mapping[StayKey, Sequence[Stay]]:
        """Return stays by place and cohort: the newest that have ended since an instant, and those that go on."""
        found = defaultdict[StayKey, list[Stay]](list)
        for location, cohort, asset, hours, ended in await self._rows("stays", since=since, now=now, most=most):
            found[location, cohort].append(Stay(asset, float(hours), ended))
        return found

    async def leavings(self, since: datetime) -> Mapping[str, Sequence[Leaving]]:
        """Return seen departures by place."""
        found = defaultdict[str, list[Leaving]](list)
        for location, *counts in await self._rows("leavings", since=since):
            found[location].append(Leaving(*counts))
        return found

    async def keep_staying(self, found: Collection[Staying], now: datetime) -> None:
        """Store how long assets stay at places, in place of what stood there."""
        await self._do("forget_places")
        if found:
            await self._connection.cursor().executemany(
                query("staying.keep_place"), [_place(one) | {"now": now} for one in found]
            )

    async def staying(self) -> Mapping[StayKey, Staying]:
        """Return how long assets that were seen to come or are carried stay, by place and cohort."""
        rows = await self._rows("places")
        return {
            (location, cohort): Staying(location, cohort, Curve(tuple(hours), tuple(gone)), share)
            for location, cohort, hours, gone, share in rows
        }

    async def forget_patience(self) -> None:
        """Forget how long nothing need be heard of each asset: places were measured anew."""
        await self._do("forget_patience")

    async def begun(self, since: datetime, limit: int) -> Sequence[Begun]:
        """Return stays that a door or a reader saw begin, for which no patience stands."""
        return [Begun(*row) for row in await self._rows("begun", since=since, limit=limit)]

    async def keep_patience(self, found: Collection[tuple[Begun, float]]) -> None:
        """Store after how many hours without a word each asset's place is in doubt."""
        await self._do(
            "keep_patience",
            assets=[one.asset for one, _ in found],
            locations=[one.location for one, _ in found],
            since=[one.since for one, _ in found],
            patience_h=[hours for _, hours in found],
            own_h=[json.dumps([float(hours) for hours in one.own_h]) for one, _ in found],
        )

    async def _do(self, name: str, **params: Any) -> None:
        await self._connection.execute(query(f"staying.{name}"), params)

    async def _rows(self, name: str, **params: Any) -> list[tuple[Any, ...]]:
        return await (await self._connection.execute(query(f"staying.{name}"), params)).fetchall()


def _place(one: Staying) -> dict[str, Any]:
    hours, gone = list(one.curve.hours), list(one.curve.gone)
    return {
        "location": one.location,
        "cohort": one.cohort,
        "hours": hours,
        "gone": gone,
        "unseen": one.unseen,
        "patience_h": one.patience_h,
    }
