"""The log on PostgreSQL: what ingest writes, in the one transaction that ingest opens."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from central.application.calendars import PlaceCalendars
from central.application.changes import movement_notices
from central.application.errors import RowsRefused
from central.application.leases import Lease
from central.application.openings import Opening
from central.application.ports import Case, Filed, Incident, Notice, Registry
from central.application.records import Gap as GapRow
from central.application.records import Incoming, Loss, Presence, Record, Sensor, StreamKey, Unreadable
from central.domain.alerts import Revision
from central.domain.axes import BLOCKING, as_told, blocked_spans
from central.domain.carrying import Badge, Carried
from central.domain.exits import Authorisation, Exit, spend
from central.domain.places import Location, PlaceOpening, Places, Portal
from central.domain.position import Position
from central.domain.quiet import Measure
from central.domain.story import Due, Gap, Routes, World
from central.domain.tags import Binding, Bindings
from central.storage import alerts
from central.storage.arrays import TextArray
from central.storage.calendars import keep_calendars, load_calendars
from central.storage.database import Connection, Database, savepoint
from central.storage.deadlines import PgDeadlines
from central.storage.exceptions import PgExceptionWork
from central.storage.hearings import PgHearings
from central.storage.loans import PgLoans
from central.storage.movements import movement_columns
from central.storage.notices import FEED
from central.storage.oddities import PgOddities, load_knowledge
from central.storage.queries import query
from central.storage.states import PgStates
from central.storage.stories import PgStories
from edge.contracts import badge_persons

QUARANTINED_BYTES: Final = 64 * 1024
"""How much of a payload the quarantine keeps; its length and digest tell of the rest."""

_OTHERS: Final[dict[type[Record], str]] = {
    Sensor: "log.add_sensor",
    Loss: "log.add_loss",
    GapRow: "log.add_gap",
    Presence: "log.add_presence",
}


class PgLog:
    """`central.application.ports.Log`; keeps the registry until an import makes a new version."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cached: Registry | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["PgTransaction"]:
        """Open a transaction; it commits when the block ends without an error."""
        async with self._database.transaction() as connection:
            yield PgTransaction(connection, self)
            await self.keep_calendars_in(connection)

    async def registry(self) -> Registry:
        """Return the current registry."""
        async with self._database.transaction() as connection:
            return await self.registry_in(connection)

    async def registry_in(self, connection: Connection) -> Registry:
        """Return the registry as an open transaction sees it."""
        row = await (await connection.execute(query("registry.version"))).fetchone()
        version = row[0] if row else 0
        if self._cached is None or self._cached.version != version:
            self._cached = await _load_registry(connection, version)
        return self._cached

    async def keep_calendars_in(self, connection: Connection) -> None:
        """Store the calendars by which this transaction may have counted; call it before the commit."""
        if self._cached is not None:
            await keep_calendars(connection, self._cached.calendars)

    async def marks(self) -> dict[StreamKey, Position]:
        """Return each stream's position in the epoch that advanced last."""
        async with self._database.transaction() as connection:
            rows = await (await connection.execute(query("log.marks"))).fetchall()
        return {StreamKey(*row[:3]): _position(row[3], row[4]) for row in rows}


