"""`stockgate-edge` with two things of the machine in the trial's hand: its clock, and whether its disk may be written.

The product has no such seams. A step of the machine's clock would disturb everything on it, so the one clock that the
agent's parts are given is wrapped. A file system that has gone read-only answers every write with an error that SQLite
tells as SQLITE_READONLY; `PRAGMA query_only` makes it tell the same, whereas a remount is refused by the kernel while
a file is open for writing.

`python -m tests.chaos.agent_child SWITCHES run --config …`; SWITCHES is the file that `Switches` writes.
"""

import json
import sqlite3
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from edge import cli
from edge.agent import compose
from edge.outbox import file

LOOK_S: Final = 0.1


@dataclass
class Switches:
    """What the trial does to the agent's machine."""

    clock_offset_us: int = 0
    read_only: bool = False

    def write(self, path: Path) -> None:
        """Write them for the agent, whole or not at all."""
        beside = path.with_suffix(".new")
        beside.write_text(json.dumps(asdict(self)))
        beside.replace(path)

    def follow(self, path: Path) -> None:
        """Take what the trial has written, for ever."""
        while True:
            with suppress(OSError, ValueError):
                for name, value in json.loads(path.read_text()).items():
                    setattr(self, name, value)
            time.sleep(LOOK_S)


class Connection:
    """An SQLite connection whose transactions find the disk read-only while the switch says so."""

    def __init__(self, db: sqlite3.Connection, switches: Switches) -> None:
        self._db, self._switches = db, switches

    def __getattr__(self, name: str) -> Any:  # everything else is the connection's own
        return getattr(self._db, name)

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Execute; each transaction begins with a look at the switch."""
        if sql.startswith("BEGIN"):
            self._db.execute(f"PRAGMA query_only = {int(self._switches.read_only)}")
        return self._db.execute(sql, *values)


def main() -> None:
    """Put the switches in and be the agent."""
    path = Path(sys.argv.pop(1))
    switches, opened, clock = Switches(), file.connect, compose.now_us
    threading.Thread(target=switches.follow, args=(path,), daemon=True).start()
    compose.now_us = lambda: clock() + switches.clock_offset_us
    file.connect = lambda where: Connection(opened(where), switches)
    cli.app(prog_name="stockgate-edge")


if __name__ == "__main__":
    main()
