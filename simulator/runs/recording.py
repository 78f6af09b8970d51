"""The files of an offline run: recordings with their digests, configurations, and where each is written."""

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from edge.llrp.capture import RecordingNote, header, to_comment
from simulator.runs.errors import OptionError, RunError
from simulator.runs.places import Place
from simulator.scenarios.model import Scenario
from simulator.scenarios.space import GatewayPart
from simulator.truth import write_atomically

HOST: Final = "127.0.0.1"
FIRST_PORT: Final = 5084


class RecordingFile:
    """A pcapng file as `stockgate-edge record` writes it; its digest is known when all is written.

    Raises:
        RunError: it exists with something in it, or can't be written.
    """

    def __init__(self, path: Path, gateway: str) -> None:
        self.path = path
        self.size = 0
        self._digest = hashlib.sha256()
        if path.is_file() and path.stat().st_size:
            raise RunError(f"{path}: exists already: name another file, or delete that one")
        try:
            self._file = path.open("wb")
        except OSError as error:
            raise RunError(f"{path}: can't be written: {error.strerror or error}") from error
        program = version("stockgate")
        note = RecordingNote(version=program, gateway=gateway)
        self.write(header(application=f"stockgate-sim {program}", comments=[to_comment(note)]))

    @property
    def sha256(self) -> str:
        """Digest of what was written, in hexadecimal."""
        return self._digest.hexdigest()

    def write(self, data: bytes) -> None:
        """Write blocks.

        Raises:
            RunError: the disk doesn't take them.
        """
        try:
            self._file.write(data)
        except OSError as error:
            raise RunError(f"{self.path}: can't be written: {error.strerror or error}") from error
        self._digest.update(data)
        self.size += len(data)

    def close(self) -> None:
        """End the file."""
        try:
            self._file.close()
        except OSError as error:
            raise RunError(f"{self.path}: can't be written: {error.strerror or error}") from error

    def discard(self) -> None:
        """End the file and remove it: what isn't whole shall not look so."""
        with contextlib.suppress(OSError):
            self._file.close()  # a full disk refuses what is still buffered
        with contextlib.suppress(OSError):
            if self.path.is_file():
                self.path.unlink()


@contextlib.contextmanager
def recordings(path: Path, gateways: Sequence[GatewayPart]) -> Iterator[dict[str, RecordingFile]]:
    """Open each gateway's recording, by its name; all of them end whole, or none stays.

    Raises:
        RunError: one can't be written.
    """
    files: dict[str, RecordingFile] = {}
    try:
        for gateway in gateways:
            files[gateway.id] = RecordingFile(file_of(path, gateway, gateways), gateway.id)
        yield files
        for file in files.values():
            file.close()
    except BaseException:
        for file in files.values():
            file.discard()
        raise


def file_of(path: Path, gateway: GatewayPart, gateways: Sequence[GatewayPart]) -> Path:
    """Return a gateway's own file: `path` where it is the only one, else with its name before the ending."""
    return path if len(gateways) == 1 else path.with_name(f"{path.stem}-{gateway.id}{path.suffix}")


def keep_apart(named: Iterable[tuple[str, Path | None]]) -> None:
    """Refuse to write two things into one file; `named` are options with their files, or without.

    Raises:
        OptionError: two are the same file.
    """
    taken: dict[Path, str] = {}
    for option, path in named:
        if path is None:
            continue
        if (real := path.resolve()) in taken:
            raise OptionError(f"{taken[real]} and {option} would both be written to {path}: name two files")
        taken[real] = option


def write_text(path: Path, text: str) -> None:
    """Write a small file, whole or not at all.

    Raises:
        RunError: it can't be written.
    """
    try:
        write_atomically(path, text.encode())
    except OSError as error:
        raise RunError(f"{path}: can't be written: {error.strerror or error}") from error


def virtual_places(scenario: Scenario) -> dict[str, Place]:
    """Return where the readers of a recording stand: one address, a port each."""
    return {reader.id: Place(HOST, FIRST_PORT + index) for index, reader in enumerate(scenario.readers)}