class PgTransaction:
    """`central.application.ports.Transaction` on one connection."""

    def __init__(self, connection: Connection, log: PgLog) -> None:
        self._connection = connection
        self._log = log
        self._oddities = PgOddities(connection)
        self._exceptions: PgExceptionWork | None = None

    @property
    def stories(self) -> PgStories:
        """Where stories are kept."""
        return PgStories(self._connection)

    @property
    def hearings(self) -> PgHearings:
        """Where it stands what zones and sweeps heard."""
        return PgHearings(self._connection)

    @property
    def oddities(self) -> PgOddities:
        """What rules on odd passages read."""
        return self._oddities

    @property
    def deadlines(self) -> PgDeadlines:
        """Where deadlines are kept."""
        return PgDeadlines(self._connection)

    @property
    def loans(self) -> PgLoans:
        """Where loans and repairs are kept."""
        return PgLoans(self._connection)

    async def keep_calendars(self) -> None:
        """Store the calendars that were counted by, before anything refers to them."""
        await self._log.keep_calendars_in(self._connection)

    async def registry(self) -> Registry:
        """Return the registry as this transaction sees it."""
        return await self._log.registry_in(self._connection)

    async def lock_positions(self, keys: Collection[StreamKey], now: datetime) -> dict[StreamKey, Position]:
        """Lock and return the positions of streams; a new stream gets an empty one."""
        gateways, streams, epochs = (list(column) for column in zip(*sorted(keys), strict=True))
        params = {"gateways": gateways, "streams": streams, "epochs": epochs, "now": now}
        async with self._connection.pipeline():
            await self._connection.execute(query("log.new_positions"), params)
            locked = await self._connection.execute(query("log.lock_positions"), params)
        return {StreamKey(*row[:3]): _position(row[3], row[4]) for row in await locked.fetchall()}

    async def hold(self, lease: Lease, gateways: Collection[str]) -> set[str]:
        """Return the gateways whose fence still is the lease's, and keep it so until this transaction ends."""
        await self._connection.execute(query("log.limit_idle"))
        mine = sorted(gateways)
        params = {"gateways": mine, "fences": [lease.fences[one] for one in mine], "number": lease.worker}
        rows = await (await self._connection.execute(query("leases.hold"), params)).fetchall()
        return {row[0] for row in rows}

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """Open a savepoint."""
        return savepoint(self._connection)

    async def add_movements(self, rows: Sequence[Filed], received_at: datetime) -> set[str]:
        """Append movement rows, keep the highest revision of each passage, and return those that were known before."""
        told = ((one.row.key.gateway, one.row.key.epoch, one.row.seq, one.movement.at) for one in rows)
        async with self._connection.pipeline():
            again = await self._connection.execute(query("log.add_movements"), movement_columns(rows, received_at))
            await self._connection.execute(query("log.tell"), {"channel": FEED, "notices": movement_notices(told)})
        return {row[0].hex for row in await again.fetchall()}

    async def hold_places(self, rows: Sequence[Filed]) -> None:
        """Keep the doors and places of rows from being deleted until the transaction ends."""
        portals = {one.movement.portal for one in rows}
        places = {place for one in rows for place in (one.origin, one.destination) if place is not None}
        params = {"portals": sorted(portals), "places": sorted(places)}
        held = await self._connection.execute(query("log.hold_places"), params)
        gone = (portals | places) - {row[0] for row in await held.fetchall()}
        if gone:
            raise RowsRefused(f"{', '.join(sorted(gone))} was taken out of the registry meanwhile")

    async def registered(self, epcs: Collection[str]) -> set[str]:
        """Return which of the tags are on an asset, or ever were."""
        rows = await self._connection.execute(query("projection.registered"), {"epcs": TextArray.of(sorted(epcs))})
        return {row[0] for row in await rows.fetchall()}

    async def add_others(self, rows: Sequence[Incoming], received_at: datetime) -> None:
        """Append sensor, loss, gap and presence rows."""
        for kind, name in _OTHERS.items():
            params = [
                {**row.key._asdict(), "seq": row.seq, "received_at": received_at, **asdict(row.record)}
                for row in rows
                if isinstance(row.record, kind)
            ]
            if params:
                await self._connection.cursor().executemany(query(name), params)
        heard = [(row.key.gateway, row.record) for row in rows if isinstance(row.record, Presence)]
        if todo := {
            (gateway, one.zone, one.mode, one.from_at, one.to_at) for gateway, one in heard if one.mode != "portal"
        }:
            names = ("gateway", "zone", "mode", "from_at", "to_at")
            columns = zip(names, map(list, zip(*sorted(todo), strict=True)), strict=True)
            await self._connection.execute(query("presence.todo"), dict(columns))

    async def lock_assets(self, epcs: Collection[str]) -> Bindings:
        """Return the bindings of registered tags, their assets locked by id."""
        params = {"epcs": TextArray.of(sorted(epcs))}
        async with self._connection.pipeline():
            await self._connection.execute(query("projection.lock_assets"), params)
            tags = await self._connection.execute(query("projection.tags"), params)
        return Bindings([Binding(*row) for row in await tags.fetchall()])

    async def accused(self, passages: Collection[str]) -> dict[str, str]:
        """Return which of the passages stand in an alert, and of what kind."""
        rows = await self._connection.execute(query("alerts.accused"), {"passages": list(passages)})
        return {row[0].hex: row[1] for row in await rows.fetchall()}

    async def carried(self, cases: Sequence[Case]) -> dict[str, Carried]:
        """Return by passage what is known of who carried its asset."""
        params = {
            "passages": [one.passage for one in cases],
            "assets": [one.asset for one in cases],
            "portals": [one.portal for one in cases],
            "times": [one.at for one in cases],
        }
        found = {}
        rows = await self._connection.execute(query("policies.carried"), params)
        for passage, asset_class, custodian, own, others in await rows.fetchall():
            badges = [Badge(person, datetime.fromisoformat(at)) for person, at in others]
            badges += [Badge(person, None) for person in badge_persons(own or "")]
            found[passage.hex] = Carried(asset_class, custodian, tuple(badges))
        return found

    async def cases(self, assets: Collection[str]) -> list[Case]:
        """Return the passages of assets that stand in an alert."""
        rows = await self._connection.execute(query("alerts.cases"), {"assets": list(assets)})
        return [Case(row[0].hex, *row[1:]) for row in await rows.fetchall()]

    async def on_passes(self, assets: Collection[str]) -> set[str]:
        """Return which of the assets have an authorisation for one use."""
        rows = await self._connection.execute(query("alerts.on_passes"), {"assets": TextArray.of(assets)})
        return {row[0] for row in await rows.fetchall()}

    async def settle_uses(self, assets: Collection[str]) -> None:
        """Write down what authorisations for one use were spent on, so that no door honours them again."""
        permits = await self.authorisations(assets, provisional=True)
        spent = [(one.id, one.use) for its in permits.values() for one in its if one.use is not None]
        params = {
            "assets": list(assets),
            "ids": [name for name, _ in spent],
            "passages": [use.passages[0] for _, use in spent],
            "portals": [use.portal for _, use in spent],
            "times": [use.at for _, use in spent],
        }
        await self._connection.execute(query("alerts.keep_uses"), params)

    async def on_one_use(self, assets: Collection[str]) -> list[Case]:
        """Return the passages of assets that may live on an authorisation for one use."""
        rows = await self._connection.execute(query("alerts.on_one_use"), {"assets": list(assets)})
        return [Case(row[0].hex, *row[1:]) for row in await rows.fetchall()]

    async def revisions(
        self, passages: Collection[str], around: tuple[datetime, datetime]
    ) -> dict[str, list[Revision]]:
        """Return all revisions of the passages."""
        params = {"passages": list(passages), "first": around[0], "last": around[1]}
        found: dict[str, list[Revision]] = {passage: [] for passage in passages}
        for row in await (await self._connection.execute(query("alerts.revisions"), params)).fetchall():
            found[row[0].hex].append(Revision(*row[1:]))
        return found

    async def authorisations(
        self, assets: Collection[str], *, provisional: bool = False
    ) -> dict[str, Sequence[Authorisation]]:
        """Return the authorisations of assets, those for one use with the exit that each was spent on."""
        found: dict[str, list[Authorisation]] = {}
        rows = await self._connection.execute(query("alerts.authorisations"), {"assets": TextArray.of(assets)})
        listed = await rows.fetchall()
        acts = await PgStates(self._connection).acts_on({row[1] for row in listed}, BLOCKING) if listed else {}
        for *row, single_use, despite, person in listed:
            one, its = replace(Authorisation(*row), single_use=single_use, person=person), acts.get(row[1], [])
            told, after_all = blocked_spans(as_told(its), despite), blocked_spans(its, despite)
            found.setdefault(one.asset, []).append(replace(one, blocked=told, blocked_after_all=after_all))
        passes = [asset for asset, its in found.items() if any(one.single_use for one in its)]
        if not passes:
            return dict(found)
        places, exits = (await self.registry()).places, await self._exits(passes, provisional=provisional)
        return {asset: spend(places, exits.get(asset, ()), its) for asset, its in found.items()}

    async def _exits(self, assets: Collection[str], *, provisional: bool) -> dict[str, list[Exit]]:
        params = {"assets": list(assets), "provisional": provisional}
        found: dict[str, list[Exit]] = {}
        rows = await self._connection.execute(query("alerts.exits"), params)
        for asset, passage, *rest in await rows.fetchall():
            found.setdefault(asset, []).append(Exit(passage.hex, *rest))
        return found

    async def raise_incidents(self, incidents: Sequence[Incident], now: datetime) -> list[int]:
        """Open, join or annotate alerts; return the ids of those that changed."""
        return await alerts.raise_incidents(self._connection, incidents, now)

    async def give_notices(self, notices: Sequence[Notice], now: datetime) -> list[int]:
        """Open or clear alerts about gateways; return the ids of those that changed."""
        return await alerts.give_notices(self._connection, notices, now)

    async def settle_exceptions(
        self, source: str, assets: Collection[str], openings: Sequence[Opening], now: datetime
    ) -> list[int]:
        """Make the exception queue say about assets what a source says now; return the exceptions that changed."""
        return await (await self._queue()).settle_exceptions(source, assets, openings, now)

    async def settle_keys(
        self, source: str, keys: Collection[str], openings: Sequence[Opening], now: datetime
    ) -> list[int]:
        """Do the same for what a source says about keys."""
        return await (await self._queue()).settle_keys(source, keys, openings, now)

    async def suggest_closing(
        self, categories: Collection[str], assets: Collection[str], words: str, source: str, now: datetime
    ) -> list[int]:
        """Suggest the closing of assets' open exceptions."""
        return await (await self._queue()).suggest_closing(categories, assets, words, source, now)

    async def open_exceptions(
        self, openings: Sequence[Opening], now: datetime, *, source: str = "central"
    ) -> list[int]:
        """Open exceptions, or add occurrences, without withdrawing any."""
        return await (await self._queue()).open_exceptions(openings, now, source=source)

    async def _queue(self) -> PgExceptionWork:
        """Return the exception queue, which counts on the calendars that this transaction sees."""
        if self._exceptions is None:
            self._exceptions = PgExceptionWork(self._connection, (await self.registry()).calendars.count)
        return self._exceptions

    async def quarantine(self, items: Sequence[Unreadable]) -> None:
        """Keep what could not be read; a repeat of the same bytes is counted."""
        if items:
            await self._connection.cursor().executemany(query("log.quarantine"), [_quarantined(item) for item in items])

    async def save_positions(self, positions: Mapping[StreamKey, Position], now: datetime) -> None:
        """Store advanced positions."""
        async with self._connection.pipeline():
            for key, position in positions.items():
                above = Multirange([Range(low, high + 1) for low, high in position.above])
                params = {**key._asdict(), "upto": position.upto, "above": above, "now": now}
                await self._connection.execute(query("log.save_position"), params)

    async def saw(
        self,
        site: str,
        gateway: str,
        at: datetime,
        *,
        online: bool,
        stopped: bool = False,
        birth: str | None = None,
        health: str | None = None,
    ) -> None:
        """Note a gateway's word; None keeps what was known; one that is not online may have been `stopped`."""
        params = {"site": site, "gateway": gateway, "at": at, "online": online, "birth": birth, "health": health}
        params["stopped"] = stopped and not online
        await self._connection.execute(query("log.saw_gateway"), params)


