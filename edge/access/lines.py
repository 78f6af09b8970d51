"""Who is on the line: a bounded number of connections, fewer of each peer, and room made by those that say nothing.

No sockets are touched here: a connection is only a thing to be told apart. Safe between threads.
"""

import threading
from dataclasses import dataclass
from typing import Final, NamedTuple

MOST: Final = 8
"""A controller has one or two."""
MOST_A_PEER: Final = 4
"""Nobody fills all lines from one address; a proxy that brings several controllers has them one after the other."""


class Admitted(NamedTuple):
    """Whether a connection is let in, and another that has to go for it."""

    let_in: bool
    goes: object | None = None


@dataclass(slots=True)
class _Line:
    peer: str
    idle: bool = True


class Lines:
    """The connections that are open, the oldest first; one is idle until it has shown that it may come in."""

    def __init__(self, most: int = MOST, most_a_peer: int = MOST_A_PEER) -> None:
        self._most, self._most_a_peer = most, most_a_peer
        self._lines: dict[object, _Line] = {}
        self._lock = threading.Lock()

    def admit(self, connection: object, peer: str) -> Admitted:
        """Take a new connection, if there is room or an idle one can go: the peer's own where it has too many."""
        with self._lock:
            its = [one for one, line in self._lines.items() if line.peer == peer]
            goes = None
            if len(its) >= self._most_a_peer:
                goes = self._oldest_idle(its)
            elif len(self._lines) >= self._most:
                goes = self._oldest_idle(list(self._lines))
            else:
                self._lines[connection] = _Line(peer)
                return Admitted(let_in=True)
            if goes is None:
                return Admitted(let_in=False)
            del self._lines[goes]
            self._lines[connection] = _Line(peer)
            return Admitted(let_in=True, goes=goes)

    def known(self, connection: object) -> None:
        """Note that a connection may come in, so that it goes for nobody any more."""
        with self._lock:
            if connection in self._lines:
                self._lines[connection].idle = False

    def left(self, connection: object) -> None:
        """Note that a connection is over."""
        with self._lock:
            self._lines.pop(connection, None)

    def _oldest_idle(self, among: list[object]) -> object | None:
        return next((one for one in among if self._lines[one].idle), None)
