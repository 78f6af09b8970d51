"""Composition root of the central service: settings to objects, one TaskGroup, signals, order of shutdown."""

import asyncio
import contextlib
import importlib.metadata
import ipaddress
import json
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Collection, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import stamina.instrumentation
import structlog
import uvicorn

from central.api.auth import load_token
from central.api.books import books_read, books_write
from central.api.captures import captures_fetch, captures_read, uploads
from central.api.commands import commands_read, commands_write
from central.api.gate import gate as gate_routes
from central.api.policies import policies_read, policies_write
from central.api.quarantine import Retry, quarantine_orders
from central.api.rollups import rollup_routes
from central.api.routes import Services, beat
from central.api.server import create_app
from central.application import undoing
from central.application.calendars import take_published
from central.application.capturing import Captures
from central.application.darkness import DoorWatch
from central.application.errors import SchemaUnfit, StoreUnavailable
from central.application.feed import Feed
from central.application.importing import Imported, import_sheets
from central.application.metrics import Metrics
from central.application.perpetual import PerpetualCount
from central.application.quarantine import Outcome
from central.application.register import ImportView
from central.application.sheets import Sheets
from central.application.teller import Teller
from central.application.undoing import Undone
from central.config import CentralSettings, ConfigError, is_loopback, parse_prefix, split_address
from central.domain.captures import MIB
from central.gate.commander import Commander
from central.gate.keys import KeyRing
from central.gate.publisher import GateSettings, Publisher
from central.ingest.heap import settled_heap
from central.ingest.link import LinkSettings, PahoLink
from central.ingest.retrying import retry
from central.ingest.timing import time_alerts
from central.ingest.worker import Ingest, IngestSettings
from central.jobs.books import book_jobs
from central.jobs.counts import count_jobs
from central.jobs.exceptions import exception_jobs
from central.jobs.queue import Queue
from central.jobs.retention import retention_jobs
from central.jobs.stories import story_jobs
from central.jobs.tasks import jobs
from central.storage.alert_life import PgAlertBook
from central.storage.books import PgBooks
from central.storage.calendars import PgCalendars
from central.storage.captures import PgCaptures
from central.storage.commanding import PgCommands
from central.storage.counts import PgCounts
from central.storage.database import Database, DatabaseSettings
from central.storage.due import PgDue
from central.storage.exceptions import PgExceptions
from central.storage.gate import PgGate
from central.storage.knowing import PgKnowledgeBook
from central.storage.leases import PgLeases
from central.storage.log import PgLog
from central.storage.notices import FEED, GATE, Ear, Seat
from central.storage.policies import PgPolicies
from central.storage.presence import PgPresence
from central.storage.promoting import PgPromotions
from central.storage.quarantine import PgQuarantine
from central.storage.rebuild import projection_hash
from central.storage.rebuild import rebuild as make_anew
from central.storage.register import PgRegister
from central.storage.registry import PgRegistry
from central.storage.rollups import PgRollups
from central.storage.schema import check_schema
from central.storage.shelf import FolderShelf
from central.storage.transfers import PgTransfers
from central.storage.upkeep import PgUpkeep
from central.storage.views import PgViews
from edge.contracts import EpcPrefix

CAPTURES_FOLDER = "captures"
TOKEN_FILE = "api-token"  # noqa: S105 (a file's name)
IMPORTS = 50
"""The newest imports, as many as fit a screen."""
KEEP_ALIVE_S = 75
"""How long a connection that asks nothing is kept: longer than clients and proxies do (the console 5 s, nginx 60 s).
Who closes it just when the other asks leaves him without an answer, and an order is not given twice for that."""
SHUTDOWN_S = 3
"""How long open requests may take once the service is told to stop."""

NO_NOTICES = "the database sends no notices of what changes: the feed is silent until it does"
COUNTS_KEPT_S = 0.25
"""Nobody sees the difference, and a hundred boards ask no more of the database than one."""
SCHEMA_RETRY_S = 1.0
"""A database that is down at the start has its schema looked at once it is there."""

