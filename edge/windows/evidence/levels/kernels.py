"""How loud each side was, and when: reads as amplitudes, smoothed both ways in time; tops, ends and widths.

Nothing is binned: levels are smoothed at the reads themselves, forwards and backwards, by a decay that is a quotient of
polynomials. Amplitudes come from a table. So no library's exponential decides anything.
"""

# ruff: noqa: PLR0917, PLR2004 (a kernel takes its arrays one by one; sides and rows are counted)

import math

import numpy as np
from numpy.typing import NDArray

from edge.windows import layout as L  # noqa: N812 (one letter keeps the column names readable in formulas)
from edge.windows.evidence import layout as E  # noqa: N812 (the same)
from edge.windows.jit import njit

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]

SMOOTH_S = 0.2
MOST_DB = 40.0
FLOOR_DB = -45.0
FAINTEST = 0.0056
"""Amplitude at the floor."""
ABSENT_DB = -15.0
"""Relative to the doorway's level: what a read without RSSI counts as."""
PRIOR_READS = 0.4
"""Reads at the floor that a side's smoothed level begins with: one read alone is no level."""
PRIOR_LEVEL = 0.7
"""Of the visit's weakest read: the amplitude of that floor."""
FEW = 3
"""Reads that make a beginning or an end."""
LONGEST_STEP_S = 0.5
"""A silence between two reads counts for so long at most as time at their level."""


@njit(cache=True)
def decay(seconds: float) -> float:
    """Weight of what was `seconds` ago: near to exp(-x), in arithmetic that is the same everywhere."""
    x = seconds / SMOOTH_S
    return 1.0 / (1.0 + x + 0.5 * x * x + 0.16 * x * x * x)


@njit(cache=True)
def db(amplitude: float) -> float:
    """Return an amplitude in dB, none below the floor."""
    if amplitude <= FAINTEST:
        return FLOOR_DB
    return 20.0 * math.log10(amplitude)


@njit(cache=True)
def within(value: float, limit: float) -> float:
    """Return the value, cut to plus or minus a limit."""
    return max(-limit, min(limit, value))


@njit(cache=True)
def ratio(above: float, below: float) -> float:
    """Return a quotient, 0 where there is nothing to divide by."""
    return above / below if below > 1e-12 else 0.0


@njit(cache=True)
def relative(rssi: int, doorway: int) -> float:
    """Return a read's level in dB relative to the doorway's, both in cdBm."""
    x = ABSENT_DB if rssi == L.NO_RSSI else (rssi - doorway) / 100.0
    return max(FLOOR_DB, min(MOST_DB, x))


@njit(cache=True)
def step_of(level: float) -> int:
    """Return a level's place in a table that begins at the floor, in steps of 0.1 dB."""
    return int((level - FLOOR_DB) * 10.0 + 0.5)


@njit(cache=True)
def read(log: I32, refs: I64, amplitudes: F64, rows: F64, sides: F64, whole: F64) -> None:
    """Take the visit's reads, and sum up each side's.

    Args:
        log: (n or more, 7) see `layout` of the room.
        refs: (antennas,) cdBm: the doorway's level at each antenna.
        amplitudes: (851,) of -45 to 40 dB.
        rows: (ROWS, n) R_T, R_LEVEL, R_AMP are filled.
        sides: (SIDES, 2) zeros; S_COUNT to S_LAST_T are filled.
        whole: (WHOLE,) W_AMP, W_GAP are filled.
    """
    gap = 0.0
    sides[E.S_LAST_T, :] = -1.0
    for i in range(rows.shape[1]):
        s = log[i, L.G_SIDE]
        t = log[i, L.G_US] / 1e6
        level = relative(log[i, L.G_RSSI], refs[log[i, L.G_ANTENNA]])
        amp = amplitudes[step_of(level)]
        rows[E.R_T, i] = t
        rows[E.R_LEVEL, i] = level
        rows[E.R_AMP, i] = amp
        if i > 0:
            gap = max(gap, t - rows[E.R_T, i - 1])
        sides[E.S_COUNT, s] += 1.0
        sides[E.S_AMP, s] += amp
        sides[E.S_POWER, s] += amp * amp
        sides[E.S_AMP_T, s] += amp * t
        sides[E.S_POWER_T, s] += amp * amp * t
        sides[E.S_LAST_T, s] = t
    whole[E.W_AMP] = sides[E.S_AMP, 0] + sides[E.S_AMP, 1]
    whole[E.W_GAP] = gap


