"""Stories on PostgreSQL: what is known of assets in one round trip, what follows from it in another."""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec

from central.application.stories import ACT_KINDS, Companion, DueKey, Known, Telling
from central.domain.story import Act, Checkpoint, Crossing, Due
from central.storage.arrays import Float8Array, InstantArray, TextArray
from central.storage.database import Connection
from central.storage.hearings import heard_by_asset
from central.storage.queries import query

_READS: Final = ("crossings", "heard", "acts", "frozen", "checkpoints")
_ALWAYS: Final = datetime.min.replace(tzinfo=UTC)
"""Older than anything: no checkpoint is older, and everything is newer."""
_TEXTS: Final = ("of", "portals", "passages", "kinds")
_ENCODE: Final = msgspec.json.Encoder()
_DECODE: Final = msgspec.json.Decoder(Checkpoint)


class PgStories:
    """`central.application.stories.Stories` on the connection of a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock(self, assets: Collection[str]) -> None:
        """Lock assets by id."""
        await self._connection.execute(query("projection.lock_assets_by_id"), {"assets": sorted(assets)})

    async def known(self, assets: Mapping[str, datetime | None]) -> dict[str, Known]:
        """Return what is known of assets: all, or what came after a checkpoint that is older than the instant given."""
        named = sorted(assets)
        (fresh,) = InstantArray.of([assets[one] or _ALWAYS for one in named])
        params = {"assets": TextArray.of(named), "fresh": fresh, "kinds": list(ACT_KINDS)}
        async with self._connection.pipeline():
            await self._connection.execute(query("stories.restart"), params)
            cursors = [await self._connection.execute(query(f"stories.{name}"), params) for name in _READS]
        crossings, heard, acts, frozen, checkpoints = [await cursor.fetchall() for cursor in cursors]
        hearings = heard_by_asset(heard)
        by_asset = _grouped(crossings, _crossing), _grouped(acts, lambda row: Act(*row[1:]))
        dues: dict[str, dict[DueKey, Due]] = defaultdict(dict)
        for asset, start, business_days, location, due, calendar in frozen:
            dues[asset][start, business_days, location] = Due(due, calendar)
        begins = {asset: _DECODE.decode(state) for asset, state in checkpoints}
        return {
            one: Known(by_asset[0][one], by_asset[1][one], hearings.get(one, ()), begins.get(one), dues[one])
            for one in assets
        }

    async def keep(self, tellings: Sequence[Telling], now: datetime) -> set[str]:
        """Store stories and what follows from them; return the locations whose count moved."""
        assets = TextArray.of(one.asset for one in tellings)
        (begins,) = InstantArray.of([one.begin.at if one.begin else _ALWAYS for one in tellings])
        since = {"assets": assets, "begins": begins}
        missed, misread = _missed(tellings), _misread(tellings)
        legs = [{"asset": one.asset, **asdict(leg)} for one in tellings for leg in one.story.legs]
        dues = _dues(tellings)
        missed_columns, misread_columns = _encoded(missed), _encoded(misread)
        async with self._connection.pipeline():
            placed = await self._run("place", _places(tellings) | {"now": now})
            await self._run("forget_legs", {"assets": assets})
            await self._run("forget_missed", missed_columns | since)
            await self._run("forget_misread", misread_columns | since)
            await self._run("keep_checkpoints", _checkpoints(tellings))
            if legs:
                await self._run("add_legs", {"legs": json.dumps(legs, default=datetime.isoformat)})
            if missed["of"]:
                await self._run("add_missed", missed_columns | {"assets": sorted(set(missed["of"]))})
            if misread["of"]:
                await self._run("add_misread", misread_columns)
            if dues["assets"]:
                await self._run("freeze", dues)
        return {row[0] for row in await placed.fetchall()}

    async def aged(self, before: date, after: str, limit: int) -> list[str]:
        """Return the next assets of which something was heard before a day, by id."""
        return [
            row[0]
            for row in await (await self._run("aged", {"day": before, "after": after, "limit": limit})).fetchall()
        ]

    async def settle(self, bases: Mapping[str, Checkpoint]) -> None:
        """Keep from where stories are told on for good."""
        params = {
            "assets": list(bases),
            "marks": [one.at for one in bases.values()],
            "states": [_ENCODE.encode(one).decode() for one in bases.values()],
        }
        await self._run("settle", params)

    async def forget_heard(self, assets: Collection[str], before: date) -> int:
        """Forget what was heard of assets before a day, as far as no story needs it; return how many days of tags."""
        return int((await self._run("forget_heard", {"assets": list(assets), "day": before})).rowcount)

    async def forget_strangers(self, before: date) -> int:
        """Forget what was heard before a day of tags that are on nothing; return how many days of tags."""
        return int((await self._run("forget_strangers", {"day": before})).rowcount)

    async def carried(self, assets: Collection[str]) -> dict[str, str]:
        """Return what lies in assets, however deep, and in which of them."""
        return dict(await (await self._run("carried", {"assets": sorted(assets)})).fetchall())

    async def companions(self, assets: Collection[str]) -> list[Companion]:
        """Return those of the assets that lie in others."""
        return [Companion(*row) for row in await (await self._run("companions", {"assets": sorted(assets)})).fetchall()]

    async def unsettled(self) -> set[str]:
        """Return the assets whose stories hang on how places are joined."""
        return {row[0] for row in await (await self._run("unsettled", {})).fetchall()}

    async def due(self, after: datetime, now: datetime) -> set[str]:
        """Return the assets with something that falls due later than `after` and by `now`."""
        return {row[0] for row in await (await self._run("due", {"after": after, "now": now})).fetchall()}

    async def _run(self, name: str, params: dict[str, Any]) -> Any:
        return await self._connection.execute(query(f"stories.{name}"), params)


def _grouped(rows: Iterable[Sequence[Any]], make: Callable[[Sequence[Any]], Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(make(row))
    return found


def _crossing(row: Sequence[Any]) -> Crossing:
    _, at, gateway, epoch, seq, passage, portal, origin, destination, confidence, synced, epc, carried = row
    return Crossing(
        at,
        gateway,
        epoch,
        seq,
        passage.hex,
        portal,
        origin,
        destination,
        confidence,
        synced=synced,
        epc=epc,
        carried=carried,
    )


def _places(tellings: Sequence[Telling]) -> dict[str, list[Any]]:
    beliefs = [one.story.belief for one in tellings]
    return {
        "assets": [one.asset for one in tellings],
        "shards": [one.shard for one in tellings],
        "locations": [None if one is None else one.place for one in beliefs],
        "since": [None if one is None else one.since for one in beliefs],
        "confidence": [None if one is None else one.confidence for one in beliefs],
        "basis": [None if one is None else one.basis for one in beliefs],
        "passages": [None if one is None else one.passage for one in beliefs],
        "doubts": [None if one is None else one.doubt for one in beliefs],
    }


def _checkpoints(tellings: Sequence[Telling]) -> dict[str, list[Any]]:
    """Return the checkpoints that are new or gone, as columns."""
    told = [(one.asset, one.story.checkpoint, one.begin) for one in tellings]
    changed = [(asset, found) for asset, found, begin in told if begin is None or found is not begin]
    return {
        "assets": [asset for asset, _ in changed],
        "marks": [None if found is None else found.at for _, found in changed],
        "states": [None if found is None else _ENCODE.encode(found).decode() for _, found in changed],
    }


def _encoded(columns: dict[str, list[Any]]) -> dict[str, Any]:
    """Return long columns in the form that costs least; all but times and shares are texts."""
    found: dict[str, Any] = {name: TextArray.of(values) for name, values in columns.items() if name in _TEXTS}
    found["times"] = InstantArray.of(columns["times"])[0]
    if "shares" in columns:
        found["shares"] = Float8Array.of(columns["shares"])
    return found


def _missed(tellings: Sequence[Telling]) -> dict[str, list[Any]]:
    shares: dict[tuple[str, str, datetime], float] = defaultdict(float)
    for one in tellings:
        for share in one.story.missed:
            shares[one.asset, share.portal, share.at] += share.share
    return {
        "of": [key[0] for key in shares],
        "portals": [key[1] for key in shares],
        "times": [key[2] for key in shares],
        "shares": list(shares.values()),
    }


def _misread(tellings: Sequence[Telling]) -> dict[str, list[Any]]:
    found = [(telling.asset, one) for telling in tellings for one in telling.story.misread]
    return {
        "of": [asset for asset, _ in found],
        "passages": [one.passage for _, one in found],
        "portals": [one.portal for _, one in found],
        "times": [one.at for _, one in found],
        "kinds": [one.kind for _, one in found],
    }


def _dues(tellings: Sequence[Telling]) -> dict[str, list[Any]]:
    found = [(telling.asset, key, due) for telling in tellings for key, due in telling.dues.items()]
    return {
        "assets": [asset for asset, _, _ in found],
        "starts": [key[0] for _, key, _ in found],
        "business_days": [key[1] for _, key, _ in found],
        "locations": [key[2] for _, key, _ in found],
        "dues": [due.at for _, _, due in found],
        "calendars": [due.calendar for _, _, due in found],
    }
