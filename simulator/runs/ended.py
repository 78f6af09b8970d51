"""SIGINT and SIGTERM end an offline run, which waits for nothing: what it wrote is taken back, and it says so."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

import typer

SIGNALLED: Final = 128
"""A command that a signal ended leaves with this and the signal's number, as shells count."""


class Ended(BaseException):
    """A signal came; like `KeyboardInterrupt` nothing but who began the work catches it."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def taken_back() -> Iterator[None]:
    """Let a signal raise through the work, so that each file's own end removes it; leave with the shell's code."""

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, signal.SIG_IGN)  # a second one must not end what the first one's end takes back
        raise Ended(number)

    mine = threading.current_thread() is threading.main_thread()
    before = {one: signal.signal(one, end) for one in (signal.SIGTERM, signal.SIGINT)} if mine else {}
    try:
        yield
    except Ended as error:
        sys.stderr.write(f"stockgate-sim: ended before the end: {error}: no file is kept\n")
        raise typer.Exit(SIGNALLED + error.number) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
