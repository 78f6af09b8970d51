"""What the antennas of one reader heard of each tag: rates and levels, tags that stay and tags that move."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.llrp.batch import NO_RSSI_CDBM
from edge.readers.hearing import Heard

SECOND_US: Final = 1_000_000
STAY_US: Final = 8 * SECOND_US
"""A tag heard over so long a time has either stayed or walked about: a walk past takes seconds."""
STAY_SHARE: Final = 0.5
"""And over this share of the time of listening."""
RESTLESS_CDB: Final = 1500
"""The tenth and the ninetieth of a hundred levels this far apart: of a tag at rest even the extremes lie 14 dB apart
(domain, Radio), while somebody walks up and down over 30 dB."""
JUDGED_READS: Final = 8
MOST_READS: Final = 1_000_000
"""Reads that one listening keeps: a quarter of an hour at full rate; more are counted as `skipped`."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reads:
    """Reads as columns, by host time: instants, antenna ports, tags as numbers into `Listening.epcs`, levels."""

    at_us: Ints
    port: Ints
    tag: Ints
    rssi_cdbm: Ints
    count: Ints

    def __len__(self) -> int:
        return len(self.at_us)

    def pick(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> "Reads":
        """Return some of the reads, by a mask or by their places."""
        return Reads(self.at_us[which], self.port[which], self.tag[which], self.rssi_cdbm[which], self.count[which])


def _no_reads() -> Reads:
    return Reads(*(np.zeros(0, np.int64) for _ in fields(Reads)))


class Listening:
    """One reader's reads over a time of listening; takes what `Hearing.take` gives."""

    def __init__(self) -> None:
        self.epcs: list[bytes] = []
        self.skipped = 0
        self._numbers: dict[bytes, int] = {}
        self._parts: list[Reads] = []
        self._kept = 0

    def take(self, heard: Heard | None) -> None:
        """Take reports, in the order in which they came."""
        if heard is None or not len(heard):
            return
        if self._kept + len(heard) > MOST_READS:
            self.skipped += len(heard)
            return
        self._kept += len(heard)
        self._parts.append(
            Reads(
                heard.at_us.astype(np.int64),
                heard.antenna.astype(np.int64),
                self._tags(heard),
                heard.rssi_cdbm.astype(np.int64),
                heard.count.astype(np.int64),
            )
        )

    def reads(self, from_us: int | None = None) -> Reads:
        """Return the reads since an instant, by time."""
        parts = self._parts or [_no_reads()]
        whole = Reads(*(np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(Reads)))
        ordered = whole.pick(np.argsort(whole.at_us, kind="stable"))
        return ordered if from_us is None else ordered.pick(ordered.at_us >= from_us)

    def number(self, epc: bytes) -> int | None:
        """Return a tag's number; None for one that was not heard."""
        return self._numbers.get(epc)

    def _tags(self, heard: Heard) -> Ints:
        raw, width = heard.epc.tobytes(), heard.epc.shape[1]
        tags = []
        for row, bits in enumerate(heard.epc_bits.tolist()):
            epc = raw[row * width : row * width + (bits + 7) // 8]
            number = self._numbers.setdefault(epc, len(self.epcs))
            if number == len(self.epcs):
                self.epcs.append(epc)
            tags.append(number)
        return np.array(tags, np.int64)


@dataclass(frozen=True, slots=True)
class Stay:
    """Tags that stay, as one reader hears them.

    Attributes:
        tags: (n,) their numbers.
        ports: (p,) antenna ports.
        reads: (n, p) reads of each tag at each port.
        level_cdbm: (n, p) mean level; NaN where a tag was never heard with one.
        seconds: length of the listening.
        never: numbers of tags that answer all the time and are no residents.
    """

    tags: Ints
    ports: tuple[int, ...]
    reads: Ints
    level_cdbm: Floats
    seconds: float
    never: Ints

    def at(self, port: int) -> tuple[Ints, Floats]:
        """Return reads and levels of the tags that a port hears."""
        column = self.ports.index(port)
        mine = self.reads[:, column] > 0
        return self.reads[mine, column], self.level_cdbm[mine, column]


def stay(reads: Reads, ports: Iterable[int], seconds: float, *, never: Iterable[int] = ()) -> Stay:
    """Return the tags that stayed.

    Args:
        reads: of one reader, by time.
        ports: its antenna ports.
        seconds: length of the listening.
        never: tags that are no residents though they stay: reference tags.
    """
    listed = tuple(sorted(ports))
    known = int(reads.tag.max()) + 1 if len(reads) else 0
    first, last = np.full(known, np.iinfo(np.int64).max), np.zeros(known, np.int64)
    np.minimum.at(first, reads.tag, reads.at_us)
    np.maximum.at(last, reads.tag, reads.at_us)
    span_us = np.where(last > 0, last - first, 0)
    lasting = span_us >= max(STAY_US, round(STAY_SHARE * seconds * SECOND_US))
    others = np.array(sorted(tag for tag in never if tag < known), np.int64)
    lasting[others] = False
    found = [tag for tag in np.flatnonzero(lasting).tolist() if not _moves(reads, tag)]
    return _table(reads, np.array(found, np.int64), listed, seconds, others)


def _moves(reads: Reads, tag: int) -> bool:
    """Say whether the antenna that hears a tag most hears it at levels that no tag at rest has."""
    mine = reads.pick((reads.tag == tag) & (reads.rssi_cdbm != NO_RSSI_CDBM))
    if not len(mine):
        return False
    ports, counts = np.unique(mine.port, return_counts=True)
    levels = mine.rssi_cdbm[mine.port == ports[counts.argmax()]]
    if len(levels) < JUDGED_READS:
        return False
    low, high = np.percentile(levels, [10, 90])
    return bool(high - low >= RESTLESS_CDB)


def _table(reads: Reads, tags: Ints, ports: tuple[int, ...], seconds: float, never: Ints) -> Stay:
    row = np.full(int(reads.tag.max()) + 1 if len(reads) else 0, -1)
    row[tags] = np.arange(len(tags))
    mine = reads.pick((row[reads.tag] >= 0) & np.isin(reads.port, ports))
    place = row[mine.tag], np.searchsorted(ports, mine.port)
    counts = np.zeros((len(tags), len(ports)), np.int64)
    np.add.at(counts, place, mine.count)
    sums, known = np.zeros(counts.shape), np.zeros(counts.shape)
    levelled = mine.rssi_cdbm != NO_RSSI_CDBM
    place = place[0][levelled], place[1][levelled]
    np.add.at(sums, place, mine.rssi_cdbm[levelled])
    np.add.at(known, place, 1)
    levels = np.where(known > 0, sums / np.maximum(known, 1), np.nan)
    return Stay(tags, ports, counts, levels, seconds, never)
