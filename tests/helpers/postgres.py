"""A PostgreSQL server for tests, and a fresh migrated database for each.

STOCKGATE_TEST_DSN names a server; without it the embedded one starts once a session.
"""

import atexit
import os
import shutil
import subprocess
import tempfile
import uuid
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from central.storage.migrate import migrate

MEMORY = Path("/dev/shm")  # noqa: S108 (a folder of our own is made in it)
SERVER_BYTES = 1 << 29
"""Room for one worker's server: its log ahead, a template for each way of filling it, and a few copies."""
THROW_AWAY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_wal_size": "128MB"}
"""Settings of a server whose data nobody will miss."""


@cache
def embedded_dsn():
    """Start the embedded server on first use; it ends with the process."""
    from deploy.standalone.postgres import EmbeddedPostgres  # noqa: PLC0415 (only where no server is given)
    from deploy.standalone.reaper import Reaper  # noqa: PLC0415 (the same)

    directory = tempfile.TemporaryDirectory(prefix="sg-pg-", dir=memory())
    place = Path(directory.name)
    place.chmod(0o755)  # as root the server runs as another user, who must reach its data
    reaper = Reaper()
    reaper.watch_directory(place)  # a worker that is killed leaves nothing in memory
    server = EmbeddedPostgres(place, data_dir=place / "data", reaper=reaper)
    server.start()
    atexit.register(reaper.close)
    atexit.register(directory.cleanup)
    atexit.register(server.stop)
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        for setting, value in THROW_AWAY.items():
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(setting), value))
        connection.execute("SELECT pg_reload_conf()")
    return server.dsn


def memory():
    """Folder in memory for a test's throw-away data, or None (the usual one): for benchmarks, or with too little room.

    A copy of the template is some 400 files: on a disk it takes many times the processor time that it takes in memory.
    """
    room = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) * SERVER_BYTES
    if (
        "PYTEST_VERSION" in os.environ
        and os.access(MEMORY, os.W_OK | os.X_OK)
        and shutil.disk_usage(MEMORY).free >= room
    ):
        return MEMORY
    return None


def server_dsn():
    """DSN of the server that tests use."""
    return os.environ.get("STOCKGATE_TEST_DSN") or embedded_dsn()


@cache
def template(dsn, fill=migrate):
    """Make a database once, by `fill` on its DSN: others are copies of it. Each but the migrated one begins as that."""
    source = "template1" if fill is migrate else template(dsn)
    name = f"sg_template_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        _copy(connection, source, name)
    fill(make_conninfo(dsn, dbname=name))
    atexit.register(_drop, dsn, name)
    return name


@contextmanager
def fresh_database(dsn=None, *, migrated=True, fill=migrate):
    """DSN of a database of its own, dropped at the end; `fill` made the one that it is a copy of."""
    dsn = dsn or server_dsn()
    name = f"sg_test_{uuid.uuid4().hex[:12]}"
    source = template(dsn, fill) if migrated else "template1"
    with psycopg.connect(dsn, autocommit=True) as connection:
        _copy(connection, source, name)
    try:
        yield make_conninfo(dsn, dbname=name)
    finally:
        _drop(dsn, name)


def _copy(connection, source, name):
    statement = "CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy"  # through the log takes 4 times as long
    connection.execute(sql.SQL(statement).format(sql.Identifier(name), sql.Identifier(source)))


def _drop(dsn, name):
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def system_server(postgres):
    """DSN of a private server of the system's own PostgreSQL, `postgres` being the path of its program."""
    programs = Path(postgres).resolve().parent
    with tempfile.TemporaryDirectory(prefix="sg-syspg-") as name:
        directory, password = Path(name), uuid.uuid4().hex
        owner = {"user": "nobody"} if os.getuid() == 0 else {}
        directory.chmod(0o755)  # as root the server runs as another user, who must reach its data
        (home := directory / "d").mkdir()
        (secret := home / "password").write_text(password)
        if owner:
            for path in (home, secret):
                shutil.chown(path, "nobody")
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **owner}
        subprocess.check_call(
            [programs / "initdb", "-D", home / "data", "-U", "sg", "-A", "scram-sha-256", "--pwfile", secret, "-N"],
            **quiet,
        )
        options = f"-k {home} -c listen_addresses= -c fsync=off -c dynamic_shared_memory_type=mmap"
        control = [programs / "pg_ctl", "-D", home / "data", "-w"]
        subprocess.check_call([*control, "-l", home / "log", "-o", options, "start"], **quiet)
        try:
            yield make_conninfo(host=str(home), user="sg", password=password, dbname="postgres")
        finally:
            subprocess.check_call([*control, "-m", "immediate", "stop"], **quiet)
