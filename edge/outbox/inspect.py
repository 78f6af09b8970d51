"""Looks into an outbox file that no agent holds, and changes nothing of it: for whoever wants to know what is wrong."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from edge.contracts import Stream
from edge.outbox.errors import OutboxUnavailableError
from edge.outbox.file import is_damage, unavailable
from edge.outbox.port import STREAMS
from edge.outbox.queries import QUERIES, SCHEMA_VERSION
from edge.outbox.rules import Coverage

LOOK_S: Final = 20.0
"""Two gibibytes on an SD card take minutes to read whole; what was read by then is believed."""
STEPS: Final = 10_000
"""Of SQLite's machine between two looks at the clock."""


class Waiting(NamedTuple):
    """What waits in one stream."""

    stream: Stream
    pending: int
    oldest_us: int | None
    dropped: int


class OutboxFound(NamedTuple):
    """What was found: `damage` in SQLite's words, empty where the file is sound; `whole` if all of it was looked at."""

    damage: str
    layout: int
    whole: bool
    waiting: tuple[Waiting, ...]

    @property
    def known(self) -> bool:
        """Whether this version knows the file's layout."""
        return self.layout in {0, SCHEMA_VERSION}


def inspect(path: Path, *, look_s: float = LOOK_S) -> OutboxFound:
    """Look into the file at `path`, which is there; `OutboxUnavailableError` where it can't be read now."""
    until_s = time.monotonic() + look_s
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=1.0)) as db:
            layout = int(db.execute("PRAGMA user_version").fetchone()[0])
            damage, whole = _check(db, until_s)
            waiting = () if damage or layout != SCHEMA_VERSION else tuple(_waiting(db, one) for one in STREAMS)
            return OutboxFound(damage, layout, whole, waiting)
    except sqlite3.Error as error:
        if is_damage(error):
            return OutboxFound(str(error), 0, whole=True, waiting=())
        raise unavailable(path, error) from error
    except (msgspec.DecodeError, TypeError, ValueError) as error:
        raise OutboxUnavailableError(f"outbox {path}: its notes can't be read: {error}") from error


def _check(db: sqlite3.Connection, until_s: float) -> tuple[str, bool]:
    """Return the first damage that SQLite finds, and whether it could look at everything in time."""
    db.set_progress_handler(lambda: time.monotonic() > until_s, STEPS)
    try:
        found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return "", False
    finally:
        db.set_progress_handler(None, STEPS)
    return ("" if found == "ok" else str(found)), True


def _waiting(db: sqlite3.Connection, stream: Stream) -> Waiting:
    row = db.execute(QUERIES["get_stream"], {"stream": stream}).fetchone()
    if row is None:
        return Waiting(stream, 0, None, 0)
    _, written, upto, above, dropped = row
    coverage = Coverage(upto, tuple(msgspec.json.decode(above, type=list[tuple[int, int]])))
    with closing(db.execute(QUERIES["written_at"], {"stream": stream, "after": upto})) as found:
        oldest_us = next((written_us for seq, written_us in found if seq not in coverage), None)
    return Waiting(stream, written - coverage.size, oldest_us, dropped)
