"""Smart readers that publish by themselves: what their payloads mean, and a thin subscriber."""

import random
from collections.abc import Awaitable, Callable
from functools import partial

from structlog.typing import FilteringBoundLogger

from edge.readers.keeper import Keeper
from edge.readers.model import Chunk, ReaderCounters
from edge.readers.smart.model import SmartFormat, SmartSettings
from edge.readers.smart.session import SmartSession

__all__ = ["SmartFormat", "SmartSettings", "smart_reader"]


def smart_reader(
    settings: SmartSettings,
    *,
    sink: Callable[[Chunk], Awaitable[None]],
    now_us: Callable[[], int],
    rng: random.Random,
    log: FilteringBoundLogger,
) -> Keeper:
    """Return the reader's keeper; arguments as of `ReaderSupervisor`."""
    counters = ReaderCounters()
    return Keeper(
        settings.id,
        settings.address,
        profile=f"mqtt/{settings.format}",
        now_us=now_us,
        make=partial(
            SmartSession, settings, counters=counters, sink=sink, now_us=now_us, log=log.bind(reader=settings.id)
        ),
        counters=counters,
        backoff_base_s=settings.backoff_base_s,
        backoff_max_s=settings.backoff_max_s,
        rng=rng,
        log=log,
    )
