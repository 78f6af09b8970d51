"""How loud a doorway's own crossings are: the levels that a commissioning's walks gave, learnt on from everyday's.

An installer walks with good tags; what is carried afterwards is weaker by several dB, and differs from site to site.
Whether a tag went through or only passed by is told by its levels against those of others that went through.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.evidence.measure import references
from edge.windows.settings import PortalSettings
from edge.windows.snapshot import Snapshot

AROUND_US: Final = 2_500_000
"""A crossing's levels are those within so long of its instant."""
APART_US: Final = 1_000_000
"""Of tags that go through together one is learnt from: a cart of forty is one carrier."""
MEMORY: Final = 40
"""Crossings that are remembered of each antenna."""
SURE: Final = 0.9
"""Only a crossing that is called with so much confidence teaches."""
ENOUGH: Final = 5.0
"""The walks, or where there were none the usual doorway, weigh as much as so many crossings."""
LEAST_READS: Final = 15


@dataclass(slots=True)
class _Door:
    """Peaks of the newest crossings at each antenna, cdBm, and when the last one was."""

    peaks: list[deque[int]]
    last_us: int = -(1 << 62)
    levels: tuple[int, ...] | None = None


@dataclass(slots=True)
class Usual:
    """What a group's portals have learnt."""

    portals: tuple[PortalSettings, ...]
    _doors: dict[int, _Door] = field(default_factory=dict)

    def levels(self, place: int) -> tuple[int, ...] | None:
        """Return the doorway's level at each antenna, cdBm, or None where nothing was learnt yet."""
        door = self._doors.get(place)
        return None if door is None else door.levels

    def note(self, snap: Snapshot, crossed_us: int) -> None:
        """Learn from a visit that surely went through."""
        place = int(snap.head[L.PORTAL])
        door = self._doors.get(place)
        if door is None:
            door = self._doors[place] = _Door([deque(maxlen=MEMORY) for _ in self.portals[place].antennas])
        if len(snap.log) < LEAST_READS or abs(crossed_us - door.last_us) < APART_US:
            return
        door.last_us = crossed_us
        away_us = np.abs(snap.log[:, L.G_US] - (crossed_us - int(snap.head[L.BIN0_US])))
        near = snap.log[(away_us <= AROUND_US) & (snap.log[:, L.G_RSSI] != L.NO_RSSI)]
        for antenna, peaks in enumerate(door.peaks):
            mine = near[near[:, L.G_ANTENNA] == antenna, L.G_RSSI]
            if len(mine):
                peaks.append(int(mine.max()))
        door.levels = self._learnt(place, door)

    def _learnt(self, place: int, door: _Door) -> tuple[int, ...]:
        """Blend what was told with the median of what was seen, antenna by antenna, to a tenth of a dB."""
        known = [round(value) for value in references(self.portals[place])[:-1].tolist()]
        blended = []
        for before, peaks in zip(known, door.peaks, strict=True):
            seen = len(peaks)
            level = before if not seen else (seen * float(np.median(peaks)) + ENOUGH * before) / (seen + ENOUGH)
            blended.append(10 * round(level / 10))
        return tuple(blended)
