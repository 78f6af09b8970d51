"""Where a replay's rows go: standard output as they are decided, or a file that is there whole or not at all."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from edge.contracts import MovementRow, encode

STDOUT: Final = Path("-")


class RowsError(Exception):
    """The rows can't be written; the message says where to, and why. Errors of what is read are others."""


class RowsOut:
    """Takes rows, one JSON object a line.

    A file takes its name when all rows are in it; when the replay is given up, what was there before stays. A pipe or a
    device is written to at once, like standard output.

    Args:
        path: the file, `-` for standard output.
        provisionals: whether rows that are not final are wanted.

    Raises:
        RowsError: from all but the constructor, where the rows can't be written.
        BrokenPipeError: who read the rows has gone.
    """

    def __init__(self, path: Path, *, provisionals: bool) -> None:
        self._path, self._provisionals = path, provisionals
        self._at_once = path == STDOUT or (path.exists() and not path.is_file())
        self._part = path.parent / f".{path.name}.part"
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        if self._path != STDOUT:
            with self._named():
                self._file = (self._path if self._at_once else self._part).open("wb")
        elif sys.stdout is None:
            raise RowsError("standard output is closed: name a file with --out")
        return self

    def write(self, row: MovementRow) -> None:
        """Take the next row."""
        if not (row.final or self._provisionals):
            return
        with self._named():
            if self._file is None:
                sys.stdout.write(encode(row).decode() + "\n")
            else:
                self._file.write(encode(row) + b"\n")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._named() if kind is None else contextlib.suppress(OSError):
            self._end(whole=kind is None)

    def _end(self, *, whole: bool) -> None:
        if self._file is None:
            if whole:
                sys.stdout.flush()
            return
        try:
            self._file.close()
            if whole and not self._at_once:
                os.replace(self._part, self._path)  # noqa: PTH105 - says that an existing file is replaced
        finally:
            if not self._at_once:
                with contextlib.suppress(OSError):
                    self._part.unlink()

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Name what is written to where the system refuses it."""
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            name = "standard output" if self._path == STDOUT else self._path
            raise RowsError(f"{name}: cannot be written: {error.strerror or error}") from error
