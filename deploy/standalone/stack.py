"""Broker, database and Stockgate's programs on one machine: the composition that `demo` and `up` share."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deploy.standalone.errors import StandaloneError
from deploy.standalone.given import GivenBroker, GivenDatabase
from deploy.standalone.nats import EmbeddedBroker
from deploy.standalone.postgres import EmbeddedPostgres
from deploy.standalone.programs import Program, Programs
from deploy.standalone.reaper import Reaper

ANY_PORT = "127.0.0.1:0"


@dataclass(frozen=True, slots=True)
class Api:
    """Where the central service answers, and the file with the token for its writing endpoints."""

    url: str
    token_file: str


class Stack:
    """All processes of one run; leaving the block ends them and removes the run directory.

    Args:
        pulse: called in every wait; what it raises ends the wait.
        keep: leave the run directory (logs, configuration) in place.
        data_dir: keeps database, outbox and token between runs; by default they go with the run directory.
        mqtt: address of a broker that runs already, instead of the embedded one.
        dsn: an empty database on a server that runs already, instead of the embedded one.
    """

    def __init__(
        self,
        *,
        pulse: Callable[[], None],
        keep: bool = False,
        data_dir: Path | None = None,
        mqtt: str | None = None,
        dsn: str | None = None,
    ) -> None:
        self.keep = keep
        self._data_dir = data_dir
        self._reaper = Reaper()
        self.run_dir = Path(tempfile.mkdtemp(prefix="stockgate-"))
        if not keep:
            self._reaper.watch_directory(self.run_dir)
        state = data_dir or self.run_dir
        self.broker = GivenBroker(mqtt) if mqtt else EmbeddedBroker(state / "broker", reaper=self._reaper)
        kept_database = data_dir / "postgres" if data_dir else None
        self.postgres = (
            GivenDatabase(dsn) if dsn else EmbeddedPostgres(self.run_dir, data_dir=kept_database, reaper=self._reaper)
        )
        self.programs = Programs(self.run_dir, self._reaper, pulse)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> list[str]:
        """End everything, last started first; returns what did not go well. A second call does nothing."""
        problems = self.programs.stop()
        self.postgres.stop()
        self.broker.stop()
        if not self.keep:
            shutil.rmtree(self.run_dir, ignore_errors=True)
        self._reaper.close()
        return problems

    def check(self) -> None:
        """Raise `StandaloneError` if anything that should run has ended."""
        self.programs.check()
        for name, server in (("the broker", self.broker), ("PostgreSQL", self.postgres)):
            if (status := server.poll()) is not None:
                raise StandaloneError(f"{name} ended with status {status}: see {server.log_file}")

    def import_registry(self, directory: Path) -> None:
        """Bring the database to the current schema and read the CSV files into it."""
        dsn = ["--dsn", self.postgres.dsn]
        self.programs.finish(self.programs.start("migrate", ["stockgate-central", "migrate", *dsn]))
        self.programs.finish(self.programs.start("import", ["stockgate-central", "import", *dsn, str(directory)]))

    def start_central(self) -> Api:
        """Start API and ingest, and wait until they answer."""
        ready_file = self.run_dir / "central.ready"
        command = ["stockgate-central", "run", "--dsn", self.postgres.dsn, "--mqtt", self.broker.url]
        command += ["--listen", ANY_PORT, "--data-dir", str(self._state("central")), "--ready-file", str(ready_file)]
        found = self.programs.ready(self.programs.start("central", command), ready_file)
        return Api(found["api"], found["token_file"])

    def start_console(self, api: Api, listen: str = ANY_PORT) -> str:
        """Start the console; returns its address."""
        ready_file = self.run_dir / "console.ready"
        command = ["stockgate-central", "console", "--api", api.url, "--listen", listen]
        command += ["--token-file", api.token_file, "--ready-file", str(ready_file)]
        return str(self.programs.ready(self.programs.start("console", command), ready_file)["console"])

    def start_edge(self, config: Path) -> Program:
        """Start the edge agent; it waits for readers and broker by itself."""
        command = ["stockgate-edge", "run", "--config", str(config), "--data-dir", str(self._state("edge"))]
        return self.programs.start("edge", command)

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

    def _state(self, name: str) -> Path:
        directory = (self._data_dir or self.run_dir) / name
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return directory
