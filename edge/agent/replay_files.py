"""The files of a replay: which there are, whose bytes they hold, and how they get into a `Replay`."""

import hashlib
import ipaddress
import re
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge.agent.address import parse_address
from edge.agent.replay import SLICE_BYTES, Replay, ReplayError
from edge.agent.replay_csv import CsvError, CsvReads
from edge.contracts import MovementRow
from edge.llrp import LlrpError
from edge.llrp.capture import CaptureReader, Judged, PacketTimes
from edge.readers import ReaderSettings

READ_BYTES: Final = 1024 * 1024
_NUMBERS: Final = re.compile(r"[0-9.]+")
PROGRESS_S: Final = 2.0
BARE_SUFFIX: Final = ".bin"
CSV_SUFFIX: Final = ".csv"
READS_AT_ONCE: Final = 4096
"""Reads of a CSV that go on at a time; how it is cut changes nothing."""
NAMED_PACKETS: Final = 3
"""So many damaged packets of a file are named one by one."""
Take = Callable[[Iterator[MovementRow]], None]


@dataclass(frozen=True, slots=True)
class Source:
    """What is replayed.

    Attributes:
        files: in the order of their time.
        readers: as configured.
        config: the file of the configuration, for messages.
        places: where each reader stands; see `Replay`.
        bare: the reader whose bytes and reads are those of files that don't say it; None where that is the only one.
    """

    files: Sequence[Path]
    readers: Sequence[ReaderSettings]
    config: Path
    places: dict[str, list[tuple[str, int | None]]]
    bare: str | None

    def play(self, known: Replay, take: Take, *, slice_bytes: int = SLICE_BYTES, reads: int = READS_AT_ONCE) -> bool:
        """Let a replay have all files; `take` gets the rows as they come. False where a part could not be read.

        Raises:
            ReplayError: something that the user must change.
        """
        whole, reads_in = True, CsvReads()
        for file in self.files:
            try:
                whole &= self._file(known, file, take, reads_in, (slice_bytes, reads))
            except OSError as error:
                if isinstance(error, BrokenPipeError):
                    raise
                raise ReplayError(f"{file}: cannot be read: {error.strerror or error}") from error
        take(known.finish())
        return whole

    def _file(self, known: Replay, file: Path, take: Take, reads_in: CsvReads, at_once: tuple[int, int]) -> bool:
        if file.suffix == CSV_SUFFIX:
            return self._csv(known, file, take, reads_in, at_once[1])
        with file.open("rb") as stream:
            if file.suffix == BARE_SUFFIX:
                data = stream.read()
                if not data:
                    raise ReplayError(f"{file}: is empty: there is nothing to replay")
                take(known.bare(self._owner(file), data, slice_bytes=at_once[0]))
                return True
            return _capture(known, file, iter(lambda: stream.read(READ_BYTES), b""), take)

    def _csv(self, known: Replay, file: Path, take: Take, reads_in: CsvReads, rows: int) -> bool:
        begun: set[str] = set()
        late, told_s = known.counters.late_reads, time.monotonic()
        try:
            with file.open(newline="", encoding="utf-8-sig") as lines:
                for named, batch in reads_in.batches(lines, rows):
                    reader = self._owner(file) if named is None else self._named(file, named)
                    if reader not in begun:
                        begun.add(reader)
                        known.begin_reads(reader)
                    take(known.reads(reader, batch))
                    if time.monotonic() - told_s > PROGRESS_S:
                        told_s = time.monotonic()
                        tell(f"{file}: {reads_in.rows:,} rows")
        except UnicodeDecodeError as error:
            raise ReplayError(f"{file}: is no UTF-8 text: {error.reason} at byte {error.start}") from error
        except CsvError as error:
            raise ReplayError(f"{file}: {error}") from error
        late = known.counters.late_reads - late
        if late:
            tell(f"{file}: {late:,} reads are too late to count: rows and files have to be in the order of their time")
        if reads_in.cut is not None:
            tell(f"{file}: ends inside line {reads_in.cut}, which is left out; all before it was read")
        elif reads_in.unended:
            tell(f"{file}: its last line has no end: nothing says whether its last number is whole")
        return reads_in.cut is None

    def _named(self, file: Path, reader: str) -> str:
        known = [one.id for one in self.readers]
        if reader not in known:
            raise ReplayError(f"{file}: has reads of reader {reader!r}; {self.config} names {', '.join(known)}")
        return reader

    def _owner(self, file: Path) -> str:
        """Return whose bytes a file holds that doesn't say it."""
        if self.bare is None and len(self.readers) > 1:
            raise ReplayError(
                f"{file}: it says of no read which reader's it is, so it can be of one reader only, and {self.config} "
                f"names {', '.join(reader.id for reader in self.readers)}: say whose it is with --reader ID; for two "
                "readers at one door record pcapng"
            )
        return self.bare or self.readers[0].id


