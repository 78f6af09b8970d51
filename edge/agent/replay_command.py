"""The body of `stockgate-edge replay`: finals on stdout as JSON lines, all else on stderr.

Exit 0 if all was read, 1 if a part of a recording could not be, 2 for what the user must change.
"""

import hashlib
import socket
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NoReturn

import structlog
import typer

from edge import config as settings
from edge.agent import logs
from edge.agent.address import AddressError, parse_address
from edge.agent.replay import Replay, ReplayError
from edge.config import reader_settings, windows_settings
from edge.contracts import MovementRow, encode
from edge.llrp import LlrpError
from edge.llrp.capture import CaptureReader
from edge.readers import ReaderSettings

EXIT_PART: Final = 1
EXIT_USAGE: Final = 2
READ_BYTES: Final = 1024 * 1024
PROGRESS_S: Final = 2.0
BARE_SUFFIX: Final = ".bin"


def replay(files: Sequence[Path], config: Path, readers: Sequence[str] = ()) -> None:
    """Replay recordings in the order given.

    Args:
        files: pcapng or pcap files, or bare .bin files of one reader.
        config: the agent's configuration.
        readers: `ID=HOST[:PORT]` says where a reader stood, `ID` alone whose the bare bytes are.
    """
    logs.configure()
    try:
        checked = settings.load(config)
        wanted = reader_settings(checked)
        places, bare = _places(wanted, readers)
        _check_bare(files, wanted, bare, config)
        _check_twice(files)
        known = Replay(wanted, windows_settings(checked), places=places, log=structlog.get_logger("replay"))
    except (settings.ConfigError, AddressError, ReplayError) as error:
        _leave(EXIT_USAGE, str(error))
    except OSError as error:
        _leave(EXIT_USAGE, f"{error.filename}: cannot be read: {error.strerror or error}")
    whole = True
    try:
        for file in files:
            whole &= _file(known, file, bare or wanted[0].id)
        _print(known.finish())
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has enough; Python would complain once more when it closes the pipe itself.
        sys.stdout = open("/dev/null", "w")  # noqa: SIM115, PTH123 (open until the process ends)
        raise typer.Exit(0) from None
    except ReplayError as error:
        _leave(EXIT_USAGE, str(error))
    whole &= _sum_up(known, wanted, config)
    raise typer.Exit(0 if whole else EXIT_PART)


def _places(
    wanted: Sequence[ReaderSettings], given: Sequence[str]
) -> tuple[dict[str, list[tuple[str, int | None]]], str | None]:
    """Return where each reader stands, and whose bare bytes are; `--reader` goes before the configuration."""
    names = [reader.id for reader in wanted]
    places: dict[str, list[tuple[str, int | None]]] = {}
    bare = None
    for word in given:
        name, _, place = word.partition("=")
        if name not in names:
            raise ReplayError(f"--reader {word}: the configuration names {', '.join(names)}")
        if not place:
            bare = name
            continue
        places.setdefault(name, []).append(parse_address(place))
    for reader in wanted:
        if reader.id not in places:
            places[reader.id] = [(host, reader.port) for host in {reader.host, *_addresses(reader.host)}]
    return places, bare


def _addresses(host: str) -> list[str]:
    """Return a host's addresses; a name that nobody knows here stays as it is."""
    try:
        return sorted({str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})
    except OSError:
        return [host]


def _check_bare(files: Sequence[Path], wanted: Sequence[ReaderSettings], bare: str | None, config: Path) -> None:
    found = [file for file in files if file.suffix == BARE_SUFFIX]
    if found and len(wanted) > 1 and bare is None:
        raise ReplayError(
            f"{found[0]}: a bare file has no arrival times and no addresses, so it can be of one reader only, and "
            f"{config} names {', '.join(reader.id for reader in wanted)}: say whose it is with --reader ID; for two "
            "readers at one door record pcapng"
        )


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


def _file(known: Replay, file: Path, bare: str) -> bool:
    """Replay one file; False where a part of it could not be read."""
    try:
        with file.open("rb") as stream:
            if file.suffix == BARE_SUFFIX:
                _print(known.bare(bare, stream.read()))
                return True
            return _capture(known, file, iter(lambda: stream.read(READ_BYTES), b""))
    except OSError as error:
        _leave(EXIT_USAGE, f"{file}: cannot be read: {error.strerror or error}")


def _capture(known: Replay, file: Path, parts: Iterable[bytes]) -> bool:
    reader = CaptureReader()
    told_s = time.monotonic()
    try:
        for part in parts:
            for packet in reader.feed(part):
                _print(known.packet(packet))
            if time.monotonic() - told_s > PROGRESS_S:
                told_s = time.monotonic()
                _tell(f"{file}: {reader.offset / 1e6:,.1f} MB, {known.tally.packets:,} packets")
        reader.finish()
    except ReplayError as error:
        raise ReplayError(f"{file}: {error}") from error
    except LlrpError as error:
        if not reader.offset:
            _leave(EXIT_USAGE, f"{file}: {error}" + _bare_hint(file))
        _tell(f"{file}: {error}")
        return False
    return True


def _bare_hint(file: Path) -> str:
    return f"; bare LLRP bytes want a name that ends in {BARE_SUFFIX}" if file.suffix != BARE_SUFFIX else ""


def _print(rows: Iterator[MovementRow]) -> None:
    for row in rows:
        sys.stdout.write(encode(row).decode() + "\n")


def _sum_up(known: Replay, wanted: Sequence[ReaderSettings], config: Path) -> bool:
    """Say what became of everything; False where something of ours is missing, exit 2 where a reader is a stranger."""
    tally, counters = known.tally, known.counters
    for kind, count in tally.skipped.items():
        _tell(f"{count:,} packets {kind.value}: passed over")
    for met, size in tally.strange.items():
        _tell(
            f"{met} is none of {config}: say which it is with --reader ID={met.place}; its {size:,} bytes are left out"
        )
    for fault in known.faults:
        _tell(fault)
    if known.lost_bytes:
        _tell(f"{known.lost_bytes:,} bytes of the readers are missing in the recording or could not be followed")
    if not tally.connections:
        names = ", ".join(f"{reader.id} at {reader.address}" for reader in wanted)
        _leave(EXIT_USAGE, f"no connection of a reader of {config} ({names}) is in the recording")
    connections = "1 connection" if tally.connections == 1 else f"{tally.connections} connections"
    _tell(
        f"{connections}, {counters.reads:,} reads, {counters.unlisted_reads:,} of them at ports that "
        f"serve no portal, {counters.late_reads:,} late, {counters.unusable_reads:,} unusable; {counters.finals:,} "
        f"finals after {counters.provisionals:,} provisionals"
    )
    if tally.strange:
        raise typer.Exit(EXIT_USAGE)
    return not (known.faults or known.lost_bytes)


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")


def _leave(code: int, problem: str) -> NoReturn:
    sys.stdout.flush()
    _tell(problem)
    raise typer.Exit(code)
