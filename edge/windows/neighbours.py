"""Doors so near that both hear one carrier: one tag, one time, one portal (contracts: Portals name their neighbours).

Portals of one gateway are compared in host time, whatever readers they have. What each of them heard of a tag is kept
from the snapshots that its decisions are made of; of two portals the one that heard the tag louder about the crossing
takes it. A crossing that one of them has told is told by no other, whatever comes to light later.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.settings import PortalSettings, WindowsSettings
from edge.windows.snapshot import Snapshot

REACH_US: Final = 1_000_000
"""About the crossing: a walker is then within 1.5 m of the plane."""
LOUDEST: Final = 5
"""So many of the loudest reads are the level: one alone may be a lucky reflection."""
SAME_US: Final = 3_000_000
"""Two crossings of one tag closer than this are one: from one plane around the jamb to the other it is 4 m and more."""
AGAIN_US: Final = 10_000_000
"""Out twice within this, without coming in between, is one crossing placed twice."""
KEEP_US: Final = 60_000_000
MOST_TAGS: Final = 4096
"""Tags whose reads are kept at once, each some kilobytes: more than forklifts carry through a gateway in a minute."""


class Heard(NamedTuple):
    """A visit's reads at one portal: host times, antennas and RSSI."""

    times_us: NDArray[np.int64]
    antennas: NDArray[np.int32]
    rssi_cdbm: NDArray[np.int32]


class Booked(NamedTuple):
    """A crossing that was told."""

    crossed_us: int
    portal: str
    kind: str


@dataclass(slots=True)
class _Tag:
    newest_us: int
    heard: dict[str, Heard] = field(default_factory=dict)
    booked: list[Booked] = field(default_factory=list)


class Neighbours:
    """A gateway's portals and what they heard within the last minute of the tags that moved."""

    def __init__(self, settings: WindowsSettings) -> None:
        self._near = neighbours(settings.portals)
        self._order = {portal.id: place for place, portal in enumerate(settings.portals)}
        self._zeros = {portal.id: _zeros(portal) for portal in settings.portals}
        self._tags: OrderedDict[bytes, _Tag] = OrderedDict()
        self.doubles = 0

    def note(self, portal: str, snap: Snapshot, offset_us: int) -> None:
        """Keep what a portal has heard of a tag by now, if it has neighbours."""
        if not self._near[portal]:
            return
        tag = self._tag(snap.epc, snap.at_us + offset_us)
        log = snap.log[snap.log[:, L.G_RSSI] != L.NO_RSSI]
        times_us = log[:, L.G_US].astype(np.int64) + int(snap.head[L.BIN0_US]) + offset_us
        tag.heard[portal] = Heard(times_us, log[:, L.G_ANTENNA], log[:, L.G_RSSI])

    def rival(self, portal: str, epc: bytes, near_us: int) -> bool:
        """Say whether a neighbour heard a tag louder than a portal did, about an instant of host time."""
        tag = self._tags.get(epc)
        if tag is None or portal not in tag.heard:
            return False
        return any(self._louder(tag, other, portal, near_us) for other in self._near[portal] if other in tag.heard)

    def claim(self, portal: str, epc: bytes, kind: str, crossed_us: int) -> bool:
        """Book a crossing in host time; return False where a neighbour has told it already."""
        tag = self._tags.get(epc)
        if tag is None:
            return True
        mine = Booked(crossed_us, portal, kind)
        if any(_same(mine, other) for other in tag.booked if other.portal in self._near[portal]):
            self.doubles += 1
            return False
        tag.booked.append(mine)
        return True

    def _louder(self, tag: _Tag, other: str, portal: str, near_us: int) -> bool:
        """Compare two portals; levels are relative to those of their commissioning where both have been walked."""
        zeros = self._zeros[other], self._zeros[portal]
        if zeros[0] is None or zeros[1] is None:
            zeros = None, None
        theirs = level(tag.heard[other], near_us, zeros[0])
        mine = level(tag.heard[portal], near_us, zeros[1])
        if theirs is None or mine is None:
            return theirs is not None
        return theirs > mine or (theirs == mine and self._order[other] < self._order[portal])

    def _tag(self, epc: bytes, now_us: int) -> _Tag:
        tag = self._tags.setdefault(epc, _Tag(now_us))
        tag.newest_us = max(tag.newest_us, now_us)
        self._tags.move_to_end(epc)
        while len(self._tags) > MOST_TAGS or next(iter(self._tags.values())).newest_us < now_us - KEEP_US:
            self._tags.popitem(last=False)
        tag.booked = [one for one in tag.booked if one.crossed_us > now_us - KEEP_US]
        return tag


def neighbours(portals: Iterable[PortalSettings]) -> dict[str, list[str]]:
    """Return each portal's neighbours in the order of the settings: named by either, or with a reader in common."""
    portals = tuple(portals)
    readers = {portal.id: {antenna.reader for antenna in portal.antennas} for portal in portals}
    return {
        one.id: [
            other.id
            for other in portals
            if other.id != one.id
            and (other.id in one.neighbours or one.id in other.neighbours or readers[one.id] & readers[other.id])
        ]
        for one in portals
    }


def level(heard: Heard, near_us: int, zeros: NDArray[np.int32] | None) -> float | None:
    """Return the mean of the loudest reads about an instant, cdBm or cdB over `zeros`; None where there was none."""
    near = np.abs(heard.times_us - near_us) <= REACH_US
    rssi = heard.rssi_cdbm[near]
    if zeros is not None:
        rssi = rssi - zeros[heard.antennas[near]]
    return float(np.sort(rssi)[-LOUDEST:].mean()) if len(rssi) else None


def _same(one: Booked, other: Booked) -> bool:
    apart_us = abs(one.crossed_us - other.crossed_us)
    return apart_us <= SAME_US or (one.kind == other.kind and apart_us <= AGAIN_US)


def _zeros(portal: PortalSettings) -> NDArray[np.int32] | None:
    levels = [antenna.doorway_cdbm for antenna in portal.antennas]
    known = [level for level in levels if level is not None]
    return np.array(known, np.int32) if len(known) == len(levels) else None
