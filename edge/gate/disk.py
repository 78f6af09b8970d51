"""What is kept of the snapshot on disk, so that a kill or a power cut at any point leaves the old or the new, whole.

Files in one folder: `parts-{generation}` (a block, see `parts`), `manifest` and `delta` (as they were signed), `uses`,
`counters` (which delta was kept last: written behind it, so that one that is gone is missed).
Each is written beside, synced and renamed. The manifest names its block by its generation and is renamed last, which is
the commit; a block without its manifest is dropped at the next start. A delta of another generation counts for nothing.
"""

import mmap
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from edge.gate.parts import Block

MANIFEST: Final = "manifest"
DELTA: Final = "delta"
COUNTERS: Final = "counters"
USES: Final = "uses"
_PARTS: Final = "parts-"
_PARTIAL: Final = ".partial"
_READ_BYTES: Final = 1024 * 1024


class GateFiles:
    """The folder of one gateway's snapshot; what the disk refuses raises `OSError`.

    Args:
        folder: made when something is written for the first time.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> bytes | None:
        """Return a file's bytes, None where it isn't there; an empty one is another thing."""
        with suppress(FileNotFoundError):
            return (self._folder / name).read_bytes()
        return None

    def write(self, name: str, payload: bytes) -> None:
        """Put a file in place of the old one; on disk when this returns."""
        self._write(name, (payload,))

    def map_block(self, generation: int) -> Block | None:
        """Return a generation's block, mapped, or None where there is none.

        It is read once before: what a worn card doesn't give is an error then, whereas a mapped page of it would end
        the process without a word, at every start.
        """
        with suppress(FileNotFoundError, ValueError), (self._folder / f"{_PARTS}{generation}").open("rb") as file:
            while file.read(_READ_BYTES):
                pass
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        return None

    def write_block(self, generation: int, pieces: Iterable[Block]) -> None:
        """Write a generation's block; it counts only once its manifest is there."""
        self._write(f"{_PARTS}{generation}", pieces)

    def tidy(self, generation: int) -> None:
        """Drop the blocks of other generations; who has one mapped keeps it."""
        with suppress(OSError):
            for file in self._folder.iterdir():
                if file.name.startswith(_PARTS) and file.name != f"{_PARTS}{generation}":
                    file.unlink(missing_ok=True)

    def _write(self, name: str, pieces: Iterable[Block]) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = self._folder / f"{name}{_PARTIAL}"
        try:
            with partial.open("wb") as file:
                file.writelines(pieces)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._folder / name)
        except OSError:
            with suppress(OSError):
                partial.unlink()
            raise
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
