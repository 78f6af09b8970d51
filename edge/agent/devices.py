"""Serial readers, smart readers and boards of the configuration, joined to the pipeline like LLRP readers."""

import random
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from edge.config import EdgeConfig, board_settings, serial_settings, smart_settings
from edge.readers import Chunk
from edge.readers.keeper import Keeper
from edge.readers.serial import Board, serial_reader
from edge.readers.smart import smart_reader


def device_ports(config: EdgeConfig, *, base: Path) -> dict[str, Sequence[int]]:
    """Return the antenna ports that serve a portal, for each device; a board has none."""
    ports: dict[str, Sequence[int]] = {board.id: () for board in config.boards}
    ports |= {reader.id: reader.antennas for reader in serial_settings(config)}
    return ports | {reader.id: reader.antennas for reader in smart_settings(config, base=base)}


def devices(
    config: EdgeConfig,
    *,
    base: Path,
    sink: Callable[[Chunk], Awaitable[None]],
    now_us: Callable[[], int],
    log: FilteringBoundLogger,
) -> list[Keeper | Board]:
    """Build them all; nothing is opened before they run."""
    rng = random.Random()  # noqa: S311 (spreads reconnects, guards nothing)
    serial = [serial_reader(one, sink=sink, now_us=now_us, rng=rng, log=log) for one in serial_settings(config)]
    smart = [smart_reader(one, sink=sink, now_us=now_us, rng=rng, log=log) for one in smart_settings(config, base=base)]
    boards = [Board(one, sink=sink, now_us=now_us, rng=rng, log=log) for one in board_settings(config)]
    return [*serial, *smart, *boards]
