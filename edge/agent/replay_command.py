"""The body of `stockgate-edge replay`: rows on stdout or in a file as JSON lines, a picture of one, all else on stderr.

Exit 0 if all was read, 1 if a part of a recording could not be, 2 for what the user must change; 128 and the signal's
number where one ended it.
"""

import os
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NoReturn

import structlog
import typer

from edge import config as settings
from edge.agent import logs
from edge.agent.address import AddressError
from edge.agent.explain import ExplainError, Finder
from edge.agent.explain_command import check, explain
from edge.agent.interrupt import taken_back
from edge.agent.replay import Replay, ReplayError
from edge.agent.replay_files import Source, source, tell
from edge.agent.replay_out import STDOUT, RowsError, RowsOut
from edge.config import reader_settings, windows_settings
from edge.contracts import MovementRow
from edge.windows import WindowsSettings

EXIT_PART: Final = 1
EXIT_USAGE: Final = 2


def replay(
    files: Sequence[Path],
    config: Path,
    readers: Sequence[str] = (),
    *,
    out: Path,
    provisionals: bool = False,
    explained: str | None = None,
    picture: Path | None = None,
) -> None:
    """Replay recordings in the order given.

    Args:
        files: pcapng or pcap files, one reader's bare .bin files, or recorded reads as .csv.
        config: the agent's configuration.
        readers: `ID=HOST[:PORT]` says where a reader stood, `ID` alone whose the bare bytes are.
        out: file for the rows, `-` for standard output.
        provisionals: whether rows that are not final are wanted too.
        explained: a passage's id, or an EPC, that a picture is wanted of.
        picture: PNG file for it.
    """
    if sys.stderr is None:  # closed by who started us: no file that is opened next may take its place
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 (open until the process ends)
    logs.configure()
    with taken_back("no rows but those on standard output" if out == STDOUT else f"{out} is as it was"):
        _replay(files, config, readers, out=out, provisionals=provisionals, explained=explained, picture=picture)


def _replay(
    files: Sequence[Path],
    config: Path,
    readers: Sequence[str],
    *,
    out: Path,
    provisionals: bool,
    explained: str | None,
    picture: Path | None,
) -> None:
    given, windows = _given(files, config, readers)
    _keep_apart([*files, config], out, picture)
    try:
        finder = None if explained is None else check(explained, picture, given)
        whole = _play(given, windows, RowsOut(out, provisionals=provisionals), finder)
        if finder is not None and picture is not None:
            explain(given, windows, finder, picture)
    except BrokenPipeError:
        _forget_stdout()  # whoever read has enough
        raise typer.Exit(0) from None
    except RowsError as error:
        if out == STDOUT:
            _forget_stdout()
        _leave(str(error))
    except (ReplayError, ExplainError) as error:
        _leave(str(error))
    raise typer.Exit(0 if whole else EXIT_PART)


def _forget_stdout() -> None:
    """Write no more to standard output: Python would complain once more when it closes it itself."""
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 (open until the process ends)


def _play(given: Source, windows: WindowsSettings, out: RowsOut, finder: Finder | None) -> bool:
    """Replay all files, write the rows and show them to who looks for one; False where a part could not be read."""
    known = Replay(given.readers, windows, places=given.places, log=structlog.get_logger("replay"), provisionals=True)

    def take(rows: Iterable[MovementRow]) -> None:
        for row in rows:
            out.write(row)
            if finder is not None:
                finder.take(row)

    begun_s = time.monotonic()
    with out:
        whole = given.play(known, take)
        return _sum_up(known, given, time.monotonic() - begun_s) and whole


def _given(files: Sequence[Path], config: Path, readers: Sequence[str]) -> tuple[Source, WindowsSettings]:
    try:
        checked = settings.load(config)
        return source(files, reader_settings(checked), config, readers), windows_settings(checked)
    except (settings.ConfigError, AddressError, ReplayError) as error:
        _leave(str(error))
    except OSError as error:
        _leave(f"{error.filename}: cannot be read: {error.strerror or error}")


def _keep_apart(read: Sequence[Path], out: Path, picture: Path | None) -> None:
    """Leave, before anything is written, where it would replace what is read: a recording can't be made again."""
    if out != STDOUT and (not out.name or out.is_dir()):
        _leave(f"--out {out}: is a folder: name a file in it, or - for standard output")
    named = [("--out", out)] if out != STDOUT else []
    named += [] if picture is None else [("--picture", picture)]
    for option, path in named:
        if any(_same(path, one) for one in read):
            _leave(f"{option} {path}: is read by this replay, and would be overwritten: name another file")
    if picture is not None and out != STDOUT and _same(out, picture):
        _leave(f"--out and --picture are both {out}: name two files")


def _same(one: Path, other: Path) -> bool:
    """Say whether two names are one regular file; that a pipe or a device is both read and written hurts nobody."""
    if one.exists() and other.exists():
        return one.is_file() and one.samefile(other)
    return one.resolve() == other.resolve()


def _sum_up(known: Replay, given: Source, took_s: float) -> bool:
    """Say what became of everything; False where something of ours is missing, exit 2 where a reader is a stranger."""
    tally, counters = known.tally, known.counters
    for kind, count in tally.skipped.items():
        tell(f"{count:,} packets {kind.value}: passed over")
    for met, size in tally.strange.items():
        tell(
            f"{met} is none of {given.config}: say which it is with --reader ID={met.place}; its {size:,} bytes are "
            "left out"
        )
    for fault in known.faults:
        tell(fault)
    if known.lost_bytes:
        tell(f"{known.lost_bytes:,} bytes of the readers are missing in the recording or could not be followed")
    if not tally.connections:
        names = ", ".join(f"{reader.id} at {reader.address}" for reader in given.readers)
        lost = (
            f"; {known.unfollowed:,} of its connections can't be followed: are its packets in the order of their time?"
            if known.unfollowed
            else ""
        )
        _leave(f"no connection of a reader of {given.config} ({names}) is in the recording{lost}")
    connections = "1 connection" if tally.connections == 1 else f"{tally.connections} connections"
    tell(
        f"{connections}, {counters.reads:,} reads, {counters.unlisted_reads:,} of them at ports that "
        f"serve no portal, {counters.late_reads:,} late, {counters.unusable_reads:,} unusable; {counters.finals:,} "
        f"finals after {counters.provisionals:,} provisionals"
    )
    tell(_speed(tally.covered_us / 1e6, took_s))
    if tally.strange:
        raise typer.Exit(EXIT_USAGE)
    return not (known.faults or known.lost_bytes)


def _speed(covered_s: float, took_s: float) -> str:
    times = covered_s / max(took_s, 0.001)
    return f"{covered_s:,.1f} s were recorded and took {took_s:,.2f} s: {times:,.0f} times as fast"


def _leave(problem: str) -> NoReturn:
    if sys.stdout is not None:
        sys.stdout.flush()
    tell(problem)
    raise typer.Exit(EXIT_USAGE)
