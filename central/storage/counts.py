"""Live counts from their counters, scheduled counts and verifications, on PostgreSQL."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeVar

from psycopg.rows import class_row, dict_row

from central.application.count_views import (
    DoubtView,
    Observation,
    PlaceRow,
    Plan,
    RunDetail,
    RunLineView,
    RunPlaceView,
    RunView,
    ScheduleView,
    SignedView,
    VerificationView,
    VerifiedView,
    ZoneView,
)
from central.application.counts import Running
from central.application.errors import NotFound, StepUnfit, StoreBusy
from central.application.openings import Opening
from central.application.senders import Seen as Sight
from central.application.sighting import Apart, Pairs
from central.application.views import View
from central.domain import counting
from central.domain.calendars import day_of
from central.domain.counting import Booked, Place, Seen
from central.domain.exceptions.terms import CountDays
from central.domain.presence.buckets import Bucket, Tally
from central.storage.database import Connection, Database
from central.storage.exceptions import PgExceptionWork
from central.storage.log import PgLog
from central.storage.queries import query
from central.storage.transfers import PgTransferWork

_V = TypeVar("_V", bound=View)
CLOCK: Final = "schedule"
"""Who opens a count that is due, in the log."""
FURTHEST_EAST: Final = timedelta(hours=14)
"""Nowhere on earth is the day further on than that."""
CERTAIN: Final = 0.999
"""Confidence of what a person saw; nobody is never wrong."""


class PgCounts:
    """`central.application.counts.Counts`."""

    def __init__(self, database: Database, log: PgLog) -> None:
        self._database = database
        self._log = log

    async def places(self, words: str | None = None, within: str | None = None) -> list[PlaceRow]:
        """Return locations with their counters."""
        name = "places" if within is None else "places_within" if words is None else "places_of"
        async with self._database.transaction() as connection:
            cursor = await connection.execute(query(f"counts.{name}"), {"words": words, "within": within})
            rows = await cursor.fetchall()
            places = [] if words else [row[0] for row in rows]
            signed = {
                row.pop("location"): SignedView(**row)
                for row in await _dicts(connection, "counts.signed", {"places": places})
            }
        if within is not None and not rows:
            raise NotFound(f"there is no location {within!r}: /api/v1/locations lists them")
        return [replace(_place(row), signed=signed.get(row[0])) for row in rows]

    async def version(self) -> str:
        """Return what changes whenever an answer of `places` may: the registry, or any place's counters."""
        async with self._database.transaction() as connection:
            rows = await (await connection.execute(query("counts.version"))).fetchall()
        return str(rows[0][0])

    async def doubtful(self, location: str, words: str | None, limit: int) -> list[DoubtView]:
        """Return the assets that are doubted in a location and below."""
        params = {"location": location, "words": words, "limit": limit}
        return await self._views(DoubtView, "counts.doubtful", params)

    async def plan(self, plan: Plan, now: datetime) -> int:
        """Plan a count; the same one again is the one that was planned, `StepUnfit` if that is blind and this isn't."""
        async with self._database.transaction() as connection:
            await _known_person(connection, plan.by)
            run, blind, by = await _plan(connection, plan, now)
        if blind != plan.blind:
            told, asked = ("", "not ") if blind else ("not ", "")
            raise StepUnfit(
                f"blind: count {run}, which {by} planned of the same, is {told}blind, and this one is {asked}to be: "
                "cancel that one first, or name another day"
            )
        return run

    async def open_due(self, now: datetime) -> list[int]:
        """Open the counts that schedules have due, on the first day from theirs that the place works; return the ids.

        A schedule that slept for long opens its newest count only; where nothing is in the book, none.
        """
        opened = []
        async with self._database.transaction() as connection:
            calendars = (await self._log.registry_in(connection)).calendars
            for row in await _dicts(connection, "counts.due_schedules", {"today": (now + FURTHEST_EAST).date()}):
                today = day_of(now, calendars.key(row["location"]))
                if row["next_on"] <= today and calendars.at(row["location"], now).works(today):
                    opened += await _open(connection, row, today, now)
        return opened

    async def schedule(self, plan: Plan) -> None:
        """Plan a kind of count again and again, from a day on; an abc_cycle for each of its ranks."""
        ranks = [(rank,) for rank in plan.ranks or counting.RANKS] if plan.kind == "abc_cycle" else [plan.ranks]
        async with self._database.transaction() as connection:
            await _known_location(connection, plan.location)
            for one in ranks:
                await connection.execute(query("counts.schedule"), _plan_params(replace(plan, ranks=one)))

    async def schedules(self) -> list[ScheduleView]:
        """Return schedules by the day of their next count."""
        found = await self._views(ScheduleView, "counts.schedules", {})
        return [one.model_copy(update={"months": one.months or counting.EVERY_MONTHS[one.kind]}) for one in found]

    async def end_schedule(self, schedule: int, by: str, now: datetime) -> None:
        """End a schedule or raise `NotFound`; what it planned stays."""
        async with self._database.transaction() as connection:
            ended = await connection.execute(query("counts.end_schedule"), {"id": schedule, "now": now})
            if await ended.fetchone() is None:
                raise NotFound(f"there is no schedule {schedule}: /api/v1/count-schedules lists them")
            told = {"subject": f"count-schedules/{schedule}", "by": by, "detail": "{}", "now": now}
            await connection.execute(query("anomalies.told"), told)

    async def intervals(self) -> dict[str, int]:
        """Return how many months lie between counts of each ABC rank."""
        async with self._database.transaction() as connection:
            return dict(await (await connection.execute(query("counts.intervals"))).fetchall())

    async def set_interval(self, rank: str, months: int, by: str, now: datetime) -> None:
        """Change how often a rank is counted."""
        async with self._database.transaction() as connection:
            await connection.execute(query("counts.set_interval"), {"rank": rank, "months": months})
            detail = json.dumps({"months": months})
            told = {"subject": f"count-intervals/{rank}", "by": by, "detail": detail, "now": now}
            await connection.execute(query("anomalies.told"), told)

    async def runs(self, state: str | None, limit: int) -> list[RunView]:
        """Return counts, the newest first."""
        return await self._views(RunView, "counts.runs", {"state": state, "limit": limit})

    async def run(self, run: int) -> RunDetail:
        """Return a count with its lines or raise `NotFound`."""
        found = await self._views(RunView, "counts.run", {"run": run})
        if not found:
            raise NotFound(f"there is no count {run}: /api/v1/count-runs lists them")
        places = await self._views(RunPlaceView, "counts.run_places", {"run": run})
        lines = await self._views(RunLineView, "counts.run_lines", {"run": run})
        return RunDetail(**dict(found[0]), places=places, lines=lines)

    @asynccontextmanager
    async def work(self, run: int) -> AsyncIterator["PgRunWork"]:
        """Open a transaction on a count, locked."""
        async with self._database.transaction() as connection:
            registry = await self._log.registry_in(connection)
            yield PgRunWork(connection, self._log, run, registry.calendars.count)
            await self._log.keep_calendars_in(connection)

    async def verified(self, asset: str, now: datetime) -> VerifiedView:
        """Return an asset's verifications or raise `NotFound`."""
        async with self._database.transaction() as connection:
            rows = await _dicts(connection, "counts.verified", {"asset": asset})
            history = await _dicts(connection, "counts.verifications", {"asset": asset})
        if not rows:
            raise NotFound(f"there is no asset {asset!r}")
        (row,) = rows
        grade, days, until = row.pop("least_grade"), row.pop("valid_days"), row.pop("valid_until")
        return VerifiedView(
            asset=asset,
            least_grade=grade,
            valid_days=days,
            valid=counting.is_verified(row["at"], days, now),
            valid_until=until,
            last=VerificationView(**row, by=_by(row, history)) if row["at"] else None,
            history=[VerificationView(**one) for one in history],
        )

    @asynccontextmanager
    async def sighting(self, how: str) -> AsyncIterator["PgSightingWork"]:
        """Open a transaction for what is seen outside a count."""
        async with self._database.transaction() as connection:
            registry = await self._log.registry_in(connection)
            yield PgSightingWork(connection, self._log, registry.calendars.count, how=how)
            await self._log.keep_calendars_in(connection)

    async def zones(self) -> list[ZoneView]:
        """Return zones that have a place, and those that wait for one."""
        return await self._views(ZoneView, "presence.zones", {})

    async def place_zone(self, gateway: str, zone: str, location: str, by: str, now: datetime) -> None:
        """Say where a zone lies; what it told is folded there, and where it lay before without it."""
        params = {"gateway": gateway, "zone": zone, "location": location, "by": by, "now": now}
        async with self._database.transaction() as connection:
            await _known_location(connection, location)
            for step in ("fold_before", "place_zone", "zone_placed_act", "replay_zone", "no_longer_waiting"):
                await connection.execute(query(f"presence.{step}"), params)
            await connection.execute(query("registry.bump"))

    async def _views(self, kind: type[_V], name: str, params: dict[str, Any]) -> list[_V]:
        async with self._database.transaction() as connection, connection.cursor(row_factory=class_row(kind)) as cursor:
            return await (await cursor.execute(query(name), params)).fetchall()


