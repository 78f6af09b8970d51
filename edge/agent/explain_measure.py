"""What a passage's reads show: envelopes of both sides, their balance, and radial speeds. Arrays in, arrays out."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.agent.explain import R_ANTENNA, R_CHANNEL, R_PHASE, R_RSSI, R_US, Passage
from edge.llrp.batch import NO_PHASE, NO_RSSI_CDBM

Floats = NDArray[np.float64]
SMOOTH_S: Final = 0.15
"""Width of the bell that smooths the levels: narrower than a walk past an antenna, wider than a fade."""
SMOOTHEST: Final = 12
"""Of a visit that is over sooner the bell covers a twelfth."""
LEAST_SMOOTH_S: Final = 0.005
STEPS: Final = 7.5
"""Instants of the curves in the width of the bell."""
FADE_DB_PER_S: Final = 30.0
"""A side that falls silent while the other is heard sinks so fast, as the windows count it."""
PAIR_S: Final = 0.06
"""Phases farther apart in time may have turned more than half a turn at 1.4 m/s, as the windows count it."""
LEAST_PAIRS: Final = 12
"""Fewer pairs so near in time show no speed."""
WAVE_M: Final = 0.328
"""Near enough for every band that RFID uses here: a speed is right within 6 %."""
TURN: Final = 4096
STILL_RAD: Final = 0.35
"""A pair of a tag at rest turns by less: noise is 0.04 to 0.13 rad a read."""
BIN_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Measured:
    """A passage as curves; seconds count from the visit's start.

    Attributes:
        seconds: (n,) of every read.
        levels: (n,) dBm, nan where the reader gave none.
        sides: (n,) 0 inside, 1 outside; all 0 where the portal has no sides.
        grid: (m,) instants of the curves, `step_s` apart.
        envelopes: (2, m) smoothed levels of both sides in dBm, nan where a side was not heard.
        balance: (m,) inside less outside in dB, a silent side filled in; nan where neither was heard.
        speeds: (k, 3) seconds, m/s away from the antenna, side, by in-channel phases near in time.
        turns: (l, 3) seconds, rad, side: change between one phase and the next of the same antenna and channel, modulo
            half a turn, without sign.
    """

    seconds: Floats
    levels: Floats
    sides: NDArray[np.int64]
    grid: Floats
    step_s: float
    envelopes: Floats
    balance: Floats
    speeds: Floats
    turns: Floats


def measure(passage: Passage, zero_us: int) -> Measured:
    """Measure a passage's reads; times count from `zero_us`."""
    reads = passage.reads
    seconds = (reads[:, R_US] - zero_us) / 1e6
    levels = np.where(reads[:, R_RSSI] == NO_RSSI_CDBM, np.nan, reads[:, R_RSSI] / 100.0)
    outside = np.array([antenna.side == "outside" for antenna in passage.portal.antennas], np.int64)
    sides = outside[reads[:, R_ANTENNA]]
    begin, end = (float(seconds.min()), float(seconds.max())) if len(seconds) else (0.0, 0.0)
    smooth_s = min(SMOOTH_S, max((end - begin) / SMOOTHEST, LEAST_SMOOTH_S))
    step_s = smooth_s / STEPS
    grid = np.arange(begin, end + step_s, step_s)
    envelopes = np.array([envelope(seconds[sides == side], levels[sides == side], grid, smooth_s) for side in (0, 1)])
    speeds, turns = _pairs(seconds, reads, sides)
    return Measured(seconds, levels, sides, grid, step_s, envelopes, _balance(envelopes, step_s), speeds, turns)


def envelope(seconds: Floats, levels: Floats, grid: Floats, smooth_s: float) -> Floats:
    """Return levels smoothed by a bell around each instant of the grid; nan beyond three widths from any read."""
    use = ~np.isnan(levels)
    seconds, levels = seconds[use], levels[use]
    out = np.full(len(grid), np.nan)
    low = np.searchsorted(seconds, grid - 3 * smooth_s)
    high = np.searchsorted(seconds, grid + 3 * smooth_s)
    for at in np.flatnonzero(high > low).tolist():
        near = slice(low[at], high[at])
        weights = np.exp(-0.5 * ((seconds[near] - grid[at]) / smooth_s) ** 2)
        out[at] = float(weights @ levels[near] / weights.sum())
    return out


def _balance(envelopes: Floats, step_s: float) -> Floats:
    """Return inside less outside; a side that is silent sinks from its last level down to just below all levels."""
    if np.isnan(envelopes).all():
        return np.full(envelopes.shape[1], np.nan)
    floor = float(np.nanmin(envelopes)) - 3.0
    filled = np.array([_sinking(one, floor, FADE_DB_PER_S * step_s) for one in envelopes])
    out: Floats = np.where(np.isnan(envelopes).all(axis=0), np.nan, filled[0] - filled[1])
    return out


def _sinking(levels: Floats, floor: float, fade_db: float) -> Floats:
    out = np.empty(len(levels))
    before = floor
    for at, level in enumerate(levels.tolist()):
        before = max(before - fade_db, floor) if np.isnan(level) else level
        out[at] = before
    return out


def _pairs(seconds: Floats, reads: NDArray[np.int64], sides: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return speeds and turns of the phase, pair by pair of one antenna's reads on one channel."""
    order = np.lexsort((seconds, reads[:, R_CHANNEL], reads[:, R_ANTENNA]))
    order = order[reads[order, R_PHASE] != NO_PHASE]
    one, two = order[:-1], order[1:]
    same = (reads[one][:, [R_ANTENNA, R_CHANNEL]] == reads[two][:, [R_ANTENNA, R_CHANNEL]]).all(axis=1)
    one, two = one[same], two[same]
    steps, gap_s = reads[two, R_PHASE] - reads[one, R_PHASE], seconds[two] - seconds[one]
    whole = (steps + TURN // 2) % TURN - TURN // 2
    half = (steps + TURN // 4) % (TURN // 2) - TURN // 4  # some readers' phases leap by half a turn
    middle = (seconds[one] + seconds[two]) / 2
    near = (gap_s > 0) & (gap_s <= PAIR_S)
    speed = whole[near] / TURN * WAVE_M / 2 / gap_s[near]
    return (
        np.stack([middle[near], speed, sides[two][near]], axis=1),
        np.stack([seconds[two], np.abs(half) * 2 * np.pi / TURN, sides[two]], axis=1),
    )


def medians(pairs: Floats) -> Floats:
    """Return (bins, 2): seconds and the median value of each fifth of a second that has three pairs or more."""
    if not len(pairs):
        return np.empty((0, 2))
    number = np.floor(pairs[:, 0] / BIN_S)
    rows = [
        (float(np.median(pairs[number == one, 0])), float(np.median(pairs[number == one, 1])))
        for one in np.unique(number)
        if (number == one).sum() >= 3  # noqa: PLR2004 (a median of two is their mean)
    ]
    return np.array(rows, np.float64).reshape(-1, 2)
