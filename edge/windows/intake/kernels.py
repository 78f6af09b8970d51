"""One pass over a batch: port to portal, clock, lateness, EPC to key. `intake.plain` is the definition."""

# ruff: noqa: PLR0917, FBT001, D417 (columns by place, as a compiled call wants them; those of a `TagBatch` speak)

import numpy as np
from numba import njit
from numpy.typing import NDArray

from edge.windows import layout as L  # noqa: N812 (as in the engine's kernels)

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
I16 = NDArray[np.int16]
Int = int | np.int64


@njit(cache=True, inline="always")
def mix(value: Int, word: Int, by: Int) -> Int:
    """Mix 32 bits into 32 bits; no product overflows, so that plain Python says the same."""
    mixed = ((value ^ (word & 0xFFFFFFFF)) * by) & 0x3FFFFFFFFFFFFFFF
    return (mixed ^ (mixed >> 31)) & 0xFFFFFFFF


@njit(cache=True, inline="always")
def mark(key: U8, length: Int, level: Int, where: Int, place: Int, seen: Int, opened: Int) -> Int:
    """Return 63 bits that a read is known by: two mixes of all that its report says, never 0."""
    one: Int = np.int64(length)
    other: Int = np.int64(place)
    for k in range(0, length, 4):
        word = np.int64(key[k]) | np.int64(key[k + 1]) << 8 | np.int64(key[k + 2]) << 16 | np.int64(key[k + 3]) << 24
        one, other = mix(one, word, L.M_ONE), mix(other, word, L.M_OTHER)
    for told in (level, where, place, seen, seen >> 32, seen - opened):
        one, other = mix(one, told, L.M_ONE), mix(other, told, L.M_OTHER)
    return (one | (other & 0x3FFFFFFF) << 32) | 1 << 62


@njit(cache=True, inline="always")
def knows(recent: I64, found: Int) -> bool:
    """Say whether a mark is remembered."""
    for half in range(2):
        at = found & (L.RECENT - 1)
        while recent[half, at] != 0:
            if recent[half, at] == found:
                return True
            at = (at + 1) & (L.RECENT - 1)
    return False


@njit(cache=True, inline="always")
def keep(recent: I64, found: Int, state: I64) -> None:
    """Remember a mark; once a half is full the other one is emptied for the next."""
    at = found & (L.RECENT - 1)
    while recent[state[L.I_TURN], at] != 0:
        at = (at + 1) & (L.RECENT - 1)
    recent[state[L.I_TURN], at] = found
    state[L.I_MARKS] += 1
    if state[L.I_MARKS] == L.REMEMBERED:
        state[L.I_TURN], state[L.I_MARKS] = 1 - state[L.I_TURN], 0
        recent[state[L.I_TURN]] = 0


@njit(cache=True)
def admit(
    begin: Int, epc: U8, epc_bits: U16, antenna: U16, rssi: I16, phase: I16, channel: U16, seen_count: U16,
    first_us: I64, last_us: I64, arrived_us: Int, clocked: bool, shift_us: Int, table: I64, grace_us: Int,
    step_back_us: Int, cols: I64, keys: U8, recent: I64, state: I64,
) -> Int:  # fmt: skip
    """Append reads to the rows held; return the first read that wasn't taken: no room, or a clock set back.

    Args:
        begin: first read to take.
        epc, …, last_us: columns of a `TagBatch`.
        arrived_us: stands in where the reader sent no time; -1 where nothing does.
        clocked: the reader's own times count.
        shift_us: what is added to them.
        table: (ports, 2) portal and antenna of each port, -1 where none is listed; the last row is for all beyond.
        grace_us, step_back_us: as in the settings.
        cols: (room, COLS) int64 rows.
        keys: (room, 64) uint8, as in a slot.
        recent: (2, RECENT) marks of the reads taken last: one that was sent before is counted and left out.
        state: (INTAKE,) int64.
    """
    held = state[L.I_HELD]
    last = state[L.I_LAST_US]
    newest = state[L.I_NEWEST_US]
    taken: Int = epc_bits.shape[0]
    for i in range(begin, epc_bits.shape[0]):
        if held == cols.shape[0]:
            taken = i
            break
        port = min(np.int64(antenna[i]), table.shape[0] - 1)
        portal = table[port, 0]
        if portal < 0:
            state[L.I_UNLISTED] += seen_count[i]
            continue
        seen = last_us[i] if clocked else np.int64(-1)
        opened = first_us[i] if clocked else np.int64(-1)
        if seen == -1:
            seen = opened
        if seen == -1:
            seen = arrived_us
        if seen < 0 or seen >= L.LATEST_US or epc_bits[i] == 0:
            state[L.I_UNUSABLE] += seen_count[i]
            continue
        length = (np.int64(epc_bits[i]) + 7) >> 3
        for k in range(epc.shape[1]):
            keys[held, k] = epc[i, k]
        tag = portal * 64 + length
        keys[held, L.KEY_BYTES - 2] = tag & 255
        keys[held, L.KEY_BYTES - 1] = tag >> 8
        found: Int = np.int64(0)
        if clocked and last_us[i] != -1:
            level = (np.int64(rssi[i]) & 0xFFFF) | (np.int64(phase[i]) & 0xFFFF) << 16
            where = np.int64(channel[i]) | np.int64(seen_count[i]) << 16
            found = mark(keys[held], length, level, where, 8 * portal + table[port, 1], seen, opened)
            if seen <= state[L.I_SEEN_US] and knows(recent, found):
                state[L.I_TWICE] += seen_count[i] or 1
                continue
        at = seen + shift_us
        newest = max(newest, at)
        if newest - at > step_back_us:
            state[L.I_BACK] = 1
            taken = i
            break
        if newest - at > grace_us:
            state[L.I_LATE] += 1
            continue
        if at < last:
            state[L.I_SORTED] = 0
        last = at
        if found != 0:
            keep(recent, found, state)
            state[L.I_SEEN_US] = max(state[L.I_SEEN_US], seen)
        cols[held, L.C_US] = at
        cols[held, L.C_FIRST_US] = opened + shift_us if 0 <= opened <= seen else at
        cols[held, L.C_PORTAL] = portal
        cols[held, L.C_ANTENNA] = table[port, 1]
        cols[held, L.C_EPC_BYTES] = length
        cols[held, L.C_RSSI] = rssi[i]
        cols[held, L.C_PHASE] = np.int64(phase[i]) & (L.TURN - 1) if phase[i] >= 0 else -1
        cols[held, L.C_CHANNEL] = channel[i]
        cols[held, L.C_COUNT] = seen_count[i] or 1
        held += 1
    state[L.I_HELD] = held
    state[L.I_LAST_US] = last
    state[L.I_NEWEST_US] = newest
    return taken
