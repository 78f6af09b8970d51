"""A private folder of files by number: written beside their place, on disk before they have it."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO, Final

KEEP_FREE_BYTES: Final = 512 * 1024 * 1024
"""The database may lie on the same disk."""
WRITE_BYTES: Final = 256 * 1024
OLD_S: Final = 3600.0
"""No file is that long on its way: what is older, and nobody knows, was left by a process that died."""
SUFFIX: Final = ".pcapng"
PARTIAL: Final = ".partial"


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0  # another process was quicker


class FolderSheet:
    """`central.application.capturing.Sheet`: writes in threads, some at a time."""

    def __init__(self, stream: IO[bytes], partial: Path) -> None:
        self._stream, self._partial, self._folder = stream, partial, partial.parent
        self._held: list[bytes] = []
        self._held_bytes = 0

    async def write(self, data: bytes) -> None:
        """Write some."""
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes >= WRITE_BYTES:
            await asyncio.to_thread(self._write_held)

    async def keep(self, name: str) -> None:
        """Give the whole its place; it is on disk when this returns."""
        await asyncio.to_thread(self._keep, name)

    def _write_held(self) -> None:
        held, self._held, self._held_bytes = self._held, [], 0
        self._stream.write(b"".join(held))

    def _keep(self, name: str) -> None:
        self._write_held()
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._partial.replace(self._folder / f"{name}{SUFFIX}")
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class FolderShelf:
    """`central.application.capturing.Shelf` in a folder that is made when it is first wanted, for its owner alone."""

    def __init__(self, folder: Path, *, keep_free_bytes: int = KEEP_FREE_BYTES) -> None:
        self._folder, self._keep_free_bytes = folder, keep_free_bytes
        self._count = 0

    @asynccontextmanager
    async def sheet(self) -> AsyncIterator[FolderSheet]:
        """Begin a file; at the end its partial name is gone, whatever happened."""
        self._count += 1
        partial = self._folder / f"{os.getpid()}-{self._count}{PARTIAL}"
        stream = await asyncio.to_thread(self._open, partial)
        try:
            yield FolderSheet(stream, partial)
        finally:
            try:
                stream.close()
            finally:
                partial.unlink(missing_ok=True)

    def path(self, name: str) -> Path | None:
        """Return where a file lies, None where it doesn't."""
        found = self._folder / f"{name}{SUFFIX}"
        return found if found.is_file() else None

    async def room(self) -> int:
        """Return how many bytes may be written."""
        await asyncio.to_thread(self._make)
        return shutil.disk_usage(self._folder).free - self._keep_free_bytes

    async def drop(self, names: Collection[str]) -> None:
        """Delete files."""
        for name in names:
            await asyncio.to_thread((self._folder / f"{name}{SUFFIX}").unlink, missing_ok=True)

    async def tidy(self, names: Collection[str]) -> None:
        """Delete every file but these, and what an earlier process left half written, if it has lain for a while."""
        await asyncio.to_thread(self._tidy, {f"{name}{SUFFIX}" for name in names})

    def _tidy(self, kept: Collection[str]) -> None:
        if not self._folder.is_dir():
            return
        for path in self._folder.iterdir():
            if path.suffix in {SUFFIX, PARTIAL} and path.name not in kept and _age_s(path) > OLD_S:
                path.unlink(missing_ok=True)

    def _make(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _open(self, partial: Path) -> IO[bytes]:
        self._make()
        with suppress(FileNotFoundError):
            partial.unlink()
        return os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", closefd=True)
