"""The file of a capture: nobody else can read it, it has no name, and it gives way where the disk is nearly full.

A file without a name is gone when the agent ends, however it ends: `kill -9` and a power cut leave nothing to tidy.
"""

import asyncio
import os
from hashlib import sha256
from pathlib import Path
from struct import Struct
from tempfile import TemporaryFile
from typing import Final, Self

from edge.agent.machine import disk
from edge.llrp.capture.pcapng import ENHANCED_PACKET

LOOK_EVERY_BYTES: Final = 256 * 1024
"""The disk is asked how full it is after so much was written."""
BLOCK_BYTES: Final = 64 * 1024
_BLOCK_HEAD: Final = Struct("<II")


class DiskFullError(Exception):
    """The disk is nearly full, or takes no more; the message says so with figures."""


class CaptureFile:
    """Takes pcapng blocks until it is full; a context whose end gives the disk back what it took.

    Args:
        folder: where the disk is taken from.
        max_bytes: it ends before it is larger.
        keep_free_bytes: what others must find free on the disk at any time.

    Raises:
        DiskFullError: from the constructor, where there is no room or no file can be made.
    """

    def __init__(self, folder: Path, *, max_bytes: int, keep_free_bytes: int) -> None:
        self._folder, self._max_bytes, self._keep_free_bytes = folder, max_bytes, keep_free_bytes
        self._hash, self._look_at = sha256(), LOOK_EVERY_BYTES
        self.bytes = self.packets = 0
        self.full = False
        self.problem = ""
        self.over = asyncio.Event()
        """Set once nothing more is taken: `full` or `problem` says why."""
        self.check_disk()
        try:
            self._file = TemporaryFile(dir=folder)  # noqa: SIM115 (this class is the context)
        except OSError as error:
            raise DiskFullError(f"no file can be made in {folder}: {error.strerror or error}") from error

    def check_disk(self) -> None:
        """Raise `DiskFullError` where less is free than must be."""
        _, free, _ = disk(self._folder)
        if free is not None and free < self._keep_free_bytes:
            raise DiskFullError(
                f"the disk is nearly full: {free:,} bytes are free, {self._keep_free_bytes:,} are kept for events"
            )

    def write(self, data: bytes) -> None:
        """Take whole blocks; all of them or, once it is over, none. Never raises."""
        if self.over.is_set():
            return
        if self.bytes + len(data) > self._max_bytes:
            self.full = True
            self.over.set()
            return
        try:
            if self.bytes >= self._look_at:
                self._look_at = self.bytes + LOOK_EVERY_BYTES
                self.check_disk()
            self._file.write(data)
        except DiskFullError as error:
            self._fail(str(error))
        except OSError as error:
            self._fail(f"the disk takes no more: {error.strerror or error}")
        else:
            self._hash.update(data)
            self.bytes += len(data)
            self.packets += _packets(data)

    def seal(self) -> str:
        """Write out what is in memory, and return the SHA-256 of the whole in hex; or raise `DiskFullError`."""
        self.over.set()
        try:
            self._file.flush()
        except OSError as error:
            self._fail(f"the disk takes no more: {error.strerror or error}")
        if self.problem:
            raise DiskFullError(self.problem)
        return self._hash.hexdigest()

    def read(self, at: int) -> bytes:
        """Return some of the sealed file from a place on; nothing at its end. `DiskFullError` once it must give way."""
        self.check_disk()
        return os.pread(self._file.fileno(), BLOCK_BYTES, at)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        try:
            self._file.close()
        except OSError:
            return  # what could not be written is of no use any more

    def _fail(self, problem: str) -> None:
        self.problem = self.problem or problem
        self.over.set()


def _packets(data: bytes) -> int:
    """Count the packets among whole blocks of our own writing."""
    at = count = 0
    while at < len(data):
        kind, size = _BLOCK_HEAD.unpack_from(data, at)
        count += kind == ENHANCED_PACKET
        at += size
    return count
