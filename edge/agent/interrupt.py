"""Commands that a service manager or a script ends as a person does by Control-C: what was begun is taken back."""

import asyncio
import signal
import sys
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, NoReturn, TypeVar

import typer

Result = TypeVar("Result")
SIGNALLED: Final = 128
"""A command that a signal ended leaves with this and the signal's number, as shells count."""


class Ended(BaseException):
    """SIGINT or SIGTERM came; like `KeyboardInterrupt` nothing but who began the work catches it."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


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


@contextmanager
def taken_back(remains: str) -> Iterator[None]:
    """Let SIGTERM and SIGINT end work that waits for nothing: what it opened is closed, and one line says so.

    Args:
        remains: what is there afterwards, for that line.
    """

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, signal.SIG_IGN)  # a second one must not end what the first one's end takes back
        raise Ended(number)

    mine = threading.current_thread() is threading.main_thread()
    before = {one: signal.signal(one, end) for one in (signal.SIGTERM, signal.SIGINT)} if mine else {}
    try:
        yield
    except Ended as error:
        sys.stderr.write(f"ended before the end: {error}: {remains}\n")
        raise typer.Exit(SIGNALLED + error.number) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
