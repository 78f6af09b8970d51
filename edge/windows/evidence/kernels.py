"""One visit's reads into numbers: read by read over the log, in plain arithmetic that every platform does alike.

Nothing is binned: envelopes are smoothed at the reads themselves, forwards and backwards, by a decay that is a quotient
of polynomials. Amplitudes and levels come from tables. So no library's exponential decides anything.
"""

# ruff: noqa: PLR0917, PLR2004 (a kernel takes its arrays one by one; sides and rows are counted)

import math

import numpy as np
from numpy.typing import NDArray

from edge.windows import layout as L  # noqa: N812 (one letter keeps the column names readable in formulas)
from edge.windows.jit import njit

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]

SMOOTH_S = 0.2
MOST_DB = 40.0
FLOOR_DB = -45.0
ABSENT_DB = -15.0
"""Relative to the doorway's level: what a read without RSSI counts as."""
PAIR_S = 0.07
"""Neighbouring reads farther apart may have turned more than half a turn."""
METRES_A_STEP = 0.33 / 2 / 4096
"""A turn of the phase is half a wavelength."""
MOST_MPS = 3.5
SPEEDS = 12
SPEED_STEP = 0.17
WIDE_PAIR_S = 0.16
LAST_S = 0.5
AROUND_S = 0.35
UNHEARD_S = 9.0
PRIOR_READS = 0.4
"""Reads at the floor that a side's smoothed level begins with: one read alone is no level."""


@njit(cache=True)
def decay(seconds: float) -> float:
    """Weight of what was `seconds` ago: near to exp(-x), in arithmetic that is the same everywhere."""
    x = seconds / SMOOTH_S
    return 1.0 / (1.0 + x + 0.5 * x * x + 0.16 * x * x * x)


@njit(cache=True)
def envelopes(t: F64, side: I64, amp: F64, n: int, sums: F64, reads: F64) -> None:
    """Fill sums[2, n] of amplitudes and reads[2, n] around each read, both ways in time.

    Args:
        t: (n,) seconds, rising.
        side: (n,) 0 inside, 1 outside.
        amp: (n,) amplitudes.
        n: rows to look at.
        sums: (2, n) out.
        reads: (2, n) out.
    """
    for s in range(2):
        held = 0.0
        count = 0.0
        for i in range(n):
            if i > 0:
                d = decay(t[i] - t[i - 1])
                held *= d
                count *= d
            if side[i] == s:
                held += amp[i]
                count += 1.0
            sums[s, i] = held
            reads[s, i] = count
        held = 0.0
        count = 0.0
        for i in range(n - 1, -1, -1):
            if i < n - 1:
                d = decay(t[i + 1] - t[i])
                held *= d
                count *= d
            sums[s, i] += held
            reads[s, i] += count
            if side[i] == s:
                held += amp[i]
                count += 1.0


