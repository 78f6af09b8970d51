"""The embedded PostgreSQL: private, with a password, and gone when its starter is."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from deploy.standalone.errors import StandaloneError
from deploy.standalone.postgres import EmbeddedPostgres

STARTER = """
import sys, time
from pathlib import Path
from deploy.standalone.postgres import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])) as server:
    print(server.pid, server.dsn, flush=True)
    time.sleep(60)
"""


def socket_dir(dsn):
    return Path(parse_qs(urlsplit(dsn).query)["host"][0])


def is_running(pid):
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def wait_until(condition, what, patience_s=60.0):
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, f"it never came about that {what}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres")) as one:
        yield one


@pytest.fixture
def open_dir():
    """A directory that any user may enter, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="sg-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def test_it_answers_as_its_own_unprivileged_user_does_and_keeps_utf8(server):
    with psycopg.connect(server.dsn) as connection:
        found = connection.execute("SELECT current_user, current_database(), 'Zürich'").fetchone()
        encoding = connection.execute("SHOW server_encoding").fetchone()
    assert found == ("stockgate", "stockgate", "Zürich")
    assert encoding == ("UTF8",)
    assert psutil.Process(server.pid).uids().real != 0


def test_nobody_gets_in_without_the_password(server):
    with pytest.raises(psycopg.OperationalError, match=r"password"):
        psycopg.connect(make_conninfo(server.dsn, passfile="/dev/null"))
    with psycopg.connect(server.dsn) as connection:
        rules = connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
    assert rules == [("scram-sha-256",)]


def test_it_listens_on_no_network_address(server):
    with psycopg.connect(server.dsn) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    assert psutil.Process(server.pid).net_connections(kind="inet") == []


def test_the_password_file_and_the_socket_are_private(server):
    passfile = Path(parse_qs(urlsplit(server.dsn).query)["passfile"][0])
    assert passfile.stat().st_mode & 0o777 == 0o600
    assert socket_dir(server.dsn).stat().st_mode & 0o777 == 0o700
    assert passfile.read_text().split(":")[-1].strip() not in server.dsn


def test_nothing_is_left_after_the_block(tmp_path):
    with EmbeddedPostgres(tmp_path) as one:
        pid, private = one.pid, socket_dir(one.dsn).parent
        assert private.is_dir()
    assert not is_running(pid)
    assert not private.exists()
    one.stop()


def test_a_kept_directory_holds_its_rows_across_a_restart(open_dir):
    data_dir = open_dir / "data"
    with EmbeddedPostgres(open_dir / "run", data_dir=data_dir) as one, psycopg.connect(one.dsn) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with EmbeddedPostgres(open_dir / "run", data_dir=data_dir) as one, psycopg.connect(one.dsn) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    assert [path.name for path in open_dir.glob("*password*")] == []


def test_a_directory_of_another_version_is_refused_by_name(open_dir):
    data_dir = open_dir / "data"
    data_dir.mkdir()
    (data_dir / "PG_VERSION").write_text("12\n")
    with pytest.raises(StandaloneError, match="was made by PostgreSQL 12, this is 1"):
        EmbeddedPostgres(open_dir / "run", data_dir=data_dir).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as somebody else; run as root")
def test_a_place_that_its_user_cannot_enter_is_named(open_dir):
    barred = open_dir / "barred"
    barred.mkdir(mode=0o700)
    with pytest.raises(StandaloneError, match=r"can't enter .*/barred: choose another data directory"):
        EmbeddedPostgres(open_dir / "run", data_dir=barred / "data").start()


def test_killing_the_starter_leaves_neither_server_nor_directory(tmp_path):
    command = [sys.executable, "-c", STARTER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        pid, dsn = starter.stdout.readline().split()
        private = socket_dir(dsn).parent
        assert private.is_dir()
        starter.send_signal(signal.SIGKILL)
        starter.wait()
    wait_until(lambda: not is_running(int(pid)), "the server ended")
    wait_until(lambda: not private.exists(), "its directory was removed")
