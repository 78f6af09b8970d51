"""One visit's reads into numbers: read by read over the log, in plain arithmetic that every platform does alike.

`measure` puts together what `levels`, `balance` and `speeds` find; `columns` names its features in their order.
"""

# ruff: noqa: PLR0917 (a kernel takes its arrays one by one)

import math

import numpy as np
from numpy.typing import NDArray

from edge.windows import layout as L  # noqa: N812 (one letter keeps the column names readable in formulas)
from edge.windows.evidence import layout as E  # noqa: N812 (the same)
from edge.windows.evidence.balance import kernels as balance
from edge.windows.evidence.levels import kernels as levels
from edge.windows.evidence.levels.kernels import db, within
from edge.windows.evidence.speeds import kernels as speeds
from edge.windows.jit import njit

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]

UNHEARD_S = 9.0
"""Longer silences of a side are all alike, and so are longer times at its top."""
LONGEST_S = 60.0
FARTHEST_S = 5.0
MOST_OVER_DB = 30.0
LEAST_SPREAD_S = 0.1

# heads[…], see `measure`
H_STIR = 0
H_STIR_TOP = 1
H_MOVED = 2
H_STILL_US = 3
H_BASE = 5
H_PEAK = 6
H_READS = 7
H_LEFT = 8
H_SETTLED = 9
H_PER_SIDE = 10

OUTLINE = 64
OUTLINE_US = 160_000
"""64 bins of 0.16 s are ten seconds: longer than anyone is in a doorway who walks through it together."""
REACH = 3
"""Bins each way over which a read is spread: tags of one trolley pass up to half a second after one another."""

CLOSE = 0.85
MOST_READS = 15.0
"""From so many reads on a companion counts in full."""
SHARED = 0.5
MOST_WEIGHT = 3.0
"""What hides one tag from an antenna hides its neighbour too: twenty companions are hardly more than three."""


@njit(cache=True)
def measure(
    log: I32, n: int, now_us: int, heads: I64, refs: I64, amplitudes: F64, cosines: F64, out: F64,
) -> float:  # fmt: skip
    """Fill `out` (columns.MEASURED,) with the features of a visit; return the likeliest instant of a crossing, s.

    Args:
        log: (rows, 7) the visit's reads, see `layout`.
        n: rows in use.
        now_us: instant of the decision since the visit's first read.
        heads: (11,) STIR, STIR_TOP, MOVED, still us, duration us, BASE_CDBM, PEAK_CDBM, READS, why-left,
            why-settled, antennas that each side has, the fewer.
        refs: (antennas,) cdBm: the doorway's level at each antenna; the last entry is 1 where it was commissioned.
        amplitudes: (851,) table of 10^(dB / 20) from -45 dB in steps of 0.1 dB.
        cosines: (4096,) of a turn.
        out: (columns.MEASURED,) float64, filled.
    """
    antennas = refs.shape[0] - 1
    rows = np.empty((E.ROWS, n))
    sides = np.zeros((E.SIDES, 2))
    whole = np.zeros(E.WHOLE)
    halves = np.zeros((2, 2, 3))
    whole[E.W_NOW] = now_us / 1e6
    levels.read(log, refs, amplitudes, rows, sides, whole)
    levels.hear(log, antennas, rows, sides)
    levels.ends(log, rows, sides)
    levels.middles(rows, sides, whole)
    levels.envelopes(log, rows)
    levels.smooth(rows, sides)
    levels.widths(rows, sides, whole)
    balance.weigh(rows, whole)
    balance.parts(rows, whole)
    balance.change(rows, whole)
    balance.beside(log, rows, sides, whole)
    balance.meet(rows, whole)
    speeds.watch(log, antennas, rows, sides, whole, cosines, halves)
    at = 0
    for s in range(2):
        at = write_side(s, rows, sides, whole, halves, out)
    at = write_odd(log, rows, sides, whole, out, at)
    at = write_times(heads, rows, sides, whole, out, at)
    write_rest(log, heads, refs[antennas], rows, sides, whole, out, at)
    for i in range(out.shape[0]):
        out[i] = round(out[i] * 4096.0) / 4096.0
    return float(whole[E.W_CHANGE_T])


