"""Readers that hear each other: whose carriers are how strong at whose antennas."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from simulator.world.air.hops import Hops
from simulator.world.air.layout import Bytes, Floats, Ints
from simulator.world.radio.surroundings import coupling_db
from simulator.world.scene import Antennas, Surroundings, Walls

EARSHOT_M: Final = 100.0
"""Readers farther away aren't looked at."""
UNHEARD_DBM: Final = -60.0
"""A carrier below this disturbs nobody even on the same channel: 20 dB of rejection leave it under any floor."""
MOST: Final = 8
"""So many of the nearest rivals are played."""


@dataclass(frozen=True, slots=True)
class Site:
    """What lies between readers."""

    around: Surroundings
    walls: Walls


@dataclass(frozen=True, slots=True)
class Station:
    """What others must know of a reader."""

    antennas: Antennas
    power_dbm: float
    hops: Hops
    khz: Floats


@dataclass(slots=True)
class Rivals:
    """The other readers that one reader hears, m of them.

    Attributes:
        number: (m,) each one's place in `running`.
        khz: (m, x) its frequencies in the order of their use.
        times: (m, 3) how many, dwell and offset.
        dbm: (m, a) its carrier at each of our antennas.
        running: whether the readers of the whole site inventory, shared by all; one byte a reader.
    """

    number: Ints
    khz: Ints
    times: Ints
    dbm: Floats
    running: Bytes


@dataclass(frozen=True, slots=True)
class Rival:
    """One reader that another hears: its place among all, and its carrier at each of the other's antennas."""

    number: int
    station: Station
    dbm: Floats


def none(antennas: int) -> Rivals:
    """Nobody else is near."""
    return Rivals(
        number=np.zeros(0, dtype=np.int64),
        khz=np.zeros((0, 1), dtype=np.int64),
        times=np.zeros((0, 3), dtype=np.int64),
        dbm=np.zeros((0, antennas)),
        running=np.zeros(1, dtype=np.uint8),
    )


def rivals_of(stations: Sequence[Station], mine: int, running: Bytes, site: Site) -> Rivals:
    """The nearest of the others that one reader hears; `running` has a byte for each of the stations."""
    own = stations[mine].antennas
    near = _nearest(stations, mine)[:MOST]
    found = [Rival(number, stations[number], carrier_dbm(stations[number], own, site)) for number in near]
    kept = [one for one in found if one.dbm.max() > UNHEARD_DBM]
    if not kept:
        return replace(none(len(own.port)), running=running)
    widest = max(len(one.station.khz) for one in kept)
    khz = np.zeros((len(kept), widest), dtype=np.int64)
    for row, one in enumerate(kept):
        khz[row, : len(one.station.khz)] = one.station.khz[one.station.hops.order]
    return Rivals(
        number=np.array([one.number for one in kept], dtype=np.int64),
        khz=khz,
        times=np.array([one.station.hops.times for one in kept]),
        dbm=np.array([one.dbm for one in kept]),
        running=running,
    )


def carrier_dbm(other: Station, here: Antennas, site: Site) -> Floats:
    """(a,) level of another reader's carrier at our antennas: the mean over its antennas, which take turns."""
    hz = 1e3 * float(other.khz.mean())
    level = other.power_dbm + coupling_db(here, other.antennas, site.around, site.walls, hz)
    mean: Floats = 10 * np.log10(np.mean(10 ** (level / 10), axis=1))
    return mean


def _nearest(stations: Sequence[Station], mine: int) -> list[int]:
    """The others nearest by, whose coupling is worth computing."""
    own = stations[mine].antennas.position.mean(axis=0)
    away = {
        number: float(np.linalg.norm(other.antennas.position.mean(axis=0) - own))
        for number, other in enumerate(stations)
        if number != mine
    }
    return sorted((number for number in away if away[number] < EARSHOT_M), key=lambda number: (away[number], number))
