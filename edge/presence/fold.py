"""Reads summed by tag and place: a few thousand at a time, in numpy. `edge.presence.plain` is its definition.

Sums, greatest levels and latest instants don't depend on how reads were cut into batches. Tags are told apart by a hash
of their bytes, and where two tags share one (chance doesn't do that, a forger may) by the bytes themselves.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_FACTORS: Final = np.array(
    [
        0x9E3779B97F4A7C15,
        0xBF58476D1CE4E5B9,
        0x94D049BB133111EB,
        0xD6E8FEB86659FD93,
        0xA0761D6478BD642F,
        0xE7037ED1A0B428DB,
        0x8EBC6AF09C88C6E3,
        0x589965CC75374CC3,
    ],
    np.uint64,
)
"""Odd constants, one a word of the EPC; which ones doesn't matter (the first is 2^64 over the golden ratio)."""
_SHIFT: Final = np.uint64(29)
WORD_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Reads:
    """Reads as columns.

    Attributes:
        place: (n,) int64, index of the place; none is negative.
        epc: (n, 8 w) uint8, zero padded to the right.
        length: (n,) int64, bytes of the EPC.
        rssi_cdbm, at_us, count: (n,) int64.
    """

    place: NDArray[np.int64]
    epc: NDArray[np.uint8]
    length: NDArray[np.int64]
    rssi_cdbm: NDArray[np.int64]
    at_us: NDArray[np.int64]
    count: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.place)

    def pick(self, which: NDArray[np.bool_]) -> "Reads":
        """Return some of the rows, in order."""
        return Reads(
            self.place[which],
            self.epc[which],
            self.length[which],
            self.rssi_cdbm[which],
            self.at_us[which],
            self.count[which],
        )


@dataclass(frozen=True, slots=True)
class Sums:
    """One row a (place, tag), in the order in which they first came."""

    keys: list[tuple[int, bytes]]
    reads: NDArray[np.int64]
    best_cdbm: NDArray[np.int64]
    last_us: NDArray[np.int64]


def summed(reads: Reads) -> Sums:
    """Sum reads by place and tag."""
    nothing = np.zeros(0, np.int64)
    if not len(reads):
        return Sums([], nothing, nothing, nothing)
    order, starts = _groups(reads)
    first = np.minimum.reduceat(order, starts)
    by_first = np.argsort(first)
    first = first[by_first]
    return Sums(
        _keys(reads, first),
        np.add.reduceat(reads.count[order], starts)[by_first],
        np.maximum.reduceat(reads.rssi_cdbm[order], starts)[by_first],
        np.maximum.reduceat(reads.at_us[order], starts)[by_first],
    )


def hashes(reads: Reads) -> NDArray[np.uint64]:
    """Return a hash of each row's place and tag."""
    words = np.ascontiguousarray(reads.epc).view(np.uint64)
    mixed: NDArray[np.uint64] = (reads.place.astype(np.uint64) << np.uint64(8)) + reads.length.astype(np.uint64)
    for column in range(words.shape[1]):
        mixed = (mixed ^ words[:, column]) * _FACTORS[column % len(_FACTORS)]
        mixed ^= mixed >> _SHIFT
    return mixed


def _groups(reads: Reads) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return an order in which rows of one tag and place stand together, and where each such group begins."""
    mixed = hashes(reads)
    order = np.argsort(mixed)
    new = np.empty(len(reads), np.bool_)
    new[0], new[1:] = True, mixed[order[1:]] != mixed[order[:-1]]
    if not _same_as_before(reads, order)[~new[1:]].all():
        order = np.lexsort((*reads.epc.T, reads.length, reads.place))
        new[1:] = ~_same_as_before(reads, order)
    return order, np.flatnonzero(new)


def _same_as_before(reads: Reads, order: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell of each row but the first whether it is of the tag and place of the row before it."""
    words = np.ascontiguousarray(reads.epc).view(np.uint64)[order]
    place, length = reads.place[order], reads.length[order]
    same: NDArray[np.bool_] = (words[1:] == words[:-1]).all(axis=1)
    same &= (place[1:] == place[:-1]) & (length[1:] == length[:-1])
    return same


def _keys(reads: Reads, rows: NDArray[np.int64]) -> list[tuple[int, bytes]]:
    raw, width = reads.epc[rows].tobytes(), reads.epc.shape[1]
    told = zip(reads.place[rows].tolist(), reads.length[rows].tolist(), strict=True)
    return [(place, raw[at * width : at * width + length]) for at, (place, length) in enumerate(told)]
