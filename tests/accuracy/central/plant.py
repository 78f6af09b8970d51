"""The central as the estate meets it: its store in a database of its own, its use cases, and a clock that is told."""

import csv
import io
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from central.application import columns, transfers, upkeep
from central.application.commit import commit
from central.application.errors import StepUnfit
from central.application.importing import import_sheets
from central.application.presence import fold_place
from central.application.sheets import Sheets, read_sheet
from central.ingest.intake import Intake, read_envelope, read_word
from central.ingest.words import Gateways
from central.storage.database import Database, DatabaseSettings
from central.storage.log import PgLog
from central.storage.presence import PgPresence
from central.storage.registry import PgRegistry
from central.storage.transfers import PgTransfers
from central.storage.upkeep import PgUpkeep
from edge.contracts import topic
from tests.helpers.postgres import fresh_database

PLACES = 10_000
"""More than any estate has."""
BATCH_ROWS = 1000
"""As ingest takes them together when much is waiting."""


CLERK = "CLERK"
"""Asks for transfers: nobody approves an own request, and the estate's owners approve."""


class PlayError(Exception):
    """The central refused what a person or a gateway may well do; the message says what."""


def instant(at_us):
    """UTC microseconds as the database has them."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)


class Plant:
    """One central; every call says what time it is."""

    def __init__(self, dsn) -> None:
        self.database = Database(DatabaseSettings(dsn, max_connections=4))
        self.log = PgLog(self.database)
        self._registry = PgRegistry(self.database)
        self._transfers = PgTransfers(self.database, self.log)
        self._presence = PgPresence(self.database, self.log)
        self._gateways = Gateways()
        self._known_as = {}
        self.refused = []
        self.scanned_first = 0

    async def register(self, sheets, now):
        """Import sheets: of each kind the columns that this central knows."""
        read = Sheets()
        if "people" in sheets:
            sheets = sheets | {"people": [*sheets["people"], {"id": CLERK, "name": "Clerk"}]}
        for kind, rows in sheets.items():
            if kind in columns.COLUMNS and rows:
                known = [*columns.COLUMNS[kind], *columns.MORE_COLUMNS[kind]]
                header = [name for name in rows[0] if name in known]
                read_sheet(read, kind, f"{kind}.csv", _csv(header, rows))
        done = await import_sheets(self._registry, read, now)
        if done.problems:
            raise PlayError("; ".join(str(problem) for problem in done.problems[:5]))

    async def take(self, envelopes, now):
        """Commit envelopes as ingest would; return the movement records that came."""
        batch, records = Intake(), []
        for one in envelopes:
            intake = read_envelope(topic(one.site, one.gateway, one.stream), one.payload, now)
            batch.rows.extend(intake.rows)
            batch.unreadable.extend(intake.unreadable)
            batch.notices.extend(intake.notices)
            if len(batch.rows) >= BATCH_ROWS:
                records += await self._commit(batch, now)
                batch = Intake()
        return records + await self._commit(batch, now)

    async def _commit(self, batch, now):
        if batch.rows or batch.unreadable:
            done = await commit(self.log, batch.rows, batch.unreadable, batch.notices, now)
            self.refused += [one.reason for one in done.refused]
        return [row.record for row in batch.rows if row.record is not None and row.key.stream == "movement"]

    async def hear(self, words, now):
        """Take births, wills and heartbeats."""
        read = [read_word(topic(one.site, one.gateway, one.channel), one.payload, now) for one in words]
        registry = await self.log.registry()
        heard = self._gateways.hear(read, registry)
        if heard.notices:
            await commit(self.log, [], [], heard.notices, now)
        await self._gateways.note(self.log, registry, read, set(), now)

    async def transfer(self, act, now):
        """Request a transfer and have it approved; what is bound by an older one is received or left out first."""
        assets = list(act.assets)
        while assets:
            asked = transfers.Request(
                by=CLERK, origin=act.detail["from"], destination=act.detail["to"], assets=assets,
                sender=act.detail["sender"], receiver=act.detail["receiver"], reason="moved between sites",
            )  # fmt: skip
            try:
                done = await transfers.request(self._transfers, asked, now)
            except StepUnfit as error:
                await self._put_right(str(error), act, assets, now)
                continue
            self._known_as[act.subject] = done.id
            for owner in (act.detail["sender"], act.detail["receiver"]):
                await transfers.approve(self._transfers, done.id, owner, None, now)
            return

    async def _put_right(self, words, act, assets, now):
        """Do as the central says: receive what is there since long, scan what it believes elsewhere."""
        found = [(asset, f"asset {asset!r} is ") for asset in assets if f"asset {asset!r} is " in words]
        if not found:
            raise PlayError(words)
        for asset, begins in found:
            why = words.split(begins)[1]
            if why.startswith("on transfer "):
                await self._close(asset, why.split(" ")[2], now)
            else:
                await transfers.see(self._transfers, asset, act.detail["sender"], act.detail["from"], now, how="scan")
                self.scanned_first += 1

    async def _close(self, asset, older, now):
        """Do as the central says: receive what is there since long, though no door saw it come."""
        held = await self._transfers.transfer(older)
        await transfers.receive(self._transfers, older, held.receiver, [asset], now)
        self.scanned_first += 1

    async def receive(self, act, now):
        """Scan what the receiver has in hand, as far as the central doesn't know of it yet."""
        name = self._known_as.get(act.subject)
        if name is None:
            return
        held = await self._transfers.transfer(name)
        left = {one.id for one in held.assets if one.state != "received"}
        assets = [asset for asset in act.assets if asset in left]
        if assets:
            await transfers.receive(self._transfers, name, act.by, assets, now, location=act.location)

    async def count(self, places, now):
        """Let the perpetual count of places catch up; of the others nothing is measured."""
        for place in await self._presence.due(now, PLACES):
            if place in places:
                await fold_place(self._presence, place, now)
        while await self._presence.retell(now):
            pass

    async def measure_doors(self, now):
        """Let the central measure its doors."""
        await upkeep.measure_doors(PgUpkeep(self.database, self.log), now)

    async def measure_stays(self, now, *, places):
        """Let the central measure how long assets stay, each night at all places and by the doors' own measure."""
        store = PgUpkeep(self.database, self.log)
        if places:
            await upkeep.measure_doors(store, now)
            await upkeep.measure_all_places(store, now)
        await upkeep.measure_new_stays(store, now)

    async def rows(self, text, *params):
        """Run a query of the scorer's."""
        async with self.database.transaction() as connection:
            return await (await connection.execute(text, params or None)).fetchall()

    async def has(self, *tables):
        """Tell whether the database has tables or views."""
        found = await self.rows(
            "SELECT bool_and(to_regclass(t) IS NOT NULL) FROM unnest(%s::text[]) AS t", list(tables)
        )
        return bool(found[0][0])

    def transfer_ids(self):
        """The estate's names of transfers to the central's."""
        return dict(self._known_as)


def _csv(header, rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, header, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@asynccontextmanager
async def plant():
    """Open a central in a database that goes away with it."""
    with fresh_database() as dsn:
        one = Plant(dsn)
        await one.database.open()
        try:
            yield one
        finally:
            await one.database.close()