@njit(cache=True)
def db(amplitude: float) -> float:
    """Return an amplitude in dB, none below the floor."""
    if amplitude <= 0.0056:
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
def gain(best: float, without: float) -> float:
    """Return what a change point adds to what none would explain, with the sign of the change."""
    more = abs(best) - abs(without)
    return 0.0 if more <= 0.0 else more if best > 0.0 else -more


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
def measure(
    log: I32, n: int, now_us: int, heads: I64, refs: I64, amplitudes: F64, cosines: F64, out: F64,
) -> float:  # fmt: skip
    """Fill `out` (columns.COUNT,) with the features of a visit; return the likeliest instant of a crossing, s.

    Args:
        log: (rows, 7) the visit's reads, see `layout`.
        n: rows in use.
        now_us: instant of the decision since the visit's first read.
        heads: (12,) STIR, STIR_TOP, MOVED, still us, duration us, BASE_CDBM, RIVAL_CDBM, PEAK_CDBM, READS, why-left,
            why-settled, antennas that each side has, the fewer.
        refs: (antennas,) cdBm: the doorway's level at each antenna; the last entry is 1 where it was commissioned.
        amplitudes: (851,) table of 10^(dB / 20) from -45 dB in steps of 0.1 dB.
        cosines: (4096,) of a turn.
        out: (COUNT,) float64, filled.
    """
    antennas = refs.shape[0] - 1
    t = np.empty(n, np.float64)
    level = np.empty(n, np.float64)
    amp = np.empty(n, np.float64)
    side = np.empty(n, np.int64)
    count = np.zeros(2)
    amps = np.zeros(2)
    powers = np.zeros(2)
    tamps = np.zeros(2)
    tpowers = np.zeros(2)
    heard = np.zeros(antennas, np.int64)
    loudest = np.full(antennas, FLOOR_DB)
    side_of = np.zeros(antennas, np.int64)
    first_db = np.zeros(2)
    last_db = np.zeros(2)
    last_t = np.full(2, -1.0)
    gap = 0.0
    for i in range(n):
        a = log[i, L.G_ANTENNA]
        s = log[i, L.G_SIDE]
        rssi = log[i, L.G_RSSI]
        x = ABSENT_DB if rssi == L.NO_RSSI else (rssi - refs[a]) / 100.0
        x = max(FLOOR_DB, min(MOST_DB, x))
        t[i] = log[i, L.G_US] / 1e6
        level[i] = x
        side[i] = s
        amp[i] = amplitudes[int((x - FLOOR_DB) * 10.0 + 0.5)]
        if i > 0:
            gap = max(gap, t[i] - t[i - 1])
        count[s] += 1
        amps[s] += amp[i]
        powers[s] += amp[i] * amp[i]
        tamps[s] += amp[i] * t[i]
        tpowers[s] += amp[i] * amp[i] * t[i]
        heard[a] += 1
        side_of[a] = s
        loudest[a] = max(loudest[a], x)
        if count[s] <= 3:
            first_db[s] += x
        last_t[s] = t[i]
    left = np.zeros(2)
    for i in range(n - 1, -1, -1):
        s = side[i]
        if left[s] < 3:
            left[s] += 1
            last_db[s] += level[i]
    now = now_us / 1e6
    end = t[n - 1]
    sums = np.empty((2, n))
    reads = np.empty((2, n))
    envelopes(t, side, amp, n, sums, reads)
    # smoothed levels and balances at each read
    least = 1e9
    for i in range(n):
        least = min(least, amp[i])
    least *= 0.7
    mean = np.empty((2, n))
    balance = np.empty(n)
    flat = np.empty(n)
    energy = np.empty(n)
    tops = np.zeros(2)
    top_t = np.full(2, -1.0)
    lows = np.full(2, 1e9)
    most_rate = 0.0
    rate_top = 0.0
    for i in range(n):
        for s in range(2):
            mean[s, i] = (sums[s, i] + PRIOR_READS * least) / (reads[s, i] + PRIOR_READS)
            if mean[s, i] > tops[s] and count[s] > 0:
                tops[s] = mean[s, i]
                top_t[s] = t[i]
            lows[s] = min(lows[s], mean[s, i])
        balance[i] = ratio(sums[0, i] - sums[1, i], sums[0, i] + sums[1, i])
        flat[i] = ratio(mean[0, i] - mean[1, i], mean[0, i] + mean[1, i])
        energy[i] = amp[i]
        most_rate = max(most_rate, reads[0, i] + reads[1, i])
    top = max(tops[0], tops[1])
    top_side = 0 if tops[0] >= tops[1] else 1
    for i in range(n):
        if t[i] == top_t[top_side]:
            rate_top = reads[0, i] + reads[1, i]
    amp_all = amps[0] + amps[1]
    middle = (tamps[0] + tamps[1]) / amp_all
    middle_power = (tpowers[0] + tpowers[1]) / (powers[0] + powers[1])
    var = 0.0
    var_power = 0.0
    for i in range(n):
        var += amp[i] * (t[i] - middle) * (t[i] - middle)
        var_power += amp[i] * amp[i] * (t[i] - middle_power) * (t[i] - middle_power)
    spread = math.sqrt(var / amp_all)
    spread_power = math.sqrt(var_power / (powers[0] + powers[1]))
    # widths: time during which the level was near the top
    wide = np.zeros(2)
    wide6 = 0.0
    wide12 = 0.0
    for i in range(n - 1):
        d = min(t[i + 1] - t[i], 0.5)
        for s in range(2):
            if mean[s, i] >= 0.5 * tops[s] and count[s] > 0:
                wide[s] += d
        loud = max(mean[0, i], mean[1, i])
        if loud >= 0.5 * top:
            wide6 += d
        if loud >= 0.25 * top:
            wide12 += d
    # balances over the first and last of the energy, and the best change point
    early = np.zeros(4)
    weight = np.zeros(4)
    shares = (0.4, 0.15)
    done = 0.0
    lean = 0.0
    lean_flat = 0.0
    for i in range(n):
        e = energy[i] / amp_all
        done += e
        for k in range(2):
            u = max(0.0, shares[k] - done + e) * e
            early[k] += u * balance[i]
            weight[k] += u
            u = max(0.0, done - 1.0 + shares[k]) * e
            early[2 + k] += u * balance[i]
            weight[2 + k] += u
        lean += e * balance[i]
        lean_flat += e * flat[i]
    best = 0.0
    best_flat = 0.0
    change_at = middle
    change_i = n - 1
    before = 0.0
    after = 0.0
    so_far = 0.0
    so_far_flat = 0.0
    done = 0.0
    for i in range(n - 1):
        e = energy[i] / amp_all
        so_far += e * balance[i]
        so_far_flat += e * flat[i]
        done += e
        score = 2.0 * so_far - lean
        if abs(score) > abs(best):
            best = score
            change_at = 0.5 * (t[i] + t[i + 1])
            change_i = i
            before = ratio(so_far, done)
            after = ratio(lean - so_far, 1.0 - done)
        score = 2.0 * so_far_flat - lean_flat
        if abs(score) > abs(best_flat):
            best_flat = score
    if gain(best, lean) == 0.0:  # one side throughout: where it was loudest stands in
        change_at = middle_power
        before = lean
        after = lean
        change_i = 0
        while change_i < n - 1 and t[change_i + 1] <= middle_power:
            change_i += 1
    near_sum = np.zeros((2, 2))
    near_n = np.zeros((2, 2))
    meet = 0.0
    meet_at = middle
    for i in range(n):
        least_now = min(mean[0, i], mean[1, i])
        if least_now > meet:
            meet = least_now
            meet_at = t[i]
        d = t[i] - change_at
        if abs(d) <= 1.0:
            k = 1 if d > 0.0 else 0
            near_sum[side[i], k] += amp[i]
            near_n[side[i], k] += 1.0
    near_db = np.full((2, 2), FLOOR_DB)
    for s in range(2):
        for k in range(2):
            if near_n[s, k] > 0.0:
                near_db[s, k] = db(near_sum[s, k] / near_n[s, k])
    change_db = db(max(mean[0, change_i], mean[1, change_i]))
    # radial speeds
    pt = np.zeros((2, n))
    pv = np.zeros((2, n))
    pw = np.zeros((2, n))
    pairs = np.zeros(2, np.int64)
    wt = np.zeros((2, n))
    wa = np.zeros((2, n))
    ww = np.zeros((2, n))
    wc = np.zeros((2, n), np.int64)
    wide_pairs = np.zeros(2, np.int64)
    recent = np.full(antennas, -1, np.int64)
    channels = 0
    seen_channels = np.zeros(64, np.int64)
    phases = 0
    for i in range(n):
        a = log[i, L.G_ANTENNA]
        ch = log[i, L.G_CHANNEL]
        if seen_channels[ch & 63] == 0:
            seen_channels[ch & 63] = 1
            channels += 1
        if log[i, L.G_PHASE] < 0:
            continue
        phases += 1
        j = recent[a]
        recent[a] = i
        if j < 0 or log[j, L.G_CHANNEL] != ch:
            continue
        d = t[i] - t[j]
        if d <= 0.002 or d > WIDE_PAIR_S:
            continue
        s = side[i]
        k = wide_pairs[s]
        wt[s, k] = 0.5 * (t[i] + t[j])
        wa[s, k] = d
        ww[s, k] = amp[i] + amp[j]
        wc[s, k] = log[i, L.G_PHASE] - log[j, L.G_PHASE]
        wide_pairs[s] = k + 1
        if d > PAIR_S:
            continue
        steps = (log[i, L.G_PHASE] - log[j, L.G_PHASE] + 2048) % 4096 - 2048
        v = steps * METRES_A_STEP / d
        if abs(v) > MOST_MPS:
            continue
        k = pairs[s]
        pt[s, k] = 0.5 * (t[i] + t[j])
        pv[s, k] = v
        pw[s, k] = d * (amp[i] + amp[j])
        pairs[s] = k + 1
    v_sum = np.zeros((2, 5))
    v_w = np.zeros((2, 5))
    speed = 0.0
    speed_w = 0.0
    for s in range(2):
        for k in range(pairs[s]):
            x = pw[s, k]
            y = pv[s, k] * x
            speed += abs(y)
            speed_w += x
            g = 0 if pt[s, k] < middle else 1
            v_sum[s, g] += y
            v_w[s, g] += x
            if pt[s, k] >= end - LAST_S:
                v_sum[s, 2] += y
                v_w[s, 2] += x
            if abs(pt[s, k] - middle_power) <= AROUND_S:
                v_sum[s, 3] += y
                v_w[s, 3] += x
            if abs(pt[s, k] - change_at) <= AROUND_S:
                v_sum[s, 4] += y
                v_w[s, 4] += x
    fits = np.zeros(2)
    turns = np.zeros(2)
    lates = np.zeros(2)
    for s in range(2):
        fits[s], turns[s], lates[s] = turning(pt[s], pv[s], pw[s], pairs[s])
    speeds = np.zeros((2, 2, 3))
    for s in range(2):
        if wide_pairs[s] > 0:
            half = tamps[s] / amps[s]
            many = wide_pairs[s]
            radial(wt[s], wc[s], wa[s], ww[s], many, -1.0, half, cosines, speeds[s, 0])
            radial(wt[s], wc[s], wa[s], ww[s], many, half, 1e9, cosines, speeds[s, 1])
    # fill
    k = 0
    for s in range(2):
        second = FLOOR_DB
        peak = FLOOR_DB
        ears = 0
        for a in range(antennas):
            if heard[a] > 0 and side_of[a] == s:
                ears += 1
                if loudest[a] > peak:
                    second = peak
                    peak = loudest[a]
                else:
                    second = max(second, loudest[a])
        some = count[s] > 0
        k = s
        out[k] = count[s] / n
        k += 2
        out[k] = amps[s] / amp_all
        k += 2
        out[k] = db(tops[s]) if some else FLOOR_DB
        k += 2
        out[k] = peak
        k += 2
        out[k] = first_db[s] / min(count[s], 3.0) if some else FLOOR_DB
        k += 2
        out[k] = last_db[s] / min(count[s], 3.0) if some else FLOOR_DB
        k += 2
        out[k] = db(tops[s]) - db(mean[s, n - 1]) if some else 0.0
        k += 2
        out[k] = min(now - last_t[s], UNHEARD_S) if some else UNHEARD_S
        k += 2
        out[k] = min(now - top_t[s], UNHEARD_S) if some else UNHEARD_S
        k += 2
        out[k] = min(wide[s], UNHEARD_S)
        k += 2
        out[k] = ears
        k += 2
        out[k] = min(peak - second, 30.0) if ears > 1 else 30.0
        k += 2
        out[k] = pairs[s]
        k += 2
        out[k] = ratio(v_sum[s, 0], v_w[s, 0])
        k += 2
        out[k] = ratio(v_sum[s, 1], v_w[s, 1])
        k += 2
        out[k] = ratio(v_sum[s, 2], v_w[s, 2])
        k += 2
        out[k] = near_db[s, 0]
        k += 2
        out[k] = near_db[s, 1]
        k += 2
        for what in range(3):
            out[k] = speeds[s, 0, what]
            k += 2
            out[k] = speeds[s, 1, what]
            k += 2
        out[k] = fits[s]
        k += 2
        out[k] = within(turns[s] - middle, 5.0) if pairs[s] > 1 else 0.0
        k += 2
        out[k] = lates[s]
    k += 1
    both = count[0] > 0 and count[1] > 0
    lag_s = tamps[1] / amps[1] - tamps[0] / amps[0] if both else 0.0
    lag_power = tpowers[1] / powers[1] - tpowers[0] / powers[0] if both else 0.0
    firsts = np.zeros(4)
    for i in range(min(8, n)):
        x = 1.0 - 2.0 * side[i]
        y = 1.0 - 2.0 * side[n - 1 - i]
        if i < 3:
            firsts[0] += x
            firsts[2] += y
        firsts[1] += x
        firsts[3] += y
    values = [
        lag_s / max(spread, 0.1),
        lag_power / max(spread_power, 0.1),
        within(lag_s, 5.0),
        within(top_t[1] - top_t[0], 5.0) if both else 0.0,
        ratio(early[0], weight[0]),
        ratio(early[2], weight[2]),
        ratio(early[1], weight[1]),
        ratio(early[3], weight[3]),
        lean,
        firsts[0] / min(3, n),
        firsts[1] / min(8, n),
        firsts[2] / min(3, n),
        firsts[3] / min(8, n),
        balance[n - 1],
        gain(best, lean),
        gain(best_flat, lean_flat),
        before,
        after,
        ratio(v_sum[0, 3], v_w[0, 3]) - ratio(v_sum[1, 3], v_w[1, 3]),
        ratio(v_sum[0, 4], v_w[0, 4]) - ratio(v_sum[1, 4], v_w[1, 4]),
        within(turns[1] - turns[0], 5.0) if pairs[0] > 1 and pairs[1] > 1 else 0.0,
        1.0 - 2.0 * side[0],
        0.0,
    ]
    for value in values:
        out[k] = value
        k += 1
    begin_db = 0.0
    end_db = 0.0
    for i in range(min(3, n)):
        begin_db += db(max(mean[0, i], mean[1, i]))
        end_db += db(max(mean[0, n - 1 - i], mean[1, n - 1 - i]))
    begin_db /= min(3, n)
    end_db /= min(3, n)
    top_db = db(top)
    low = max(lows[0], lows[1])
    stranger = heads[5] == L.NO_BASE
    commissioned = refs[antennas]
    evens = [
        math.log(n),
        math.log(max(1.0, float(heads[8]))),
        min(end, 60.0),
        spread,
        min(now - end, UNHEARD_S),
        top_db,
        begin_db,
        end_db,
        top_db - begin_db,
        top_db - end_db,
        min(wide6, 60.0),
        min(wide12, 60.0),
        min(now - middle, 60.0),
        min(now - change_at, 60.0),
        math.log(1.0 + n - 1 - change_i),
        rate_top,
        ratio(reads[0, n - 1] + reads[1, n - 1], most_rate),
        gap,
        ratio(speed, speed_w),
        heads[0] / 100.0,
        heads[1] / 100.0,
        min(1.0, heads[2] / max(1.0, end)),
        min(heads[3] / 1e6, 60.0),
        1.0 if stranger else 0.0,
        30.0 if stranger else within((heads[7] - heads[5]) / 100.0, 30.0),
        min(amps[0], amps[1]) / amp_all,
        top_db - db(low),
        float((heard > 0).sum()),
        float(commissioned),
        float(channels),
        1.0 if 2 * phases < n else 0.0,
        float(heads[9]),
        float(heads[10]),
        float(heads[11]),
        1.0 if heads[6] > heads[7] else 0.0,
        db(meet) if both else FLOOR_DB,
        min(now - meet_at, 60.0),
        change_db,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
    ]
    for value in evens:
        out[k] = value
        k += 1
    for i in range(out.shape[0]):
        out[i] = round(out[i] * 4096.0) / 4096.0
    return float(change_at)


OUTLINE = 64
OUTLINE_US = 160_000
"""64 bins of 0.16 s are ten seconds: longer than anyone is in a doorway who walks through it together."""
REACH = 3
"""Bins each way over which a read is spread: tags of one trolley pass up to half a second after one another."""


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
        rssi = log[i, L.G_RSSI]
        x = ABSENT_DB if rssi == L.NO_RSSI else (rssi - refs[log[i, L.G_ANTENNA]]) / 100.0
        x = max(FLOOR_DB, min(MOST_DB, x))
        a = amplitudes[int((x - FLOOR_DB) * 10.0 + 0.5)]
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
            k = b % OUTLINE
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
