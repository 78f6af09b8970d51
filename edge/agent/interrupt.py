"""Commands that a service manager or a script ends as a person does by Control-C: what was begun is taken back."""

import asyncio
import signal
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def run_to_end(work: Coroutine[Any, Any, Result]) -> Result:
    """Run as `asyncio.run` does; SIGTERM cancels the work as SIGINT does, so that it leaves no reader transmitting.

    Raises:
        KeyboardInterrupt: once the work that a signal ended has cleaned up; also where a shell that put us into the
            background made us deaf to SIGINT.
    """

    async def guarded() -> Result:
        if threading.current_thread() is threading.main_thread():
            task = asyncio.current_task()
            if task is not None:
                asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
