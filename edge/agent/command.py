"""The body of `stockgate-edge run`: exit 0 after an orderly stop, 2 for what the user must change, 1 for a failure."""

import asyncio
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NoReturn

import structlog
import typer

from edge import config as settings
from edge.access import AccessError
from edge.agent import logs
from edge.agent.compose import serve
from edge.agent.metrics import MetricsError, parse_address
from edge.agent.recording import RecordingFile
from edge.agent.tls_files import tls_file_problems, try_broker_files
from edge.outbox import OutboxError
from edge.readers import ReaderError

MIB: Final = 1024 * 1024
EXIT_FAILURE: Final = 1
EXIT_USAGE: Final = 2
STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def run(
    config: Path,
    data_dir: Path | None = None,
    metrics: str | None = None,
    record: Path | None = None,
    record_max_bytes: int = 0,
) -> None:
    """Run the agent until SIGTERM or SIGINT; `record` takes what passes between it and its readers."""
    base = config.resolve().parent
    try:
        checked = settings.load(config)
        try_broker_files(settings.uplink_settings(checked, base=base))
        address = None if metrics is None else parse_address(metrics)
    except (settings.ConfigError, MetricsError, ValueError) as error:
        _leave(EXIT_USAGE, str(error))
    unusable = [f"{config}: reader {one.reader}: {one.key} {one.what}" for one in tls_file_problems(checked, base=base)]
    if unusable:
        _leave(EXIT_USAGE, "\n".join(unusable))
    _begin_log(checked, base)
    folder = data_dir if data_dir is not None else base / checked.agent.data_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # events tell who carried what
        with ExitStack() as stack:
            taken = None if record is None else stack.enter_context(_open(record, record_max_bytes))
            asyncio.run(_until_signal(checked, base=base, data_dir=folder, metrics=address, record=taken))
    except (OutboxError, MetricsError, ReaderError, AccessError) as error:
        _leave(EXIT_FAILURE, str(error))
    except OSError as error:
        _leave(EXIT_FAILURE, f"{folder}: {error.strerror or error}: give a folder that can be written (--data-dir)")


async def _until_signal(checked: settings.EdgeConfig, **how: Any) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    await serve(checked, stop=stop, log=structlog.get_logger("edge"), **how)


def _begin_log(checked: settings.EdgeConfig, base: Path) -> None:
    file = None if checked.log.file is None else base / checked.log.file
    try:
        logs.configure(file, checked.log.mib * MIB)
    except OSError as error:
        _leave(EXIT_USAGE, f"log.file {file}: cannot be written: {error.strerror or error}: make its folder")


def _open(record: Path, max_bytes: int) -> RecordingFile:
    try:
        return RecordingFile(record, max_bytes=max_bytes, log=structlog.get_logger("edge"))
    except OSError as error:
        _leave(EXIT_USAGE, f"--record {record}: cannot be written: {error.strerror or error}")


def _leave(code: int, problem: str) -> NoReturn:
    print(problem, file=sys.stderr)  # noqa: T201 (a command line says what is wrong)
    raise typer.Exit(code)
