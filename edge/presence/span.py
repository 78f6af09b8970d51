"""One span: what its antennas heard, for how long they listened, and the rows that tell it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.contracts import (
    MAX_PRESENCE_TAGS,
    PresenceAntenna,
    PresenceRow,
    PresenceTag,
    instant,
)
from edge.presence.cover import SECOND_US, Cover, overlap_us
from edge.presence.fold import Reads, summed
from edge.presence.settings import Antenna, Mode, Place
from edge.presence.table import Table, TagSeen

SLACK_US: Final = 2 * SECOND_US
"""An antenna that listened for all but this listened all the time: looks come twice a second."""
LEAST_ASKED_US: Final = 5 * SECOND_US
"""So long tags at rest must have been asked in a complete span: one that is kept quiet can't be silent."""
LEAST_CDBM: Final = -32_767
"""Level of a tag whose reader tells none: the lowest that the contract has."""
OPEN_END_US: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Columns:
    """Reads of one reader, as they wait: (n,) each, `epc` (n, 8 w)."""

    port: NDArray[np.int64]
    epc: NDArray[np.uint8]
    length: NDArray[np.int64]
    rssi_cdbm: NDArray[np.int64]
    at_us: NDArray[np.int64]
    count: NDArray[np.int64]

    def pick(self, which: NDArray[np.bool_]) -> "Columns":
        """Return some of the rows, in order."""
        return Columns(
            self.port[which],
            self.epc[which],
            self.length[which],
            self.rssi_cdbm[which],
            self.at_us[which],
            self.count[which],
        )


class Layout:
    """Which antenna serves which of some places."""

    def __init__(self, places: Sequence[Place]) -> None:
        self.places = tuple(places)
        self.antennas = [antenna for place in places for antenna in place.antennas]
        self._tables = {name: self._table(name) for name in {one.reader for one in self.antennas}}

    def table(self, reader: str) -> NDArray[np.int64] | None:
        """Return the place by port, -1 where none is; the last entry is for all ports beyond."""
        return self._tables.get(reader)

    def _table(self, reader: str) -> NDArray[np.int64]:
        ports = {one.port: at for at, place in enumerate(self.places) for one in place.antennas if one.reader == reader}
        table = np.full(max(ports) + 2, -1, np.int64)
        for port, place in ports.items():
            table[port] = place
        return table


@dataclass(slots=True)
class Span:
    """A stretch of time at some places; `end_us` may be moved back before it is closed."""

    layout: Layout
    table: Table
    begin_us: int
    end_us: int = OPEN_END_US
    covers: dict[Antenna, Cover] = field(default_factory=dict)
    reads: dict[Antenna, int] = field(default_factory=dict)
    lossy: set[str] = field(default_factory=set)
    """Readers that lost reads meanwhile."""

    def __post_init__(self) -> None:
        """Begin with nothing."""
        self.covers = {antenna: Cover() for antenna in self.layout.antennas}
        self.reads = dict.fromkeys(self.layout.antennas, 0)

    def take(self, reader: str, columns: Columns, foreign: Callable[[bytes], bool]) -> NDArray[np.bool_] | None:
        """Take what is of this span; return which reads that were, None where none of the reader's can be."""
        table = self.layout.table(reader)
        if table is None:
            return None
        place = table[np.minimum(columns.port, len(table) - 1)]
        mine: NDArray[np.bool_] = (place >= 0) & (columns.at_us >= self.begin_us) & (columns.at_us < self.end_us)
        if not mine.any():
            return mine
        reads = Reads(place, columns.epc, columns.length, columns.rssi_cdbm, columns.at_us, columns.count)
        port, count = columns.port, columns.count
        if not mine.all():
            reads, port, count = reads.pick(mine), port[mine], count[mine]
        self.table.add(summed(reads), foreign)
        by_port = np.bincount(port, count)
        for heard in np.flatnonzero(by_port).tolist():
            self.reads[Antenna(reader, heard)] += int(by_port[heard])
        return mine

    def credit(self, antenna: Antenna, from_us: int, to_us: int, *, asked: bool) -> None:
        """Credit an antenna with a stretch of listening, or take one back."""
        cover = self.covers.get(antenna)
        if cover is not None:
            within_us = overlap_us(self.begin_us, self.end_us, from_us, to_us)
            cover.up_us = max(cover.up_us + within_us, 0)
            if asked or within_us < 0:
                cover.asked_us = max(cover.asked_us + within_us, 0)

    def told(self, foreign: Callable[[bytes], bool]) -> Iterator[PresenceRow]:
        """Yield the rows of each place, numbered by whoever stores them; none where nothing listened or was heard."""
        tags: dict[int, list[TagSeen]] = {}
        for index, tag in self.table.tags():
            if not foreign(tag.epc):
                tags.setdefault(index, []).append(tag)
        for at, place in enumerate(self.layout.places):
            seen = tags.get(at, [])
            if seen or any(self.covers[one].up_us for one in place.antennas):
                rounds = {one: self.covers[one].asked_us // SECOND_US for one in place.antennas}
                yield from self._rows(place, seen, rounds, complete=self._is_complete(at))

    def told_as_sweep(self, runs: int, foreign: Callable[[bytes], bool], *, complete: bool) -> Iterator[PresenceRow]:
        """Yield the rows of a sweep, which was run in so many runs; `complete` says that it came to its end."""
        (place,) = self.layout.places
        seen = [tag for _, tag in self.table.tags() if not foreign(tag.epc)]
        whole = complete and not self.table.full and not self.lossy
        yield from self._rows(place, seen, dict.fromkeys(place.antennas, runs), complete=whole)

    def _is_complete(self, at: int) -> bool:
        """Tell whether a tag that isn't named was silent, as far as antennas can tell."""
        place, length_us = self.layout.places[at], self.end_us - self.begin_us
        if at in self.table.full or any(one.reader in self.lossy for one in place.antennas):
            return False
        covers = [self.covers[one] for one in place.antennas]
        least_us = min(LEAST_ASKED_US, length_us // 2)
        return all(one.up_us >= length_us - SLACK_US and one.asked_us >= least_us for one in covers)

    def _rows(
        self, place: Place, tags: Sequence[TagSeen], rounds: dict[Antenna, int], *, complete: bool
    ) -> Iterator[PresenceRow]:
        antennas = [
            PresenceAntenna(
                reader=one.reader,
                port=one.port,
                up_s=min(self.covers[one].up_us, self.end_us - self.begin_us) / SECOND_US,
                rounds=rounds[one],
                reads=self.reads[one],
            )
            for one in place.antennas
        ]
        parts = [tags[low : low + MAX_PRESENCE_TAGS] for low in range(0, len(tags), MAX_PRESENCE_TAGS)] or [[]]
        mode: Mode = place.mode
        for part, some in enumerate(parts, 1):
            yield PresenceRow(
                seq=0,
                span=[instant(self.begin_us), instant(self.end_us)],
                zone=place.name,
                mode=mode,
                antennas=antennas,
                tags=[_tag(one) for one in some],
                part=[part, len(parts)],
                complete=complete,
            )


def _tag(one: TagSeen) -> PresenceTag:
    return PresenceTag(
        epc=one.epc.hex(),
        reads=one.reads,
        best_rssi_cdbm=max(one.best_cdbm, LEAST_CDBM),
        last_at=instant(one.last_us),
    )
