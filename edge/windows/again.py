"""Through the doorway and back again, heard all the while: one visit of the reads, two passages of the tag.

A visit ends when a tag isn't heard for seconds, or rests. Who goes out and is in again before that has been heard
throughout, and both ways together look like a turn. So once a crossing has been told, what follows is looked at by
itself: if that is a crossing the other way, sure enough to be told early, the first passage ends where it begins.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from edge.contracts import Kind
from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.snapshot import Snapshot

BEYOND_US: Final = 2_500_000
"""What was heard until so long after a crossing is of that crossing."""
SOONEST_US: Final = 5_000_000
"""Nobody is told to have gone through twice within less: a step or two beyond the plane and back is a turn."""
LEAST_READS: Final = 10
TOP_READS: Final = 3
REACH_CDB: Final = 1000
"""Who lingers beyond the plane is heard by the side that he left 20 dB weaker than when he went by."""


def may_return(snap: Snapshot, crossed_us: int) -> bool:
    """Say whether enough was heard since a crossing to look for another one."""
    if snap.at_us - crossed_us < SOONEST_US:
        return False
    return int((_times_us(snap) > crossed_us + BEYOND_US).sum()) >= LEAST_READS


def until(snap: Snapshot, at_us: int) -> Snapshot:
    """Return a visit as if it had ended at an instant, by the reads that its log still holds."""
    return replace(_part(snap, _times_us(snap) <= at_us), why=L.LEFT)


def since(snap: Snapshot, at_us: int) -> Snapshot:
    """Return a visit as if it had begun after an instant, by the reads that its log still holds."""
    return _part(snap, _times_us(snap) > at_us)


def reaches(gone: Snapshot, back: Snapshot, way: Kind) -> bool:
    """Say whether the side that a tag went back to heard it about as loud as when it left from there."""
    side = 0 if way == "in" else 1
    return _top_cdbm(back, side) >= _top_cdbm(gone, side) - REACH_CDB


def _top_cdbm(snap: Snapshot, side: int) -> int:
    heard = np.sort(snap.log[(snap.log[:, L.G_SIDE] == side) & (snap.log[:, L.G_RSSI] != L.NO_RSSI), L.G_RSSI])
    return int(heard[-TOP_READS:].mean()) if len(heard) >= TOP_READS else L.NO_LEVEL


def _times_us(snap: Snapshot) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return snap.log[:, L.G_US].astype(np.int64) + int(snap.head[L.BIN0_US])


def _part(snap: Snapshot, kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Snapshot:
    """Return a visit of some of its reads; it keeps its signs of motion, which can't be told apart."""
    log, head = snap.log[kept], snap.head.copy()
    if not len(log) or kept.all():
        return snap
    times_us = _times_us(snap)[kept]
    head[L.START_US], head[L.LAST_US] = (head[L.START_US] if kept[0] else times_us[0]), times_us[-1]
    head[L.READS], head[L.REPORTS] = log[:, L.G_COUNT].sum(), len(log)
    return replace(snap, head=head, ant=_antennas(log, times_us, len(snap.ant)), log=log)


def _antennas(log: np.ndarray, times_us: np.ndarray, count: int) -> np.ndarray:
    """Return what a row's evidence says of each antenna; phases aren't tracked anew."""
    ant = np.zeros((count, L.ANT), np.int64)
    ant[:, L.A_PEAK_CDBM] = L.NO_LEVEL
    for a in range(count):
        mine = log[:, L.G_ANTENNA] == a
        ant[a, L.A_READS], ant[a, L.A_REPORTS] = log[mine, L.G_COUNT].sum(), mine.sum()
        levels = np.where(mine & (log[:, L.G_RSSI] != L.NO_RSSI), log[:, L.G_RSSI], L.NO_LEVEL)
        if levels.max() > L.NO_LEVEL:
            ant[a, L.A_PEAK_CDBM], ant[a, L.A_PEAK_US] = levels.max(), times_us[int(levels.argmax())]
    return ant
