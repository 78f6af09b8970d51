"""The body of `stockgate-edge record`: readers' connections into a pcapng file, without portals, broker or outbox.

Exit 0 if every reader inventoried, 1 if one did not or the file is not whole, 2 for what the user must change.
"""

import asyncio
import random
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final, NoReturn

import structlog
import typer

from edge import config as settings
from edge.agent import logs
from edge.agent.address import LLRP_PORT, AddressError, parse_address
from edge.agent.clock import host_synced
from edge.agent.compose import now_us
from edge.agent.interrupt import run_to_end
from edge.agent.recording import RecordingFile
from edge.config import reader_settings
from edge.llrp.capture import RecordingNote
from edge.readers import Chunk, ReaderError, ReaderSettings, ReaderSupervisor, Recorder
from edge.readers.probe import ProbeSettings, probe

EXIT_FAILURE: Final = 1
EXIT_USAGE: Final = 2
PROBE_TIMEOUT_S: Final = 5.0
GOODBYE_S: Final = 5.0
"""A reader that answers says goodbye in milliseconds; one that doesn't frees its session by itself."""


def record(hosts: Sequence[str], output: Path, *, config: Path | None, seconds: float | None, max_bytes: int) -> None:
    """Record until told to stop, or for some seconds.

    Args:
        hosts: addresses of readers; with a configuration, ids of some of its readers, or none for all.
        output: the pcapng file; one that is there and not empty is kept, and nothing is recorded.
        config: the agent's configuration, which says how its readers are driven.
        seconds: length; None until SIGINT or SIGTERM.
        max_bytes: the recording ends before the file is larger.
    """
    logs.configure()
    if output.is_file() and output.stat().st_size:
        _leave(EXIT_USAGE, f"{output}: exists already: name another file, or delete that one")
    if not output.name or output.is_dir():
        _leave(EXIT_USAGE, f"{output}: is a folder: name a file in it")
    if not output.parent.is_dir():
        _leave(EXIT_USAGE, f"{output}: cannot be written: there is no folder {output.parent}: make it first")
    try:
        wanted = _configured(config, hosts) if config is not None else run_to_end(_looked_up(hosts))
    except (settings.ConfigError, AddressError) as error:
        _leave(EXIT_USAGE, str(error))
    except ReaderError as error:
        _leave(EXIT_FAILURE, str(error))
    try:
        file = RecordingFile(output, max_bytes=max_bytes, log=structlog.get_logger("record"))
    except OSError as error:
        _leave(EXIT_USAGE, f"{output}: cannot be written: {error.strerror or error}")
    with file:
        supervisors = asyncio.run(_run(wanted, file.write, seconds))
    idle = [name for name, one in supervisors.items() if one.counters.reads == 0 and one.health().state != "connected"]
    for name, one in supervisors.items():
        sys.stderr.write(f"{name}: {one.counters.reads:,} reads in {one.counters.reports:,} reports\n")
    raise typer.Exit(EXIT_FAILURE if idle or file.left_out else 0)


def _configured(config: Path, names: Sequence[str]) -> list[ReaderSettings]:
    found = reader_settings(settings.load(config), base=config.resolve().parent)
    known = [reader.id for reader in found]
    for name in names:
        if name not in known:
            raise AddressError(f"{name!r}: {config} names the readers {', '.join(known)}")
    for reader in found:
        if reader.listen is not None and (not names or reader.id in names):
            raise AddressError(f"{reader.id}: it dials the agent itself: record it with run --record")
    return [reader for reader in found if not names or reader.id in names]


async def _looked_up(hosts: Sequence[str]) -> list[ReaderSettings]:
    """Ask each reader for its antennas; all ports are recorded."""
    found = []
    for text in hosts:
        host, port = parse_address(text)
        where = ProbeSettings(host=host, port=port or LLRP_PORT, timeout_s=PROBE_TIMEOUT_S, listen_s=0)
        seen = await probe(where, now_us=now_us)
        antennas = tuple(antenna.port for antenna in seen.antennas)
        found.append(ReaderSettings(id=where.address, host=host, port=where.port, antennas=antennas))
    return found


async def _run(
    wanted: Sequence[ReaderSettings], write: Callable[[bytes], None], seconds: float | None
) -> dict[str, ReaderSupervisor]:
    note = RecordingNote(version=version("stockgate"))
    recorder = Recorder(write, now_us=now_us, host_synced=host_synced, note=note)

    async def sink(chunk: Chunk) -> None:
        """Let go of what was recorded."""

    supervisors = {
        one.id: ReaderSupervisor(
            one,
            sink=sink,
            now_us=now_us,
            rng=random.Random(),  # noqa: S311 (spreads reconnects, guards nothing)
            log=structlog.get_logger("record"),
            tap=recorder.tap(one.id),
        )
        for one in wanted
    }
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tasks = [asyncio.create_task(one.run()) for one in supervisors.values()]
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=GOODBYE_S)
    return supervisors


def _leave(code: int, problem: str) -> NoReturn:
    sys.stderr.write(problem + "\n")
    raise typer.Exit(code)
