"""The body of `stockgate-edge run`: exit 0 after an orderly stop, 2 for what the user must change, 1 for a failure.

SIGHUP makes the running agent read its configuration again.
"""

import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import structlog
import typer

from edge import config as settings
from edge.access import AccessError
from edge.agent import logs
from edge.agent.compose import serve
from edge.agent.leftover import Leftover
from edge.agent.log_target import log_problem
from edge.agent.metrics import MetricsError, parse_address
from edge.agent.recording import RecordingFile
from edge.agent.renewal import Held, Renewal
from edge.agent.tls_files import tls_file_problems, try_broker_files
from edge.agent.trial_files import TrialFiles
from edge.outbox import OutboxError
from edge.readers import ReaderError

if TYPE_CHECKING:
    from edge.agent.log_file import BoundedFile

MIB: Final = 1024 * 1024
EXIT_FAILURE: Final = 1
EXIT_USAGE: Final = 2
STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def run(
    config: Path,
    data_dir: Path | None = None,
    metrics: str | None = None,
    record: Path | None = None,
    *,
    record_max_bytes: int = 0,
    hung_up: Callable[[], bool] = lambda: False,
) -> None:
    """Run the agent until SIGTERM or SIGINT; `record` takes what passes between it and its readers.

    `hung_up` tells whether a SIGHUP came meanwhile: the file is read again then, once the agent runs.
    """
    path = config.resolve()
    base = path.parent
    try:
        settled = TrialFiles(path).settle()
        checked = settings.parse(settings.document_of(settled.text, source=str(config)), source=str(config))
        try_broker_files(settings.uplink_settings(checked, base=base))
        address = None if metrics is None else parse_address(metrics)
    except (settings.ConfigError, MetricsError, ValueError) as error:
        _leave(EXIT_USAGE, str(error))
    except OSError as error:
        _leave(EXIT_USAGE, f"{config}: cannot be read: {error.strerror}")
    unusable = [f"{config}: reader {one.reader}: {one.key} {one.what}" for one in tls_file_problems(checked, base=base)]
    if unusable:
        _leave(EXIT_USAGE, "\n".join(unusable))
    folder = data_dir if data_dir is not None else base / checked.agent.data_dir
    if problem := log_problem(checked, base=base, own=path, data_dir=folder):
        _leave(EXIT_USAGE, f"{config}: log.file: {problem}")
    log_to = LogPlace(base)
    try:
        log_to.take(checked)
    except OSError as error:
        file = base / str(checked.log.file)
        _leave(EXIT_USAGE, f"log.file {file}: cannot be written: {error.strerror or error}: make its folder")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # events tell who carried what
        with ExitStack() as stack:
            taken = None if record is None else stack.enter_context(_open(record, record_max_bytes))
            log = structlog.get_logger("edge")
            if settled.problem:
                log.error("a configuration was on trial when the agent ended", problem=settled.problem)
            held = Held(checked, settled.text)
            renewal = Renewal(config, held, log=log, recording=taken is not None, untold=settled.untold)
            leftover = Leftover(folder, log=log)
            stack.callback(leftover.close)
            how = {"base": base, "data_dir": folder, "metrics": address, "record": taken, "log": log}
            asyncio.run(_until_signal(renewal, log_to, hung_up, leftover=leftover, **how))
    except (OutboxError, MetricsError, ReaderError, AccessError) as error:
        _leave(EXIT_FAILURE, str(error))
    except OSError as error:
        _leave(EXIT_FAILURE, f"{folder}: {error.strerror or error}: give a folder that can be written (--data-dir)")


async def _until_signal(renewal: Renewal, log_to: "LogPlace", hung_up: Callable[[], bool], **how: Any) -> None:
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, renewal.stop)
    loop.add_signal_handler(signal.SIGHUP, renewal.hang_up)
    if hung_up():
        renewal.hang_up()

    async def one_round(config: settings.EdgeConfig, stop: asyncio.Event) -> None:
        log_to.take(config)
        await serve(config, stop=stop, renewal=renewal, **how)

    await renewal.run(one_round)


class LogPlace:
    """Where log lines go, as the configuration of the round says it.

    Args:
        base: the folder where the configuration's relative paths start.
    """

    def __init__(self, base: Path) -> None:
        self._base = base
        self._now: settings.LogConfig | None = None
        self._file: BoundedFile | None = None

    def take(self, config: settings.EdgeConfig) -> None:
        """Send lines from here on where the configuration says; `OSError` where that can't be, and all stays."""
        if config.log == self._now:
            return
        before, file = self._file, config.log.file
        self._file = logs.configure(None if file is None else self._base / file, config.log.mib * MIB)
        self._now = config.log
        if before is not None:
            before.close()


def _open(record: Path, max_bytes: int) -> RecordingFile:
    try:
        return RecordingFile(record, max_bytes=max_bytes, log=structlog.get_logger("edge"))
    except OSError as error:
        _leave(EXIT_USAGE, f"--record {record}: cannot be written: {error.strerror or error}")


def _leave(code: int, problem: str) -> NoReturn:
    print(problem, file=sys.stderr)  # noqa: T201 (a command line says what is wrong)
    raise typer.Exit(code)
