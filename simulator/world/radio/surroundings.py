"""What surrounds antennas: the waves that they scatter, and how much one hears of another."""

import math
from typing import Final

import numpy as np

from simulator.world.radio import layout as L  # noqa: N812 (as in the kernels)
from simulator.world.radio.channel import packed_antennas, packed_walls
from simulator.world.radio.rays.kernels import pattern, surfaces_db
from simulator.world.scene import Antennas, Floats, Surroundings, Walls

SCATTERERS: Final = 8
EXCESS_DELAY_S: Final = 12e-9
"""Longest extra way of a scattered wave (3.6 m).

The RSSI of a still tag then differs by 1.64 dB across 50 channels, at the median of all that are read in an office.
"""


def scattered_waves(rng: np.random.Generator, antennas: int) -> tuple[Floats, Floats, Floats]:
    """Directions (a, w, 3), phases and delays (a, w) of the waves that surround antennas, for `Antennas`."""
    ways = rng.normal(size=(antennas, SCATTERERS, 3))
    phases = rng.uniform(0, 2 * math.pi, (antennas, SCATTERERS))
    delays_s = rng.uniform(0, EXCESS_DELAY_S, (antennas, SCATTERERS))
    return ways / np.linalg.norm(ways, axis=2, keepdims=True), phases, delays_s


def coupling_db(first: Antennas, second: Antennas, around: Surroundings, walls: Walls, hz: float) -> Floats:
    """(a, b) gain in dB from each antenna port of one reader to each of another: negative, cables and walls included.

    Polarisation isn't looked at; it would take 3 dB at most from what a neighbour disturbs.
    """
    mine, theirs = packed_antennas(first), packed_antennas(second)
    standing = packed_walls(walls)
    return np.array([[_port_to_port(one, other, around, standing, hz) for other in theirs] for one in mine])


def _port_to_port(one: Floats, other: Floats, around: Surroundings, walls: Floats, hz: float) -> float:
    way = other[:3] - one[:3]
    distance = max(L.NEAR_M, float(np.linalg.norm(way)))
    unit = way / distance
    lobes = pattern(one, *unit) * pattern(other, *-unit) * one[L.A_SCALE] * other[L.A_SCALE]
    path_db = 20 * math.log10(L.LIGHT_M_S / (4 * math.pi * hz)) - 10 * around.path_exponent * math.log10(distance)
    return path_db + 20 * math.log10(lobes) - surfaces_db(walls, one, *other[:3])[0]
