"""Nonces that were used, in a file that outlives the agent: a command is noted before it is carried out.

The file has one line a nonce, `nonce expires_us`, and first a line `floor expires_us`: what expires by then is refused,
whatever its nonce. So nothing is forgotten when old lines go, even if the clock is set back.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from edge.commands.errors import NoncesError, NotNotedError

MOST_KEPT: Final = 4096
"""A command is valid for a minute at most, and nobody gives four thousand in one."""
_FLOOR: Final = "floor"


class Nonces:
    """The used nonces of one gateway; `use` writes to disk, so call it off the event loop.

    Args:
        file: where they are kept; its folder exists.
        most: lines beyond which the older half goes, and the floor rises.
    """

    def __init__(self, file: Path, *, most: int = MOST_KEPT) -> None:
        self._file, self._most = file, most
        self._used: dict[str, int] = {}
        self._floor_us = 0
        self._loaded = False

    def use(self, nonce: str, expires_us: int) -> None:
        """Note a nonce as used, on disk when this returns.

        Raises:
            NoncesError: it was used, or it expired before what is remembered.
            NotNotedError: the disk can't take it.
        """
        try:
            self._load()
            if nonce in self._used:
                raise NoncesError("this command was given before: give a new one")
            if expires_us <= self._floor_us:
                raise NoncesError("this command is older than what is remembered of used ones: give a new one")
            if len(self._used) >= self._most:
                self._forget()
            _append(self._file, _line(nonce, expires_us))
        except OSError as error:
            raise NotNotedError(
                f"it can't be noted that the command was used ({self._file}: {error.strerror or error}), so it is not "
                "carried out: free or mend the disk"
            ) from error
        self._used[nonce] = expires_us

    def _load(self) -> None:
        """Read the file once; a line that a power cut tore belongs to a command that was not carried out."""
        if self._loaded:
            return
        with suppress(FileNotFoundError):
            for line in self._file.read_text("ascii", "replace").splitlines():
                name, _, told = line.partition(" ")
                if not told.isascii() or not told.isdigit():
                    continue
                if name == _FLOOR:
                    self._floor_us = int(told)
                else:
                    self._used[name] = int(told)
        self._loaded = True

    def _forget(self) -> None:
        """Let the half that expires first go, and refuse from now on whatever expires as early."""
        ordered = sorted(self._used.items(), key=lambda one: one[1])
        gone, kept = ordered[: self._most // 2], ordered[self._most // 2 :]
        floor_us = max(self._floor_us, gone[-1][1])
        partial = self._file.with_name(f"{self._file.name}.partial")
        partial.unlink(missing_ok=True)
        _append(partial, _line(_FLOOR, floor_us) + "".join(_line(*one) for one in kept))
        partial.replace(self._file)
        self._used, self._floor_us = dict(kept), floor_us


def _line(name: str, expires_us: int) -> str:
    return f"{name} {expires_us}\n"


def _append(file: Path, text: str) -> None:
    """Write on a line of its own, since a power cut may have torn the last; on disk when this returns."""
    new = not file.exists()
    with file.open("a", encoding="ascii") as stream:
        stream.write(text if new else f"\n{text}")
        stream.flush()
        os.fsync(stream.fileno())
    if new:
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