@njit(cache=True)
def hear(log: I32, antennas: int, rows: F64, sides: F64) -> None:
    """Fill S_ANTENNAS, S_LOUDEST and S_SECOND: which of so many antennas heard it, and how loudly."""
    side = np.full(antennas, -1, np.int64)
    most = np.full(antennas, FLOOR_DB)
    for i in range(rows.shape[1]):
        a = log[i, L.G_ANTENNA]
        side[a] = log[i, L.G_SIDE]
        most[a] = max(most[a], rows[E.R_LEVEL, i])
    sides[E.S_LOUDEST, :] = FLOOR_DB
    sides[E.S_SECOND, :] = FLOOR_DB
    for a in range(antennas):
        s = side[a]
        if s >= 0:
            sides[E.S_ANTENNAS, s] += 1.0
            if most[a] > sides[E.S_LOUDEST, s]:
                sides[E.S_SECOND, s] = sides[E.S_LOUDEST, s]
                sides[E.S_LOUDEST, s] = most[a]
            else:
                sides[E.S_SECOND, s] = max(sides[E.S_SECOND, s], most[a])


@njit(cache=True)
def ends(log: I32, rows: F64, sides: F64) -> None:
    """Fill S_BEGIN and S_END: a side's mean level over its first three reads and its last three, else the floor."""
    n = rows.shape[1]
    for end in range(2):
        total = np.zeros(2)
        count = np.zeros(2)
        for k in range(n):
            i = k if end == 0 else n - 1 - k
            s = log[i, L.G_SIDE]
            if count[s] < FEW:
                count[s] += 1.0
                total[s] += rows[E.R_LEVEL, i]
            elif count[1 - s] == FEW:
                break
        for s in range(2):
            sides[E.S_BEGIN + end, s] = total[s] / count[s] if count[s] > 0.0 else FLOOR_DB


@njit(cache=True)
def middles(rows: F64, sides: F64, whole: F64) -> None:
    """Fill W_MIDDLE to W_SPREAD_POWER: when most of it was heard, and how far around that it was."""
    power = sides[E.S_POWER, 0] + sides[E.S_POWER, 1]
    middle = (sides[E.S_AMP_T, 0] + sides[E.S_AMP_T, 1]) / whole[E.W_AMP]
    loudest = (sides[E.S_POWER_T, 0] + sides[E.S_POWER_T, 1]) / power
    var = 0.0
    var_power = 0.0
    for i in range(rows.shape[1]):
        t = rows[E.R_T, i]
        amp = rows[E.R_AMP, i]
        var += amp * (t - middle) * (t - middle)
        var_power += amp * amp * (t - loudest) * (t - loudest)
    whole[E.W_MIDDLE] = middle
    whole[E.W_LOUDEST] = loudest
    whole[E.W_SPREAD] = math.sqrt(var / whole[E.W_AMP])
    whole[E.W_SPREAD_POWER] = math.sqrt(var_power / power)


@njit(cache=True)
def envelopes(log: I32, rows: F64) -> None:
    """Fill R_SUM and R_RATE: both sides' amplitudes and reads around each read, both ways in time."""
    n = rows.shape[1]
    t = rows[E.R_T]
    amp = rows[E.R_AMP]
    for s in range(2):
        sums = rows[E.R_SUM + s]
        rates = rows[E.R_RATE + s]
        held = 0.0
        count = 0.0
        for i in range(n):
            if i > 0:
                d = decay(t[i] - t[i - 1])
                held *= d
                count *= d
            if log[i, L.G_SIDE] == s:
                held += amp[i]
                count += 1.0
            sums[i] = held
            rates[i] = count
        held = 0.0
        count = 0.0
        for i in range(n - 1, -1, -1):
            if i < n - 1:
                d = decay(t[i + 1] - t[i])
                held *= d
                count *= d
            sums[i] += held
            rates[i] += count
            if log[i, L.G_SIDE] == s:
                held += amp[i]
                count += 1.0


