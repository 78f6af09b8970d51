"""The outbox's file: one holder, opened with the promises that it needs, set aside when it is damaged."""

import fcntl
import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from edge.contracts import Stream
from edge.outbox.errors import OutboxError, OutboxInUseError, OutboxUnavailableError
from edge.outbox.port import STREAMS, OpenRecord
from edge.outbox.queries import SCHEMA, SCHEMA_VERSION
from edge.outbox.rules import Coverage, covered_by, gap

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700
"""Who carried what, when and with whose badge is nobody else's on this machine."""
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_ADVICE: Final = {
    sqlite3.SQLITE_FULL: "the disk is full: free space on it",
    sqlite3.SQLITE_READONLY: "it is read-only: remount it or mend its permissions",
    sqlite3.SQLITE_IOERR: "the disk gave an input/output error: check the SD card",
    sqlite3.SQLITE_CANTOPEN: "it can't be opened: check that the folder exists and may be written",
}
_FROM_THE_START: Final = "SELECT seq, payload FROM outbox_row WHERE stream = ? AND seq > ? ORDER BY seq"
_FROM_THE_END: Final = f"{_FROM_THE_START} DESC"


class Salvage(NamedTuple):
    """What could be read of a damaged file."""

    rows: dict[Stream, list[bytes]]
    open_passages: list[OpenRecord]
    lost: dict[Stream, int]  # rows that could not be read; gap rows stand among `rows` in their place


def hold(path: Path) -> int:
    """Become the only holder of the outbox at `path`; return the descriptor that holds it."""
    lock = path.with_name(f"{path.name}.lock")
    try:
        path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    except OSError as error:
        raise OutboxUnavailableError(
            f"outbox {path}: {error.strerror}: choose a data directory you may write"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise OutboxInUseError(
            f"outbox {path} is held by another agent: stop that one or use another --data-dir"
        ) from error
    return descriptor


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, make its tables where it is new, and return a connection that makes every commit durable."""
    with suppress(OSError):  # SQLite says below what is wrong; its log gets the mode that the file has
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE))
    db = sqlite3.connect(path, timeout=10.0, isolation_level=None, check_same_thread=False)
    try:
        layout = _known_layout(db, path)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        if layout == 0:
            db.executescript(f"BEGIN IMMEDIATE;\n{SCHEMA}\nCOMMIT;")
    except BaseException:
        db.close()
        raise
    return db


def set_aside(path: Path, at_us: int) -> Path:
    """Rename a damaged file with its companions and return its new path."""
    aside = path.with_name(f"{path.name}.damaged-{at_us}")
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside


def salvage(path: Path) -> Salvage:
    """Read what can be read of a damaged file: the rows beyond the last watermark, on both sides of the damage."""
    found = Salvage({stream: [] for stream in STREAMS}, [], dict.fromkeys(STREAMS, 0))
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as db:
        for stream in STREAMS:
            mark = _read_mark(db, stream)
            rows = _read_rows(db, stream, mark.coverage.upto)
            _declare(found, stream, rows, mark)
        with suppress(sqlite3.Error):
            found.open_passages.extend(
                OpenRecord(str(passage), bytes(payload))
                for passage, payload in db.execute("SELECT passage, payload FROM open_passage")
            )
    return found


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether an error says that the file is no sound database."""
    return _primary(error) in _DAMAGED


def unavailable(path: Path, error: sqlite3.Error) -> OutboxUnavailableError:
    """Say what is wrong with the store and what to do."""
    advice = _ADVICE.get(_primary(error), "nothing was written; it is tried again")
    return OutboxUnavailableError(f"outbox {path}: {error}: {advice}")


def _known_layout(db: sqlite3.Connection, path: Path) -> int:
    """Return the file's layout, 0 where it is new; one that we don't know is left as it is."""
    layout = int(db.execute("PRAGMA user_version").fetchone()[0])
    if layout not in {0, SCHEMA_VERSION}:
        raise OutboxError(
            f"outbox {path} has layout {layout}, this agent knows {SCHEMA_VERSION}: "
            "run the version that wrote it until the central has everything"
        )
    return layout


def _primary(error: sqlite3.Error) -> int:
    """Return the primary result code; extended codes carry it in their low byte."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


class _Mark(NamedTuple):
    """The last number given, and what the central holds."""

    written: int
    coverage: Coverage


def _read_mark(db: sqlite3.Connection, stream: Stream) -> _Mark:
    with suppress(sqlite3.Error, msgspec.DecodeError, TypeError, ValueError):
        for written, upto, above in db.execute("SELECT written, upto, above FROM stream WHERE name = ?", (stream,)):
            ranges = msgspec.json.decode(above, type=list[tuple[int, int]])
            return _Mark(int(written), Coverage(int(upto), tuple(ranges)))
    return _Mark(0, Coverage())


def _read_rows(db: sqlite3.Connection, stream: Stream, upto: int) -> dict[int, bytes]:
    """Read the rows beyond the last watermark from both ends towards the damage."""
    rows: dict[int, bytes] = {}
    for query in (_FROM_THE_START, _FROM_THE_END):
        with suppress(sqlite3.Error):
            for seq, payload in db.execute(query, (stream, upto)):
                if seq in rows:
                    break
                rows[seq] = bytes(payload)
    return rows


def _declare(found: Salvage, stream: Stream, rows: dict[int, bytes], mark: _Mark) -> None:
    """Take the rows in their order, with a gap row where numbers were given that could not be read."""
    next_seq = mark.coverage.upto + 1
    for seq in [*sorted(rows), mark.written + 1]:
        first = covered_by(seq, rows[seq]).start if seq in rows else seq
        lost = sum(number not in mark.coverage for number in range(next_seq, first))
        if lost:
            found.rows[stream].append(gap(1, 1, "lost in a damaged outbox file", lost))
            found.lost[stream] += lost
        if seq in rows:
            found.rows[stream].append(rows[seq])
        next_seq = seq + 1
