"""The pool's adapter against a real server."""

import asyncio

import pytest

from central.application.errors import StoreUnavailable
from central.storage.database import Database, DatabaseSettings
from tests.helpers.postgres import server_dsn


@pytest.mark.parametrize("statement", ["SELECT 1", "SELECT no_such_column"])
async def test_a_task_told_to_stop_just_as_it_gets_a_connection_does_stop(statement):
    """Python 3.11's wait_for drops a cancellation that comes in the step in which what it waits for comes too."""
    database = Database(DatabaseSettings(server_dsn(), max_connections=1))
    await database.open()

    async def try_for_ever():
        while True:
            try:
                async with database.transaction() as connection:
                    await connection.execute(statement)
            except StoreUnavailable:
                pass
            await asyncio.sleep(60)

    try:
        for steps in range(12):
            async with database.transaction():
                task = asyncio.create_task(try_for_ever())
                await asyncio.sleep(0.02)
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            done, _ = await asyncio.wait({task}, timeout=30)  # one that is lost leaves it asleep for a minute
            task.cancel()
            assert done, f"cancelled {steps} steps after a connection came free"
    finally:
        await database.close()
