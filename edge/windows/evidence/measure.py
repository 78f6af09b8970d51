"""A snapshot's features and its outline in time, by the kernels."""

import statistics
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.around import NOTHING_AROUND, Around, Came
from edge.windows.evidence import columns, kernels
from edge.windows.evidence.levels.kernels import FLOOR_DB
from edge.windows.looks import kernels as looks
from edge.windows.settings import PortalSettings
from edge.windows.snapshot import Snapshot

Floats = NDArray[np.float64]
DOORWAY_CDBM: Final = -5200
"""Level of a carried tag in the doorway where nobody has walked."""
AMPLITUDES: Final = np.round(10 ** ((FLOOR_DB + 0.1 * np.arange(851)) / 20), 12)
"""Of -45 to 40 dB in steps of 0.1 dB; rounded, so that every platform's library gives the same."""

COSINES: Final = np.asarray(np.round(np.cos(2 * np.pi * np.arange(4096) / 4096), 12), np.float64)

TABLES: Final = (AMPLITUDES, COSINES)
KNOWN: Final = np.asarray(np.round(np.log1p(np.arange(3601)) * 4096) / 4096, np.float64)
"""Of the seconds for which a tag had been known, an hour at most."""
KNOWN_AT: Final = np.array([columns.INDEX["known"]])
CAME_AT: Final = np.array([columns.INDEX[name] for name in ("known", *columns.CAME)])


@dataclass(frozen=True, slots=True)
class Measured:
    """One visit at one instant, in numbers.

    Attributes:
        features: (columns.COUNT,) see `columns`.
        outline: (2, kernels.OUTLINE) amplitudes a side and bin of absolute time, the bin's number modulo its length.
        last_bin: number of the newest bin.
        change_us: event time at which the sides' balance changed.
    """

    features: Floats
    outline: Floats
    last_bin: int
    change_us: int


@lru_cache(maxsize=256)
def references(portal: PortalSettings, learnt: tuple[int, ...] | None = None) -> NDArray[np.int64]:
    """Return (antennas + 1,) cdBm: the doorway's level at each antenna, then 1 where anybody has walked there."""
    known = [one.doorway_cdbm for one in portal.antennas if one.doorway_cdbm is not None]
    usual = round(statistics.median(known)) if known else DOORWAY_CDBM
    levels = learnt or [usual if one.doorway_cdbm is None else one.doorway_cdbm for one in portal.antennas]
    return np.array([*levels, int(bool(known))], np.int64)


@lru_cache(maxsize=256)
def place(portal: PortalSettings, learnt: tuple[int, ...] | None = None) -> Floats:
    """Return what the place is, in the order of `columns`; 0 for what is known of the tag."""
    levels = references(portal, learnt)[:-1] / 100
    sides = [one.side for one in portal.antennas]
    loudest = [
        max(level for level, side in zip(levels, sides, strict=True) if side == one) for one in ("inside", "outside")
    ]
    told = {
        "doorway_in": loudest[0],
        "doorway_out": loudest[1],
        "one_sided": float(portal.layout == "one-sided"),
        "overhead": float(portal.layout == "overhead"),
        "corners": float(portal.layout == "corners"),
        "two_readers": float(portal.layout == "two-readers"),
    }
    return np.array([told.get(name, 0.0) for name in columns.NAMES[len(columns.MEASURED) :]])


@lru_cache(maxsize=256)
def fewest(portal: PortalSettings) -> int:
    """Return how many antennas each side has at least."""
    sides = [one.side for one in portal.antennas]
    return min(sides.count("inside"), sides.count("outside"))


def measure(snap: Snapshot, portal: PortalSettings, around: Around = NOTHING_AROUND) -> Measured:
    """Measure a visit that has at least one read, and note what is around it."""
    features, outline = np.empty(columns.COUNT), np.zeros((2, kernels.OUTLINE))
    columns_of, values = _noted(snap, around)
    refs, here = references(portal, around.levels), place(portal, around.levels)
    last_bin, change_s = looks.look(
        snap.log, snap.head, snap.at_us, snap.why, fewest(portal), refs, here, columns_of, values, TABLES, features,
        outline,
    )  # fmt: skip
    return Measured(features, outline, last_bin, int(snap.head[L.BIN0_US]) + int(change_s * 1e6))


def _noted(snap: Snapshot, around: Around) -> tuple[NDArray[np.int64], Floats]:
    """Return columns and values of what is known of the tag, of what door and beams say, and from where it came."""
    known = float(KNOWN[min(int(snap.head[L.KNOWN_S]), len(KNOWN) - 1)])
    if around.beams is None and around.door is None:
        if around.came is None:
            return KNOWN_AT, np.array([known])
        return CAME_AT, np.array([known, *_came(around.came, int(snap.head[L.START_US]))])
    names, values = ["known"], [known]
    if around.beams is not None:
        told = {"out": 1.0, "in": -1.0}.get(around.beams, 0.0)
        names += columns.BEAMS
        values += [told, float(around.beams == "both"), float(around.beams == "none"), 1.0]
    if around.door is not None:
        names += columns.DOOR
        values += [float(around.door == "shut"), float(around.door in {"opened", "closed"}), 1.0]
    if around.came is not None:
        names += columns.CAME
        values += _came(around.came, int(snap.head[L.START_US]))
    return np.array([columns.INDEX[name] for name in names]), np.array(values)


def _came(came: Came, begin_us: int) -> list[float]:
    """Return from where a tag came, in the order of `columns.CAME`."""
    ago_s = max(begin_us - came.at_us, 0) // 1_000_000
    ago = float(KNOWN[min(ago_s, len(KNOWN) - 1)])
    return [came.reads, came.level, 1.0, ago, came.many, float(came.rested)]
