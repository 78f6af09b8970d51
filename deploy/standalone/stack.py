"""Broker, database and Stockgate's programs on one machine: the composition that `demo` and `up` share."""

import re
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from deploy.standalone.central_client import CentralClient
from deploy.standalone.errors import ConfigurationError, NoAnswerError, StandaloneError
from deploy.standalone.given import GivenBroker, GivenDatabase
from deploy.standalone.nats import EmbeddedBroker
from deploy.standalone.postgres import EmbeddedPostgres
from deploy.standalone.programs import Program, Programs
from deploy.standalone.reaper import Reaper
from deploy.standalone.restarts import LIMIT, WITHIN_S, RestartLimit, how_it_ended
from deploy.standalone.space import DiskSpace

ANY_PORT = "127.0.0.1:0"
GATE_S = 20.0
"""The central publishes the first snapshot within seconds; an agent without it works, and tells exits as stale."""
_POLL_S = 0.1
# The import's last words when the sheets are wrong, and not the database.
_PROBLEMS = re.compile(r"^\d+ problems?, nothing was imported$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Api:
    """Where the central service answers, and the file with the token for its writing endpoints."""

    url: str
    token_file: str


class Stack:
    """All processes of one run; leaving the block ends them and removes the run directory.

    Args:
        pulse: called in every wait; what it raises ends the wait.
        say: told of everything that had to be started again.
        keep: leave the run directory (logs, configuration) in place.
        data_dir: keeps database, outbox and token between runs; by default they go with the run directory.
        mqtt: address of a broker that runs already, instead of the embedded one.
        dsn: an empty database on a server that runs already, instead of the embedded one.
    """

    def __init__(
        self,
        *,
        pulse: Callable[[], None],
        say: Callable[[str], None] = lambda _: None,
        keep: bool = False,
        data_dir: Path | None = None,
        mqtt: str | None = None,
        dsn: str | None = None,
    ) -> None:
        self.keep = keep
        self._pulse = pulse
        self._say = say
        self._closed = False
        self._limits = {"broker": RestartLimit(), "PostgreSQL": RestartLimit()}
        self._data_dir = data_dir
        self._reaper = Reaper()
        self.run_dir = _run_dir()
        self.space = DiskSpace([*([data_dir] if data_dir else []), self.run_dir])
        if not keep:
            self._reaper.watch_directory(self.run_dir)
        state = data_dir or self.run_dir
        self.broker = GivenBroker(mqtt) if mqtt else EmbeddedBroker(state / "broker", reaper=self._reaper)
        kept_database = data_dir / "postgres" if data_dir else None
        self.postgres = (
            GivenDatabase(dsn) if dsn else EmbeddedPostgres(self.run_dir, data_dir=kept_database, reaper=self._reaper)
        )
        self.programs = Programs(self.run_dir, self._reaper, pulse, say)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> list[str]:
        """End everything, last started first; returns what did not go well. A second call does nothing."""
        if self._closed:
            return []
        self._closed = True
        # What fails for want of room is told with its reason.
        self.tell_space()
        problems = self.programs.stop()
        self.postgres.stop()
        self.broker.stop()
        if not self.keep:
            shutil.rmtree(self.run_dir, ignore_errors=True)
        self._reaper.close()
        return problems

    def check(self) -> None:
        """Start again what has ended and should run; raise `StandaloneError` if that does not help."""
        self._check_server("broker", self.broker)
        self._check_server("PostgreSQL", self.postgres)
        self.programs.check()

    def tell_space(self, pending: int = 0) -> None:
        """Tell of a disk that is full, or is so no longer; `pending` events are known to wait."""
        for line in self.space.note(pending):
            self._say(line)

    def restart_broker(self, reason: str) -> None:
        """Start our own broker again because it passes nothing on; somebody else's is left alone."""
        if isinstance(self.broker, EmbeddedBroker):
            self._say(f"{reason}: the broker is started again")
            try:
                self.broker.restart()
            except StandaloneError as error:
                # Its disk may still be full; the next look that finds it silent tries again.
                self._say(f"The broker did not start: {error}")

    def keep_if_named(self, error: StandaloneError) -> None:
        """Keep the run directory if the message sends the reader to a log in it, and say so in a note.

        What is wrong in the user's own files or options is told whole, and needs no log.
        """
        if not isinstance(error, ConfigurationError) and str(self.run_dir) in str(error):
            self.keep = True
            error.add_note(f"Logs and configuration are kept in {self.run_dir}: remove it when you have read them.")

    def start_servers(self) -> None:
        """Start broker and database."""
        self.tell_space()
        for server in (self.broker, self.postgres):
            self._pulse()
            server.start()
        self._pulse()

    def import_registry(self, directory: Path) -> None:
        """Bring the database to the current schema and read the CSV files into it."""
        dsn = ["--dsn", self.postgres.dsn]
        self.programs.finish(self.programs.start("migrate", ["stockgate-central", "migrate", *dsn]))
        program = self.programs.start("import", ["stockgate-central", "import", *dsn, str(directory)])
        try:
            self.programs.finish(program)
        except StandaloneError as error:
            if _PROBLEMS.search(program.words()):
                raise ConfigurationError(f"the registry's sheets can't be imported:\n{program.words()}") from error
            raise

    def start_central(self) -> Api:
        """Start API and ingest, and wait until they answer."""
        ready_file = self.run_dir / "central.ready"
        command = ["stockgate-central", "run", "--dsn", self.postgres.dsn, "--mqtt", self.broker.url]
        command += ["--listen", ANY_PORT, "--data-dir", str(self._state("central")), "--ready-file", str(ready_file)]
        program = self.programs.start("central", command)
        found = self.programs.ready(program, ready_file)
        program.again = _at(command, found["api"])
        return Api(found["api"], found["token_file"])

    def start_keys(self) -> Program:
        """Have the central make or show its public keys; `trust` takes what it prints."""
        command = ["stockgate-central", "keys", "show", "--data-dir", str(self._state("central"))]
        return self.programs.start("keys", command)

    def trust(self, keys: Program) -> str:
        """Return the table by which an agent believes this central."""
        self.programs.finish(keys)
        return f"[trust]\n{keys.words()}\n"

    def wait_for_gate(self, client: CentralClient) -> None:
        """Wait until the gate snapshot is published, within bounds, so that the doors judge their first exit by it."""
        deadline = time.monotonic() + GATE_S
        while time.monotonic() < deadline:
            self._pulse()
            self.programs.check()
            with suppress(NoAnswerError):
                if client.gate_is_published():
                    return
            time.sleep(_POLL_S)
        self._say("The gate snapshot is not published yet: exits are told as stale until it is.")

    def start_jobs(self) -> None:
        """Start what goes by the clock; it finds by itself what is to be done."""
        command = ["stockgate-central", "jobs", "--dsn", self.postgres.dsn]
        self.programs.start("jobs", command).again = command

    def start_console(self, api: Api, listen: str = ANY_PORT) -> str:
        """Start the console; returns its address."""
        ready_file = self.run_dir / "console.ready"
        command = ["stockgate-central", "console", "--api", api.url, "--listen", listen]
        command += ["--token-file", api.token_file, "--ready-file", str(ready_file)]
        program = self.programs.start("console", command)
        url = str(self.programs.ready(program, ready_file)["console"])
        program.again = _at(command, url)
        return url

    def start_edge(self, config: Path) -> Program:
        """Start the edge agent; it waits for readers and broker by itself."""
        command = ["stockgate-edge", "run", "--config", str(config), "--data-dir", str(self._state("edge"))]
        program = self.programs.start("edge", command)
        program.again = command
        return program

    def start_simulator(self, scenario: str, *, seconds: int, truth_file: Path) -> tuple[Program, Path]:
        """Start simulated readers; returns the program and its ready file."""
        ready_file = self.run_dir / "simulator.ready"
        command = ["stockgate-sim", "serve", scenario, "--base-port", "0", "--ready-file", str(ready_file)]
        command += ["--truth", str(truth_file)] + (["--seconds", str(seconds)] if seconds else [])
        return self.programs.start("simulator", command, may_finish=True), ready_file

    def readers(self, simulator: Program, ready_file: Path) -> dict[str, Any]:
        """Wait for the simulated readers and return their addresses."""
        found: dict[str, Any] = self.programs.ready(simulator, ready_file)["readers"]
        return found

    def _check_server(self, name: str, server: GivenBroker | GivenDatabase | EmbeddedBroker | EmbeddedPostgres) -> None:
        if isinstance(server, GivenBroker | GivenDatabase) or (status := server.poll()) is None:
            return
        self._pulse()
        if not self._limits[name].allow(time.monotonic()):
            raise StandaloneError(
                f"{name} ended ({how_it_ended(status)}), again after {LIMIT} restarts within {WITHIN_S:.0f} s: "
                f"see {server.log_file}"
            )
        server.restart()
        self._say(f"{name} ended ({how_it_ended(status)}), started again")

    def _state(self, name: str) -> Path:
        directory = (self._data_dir or self.run_dir) / name
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return directory


def _run_dir() -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="stockgate-"))
    except OSError as error:
        raise ConfigurationError(
            f"no directory for temporary files can be written to ({error.strerror}): name one with TMPDIR"
        ) from error


def _at(command: list[str], url: str) -> list[str]:
    """The command with the address that was chosen in place of the one that was asked for: others know it by now."""
    place = command.index("--listen") + 1
    return [*command[:place], urlsplit(url).netloc, *command[place + 1 :]]
