"""The files of an offline run: recordings with their digests, configurations, and where each is written."""

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from edge.llrp.capture import RecordingNote, header, to_comment
from simulator.runs.errors import OptionError, RunError
from simulator.runs.places import Place
from simulator.scenarios.model import Scenario
from simulator.scenarios.space import GatewayPart

HOST: Final = "127.0.0.1"
FIRST_PORT: Final = 5084


class RecordingFile:
    """A pcapng file as `stockgate-edge record` writes it; its digest is known when all is written.

    It has its name once it is whole; a pipe or a device is written to at once.

    Raises:
        RunError: it exists with something in it, or can't be written.
    """

    def __init__(self, path: Path, gateway: str) -> None:
        self.path = path
        self.size = 0
        self._digest = hashlib.sha256()
        if path.is_file() and path.stat().st_size:
            raise RunError(f"{path}: exists already: name another file, or delete that one")
        self._part = _part_of(path)
        try:
            self._file = self._part.open("wb")
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
        """End the file, and give it its name."""
        try:
            self._file.close()
            if self._part != self.path:
                self._part.replace(self.path)
        except OSError as error:
            raise RunError(f"{self.path}: can't be written: {error.strerror or error}") from error

    def discard(self) -> None:
        """End the file and remove it: what isn't whole shall not look so."""
        with contextlib.suppress(OSError):
            self._file.close()  # a full disk refuses what is still buffered
        with contextlib.suppress(OSError):
            if self._part != self.path:
                self._part.unlink()


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


@contextlib.contextmanager
def texts(wanted: Mapping[Path, str]) -> Iterator[None]:
    """Write small files before the work that they belong to, and name them after it; none stays where it fails.

    Raises:
        RunError: one can't be written.
    """
    parts = {path: _part_of(path) for path in wanted}
    at = Path()
    try:
        try:
            for at, part in parts.items():
                part.write_text(wanted[at])
        except OSError as error:
            raise RunError(f"{at}: can't be written: {error.strerror or error}") from error
        yield
        try:
            for at, part in parts.items():
                if part != at:
                    part.replace(at)
        except OSError as error:
            raise RunError(f"{at}: can't be written: {error.strerror or error}") from error
    finally:
        for at, part in parts.items():
            if part != at:
                with contextlib.suppress(OSError):
                    part.unlink()


def _part_of(path: Path) -> Path:
    """Return where a file is written until it is whole; a terminal or a pipe is itself, and a folder is refused."""
    return path if path.exists() and not path.is_file() else path.parent / f".{path.name}.part"


def virtual_places(scenario: Scenario) -> dict[str, Place]:
    """Return where the readers of a recording stand: one address, a port each."""
    return {reader.id: Place(HOST, FIRST_PORT + index) for index, reader in enumerate(scenario.readers)}
