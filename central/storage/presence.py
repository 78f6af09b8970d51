"""The perpetual count on PostgreSQL: one place in one transaction, under the place's own lock."""

import json
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any

from central.application.hearings import Retold, retell
from central.application.openings import Opening
from central.application.presence import SOURCE, BookRow, Covered, Guest, Line, Taken, Told
from central.domain import story
from central.domain.exceptions.terms import CountDays
from central.domain.presence.buckets import STRANGER_ROUNDS, Tally
from central.domain.presence.coverage import Coverage, Doors, Sighting
from central.domain.presence.fold import Place, Stay, Stranger
from central.domain.presence.history import Presence, Reads
from central.domain.presence.leaving import Usual
from central.domain.presence.spans import Heard, Span
from central.domain.story.belief import sure_of
from central.domain.story.stays import Cohort, Curve
from central.storage.database import Connection, Database
from central.storage.exceptions import PgExceptionWork
from central.storage.hearings import PgHearings
from central.storage.log import PgLog
from central.storage.queries import query


class PgPresence:
    """`central.application.presence.PresenceStore`."""

    def __init__(self, database: Database, log: PgLog) -> None:
        self._database = database
        self._log = log

    async def due(self, now: datetime, limit: int) -> list[str]:
        """Return places that are to be folded or counted again."""
        async with self._database.transaction() as connection:
            await connection.execute(query("presence.waiting"))
            rows = await (await connection.execute(query("presence.due"), {"now": now, "limit": limit})).fetchall()
        return [location for (location,) in rows]

    @asynccontextmanager
    async def place(self, location: str) -> AsyncIterator["PgPlaceWork"]:
        """Open a transaction on a place."""
        async with self._database.transaction() as connection:
            registry = await self._log.registry_in(connection)
            yield PgPlaceWork(connection, location, registry.calendars.count)
            await self._log.keep_calendars_in(connection)

    async def retell(self, now: datetime) -> Retold:
        """Tell stories again of which zones or sweeps heard something new."""
        async with self._log.transaction() as transaction:
            return await retell(transaction, now)


class PgPlaceWork:
    """`central.application.presence.PlaceWork` on one connection."""

    def __init__(self, connection: Connection, location: str, count: CountDays) -> None:
        self._connection = connection
        self._location = location
        self._exceptions = PgExceptionWork(connection, count)
        self._seen = ""

    async def take(self) -> Taken:
        """Lock the place and take what came for it; what it depends on is read before the book is."""
        await self._do("begin")
        ((upto,),) = await self._rows("hold")
        self._seen = next((row[0] for row in await self._rows("seen")), "")
        rows = [row for row in await self._rows("take") if row[0] is not None]
        came = tuple(Span(zone, mode, start, end, 0.0) for zone, mode, start, end in rows)
        swept_at = (await self._rows("swept_at", upto=upto))[0][0] if any(one.mode == "sweep" for one in came) else None
        return Taken(upto, came, swept_at)

    async def forget(self) -> None:
        """Forget what is folded of the place."""
        for name in ("forget_known", "forget_sightings", "forget_strangers"):
            await self._do(name)

    async def spans(self, after: datetime) -> list[Span]:
        """Return all spans of its rounds that end after an instant, and maybe some before."""
        return [_span(row) for row in await self._rows("spans", after=after)]

    async def stays(self, after: datetime) -> list[Stay]:
        """Return who stayed there at any time after an instant, with the tags that they bear now."""
        rows = await self._rows("stays", after=after)
        tags = dict(await self._rows("tags_of", assets=sorted({row[0] for row in rows})))
        usual = await self._usual()
        return [
            Stay(asset, tuple(tags.get(asset, ())), since, sure_of(sure) if by_door else sure, until, usual(*stays))
            for asset, since, sure, until, by_door, *stays in rows
        ]

    async def known(self, assets: Collection[str]) -> Place:
        """Return what is known of assets and strangers there; no sightings."""
        known = {row[0]: _presence(row[1:]) for row in await self._rows("known", assets=sorted(assets))}
        strangers = {row[0]: Stranger(*row) for row in await self._rows("strangers")}
        return Place(known, [], strangers)

    async def save_fold(
        self,
        before: Place,
        after: Place,
        modes: Mapping[tuple[datetime, datetime], str],
        upto: datetime | None,
        next_at: datetime | None,
    ) -> None:
        """Store what a fold changed, and how far it came."""
        changed = {asset: one for asset, one in after.assets.items() if before.assets.get(asset) != one}
        if changed:
            await self._do("save_known", **_known_columns(changed))
        if after.sightings:
            columns = _columns(after.sightings, Sighting)
            columns["mode"] = [modes[one.from_at, one.to_at] for one in after.sightings]
            await self._do("save_sightings", **columns)
        strangers = [one for epc, one in after.strangers.items() if before.strangers.get(epc) != one]
        if strangers:
            await self._do("save_strangers", **_columns(strangers, Stranger))
        await self._do("save_fold", upto=upto, next_at=next_at, seen=self._seen)

    async def note(self, heard: Sequence[story.Heard], whole_since: datetime | None) -> None:
        """Keep what the place heard of tags, for the stories of their assets."""
        await PgHearings(self._connection).note(self._location, heard, whole_since)

    async def ledger_from(self, before: datetime) -> datetime | None:
        """Return where the last sighted line began that began before an instant."""
        ((since,),) = await self._rows("ledger_from", before=before)
        return since  # type: ignore[no-any-return]  # rows are untyped

    async def sightings(self, since: datetime) -> list[Sighting]:
        """Return its sightings that ended after an instant."""
        return [Sighting(max(start, since), end, p) for start, end, p in await self._rows("sightings", since=since)]

    async def doors(self, since: datetime, now: datetime) -> Doors:
        """Return its openings and when they were dark."""
        ((closed,),) = await self._rows("doors")
        dark = await self._rows("dark", since=since, now=now)
        return Doors(bool(closed), tuple((start, end) for start, end in dark))

    async def save_ledger(self, since: datetime, lines: Sequence[Coverage]) -> None:
        """Store the ledger from an instant on."""
        await self._do("forget_ledger", since=since)
        if lines:
            await self._do("save_ledger", **_columns(lines, Coverage))

    async def book(self) -> list[BookRow]:
        """Return the assets that the book has there."""
        rows = await self._rows("book", least_rounds=STRANGER_ROUNDS)
        usual = await self._usual()
        return [replace(BookRow(*row[:6]), usual=usual(*row[6:])) for row in rows]

    async def guests(self) -> list[Guest]:
        """Return the assets that were heard there and that the book has elsewhere."""
        return [Guest(row[0], Stranger(*row[1:6]), row[6], row[7]) for row in await self._rows("guests")]

    async def counted(self) -> dict[str, Told]:
        """Return what each asset's line says as it stands."""
        return {asset: Told(*told) for asset, *told in await self._rows("counted")}

    async def save_count(self, result: Tally, covered: Covered, lines: Sequence[Line], now: datetime) -> None:
        """Store the counters and each asset's bucket."""
        columns = _columns(lines, Line)
        await self._do("forget_assets", asset=columns["asset"])
        if lines:
            await self._do("save_assets", now=now, **columns)
        counted = {"probability": covered.probability, "sighted_at": covered.sighted_at, "now": now}
        await self._do("save_count", **asdict(result), **counted)

    async def settle(self, assets: Collection[str], openings: Sequence[Opening], now: datetime) -> list[int]:
        """Lock assets and make the exception queue say this about them."""
        await self._connection.execute(query("projection.lock_assets_by_id"), {"assets": sorted(assets)})
        return await self._exceptions.settle_exceptions(SOURCE, assets, openings, now)

    async def _usual(self) -> Callable[[Cohort, Sequence[float]], Usual]:
        """Return what says how long an asset stays, by its cohort and its earlier stays."""
        rows = await self._rows("usual")
        places = {row[0]: (Curve(tuple(row[1]), tuple(row[2])), row[3]) for row in rows}

        def usual(cohort: Cohort, own_h: Sequence[float]) -> Usual:
            curve, missed = places.get(cohort, (Curve(), 0.0))
            return Usual(tuple(own_h), curve, missed, carried=cohort == "carried")

        return usual

    async def _do(self, name: str, **params: Any) -> None:
        await self._connection.execute(query(f"presence.{name}"), params | {"location": self._location})

    async def _rows(self, name: str, **params: Any) -> list[tuple[Any, ...]]:
        cursor = await self._connection.execute(query(f"presence.{name}"), params | {"location": self._location})
        return await cursor.fetchall()


