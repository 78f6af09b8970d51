"""The fused per-read loop over slots and visits; `plain` says the same thing in readable form and is the definition.

All numbers are integers, so that every platform and both engines give the same records. Where time goes: most reads are
of tags at rest, and of such a read `advance` touches four lines of one slot and calls nothing that isn't inlined. All
kernels stand in one file, as numba's cache of `advance` doesn't see a change of another (`fresh.py` sees those of
`layout` and `ahead`).
"""

# ruff: noqa: PLR0917, FBT001, D417 (a kernel takes its arrays one by one; facts of a visit; the rest is in `State`)

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from edge.windows import layout as L  # noqa: N812 (one letter keeps the column names readable in formulas)
from edge.windows.ahead import ask

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
I16 = NDArray[np.int16]
Int = int | np.int64


class State(NamedTuple):
    """All arrays of an engine, see `layout`.

    Attributes:
        s64, s32, s16: (tags, …) the slots, one memory under three widths.
        first: (buckets,) the first slot of each, -1 where there is none; a power of two.
        head, ant, clocks: (visits, …) the pool.
        log: (LOG_ROWS / LOG_PART, visits, LOG_PART, PACKED) its reads.
        meta: (META,) counters and places.
        knobs: (portals, KNOBS).
        out, out_head, out_ant, out_log, out_keys: output records; `meta[M_OUT]` of them are filled.
    """

    s64: I64
    s32: I32
    s16: I16
    first: I32
    head: I64
    ant: I64
    log: I32
    clocks: I64
    meta: I64
    knobs: I64
    out: I64
    out_head: I64
    out_ant: I64
    out_log: I32
    out_keys: I64


@njit(cache=True, inline="always")
def bucket(keys: I64, i: Int, length: Int, buckets: Int) -> Int:
    """Return the bucket of an EPC, whatever the portal; no product overflows, so that plain Python says the same."""
    value = np.int64(length)
    for k in range((length + 7) >> 3):
        word = keys[i, k] if k < L.KEY_WORDS - 1 else keys[i, k] & ((1 << 48) - 1)  # the rest is portal and length
        value = ((value ^ (word & 0xFFFFFFFF)) * 0x2545F491) & 0x3FFFFFFFFFFFFFFF
        value = (value ^ (value >> 31)) & 0xFFFFFFFF
        value = ((value ^ ((word >> 32) & 0xFFFFFFFF)) * 0x2545F491) & 0x3FFFFFFFFFFFFFFF
        value = (value ^ (value >> 31)) & 0xFFFFFFFF
    return value & (buckets - 1)


@njit(cache=True, inline="always")
def differs(slot: Int, keys: I64, i: Int, s64: I64) -> bool:
    """Say whether a slot is of another tag or portal."""
    mark = keys[i, L.KEY_WORDS - 1]
    different: Int = (s64[slot, 0] ^ keys[i, 0]) | (s64[slot, 1] ^ keys[i, 1]) | (s64[slot, L.S_MARK] ^ mark)
    if mark >> 48 & 63 > 8 * L.SHORT_WORDS:
        for k in range(L.SHORT_WORDS, L.KEY_WORDS - 1):
            different |= s64[slot, L.S_KEYS[k]] ^ keys[i, k]
    return bool(different != 0)


@njit(cache=True, inline="always")
def find(keys: I64, i: Int, place: Int, s64: I64, s32: I32, first: I32) -> Int:
    """Return the slot of a tag at a portal, or -1."""
    slot: Int = np.int64(first[place])
    while slot >= 0 and differs(slot, keys, i, s64):
        slot = np.int64(s32[slot, L.S_CHAIN])
    return slot


@njit(cache=True)
def unlink(slot: Int, s: State) -> None:
    """Take a slot out of its bucket."""
    key = np.empty((1, L.KEY_WORDS), np.int64)
    for k in range(L.KEY_WORDS):
        key[0, k] = s.s64[slot, L.S_KEYS[k]]
    place = bucket(key, 0, (key[0, L.KEY_WORDS - 1] >> 48) & 63, s.first.shape[0])
    if s.first[place] == slot:
        s.first[place] = s.s32[slot, L.S_CHAIN]
        return
    before = np.int64(s.first[place])
    while s.s32[before, L.S_CHAIN] != slot:
        before = np.int64(s.s32[before, L.S_CHAIN])
    s.s32[before, L.S_CHAIN] = s.s32[slot, L.S_CHAIN]


@njit(cache=True, inline="always")
def word_of(a: Int) -> Int:
    """Return where an antenna's int64 stands, counted from that of the first."""
    return (a >> 2) * L.S_BLOCK + (a & 3)


@njit(cache=True, inline="always")
def short_of(a: Int) -> Int:
    """Return where an antenna's int16 stands, counted from that of the first."""
    return (a >> 2) * 4 * L.S_BLOCK + (a & 3)