async def _load_registry(connection: Connection, version: int) -> Registry:
    async def rows(name: str) -> list[tuple[Any, ...]]:
        return await (await connection.execute(query(name))).fetchall()

    places = Places({row[0]: Location(*row) for row in await rows("registry.locations")})
    portals = {row[0]: Portal(*row) for row in await rows("registry.portals")}
    neighbours: dict[str, set[str]] = {}
    for portal, neighbour in await rows("registry.neighbours"):
        neighbours.setdefault(portal, set()).add(neighbour)
    openings = tuple(PlaceOpening(*row) for row in await rows("registry.openings"))
    measures = tuple(Measure(*row) for row in await rows("alerts.measures"))
    sites = {row[0]: row[1] for row in await rows("registry.gateways")}
    gaps = tuple(Gap(*row) for row in await rows("stories.gaps"))
    calendars = await load_calendars(connection, places)
    since = dict(await rows("registry.portals_since"))
    world = World(places, portals, _due_by(calendars), gaps, dict(await rows("stories.owner_roles")), since)
    knowledge = await load_knowledge(connection, places, neighbours, calendars.special)
    return Registry(
        version,
        places,
        portals,
        sites,
        world,
        Routes(world),
        knowledge,
        openings=openings,
        neighbours=neighbours,
        measures=measures,
        calendars=calendars,
        needs={(portal, asset_class): wanted for portal, asset_class, wanted in await rows("policies.all_needs")},
        stale=dict(await rows("policies.stale")),
        zones={(gateway, zone): location for gateway, zone, location in await rows("registry.zones")},
    )


def _due_by(calendars: PlaceCalendars) -> Callable[[datetime, int, str], Due]:
    """Return how stories count business days: on the calendars of places."""

    def due(start: datetime, business_days: int, location: str) -> Due:
        return Due(*calendars.count(location, start, business_days))

    return due


def _position(upto: int, above: list[list[int]] | None) -> Position:
    return Position(upto, tuple((low, high) for low, high in above or []))


def _quarantined(item: Unreadable) -> dict[str, Any]:
    key = item.key._asdict() if item.key else {"gateway": None, "stream": None, "epoch": None}
    return {
        **key,
        "topic": item.topic.replace("\0", "\\0"),
        "digest": sha256(item.payload).digest(),
        "reason": item.reason.replace("\0", "\\0"),
        "payload": item.payload[:QUARANTINED_BYTES],
        "payload_bytes": len(item.payload),
        "seq": item.seq,
        "at": item.at,
    }