_log = structlog.get_logger("central")


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The hash over what follows from the log, before and after it was made anew, and how long that took."""

    before: str
    after: str
    took_s: float


class _Server(uvicorn.Server):
    """uvicorn without its signal handling: one place in a program handles signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `run`."""
        yield


async def run(settings: CentralSettings, ready_file: Path | None) -> None:
    """Run API and ingest until SIGTERM or SIGINT."""
    stamina.instrumentation.set_on_retry_hooks(
        ()
    )  # ingest says once that the database is down, and once that it is back
    token_file = settings.data_dir / TOKEN_FILE
    token = load_token(token_file)
    database = Database(DatabaseSettings(settings.dsn, settings.database_connections))
    feed, metrics, views, log = Feed(), Metrics(), PgViews(database), PgLog(database)
    leases = PgLeases(settings.dsn, f"{socket.gethostname()}/{os.getpid()}")
    ingest = Ingest(
        _link(settings, "central"),
        log,
        views,
        metrics,
        now=_now,
        settings=IngestSettings(settings.watermark_s, _own(settings)),
        leases=leases,
    )
    leases.on_change = ingest.look_at_leases
    gate, seat = _gate(settings, database, log, metrics)
    counts = PgCounts(database, log)
    exceptions = PgExceptions(database, log)
    alert_book = PgAlertBook(database, log, views)
    knowledge = PgKnowledgeBook(database, log)
    doors = DoorWatch(knowledge, alert_book, now=_now, deaf=lambda: ingest.problem)
    policies, books = PgPolicies(database, log), PgBooks(database, log)
    captures = _captures(settings, database)
    commander = _commander(settings, database, captures)
    told = Teller(views, feed, _now)
    ear = Ear(settings.dsn, FEED, told.hear, told.begin)
    services = Services(
        views,
        feed,
        metrics,
        _now,
        lambda: ingest.problem,
        exceptions=exceptions,
        alert_book=alert_book,
        knowledge=knowledge,
        transfers=PgTransfers(database, log),
        upkeep=PgUpkeep(database, log),
        register=PgRegister(database, log),
        registry=PgRegistry(database),
        counts=counts,
        promotions=PgPromotions(database),
        calendars=PgCalendars(database),
        due=PgDue(log),
        gate_problem=lambda: gate.problem,
        feed_problem=lambda: "" if ear.listening else NO_NOTICES,
        since=told.since,
        counts_kept_s=COUNTS_KEPT_S,
    )
    host, port = split_address(settings.listen)
    app = create_app(
        services,
        token=token,
        version=importlib.metadata.version("stockgate"),
        local=is_loopback(host),
        reads=[
            gate_routes(PgGate(database), _now),
            policies_read(policies, _now),
            rollup_routes(PgRollups(database), _now),
            commands_read(commander.book, _now),
            captures_read(captures.book, _now),
            books_read(books, _now),
        ],
        orders=[
            quarantine_orders(_retry(database, log, views, metrics, own=_own(settings))),
            policies_write(policies, views, _now),
            commands_write(commander, _now),
            captures_fetch(captures),
            books_write(books, _now),
        ],
        doors=[uploads(captures)],
    )
    server = _Server(_serving(settings, app))
    with _listen(host, port) as listener:
        await database.open()
        try:
            with contextlib.suppress(StoreUnavailable):  # it is awaited while serving: /healthz says what is missing
                await check_schema(database)
            url = _announce(settings, listener, token_file, ready_file)
            captures.base = settings.public_url or _reachable(url, host)
            _log.info("listening", api=url, token_file=str(token_file))
            perpetual = PerpetualCount(PgPresence(database, log), metrics, _now)
            work = [ingest.run(), doors.run(), perpetual.run(), _until_schema_fits(database)]
            work += [gate.run(), seat.run(), leases.run(), told.run(), ear.run(), commander.run()]
            work.append(captures.tidy_at_start())
            work.append(beat(feed, _now, services.feed_problem))
            with settled_heap():
                await _until_told(server, listener, feed, *work)
        except BaseExceptionGroup as group:
            unfit = group.subgroup(SchemaUnfit)
            if unfit is None:
                raise
            raise _first(unfit) from None
        finally:
            await database.close()


async def run_jobs(dsn: str, connections: int) -> None:
    """Run jobs until SIGTERM or SIGINT; any number of such workers share them."""
    told = _signalled()
    database = Database(DatabaseSettings(dsn, connections))
    await database.open()
    try:
        work, waiting = asyncio.create_task(_work_on_jobs(database)), asyncio.create_task(told.wait())
        await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
        for task in (work, waiting):
            task.cancel()
        await asyncio.wait({work, waiting})
        if not work.cancelled():
            work.result()
    finally:
        await database.close()
    _log.info("stopped")


async def _work_on_jobs(database: Database) -> None:
    await _until_schema_fits(database)
    log, calendars = PgLog(database), PgCalendars(database)
    book = PgAlertBook(database, log, PgViews(database))
    _log.info("jobs run")
    with contextlib.suppress(StoreUnavailable):  # the daily job does it again
        await take_published(calendars, _now())
    work = [*jobs(log, book, calendars, _now), *story_jobs(PgUpkeep(database, log), _now)]
    work += [*count_jobs(PgCounts(database, log), _now), *exception_jobs(PgExceptions(database, log), _now)]
    work += book_jobs(PgBooks(database, log), _now)
    work += retention_jobs(PgRollups(database), PgUpkeep(database, log), _now)
    await Queue(database.pool, work).run()


def _signalled() -> asyncio.Event:
    """Return what is set by SIGTERM or SIGINT."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    return told


