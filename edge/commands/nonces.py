"""Nonces that were used, in a file that outlives the agent: a command is noted before it is carried out.

The file has one line a nonce, `nonce expires_us`, and first a line `floor expires_us`: what expires by then is refused,
whatever its nonce. So nothing is forgotten when old lines go, even if the clock is set back.
A file that is damaged is set aside and begun anew with a floor that no command given so far expires beyond.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from edge.commands.errors import NoncesError, NotNotedError
from edge.contracts.commands import MAX_VALIDITY_US

MOST_KEPT: Final = 4096
"""A command is valid for a minute at most, and nobody gives four thousand in one."""
_FLOOR: Final = "floor"
MOST_DIGITS: Final = 18
"""The year 9999 in microseconds."""
FLOOR_AHEAD_US: Final = 86_400_000_000
"""A floor further ahead is none of ours, unless the clock was set back by as much."""
LATEST_US: Final = 2 * MAX_VALIDITY_US
"""How far ahead a command may expire that is valid now: it may be issued a minute ahead, and hold for another."""


class Nonces:
    """The used nonces of one gateway; `use` writes to disk, so call it off the event loop.

    Args:
        file: where they are kept; its folder exists.
        most: lines beyond which the older half goes, and the floor rises.
    """

    def __init__(self, file: Path, *, most: int = MOST_KEPT) -> None:
        self._file, self._most = file, most
        self._used: dict[str, int] = {}
        self._floor_us = self._damaged_until_us = 0
        self._loaded = False

    def use(self, nonce: str, expires_us: int, *, now_us: int) -> None:
        """Note a nonce as used, on disk when this returns.

        Raises:
            NoncesError: it was used, or it expired before what is remembered.
            NotNotedError: the disk can't take it.
        """
        try:
            self._load(now_us)
            if nonce in self._used:
                raise NoncesError("this command was given before: give a new one")
            if expires_us <= self._damaged_until_us:
                raise NoncesError(
                    f"{self._file} was damaged and is set aside, so this command may have been given before: "
                    "give a new one in two minutes"
                )
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

    def _load(self, now_us: int) -> None:
        """Read the file once; a line that a power cut tore belongs to a command that was not carried out."""
        if self._loaded:
            return
        with suppress(FileNotFoundError):
            try:
                self._floor_us, self._used = _read(self._file.read_bytes(), now_us)
            except ValueError:
                self._begin_anew(now_us)
        self._loaded = True

    def _begin_anew(self, now_us: int) -> None:
        """Set the file aside; the new one is in its place before, so that a power cut never leaves none."""
        aside = self._file.with_name(f"{self._file.name}.damaged-{now_us}")
        floor_us = now_us + LATEST_US
        shutil.copyfile(self._file, aside)
        self._replace(_line(_FLOOR, floor_us))
        self._floor_us = self._damaged_until_us = floor_us

    def _forget(self) -> None:
        """Let the half that expires first go, and refuse from now on whatever expires as early."""
        ordered = sorted(self._used.items(), key=lambda one: one[1])
        gone, kept = ordered[: self._most // 2], ordered[self._most // 2 :]
        floor_us = max(self._floor_us, gone[-1][1])
        self._replace(_line(_FLOOR, floor_us) + "".join(_line(*one) for one in kept))
        self._used, self._floor_us = dict(kept), floor_us

    def _replace(self, text: str) -> None:
        partial = self._file.with_name(f"{self._file.name}.partial")
        partial.unlink(missing_ok=True)
        _append(partial, text)
        partial.replace(self._file)


def _read(text: bytes, now_us: int) -> tuple[int, dict[str, int]]:
    """Return the floor and the used nonces; `ValueError` for what no power cut leaves."""
    floor_us, used = 0, dict[str, int]()
    for line in text.decode("ascii").splitlines():
        name, _, told = line.partition(" ")
        if not told.isdigit():
            continue
        if len(told) > MOST_DIGITS:
            raise ValueError
        if name == _FLOOR:
            floor_us = int(told)
        else:
            used[name] = int(told)
    if floor_us > now_us + FLOOR_AHEAD_US:
        raise ValueError
    return floor_us, used


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
