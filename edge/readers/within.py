"""`asyncio.timeout` for work that goes on while its task is cancelled: goodbyes, outputs that have to be off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def within(delay_s: float | None) -> AsyncIterator[asyncio.Timeout]:
    """Raise `TimeoutError` if what is within takes longer; None is for ever.

    Python 3.11.2, that of Debian 12, raises `CancelledError` in its place once the task was cancelled before, which
    ended an orderly stop at its first timeout: outputs stayed on.
    """
    task = asyncio.current_task()
    before = 0 if task is None else task.cancelling()
    scope = asyncio.timeout(delay_s)
    try:
        async with scope:
            yield scope
    except asyncio.CancelledError:
        if scope.expired() and task is not None and task.cancelling() <= before:
            raise TimeoutError from None
        raise