async def import_files(dsn: str, sheets: Sheets, *, dry_run: bool, by: str) -> Imported:
    """Import sheets over a connection of its own."""
    async with _at_hand(dsn) as database:
        return await import_sheets(PgRegistry(database), sheets, _now(), dry_run=dry_run, by=by)


async def undo_import(dsn: str, number: int, *, by: str, dry_run: bool) -> Undone:
    """Take an import back over a connection of its own."""
    async with _at_hand(dsn) as database:
        return await undoing.undo_import(PgRegistry(database), number, by, _now(), dry_run=dry_run)


async def rebuild(dsn: str) -> Rebuilt:
    """Make all that follows from the log anew over a connection of its own."""
    async with _at_hand(dsn) as database:
        before, began = await projection_hash(database), time.monotonic()
        await make_anew(database, _now())
        took_s = time.monotonic() - began
        return Rebuilt(before, await projection_hash(database), took_s)


async def imports(dsn: str) -> list[ImportView]:
    """Return the newest imports."""
    async with _at_hand(dsn) as database:
        return await PgRegister(database, PgLog(database)).imports(IMPORTS)


@contextlib.asynccontextmanager
async def _at_hand(dsn: str) -> AsyncIterator[Database]:
    """Lend a database with the right schema, for one command."""
    database = Database(DatabaseSettings(dsn, max_connections=1))
    await database.open()
    try:
        await check_schema(database)
        yield database
    finally:
        await database.close()


async def _until_schema_fits(database: Database) -> None:
    """Look at the schema once the database answers; an unfit one ends the program."""
    while True:
        try:
            await check_schema(database)
        except StoreUnavailable:
            await asyncio.sleep(SCHEMA_RETRY_S)
        else:
            return


def _first(group: BaseExceptionGroup[SchemaUnfit]) -> SchemaUnfit:
    one = group.exceptions[0]
    return _first(one) if isinstance(one, BaseExceptionGroup) else one


async def _until_told(server: _Server, listener: socket.socket, feed: Feed, *work: Coroutine[None, None, None]) -> None:
    """Serve until a signal; then the feed ends, open requests finish, and the work stops without a half batch."""
    told = _signalled()
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server.serve([listener]))
        background = [tasks.create_task(one) for one in work]
        waiting = tasks.create_task(told.wait())
        await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        feed.close()
        server.should_exit = True
        for task in (*background, waiting):
            task.cancel()
    _log.info("stopped")