class PgSightingWork:
    """`central.application.sighting.SightingWork` on one connection."""

    def __init__(
        self, connection: Connection, log: PgLog, count: CountDays, *, how: str, run: int | None = None
    ) -> None:
        self._connection = connection
        self._run = run
        self._how = how
        self._telling = PgTransferWork(connection, log)
        self._exceptions = PgExceptionWork(connection, count)

    @property
    def telling(self) -> PgTransferWork:
        """Where stories are told."""
        return self._telling

    async def find(self, seen: Sequence[Observation]) -> list[str]:
        """Return the assets that were seen or raise `NotFound`."""
        return await _find(self._connection, seen)

    async def apart(self, seen: Pairs) -> list[Apart]:
        """Return those that the book has elsewhere than where they were seen, and outside of the count under way."""
        params = {
            "assets": [asset for asset, _ in seen],
            "locations": [one.location for _, one in seen],
            "times": [one.at for _, one in seen],
            "run": self._run,
        }
        return [Apart(*row) for row in await (await self._connection.execute(query("counts.apart"), params)).fetchall()]

    async def observe(self, seen: Pairs, parts: Pairs, more: Mapping[Sight, Mapping[str, Any]], now: datetime) -> None:
        """Keep observations as verifications, and that parts were seen with what they lie in."""
        about = {"how": self._how, "run": self._run, "now": now}
        for step in ("verify", "verified_act", "count_again"):
            await _each(self._connection, step, _values(seen, about, more))
        for step in ("seen_with_act", "count_again"):
            await _each(self._connection, step, _values(parts, about, more))

    async def open(self, openings: Sequence[Opening], now: datetime) -> None:
        """Open exceptions."""
        source = "verification" if self._run is None else f"count/{self._run}"
        await self._exceptions.open_exceptions(openings, now, source=source)


