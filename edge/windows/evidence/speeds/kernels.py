"""What phases say: radial speeds of pairs of reads by one antenna on one channel; above zero the tag recedes."""

# ruff: noqa: PLR0917, PLR2004 (a kernel takes its arrays one by one; sides and rows are counted)

import numpy as np
from numpy.typing import NDArray

from edge.windows import layout as L  # noqa: N812 (one letter keeps the column names readable in formulas)
from edge.windows.evidence import layout as E  # noqa: N812 (the same)
from edge.windows.evidence.levels.kernels import ratio
from edge.windows.jit import njit

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]

PAIR_S = 0.07
"""Neighbouring reads farther apart may have turned more than half a turn."""
METRES_A_STEP = 0.33 / 2 / 4096
"""A turn of the phase is half a wavelength."""
MOST_MPS = 3.5
SPEEDS = 12
SPEED_STEP = 0.17
CLOSEST_PAIR_S = 0.002
WIDE_PAIR_S = 0.16
LAST_S = 0.5
AROUND_S = 0.35

# pairs[side, …, pair]: reads of one antenna and channel, near enough in time that their phases can be compared
P_T = 0  # s: the middle
P_APART = 1  # s
P_WEIGHT = 2  # amplitudes
PAIR = 3

# fast[side, …, pair]: those of them that leave no turn of the phase open
F_T = 0  # s: the middle
F_V = 1  # m/s
F_WEIGHT = 2  # amplitudes times s
FAST = 3


@njit(cache=True)
def pair_up(log: I32, antennas: int, rows: F64, pairs: F64, change: I64, count: I64) -> None:
    """Pair each read with the one before it of its antenna, if both have a phase and one channel.

    Args:
        log: (n or more, 7).
        antennas: of the portal.
        rows: (ROWS, n).
        pairs: (2, PAIR, n) filled as far as count says.
        change: (2, n) filled alike: the phases' differences, steps.
        count: (2,) zeros; filled with each side's pairs.
    """
    recent = np.full(antennas, -1, np.int64)
    for i in range(rows.shape[1]):
        if log[i, L.G_PHASE] < 0:
            continue
        a = log[i, L.G_ANTENNA]
        j = recent[a]
        recent[a] = i
        if j < 0 or log[j, L.G_CHANNEL] != log[i, L.G_CHANNEL]:
            continue
        d = rows[E.R_T, i] - rows[E.R_T, j]
        if d <= CLOSEST_PAIR_S or d > WIDE_PAIR_S:
            continue
        s = log[i, L.G_SIDE]
        k = count[s]
        pairs[s, P_T, k] = 0.5 * (rows[E.R_T, i] + rows[E.R_T, j])
        pairs[s, P_APART, k] = d
        pairs[s, P_WEIGHT, k] = rows[E.R_AMP, i] + rows[E.R_AMP, j]
        change[s, k] = log[i, L.G_PHASE] - log[j, L.G_PHASE]
        count[s] = k + 1


@njit(cache=True)
def walking(pairs: F64, change: I64, count: int, fast: F64) -> int:
    """Take a side's pairs that are close enough to give a speed, and one that somebody can walk at; return how many.

    Args:
        pairs: (PAIR, n).
        change: (n,) steps.
        count: pairs in use.
        fast: (FAST, n) filled.
    """
    k = 0
    for i in range(count):
        d = pairs[P_APART, i]
        if d > PAIR_S:
            continue
        steps = (change[i] + L.HALF_TURN) % L.TURN - L.HALF_TURN
        v = steps * METRES_A_STEP / d
        if abs(v) > MOST_MPS:
            continue
        fast[F_T, k] = pairs[P_T, i]
        fast[F_V, k] = v
        fast[F_WEIGHT, k] = d * pairs[P_WEIGHT, i]
        k += 1
    return k


@njit(cache=True)
def pace(fast: F64, sides: F64) -> float:
    """Return the mean absolute speed of all pairs that give one, m/s."""
    total = 0.0
    weight = 0.0
    for s in range(2):
        for k in range(int(sides[E.S_PAIRS, s])):
            total += abs(fast[s, F_V, k] * fast[s, F_WEIGHT, k])
            weight += fast[s, F_WEIGHT, k]
    return float(ratio(total, weight))


@njit(cache=True)
def means(fast: F64, s: int, end: float, sides: F64, whole: F64) -> None:
    """Fill S_V: a side's mean speeds over five spans of time, of which the third leads up to the last read.

    Args:
        fast: (FAST, n) of the side.
        s: the side.
        end: s: instant of the last read.
        sides: (SIDES, 2).
        whole: (WHOLE,) of which the middle, the loudest moment and the change are taken.
    """
    total = np.zeros(E.SPANS)
    weight = np.zeros(E.SPANS)
    for k in range(int(sides[E.S_PAIRS, s])):
        at = fast[F_T, k]
        w = fast[F_WEIGHT, k]
        y = fast[F_V, k] * w
        half = 0 if at < whole[E.W_MIDDLE] else 1
        total[half] += y
        weight[half] += w
        if at >= end - LAST_S:
            total[2] += y
            weight[2] += w
        if abs(at - whole[E.W_LOUDEST]) <= AROUND_S:
            total[3] += y
            weight[3] += w
        if abs(at - whole[E.W_CHANGE_T]) <= AROUND_S:
            total[4] += y
            weight[4] += w
    for k in range(E.SPANS):
        sides[E.S_V + k, s] = ratio(total[k], weight[k])


