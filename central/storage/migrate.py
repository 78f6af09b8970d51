"""Forward-only migrations: numbered SQL files, applied once each, remembered with their checksums.

The job queue's schema is procrastinate's: its own files, in their order, by the same runner.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Final

import psycopg
import structlog

JOB_QUEUE: Final = "procrastinate"
LOCK: Final = 0x53544F434B  # "STOCK": any number that other programs on the database don't lock
MINIMUM_SERVER: Final = 150000
"""PostgreSQL 15 (UNIQUE NULLS NOT DISTINCT)."""

_log = structlog.get_logger("central.migrate")


class MigrationError(Exception):
    """The schema can't be brought to this program's version; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step; `name` is its folder and file."""

    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, in hex."""
        return sha256(self.text.encode()).hexdigest()


def migrate(dsn: str) -> list[str]:
    """Bring the schema up to date and return the names of the migrations that this call applied."""
    with _connect(dsn) as connection:
        if connection.info.server_version < MINIMUM_SERVER:
            raise MigrationError(
                f"the server is PostgreSQL {connection.info.server_version // 10000}: 15 is the oldest"
            )
        with _locked(connection):
            timescale = _create_timescale(connection)
            steps = [*load("migrations"), *load(JOB_QUEUE), *(load("timescale") if timescale else [])]
            return [step.name for step in _outstanding(connection, steps) if _apply(connection, step)]


def load(folder: str) -> list[Migration]:
    """Return the migrations of a folder in their order; those of `procrastinate` are the job queue's own."""
    ours = folder != JOB_QUEUE
    place = files("central.storage").joinpath("sql", folder) if ours else files("procrastinate.sql.migrations")
    found = place.iterdir()
    paths = sorted((path for path in found if path.name.endswith(".sql")), key=lambda path: path.name)
    return [Migration(f"{folder}/{path.name}", path.read_text(encoding="utf-8")) for path in paths]


@contextmanager
def _connect(dsn: str) -> Iterator[psycopg.Connection]:
    try:
        connection = psycopg.connect(dsn, autocommit=True)
    except psycopg.Error as error:
        raise MigrationError(f"can't connect to the database: {error}") from error
    with connection:
        try:
            yield connection
        except psycopg.Error as error:
            raise MigrationError(f"the database refused: {error}") from error


@contextmanager
def _locked(connection: psycopg.Connection) -> Iterator[None]:
    """Let one process migrate at a time; a second one waits and then finds everything applied."""
    connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))


def _create_timescale(connection: psycopg.Connection) -> bool:
    """Make the extension where the server has it loaded and we may; tell whether it is there."""
    installed = "SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'"
    if connection.execute(installed).fetchone():
        return True
    ready = connection.execute(
        "SELECT current_setting('shared_preload_libraries') LIKE '%timescaledb%'"
        " AND EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')"
    ).fetchone()
    if ready is None or not ready[0]:
        return False
    try:
        connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    except psycopg.errors.InsufficientPrivilege:
        _log.warning("timescaledb is available but this role may not create it: plain tables are used")
        return False
    return True


def _outstanding(connection: psycopg.Connection, steps: list[Migration]) -> list[Migration]:
    """Return what isn't applied; refuse a database whose past differs from ours."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migration"
        " (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    applied: dict[str, str] = dict(connection.execute("SELECT name, checksum FROM schema_migration").fetchall())
    known = {step.name: step for step in steps}
    for name, checksum in sorted(applied.items()):
        if name not in known:
            raise MigrationError(
                f"the database has migration {name}, which this program doesn't know: update Stockgate"
            )
        if known[name].checksum != checksum:
            raise MigrationError(f"migration {name} was changed after it was applied: restore the file, add a new one")
    return [step for step in steps if step.name not in applied]


def _apply(connection: psycopg.Connection, step: Migration) -> bool:
    with connection.transaction():
        try:
            connection.execute(step.text)
        except psycopg.Error as error:
            raise MigrationError(f"migration {step.name} failed and was taken back: {error}") from error
        connection.execute("INSERT INTO schema_migration (name, checksum) VALUES (%s, %s)", (step.name, step.checksum))
    _log.info("migration applied", name=step.name)
    return True
