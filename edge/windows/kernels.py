"""The fused per-read loop over a hash of slots; `plain.py` says the same thing in readable form and is the definition.

All numbers are integers, so that every platform and both engines give the same records.
"""

# ruff: noqa: PLR0917, FBT001, D417 (a kernel takes its arrays one by one, in one order everywhere)

import numpy as np
from numba import njit
from numpy.typing import NDArray

from edge.windows import layout as L  # noqa: N812 (one letter keeps the column names readable in formulas)

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]


@njit(cache=True)
def bucket(portal: int, epc: U8, length: int, buckets: int) -> int:
    """Return the bucket of a tag at a portal; 31-bit arithmetic, so that plain Python says the same."""
    value = portal + 1
    for k in range(length):
        value = (value * 1_000_003 + int(epc[k]) + 1) & 0x7FFFFFFF
    return value & (buckets - 1)


@njit(cache=True)
def find(portal: int, epc: U8, length: int, place: int, head: I64, keys: U8, first: I32, chain: I32) -> int:
    """Return the slot of a tag at a portal, or -1."""
    slot = int(first[place])
    while slot >= 0:
        if head[slot, L.PORTAL] == portal and head[slot, L.EPC_BYTES] == length:
            same = True
            for k in range(length):
                if keys[slot, k] != epc[k]:
                    same = False
                    break
            if same:
                return slot
        slot = int(chain[slot])
    return -1


@njit(cache=True)
def unlink(slot: int, head: I64, first: I32, chain: I32) -> None:
    """Take a slot out of its bucket."""
    place = head[slot, L.HASH]
    if first[place] == slot:
        first[place] = chain[slot]
        return
    before = int(first[place])
    while chain[before] != slot:
        before = int(chain[before])
    chain[before] = chain[slot]


@njit(cache=True)
def window_moves(slot: int, head: I64, ant: I64, steps: int, cdb: int) -> bool:
    """Say whether the running motion window shows motion: by phase where there is some, else by RSSI."""
    if head[slot, L.WIN_PAIRS] >= L.MIN_PAIRS:
        return bool(head[slot, L.WIN_SUM] >= steps * head[slot, L.WIN_PAIRS])
    for a in range(ant.shape[1]):
        if ant[slot, a, L.A_REPORTS] > 0 and ant[slot, a, L.A_WMAX] - ant[slot, a, L.A_WMIN] >= cdb:
            return True
    return False


@njit(cache=True)
def emit(
    slot: int, why: int, at: int, head: I64, ant: I64, bins: I32, log: I32, keys: U8, meta: I64,
    out: I64, out_head: I64, out_ant: I64, out_bins: I32, out_log: I32, out_keys: U8,
) -> None:  # fmt: skip
    """Copy a slot as it is now into the next output record."""
    k = meta[L.M_OUT]
    out[k, 0] = why
    out[k, 1] = at
    out_head[k] = head[slot]
    out_ant[k] = ant[slot]
    out_bins[k] = bins[slot]
    for row in range(head[slot, L.LOGGED]):
        out_log[k, row] = log[slot, row]
    out_keys[k] = keys[slot]
    meta[L.M_OUT] = k + 1


@njit(cache=True)
def start(slot: int, t: int, t0: int, head: I64, ant: I64, bins: I32) -> None:
    """Open a visit; what the slot knows of the tag at rest stays."""
    base = head[slot, L.BASE_CDBM]
    portal = head[slot, L.PORTAL]
    length = head[slot, L.EPC_BYTES]
    place = head[slot, L.HASH]
    head[slot] = 0
    ant[slot] = 0
    bins[slot] = 0
    head[slot, L.BASE_CDBM] = base
    head[slot, L.PORTAL] = portal
    head[slot, L.EPC_BYTES] = length
    head[slot, L.HASH] = place
    head[slot, L.STATE] = L.OPEN
    head[slot, L.START_US] = t0
    head[slot, L.LAST_US] = t
    head[slot, L.BIN0_US] = t
    head[slot, L.BIN_US] = L.FIRST_BIN_US
    head[slot, L.STILL_US] = t
    head[slot, L.WIN_US] = t
    head[slot, L.CANDIDATE_US] = t
    head[slot, L.RIVAL_CDBM] = L.NO_LEVEL
    head[slot, L.PEAK_CDBM] = L.NO_LEVEL
    head[slot, L.TOP_CDBM] = L.NO_LEVEL
    head[slot, L.WIN_PEAK] = L.NO_LEVEL
    for a in range(ant.shape[1]):
        ant[slot, a, L.A_PEAK_CDBM] = L.NO_LEVEL
        ant[slot, a, L.A_CHANNEL] = -1