class PgRunWork(PgSightingWork):
    """`central.application.counts.RunWork` on one connection."""

    def __init__(self, connection: Connection, log: PgLog, run: int, count: CountDays) -> None:
        super().__init__(connection, log, count, how="count", run=run)

    async def running(self) -> Running:
        """Lock it and return it as it stands."""
        rows = await self._rows("hold")
        if not rows:
            raise NotFound(f"there is no count {self._run}: /api/v1/count-runs lists them")
        return Running(*rows[0])

    async def knows(self, person: str) -> bool:
        """Tell whether a person is registered and active."""
        return await self._exceptions.knows(person)

    async def start(self, by: str, now: datetime) -> None:
        """Freeze the book of its location and all below it."""
        for step in ("start", "freeze_places", "freeze_book"):
            await self._do(step, by=by, now=now)
        await self._act("count_started", by, now)

    async def observe(self, seen: Pairs, parts: Pairs, more: Mapping[Sight, Mapping[str, Any]], now: datetime) -> None:
        """Write observations into their assets' lines, where they are the better ones, and into the verifications."""
        await _each(self._connection, "observe", _values(seen, {"run": self._run}, more))
        await super().observe(seen, parts, more, now)

    async def searched(self, location: str, by: str, now: datetime) -> None:
        """Note that somebody has searched all of a place."""
        if not await self._rows("searched", location=location, by=by, now=now):
            raise NotFound(f"location {location!r} is not in count {self._run}")

    async def keep_apart(self, found: Sequence[Apart]) -> None:
        """Keep what the book had elsewhere than it was seen."""
        params = {
            "run": self._run,
            "assets": [one.asset for one in found],
            "booked": [one.booked for one in found],
            "seen": [one.seen for one in found],
            "times": [one.at for one in found],
        }
        await self._connection.execute(query("counts.keep_apart"), params)

    async def apart_so_far(self) -> list[Apart]:
        """Return what was kept, by asset."""
        return [Apart(*row) for row in await self._rows("apart_so_far")]

    async def add_radio(self) -> None:
        """Write into lines that nobody observed what antennas heard since the start, or may still answer for."""
        await self._do("add_radio_elsewhere")
        await self._do("add_radio")

    async def lines(self) -> list[tuple[Booked, bool]]:
        """Return the lines, each with whether its tag was silent."""
        return [(_booked(row), row[9]) for row in await self._rows("lines")]

    async def places(self) -> dict[str, Place]:
        """Return how each place was covered since the start."""
        return {row[0]: Place(row[1], row[2]) for row in await self._rows("covered")}

    async def submit(
        self,
        buckets: Mapping[str, Bucket],
        results: Mapping[str, tuple[Place, Tally]],
        openings: Sequence[Opening],
        by: str,
        now: datetime,
    ) -> None:
        """Store the results and open the exceptions that follow."""
        await self._do("save_buckets", asset=list(buckets), bucket=list(buckets.values()))
        for location, (place, tally) in results.items():
            figures = asdict(tally) | asdict(place) | {"net": tally.net, "gross": tally.gross}
            await self._do("save_place", location=location, **figures)
        await self._do("submit", by=by, now=now)
        await self._act("count_submitted", by, now)
        assets = sorted({one.asset for one in openings if one.asset is not None})
        await self._connection.execute(query("projection.lock_assets_by_id"), {"assets": assets})
        await self._exceptions.open_exceptions(openings, now, source=f"count/{self._run}")

    async def sign(self, by: str, note: str, now: datetime) -> list[str]:
        """Sign it; what antennas saw becomes verifications. Return the assets that it calls missing."""
        await self._do("sign", by=by, note=note, now=now)
        await self._do("verify_radio", by=by, now=now)
        await self._act("count_signed", by, now, note=note)
        missing = [row[0] for row in await self._rows("missing")]
        await self._telling.stories.lock(missing)
        await self._do("missing_acts", by=by, now=now)
        return missing

    async def cancel(self, by: str, note: str, now: datetime) -> None:
        """Give it up."""
        await self._do("cancel", note=note)
        await self._act("count_cancelled", by, now, note=note)

    async def _act(self, kind: str, by: str, now: datetime, **detail: str) -> None:
        await self._do("act", kind=kind, by=by, now=now, detail=json.dumps(detail))

    async def _do(self, name: str, **params: Any) -> None:
        await self._connection.execute(query(f"counts.{name}"), params | {"run": self._run})

    async def _rows(self, name: str, **params: Any) -> list[tuple[Any, ...]]:
        cursor = await self._connection.execute(query(f"counts.{name}"), params | {"run": self._run})
        return await cursor.fetchall()