@njit(cache=True)
def write_side(s: int, rows: F64, sides: F64, whole: F64, halves: F64, out: F64) -> int:
    """Write a side's `columns.SIDED`, every other column of the first ones; return the first column after them.

    Args:
        s: side.
        rows: (ROWS, n).
        sides: (SIDES, 2).
        whole: (WHOLE,).
        halves: (2, 2, 3) see `speeds.watch`.
        out: written to.
    """
    n = rows.shape[1]
    some = sides[E.S_COUNT, s] > 0.0
    top_db = db(sides[E.S_TOP, s])
    between = sides[E.S_LOUDEST, s] - sides[E.S_SECOND, s]
    values = [
        sides[E.S_COUNT, s] / n,
        sides[E.S_AMP, s] / whole[E.W_AMP],
        top_db if some else levels.FLOOR_DB,
        sides[E.S_LOUDEST, s],
        sides[E.S_BEGIN, s],
        sides[E.S_END, s],
        top_db - db(rows[E.R_MEAN + s, n - 1]) if some else 0.0,
        min(whole[E.W_NOW] - sides[E.S_LAST_T, s], UNHEARD_S) if some else UNHEARD_S,
        min(whole[E.W_NOW] - sides[E.S_TOP_T, s], UNHEARD_S) if some else UNHEARD_S,
        min(sides[E.S_WIDE, s], UNHEARD_S),
        sides[E.S_ANTENNAS, s],
        min(between, MOST_OVER_DB) if sides[E.S_ANTENNAS, s] > 1.0 else MOST_OVER_DB,
        sides[E.S_PAIRS, s],
        sides[E.S_V, s],
        sides[E.S_V + 1, s],
        sides[E.S_V + 2, s],
        sides[E.S_BEFORE, s],
        sides[E.S_AFTER, s],
        halves[s, 0, 0],
        halves[s, 1, 0],
        halves[s, 0, 1],
        halves[s, 1, 1],
        halves[s, 0, 2],
        halves[s, 1, 2],
        sides[E.S_TURN, s],
        within(sides[E.S_TURN + 1, s] - whole[E.W_MIDDLE], FARTHEST_S) if sides[E.S_PAIRS, s] > 1.0 else 0.0,
        sides[E.S_TURN + 2, s],
    ]
    at = s
    for value in values:
        out[at] = value
        at += 2
    return 2 * len(values)


@njit(cache=True)
def both_heard(sides: F64) -> bool:
    """Tell whether both sides have reads."""
    return bool(sides[E.S_COUNT, 0] > 0.0 and sides[E.S_COUNT, 1] > 0.0)


@njit(cache=True)
def write_odd(log: I32, rows: F64, sides: F64, whole: F64, out: F64, at: int) -> int:
    """Write `columns.ODD` from a column on; return the next one."""
    n = rows.shape[1]
    first3, last3 = balance.outermost(log, n, 3)
    first8, last8 = balance.outermost(log, n, 8)
    lag = 0.0
    lag_power = 0.0
    lag_top = 0.0
    if both_heard(sides):
        lag = sides[E.S_AMP_T, 1] / sides[E.S_AMP, 1] - sides[E.S_AMP_T, 0] / sides[E.S_AMP, 0]
        lag_power = sides[E.S_POWER_T, 1] / sides[E.S_POWER, 1] - sides[E.S_POWER_T, 0] / sides[E.S_POWER, 0]
        lag_top = within(sides[E.S_TOP_T, 1] - sides[E.S_TOP_T, 0], FARTHEST_S)
    lag_turn = 0.0
    if sides[E.S_PAIRS, 0] > 1.0 and sides[E.S_PAIRS, 1] > 1.0:
        lag_turn = within(sides[E.S_TURN + 1, 1] - sides[E.S_TURN + 1, 0], FARTHEST_S)
    values = [
        lag / max(whole[E.W_SPREAD], LEAST_SPREAD_S),
        lag_power / max(whole[E.W_SPREAD_POWER], LEAST_SPREAD_S),
        within(lag, FARTHEST_S),
        lag_top,
        whole[E.W_EARLY],
        whole[E.W_LATE],
        whole[E.W_EARLY_THIN],
        whole[E.W_LATE_THIN],
        whole[E.W_LEAN],
        first3,
        first8,
        last3,
        last8,
        rows[E.R_BALANCE, n - 1],
        whole[E.W_CHANGE],
        whole[E.W_CHANGE_FLAT],
        whole[E.W_BEFORE],
        whole[E.W_AFTER],
        sides[E.S_V + 3, 0] - sides[E.S_V + 3, 1],
        sides[E.S_V + 4, 0] - sides[E.S_V + 4, 1],
        lag_turn,
        1.0 - 2.0 * log[0, L.G_SIDE],
        0.0,
    ]
    for value in values:
        out[at] = value
        at += 1
    return at