@njit(cache=True)
def rest(slot: int, head: I64) -> None:
    """Learn the level of a tag that lay still."""
    level = max(head[slot, L.SMOOTH0] if head[slot, L.COUNT0] else L.NO_LEVEL,
                head[slot, L.SMOOTH1] if head[slot, L.COUNT1] else L.NO_LEVEL)  # fmt: skip
    base = head[slot, L.BASE_CDBM]
    head[slot, L.BASE_CDBM] = level if base == L.NO_BASE else base + ((level - base) >> 2)


@njit(cache=True)
def stirs(slot: int, sure: int, swing: int, head: I64) -> bool:
    """Say whether phases speak for motion, or at least not against it where a side's level changes."""
    if head[slot, L.STIR_TOP] >= sure:
        return True
    change = max(head[slot, L.HIGH0] - head[slot, L.LOW0], head[slot, L.HIGH1] - head[slot, L.LOW1])
    return bool(head[slot, L.STIR] > L.STIR_STILL and change >= swing)


@njit(cache=True)
def tells(slot: int, why: int, head: I64, knobs: I64) -> bool:
    """Say whether an ending visit is worth a decision: it moved, or may have."""
    portal = head[slot, L.PORTAL]
    if head[slot, L.REPORTS] < knobs[portal, L.K_MIN_REPORTS]:
        return False
    if knobs[portal, L.K_SINGLE]:
        return bool(head[slot, L.MOVED] > 0 and head[slot, L.REPORTS] >= L.MIN_PAIRS)
    if head[slot, L.MOVED] > 0:
        return True
    if why == L.SETTLED:
        return False
    return bool(head[slot, L.BASE_CDBM] == L.NO_BASE or stirs(slot, L.STIR_SIGN, L.SWING_CDB, head))


@njit(cache=True)
def end(
    slot: int, why: int, at: int, head: I64, ant: I64, bins: I32, log: I32, keys: U8, due: I64, meta: I64, knobs: I64,
    out: I64, out_head: I64, out_ant: I64, out_bins: I32, out_log: I32, out_keys: U8,
) -> None:  # fmt: skip
    """End a visit: one record if it tells something, else a lesson about the tag at rest."""
    portal = head[slot, L.PORTAL]
    if window_moves(slot, head, ant, knobs[portal, L.K_MOTION_STEPS], knobs[portal, L.K_MOTION_CDB]):
        head[slot, L.MOVED] += 1
    if knobs[portal, L.K_SINGLE] and head[slot, L.RANGE_CDB] >= knobs[portal, L.K_RISE]:
        head[slot, L.MOVED] += 1
    if tells(slot, why, head, knobs):
        emit(slot, why, at, head, ant, bins, log, keys, meta, out, out_head, out_ant, out_bins, out_log, out_keys)
    else:
        meta[L.M_QUIET] += 1
    if head[slot, L.MOVED] == 0 or why == L.SETTLED:
        rest(slot, head)
    head[slot, L.STATE] = L.IDLE
    due[slot] = L.NEVER_US


