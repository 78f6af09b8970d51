"""Where a replay's rows go: standard output as they are decided, or a file that is there whole or not at all."""

import contextlib
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from edge.contracts import MovementRow, encode

STDOUT: Final = Path("-")


class RowsOut:
    """Takes rows, one JSON object a line.

    A file takes its name when all rows are in it; when the replay is given up, what was there before stays. A pipe or a
    device is written to at once, like standard output.

    Args:
        path: the file, `-` for standard output.
        provisionals: whether rows that are not final are wanted.

    Raises:
        OSError: on entering and leaving, where the file can't be written.
    """

    def __init__(self, path: Path, *, provisionals: bool) -> None:
        self._path, self._provisionals = path, provisionals
        self._at_once = path == STDOUT or (path.exists() and not path.is_file())
        self._part = path.with_name(f".{path.name}.part")
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        if self._path != STDOUT:
            self._file = (self._path if self._at_once else self._part).open("wb")
        return self

    def write(self, row: MovementRow) -> None:
        """Take the next row."""
        if not (row.final or self._provisionals):
            return
        if self._file is None:
            sys.stdout.write(encode(row).decode() + "\n")
        else:
            self._file.write(encode(row) + b"\n")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is None:
            if kind is None:
                sys.stdout.flush()
            return
        try:
            self._file.close()
            if kind is None and not self._at_once:
                os.replace(self._part, self._path)  # noqa: PTH105 - says that an existing file is replaced
        finally:
            if not self._at_once:
                with contextlib.suppress(OSError):
                    self._part.unlink()