@njit(cache=True)
def write_times(heads: I64, rows: F64, sides: F64, whole: F64, out: F64, at: int) -> int:
    """Write `columns.EVEN` from a column on, as far as `speed`: levels and times of the whole; return the next one."""
    n = rows.shape[1]
    now = whole[E.W_NOW]
    end = rows[E.R_T, n - 1]
    top_db = db(max(sides[E.S_TOP, 0], sides[E.S_TOP, 1]))
    begin_db, end_db = levels.rim_db(rows)
    rate, rate_now = levels.rates(rows, sides)
    values = [
        math.log(n),
        math.log(max(1.0, float(heads[H_READS]))),
        min(end, LONGEST_S),
        whole[E.W_SPREAD],
        min(now - end, UNHEARD_S),
        top_db,
        begin_db,
        end_db,
        top_db - begin_db,
        top_db - end_db,
        min(whole[E.W_WIDE6], LONGEST_S),
        min(whole[E.W_WIDE12], LONGEST_S),
        min(now - whole[E.W_MIDDLE], LONGEST_S),
        min(now - whole[E.W_CHANGE_T], LONGEST_S),
        math.log(n - whole[E.W_CHANGE_ROW]),
        rate,
        rate_now,
        whole[E.W_GAP],
        whole[E.W_PACE],
    ]
    for value in values:
        out[at] = value
        at += 1
    return at


@njit(cache=True)
def write_rest(
    log: I32, heads: I64, commissioned: int, rows: F64, sides: F64, whole: F64, out: F64, at: int,
) -> None:  # fmt: skip
    """Write the rest of `columns.EVEN` from a column on: rest, motion, both sides; 0 for what is noted later.

    Args:
        log: (n or more, 7).
        heads: see `measure`.
        commissioned: 1 where somebody has walked through the doorway.
        rows: (ROWS, n).
        sides: (SIDES, 2).
        whole: (WHOLE,).
        out: filled to its end.
        at: column of `stir`.
    """
    n = rows.shape[1]
    stranger = heads[H_BASE] == L.NO_BASE
    channels, phases = speeds.channels_and_phases(log, n)
    swing = db(max(sides[E.S_TOP, 0], sides[E.S_TOP, 1])) - db(max(sides[E.S_LOW, 0], sides[E.S_LOW, 1]))
    values = [
        heads[H_STIR] / 100.0,
        heads[H_STIR_TOP] / 100.0,
        min(1.0, heads[H_MOVED] / max(1.0, rows[E.R_T, n - 1])),
        min(heads[H_STILL_US] / 1e6, LONGEST_S),
        1.0 if stranger else 0.0,
        MOST_OVER_DB if stranger else within((heads[H_PEAK] - heads[H_BASE]) / 100.0, MOST_OVER_DB),
        min(sides[E.S_AMP, 0], sides[E.S_AMP, 1]) / whole[E.W_AMP],
        swing,
        sides[E.S_ANTENNAS, 0] + sides[E.S_ANTENNAS, 1],
        float(commissioned),
        float(channels),
        1.0 if 2 * phases < n else 0.0,
        float(heads[H_LEFT]),
        float(heads[H_SETTLED]),
        float(heads[H_PER_SIDE]),
        db(whole[E.W_MEET]) if both_heard(sides) else levels.FLOOR_DB,
        min(whole[E.W_NOW] - whole[E.W_MEET_T], LONGEST_S),
        db(levels.louder(rows, int(whole[E.W_CHANGE_ROW]))),
    ]
    for value in values:
        out[at] = value
        at += 1
    out[at:] = 0.0