@njit(cache=True)
def wrap(value: int, modulus: int) -> int:
    """Return `value` modulo `modulus`, nearest to zero."""
    return (value + modulus // 2) % modulus - modulus // 2


@njit(cache=True)
def note_pair(slot: int, change: int, stayed: int, head: I64) -> None:
    """Weigh a change of phase: for the visit, and for the motion window if the channel `stayed` meanwhile."""
    weight = min(L.STIR_MOST, change * change * L.STIR_SCALE // L.STIR_SHIFT - L.STIR_REST)
    head[slot, L.STIR] = min(L.STIR_UTMOST, max(L.STIR_LEAST, head[slot, L.STIR] + weight))
    head[slot, L.STIR_TOP] = max(head[slot, L.STIR_TOP], head[slot, L.STIR])
    if stayed:
        head[slot, L.WIN_SUM] += change
        head[slot, L.WIN_PAIRS] += 1


@njit(cache=True)
def recall(slot: int, a: int, t: int, phase: int, channel: int, fresh: bool, head: I64, cells: I64) -> None:
    """Compare a phase with the one remembered for its antenna and channel: at rest it comes back."""
    k = (4 * channel + a) % L.CELLS
    key = 8 * channel + a + 1
    known = cells[slot, k, L.P_PHASE]
    since = t - cells[slot, k, L.P_US]
    if known != 0 and 0 <= since <= L.RECALL_US:
        if known // L.TURN != key:
            return
        if fresh and since >= L.PAIR_MIN_US:
            note_pair(slot, abs(wrap(phase - known % L.TURN, L.HALF_TURN)), 0, head)
    cells[slot, k, L.P_PHASE] = key * L.TURN + phase
    cells[slot, k, L.P_US] = t


@njit(cache=True)
def note_antenna(slot: int, a: int, t: int, level: int, rssi: int, phase: int, channel: int, count: int,
                 head: I64, ant: I64, cells: I64) -> None:  # fmt: skip
    """Update one antenna's envelope and phase."""
    ant[slot, a, L.A_READS] += count
    ant[slot, a, L.A_REPORTS] += 1
    if rssi > ant[slot, a, L.A_PEAK_CDBM] and rssi != L.NO_RSSI:
        ant[slot, a, L.A_PEAK_CDBM] = rssi
        ant[slot, a, L.A_PEAK_US] = t
    if ant[slot, a, L.A_REPORTS] == 1:
        for column in (L.A_SMOOTH, L.A_WMIN, L.A_WMAX):
            ant[slot, a, column] = level
    else:
        smooth = ant[slot, a, L.A_SMOOTH] + ((level - ant[slot, a, L.A_SMOOTH]) >> 2)
        ant[slot, a, L.A_SMOOTH] = smooth
        ant[slot, a, L.A_WMIN] = min(ant[slot, a, L.A_WMIN], smooth)
        ant[slot, a, L.A_WMAX] = max(ant[slot, a, L.A_WMAX], smooth)
    same = channel == ant[slot, a, L.A_CHANNEL]
    if same:
        ant[slot, a, L.A_STEADY] += (level - ant[slot, a, L.A_STEADY]) >> 2
        ant[slot, a, L.A_LOW] = min(ant[slot, a, L.A_LOW], ant[slot, a, L.A_STEADY])
        ant[slot, a, L.A_HIGH] = max(ant[slot, a, L.A_HIGH], ant[slot, a, L.A_STEADY])
        head[slot, L.RANGE_CDB] = max(head[slot, L.RANGE_CDB], ant[slot, a, L.A_HIGH] - ant[slot, a, L.A_LOW])
    else:
        for column in (L.A_STEADY, L.A_LOW, L.A_HIGH):
            ant[slot, a, column] = level
    ant[slot, a, L.A_CHANNEL] = channel
    if phase < 0:
        return
    if same:
        apart = t - ant[slot, a, L.A_PHASE_US]
        if 0 < apart <= L.SLOPE_MAX_US:
            ant[slot, a, L.A_TURN] += wrap(phase - ant[slot, a, L.A_PHASE], L.TURN)
            ant[slot, a, L.A_TURN_US] += apart
        since = t - ant[slot, a, L.A_REF_US]
        if L.PAIR_MIN_US <= since <= L.RECALL_US:
            note_pair(slot, abs(wrap(phase - ant[slot, a, L.A_REF], L.HALF_TURN)), int(since <= L.PAIR_MAX_US), head)
    if not same or t - ant[slot, a, L.A_REF_US] >= L.PAIR_MIN_US:
        ant[slot, a, L.A_REF] = phase
        ant[slot, a, L.A_REF_US] = t
    recall(slot, a, t, phase, channel, not same, head, cells)
    ant[slot, a, L.A_PHASE] = phase
    ant[slot, a, L.A_PHASE_US] = t


@njit(cache=True)
def note_side(slot: int, side: int, t: int, level: int, count: int, head: I64, bins: I32) -> None:
    """Update one side's envelope: smoothed level and time bins."""
    known = head[slot, L.COUNT0 + side]
    smooth = head[slot, L.SMOOTH0 + side]
    smooth = level if known == 0 else smooth + ((level - smooth) >> 2)
    head[slot, L.SMOOTH0 + side] = smooth
    head[slot, L.HEARD0_US + side] = t
    head[slot, L.COUNT0 + side] = known + 1
    head[slot, L.LOW0 + side] = min(head[slot, L.LOW0 + side], smooth) if known else smooth
    head[slot, L.HIGH0 + side] = max(head[slot, L.HIGH0 + side], smooth) if known else smooth
    head[slot, L.PEAK_CDBM] = max(head[slot, L.PEAK_CDBM], smooth)
    head[slot, L.WIN_PEAK] = max(head[slot, L.WIN_PEAK], smooth)
    at = (t - head[slot, L.BIN0_US]) // head[slot, L.BIN_US]
    while at >= L.BINS:
        for g in range(2):
            for b in range(L.BINS // 2):
                for v in range(2):
                    bins[slot, g, b, v] = bins[slot, g, 2 * b, v] + bins[slot, g, 2 * b + 1, v]
            for b in range(L.BINS // 2, L.BINS):
                bins[slot, g, b, 0] = 0
                bins[slot, g, b, 1] = 0
        head[slot, L.BIN_US] *= 2
        at = (t - head[slot, L.BIN0_US]) // head[slot, L.BIN_US]
    weight = min(count, L.MAX_WEIGHT)
    bins[slot, side, at, L.B_SUM] += level * weight
    bins[slot, side, at, L.B_COUNT] += weight


@njit(cache=True)
def note_read(slot: int, i: int, t: int, cols: I64, head: I64, log: I32) -> None:
    """Append a read to the visit's log; a full one is thinned first, pair by pair, in its older half."""
    row = head[slot, L.LOGGED]
    if row == L.LOG_ROWS:
        row = 0
        for old in range(L.LOG_ROWS):
            if old >= L.LOG_ROWS // 2 or old % 4 < 2:  # noqa: PLR2004 (two of every four)
                log[slot, row] = log[slot, old]
                row += 1
    log[slot, row, L.G_US] = t - head[slot, L.BIN0_US]
    log[slot, row, L.G_ANTENNA] = cols[i, L.C_ANTENNA]
    log[slot, row, L.G_SIDE] = cols[i, L.C_SIDE]
    log[slot, row, L.G_RSSI] = cols[i, L.C_RSSI]
    log[slot, row, L.G_PHASE] = cols[i, L.C_PHASE]
    log[slot, row, L.G_CHANNEL] = cols[i, L.C_CHANNEL]
    log[slot, row, L.G_COUNT] = cols[i, L.C_COUNT]
    head[slot, L.LOGGED] = row + 1


@njit(cache=True)
def heard(slot: int, side: int, t: int, head: I64) -> int:
    """Return a side's level now: what was heard last, less what its silence says."""
    if head[slot, L.COUNT0 + side] == 0:
        return L.NO_LEVEL
    silent = max(0, t - head[slot, L.HEARD0_US + side] - L.STALE_US)
    return int(head[slot, L.SMOOTH0 + side] - silent * L.STALE_CDB_PER_MS // 1000)


@njit(cache=True)
def note_lead(slot: int, t: int, head: I64) -> None:
    """Follow which side leads, and count how often the lead changes."""
    ahead = heard(slot, 0, t, head) - heard(slot, 1, t, head)
    lead = head[slot, L.LEAD]
    now = 1 if ahead >= L.LEAD_CDB else 2 if ahead <= -L.LEAD_CDB else lead
    if now != lead:
        head[slot, L.LEAD] = now
        if lead:
            head[slot, L.FLIPS] += 1


@njit(cache=True)
def wants_candidate(slot: int, t: int, head: I64) -> bool:
    """Say whether to try an early decision: something moved, or may; oftener once the lead has changed."""
    if head[slot, L.REPORTS] < L.MIN_PAIRS or head[slot, L.CANDIDATES] >= L.MAX_CANDIDATES:
        return False
    apart = L.CANDIDATE_EVERY_US if head[slot, L.FLIPS] else L.CANDIDATE_CALM_US
    if t - head[slot, L.CANDIDATE_US] < max(apart, (t - head[slot, L.START_US]) >> L.CANDIDATE_SHIFT):
        return False
    if head[slot, L.BASE_CDBM] == L.NO_BASE and head[slot, L.STIR] > L.STIR_STILL:
        return True
    return stirs(slot, L.STIR_SURE, L.WIDE_SWING_CDB, head)


@njit(cache=True)
def note_pass(slot: int, level: int, head: I64) -> None:
    """Layout `single`: follow the highest smoothed RSSI and the lowest since."""
    slow = level if head[slot, L.REPORTS] == 1 else head[slot, L.SLOW_CDBM] + ((level - head[slot, L.SLOW_CDBM]) >> 2)
    head[slot, L.SLOW_CDBM] = slow
    if slow >= head[slot, L.TOP_CDBM]:
        head[slot, L.TOP_CDBM] = slow
        head[slot, L.VALLEY_CDBM] = slow
    elif slow < head[slot, L.VALLEY_CDBM]:
        head[slot, L.VALLEY_CDBM] = slow


@njit(cache=True)
def silence(slot: int, head: I64, knobs: I64) -> int:
    """Return the silence that ends this visit: fixed, or for `single` in units of the tag's own read interval."""
    portal = head[slot, L.PORTAL]
    gap = knobs[portal, L.K_GAP_US]
    if knobs[portal, L.K_SINGLE] == 0 or head[slot, L.REPORTS] < L.MIN_PAIRS:
        return int(gap)
    return int(min(gap, max(L.MIN_PASS_US, knobs[portal, L.K_INTERVALS] * head[slot, L.INTERVAL_US])))


@njit(cache=True)
def take(portal: int, epc: U8, length: int, place: int, head: I64, ant: I64, bins: I32, log: I32, cells: I64, keys: U8,
         first: I32, chain: I32, due: I64, meta: I64, knobs: I64, t: int,
         out: I64, out_head: I64, out_ant: I64, out_bins: I32, out_log: I32, out_keys: U8) -> int:  # fmt: skip
    """Return a slot for a new tag; when all are taken the quietest of a sample goes."""
    if meta[L.M_USED] < head.shape[0]:
        slot = meta[L.M_USED]
        meta[L.M_USED] += 1
    else:
        slot = meta[L.M_HAND]
        for k in range(min(L.SAMPLE, head.shape[0])):
            other = (meta[L.M_HAND] + k) % head.shape[0]
            if head[other, L.LAST_US] < head[slot, L.LAST_US]:
                slot = other
        meta[L.M_HAND] = (meta[L.M_HAND] + L.SAMPLE) % head.shape[0]
        meta[L.M_EVICTED] += 1
        if head[slot, L.STATE] == L.OPEN:
            end(slot, L.EVICTED, t, head, ant, bins, log, keys, due, meta, knobs,
                out, out_head, out_ant, out_bins, out_log, out_keys)  # fmt: skip
        unlink(slot, head, first, chain)
    head[slot, L.STATE] = L.IDLE
    head[slot, L.PORTAL] = portal
    head[slot, L.EPC_BYTES] = length
    head[slot, L.HASH] = place
    head[slot, L.BASE_CDBM] = L.NO_BASE
    head[slot, L.LAST_US] = t
    cells[slot] = 0
    for k in range(keys.shape[1]):
        keys[slot, k] = epc[k] if k < length else 0
    chain[slot] = first[place]
    first[place] = slot
    return int(slot)


@njit(cache=True)
def meet_rivals(slot: int, portal: int, epc: U8, length: int, t: int, head: I64, keys: U8, first: I32, chain: I32,
                portals: int) -> None:  # fmt: skip
    """Tell the same tag's visits at other portals how loud it is here, and learn how loud it is there."""
    for q in range(portals):
        if q == portal:
            continue
        other = find(q, epc, length, bucket(q, epc, length, first.shape[0]), head, keys, first, chain)
        if other >= 0 and head[other, L.STATE] == L.OPEN and t - head[other, L.LAST_US] <= L.RIVAL_US:
            head[other, L.RIVAL_CDBM] = max(head[other, L.RIVAL_CDBM], head[slot, L.PEAK_CDBM])
            head[slot, L.RIVAL_CDBM] = max(head[slot, L.RIVAL_CDBM], head[other, L.PEAK_CDBM])


@njit(cache=True)
def advance(
    begin: int, cols: I64, epcs: U8, head: I64, ant: I64, bins: I32, log: I32, cells: I64, keys: U8, first: I32,
    chain: I32, due: I64, meta: I64, knobs: I64,
    out: I64, out_head: I64, out_ant: I64, out_bins: I32, out_log: I32, out_keys: U8,
) -> int:  # fmt: skip
    """Take reads in event order; return how many were taken (fewer when the output is full: drain it, call again).

    Args:
        begin: first row to take.
        cols: (n, 10) int64: t_us, first_us, portal, side, antenna, EPC bytes, rssi, phase, channel, count.
        epcs: (n, 62) EPC bytes.
        head, ant, bins, log, cells, keys, first, chain, due, meta, knobs: the state, see `layout`.
        out, out_head, out_ant, out_bins, out_log, out_keys: output records; `meta[M_OUT]` of them are filled.
    """
    for i in range(begin, cols.shape[0]):
        if meta[L.M_OUT] + 4 > out.shape[0]:
            return i
        t = cols[i, L.C_US]
        portal = cols[i, L.C_PORTAL]
        side = cols[i, L.C_SIDE]
        length = cols[i, L.C_EPC_BYTES]
        rssi = cols[i, L.C_RSSI]
        epc = epcs[i]
        place = bucket(portal, epc, length, first.shape[0])
        slot = find(portal, epc, length, place, head, keys, first, chain)
        if slot < 0:
            slot = take(portal, epc, length, place, head, ant, bins, log, cells, keys, first, chain, due, meta, knobs,
                        t, out, out_head, out_ant, out_bins, out_log, out_keys)  # fmt: skip
        if head[slot, L.STATE] == L.OPEN and t > due[slot]:
            end(slot, L.LEFT, due[slot], head, ant, bins, log, keys, due, meta, knobs,
                out, out_head, out_ant, out_bins, out_log, out_keys)  # fmt: skip
        if head[slot, L.STATE] == L.IDLE:
            if t - head[slot, L.LAST_US] > knobs[portal, L.K_FORGET_US]:
                head[slot, L.BASE_CDBM] = L.NO_BASE
            start(slot, t, cols[i, L.C_FIRST_US], head, ant, bins)
        t = max(t, head[slot, L.LAST_US])
        if head[slot, L.REPORTS] > 0:
            apart = t - head[slot, L.LAST_US]
            interval = head[slot, L.INTERVAL_US]
            if head[slot, L.REPORTS] == 1:
                head[slot, L.INTERVAL_US] = apart
            else:
                head[slot, L.INTERVAL_US] = interval + ((min(apart, 4 * interval + 1000) - interval) >> 2)
        head[slot, L.LAST_US] = t
        head[slot, L.REPORTS] += 1
        head[slot, L.READS] += cols[i, L.C_COUNT]
        level = L.ABSENT_CDBM if rssi == L.NO_RSSI else rssi
        note_antenna(
            slot,
            cols[i, L.C_ANTENNA],
            t,
            level,
            rssi,
            cols[i, L.C_PHASE],
            cols[i, L.C_CHANNEL],
            cols[i, L.C_COUNT],
            head,
            ant,
            cells,
        )
        note_side(slot, side, t, level, cols[i, L.C_COUNT], head, bins)
        note_read(slot, i, t, cols, head, log)
        if knobs.shape[0] > 1:
            meet_rivals(slot, portal, epc, length, t, head, keys, first, chain, knobs.shape[0])
        steps = knobs[portal, L.K_MOTION_STEPS]
        cdb = knobs[portal, L.K_MOTION_CDB]
        if knobs[portal, L.K_SINGLE]:
            note_pass(slot, level, head)
            valley = head[slot, L.VALLEY_CDBM]
            deep = knobs[portal, L.K_VALLEY]
            if head[slot, L.TOP_CDBM] - valley >= deep and head[slot, L.SLOW_CDBM] - valley >= deep:
                end(slot, L.VALLEY, t, head, ant, bins, log, keys, due, meta, knobs,
                    out, out_head, out_ant, out_bins, out_log, out_keys)  # fmt: skip
                continue
        else:
            note_lead(slot, t, head)
            if wants_candidate(slot, t, head):
                head[slot, L.CANDIDATES] += 1
                head[slot, L.CANDIDATE_US] = t
                emit(
                    slot,
                    L.CANDIDATE,
                    t,
                    head,
                    ant,
                    bins,
                    log,
                    keys,
                    meta,
                    out,
                    out_head,
                    out_ant,
                    out_bins,
                    out_log,
                    out_keys,
                )
        if t - head[slot, L.WIN_US] >= L.WINDOW_US:
            if window_moves(slot, head, ant, steps, cdb):
                head[slot, L.MOVED] += 1
                head[slot, L.STILL_US] = t
            head[slot, L.LOUD] = head[slot, L.WIN_PEAK] >= head[slot, L.PEAK_CDBM] - L.AT_PLANE_CDB
            head[slot, L.WIN_PEAK] = L.NO_LEVEL
            head[slot, L.WIN_US] = t
            head[slot, L.WIN_SUM] = 0
            head[slot, L.WIN_PAIRS] = 0
            for a in range(ant.shape[1]):
                ant[slot, a, L.A_WMIN] = ant[slot, a, L.A_SMOOTH]
                ant[slot, a, L.A_WMAX] = ant[slot, a, L.A_SMOOTH]
        still = t - head[slot, L.STILL_US]
        needed = (
            knobs[portal, L.K_PARK_US]
            if head[slot, L.LOUD] and head[slot, L.MOVED] > 0
            else knobs[portal, L.K_SETTLE_US]
        )
        if head[slot, L.MOVED] == 0 and head[slot, L.STIR] <= L.STIR_STILL and knobs[portal, L.K_SINGLE] == 0:
            needed = min(needed, L.WINDOW_US)
        if head[slot, L.STIR] > L.STIR_CALM:
            needed *= L.SURE_FACTOR
        if still >= needed or t - head[slot, L.START_US] >= L.VISIT_MAX_US:
            end(slot, L.SETTLED, t, head, ant, bins, log, keys, due, meta, knobs,
                out, out_head, out_ant, out_bins, out_log, out_keys)  # fmt: skip
            continue
        due[slot] = t + silence(slot, head, knobs)
    return len(cols)


@njit(cache=True)
def sweep(
    before: int, flushed: bool, head: I64, ant: I64, bins: I32, log: I32, keys: U8, due: I64, meta: I64, knobs: I64,
    out: I64, out_head: I64, out_ant: I64, out_bins: I32, out_log: I32, out_keys: U8,
) -> bool:  # fmt: skip
    """End all visits that are due before an instant; False when the output is full: drain it and call again."""
    for slot in range(meta[L.M_USED]):
        if (flushed or due[slot] < before) and head[slot, L.STATE] == L.OPEN:
            if meta[L.M_OUT] + 1 > out.shape[0]:
                return False
            why = L.FLUSHED if flushed else L.LEFT
            end(slot, why, due[slot], head, ant, bins, log, keys, due, meta, knobs,
                out, out_head, out_ant, out_bins, out_log, out_keys)  # fmt: skip
    return True
