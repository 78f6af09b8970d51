"""Ends of pulses that are ours to make: an output counts as off once its device has said so, and no sooner.

An order can be lost on its way: noise on a line, a reader that is busy. A siren whose one order to be silent was lost
would sound until somebody pulled the plug, so the order is given again for as long as the session lasts; the next one
begins with all outputs off.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from structlog.typing import FilteringBoundLogger

from edge.readers.errors import ReaderError

AGAIN_S: Final = 0.25
LONGEST_AGAIN_S: Final = 2.0


class PulseEnds:
    """One device's ends in one session.

    Args:
        off: switches an output off; `ReaderError` where the device has not said that it is.
        log: logger with the device's id bound.
    """

    def __init__(self, off: Callable[[int], Awaitable[None]], *, log: FilteringBoundLogger) -> None:
        self._off, self._log = off, log
        self._tasks: dict[int, asyncio.Task[None]] = {}

    @property
    def outputs(self) -> list[int]:
        """Outputs that are still to be switched off."""
        return sorted(self._tasks)

    def begin(self, output: int, after_ms: int) -> None:
        """Switch an output off in so many milliseconds, unless `call_off` comes before."""
        self._cancel(output)
        self._tasks[output] = asyncio.create_task(self._end(output, after_ms), name=f"end of output {output}")

    async def call_off(self, output: int) -> None:
        """Another order for the output takes this one's place; returns once none of ours is on its way."""
        task = self._cancel(output)
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)

    def close(self) -> None:
        """Give no more orders: the session is over."""
        for output in self.outputs:
            self._cancel(output)

    def _cancel(self, output: int) -> "asyncio.Task[None] | None":
        task = self._tasks.pop(output, None)
        if task is not None:
            task.cancel()
        return task

    async def _end(self, output: int, after_ms: int) -> None:
        await asyncio.sleep(after_ms / 1000)
        wait_s, problem = AGAIN_S, ""
        while True:
            try:
                await self._off(output)
            except ReaderError as error:
                if not problem:
                    self._log.error(
                        "output can't be switched off: it is tried again, and may still be on",
                        output=output,
                        problem=str(error),
                    )
                problem = str(error)
            else:
                break
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_AGAIN_S)
        if problem:
            self._log.info("output is off now", output=output)
        if self._tasks.get(output) is asyncio.current_task():
            del self._tasks[output]
