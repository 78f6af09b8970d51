"""Which readers are gone for long enough that somebody should look. Pure: times are arguments."""

from collections.abc import Sequence
from typing import Final

from edge.contracts import ReaderHealth

GONE_US: Final = 2_000_000
"""A reader that is back so soon was dialled anew, by a person or after a hiccup: nobody is to run for it."""
START_US: Final = 30_000_000
"""After a power cut the agent is up before its readers: so long they may take to be there for the first time."""


class LostReaders:
    """The readers of one agent."""

    def __init__(self) -> None:
        self._met: set[str] = set()
        self._since_us: dict[str, int] = {}
        self._told: set[str] = set()

    def look(self, readers: Sequence[ReaderHealth], now_us: int) -> frozenset[str]:
        """Take how the readers are; return those that are lost by now and were not told before."""
        new = set()
        for reader in readers:
            if reader.state == "connected":
                self._met.add(reader.id)
                self._since_us.pop(reader.id, None)
                self._told.discard(reader.id)
                continue
            since_us = self._since_us.setdefault(reader.id, now_us)
            patience_us = GONE_US if reader.id in self._met else START_US
            if now_us - since_us >= patience_us and reader.id not in self._told:
                new.add(reader.id)
        self._told |= new
        return frozenset(new)
