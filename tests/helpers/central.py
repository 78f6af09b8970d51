"""A small registry and ready-made rows for tests of the central service."""

import asyncio
import contextlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cache

from central.api.routes import Services
from central.application.commit import commit
from central.application.feed import Feed
from central.application.importing import import_sheets
from central.application.metrics import Metrics
from central.application.sheets import Sheets, read_sheet
from central.application.teller import Teller
from central.ingest.intake import read_envelope
from central.ingest.worker import Ingest, IngestSettings
from central.storage.alert_life import PgAlertBook
from central.storage.calendars import PgCalendars
from central.storage.counts import PgCounts
from central.storage.database import Database, DatabaseSettings
from central.storage.due import PgDue
from central.storage.exceptions import PgExceptions
from central.storage.knowing import PgKnowledgeBook
from central.storage.log import PgLog
from central.storage.notices import FEED, Ear
from central.storage.promoting import PgPromotions
from central.storage.register import PgRegister
from central.storage.registry import PgRegistry
from central.storage.transfers import PgTransfers
from central.storage.upkeep import PgUpkeep
from central.storage.views import PgViews
from edge.contracts import (
    AntennaEvidence,
    Clock,
    Evidence,
    GateVerdict,
    MovementRow,
    encode,
    encode_envelope,
    event_id,
    moment,
    passage_id,
    topic,
)
from tests.helpers.postgres import fresh_database

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
GATEWAY = "hq-east-1"
EPC = "3034257bf7194e4000000001"
SHEETS = {
    "locations": """id,name,kind,parent,guarded
hq-site,Headquarters,site,,
hq,Main building,building,hq-site,
stockroom-a,Stockroom A,zone,hq,true
corridor,Corridor,zone,hq,
street,Street,exterior,,
""",
    "portals": """id,name,site,gateway,inside,outside,mode
stockroom-a-door,Stockroom door,hq,hq-east-1,stockroom-a,corridor,
main-entrance,Main entrance,hq,hq-east-1,corridor,street,alarm
back-door,Back door,hq,hq-west-1,corridor,street,observe
""",
    "assets": """id,name,class,serial,location
LT-0001,Laptop 1,laptop,S1,stockroom-a
LT-0002,Laptop 2,laptop,S2,stockroom-a
LT-0003,Laptop 3,laptop,,corridor
""",
    "tags": f"""epc,asset,role
{EPC},LT-0001,body
3034257bf7194e4000000002,LT-0002,
3034257bf7194e4000000003,LT-0003,body
3034257bf7194e40000000f3,LT-0003,lid
""",
    "authorisations": """id,asset,boundary,valid_from,valid_to,reason
A-2,LT-0002,hq,,,standing
""",
}


def epc(number):
    """EPC of one of the registry's laptops."""
    return f"3034257bf7194e40000000{number:02x}"


def wire(at):
    """Instant on the wire."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def movement(seq, *, kind="out", tag=EPC, after_s=0.0, started_s=None, rev=1, final=True, portal="stockroom-a-door",
             gateway=GATEWAY, batch=None, gate=None, confidence=None, start=START):  # fmt: skip
    """One movement row; its passage is named by gateway, portal, tag and start; an early word is surer by default."""
    confidence = confidence if confidence is not None else 0.9 if final else 0.98
    at = start + timedelta(seconds=after_s)
    begun = start + timedelta(seconds=after_s - 1 if started_s is None else started_s)
    passage = passage_id(gateway, portal, tag, int(begun.timestamp() * 1_000_000))
    crossed = kind in {"in", "out"}
    return MovementRow(
        seq=seq, id=event_id(passage, rev), passage=passage, rev=rev, final=final, at=wire(at), portal=portal, epc=tag,
        kind=kind, confidence=confidence, started_at=wire(begun), crossed_at=wire(at) if crossed else None,
        ended_at=None if crossed else wire(at), reads=12, clock=Clock(source="reader"), batch=batch,
        gate=GateVerdict(verdict=gate) if gate else None,
        evidence=Evidence(antennas=[AntennaEvidence(reader="r1", port=1, reads=12)]),
    )  # fmt: skip


def envelope(rows, *, gateway=GATEWAY, stream="movement", epoch="e1"):
    """Envelope bytes of rows, structs or ready-made JSON bytes, numbered by the first and last struct."""
    seqs = [row.seq for row in rows if not isinstance(row, bytes)]
    first, last = (min(seqs), max(seqs)) if seqs else (1, len(rows))
    encoded = [row if isinstance(row, bytes) else encode(row) for row in rows]
    return encode_envelope(gateway=gateway, stream=stream, epoch=epoch, first=first, last=last, rows=encoded)


class Central:
    """The central's store in one database, without broker or API."""

    def __init__(self, dsn) -> None:
        self.dsn = dsn
        self.database = Database(DatabaseSettings(dsn, max_connections=4))
        self.log = PgLog(self.database)
        self.views = PgViews(self.database)
        self.transfers = PgTransfers(self.database, self.log)
        self.upkeep = PgUpkeep(self.database, self.log)
        self.book = PgAlertBook(self.database, self.log, self.views)
        self.queue = PgExceptions(self.database, self.log)
        self.counting = PgCounts(self.database, self.log)
        self.knowledge = PgKnowledgeBook(self.database, self.log)
        self.calendars, self.due = PgCalendars(self.database), PgDue(self.log)

    def services(self, now):
        """What the API's routes need; `now` is their clock."""
        return Services(
            self.views,
            Feed(),
            Metrics(),
            now,
            lambda: "",
            exceptions=self.queue,
            alert_book=self.book,
            knowledge=self.knowledge,
            transfers=self.transfers,
            upkeep=self.upkeep,
            register=PgRegister(self.database, self.log),
            registry=PgRegistry(self.database),
            calendars=self.calendars,
            due=self.due,
            counts=self.counting,
            promotions=PgPromotions(self.database),
        )

    async def import_(self, *, now=START - timedelta(hours=1), dry_run=False, **texts):
        """Import sheets given as text by kind."""
        sheets = Sheets()
        for kind, text in texts.items():
            read_sheet(sheets, kind, f"{kind}.csv", text)
        return await import_sheets(PgRegistry(self.database), sheets, now, dry_run=dry_run)

    async def take(self, *rows, now=None, **where):
        """Commit rows as one envelope; `now` is a minute past the start, or when the last movement of that hour was."""
        if now is None:
            soon = START + timedelta(minutes=1)
            times = [moment(row.at) for row in rows if isinstance(row, MovementRow)]
            now = max([soon, *(at for at in times if at <= soon + timedelta(hours=1))])
        where = {"gateway": GATEWAY, "stream": "movement", "epoch": "e1"} | where
        site = where.pop("site", "hq")
        own = where.pop("own", ())
        payload = envelope(rows, **where)
        intake = read_envelope(topic(site, where["gateway"], where["stream"]), payload, now)
        return await commit(self.log, intake.rows, intake.unreadable, intake.notices, now, own=own)

    async def people(self, *names, kind="person"):
        """Register people, or service accounts, by their ids."""
        people = (
            "INSERT INTO person (id, name, kind) SELECT p, p, %s FROM unnest(%s::text[]) AS p ON CONFLICT DO NOTHING"
        )
        await self.sql(people, kind, list(names))

    async def counts(self):
        """Counts by location, zeros left out."""
        return {one.id: one.count for one in await self.views.locations() if one.count}

    async def where(self, asset):
        """Location of an asset."""
        return (await self.views.asset(asset, START)).location

    async def sql(self, text, *params):
        """Run a statement and return its rows."""
        async with self.database.transaction() as connection:
            cursor = await connection.execute(text, params)
            return await cursor.fetchall() if cursor.description else []


