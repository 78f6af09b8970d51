"""The body of `stockgate-edge outputs test`: exit 0 if it was on and off, 2 for what the user must change, 1 else."""

import asyncio
import difflib
import sys
from pathlib import Path
from typing import Final, NoReturn

import structlog
import typer

from edge import config as settings
from edge.agent import logs
from edge.agent.board_visit import pulse_board
from edge.agent.command import EXIT_FAILURE, EXIT_USAGE
from edge.readers import Listener, ReaderError, ReaderSettings, TcpDialler, visit_outputs
from edge.readers.serial import BoardSettings

MARGIN_S: Final = 0.2
"""The reader or our task ends the pulse; the visit goes on a little longer, so that one can see that it has."""


def try_output(config: Path, reader: str, output: int, seconds: float) -> None:
    """Switch one output on for some seconds, as the gate would, and tell who ends it."""
    try:
        checked = settings.load(config)
    except settings.ConfigError as error:
        _leave(EXIT_USAGE, str(error))
    boards = {one.id: one for one in settings.board_settings(checked)}
    if reader in boards:
        _try_board(boards[reader], output, seconds)
        return
    readers = {one.id: one for one in settings.reader_settings(checked, base=config.resolve().parent)}
    chosen = readers.get(reader)
    if chosen is None:
        known = [*readers, *boards]
        near = difflib.get_close_matches(reader, known, n=1, cutoff=0.4) or known
        meant = f"; did you mean {near[0]!r}?" if near else ""
        _leave(EXIT_USAGE, f"{config}: there is no reader {reader!r} that can have outputs{meant}")
    if output not in {one.output for one in chosen.outputs}:
        _leave(
            EXIT_USAGE,
            f"{config}: output {output} is not among the outputs of reader {reader}: add "
            f"{{ output = {output} }} to its outputs, so that the agent switches it off when it starts",
        )
    logs.configure()
    try:
        asyncio.run(_pulse(chosen, output, seconds))
    except ReaderError as error:
        _leave(EXIT_FAILURE, f"{error} (if the agent runs, stop it first: a reader has one client)")


def _try_board(board: BoardSettings, output: int, seconds: float) -> None:
    if not 1 <= output <= board.outputs:
        _leave(EXIT_USAGE, f"board {board.id} has {board.outputs} outputs, counted from 1: there is no output {output}")
    logs.configure()
    try:
        asyncio.run(pulse_board(board, output, seconds, say=_say))
    except ReaderError as error:
        _leave(EXIT_FAILURE, f"{error} (if the agent runs, stop it first: a board has one master)")


async def _pulse(reader: ReaderSettings, output: int, seconds: float) -> None:
    log = structlog.get_logger("edge").bind(reader=reader.id)
    async with Listener((reader,), log=log) as listener:
        dialler = TcpDialler(reader) if reader.listen is None else listener.dialler(reader)
        async with visit_outputs(reader, dialler, log=log) as outputs:
            await outputs.pulse(output, round(seconds * 1000))
            _say(f"output {output} of {reader.id} is on for {seconds:g} s")
            await asyncio.sleep(seconds + MARGIN_S)
            who = "the reader has ended it by itself" if outputs.ends_pulse(output) else "the agent has ended it"
            _say(f"output {output} of {reader.id} is off: {who}")
            if not outputs.ends_pulse(output):
                _say("should the agent die while it is on, it stays on: wire a timer relay, or see docs/facilities.md")


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201 (a command line says what it does)


def _leave(code: int, problem: str) -> NoReturn:
    print(problem, file=sys.stderr)  # noqa: T201 (a command line says what is wrong)
    raise typer.Exit(code)
