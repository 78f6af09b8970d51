"""A configuration on trial, on disk: whatever ends the agent in the middle, the next start has one that works.

Beside `edge.toml` lie, while a trial goes on, `edge.toml.before`, the text that worked, and `edge.toml.trial`, a note
with the digests of both texts and whom to answer. They are written before `edge.toml` is replaced; the note's stage
`over` is what ends the trial for good. Each file is written beside its place, synced, and put there by one rename.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

import msgspec

from edge.contracts.commands import Argument

ENDED_MEANWHILE: Final = (
    "rolled back: the agent ended before it was clear whether it is well with this configuration; it runs with the one "
    "before"
)
NOT_BEGUN: Final = "the agent ended before it took this configuration: give the command again"
EDITED: Final = (
    "the agent ended during the trial and somebody has edited its configuration since: it runs with what they wrote"
)


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """The trial's note: digests of the texts, whose command it is, and once it is over what to answer."""

    before: str
    trial: str
    name: str
    nonce: str
    stage: Literal["trial", "over"] = "trial"
    problem: str = ""
    result: dict[str, Argument] = {}


@dataclass(frozen=True, slots=True)
class Settled:
    """What was found at a start: the text to run with, what is still to be answered, and what was done about it."""

    text: bytes
    untold: Note | None = None
    problem: str = ""


class TrialFiles:
    """The files around one configuration file; methods work with the disk and raise `OSError`.

    Args:
        path: the configuration file, no link.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._note = path.with_name(f"{path.name}.trial")
        self._kept = path.with_name(f"{path.name}.before")
        self._partial = path.with_name(f"{path.name}.new")

    def begin(self, before: bytes, after: bytes, *, name: str, nonce: str) -> Note:
        """Put a new text in the old one's place; where the disk refuses, everything is as it was."""
        note = Note(before=_digest(before), trial=_digest(after), name=name, nonce=nonce)
        try:
            self._put(self._kept, before)
            self._put(self._note, msgspec.json.encode(note))
            self._put(self._path, after)
        except OSError:
            with suppress(OSError):
                self._partial.unlink(missing_ok=True)
                if _digest(self._path.read_bytes()) == note.before:
                    self._remove()
            raise
        return note

    def end(self, note: Note, *, problem: str, result: dict[str, Argument], back_to: bytes | None = None) -> Note:
        """End the trial; `back_to` is the text that worked, where the new one is taken back. Return what to answer."""
        over = msgspec.structs.replace(note, stage="over", problem=problem, result=result)
        if back_to is not None:
            self._put(self._path, back_to)
        self._put(self._note, msgspec.json.encode(over))
        return over

    def forget(self, note: Note) -> None:
        """Remove what the trial has left, once it is answered."""
        found = self._read_note()
        if found is not None and found.nonce == note.nonce and found.stage == "over":
            self._remove()

    def end_open(self) -> bool:
        """End a trial that the disk let nobody end, since somebody has taken the file's text; tell if there was one."""
        found = self._read_note()
        if found is None or found.stage != "trial":
            return False
        self._remove()
        return True

    def is_open(self) -> bool:
        """Tell whether the file holds a trial's text that nobody has ended: the next start takes it back."""
        note = self._read_note()
        return note is not None and note.stage == "trial" and _digest(self._path.read_bytes()) == note.trial

    def settle(self) -> Settled:
        """Take up at a start what an earlier one left; an unfinished trial is taken back."""
        text = self._path.read_bytes()
        note = self._read_note()
        if note is None:
            return Settled(text)
        if note.stage == "over":
            return Settled(text, note)
        found = _digest(text)
        if found == note.before:
            return self._settled(note, text, NOT_BEGUN)
        if found != note.trial:
            return self._settled(note, text, EDITED)
        before = self._kept.read_bytes() if self._kept.exists() else b""
        if _digest(before) != note.before:
            return self._settled(note, text, f"{self._kept} is gone, so the trial's configuration stays")
        return self._settled(note, before, ENDED_MEANWHILE, back_to=before)

    def _settled(self, note: Note, text: bytes, problem: str, *, back_to: bytes | None = None) -> Settled:
        """End a trial as well as the disk allows: the agent runs with `text` even if it can't be written."""
        over = msgspec.structs.replace(note, stage="over", problem=problem)
        try:
            over = self.end(note, problem=problem, result={}, back_to=back_to)
        except OSError as error:
            return Settled(text, over, f"{problem}; {self._path} can't be written: {error.strerror or error}")
        return Settled(text, over, problem)

    def _read_note(self) -> Note | None:
        """Return the note, None where there is none; it is renamed into its place whole, so a torn one is nobody's."""
        try:
            return msgspec.json.decode(self._note.read_bytes(), type=Note)
        except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
            return None

    def _remove(self) -> None:
        """Remove the note first: without it what else lies there means nothing."""
        self._note.unlink(missing_ok=True)
        _sync(self._path.parent)
        self._kept.unlink(missing_ok=True)

    def _put(self, place: Path, text: bytes) -> None:
        """Write a file so that it is whole whenever the power goes, with the configuration's own mode."""
        mode = self._path.stat().st_mode & 0o777
        self._partial.unlink(missing_ok=True)
        descriptor = os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text)
            stream.flush()
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        self._partial.replace(place)
        _sync(place.parent)


def _digest(text: bytes) -> str:
    return sha256(text).hexdigest()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
