"""Stockgate's own programs as child processes: started, waited for, watched and ended in order.

Each writes to its own log; a child that dies is named together with its log's last words.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.standalone.errors import ConfigurationError, StandaloneError
from deploy.standalone.reaper import Reaper
from deploy.standalone.restarts import LIMIT, WITHIN_S, RestartLimit, how_it_ended

# Readiness includes the first compilation of numba kernels on a slow machine.
READY_S = 90.0
WARM = {"edge": "stockgate-edge warm", "simulator": "stockgate-sim warm"}
"""What compiles a program's kernels beforehand, which takes long on a busy machine and writes nothing to its log."""
STOP_S = 15.0
_POLL_S = 0.05
# A stop signal to a whole group of processes reaches us as well, perhaps a moment later than the children.
_SIGNAL_S = 0.2
# Wrong options stay wrong.
_USAGE_STATUS = 2
# Ended from outside: what its log says last is not why.
_FROM_OUTSIDE = frozenset({-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT})
# How a child ends that is told to stop before it can handle the signal.
_TOLD = frozenset({0, -signal.SIGTERM, -signal.SIGINT})


@dataclass(slots=True)
class Program:
    """One child process and its log."""

    name: str
    log_file: Path
    process: subprocess.Popen[bytes]
    may_finish: bool = False
    # The command that starts it again should it die; None as long as its death is for somebody else to judge.
    again: Sequence[str] | None = None
    # Once set, its end by whatever cause is for the caller to notice, who can go on without it.
    dispensable: bool = False
    limit: RestartLimit = field(default_factory=RestartLimit)

    def status(self) -> int | None:
        """Exit status once it has ended, else None."""
        return self.process.poll()

    def last_words(self) -> str:
        """Its log's last line, for a message to a person."""
        lines = self.words().splitlines()
        return lines[-1].strip() if lines else "it wrote nothing"

    def words(self) -> str:
        """All that its log holds, without blank ends."""
        return self.log_file.read_text(errors="replace").strip()


class Programs:
    """The children of one run; `stop` ends them in the reverse order of their start.

    `pulse` is called in every wait; what it raises ends the wait. `say` is told of every restart.
    """

    def __init__(
        self, run_dir: Path, reaper: Reaper, pulse: Callable[[], None], say: Callable[[str], None] = lambda _: None
    ) -> None:
        self._run_dir = run_dir
        self._pulse = pulse
        self._say = say
        self._reaper = reaper
        self._running: list[Program] = []

    def start(self, name: str, command: Sequence[str], *, may_finish: bool = False) -> Program:
        """Start a console script of this distribution; `may_finish` allows it to end with status 0 by itself."""
        log_file = self._run_dir / f"{name}.log"
        log_file.write_bytes(b"")
        program = Program(name, log_file, self._spawn(command, log_file), may_finish)
        self._running.append(program)
        return program

    def finish(self, program: Program, timeout_s: float = READY_S) -> None:
        """Wait for a program that does one thing and ends."""
        deadline = time.monotonic() + timeout_s
        while (status := program.status()) is None:
            if time.monotonic() > deadline:
                raise StandaloneError(f"{program.name} did not finish within {timeout_s:.0f} s: see {program.log_file}")
            self._pulse()
            time.sleep(_POLL_S)
        if status != 0:
            raise _died(program, status)
        self._running.remove(program)

    def ready(self, program: Program, ready_file: Path, timeout_s: float = READY_S) -> dict[str, Any]:
        """Wait for the JSON object that a program writes once it listens; half of one isn't there yet."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            self._pulse()
            self.check()
            found = _said(ready_file)
            if found is not None:
                return found
            time.sleep(_POLL_S)
        raise _late(program, timeout_s)

    def check(self) -> None:
        """Start again what has ended and should be running, or raise.

        Raises:
            StandaloneError: it can't be started again, or died too often; names the program, its log and last words.
        """
        for program in self._running:
            status = program.status()
            if status is not None and not program.dispensable and not (status == 0 and program.may_finish):
                time.sleep(_SIGNAL_S)
                self._pulse()
                self._revive(program, status)

    def end(self, program: Program) -> None:
        """Ask one program to stop and wait for it.

        Raises:
            StandaloneError: it had to be killed, or reported a failure.
        """
        self._running.remove(program)
        before = program.status()
        status = _end(program)
        if status not in ({0} if before is not None else _TOLD):
            raise _died(program, status)

    def stop(self) -> list[str]:
        """End all that still runs, last started first; returns what did not go well, in words."""
        problems = []
        while self._running:
            program = self._running.pop()
            if program.status() is None and (status := _end(program)) not in _TOLD:
                problems.append(str(_died(program, status)))
        return problems

    def _spawn(self, command: Sequence[str], log_file: Path) -> subprocess.Popen[bytes]:
        with log_file.open("ab") as log:
            process = subprocess.Popen(
                [script(command[0]), *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._run_dir,
                start_new_session=True,
                env=_environment(),
            )
        self._reaper.watch_process(process.pid)
        return process

    def _revive(self, program: Program, status: int) -> None:
        if program.again is None or status == _USAGE_STATUS:
            raise _died(program, status)
        if not program.limit.allow(time.monotonic()):
            raise StandaloneError(f"{_died(program, status)}, again after {LIMIT} restarts within {WITHIN_S:.0f} s")
        program.process = self._spawn(program.again, program.log_file)
        self._say(f"{program.name} ended ({how_it_ended(status)}), started again")


def _said(ready_file: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(ready_file.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return found


def script(name: str) -> str:
    """Find a console script beside this interpreter; a PATH may lead to another installation."""
    for directory in (Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))):
        if (script := directory / name).exists():
            return str(script)
    raise StandaloneError(f"{name} is not installed beside {sys.executable}: pip install 'stockgate[standalone]'")


def _environment() -> dict[str, str]:
    """Ours, without what would make the children colour their logs or buffer them."""
    return os.environ | {"PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}


def _end(program: Program) -> int:
    with contextlib.suppress(ProcessLookupError):
        program.process.terminate()
    try:
        return program.process.wait(timeout=STOP_S)
    except subprocess.TimeoutExpired:
        program.process.kill()
        return program.process.wait()


def _late(program: Program, timeout_s: float) -> StandaloneError:
    said = f"see {program.log_file}" if program.words() else f"it wrote nothing to {program.log_file}"
    told = f"{program.name} was not ready within {timeout_s:.0f} s: {said}"
    if warm := WARM.get(program.name):
        told += f"; if this is its first start here, it may still be compiling: run `{warm}` once, then try again"
    return StandaloneError(told)


def _died(program: Program, status: int) -> StandaloneError:
    if status == _USAGE_STATUS:
        # Its log is what the user has to read, and nothing else: no need to keep it.
        return ConfigurationError(f"{program.name} ended with status 2: {program.words() or 'it wrote nothing'}")
    if status in _FROM_OUTSIDE:
        return StandaloneError(f"{program.name} was ended by signal {-status}: somebody, or the system, killed it")
    how = f"ended with status {status}" if status >= 0 else f"was ended by signal {-status}"
    return StandaloneError(f"{program.name} {how}: {program.last_words()} (its log: {program.log_file})")
