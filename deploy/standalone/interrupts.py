"""SIGINT and SIGTERM as a flag that waiting loops look at, so that no child is ever started and forgotten."""

import signal
from types import FrameType, TracebackType
from typing import Any, Self


class Interrupted(Exception):  # noqa: N818 - an order, not an error
    """Somebody asked us to stop."""


class Interrupts:
    """Catches SIGINT and SIGTERM within its block; `pulse` raises once for each that came."""

    def __init__(self) -> None:
        self._pending = False
        self._before: dict[signal.Signals, Any] = {}

    def pulse(self) -> None:
        """Raise `Interrupted` if a signal came since the last call."""
        if self._pending:
            self._pending = False
            raise Interrupted

    @property
    def pending(self) -> bool:
        """Whether a signal came that nobody has looked at yet."""
        return self._pending

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._pending = True
