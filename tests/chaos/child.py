"""One of Stockgate's programs as a child that can be killed and started again."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from deploy.standalone.reaper import Reaper
from tests.helpers.brokers import ROOT

READY_S = 120.0  # includes the first compilation of numba kernels on a busy machine


class TrialError(RuntimeError):
    """The trial could not be held; the message names the program and its last words."""


@dataclass
class Child:
    """One of Stockgate's programs, which can be killed and started again."""

    name: str
    command: list[str]
    log: Path
    reaper: Reaper
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        """Start it; its log goes on."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [Path(sys.executable).with_name(self.command[0]), *self.command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=ROOT,
            )
        self.reaper.watch_process(self.process.pid)

    def run(self) -> None:
        """Start it and wait for its end."""
        self.start()
        if self.process is not None and self.process.wait(READY_S) != 0:
            raise TrialError(f"{self.name} failed: {self.last_words()}")

    def kill(self) -> None:
        """Kill -9."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> None:
        """End it in order, or by force."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(READY_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def check(self) -> None:
        """Raise where it ended by itself."""
        if self.process is not None and self.process.poll() is not None:
            raise TrialError(f"{self.name} ended by itself ({self.process.returncode}): {self.last_words()}")

    def last_words(self) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
