"""Hearings on PostgreSQL: what each place heard of tags, by day, and the assets that are to be told of again."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple

import msgspec

from central.domain.story import Heard
from central.storage.database import Connection
from central.storage.queries import query


class Hit(NamedTuple):
    """One hearing as a row keeps it."""

    at: datetime
    from_at: datetime
    until: datetime
    share: float
    level_db: float | None
    swept: bool


_ENCODE: Final = msgspec.json.Encoder()
_Day = tuple[str, date]
"""(epc, day)."""


def heard_by_asset(rows: Iterable[Sequence[Any]]) -> dict[str, list[Heard]]:
    """Return what was heard of each asset while the tag was on it, from rows of `stories.heard`."""
    found = defaultdict[str, list[Heard]](list)
    for asset, bound_from, bound_to, epc, location, hits, own_since in rows:
        until = min((one for one in (bound_to, own_since) if one is not None), default=None)
        found[asset] += [
            Heard(hit.at, location, epc, hit.from_at, hit.until, hit.share, hit.level_db, hit.swept)
            for hit in msgspec.convert(hits, list[Hit])
            if hit.at >= bound_from and (until is None or hit.at < until)
        ]
    return found


class PgHearings:
    """`central.application.hearings.Hearings` on the connection of a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def take(self, limit: int) -> dict[str, datetime]:
        """Take assets whose stories are to be told again, with the instant from which something is new."""
        return dict(await self._rows("take", limit=limit))

    async def note(self, location: str, heard: Iterable[Heard], *, anew: bool) -> None:
        """Keep what a place heard; `anew` says that this is all, and what stands besides is taken back."""
        days = _by_day(heard)
        listed = None if anew else sorted({day for _, day in days})
        rows = await self._rows("of_place", location=location, days=listed) if anew or days else []
        known = {(epc, day): set(msgspec.convert(hits, list[Hit])) for epc, day, hits in rows}
        wanted = {key: its if anew else its | known.get(key, set()) for key, its in days.items()}
        changed = {key: its for key, its in wanted.items() if its != known.get(key)}
        gone = known.keys() - wanted.keys() if anew else set()
        if gone:
            await self._do("forget", location=location, epc=[epc for epc, _ in gone], day=[day for _, day in gone])
        if changed:
            await self._do("save", location=location, **_columns(changed))
        await self._call(location, {key: (known.get(key, set()), changed.get(key, set())) for key in {*changed, *gone}})

    async def _call(self, location: str, differing: Mapping[_Day, tuple[set[Hit], set[Hit]]]) -> None:
        """Have stories told again that hang on hits which came or went."""
        told = sorted(
            (epc, min(hit.at for hit in before ^ after), bool(before - after))
            for (epc, _), (before, after) in differing.items()
        )
        if told:
            epcs, ats, taken = (list(column) for column in zip(*told, strict=True))
            await self._do("todo", location=location, epc=epcs, at=ats, taken=taken)

    async def _do(self, name: str, **params: Any) -> None:
        await self._connection.execute(query(f"hearings.{name}"), params)

    async def _rows(self, name: str, **params: Any) -> list[tuple[Any, ...]]:
        return await (await self._connection.execute(query(f"hearings.{name}"), params)).fetchall()


def _by_day(heard: Iterable[Heard]) -> dict[_Day, set[Hit]]:
    days = defaultdict[_Day, set[Hit]](set)
    for one in heard:
        hit = Hit(one.at, one.from_at, one.until, one.share, one.level_db, one.swept)
        days[one.epc, one.at.astimezone(UTC).date()].add(hit)
    return days


def _columns(days: Mapping[_Day, set[Hit]]) -> dict[str, list[Any]]:
    return {
        "epc": [epc for epc, _ in days],
        "day": [day for _, day in days],
        "hits": [_ENCODE.encode(sorted(its, key=lambda one: (one.at, one.until))).decode() for its in days.values()],
    }
