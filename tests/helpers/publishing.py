"""The gate's publisher in the test's own process, as the program runs it, and what makes it publish."""

import asyncio
import contextlib
from datetime import timedelta

from central.app import _now
from central.application.metrics import Metrics
from central.gate.keys import KeyRing
from central.gate.publisher import GateSettings, Publisher
from central.ingest.link import LinkSettings, PahoLink
from central.storage.gate import PgGate
from central.storage.notices import GATE, Seat


@contextlib.asynccontextmanager
async def publishing(one, broker, directory, *, prefixes=(), life=timedelta(days=1), name="a"):
    """Publish as the program does; yields (publisher, keys, metrics)."""
    keys, metrics = KeyRing(directory), Metrics()
    seat = Seat(one.dsn, GATE, lambda: publisher.wake())  # noqa: PLW0108 (each needs the other)
    publisher = Publisher(
        PahoLink(LinkSettings(broker.url, client_id=f"gate-{name}")), one.log, PgGate(one.database), keys, metrics,
        now=_now, seated=lambda: seat.turn if seat.held else None, settings=GateSettings(life, tuple(prefixes)),
    )  # fmt: skip
    tasks = [asyncio.create_task(work()) for work in (publisher.run, seat.run)]
    try:
        yield publisher, keys, metrics
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def allow(one, asset, boundary, *, name="A-9", until_=None, single_use=False):
    await one.sql(
        "INSERT INTO authorisation (id, kind, asset, boundary, valid_to, reason, recorded_at, single_use)"
        " VALUES (%s, 'standing', %s, %s, %s, '', now(), %s)", name, asset, boundary, until_, single_use,
    )  # fmt: skip


async def until(true, timeout_s=20.0):
    async with asyncio.timeout(timeout_s):
        while not (value := true()):  # noqa: ASYNC110 (what is awaited comes over a broker)
            await asyncio.sleep(0.02)
        return value
