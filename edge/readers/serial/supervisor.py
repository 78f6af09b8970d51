"""Keeps one serial reader in session for ever, behind the same port as an LLRP reader."""

import random
from collections.abc import Awaitable, Callable
from functools import partial

from structlog.typing import FilteringBoundLogger

from edge.readers.keeper import Keeper
from edge.readers.model import Chunk, ReaderCounters
from edge.readers.serial.model import SerialSettings
from edge.readers.serial.session import SerialSession


def serial_reader(
    settings: SerialSettings,
    *,
    sink: Callable[[Chunk], Awaitable[None]],
    now_us: Callable[[], int],
    rng: random.Random,
    log: FilteringBoundLogger,
) -> Keeper:
    """Return the reader's keeper; arguments as of `ReaderSupervisor`."""
    counters = ReaderCounters()
    make = partial(
        SerialSession, settings, counters=counters, sink=sink, now_us=now_us, log=log.bind(reader=settings.id)
    )
    return Keeper(
        settings.id,
        settings.address,
        profile=f"serial/{settings.protocol}",
        now_us=now_us,
        make=make,
        counters=counters,
        backoff_base_s=settings.backoff_base_s,
        backoff_max_s=settings.backoff_max_s,
        rng=rng,
        log=log,
    )
