"""Readers that hear each other: whose carriers are how strong at whose antennas."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from simulator.world.air.hops import Hops
from simulator.world.air.layout import Bytes, Floats, Ints
from simulator.world.scene import Antennas

LIGHT_M_S: Final = 299_792_458.0
EXPONENT: Final = 3.0
"""Between antennas that don't face each other over the clutter of a building: more than tags in sight lose."""
NEAR_M: Final = 0.3
SIDE_DB: Final = -22.0
"""Least of an antenna's pattern against its boresight."""
UNHEARD_DBM: Final = -60.0
"""A carrier below this disturbs nobody even on the same channel: 20 dB of rejection leave it under any floor."""
MOST: Final = 16
"""So many of the strongest rivals are played."""


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
    dbm: Floats = field(repr=False)


def none(antennas: int) -> Rivals:
    """Nobody else is near."""
    return Rivals(
        number=np.zeros(0, dtype=np.int64),
        khz=np.zeros((0, 1), dtype=np.int64),
        times=np.zeros((0, 3), dtype=np.int64),
        dbm=np.zeros((0, antennas)),
        running=np.zeros(1, dtype=np.uint8),
    )


def rivals_of(stations: Sequence[Station], mine: int, running: Bytes) -> Rivals:
    """The strongest of the others at one reader's antennas; `running` has a byte for each of the stations."""
    own = stations[mine]
    found = [
        Rival(number, other, carrier_dbm(other, own.antennas))
        for number, other in enumerate(stations)
        if number != mine
    ]
    heard = sorted((one for one in found if one.dbm.max() > UNHEARD_DBM), key=lambda one: (-one.dbm.max(), one.number))
    kept = heard[:MOST]
    if not kept:
        return replace(none(len(own.antennas.port)), running=running)
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


def carrier_dbm(other: Station, here: Antennas) -> Floats:
    """(a,) level of another reader's carrier at our antennas: the mean over its antennas, which take turns."""
    way = here.position[:, None, :] - other.antennas.position[None, :, :]
    distance = np.maximum(np.linalg.norm(way, axis=2), NEAR_M)
    there = _gain_db(other.antennas, np.einsum("ijk,jk->ij", way, other.antennas.boresight) / distance)
    back = _gain_db_rows(here, -np.einsum("ijk,ik->ij", way, here.boresight) / distance)
    first_db = 20 * math.log10(4 * math.pi * 1e3 * float(other.khz.mean()) / LIGHT_M_S)
    level = other.power_dbm + there + back - first_db - 10 * EXPONENT * np.log10(distance)
    mean: Floats = 10 * np.log10(np.mean(10 ** (level / 10), axis=1))
    return mean


def _gain_db(antennas: Antennas, cosine: Floats) -> Floats:
    """(., a) gain less cable loss of antennas in the columns."""
    half = np.cos(np.radians(np.minimum(antennas.beam_deg, 179.0) / 2))
    power = math.log(0.5) / np.log(half)
    pattern: Floats = np.maximum(10 * power * np.log10(np.maximum(cosine, 1e-3)), SIDE_DB)
    gain: Floats = antennas.gain_dbi - antennas.cable_loss_db + pattern
    return gain


def _gain_db_rows(antennas: Antennas, cosine: Floats) -> Floats:
    return _gain_db(antennas, cosine.T).T
