"""Some of the configured readers in session for a while, without outbox, broker or the rest of the agent."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from structlog.typing import FilteringBoundLogger

from edge.agent.compose import now_us
from edge.agent.devices import devices
from edge.config import EdgeConfig, PortalConfig, reader_settings
from edge.contracts import ReaderHealth
from edge.readers import Chunk, Listener, ReaderSettings, ReaderSupervisor
from edge.readers.keeper import Keeper

GOODBYE_S: Final = 5.0
"""A reader that answers says goodbye in milliseconds; one that doesn't frees its session by itself."""
LOOK_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Attended:
    """Readers that are kept in session."""

    llrp: dict[str, ReaderSupervisor]
    others: dict[str, Keeper]

    def health(self) -> dict[str, ReaderHealth]:
        """Return each reader's state, by its id."""
        return {name: one.health() for name, one in self.kept.items()}

    @property
    def kept(self) -> dict[str, ReaderSupervisor | Keeper]:
        """Return all of them, by their ids."""
        return {**self.llrp, **self.others}

    def problems(self) -> list[str]:
        """Return what keeps readers from being in session, a line each."""
        return [
            f"reader {name} is not in session: {one.problem or 'it is still being dialled'}"
            for name, one in self.health().items()
            if one.state != "connected"
        ]

    async def in_session(self, timeout_s: float) -> list[str]:
        """Wait until all are in session, but no longer than this; return what keeps those that are not."""
        for _ in range(round(timeout_s / LOOK_S)):
            if not self.problems():
                break
            await asyncio.sleep(LOOK_S)
        return self.problems()


def readers_of(config: EdgeConfig, portals: Collection[PortalConfig]) -> list[str]:
    """Return the ids of the readers that serve some portals, in the order of the file."""
    named = {antenna.reader for portal in portals for antenna in portal.antennas}
    return [name for name in config.reader_places.values() if name in named]


@asynccontextmanager
async def attend(
    config: EdgeConfig,
    names: Collection[str],
    *,
    base: Path,
    sink: Callable[[Chunk], Awaitable[None]],
    driven: Callable[[ReaderSettings], ReaderSettings] = lambda one: one,
) -> AsyncIterator[Attended]:
    """Keep the named readers in session until the block ends.

    Args:
        config: the agent's configuration.
        names: ids of readers.
        base: the configuration file's folder, where its relative paths start.
        sink: gets what they read.
        driven: changes an LLRP reader's settings for this occasion.
    """
    log: FilteringBoundLogger = structlog.get_logger("attend")
    settings = tuple(driven(one) for one in reader_settings(config, base=base) if one.id in names)
    async with AsyncExitStack() as stack:
        listener = await stack.enter_async_context(Listener(settings, log=log))
        llrp = {one.id: _supervisor(one, listener, sink, log) for one in settings}
        built = devices(config, base=base, sink=sink, now_us=now_us, log=log)
        others = {one.health().id: one for one in built if isinstance(one, Keeper) and one.health().id in names}
        attended = Attended(llrp, others)
        tasks = [asyncio.create_task(one.run()) for one in attended.kept.values()]
        try:
            yield attended
        finally:
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks, timeout=GOODBYE_S)


def _supervisor(
    one: ReaderSettings, listener: Listener, sink: Callable[[Chunk], Awaitable[None]], log: FilteringBoundLogger
) -> ReaderSupervisor:
    return ReaderSupervisor(
        one,
        sink=sink,
        now_us=now_us,
        rng=random.Random(),  # noqa: S311 (spreads reconnects, guards nothing)
        log=log,
        dialler=None if one.listen is None else listener.dialler(one),
    )