def _columns(rows: Sequence[Any], kind: Any) -> dict[str, list[Any]]:
    return {field.name: [getattr(one, field.name) for one in rows] for field in fields(kind)}


def _span(row: tuple[Any, ...]) -> Span:
    zone, mode, start, end, antennas, tags, part, parts, complete = row
    heard = tuple(
        Heard(one["epc"], datetime.fromisoformat(one["last_at"]), one["reads"], one.get("best_rssi_cdbm"))
        for one in tags
    )
    return Span(zone, mode, start, end, _up(antennas, (end - start).total_seconds()), heard, part, parts, complete)


def _up(antennas: Iterable[Mapping[str, Any]], lasted_s: float) -> float:
    """Share of a span for which its antennas worked, the mean over them; without antennas nothing listened."""
    shares = [min(1.0, one["up_s"] / lasted_s) if lasted_s else 1.0 for one in antennas]
    return sum(shares) / len(shares) if shares else 0.0


def _presence(row: Sequence[Any]) -> Presence:
    since, at, there, gone, faded, heard_at, silent, reads, away = row
    kept = {
        (one["epc"], one["zone"], one["mode"]): Reads(
            one["hits"],
            one["misses"],
            one["silent"],
            datetime.fromisoformat(one["at"]) if one["at"] else None,
            tuple(one.get("gaps", ())),
            one.get("gap"),
        )
        for one in reads
    }
    return Presence(since, at, there, gone, faded, heard_at, silent, kept, away)


def _known_columns(known: Mapping[str, Presence]) -> dict[str, list[Any]]:
    columns = _columns(list(known.values()), Presence)
    columns["asset"] = list(known)
    columns["reads"] = [json.dumps([_reads(key, one) for key, one in its.items()]) for its in columns["reads"]]
    return columns


def _reads(key: tuple[str, str, str], one: Reads) -> dict[str, Any]:
    epc, zone, mode = key
    at = one.at.isoformat() if one.at else None
    its = {"hits": one.hits, "misses": one.misses, "silent": one.silent, "at": at, "gaps": one.gaps, "gap": one.gap}
    return {"epc": epc, "zone": zone, "mode": mode} | its