@njit(cache=True)
def wrap(value: Int, modulus: Int) -> Int:
    """Return `value` modulo `modulus`, nearest to zero."""
    return (value + modulus // 2) % modulus - modulus // 2


@njit(cache=True, inline="always")
def weigh(slot: Int, a: Int, t: Int, phase: Int, channel: Int, s64: I64) -> Int:
    """Compare a phase with that before it on the channel, or with the one before the channel last went away.

    Returns:
        Twice the change modulo half a turn, plus one if the channel stayed meanwhile; -1 where nothing compares,
        TOO_SOON where it was measured just before.
    """
    now = (t >> L.P_TIME_SHIFT) & L.P_TIME_MASK
    key = L.P_KNOWN | (channel << 15) | (a << 12)
    fresh = (now << 32) | key | phase
    ref = s64[slot, L.S_REF + word_of(a)]
    if (ref ^ key) & 0xFFFFF000 == 0:
        since = ((now - (ref >> 32)) & L.P_TIME_MASK) << L.P_TIME_SHIFT
        if since < L.PAIR_MIN_US:
            return L.TOO_SOON
        s64[slot, L.S_REF + word_of(a)] = fresh
        change = abs(((phase - (ref & 4095) + 1024) & 2047) - 1024)
        return 2 * change + int(since <= L.PAIR_MAX_US) if since <= L.RECALL_US else -1
    s64[slot, L.S_REF + word_of(a)] = fresh
    k = L.S_CELL + ((4 * channel + a) & (L.CELLS - 1))
    cell = s64[slot, k]
    since = ((now - (cell >> 32)) & L.P_TIME_MASK) << L.P_TIME_SHIFT
    mine = (cell ^ key) & 0xFFFFF000 == 0
    if cell != 0 and not mine and since <= L.RECALL_US:
        return -1
    s64[slot, k] = fresh
    if mine and L.PAIR_MIN_US <= since <= L.RECALL_US:
        return 2 * int(abs(((phase - (cell & 4095) + 1024) & 2047) - 1024))
    return -1


@njit(cache=True, inline="always")
def strength(change: Int) -> Int:
    """Return the log-likelihood of motion against rest that a change of phase gives, hundredths."""
    weight: Int = change * change * L.STIR_SCALE // L.STIR_SHIFT - L.STIR_REST
    return min(L.STIR_MOST, weight)


@njit(cache=True, inline="always")
def follow_level(slot: Int, a: Int, rssi: Int, cdb: Int, s16: I16) -> bool:
    """Follow a tag's level at an antenna; say whether this read is far from it."""
    at = short_of(a)
    known = np.int64(s16[slot, L.S_LEVEL + at])
    if known == L.NO_RSSI:
        s16[slot, L.S_LEVEL + at] = rssi
        s16[slot, L.S_SPREAD + at] = L.FIRST_SPREAD_CDB
        base = np.int64(s16[slot, L.S_BASE])
        return bool(base != L.NO_RSSI and rssi - base >= cdb)
    spread = np.int64(s16[slot, L.S_SPREAD + at])
    apart = abs(rssi - known)
    s16[slot, L.S_LEVEL + at] = known + ((rssi - known) >> 3)
    s16[slot, L.S_SPREAD + at] = spread + ((apart - spread) >> 4)
    return bool(apart >= max(cdb, L.WAKE_SPREADS * spread))


@njit(cache=True, inline="always")
def pack_what(rssi: Int, antenna: Int, phase: Int) -> Int:
    """Return RSSI, antenna and phase in 32 bits."""
    return rssi * 65536 + (antenna << 13) + phase + 1


@njit(cache=True, inline="always")
def pack_where(channel: Int, count: Int) -> Int:
    """Return channel and count in 32 bits."""
    return (channel - 32768) * 65536 + count


@njit(cache=True, inline="always")
def remember(slot: Int, t: Int, heard: Int, what: Int, where: Int, s32: I32, s16: I16) -> None:
    """Keep a read of a tag at rest, in case it is the beginning of a visit; of many in a short time the newest.

    `heard` is when the tag was heard before: the newest that is kept, if any is.
    """
    at, filled = np.int64(s16[slot, L.S_RING_AT]), np.int64(s16[slot, L.S_RINGED])
    if filled > 1 and (t - s32[slot, L.S_BEFORE_US]) & 0xFFFFFFFF < L.RING_EVERY_US:
        at = (at - 1) % L.RING
        filled -= 1
    else:
        s32[slot, L.S_BEFORE_US] = low(heard)
    row = L.S_RING + 3 * at
    s32[slot, row] = low(t)
    s32[slot, row + 1] = what
    s32[slot, row + 2] = where
    s16[slot, L.S_RING_AT] = (at + 1) % L.RING
    s16[slot, L.S_RINGED] = filled + 1 if filled < L.RING else filled


@njit(cache=True, inline="always")
def low(t: Int) -> Int:
    """Return the low 32 bits of a time, as an int32 holds them."""
    return ((t + 0x80000000) & 0xFFFFFFFF) - 0x80000000


@njit(cache=True)
def forget(slot: Int, t: Int, s: State) -> None:
    """Make a slot's tag a stranger, first heard now."""
    key = np.empty(L.KEY_WORDS, np.int64)
    for k in range(L.KEY_WORDS):
        key[k] = s.s64[slot, L.S_KEYS[k]]
    chain = s.s32[slot, L.S_CHAIN]
    for k in range(L.SLOT_BYTES // 8):
        s.s64[slot, k] = 0
    for k in range(L.KEY_WORDS):
        s.s64[slot, L.S_KEYS[k]] = key[k]
    s.s32[slot, L.S_CHAIN] = chain
    s.s32[slot, L.S_VISIT] = L.NO_VISIT
    s.s32[slot, L.S_SINCE_S] = t // L.SECOND_US & L.SECONDS
    s.s16[slot, L.S_BASE] = L.NO_RSSI
    for a in range(s.ant.shape[1]):
        s.s16[slot, L.S_LEVEL + short_of(a)] = L.NO_RSSI


@njit(cache=True)
def window_moves(v: Int, head: I64, ant: I64, steps: Int, cdb: Int) -> bool:
    """Say whether the running motion window shows motion: by phase where there is some, else by RSSI."""
    if head[v, L.WIN_PAIRS] >= L.MIN_PAIRS:
        return bool(head[v, L.WIN_SUM] >= steps * head[v, L.WIN_PAIRS])
    for a in range(ant.shape[1]):
        if ant[v, a, L.A_REPORTS] > 0 and ant[v, a, L.A_WMAX] - ant[v, a, L.A_WMIN] >= cdb:
            return True
    return False


@njit(cache=True)
def stirs(v: Int, sure: Int, swing: Int, head: I64) -> bool:
    """Say whether phases speak for motion, or at least not against it where a side's level changes."""
    if head[v, L.STIR_TOP] >= sure:
        return True
    change = max(head[v, L.HIGH0] - head[v, L.LOW0], head[v, L.HIGH1] - head[v, L.LOW1])
    return bool(head[v, L.STIR] > L.STIR_STILL and change >= swing)


@njit(cache=True)
def arrived(v: Int, cdb: Int, head: I64) -> bool:
    """Say whether a tag never seen at rest, though there was time to, changed its level by so much: it came."""
    change = max(head[v, L.HIGH0] - head[v, L.LOW0], head[v, L.HIGH1] - head[v, L.LOW1])
    return bool(head[v, L.BASE_CDBM] == L.NO_BASE and head[v, L.EARLIEST] == 0 and change >= cdb)


@njit(cache=True)
def tells(v: Int, why: Int, head: I64, knobs: I64) -> bool:
    """Say whether an ending visit is worth a decision: it moved, or may have."""
    portal = head[v, L.PORTAL]
    if head[v, L.REPORTS] < knobs[portal, L.K_MIN_REPORTS]:
        return False
    if knobs[portal, L.K_SINGLE]:
        return bool(head[v, L.MOVED] > 0 and head[v, L.REPORTS] >= L.MIN_PAIRS)
    if head[v, L.STIR] <= L.STIR_CALM and head[v, L.STIR_TOP] < L.STIR_SIGN:
        # Its phases say that it lay still, and what moved was its surroundings; unless it came and then stood.
        return arrived(v, L.WIDE_SWING_CDB, head)
    if head[v, L.MOVED] > 0:
        return True
    if why == L.SETTLED:
        return arrived(v, L.ARRIVAL_CDB, head)
    return bool(head[v, L.BASE_CDBM] == L.NO_BASE or stirs(v, L.STIR_SIGN, L.SWING_CDB, head))


@njit(cache=True)
def wants_candidate(v: Int, t: Int, head: I64) -> bool:
    """Say whether to try an early decision: something moved, or may; oftener once the lead has changed."""
    if head[v, L.REPORTS] < L.MIN_PAIRS or head[v, L.CANDIDATES] >= L.MAX_CANDIDATES:
        return False
    apart = L.CANDIDATE_EVERY_US if head[v, L.FLIPS] else L.CANDIDATE_CALM_US
    if t - head[v, L.CANDIDATE_US] < max(apart, (t - head[v, L.START_US]) >> L.CANDIDATE_SHIFT):
        return False
    if head[v, L.BASE_CDBM] == L.NO_BASE and head[v, L.STIR] > L.STIR_STILL:
        return True
    return stirs(v, L.STIR_SURE, L.WIDE_SWING_CDB, head)


@njit(cache=True)
def silence(v: Int, head: I64, knobs: I64) -> Int:
    """Return the silence that ends this visit: longer for a tag that is read rarely, as where the air is full.

    For `single` it is shorter, in units of the tag's own read interval.
    """
    portal = head[v, L.PORTAL]
    gap = knobs[portal, L.K_GAP_US]
    if head[v, L.REPORTS] < L.MIN_PAIRS:
        return int(gap)
    if knobs[portal, L.K_SINGLE]:
        return int(min(gap, max(L.MIN_PASS_US, knobs[portal, L.K_INTERVALS] * head[v, L.INTERVAL_US])))
    mean = (head[v, L.LAST_US] - head[v, L.BIN0_US]) // (head[v, L.REPORTS] - 1)
    return int(min(L.MOST_GAPS * gap, max(gap, L.SILENT_INTERVALS * mean)))


@njit(cache=True)
def settled(v: Int, t: Int, head: I64, knobs: I64) -> bool:
    """Say whether the tag has lain still for long enough, longer if it may be standing in the doorway."""
    portal = head[v, L.PORTAL]
    doorway = head[v, L.LOUD] != 0 and head[v, L.MOVED] > 0
    # Whoever walks slowly is about as loud for long, but phases don't call him still; without phases nobody knows.
    stays = doorway and head[v, L.STIR_TOP] >= L.STIR_SIGN and head[v, L.STIR] <= L.STIR_STILL
    mute = doorway and head[v, L.STIR_TOP] == 0 and head[v, L.STIR] == 0
    if (stays or mute) and knobs[portal, L.K_SINGLE] == 0 and t - head[v, L.LOUD] >= knobs[portal, L.K_PARK_US]:
        return True
    needed = knobs[portal, L.K_PARK_US] if doorway else knobs[portal, L.K_SETTLE_US]
    calm = head[v, L.MOVED] == 0 and head[v, L.STIR] <= L.STIR_STILL and not arrived(v, L.ARRIVAL_CDB, head)
    if calm and knobs[portal, L.K_SINGLE] == 0:
        needed = min(needed, L.WINDOW_US)
    if head[v, L.STIR] > L.STIR_CALM:
        needed *= L.SURE_FACTOR
    return bool(t - head[v, L.STILL_US] >= needed or t - head[v, L.START_US] >= L.VISIT_MAX_US)


@njit(cache=True)
def emit(v: Int, why: Int, at: Int, s: State) -> None:
    """Copy a visit as it is now into the next output record."""
    k = s.meta[L.M_OUT]
    slot = s.head[v, L.SLOT]
    s.out[k, 0] = why
    s.out[k, 1] = at
    for c in range(L.HEAD):
        s.out_head[k, c] = s.head[v, c]
    s.out_head[k, L.SLOT] = 0
    for a in range(s.ant.shape[1]):
        for c in range(L.ANT):
            s.out_ant[k, a, c] = s.ant[v, a, c]
    for row in range(s.head[v, L.LOGGED]):
        part, place = row // L.LOG_PART, row % L.LOG_PART
        what, where = s.log[part, v, place, 1], s.log[part, v, place, 2]
        low = what & 0xFFFF
        s.out_log[k, row, L.G_US] = s.log[part, v, place, 0]
        s.out_log[k, row, L.G_ANTENNA] = low >> 13
        s.out_log[k, row, L.G_SIDE] = s.knobs[s.head[v, L.PORTAL], L.K_SIDES] >> (low >> 13) & 1
        s.out_log[k, row, L.G_RSSI] = what >> 16
        s.out_log[k, row, L.G_PHASE] = (low & 8191) - 1
        s.out_log[k, row, L.G_CHANNEL] = (where >> 16) + 32768
        s.out_log[k, row, L.G_COUNT] = where & 0xFFFF
    for word in range(L.KEY_WORDS):
        s.out_keys[k, word] = s.s64[slot, L.S_KEYS[word]]
    s.meta[L.M_OUT] = k + 1


@njit(cache=True)
def rest(v: Int, s: State) -> None:
    """Learn the level of a tag that lay still."""
    head = s.head
    level = max(head[v, L.SMOOTH0] if head[v, L.COUNT0] else L.NO_LEVEL,
                head[v, L.SMOOTH1] if head[v, L.COUNT1] else L.NO_LEVEL)  # fmt: skip
    base = np.int64(s.s16[head[v, L.SLOT], L.S_BASE])
    s.s16[head[v, L.SLOT], L.S_BASE] = level if base == L.NO_RSSI else base + ((level - base) >> 2)


@njit(cache=True)
def end(v: Int, why: Int, at: Int, s: State) -> None:
    """End a visit: one record if it tells something; its tag goes to rest if it settled, or never stirred."""
    portal, slot = s.head[v, L.PORTAL], s.head[v, L.SLOT]
    single = s.knobs[portal, L.K_SINGLE] != 0
    if window_moves(v, s.head, s.ant, s.knobs[portal, L.K_MOTION_STEPS], s.knobs[portal, L.K_MOTION_CDB]):
        s.head[v, L.MOVED] += 1
    if single and s.head[v, L.RANGE_CDB] >= s.knobs[portal, L.K_RISE]:
        s.head[v, L.MOVED] += 1
    told = tells(v, why, s.head, s.knobs)
    if told:
        emit(v, why, at, s)
    else:
        s.meta[L.M_QUIET] += 1
    if s.head[v, L.MOVED] == 0 or why == L.SETTLED:
        rest(v, s)
    calm = s.s32[slot, L.S_STIR] <= L.STIR_STILL or s.s16[slot, L.S_CALM] >= L.ENOUGH_CALM
    still = why == L.SETTLED or (calm and not told)
    s.s32[slot, L.S_VISIT] = L.RESTING if still and not single and why != L.FLUSHED else L.NO_VISIT
    if still:
        s.s32[slot, L.S_STIR] = min(s.s32[slot, L.S_STIR], L.STIR_STILL)
    s.clocks[v, L.T_DUE_US] = L.NEVER_US
    s.clocks[v, L.T_KEEP_US] = s.meta[L.M_FREE]
    s.meta[L.M_FREE] = v


@njit(cache=True)
def room(t: Int, s: State) -> Int:
    """Return a free visit; when all are in use the quietest is ended: silent longest, of few reads sooner."""
    if s.meta[L.M_FREE] < 0 and s.meta[L.M_VISITS] < s.head.shape[0]:
        s.meta[L.M_VISITS] += 1
        return int(s.meta[L.M_VISITS] - 1)
    if s.meta[L.M_FREE] < 0:
        quiet: Int = np.int64(0)
        for v in range(1, s.head.shape[0]):
            apart = s.clocks[v, L.T_KEEP_US] - s.clocks[quiet, L.T_KEEP_US]
            if apart < 0 or (apart == 0 and s.head[v, L.SLOT] < s.head[quiet, L.SLOT]):
                quiet = v
        s.meta[L.M_EVICTED] += 1
        end(quiet, np.int64(L.EVICTED), t, s)
    v = s.meta[L.M_FREE]
    s.meta[L.M_FREE] = s.clocks[v, L.T_KEEP_US]
    return int(v)


@njit(cache=True)
def start(slot: Int, v: Int, t: Int, t0: Int, s: State) -> Int:
    """Open a free visit and return it."""
    head = s.head
    for c in range(L.HEAD):
        head[v, c] = 0
    head[v, L.SLOT] = slot
    base = np.int64(s.s16[slot, L.S_BASE])
    head[v, L.BASE_CDBM] = L.NO_BASE if base == L.NO_RSSI else base
    mark = s.s64[slot, L.S_MARK] >> 48
    head[v, L.PORTAL] = mark >> 6 & (L.MAX_PORTALS - 1)
    head[v, L.EPC_BYTES] = mark & 63
    head[v, L.START_US] = t0
    if s.meta[L.M_BEGAN_US] == 0:
        s.meta[L.M_BEGAN_US] = max(t, 1)
    head[v, L.EARLIEST] = t - s.meta[L.M_BEGAN_US] < L.BOOT_US
    for c in (L.LAST_US, L.BIN0_US, L.STILL_US, L.WIN_US, L.CANDIDATE_US):
        head[v, c] = t
    for c in (L.PEAK_CDBM, L.TOP_CDBM, L.WIN_PEAK):
        head[v, c] = L.NO_LEVEL
    head[v, L.KNOWN_S] = (t // L.SECOND_US - s.s32[slot, L.S_SINCE_S]) & L.SECONDS
    for a in range(s.ant.shape[1]):
        for c in range(L.ANT):
            s.ant[v, a, c] = 0
        s.ant[v, a, L.A_PEAK_CDBM] = L.NO_LEVEL
        s.ant[v, a, L.A_CHANNEL] = -1
    s.s32[slot, L.S_VISIT] = v
    return v


@njit(cache=True)
def wake(slot: Int, t: Int, t0: Int, s: State) -> Int:
    """Open a visit that begins with the reads that a tag at rest remembered, as far as they are young enough."""
    filled, at = np.int64(s.s16[slot, L.S_RINGED]), np.int64(s.s16[slot, L.S_RING_AT])
    young: Int = filled
    for k in range(filled):
        row = L.S_RING + 3 * ((at - filled + k) % L.RING)
        if (t - s.s32[slot, row]) & 0xFFFFFFFF > L.RING_US:
            young = filled - 1 - k
    s.s16[slot, L.S_RINGED] = 0
    if young == 0:
        return start(slot, room(t, s), t, t0, s)
    row = L.S_RING + 3 * ((at - young) % L.RING)
    then = t - ((t - s.s32[slot, row]) & 0xFFFFFFFF)
    v = start(slot, room(t, s), then, then, s)
    for k in range(young):
        row = L.S_RING + 3 * ((at - young + k) % L.RING)
        then = t - ((t - s.s32[slot, row]) & 0xFFFFFFFF)
        what, where = np.int64(s.s32[slot, row + 1]), np.int64(s.s32[slot, row + 2])
        note(v, then, what, where, relive(slot, at - young, k, s.s32), s)
    return v


@njit(cache=True)
def relive(slot: Int, first: Int, k: Int, s32: I32) -> Int:
    """Compare a remembered read's phase with an earlier one on its channel; returns as `weigh`."""
    row = L.S_RING + 3 * ((first + k) % L.RING)
    what, channel = np.int64(s32[slot, row + 1]), np.int64(s32[slot, row + 2]) >> 16
    if what & 8191 == 0:
        return -1
    for j in range(k - 1, -1, -1):
        other = L.S_RING + 3 * ((first + j) % L.RING)
        before = np.int64(s32[slot, other + 1])
        if (before ^ what) & 0xE000 or before & 8191 == 0 or np.int64(s32[slot, other + 2]) >> 16 != channel:
            continue
        since = (np.int64(s32[slot, row]) - s32[slot, other]) & 0xFFFFFFFF
        if since >= L.PAIR_MIN_US:
            turned = wrap((what & 8191) - (before & 8191), L.HALF_TURN)
            return 2 * max(turned, -turned) + int(since <= L.PAIR_MAX_US)
    return -1


@njit(cache=True)
def note_pair(v: Int, told: Int, head: I64) -> None:
    """Weigh a change of phase: for the visit, and for the motion window if the channel stayed meanwhile."""
    change = told >> 1
    head[v, L.STIR] = min(L.STIR_UTMOST, max(L.STIR_LEAST, head[v, L.STIR] + strength(change)))
    head[v, L.STIR_TOP] = max(head[v, L.STIR_TOP], head[v, L.STIR])
    if told & 1:
        head[v, L.WIN_SUM] += change
        head[v, L.WIN_PAIRS] += 1


@njit(cache=True)
def note_antenna(v: Int, a: Int, t: Int, level: Int, rssi: Int, phase: Int, channel: Int, count: Int,
                 head: I64, ant: I64) -> None:  # fmt: skip
    """Update one antenna's envelope and phase."""
    ant[v, a, L.A_READS] += count
    ant[v, a, L.A_REPORTS] += 1
    if rssi != L.NO_RSSI and rssi > ant[v, a, L.A_PEAK_CDBM]:
        ant[v, a, L.A_PEAK_CDBM] = rssi
        ant[v, a, L.A_PEAK_US] = t
    if ant[v, a, L.A_REPORTS] == 1:
        for column in (L.A_SMOOTH, L.A_WMIN, L.A_WMAX):
            ant[v, a, column] = level
    else:
        smooth = ant[v, a, L.A_SMOOTH] + ((level - ant[v, a, L.A_SMOOTH]) >> 2)
        ant[v, a, L.A_SMOOTH] = smooth
        ant[v, a, L.A_WMIN] = min(ant[v, a, L.A_WMIN], smooth)
        ant[v, a, L.A_WMAX] = max(ant[v, a, L.A_WMAX], smooth)
    same = channel == ant[v, a, L.A_CHANNEL]
    if same:
        ant[v, a, L.A_STEADY] += (level - ant[v, a, L.A_STEADY]) >> 2
        ant[v, a, L.A_LOW] = min(ant[v, a, L.A_LOW], ant[v, a, L.A_STEADY])
        ant[v, a, L.A_HIGH] = max(ant[v, a, L.A_HIGH], ant[v, a, L.A_STEADY])
        head[v, L.RANGE_CDB] = max(head[v, L.RANGE_CDB], ant[v, a, L.A_HIGH] - ant[v, a, L.A_LOW])
    else:
        for column in (L.A_STEADY, L.A_LOW, L.A_HIGH):
            ant[v, a, column] = level
    ant[v, a, L.A_CHANNEL] = channel
    if phase < 0:
        return
    apart = t - ant[v, a, L.A_PHASE_US]
    if same and 0 < apart <= L.SLOPE_MAX_US:
        ant[v, a, L.A_TURN] += wrap(phase - ant[v, a, L.A_PHASE], L.TURN)
        ant[v, a, L.A_TURN_US] += apart
    ant[v, a, L.A_PHASE] = phase
    ant[v, a, L.A_PHASE_US] = t


@njit(cache=True)
def note_side(v: Int, side: Int, t: Int, level: Int, head: I64) -> None:
    """Update one side's envelope."""
    known = head[v, L.COUNT0 + side]
    smooth = head[v, L.SMOOTH0 + side]
    smooth = level if known == 0 else smooth + ((level - smooth) >> 2)
    head[v, L.SMOOTH0 + side] = smooth
    head[v, L.HEARD0_US + side] = t
    head[v, L.COUNT0 + side] = known + 1
    head[v, L.LOW0 + side] = min(head[v, L.LOW0 + side], smooth) if known else smooth
    head[v, L.HIGH0 + side] = max(head[v, L.HIGH0 + side], smooth) if known else smooth
    head[v, L.PEAK_CDBM] = max(head[v, L.PEAK_CDBM], smooth)
    head[v, L.WIN_PEAK] = max(head[v, L.WIN_PEAK], smooth)


@njit(cache=True)
def note_read(v: Int, t: Int, what: Int, where: Int, head: I64, log: I32) -> None:
    """Append a read to the visit's log; a full one is thinned first, pair by pair, in its older half."""
    row = head[v, L.LOGGED]
    if row == L.LOG_ROWS:
        row = 0
        for old in range(L.LOG_ROWS):
            if old >= L.LOG_ROWS // 2 or old % 4 < 2:  # noqa: PLR2004 (two of every four)
                for c in range(L.PACKED):
                    log[row // L.LOG_PART, v, row % L.LOG_PART, c] = log[old // L.LOG_PART, v, old % L.LOG_PART, c]
                row += 1
    part, place = row // L.LOG_PART, row % L.LOG_PART
    log[part, v, place, 0] = min(t - head[v, L.BIN0_US], L.MOST_US)
    log[part, v, place, 1] = what
    log[part, v, place, 2] = where
    head[v, L.LOGGED] = row + 1


@njit(cache=True)
def note(v: Int, t: Int, what: Int, where: Int, told: Int, s: State) -> None:
    """Add a read (packed as in the log) and its change of phase (as `weigh` gives it) to a visit."""
    head = s.head
    low = what & 0xFFFF
    a, rssi, phase = low >> 13, what >> 16, (low & 8191) - 1
    channel, count = (where >> 16) + 32768, where & 0xFFFF
    if head[v, L.REPORTS] > 0:
        apart = t - head[v, L.LAST_US]
        interval = head[v, L.INTERVAL_US]
        if head[v, L.REPORTS] == 1:
            head[v, L.INTERVAL_US] = apart
        else:
            head[v, L.INTERVAL_US] = interval + ((min(apart, 4 * interval + 1000) - interval) >> 2)
    head[v, L.LAST_US] = t
    head[v, L.REPORTS] += 1
    head[v, L.READS] += count
    level = L.ABSENT_CDBM if rssi == L.NO_RSSI else rssi
    note_antenna(v, a, t, level, rssi, phase, channel, count, head, s.ant)
    if told >= 0:
        note_pair(v, told, head)
    side = s.knobs[head[v, L.PORTAL], L.K_SIDES] >> a & 1
    note_side(v, side, t, level, head)
    note_read(v, t, what, where, head, s.log)
    if s.knobs[head[v, L.PORTAL], L.K_SINGLE]:
        note_pass(v, level, head)
    else:
        note_lead(v, t, head)


@njit(cache=True)
def heard(v: Int, side: Int, t: Int, head: I64) -> Int:
    """Return a side's level now: what was heard last, less what its silence says."""
    if head[v, L.COUNT0 + side] == 0:
        return L.NO_LEVEL
    silent = max(0, t - head[v, L.HEARD0_US + side] - L.STALE_US)
    return int(head[v, L.SMOOTH0 + side] - silent * L.STALE_CDB_PER_MS // 1000)


@njit(cache=True)
def note_lead(v: Int, t: Int, head: I64) -> None:
    """Follow which side leads, and count how often the lead changes."""
    ahead = heard(v, 0, t, head) - heard(v, 1, t, head)
    lead = head[v, L.LEAD]
    now = 1 if ahead >= L.LEAD_CDB else 2 if ahead <= -L.LEAD_CDB else lead
    if now != lead:
        head[v, L.LEAD] = now
        if lead:
            head[v, L.FLIPS] += 1


@njit(cache=True)
def note_pass(v: Int, level: Int, head: I64) -> None:
    """Layout `single`: follow the highest smoothed RSSI and the lowest since."""
    slow = level if head[v, L.REPORTS] == 1 else head[v, L.SLOW_CDBM] + ((level - head[v, L.SLOW_CDBM]) >> 2)
    head[v, L.SLOW_CDBM] = slow
    if slow >= head[v, L.TOP_CDBM]:
        head[v, L.TOP_CDBM] = slow
        head[v, L.VALLEY_CDBM] = slow
    elif slow < head[v, L.VALLEY_CDBM]:
        head[v, L.VALLEY_CDBM] = slow


@njit(cache=True)
def roll_window(v: Int, t: Int, s: State) -> None:
    """Close a motion window that is full."""
    head, portal = s.head, s.head[v, L.PORTAL]
    if window_moves(v, head, s.ant, s.knobs[portal, L.K_MOTION_STEPS], s.knobs[portal, L.K_MOTION_CDB]):
        head[v, L.MOVED] += 1
        head[v, L.STILL_US] = t
    if head[v, L.WIN_PEAK] < head[v, L.PEAK_CDBM] - L.AT_PLANE_CDB:
        head[v, L.LOUD] = 0
    elif head[v, L.LOUD] == 0:
        head[v, L.LOUD] = head[v, L.WIN_US]
    head[v, L.WIN_PEAK] = L.NO_LEVEL
    head[v, L.WIN_US] = t
    head[v, L.WIN_SUM] = 0
    head[v, L.WIN_PAIRS] = 0
    for a in range(s.ant.shape[1]):
        s.ant[v, a, L.A_WMIN] = s.ant[v, a, L.A_SMOOTH]
        s.ant[v, a, L.A_WMAX] = s.ant[v, a, L.A_SMOOTH]


@njit(cache=True)
def judge(v: Int, t: Int, s: State) -> None:
    """After a read: try an early decision, close a motion window, end a visit that settled; else say when it is due."""
    head, portal = s.head, s.head[v, L.PORTAL]
    if s.knobs[portal, L.K_SINGLE]:
        valley, deep = head[v, L.VALLEY_CDBM], s.knobs[portal, L.K_VALLEY]
        if head[v, L.TOP_CDBM] - valley >= deep and head[v, L.SLOW_CDBM] - valley >= deep:
            end(v, np.int64(L.VALLEY), t, s)
            return
    elif wants_candidate(v, t, head):
        head[v, L.CANDIDATES] += 1
        head[v, L.CANDIDATE_US] = t
        emit(v, np.int64(L.CANDIDATE), t, s)
    if t - head[v, L.WIN_US] >= L.WINDOW_US:
        roll_window(v, t, s)
    if settled(v, t, head, s.knobs):
        end(v, np.int64(L.SETTLED), t, s)
        return
    due = t + silence(v, head, s.knobs)
    s.clocks[v, L.T_DUE_US] = due
    s.clocks[v, L.T_KEEP_US] = t + (L.KEEP_US if head[v, L.REPORTS] >= L.KEPT_READS else 0)
    s.meta[L.M_DUE_US] = min(s.meta[L.M_DUE_US], due)


@njit(cache=True)
def take(keys: I64, i: Int, place: Int, t: Int, s: State) -> Int:
    """Return a slot for a new tag; when all are taken the quietest of a sample goes."""
    tags = s.s64.shape[0]
    if s.meta[L.M_USED] < tags:
        slot = s.meta[L.M_USED]
        s.meta[L.M_USED] += 1
    else:
        slot = s.meta[L.M_HAND]
        for k in range(min(L.SAMPLE, tags)):
            other = (s.meta[L.M_HAND] + k) % tags
            if s.s64[other, L.S_LAST_US] < s.s64[slot, L.S_LAST_US]:
                slot = other
        s.meta[L.M_HAND] = (s.meta[L.M_HAND] + L.SAMPLE) % tags
        s.meta[L.M_EVICTED] += 1
        if s.s32[slot, L.S_VISIT] >= 0:
            end(np.int64(s.s32[slot, L.S_VISIT]), np.int64(L.EVICTED), t, s)
        unlink(slot, s)
    forget(slot, t, s)
    s.s64[slot, L.S_LAST_US] = t
    for k in range(L.KEY_WORDS):
        s.s64[slot, L.S_KEYS[k]] = keys[i, k]
    s.s32[slot, L.S_CHAIN] = s.first[place]
    s.first[place] = slot
    return int(slot)


@njit(cache=True, inline="always")
def crowded(t: Int, meta: I64, head: I64) -> bool:
    """Say whether no visit is free and some are over, so that none has to be cut short for lack of room."""
    return bool(meta[L.M_FREE] < 0 and meta[L.M_VISITS] == head.shape[0] and t > meta[L.M_DUE_US])


@njit(cache=True)
def end_due(before: Int, flushed: Int, s: State) -> bool:
    """End all visits that are due before an instant; False when the output is full: drain it and call again."""
    soonest = L.NEVER_US
    for v in range(s.meta[L.M_VISITS]):
        due = s.clocks[v, L.T_DUE_US]
        if due == L.NEVER_US:
            continue
        if flushed or due < before:
            if s.meta[L.M_OUT] + 1 > s.out.shape[0]:
                return False
            end(v, np.int64(L.FLUSHED if flushed else L.LEFT), due, s)
        else:
            soonest = min(soonest, due)
    s.meta[L.M_DUE_US] = soonest
    return True


@njit(cache=True, inline="always")
def touch(begin: Int, cols: I64, keys: I64, s64: I64, s32: I32, s16: I16, first: I32, places: I64, hints: I64) -> None:
    """Ask for what the next reads will need, side by side: one after the other, each would wait for main memory.

    Args:
        places: becomes the reads' buckets.
        hints: room for their likely slots.
    """
    count = min(places.shape[0], cols.shape[0] - begin)
    buckets, slots = first.ctypes.data, s64.ctypes.data
    for j in range(count):
        places[j] = bucket(keys, begin + j, cols[begin + j, L.C_EPC_BYTES], first.shape[0])
        ask(buckets + 4 * places[j])
    for j in range(count):
        hints[j] = max(0, first[places[j]])
        reach(hints[j], cols[begin + j, L.C_ANTENNA], cols[begin + j, L.C_CHANNEL], slots)
    for j in range(count):
        slot = hints[j]
        if differs(slot, keys, begin + j, s64) and s32[slot, L.S_CHAIN] >= 0:
            hints[j] = s32[slot, L.S_CHAIN]
            reach(hints[j], cols[begin + j, L.C_ANTENNA], cols[begin + j, L.C_CHANNEL], slots)
    for j in range(count):
        slot = hints[j]
        ask(slots + slot * L.SLOT_BYTES + 4 * (L.S_RING + 3 * s16[slot, L.S_RING_AT]))


@njit(cache=True, inline="always")
def reach(slot: Int, a: Int, channel: Int, slots: Int) -> None:
    """Ask for a slot's first line, and for those of an antenna and of a cell."""
    here = slots + slot * L.SLOT_BYTES
    ask(here)
    ask(here + 8 * (L.S_REF + word_of(a)))
    ask(here + 8 * (L.S_CELL + ((4 * channel + a) & (L.CELLS - 1))))


@njit(cache=True)
def advance(
    begin: Int, cols: I64, keys: I64, s64: I64, s32: I32, s16: I16, first: I32, head: I64, ant: I64,
    log: I32, clocks: I64, meta: I64, knobs: I64,
    out: I64, out_head: I64, out_ant: I64, out_log: I32, out_keys: I64,
) -> Int:  # fmt: skip
    """Take reads in event order; return how many were taken (fewer when the output is full: drain it, call again).

    Args:
        begin: first row to take.
        cols: (n, COLS) int64, see `layout`.
        keys: (n, 8) int64: EPC bytes, portal and length, as in a slot.
        s64, …: see `State`.
    """
    s = State(s64, s32, s16, first, head, ant, log, clocks, meta, knobs,
              out, out_head, out_ant, out_log, out_keys)  # fmt: skip
    places, hints = np.zeros(L.AHEAD, np.int64), np.zeros(L.AHEAD, np.int64)
    for i in range(begin, cols.shape[0]):
        if (i - begin) % L.AHEAD == 0:
            touch(i, cols, keys, s64, s32, s16, first, places, hints)
        t = cols[i, L.C_US]
        if meta[L.M_OUT] + 5 > out.shape[0] or (crowded(t, meta, head) and not end_due(t, np.int64(0), s)):
            return i
        portal = cols[i, L.C_PORTAL]
        a, rssi, phase, channel = cols[i, L.C_ANTENNA], cols[i, L.C_RSSI], cols[i, L.C_PHASE], cols[i, L.C_CHANNEL]
        what = pack_what(rssi, a, phase)
        where = pack_where(channel, cols[i, L.C_COUNT])
        place = places[(i - begin) % L.AHEAD]
        slot = find(keys, i, place, s64, s32, first)
        if slot < 0:
            slot = take(keys, i, place, t, s)
        v: Int = np.int64(s32[slot, L.S_VISIT])
        if v >= 0 and t > clocks[v, L.T_DUE_US]:
            end(v, np.int64(L.LEFT), clocks[v, L.T_DUE_US], s)
            v = np.int64(s32[slot, L.S_VISIT])
        heard = s64[slot, L.S_LAST_US]
        apart = t - heard
        if v < 0 and (apart < 0 or apart > knobs[portal, L.K_FORGET_US]):
            forget(slot, t, s)
            s64[slot, L.S_LAST_US] = t
            v, apart = np.int64(L.NO_VISIT), np.int64(0)
        apart = min(max(apart, 0), L.LONGEST_INTERVAL_US)
        t = max(t, s64[slot, L.S_LAST_US])
        s64[slot, L.S_LAST_US] = t
        interval = np.int64(s32[slot, L.S_INTERVAL_US])
        s32[slot, L.S_INTERVAL_US] = apart if interval == 0 else interval + ((apart - interval) >> 3)
        told: Int = np.int64(-1)
        if phase >= 0:
            told = weigh(slot, a, t, phase, channel, s64)
            if told >= 0:
                stir = s32[slot, L.S_STIR] + strength(told >> 1)
                s32[slot, L.S_STIR] = min(L.STIR_UTMOST, max(L.STIR_LEAST, stir))
        # A tag read hundreds of times a second would else learn one channel's level and be far on the next.
        measured = told != L.TOO_SOON
        far = measured and rssi != L.NO_RSSI and follow_level(slot, a, rssi, knobs[portal, L.K_MOTION_CDB], s16)
        calm = strength(told >> 1) < 0 if told >= 0 else not far
        far = far and s16[slot, L.S_CALM] == 0  # one read that is far off may be a mistake, two in a row are none
        if measured:
            s16[slot, L.S_CALM] = min(L.ENOUGH_CALM, s16[slot, L.S_CALM] + 1) if calm else 0
        if v == L.RESTING:
            away = apart > max(knobs[portal, L.K_GAP_US], L.ABSENT_INTERVALS * interval)
            if s32[slot, L.S_STIR] <= L.WAKE and not away and (calm or not far):
                remember(slot, t, heard, what, where, s32, s16)
                continue
            v = wake(slot, t, min(t, cols[i, L.C_FIRST_US]), s)
        elif v == L.NO_VISIT:
            s16[slot, L.S_RINGED] = 0
            v = start(slot, room(t, s), t, min(t, cols[i, L.C_FIRST_US]), s)
        note(v, t, what, where, told, s)
        judge(v, t, s)
    return len(cols)


@njit(cache=True)
def sweep(
    before: Int, flushed: bool, s64: I64, s32: I32, s16: I16, first: I32, head: I64, ant: I64,
    log: I32, clocks: I64, meta: I64, knobs: I64,
    out: I64, out_head: I64, out_ant: I64, out_log: I32, out_keys: I64,
) -> bool:  # fmt: skip
    """End all visits that are due before an instant; False when the output is full: drain it and call again."""
    if not flushed and before <= meta[L.M_DUE_US]:
        return True
    s = State(s64, s32, s16, first, head, ant, log, clocks, meta, knobs,
              out, out_head, out_ant, out_log, out_keys)  # fmt: skip
    return end_due(before, np.int64(flushed), s)
