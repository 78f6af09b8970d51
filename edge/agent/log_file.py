"""A log file within a disk budget: four parts, of which the oldest goes when a new one begins.

A line that can't be written goes to standard error with the reason, once; how many were lost stands in the file when
it takes lines again.
"""

import errno
import json
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Final

PARTS: Final = 4
"""So that at most a quarter of what is kept goes at once."""


class BoundedFile:
    """What `structlog.PrintLogger` writes to; any thread may.

    Args:
        path: the newest part; older ones are called `path.1` to `path.3`.
        max_bytes: all parts together are never larger, but for one line that is longer by itself.
    """

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        self._path, self._part_bytes = path, max(max_bytes // PARTS, 1)
        self._lock = Lock()
        self._descriptor: int | None = None
        self._size = 0
        self._lost = 0
        self._open()

    def write(self, text: str) -> int:
        """Append a line; returns how many characters were given, whatever became of them."""
        line = text.encode("utf-8", "backslashreplace")
        with self._lock:
            try:
                self._append(line)
            except OSError as error:
                self._lose(text, error)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Let go of the file; a later line opens it again."""
        with self._lock:
            self._close()

    def _append(self, line: bytes) -> None:
        if self._descriptor is not None and not self._is_in_place(self._descriptor):
            self._close()
        if self._descriptor is None:
            self._open()
        if self._size and self._size + len(line) > self._part_bytes:
            self._turn()
        if self._lost:
            self._put(_told(self._lost))
            self._lost = 0
        self._put(line)

    def _put(self, line: bytes) -> None:
        descriptor = self._open() if self._descriptor is None else self._descriptor
        written = os.write(descriptor, line)
        if written < len(line):  # the disk was full in the middle of it: no half lines
            os.ftruncate(descriptor, self._size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += written

    def _is_in_place(self, descriptor: int) -> bool:
        """Tell whether the path still leads to what we write on; somebody may have moved or removed or emptied it."""
        ours = os.fstat(descriptor)
        self._size = ours.st_size
        try:
            return os.path.samestat(self._path.stat(), ours)
        except FileNotFoundError:
            return False

    def _open(self) -> int:
        """Open the newest part for appending and return its descriptor; `OSError` where that can't be."""
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        self._size = os.fstat(self._descriptor).st_size
        return self._descriptor

    def _turn(self) -> None:
        """Begin a new part; what is older moves up by one, and the oldest is written over."""
        self._close()
        for number in range(PARTS - 2, 0, -1):
            with suppress(FileNotFoundError):
                self._part(number).replace(self._part(number + 1))
        self._path.replace(self._part(1))
        self._open()

    def _part(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _lose(self, text: str, error: OSError) -> None:
        self._close()
        if not self._lost:
            why = f"log {self._path} can't be written: {error.strerror or error}: lines are lost until it can\n"
            sys.stderr.write(why + text)
        self._lost += 1


def _told(lost: int) -> bytes:
    at = datetime.now(UTC).isoformat()
    line = {"lost": lost, "event": "log lines could not be written", "level": "warning", "at": at}
    return json.dumps(line).encode() + b"\n"
