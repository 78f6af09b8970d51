"""SIGHUP while the agent starts: without somebody who minds it, the signal would end the process."""

import signal
from collections.abc import Callable


def mind_hang_up() -> Callable[[], bool]:
    """Mind SIGHUP from now on, until the event loop does; return what tells whether one came."""
    came: list[int] = []
    signal.signal(signal.SIGHUP, lambda number, _frame: came.append(number))
    return lambda: bool(came)