def registered_database():
    """DSN of a fresh database with the small registry, dropped at the end."""
    return filled_database(_register)


def filled_database(prepare):
    """DSN of a fresh copy of the database that `prepare(one)` filled on its first use, dropped at the end."""
    return fresh_database(fill=_filler(prepare))


@cache
def _filler(prepare):
    async def work(dsn):
        async with central(dsn, registry=False) as one:
            await prepare(one)

    def fill(dsn):
        with ThreadPoolExecutor(1) as threads:  # the caller's thread may have a running loop
            threads.submit(asyncio.run, work(dsn)).result()

    return fill


async def _register(one):
    done = await one.import_(**SHEETS)
    assert not done.problems


@contextlib.asynccontextmanager
async def central(dsn, *, registry=True):
    """Open a `Central`, by default with the small registry: it is imported unless there is one."""
    one = Central(dsn)
    await one.database.open()
    try:
        if registry and not await one.sql("SELECT 1 FROM location"):
            await _register(one)
        yield one
    finally:
        await one.database.close()


class FakeLink:
    """A broker that delivers what the test hands it and remembers what was published."""

    def __init__(self) -> None:
        self.connected = False
        self.held = False
        self.published = []

    def start(self, topics, on_message, on_session):
        self.topics, self.deliver, self._on_session = topics, on_message, on_session

    def connect(self):
        """Let the broker come, or come back."""
        self.connected = True
        self._on_session()

    def add(self, topics, on_ready):
        self.topics = [*self.topics, *topics]
        on_ready()

    def drop(self, topics):
        self.topics = [one for one in self.topics if one not in topics]

    def publish(self, topic, payload):
        self.published.append((topic, json.loads(payload)))

    def hold(self):
        self.held = True

    def resume(self):
        self.held = False

    def stop(self):
        self.connected = False


@contextlib.asynccontextmanager
async def ingesting(one, *, log=None, link=None, now=lambda: START + timedelta(minutes=1), watermark_s=30.0):
    """Run ingest over a fake link, and the feed that tells of it; yields (link, ingest, feed, metrics)."""
    link, feed, metrics = link or FakeLink(), Feed(), Metrics()
    ingest = Ingest(link, log or one.log, one.views, metrics, now=now, settings=IngestSettings(watermark_s=watermark_s))
    async with fed(one, feed):
        task = asyncio.create_task(ingest.run())
        await asyncio.sleep(0)
        try:
            yield link, ingest, feed, metrics
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@contextlib.asynccontextmanager
async def fed(one, feed, now=lambda: datetime.now(UTC)):
    """Tell a feed what anybody commits to the database, as the program does; yields (teller, ear)."""
    teller = Teller(one.views, feed, now)
    ear = Ear(one.dsn, FEED, teller.hear, teller.begin)
    tasks = [asyncio.create_task(work()) for work in (teller.run, ear.run)]
    try:
        await until(lambda: feed.position is not None)
        yield teller, ear
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(true, timeout_s=20.0):
    """Wait until `true()` holds."""
    async with asyncio.timeout(timeout_s):
        while not true():  # noqa: ASYNC110 (what is awaited lies in another program or the database)
            await asyncio.sleep(0.01)