def source(files: Sequence[Path], readers: Sequence[ReaderSettings], config: Path, given: Sequence[str]) -> Source:
    """Return what is to be replayed, checked as far as that goes before it is read.

    Args:
        files: recordings.
        readers: as configured.
        config: for messages.
        given: `ID=HOST[:PORT]` says where a reader stood, `ID` alone whose the bare bytes are.

    Raises:
        AddressError, ReplayError: what the user must change.
        OSError: a file can't be read.
    """
    places, bare = _places(readers, given)
    found = Source(files, readers, config, places, bare)
    for file in files:
        if file.suffix == BARE_SUFFIX:
            found._owner(file)  # noqa: SLF001 (its own module)
    _check_twice(files)
    return found


def _places(
    wanted: Sequence[ReaderSettings], given: Sequence[str]
) -> tuple[dict[str, list[tuple[str, int | None]]], str | None]:
    """Return where each reader stands, and whose bare bytes are; `--reader` goes before the configuration."""
    names = [reader.id for reader in wanted]
    places: dict[str, list[tuple[str, int | None]]] = {}
    bare = None
    for word in given:
        name, equals, place = word.partition("=")
        if name not in names:
            raise ReplayError(f"--reader {word}: the configuration names {', '.join(names)}")
        if not equals:
            bare = name
            continue
        host, port = parse_address(place)
        if _NUMBERS.fullmatch(host) and not _is_address(host):
            raise ReplayError(f"--reader {word}: {host} is no address: four numbers from 0 to 255")
        places.setdefault(name, []).append((host, port))
    for reader in wanted:
        if reader.id not in places:
            places[reader.id] = [(host, reader.port) for host in {reader.host, *_addresses(reader.host)}]
    return places, bare


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _addresses(host: str) -> list[str]:
    """Return a host's addresses; a name that nobody knows here stays as it is."""
    try:
        return sorted({str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})
    except OSError:
        return [host]


def _check_twice(files: Sequence[Path]) -> None:
    """Refuse the same bytes twice; only files of one size are read for it, and pipes never are."""
    sizes: dict[int, list[Path]] = {}
    for file in files:
        if file.is_file():
            sizes.setdefault(file.stat().st_size, []).append(file)
    seen: dict[str, Path] = {}
    for file in (one for same in sizes.values() if len(same) > 1 for one in same):
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if digest in seen:
            raise ReplayError(
                f"{seen[digest]} and {file} are the same recording twice: every final would come twice; name it once"
            )
        seen[digest] = file


def _capture(known: Replay, file: Path, parts: Iterable[bytes], take: Take) -> bool:
    reader, times, damaged = CaptureReader(), PacketTimes(), Damaged(file)
    told_s = time.monotonic()

    def give(judged: Iterable[Judged]) -> None:
        for one in judged:
            if one.damage is not None:
                damaged.add(one)
            take(known.packet(one.packet) if one.kept else known.timeless(one.packet))

    try:
        for part in parts:
            for packet in reader.feed(part):
                give(times.take(packet))
            if time.monotonic() - told_s > PROGRESS_S:
                told_s = time.monotonic()
                tell(f"{file}: {reader.offset / 1e6:,.1f} MB, {known.tally.packets:,} packets")
        give(times.finish())
        reader.finish()
    except ReplayError as error:
        raise ReplayError(f"{file}: {error}") from error
    except LlrpError as error:
        if not reader.offset:
            raise ReplayError(f"{file}: {error}{_other_hint(file)}") from error
        give(times.finish())
        damaged.sum_up()
        tell(f"{file}: {error}")
        return False
    damaged.sum_up()
    return not damaged.count


class Damaged:
    """Names the packets of a file whose time is damaged: the first ones each, the others by how many they are."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.count = self.left_out = 0

    def add(self, judged: Judged) -> None:
        """Take one more."""
        self.count += 1
        self.left_out += not judged.kept
        if self.count <= NAMED_PACKETS:
            became = "taken at the time of the next one" if judged.kept else "left out"
            tell(f"{self._file}: packet {judged.number} at byte {judged.packet.offset}: {judged.damage}: {became}")

    def sum_up(self) -> None:
        """Say how many there were, where not all were named."""
        if self.count > NAMED_PACKETS:
            tell(f"{self._file}: {self.count:,} packets with a damaged time in all, {self.left_out:,} left out")


def _other_hint(file: Path) -> str:
    if file.suffix in {BARE_SUFFIX, CSV_SUFFIX}:
        return ""
    return f"; bare LLRP bytes want a name that ends in {BARE_SUFFIX}, recorded reads one in {CSV_SUFFIX}"


def tell(line: str) -> None:
    """Say a line on standard error."""
    sys.stderr.write(line + "\n")