@njit(cache=True)
def outline(log: I32, n: int, bin0_us: int, refs: I64, amplitudes: F64, out: F64) -> int:
    """Fill `out` (2, OUTLINE) with amplitudes a side and bin of absolute time; return the newest bin's number.

    Args:
        log: (rows, 7) the visit's reads.
        n: rows in use.
        bin0_us: event time of the first.
        refs: (antennas + 1,) the doorway's level at each antenna.
        amplitudes: table, see `measure`.
        out: zeros, filled: bin b stands at b modulo OUTLINE.
    """
    newest = (bin0_us + int(log[n - 1, L.G_US])) // OUTLINE_US
    for i in range(n - 1, -1, -1):
        b = (bin0_us + int(log[i, L.G_US])) // OUTLINE_US
        if newest - b >= OUTLINE - REACH:
            break
        a = amplitudes[levels.step_of(levels.relative(log[i, L.G_RSSI], refs[log[i, L.G_ANTENNA]]))]
        for k in range(-REACH, REACH + 1):
            if b + k <= newest:
                out[log[i, L.G_SIDE], (b + k) % OUTLINE] += a * (REACH + 1 - abs(k))
    return int(newest)


@njit(cache=True)
def alike(mine: F64, my_bin: int, others: F64, bins: I64, out: F64) -> None:
    """Fill `out` (n,) with how alike one outline is to each of others, over the time that both know.

    It is the mean of two cosines: of both sides' levels, and of their difference, which tells who comes the other way.

    Args:
        mine: (2, OUTLINE).
        my_bin: its newest bin.
        others: (n, 2, OUTLINE).
        bins: (n,) their newest bins.
        out: (n,) filled, 0 to 1.
    """
    for j in range(others.shape[0]):
        last = min(my_bin, bins[j])
        first = max(my_bin, bins[j]) - OUTLINE + 1
        xx = 0.0
        yy = 0.0
        xy = 0.0
        dd = 0.0
        ee = 0.0
        de = 0.0
        for b in range(first, last + 1):
            k = b & (OUTLINE - 1)
            for s in range(2):
                xx += mine[s, k] * mine[s, k]
                yy += others[j, s, k] * others[j, s, k]
                xy += mine[s, k] * others[j, s, k]
            d = mine[0, k] - mine[1, k]
            e = others[j, 0, k] - others[j, 1, k]
            dd += d * d
            ee += e * e
            de += d * e
        out[j] = 0.0
        if xx > 0.0 and yy > 0.0 and dd > 0.0 and ee > 0.0:
            out[j] = max(0.0, 0.5 * (xy / math.sqrt(xx * yy) + de / math.sqrt(dd * ee)))


@njit(cache=True)
def pool(own: F64, told: F64, odds: F64, alike: F64, out: F64) -> None:
    """Fill what the company adds to a visit's features, see `together.pooled`; `out` is zeros."""
    classes, count = own.shape[0], alike.shape[0]
    for k in range(classes):
        out[classes + k] = own[k]
    total = 0.0
    rest = np.zeros(told.shape[1])
    close, best = 0, 0.0
    for j in range(count):
        square = alike[j] * alike[j]
        weight = square * square * min(math.exp(told[j, 0]) / MOST_READS, 1.0)
        total += weight
        for k in range(classes):
            out[k] += weight * odds[j, k]
        for k in range(told.shape[1]):
            rest[k] += weight * told[j, k]
        close += int(alike[j] >= CLOSE)
        best = max(best, alike[j])
    if total <= 0.0:
        return
    for k in range(classes):
        out[k] /= total + 0.05
        out[classes + k] = own[k] + SHARED * out[k] * min(total, MOST_WEIGHT)
    at = 2 * classes
    out[at], out[at + 1], out[at + 2] = math.log1p(total), close, best
    for k in range(told.shape[1]):
        out[at + 3 + k] = rest[k] / total
    for k in range(out.shape[0]):
        out[k] = round(out[k] * 4096.0) / 4096.0