def _place(row: tuple[Any, ...]) -> PlaceRow:
    place, name, parent, *figures, probability, sighted_at, as_of = row
    return PlaceRow(place, name, parent, Tally(*figures), probability, sighted_at, as_of)


def _booked(row: tuple[Any, ...]) -> Booked:
    asset, booked, observed, at, by, grade, evidence, confidence, radio = row[:9]
    seen = Seen(observed, at, by, grade, evidence, confidence) if observed else None
    return Booked(asset, booked, seen, radio)


def _by(row: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> str:
    """Return who recorded a verification; what isn't recorded was heard by antennas."""
    mine = (one["by"] for one in history if (one["at"], one["evidence"]) == (row["at"], row["evidence"]))
    return next(mine, "radio")


def _plan_params(plan: Plan) -> dict[str, Any]:
    return asdict(plan) | {"ranks": list(plan.ranks), "due_on": counting.due_on(plan.planned_for)}


async def _plan(connection: Connection, plan: Plan, now: datetime) -> tuple[int, bool, str]:
    """Plan a count or find the one that was planned of the same; return its id, whether it is blind, and by whom."""
    params = _plan_params(plan) | {"now": now}
    await _known_location(connection, plan.location)
    row = await (await connection.execute(query("counts.plan"), params)).fetchone()
    if row is None:
        row = await (await connection.execute(query("counts.planned"), params)).fetchone()
        if row is None:
            raise StoreBusy("the count that was planned of the same is being cancelled")
        return row[0], row[1], row[2]
    act = {"run": row[0], "kind": "count_planned", "by": plan.by, "now": now, "detail": "{}"}
    await connection.execute(query("counts.act"), act)
    return row[0], plan.blind, plan.by


async def _open(connection: Connection, row: Mapping[str, Any], today: date, now: datetime) -> list[int]:
    """Plan a schedule's newest count and freeze its book; an empty book is nothing to count."""
    on, after = counting.newest(row["kind"], row["next_on"], today, row["months"])
    await connection.execute(query("counts.move_schedule"), {"id": row["id"], "next_on": after})
    plan = Plan(row["kind"], row["location"], tuple(row["ranks"]), row["blind"], on, row["planned_by"])
    run, _, _ = await _plan(connection, plan, now)
    about: dict[str, Any] = {"run": run, "now": now}
    begin = about | {"schedule": row["id"], "due_on": counting.due_on(today)}
    if await (await connection.execute(query("counts.open_scheduled"), begin)).fetchone() is None:
        return []
    for step in ("freeze_places", "freeze_book"):
        await connection.execute(query(f"counts.{step}"), about)
    told = about | {"kind": "count_started", "by": CLOCK, "detail": "{}"}
    ((filled,),) = await (await connection.execute(query("counts.has_lines"), about)).fetchall()
    if not filled:
        await connection.execute(
            query("counts.cancel"), about | {"note": "nothing of these classes is in the book here"}
        )
        told |= {"kind": "count_cancelled"}
    await connection.execute(query("counts.act"), told)
    return [run] if filled else []


async def _known_location(connection: Connection, location: str) -> None:
    if await (await connection.execute(query("counts.location"), {"location": location})).fetchone() is None:
        raise NotFound(f"there is no location {location!r}: /api/v1/locations lists them")


async def _known_person(connection: Connection, person: str) -> None:
    if await (await connection.execute(query("counts.person"), {"person": person})).fetchone() is None:
        raise NotFound(f"there is no active person {person!r}: import people.csv")


async def _find(connection: Connection, seen: Sequence[Observation]) -> list[str]:
    """Return which assets were seen: a handheld sends a thousand at once, so they are asked for together."""
    for location in sorted({one.location for one in seen}):
        await _known_location(connection, location)
    for person in sorted({one.by for one in seen}):
        await _known_person(connection, person)
    found = []
    async with connection.cursor() as cursor:
        await cursor.executemany(query("counts.find"), [asdict(one) for one in seen], returning=True)
        for one in seen:
            found.append(_only(one, await cursor.fetchall()))
            cursor.nextset()
    return found


def _only(seen: Observation, rows: Sequence[tuple[Any, ...]]) -> str:
    told = seen.asset or seen.epc or seen.serial
    if not rows:
        raise NotFound(f"no asset is known by {told!r}: register it, or open an exception for an unknown asset")
    if len(rows) > 1:
        raise NotFound(f"{told!r} is the serial of {len(rows)} assets: say which by its id")
    return str(rows[0][0])


def _values(seen: Pairs, about: dict[str, Any], more: Mapping[Sight, Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        asdict(one)
        | {"asset": asset, "confidence": CERTAIN}
        | {"more": json.dumps(more.get(Sight(asset, one.by, one.location), {}))}
        | about
        for asset, one in seen
    ]


async def _each(connection: Connection, name: str, params: Sequence[dict[str, Any]]) -> None:
    """Run a statement once for each, without waiting for one before the next is sent."""
    if params:
        async with connection.cursor() as cursor:
            await cursor.executemany(query(f"counts.{name}"), params)


async def _dicts(connection: Connection, name: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        return await (await cursor.execute(query(name), params)).fetchall()
