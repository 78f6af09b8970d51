"""Runs what a `Keeper` keeps and holds on to what it hands on."""

import asyncio
import contextlib
import random
import time
from dataclasses import dataclass, field

import structlog
from structlog.testing import capture_logs

WAIT_S = 60.0
"""Longest wait for what must happen: generous, since nothing here is a measurement."""


def now_us():
    """The host's clock."""
    return time.time_ns() // 1000


@dataclass
class Kept:
    """A running keeper, its chunks and its log."""

    keeper: object
    chunks: list = field(default_factory=list)
    logs: list = field(default_factory=list)

    @property
    def rows(self):
        """Rows handed on so far."""
        return [row for chunk in self.chunks for row in chunk.rows]

    @property
    def tags(self):
        """(EPC, antenna) of the reads so far."""
        return [
            (bytes(chunk.batch.epc[row, : chunk.batch.epc_bits[row] // 8]), int(chunk.batch.antenna[row]))
            for chunk in self.chunks
            for row in range(len(chunk.batch))
        ]

    def said(self, event):
        """Log entries of one event."""
        return [entry for entry in self.logs if entry["event"] == event]

    async def until(self, condition):
        """Wait until `condition(self)` holds."""
        async with asyncio.timeout(WAIT_S):
            while not condition(self):  # noqa: ASYNC110 (conditions of many kinds, none of which can notify)
                await asyncio.sleep(0.005)

    async def until_state(self, state):
        """Wait for a state of the health, return the health."""
        await self.until(lambda kept: kept.keeper.health().state == state)
        return self.keeper.health()


@contextlib.asynccontextmanager
async def kept(make, settings, *, sink=None, now_us=now_us, kind=Kept, **more):
    """Run `make(settings, …)` as a `kind`; it is cancelled and awaited at the end."""
    chunks = []

    async def keep(chunk):
        chunks.append(chunk)
        if sink:
            await sink(chunk)

    with capture_logs() as logs:
        keeper = make(settings, sink=keep, now_us=now_us, rng=random.Random(1), log=structlog.get_logger(), **more)
        running = kind(keeper, chunks, logs)
        task = asyncio.create_task(keeper.run())
        try:
            yield running
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