@njit(cache=True)
def smooth(rows: F64, sides: F64) -> None:
    """Fill R_MEAN from R_SUM and R_RATE; S_TOP, S_TOP_T and S_LOW from that."""
    n = rows.shape[1]
    floor = 1e9
    for i in range(n):
        floor = min(floor, rows[E.R_AMP, i])
    floor *= PRIOR_LEVEL
    for s in range(2):
        top = 0.0
        top_t = -1.0
        low = 1e9
        for i in range(n):
            mean = (rows[E.R_SUM + s, i] + PRIOR_READS * floor) / (rows[E.R_RATE + s, i] + PRIOR_READS)
            rows[E.R_MEAN + s, i] = mean
            low = min(low, mean)
            if mean > top and sides[E.S_COUNT, s] > 0.0:
                top = mean
                top_t = rows[E.R_T, i]
        sides[E.S_TOP, s] = top
        sides[E.S_TOP_T, s] = top_t
        sides[E.S_LOW, s] = low


@njit(cache=True)
def louder(rows: F64, i: int) -> float:
    """Return the louder side's smoothed amplitude at a read."""
    return float(max(rows[E.R_MEAN, i], rows[E.R_MEAN + 1, i]))


@njit(cache=True)
def rim_db(rows: F64) -> tuple[float, float]:
    """Return the louder side's smoothed level, dB, over the first three reads and over the last three."""
    n = rows.shape[1]
    few = min(FEW, n)
    begin = 0.0
    end = 0.0
    for i in range(few):
        begin += db(louder(rows, i))
        end += db(louder(rows, n - 1 - i))
    return begin / few, end / few


@njit(cache=True)
def rates(rows: F64, sides: F64) -> tuple[float, float]:
    """Return how many reads there were around the louder side's top, and around the last read as share of the most."""
    n = rows.shape[1]
    top_t = sides[E.S_TOP_T, 0 if sides[E.S_TOP, 0] >= sides[E.S_TOP, 1] else 1]
    most = 0.0
    at_top = 0.0
    rate = 0.0
    for i in range(n):
        rate = rows[E.R_RATE, i] + rows[E.R_RATE + 1, i]
        most = max(most, rate)
        if rows[E.R_T, i] == top_t:
            at_top = rate
    return at_top, ratio(rate, most)


@njit(cache=True)
def widths(rows: F64, sides: F64, whole: F64) -> None:
    """Fill S_WIDE, W_WIDE6 and W_WIDE12: for how long it was near a side's top, and near the highest of both."""
    top = max(sides[E.S_TOP, 0], sides[E.S_TOP, 1])
    inside = 0.0
    outside = 0.0
    wide6 = 0.0
    wide12 = 0.0
    for i in range(rows.shape[1] - 1):
        step = min(rows[E.R_T, i + 1] - rows[E.R_T, i], LONGEST_STEP_S)
        if rows[E.R_MEAN, i] >= 0.5 * sides[E.S_TOP, 0] and sides[E.S_COUNT, 0] > 0.0:
            inside += step
        if rows[E.R_MEAN + 1, i] >= 0.5 * sides[E.S_TOP, 1] and sides[E.S_COUNT, 1] > 0.0:
            outside += step
        loud = louder(rows, i)
        if loud >= 0.5 * top:
            wide6 += step
        if loud >= 0.25 * top:
            wide12 += step
    sides[E.S_WIDE, 0] = inside
    sides[E.S_WIDE, 1] = outside
    whole[E.W_WIDE6] = wide6
    whole[E.W_WIDE12] = wide12