@njit(cache=True)
def turning(t: F64, v: F64, w: F64, n: int) -> tuple[float, float, float]:
    """Place the turn from approaching to receding: (how well it fits, -1 to 1; when; share of the pairs after it).

    Args:
        t: (n,) middles of the pairs, s.
        v: (n,) radial speeds.
        w: (n,) weights.
        n: pairs.
    """
    if n < 2:
        return 0.0, 0.0, 0.0
    total = 0.0
    weight = 0.0
    size = 0.0
    for i in range(n):
        total += v[i] * w[i]
        size += abs(v[i]) * w[i]
        weight += w[i]
    best = total
    at = t[0]
    late = 1.0
    before = 0.0
    gone = 0.0
    for i in range(n):
        before += v[i] * w[i]
        gone += w[i]
        score = total - 2.0 * before
        if score > best:
            best = score
            at = t[i] if i == n - 1 else 0.5 * (t[i] + t[i + 1])
            late = 1.0 - ratio(gone, weight)
    return ratio(best, size), at, late


@njit(cache=True)
def radial(t: F64, change: I64, apart: F64, w: F64, n: int, first: float, last: float, cosines: F64,
           out: F64) -> None:  # fmt: skip
    """Fill `out` (3,): evidence for receding less that for approaching, likeliest speed, and how well it explains.

    One pair of reads leaves the speed open by multiples of half a wavelength over the time between them; pairs that
    are differently far apart agree on one speed only; else walking is likelier than running.

    Args:
        t: (n,) middles of the pairs, s.
        change: (n,) phase changes, steps.
        apart: (n,) s.
        w: (n,) weights.
        n: pairs.
        first: pairs before it don't count, by their middles.
        last: pairs after it don't.
        cosines: (4096,) of a turn.
        out: (3,) filled; zeros where no pair counts.
    """
    total = 0.0
    best = 0.0
    speed = 0.0
    away = 0.0
    hither = 0.0
    for i in range(n):
        if first <= t[i] <= last:
            total += w[i]
    out[0] = 0.0
    out[1] = 0.0
    out[2] = 0.0
    if total <= 0.0:
        return
    for k in range(-SPEEDS, SPEEDS + 1):
        v = k * SPEED_STEP
        score = 0.0
        for i in range(n):
            if first <= t[i] <= last:
                score += w[i] * cosines[(change[i] - int(v * apart[i] / METRES_A_STEP)) & 4095]
        score /= total * (1.0 + 0.5 * v * v)
        if score > best:
            best = score
            speed = v
        if k > 0:
            away = max(away, score)
        elif k < 0:
            hither = max(hither, score)
    out[0] = away - hither
    out[1] = speed
    out[2] = best


@njit(cache=True)
def watch(log: I32, antennas: int, rows: F64, sides: F64, whole: F64, cosines: F64, halves: F64) -> None:
    """Fill S_PAIRS, S_V, S_TURN and W_PACE; and `halves` (2, 2, 3): `radial` of a side up to its middle and after it.

    Args:
        log: (n or more, 7).
        antennas: of the portal.
        rows: (ROWS, n).
        sides: (SIDES, 2).
        whole: (WHOLE,) middle, loudest moment and change of which are known.
        cosines: (4096,) of a turn.
        halves: zeros, filled where a side has pairs.
    """
    n = rows.shape[1]
    pairs = np.empty((2, PAIR, n))
    change = np.empty((2, n), np.int64)
    count = np.zeros(2, np.int64)
    fast = np.empty((2, FAST, n))
    pair_up(log, antennas, rows, pairs, change, count)
    for s in range(2):
        many = walking(pairs[s], change[s], count[s], fast[s])
        sides[E.S_PAIRS, s] = many
        means(fast[s], s, rows[E.R_T, n - 1], sides, whole)
        fit, at, late = turning(fast[s, F_T], fast[s, F_V], fast[s, F_WEIGHT], many)
        sides[E.S_TURN, s] = fit
        sides[E.S_TURN + 1, s] = at
        sides[E.S_TURN + 2, s] = late
        if count[s] > 0:
            t, apart, w = pairs[s, P_T], pairs[s, P_APART], pairs[s, P_WEIGHT]
            middle = sides[E.S_AMP_T, s] / sides[E.S_AMP, s]
            radial(t, change[s], apart, w, count[s], -1.0, middle, cosines, halves[s, 0])
            radial(t, change[s], apart, w, count[s], middle, 1e9, cosines, halves[s, 1])
    whole[E.W_PACE] = pace(fast, sides)


@njit(cache=True)
def channels_and_phases(log: I32, n: int) -> tuple[int, int]:
    """Count the channels that the visit was heard on, and its reads that have a phase."""
    seen = np.zeros(64, np.int64)
    phases = 0
    for i in range(n):
        seen[log[i, L.G_CHANNEL] & 63] = 1
        if log[i, L.G_PHASE] >= 0:
            phases += 1
    return seen.sum(), phases
