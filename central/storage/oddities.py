"""What rules on odd passages read, on PostgreSQL."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, time
from typing import Any

from central.application.ports import Filed
from central.domain.anomalies.records import Hours, Knowledge, Seen, Spot, Subject
from central.domain.anomalies.tags import ChipOf, ChipSeen, Visit
from central.domain.places import Places
from central.domain.published import DayStatus
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

    async def visits(self, finals: Sequence[Filed], again: Collection[str]) -> list[tuple[str, Visit]]:
        """Return passages and those of the same tag right before and after them, where doors differ.

        `finals` are new, each the only row of its passage; `again` names others, of which the newest revision counts.
        """
        moves = [one.movement for one in finals]
        times = InstantArray.of(*([getattr(one, name) for one in moves] for name in ("at", "started_at", "ended_at")))
        columns = {
            "passages": UuidArray.of(one.passage for one in moves),
            "epcs": TextArray.of(one.epc for one in moves),
            "portals": TextArray.of(one.portal for one in moves),
            "synced": BoolArray.of(one.synced for one in moves),
            "gateways": TextArray.of(one.row.key.gateway for one in finals),
            "kinds": TextArray.of(one.kind for one in moves),
        } | dict(zip(("times", "started", "ended"), times, strict=True))
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
    connection: Connection,
    places: Places,
    neighbours: Mapping[str, Collection[str]],
    special: Callable[[str, datetime], DayStatus | None],
) -> Knowledge:
    """Return what anomalies are judged by."""

    async def rows(name: str) -> list[Any]:
        return await (await connection.execute(query(f"anomalies.{name}"))).fetchall()

    return Knowledge(
        places,
        hours={row[0]: Hours(frozenset(row[1]), row[2], row[3]) for row in await rows("hours")},
        place_hours=_place_hours(await rows("place_hours")),
        special=special,
        timezones=dict(await rows("timezones")),
        spots={row[0]: Spot(*row[1:]) for row in await rows("spots")},
        travel={(row[0], row[1]): row[2] for row in await rows("travel")},
        neighbours={portal: frozenset(some) for portal, some in neighbours.items()},
    )


def _place_hours(rows: Iterable[tuple[str, str, time, time]]) -> dict[str, tuple[Hours, ...]]:
    found: dict[str, list[Hours]] = defaultdict(list)
    for location, days, opens, closes in rows:
        found[location].append(Hours(frozenset(map(int, days)), opens, closes))
    return {location: tuple(some) for location, some in found.items()}
