"""Edge agents as processes of a run: one a gateway, with its configuration, outbox and log in a private folder."""

import asyncio
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from simulator.runs.errors import RunError

STOP_S: Final = 20.0
"""An agent that stops in order waits 5 s for its last events to be confirmed, and says goodbye to its readers."""
LAST_WORDS: Final = 5
_WRITTEN: Final = "SELECT epoch, written FROM stream WHERE name = 'movement'"


class Written(NamedTuple):
    """How many movement rows an agent has written into its outbox, and in which epoch."""

    epoch: str
    rows: int


class Agent:
    """One agent.

    Args:
        gateway: its name.
        folder: a folder of its own.
        config: what its `edge.toml` says.
    """

    def __init__(self, gateway: str, folder: Path, config: str) -> None:
        self.gateway, self.log = gateway, folder / "log"
        self._folder, self._config = folder, config
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it; it dials readers and broker by itself.

        Raises:
            RunError: `stockgate-edge` isn't installed.
        """
        self._folder.mkdir(mode=0o700)
        config = self._folder / "edge.toml"
        config.write_text(self._config, "utf-8")
        words = [_program(), "run", "--config", str(config), "--data-dir", str(self._folder / "data")]
        leash = [sys.executable, "-m", "simulator.runs.leash", str(os.getpid())]
        with self.log.open("wb") as log:
            # A session of its own: a Control-C at the terminal is for us alone, who end it in order.
            self._process = await asyncio.create_subprocess_exec(
                *leash, *words, stdout=log, stderr=log, start_new_session=True
            )

    def check(self) -> None:
        """Raise `RunError` with its last words where it has ended."""
        if self._process is not None and self._process.returncode is not None:
            raise RunError(f"the agent of gateway {self.gateway} ended (status {self._process.returncode}): {self.end}")

    @property
    def end(self) -> str:
        """Last lines of its log."""
        try:
            lines = self.log.read_text("utf-8", "replace").splitlines()
        except OSError:
            return "it left no log"
        return " | ".join(lines[-LAST_WORDS:]) or "it said nothing"

    def written(self) -> Written | None:
        """What its outbox holds of movements, sent or not; None where it has none that can be read.

        The agent may run or have ended: the file is only looked at.
        """
        file = self._folder / "data" / "outbox.db"
        try:
            with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as outbox:
                found = outbox.execute(_WRITTEN).fetchone()
        except sqlite3.Error:
            return None
        return None if found is None else Written(*found)

    async def stop(self) -> bool:
        """End it in order, or by force where it takes too long; whether it ended in order."""
        process = self._process
        if process is None or process.returncode is not None:
            return process is None
        process.terminate()
        try:
            return await asyncio.wait_for(process.wait(), STOP_S) == 0
        except TimeoutError:
            process.kill()
            await process.wait()
            return False


async def stop_all(agents: Iterable[Agent]) -> list[str]:
    """End all agents together; returns the gateways of those that had to be forced, or ended with a failure."""
    listed = list(agents)
    ended = await asyncio.gather(*(agent.stop() for agent in listed))
    return [agent.gateway for agent, orderly in zip(listed, ended, strict=True) if not orderly]


def _program() -> str:
    """Path of `stockgate-edge`: beside this Python, else wherever the shell finds it."""
    beside = Path(sys.executable).with_name("stockgate-edge")
    found = str(beside) if beside.is_file() else shutil.which("stockgate-edge")
    if found is None:
        raise RunError("stockgate-edge is not installed here: install the extra 'edge' beside the simulator")
    return found
