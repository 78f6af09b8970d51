"""What rules on odd passages read, on PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from central.application.records import Movement
from central.domain.anomalies.records import Hours, Knowledge, Seen, Spot, Subject
from central.domain.anomalies.tags import ChipOf, ChipSeen, Visit
from central.domain.places import Places
from central.storage.arrays import BoolArray, InstantArray, TextArray, UuidArray
from central.storage.database import Connection
from central.storage.queries import query

_SEEN = 9
"""How many of a row's values are the passage's; the rest are the asset's."""


class PgOddities:
    """`central.application.oddities.Oddities` on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def seen(self, passages: Collection[str]) -> list[tuple[Seen, Subject]]:
        """Return those of the passages that are final and of one of our assets, with the asset."""
        rows = await self._rows("anomalies.seen", {"passages": list(passages)})
        return [(Seen(row[0].hex, *row[1:_SEEN]), Subject(*row[_SEEN:])) for row in rows]

    async def watched(self, assets: Collection[str]) -> set[str]:
        """Return the assets that are odd wherever they are seen."""
        return {row[0] for row in await self._rows("anomalies.watched", {"assets": TextArray.of(sorted(assets))})}

    async def visits(self, finals: Sequence[Movement], again: Collection[str]) -> list[tuple[str, Visit]]:
        """Return passages and those of the same tag right before and after them, where doors differ."""
        columns = {
            "passages": UuidArray.of(one.passage for one in finals),
            "epcs": TextArray.of(one.epc for one in finals),
            "times": InstantArray.of([one.at for one in finals])[0],
            "portals": TextArray.of(one.portal for one in finals),
            "synced": BoolArray.of(one.synced for one in finals),
        }
        rows = await self._rows("anomalies.visits", columns | {"again": UuidArray.of(again)})
        return [(row[0], Visit(row[1].hex, *row[2:])) for row in rows]

    async def chips(self, epcs: Collection[str]) -> list[ChipOf]:
        """Return every passage of tags in which the chip told its number."""
        rows = await self._rows("anomalies.chips", {"epcs": list(epcs)})
        return [ChipOf(row[0], row[1], row[2], ChipSeen(row[3].hex, *row[4:])) for row in rows]

    async def once_bound(self, epcs: Collection[str]) -> dict[str, str]:
        """Return on which asset tags were last."""
        return dict(await self._rows("anomalies.once_bound", {"epcs": list(epcs)}))

    async def _rows(self, name: str, params: dict[str, Any]) -> list[Any]:
        return await (await self._connection.execute(query(name), params)).fetchall()


async def load_knowledge(
    connection: Connection, places: Places, neighbours: Mapping[str, Collection[str]]
) -> Knowledge:
    """Return what anomalies are judged by."""

    async def rows(name: str) -> list[Any]:
        return await (await connection.execute(query(f"anomalies.{name}"))).fetchall()

    return Knowledge(
        places,
        hours={row[0]: Hours(frozenset(row[1]), row[2], row[3]) for row in await rows("hours")},
        timezones=dict(await rows("timezones")),
        spots={row[0]: Spot(*row[1:]) for row in await rows("spots")},
        travel={(row[0], row[1]): row[2] for row in await rows("travel")},
        neighbours={portal: frozenset(some) for portal, some in neighbours.items()},
    )
