"""The tags of one span: how often each was read at each place, how well at best, and when last. Bounded."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np

from edge.presence.fold import Sums

_FIRST_ROWS: Final = 256


class TagSeen(NamedTuple):
    """One tag at one place."""

    epc: bytes
    reads: int
    best_cdbm: int
    last_us: int


class Table:
    """Tags by place.

    Args:
        most: (place, tag) pairs held at most.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._slots: dict[tuple[int, bytes], int] = {}
        self._reads = np.zeros(_FIRST_ROWS, np.int64)
        self._best = np.zeros(_FIRST_ROWS, np.int64)
        self._last = np.zeros(_FIRST_ROWS, np.int64)
        self.full: set[int] = set()
        """Places some of whose tags found no room."""
        self.shed_reads = 0
        """Reads of those tags."""
        self.foreign_reads = 0
        """Reads of tags that are none of ours."""

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, key: tuple[int, bytes]) -> bool:
        return key in self._slots

    def add(self, sums: Sums, foreign: Callable[[bytes], bool]) -> None:
        """Take sums; a tag that is new here and foreign is only counted, as is one that there is no room for."""
        slots = np.array([self._slot(key, foreign) for key in sums.keys], np.int64)
        held = slots >= 0
        if not held.all():
            self.foreign_reads += int(sums.reads[slots == _FOREIGN].sum())
            self.shed_reads += int(sums.reads[slots == _NO_ROOM].sum())
        rows = slots[held]
        self._reads[rows] += sums.reads[held]
        self._best[rows] = np.maximum(self._best[rows], sums.best_cdbm[held])
        self._last[rows] = np.maximum(self._last[rows], sums.last_us[held])

    def tags(self) -> Iterator[tuple[int, TagSeen]]:
        """Yield place and tag, by place and EPC."""
        for (place, epc), slot in sorted(self._slots.items()):
            yield place, TagSeen(epc, int(self._reads[slot]), int(self._best[slot]), int(self._last[slot]))

    def _slot(self, key: tuple[int, bytes], foreign: Callable[[bytes], bool]) -> int:
        slot = self._slots.get(key)
        if slot is not None:
            return slot
        if foreign(key[1]):
            return _FOREIGN
        slot = len(self._slots)
        if slot >= self._most:
            self.full.add(key[0])
            return _NO_ROOM
        if slot == len(self._reads):
            self._grow()
        self._slots[key] = slot
        self._best[slot], self._last[slot] = _LEAST, _LEAST
        return slot

    def _grow(self) -> None:
        more = np.zeros(len(self._reads), np.int64)
        self._reads, self._best, self._last = (
            np.concatenate((column, more)) for column in (self._reads, self._best, self._last)
        )


_FOREIGN: Final = -1
_NO_ROOM: Final = -2
_LEAST: Final = -(1 << 62)
