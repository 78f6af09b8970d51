"""Figures of tags that move: fading, nulls, phase, gaps between reads."""

import math

import numpy as np

from tests.helpers.calibration.figure import Compared
from tests.helpers.calibration.place import (
    BARE,
    DOORWAY,
    IN_FRONT,
    OFFICE,
    R420,
    SENSITIVE,
    WAREHOUSE,
    Run,
    scenario,
    stays,
    walks,
)
from tests.helpers.calibration.still import TURN

OMNI = (
    {"port": 1, "portal": "door", "position": [0, 0, 1.0], "aim": [0, 0, 2.0], "beam_deg": 180, "cable_loss_db": 0},
)
"""An antenna that hears all round."""
NULL_HEIGHT_M = 0.52
"""Where antenna and tag are this high and 1.5 m apart, the ray over the floor is one wave longer than the other."""
CELL_M = 0.05
THIN = "the tail is too thin: long gaps are rarer than measured"
FAR_OFF = "one walk has a longer gap, at its end 3 to 5 m behind the doorway"


def fading():
    """Yield Rician K of a tag that is carried around an antenna, on the near side of a body and behind it."""
    angles = np.radians(np.arange(0, 361, 10))
    ring = [[float(2 * math.cos(angle)), float(2 * math.sin(angle))] for angle in angles]
    for name, points, stated, low, high in (
        ("in_sight", ring[::-1], "3 to 10", 3, 10),
        ("behind_a_body", ring, "0 to 3", 0, 3),
    ):
        found = [_k_factor(points, seed) for seed in range(1, 17)]
        yield Compared(
            name=f"rician_k.{name}", what=f"Rician K, {name.replace('_', ' ')}", unit="dB",
            value=10 * math.log10(np.median(found)), measured=stated, low=low, high=high, source="measured indoors",
            how="a tag carried around an antenna at 2 m, office; K by the moments of power, median of 16 bodies",
        )  # fmt: skip


def _k_factor(points, seed):
    tags = BARE | {"sensitivity_dbm": -30.0}
    take = {"at_s": 1, "tags": [1], "carry": "hand", "speed_mps": 0.3}
    run = Run(
        scenario(1, antennas=OMNI, site=OFFICE, tags=tags, **walks(points, take)), 44, traits=SENSITIVE, seed=seed
    )
    power = 10 ** (run.reads.rssi_cdbm / 2000)
    left = math.sqrt(max(0.0, 1 - power.var() / power.mean() ** 2))
    return left / (1 - left)


def nulls(**floor):
    """Yield the depth of the two-ray null and where it lies, with the surroundings' scattering off.

    Args:
        floor: `ground_reflection` of another floor than the warehouse's.
    """
    site = WAREHOUSE | {"rician_k_db": 30.0} | floor
    profiles = [_floored(site, seed) - _floored(site | {"ground_reflection": 0.0}, seed) for seed in range(1, 4)]
    depths = [np.nanmax(one) - np.nanmin(one) for one in profiles]
    places = [(np.nanargmin(one) + 0.5) * CELL_M for one in profiles]
    how = f"a tag drawn before an antenna, both {NULL_HEIGHT_M} m high, warehouse floor, no scattering, less the same"
    yield Compared(
        name="null", what="two-ray null, RSSI below the crest beside it", value=float(np.median(depths)), unit="dB",
        measured="10 to 20", low=10, high=20, source="measured, two-ray null at 1.5 m",
        how=f"{how} without a floor; 0.8 to 2.7 m, from {min(depths):.1f} to {max(depths):.1f} dB",
    )  # fmt: skip
    yield Compared(
        name="null_place", what="two-ray null, distance", value=float(np.median(places)), unit="m",
        measured="1.5", low=1.4, high=1.6, source="measured, two-ray null at 1.5 m",
        how=f"{how} without a floor; the ray over it is a wave longer there",
    )  # fmt: skip


def _floored(site, seed):
    """(c,) mean RSSI in each cell of the way."""
    antenna = {**IN_FRONT[0], "position": [0, 0, NULL_HEIGHT_M], "aim": [1, 0, NULL_HEIGHT_M]}
    take = {"at_s": 1, "tags": [1], "carry": "arm", "speed_mps": 0.1, "height_m": NULL_HEIGHT_M}
    run = Run(scenario(1, antennas=(antenna,), site=site, **walks([[2.7, 0], [0.8, 0]], take)), 20, seed=seed)
    cell = np.floor((2.7 - 0.1 * (run.reads.at_us / 1e6 - 1)) / CELL_M).astype(int)
    return np.array([np.mean(run.reads.rssi_cdbm[cell == one] / 100) if (cell == one).any() else np.nan
                     for one in range(math.ceil(2.7 / CELL_M))])  # fmt: skip


def wraps():
    """Yield the way on which phase turns once."""
    take = {"at_s": 1, "tags": [1], "carry": "arm", "speed_mps": 0.3}
    run = Run(scenario(1, **walks([[3, 0], [1, 0]], take)), 9)
    number, ways = stays(run.reads), []
    for one in np.unique(number):
        reads = run.reads.at(np.flatnonzero(number == one))
        if len(reads) >= 6:
            slope = np.polyfit(reads.at_us / 1e6, np.unwrap(TURN * reads.phase), 1)[0]
            frequency_khz = R420.frequencies_khz[int(reads.channel[0]) - 1]
            ways.append(100 * 0.3 * 2 * math.pi / abs(slope) * frequency_khz / 915_000)
    yield Compared(
        name="phase_wrap", what="way towards the antenna on which phase turns once, at 915 MHz",
        value=float(np.median(ways)), unit="cm", measured="16.4", low=16.0, high=16.8, source="half a wavelength",
        how=f"a tag drawn towards an antenna at 0.3 m/s, {len(ways)} stays on a channel",
    )  # fmt: skip


def walkers():
    """Yield the gaps between reads of a laptop that is carried through a doorway."""
    gaps, reads = [], []
    for seed in range(1, 13):
        takes = [{"at_s": 12 * n + 1, "tags": [n + 1], "reverse": bool(n % 2)} for n in range(10)]
        of = scenario(10, antennas=DOORWAY, site=OFFICE, tags={}, **walks([[-4.8, 0], [4.8, 0]], *takes))
        run = Run(of, 125, seed=seed)
        each = [np.sort(run.of_tag(number).at_us) for number in range(1, 11)]
        reads += [len(one) for one in each]
        gaps += [np.diff(one) / 1000 for one in each]
    found = np.concatenate(gaps)
    how = f"12 seeds, 120 walks at 1.2 m/s with one laptop between four antennas, {np.mean(reads):.0f} reads each"
    for name, share, stated, low, high, why in (
        ("median", 0.5, "52", 39, 65, ""),
        ("p99", 0.99, "373", 0.7 * 373, 1.3 * 373, THIN),
        ("longest", 1.0, "at most 1,280", 373, 1280, FAR_OFF),
    ):
        yield Compared(
            name=f"walker_gap.{name}", what=f"gap between reads of a walker's tag, {name}", unit="ms",
            value=float(np.quantile(found, share)), measured=stated, low=low, high=high,
            source="measured on walks between four antennas", how=how, why=why,
        )  # fmt: skip
