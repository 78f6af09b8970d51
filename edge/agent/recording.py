"""The file that a recording goes to. The agent must not fall over it: a full disk ends the recording, nothing else."""

import time
from pathlib import Path
from typing import Final, Self

from structlog.typing import FilteringBoundLogger

FLUSH_S: Final = 1.0
"""A recording is whole but for this much when the power goes; a write for each packet would wear a memory card."""


class RecordingFile:
    """Takes bytes until it is full or the disk is; says once when it ends before its time.

    Args:
        path: the file; what is there is replaced.
        max_bytes: the recording ends before it is larger.
        log: logger.

    Raises:
        OSError: from the constructor alone, where the file can't be made.
    """

    def __init__(self, path: Path, *, max_bytes: int, log: FilteringBoundLogger) -> None:
        self._path, self._max_bytes, self._log = path, max_bytes, log
        self._file = path.open("wb")
        self._flushed_s = time.monotonic()
        self._ended = False
        self.written = 0
        self.left_out = 0

    def write(self, data: bytes) -> None:
        """Take a block; a block is written whole or, once the recording has ended or was closed, not at all."""
        if self._ended or self.written + len(data) > self._max_bytes:
            self.left_out += len(data)
            self._end(f"it would be larger than {self._max_bytes / 1e6:,.0f} MB")
            return
        try:
            self._file.write(data)
            if time.monotonic() - self._flushed_s > FLUSH_S:
                self._flushed_s = time.monotonic()
                self._file.flush()
        except OSError as error:
            self.left_out += len(data)
            self._end(error.strerror or str(error))
            return
        self.written += len(data)

    def _end(self, why: str) -> None:
        if not self._ended:
            self._ended = True
            self._log.warning("recording ended, the agent goes on", file=str(self._path), reason=why)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._file.close()
        except OSError as error:
            self._end(error.strerror or str(error))
        self._ended = True  # a connection that ends later still tells its tap
        if self.left_out:
            self._log.warning("recording is not whole", file=str(self._path), left_out_bytes=self.left_out)
        self._log.info("recording closed", file=str(self._path), bytes=self.written)
