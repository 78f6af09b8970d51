"""A short visit to a board beside no agent: switch one output on for a while and tell who ends it."""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog

from edge.readers import Chunk
from edge.readers.errors import ReaderUnreachableError
from edge.readers.outputs import OutputPort
from edge.readers.serial import Board, BoardSettings

FIND_S: Final = 5.0
"""Longest wait for the board: a serial line is open at once or not at all."""
LOOK_S: Final = 0.05
MARGIN_S: Final = 0.2
"""The board or our task ends the pulse; the visit goes on a little longer, so that one can see that it has."""


async def pulse_board(settings: BoardSettings, output: int, seconds: float, *, say: Callable[[str], None]) -> None:
    """Pulse one output; what goes wrong is a `ReaderError`."""
    board = Board(
        settings,
        sink=_ignore,
        now_us=lambda: time.time_ns() // 1000,
        rng=random.Random(),  # noqa: S311 (spreads reconnects, guards nothing)
        log=structlog.get_logger("edge"),
    )
    running = asyncio.create_task(board.run())
    try:
        await _found(board)
        await _pulse(board, f"output {output} of {settings.id}", output, seconds, say)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def _pulse(port: OutputPort, what: str, output: int, seconds: float, say: Callable[[str], None]) -> None:
    await port.pulse(output, round(seconds * 1000))
    say(f"{what} is on for {seconds:g} s")
    await asyncio.sleep(seconds + MARGIN_S)
    say(f"{what} is off: " + ("the board has ended it by itself" if port.ends_itself else "the agent has ended it"))
    if not port.ends_itself:
        say("should the agent die while it is on, it stays on: wire a timer relay, or see docs/serial-readers.md")


async def _found(board: Board) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(FIND_S):
            while board.health().state == "connecting":  # noqa: ASYNC110 (a state, which can't notify)
                await asyncio.sleep(LOOK_S)
    if board.health().state != "connected":
        problem = board.health().problem
        raise ReaderUnreachableError(problem or f"board {board.health().id} was not found within {FIND_S:g} s")


async def _ignore(_chunk: Chunk) -> None:
    """Nobody asks for its inputs."""
