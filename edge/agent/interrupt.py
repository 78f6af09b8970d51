"""Commands that a service manager or a script ends as a person does by Control-C: what was begun is taken back."""

import asyncio
import signal
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def run_to_end(work: Coroutine[Any, Any, Result]) -> Result:
    """Run as `asyncio.run` does; SIGTERM cancels the work as SIGINT does, so that it leaves no reader transmitting."""

    async def guarded() -> Result:
        if threading.current_thread() is threading.main_thread():
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, signal.raise_signal, signal.SIGINT)
        return await work

    return asyncio.run(guarded())
