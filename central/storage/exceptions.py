"""The exception queue on PostgreSQL: openings settled in an open transaction, and the queue as the API reads it."""

import json
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

from psycopg.rows import class_row

from central.application.errors import NotFound
from central.application.exceptions import (
    Broken,
    ExceptionDetail,
    ExceptionEventView,
    ExceptionView,
    Filter,
    Held,
    OccurrenceView,
    OpenExceptions,
)
from central.application.openings import Opening
from central.application.ports import Registry
from central.application.reviewing import LeakyDoor, TagReadings
from central.application.views import View
from central.domain.anomalies.fading import Reading
from central.domain.exceptions.terms import CountDays, Terms, terms
from central.domain.exceptions.workflow import Evidence, Standing, Step
from central.storage.arrays import TextArray
from central.storage.database import Connection, Database, savepoint
from central.storage.queries import query

_V = TypeVar("_V", bound=View)

PUT_RIGHT: Final = "the world has put it right"
"""What is suggested where nobody says any more that something is wrong."""
ASSIGNER: Final = "central"
"""Who gives an exception to the holder of its role, in its history."""
MAX_OCCURRENCES: Final = 200
"""Occurrences that are shown of one exception; all of them are counted."""


class PgExceptionWork:
    """`central.application.exceptions.ExceptionWork` on one connection."""

    def __init__(self, connection: Connection, count: CountDays) -> None:
        self._connection = connection
        self._count = count

    async def settle_exceptions(
        self, source: str, assets: Collection[str], openings: Sequence[Opening], now: datetime
    ) -> list[int]:
        """Make the queue say about assets what a source says now; return the exceptions that changed."""
        return await self._settle(source, openings, now, assets=assets)

    async def settle_keys(
        self, source: str, keys: Collection[str], openings: Sequence[Opening], now: datetime
    ) -> list[int]:
        """Do the same for what a source says about keys, as passages are."""
        return await self._settle(source, openings, now, keys=keys)

    async def open_exceptions(
        self, openings: Sequence[Opening], now: datetime, *, source: str = "central"
    ) -> list[int]:
        """Open, or add occurrences, without withdrawing any."""
        return await self._settle(source, openings, now)

    async def wrong_records(self, now: datetime, limit: int) -> list[Opening]:
        """Return what is wrong with assets' records, at most so many of each category."""
        rows = await self._rows("exceptions.wrong_records", {"now": now, "limit": limit})
        return [
            Opening(category, None, asset, location, since, {name: str(value) for name, value in told.items()})
            for category, asset, location, since, told in rows
        ]

    async def reviewed(self) -> set[str]:
        """Return the assets of which the review said something that stands."""
        return {row[0] for row in await self._rows("exceptions.reviewed", {})}

    async def crossers(self, source: str, since: datetime, after: str, limit: int) -> list[str]:
        """Return the next assets that a door placed since then, or of which a source says something, by id."""
        params = {"source": source, "since": since, "after": after, "limit": limit}
        return [row[0] for row in await self._rows("exceptions.crossers", params)]

    async def readings(self, assets: Collection[str], crossings: int) -> list[TagReadings]:
        """Return the newest crossings of each tag that is on the assets."""
        rows = await self._rows("exceptions.readings", {"assets": list(assets), "crossings": crossings})
        return [
            TagReadings(asset, place, epc, at, list(map(Reading, portals, reads)))
            for asset, place, epc, at, portals, reads in rows
        ]

    async def leaky_doors(self, share: float) -> list[LeakyDoor]:
        """Return the doors that surely miss more than a share of crossings."""
        return [LeakyDoor(*row) for row in await self._rows("exceptions.leaky_doors", {"share": share})]

    async def standing_keys(self, source: str) -> set[str]:
        """Return the keys of which a source says something that stands."""
        return {row[0] for row in await self._rows("exceptions.standing_keys", {"source": source})}

    async def placed_since(self) -> set[str]:
        """Return assets that passed a door nobody knows which way, and whose place is known since then."""
        return {row[0] for row in await self._rows("exceptions.placed_since", {})}

    async def unknown(self, asset: str | None, location: str | None) -> list[tuple[str, str]]:
        """Return what nobody registered of an asset and a location, as (column, id)."""
        return await self._rows("exceptions.there", {"asset": asset, "location": location})

    async def reported(self, exception: int, one: Opening, by: str, now: datetime) -> None:
        """Write a person's report into the exception's history and into the log."""
        detail = {"step": "report", "category": one.category, **one.evidence}
        await self._event(exception, "reported", by, detail, now)
        params = {"exception": exception, "asset": one.asset, "location": one.location, "by": by, "now": now}
        await self._connection.execute(query("exceptions.step_act"), params | {"detail": json.dumps(detail)})

    async def suggest_closing(
        self, categories: Collection[str], assets: Collection[str], words: str, source: str, now: datetime
    ) -> list[int]:
        """Suggest the closing of assets' open exceptions of some categories; return which."""
        params = {"categories": list(categories), "assets": list(assets), "suggestion": words, "source": source}
        rows = await self._rows("exceptions.suggest", params | {"now": now})
        for (exception,) in rows:
            await self._event(exception, "suggested", source, {"suggestion": words}, now)
        return [exception for (exception,) in rows]

    async def hold(self, exception: int) -> Held:
        """Lock an exception."""
        rows = await self._rows("exceptions.standing", {"id": exception})
        if not rows:
            raise NotFound(f"there is no exception {exception}")
        *values, evidence, asset, location = rows[0]
        standing = Standing(*values)
        return Held(replace(standing, evidence=Evidence(**evidence)) if evidence else standing, asset, location)

    async def save(self, exception: int, after: Standing, now: datetime, renewed: Terms | None) -> None:
        """Store what a step made of it."""
        (kept,) = await self._rows("exceptions.terms", {"id": exception})
        evidence = json.dumps(asdict(after.evidence)) if after.evidence else None
        params = asdict(after) | asdict(renewed or Terms(*kept)) | {"id": exception, "now": now, "evidence": evidence}
        await self._connection.execute(query("exceptions.save"), params)

    async def note(self, exception: int, held: Held, step: Step, now: datetime) -> None:
        """Write a step into the exception's history and into the log."""
        detail = {name: value for name, value in asdict(step).items() if value and name not in {"name", "by"}}
        await self._event(exception, step.name, step.by, detail, now)
        params = {"exception": exception, "asset": held.asset, "location": held.location, "by": step.by, "now": now}
        detail["step"] = step.name
        await self._connection.execute(query("exceptions.step_act"), params | {"detail": json.dumps(detail)})

    async def knows(self, person: str) -> bool:
        """Tell whether a person is registered and active."""
        rows = await self._rows("exceptions.person", {"id": person})
        return bool(rows and rows[0][0])

    async def break_glass(self, broken: Broken, exception: int, now: datetime) -> None:
        """Break a rule open for this transaction."""
        params = asdict(broken) | {"exception": exception, "now": now}
        await self._connection.execute(query("exceptions.break_glass"), params)

    def terms(self, severity: str, location: str | None, now: datetime) -> Terms:
        """Return by when it has to be taken and closed."""
        return terms(severity, location, now, self._count)

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """Open a savepoint."""
        return savepoint(self._connection)

    async def _settle(
        self,
        source: str,
        openings: Sequence[Opening],
        now: datetime,
        *,
        assets: Collection[str] = (),
        keys: Collection[str] = (),
    ) -> list[int]:
        scope = {"source": source, "now": now, "assets": TextArray.of(assets), "keys": TextArray.of(keys)}
        touched: set[int] = set()
        opened: set[int] = set()
        if assets or keys:
            touched |= await self._ids("exceptions.withdraw", _columns(openings) | scope)
        if openings:
            touched |= await self._ids("exceptions.renew", _columns(openings) | scope)
            opened, again = await self._open(openings, scope)
            touched |= again
        changed = await self._restate(touched, source, now)
        await self.assign(opened, now)
        return changed

    async def _open(self, openings: Sequence[Opening], scope: dict[str, Any]) -> tuple[set[int], set[int]]:
        """Open what is new; return what was opened, and what took an occurrence."""
        places = await self._rows("exceptions.fresh", _columns(openings) | scope)
        fresh = [openings[place - 1] for (place,) in places]
        if not fresh:
            return set(), set()
        columns = _columns(fresh) | self._terms(fresh, scope["now"]) | scope
        opened, added = set[int](), list[tuple[Any, ...]]()
        while len(added) < len(fresh):  # one that somebody ends between the two statements is opened anew
            opened |= await self._ids("exceptions.open", columns)
            added = await self._rows("exceptions.add_occurrences", columns)
        return opened, {exception for (exception,) in added}

    async def assign(self, exceptions: Collection[int], now: datetime) -> int:
        """Give exceptions that nobody has to who holds their role there; return how many found somebody."""
        if not exceptions:
            return 0
        given = await self._rows("exceptions.assign", {"exceptions": sorted(exceptions)})
        if given:
            params = {"exceptions": [one for one, _ in given], "owners": [person for _, person in given]}
            await self._connection.execute(query("exceptions.add_assigned"), params | {"now": now, "by": ASSIGNER})
        return len(given)

    async def unassigned(self, limit: int) -> list[int]:
        """Return what is open and nobody has, though somebody answers for it by now, locked."""
        return [row[0] for row in await self._rows("exceptions.unassigned", {"limit": limit})]

    def _terms(self, openings: Sequence[Opening], now: datetime) -> dict[str, list[Any]]:
        found = [self.terms(_severity(one), one.location, now) for one in openings]
        return {name: [getattr(one, name) for one in found] for name in ("assign_by", "due_at", "calendar")}

    async def _restate(self, exceptions: Collection[int], source: str, now: datetime) -> list[int]:
        if not exceptions:
            return []
        params = {"exceptions": sorted(exceptions), "source": source, "suggestion": PUT_RIGHT, "now": now}
        await self._connection.execute(query("exceptions.lock"), params)
        changed = await self._rows("exceptions.restate", params)
        told = [
            (exception, "suggested" if suggested else "suggestion_withdrawn" if denied else "opened")
            for exception, suggested, denied, new in changed
            if suggested or denied or new
        ]
        if told:
            columns = {"exceptions": [exception for exception, _ in told], "kinds": [kind for _, kind in told]}
            fixed = {"now": now, "by": source, "suggestion": PUT_RIGHT}
            await self._connection.execute(query("exceptions.add_events"), columns | fixed)
        return sorted(row[0] for row in changed)

    async def _event(self, exception: int, kind: str, by: str, detail: dict[str, Any], now: datetime) -> None:
        params = {"exception": exception, "kind": kind, "by": by, "detail": json.dumps(detail), "now": now}
        await self._connection.execute(query("exceptions.add_event"), params)

    async def _rows(self, name: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
        return await (await self._connection.execute(query(name), params)).fetchall()

    async def _ids(self, name: str, params: dict[str, Any]) -> set[int]:
        return {row[0] for row in await self._rows(name, params)}


class CalendarsIn(Protocol):
    """Who knows the registry, and with it the calendars, as an open transaction sees them: `PgLog`."""

    async def registry_in(self, connection: Connection) -> Registry:
        """Return the registry."""

    async def keep_calendars_in(self, connection: Connection) -> None:
        """Store the calendars that were counted by."""


class PgExceptions:
    """`central.application.exceptions.Exceptions`."""

    def __init__(self, database: Database, calendars: CalendarsIn) -> None:
        self._database = database
        self._calendars = calendars

    @asynccontextmanager
    async def work(self) -> AsyncIterator[PgExceptionWork]:
        """Open a transaction."""
        async with self._database.transaction() as connection:
            registry = await self._calendars.registry_in(connection)
            yield PgExceptionWork(connection, registry.calendars.count)
            await self._calendars.keep_calendars_in(connection)

    async def listed(self, chosen: Filter, limit: int) -> list[ExceptionView]:
        """Return exceptions: open ones by due date, ended ones newest first."""
        params = asdict(chosen) | {"ids": None, "limit": limit}
        return await self._all(ExceptionView, "exceptions.list", params)

    async def open_totals(self, now: datetime) -> OpenExceptions:
        """Return what is open over everything."""
        return (await self._all(OpenExceptions, "exceptions.open_totals", {"now": now}))[0]

    async def detail(self, exception: int) -> ExceptionDetail:
        """Return one exception with its history."""
        params = {"id": exception, "limit": MAX_OCCURRENCES}
        found = await self._all(ExceptionView, "exceptions.one", params)
        if not found:
            raise NotFound(f"there is no exception {exception}")
        occurrences = await self._all(OccurrenceView, "exceptions.occurrences", params)
        events = await self._all(ExceptionEventView, "exceptions.events", params)
        return ExceptionDetail(exception=found[0], occurrences=occurrences, history=events)

    async def _all(self, kind: type[_V], name: str, params: dict[str, Any]) -> list[_V]:
        async with self._database.transaction() as connection, connection.cursor(row_factory=class_row(kind)) as cursor:
            return await (await cursor.execute(query(name), params)).fetchall()


def _severity(opening: Opening) -> str:
    return opening.severity or opening.of.severity


def _columns(openings: Sequence[Opening]) -> dict[str, list[Any]]:
    """Return openings as parallel arrays."""
    return {
        "category": [one.category for one in openings],
        "severity": [_severity(one) for one in openings],
        "asset": [one.asset for one in openings],
        "location": [one.location for one in openings],
        "at": [one.at for one in openings],
        "key": [one.key for one in openings],
        "evidence": [json.dumps(dict(one.evidence)).replace("\\u0000", "") for one in openings],
        "owner_role": [one.of.owner_role for one in openings],
        "closure_path": [one.of.closure_path for one in openings],
    }