def _retry(database: Database, log: PgLog, views: PgViews, metrics: Metrics, *, own: Sequence[EpcPrefix]) -> Retry:
    """Return what tries quarantined items again."""
    store = PgQuarantine(database, log)

    async def again(ids: Collection[int] | None, limit: int, by: str) -> list[Outcome]:
        now = _now()
        done = await retry(log, store, ids, limit=limit, by=by, now=now, own=own)
        for one in done.commits:
            await time_alerts(views, metrics, one, now)
        return list(done.outcomes)

    return again


def _gate(settings: CentralSettings, database: Database, log: PgLog, metrics: Metrics) -> tuple[Publisher, Seat]:
    """Return what publishes the gate snapshots, and the seat that one process on a database holds for it."""
    seat = Seat(settings.dsn, GATE, lambda: publisher.wake())  # noqa: PLW0108 (each needs the other)
    publisher = Publisher(
        _link(settings, "gate"),
        log,
        PgGate(database),
        KeyRing(settings.data_dir),
        metrics,
        now=_now,
        seated=lambda: seat.turn if seat.held else None,
        settings=GateSettings(timedelta(seconds=settings.gate_life_s), _own(settings)),
    )
    return publisher, seat


def _commander(settings: CentralSettings, database: Database, captures: Captures) -> Commander:
    """Return what gives commands to gateways."""
    keys, link = KeyRing(settings.data_dir), _link(settings, "commands")
    return Commander(link, PgCommands(database), keys, now=_now, roles=settings.command_roles, captures=captures)


def _captures(settings: CentralSettings, database: Database) -> Captures:
    """Return what takes the files of captures; who may give commands may have them."""
    commands, roles = PgCommands(database), settings.command_roles

    async def may(by: str) -> bool:
        return not roles or await commands.may(by, roles)

    shelf = FolderShelf(settings.data_dir / CAPTURES_FOLDER)
    return Captures(PgCaptures(database), shelf, may=may, now=_now, most_bytes=settings.captures_mib * MIB)


def _reachable(url: str, host: str) -> str:
    """Return the listener's address where it names one; of all addresses nobody knows which a gateway can use."""
    try:
        return "" if ipaddress.ip_address(host).is_unspecified else url
    except ValueError:
        return url.replace(urlsplit(url).hostname or host, host, 1)


def _own(settings: CentralSettings) -> tuple[EpcPrefix, ...]:
    """Return which EPCs are ours."""
    return tuple(parse_prefix(text) for text in settings.own_prefixes)


def _link(settings: CentralSettings, role: str) -> PahoLink:
    return PahoLink(
        LinkSettings(
            settings.mqtt,
            client_id=f"stockgate-{role}-{os.getpid()}",
            username=settings.mqtt_username,
            password_file=settings.mqtt_password_file,
            ca_file=settings.mqtt_ca_file,
        )
    )


def _serving(settings: CentralSettings, app: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # uvicorn's own type for an ASGI application is narrower than Starlette's
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=SHUTDOWN_S,
        timeout_keep_alive=KEEP_ALIVE_S,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
    )


def _listen(host: str, port: int) -> socket.socket:
    """Bind before anything starts, so that a taken port is a clear message."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigError(f"can't listen on {host}:{port}: {error.strerror or error}") from error


def _announce(settings: CentralSettings, listener: socket.socket, token_file: Path, ready_file: Path | None) -> str:
    """Return the API's address, and write it where who started us looks for it."""
    host, port = listener.getsockname()[:2]
    scheme = "https" if settings.tls_certificate else "http"
    url = f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
    if ready_file is not None:
        partial = ready_file.with_name(ready_file.name + ".partial")
        partial.write_text(json.dumps({"api": url, "token_file": str(token_file.resolve())}) + "\n", encoding="utf-8")
        partial.replace(ready_file)
    return url


def _now() -> datetime:
    return datetime.now(UTC)
