"""A timeout is one in a task that was cancelled, too: on Debian 12's Python it wasn't."""

import asyncio

import pytest

from edge.readers.within import within


async def test_what_takes_too_long_while_its_task_stops_is_a_timeout_and_the_stop_goes_on():
    done = []

    async def work():
        try:
            await asyncio.sleep(60)
        finally:
            for number in range(2):
                with pytest.raises(TimeoutError):
                    async with within(0.0):
                        await asyncio.sleep(60)
                done.append(number)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == [0, 1]


async def test_a_cancel_from_outside_is_none():
    async def work():
        async with within(60):
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_is_in_time_goes_through():
    async with within(60) as scope:
        await asyncio.sleep(0)
    assert not scope.expired()
    async with within(None):
        await asyncio.sleep(0)
