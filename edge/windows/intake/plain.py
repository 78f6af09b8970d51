"""The plain twin of `intake.kernels`, read by read; it stands in where numba has no wheel."""

# ruff: noqa: PLR0917, FBT001 (as the kernel)

from functools import reduce

import numpy as np
from numpy.typing import NDArray

from edge.llrp.batch import NO_TIME_US
from edge.windows import layout as L  # noqa: N812 (as in the engine's kernels)


def admit(
    begin: int, epc: NDArray[np.uint8], epc_bits: NDArray[np.uint16], antenna: NDArray[np.uint16],
    rssi: NDArray[np.int16], phase: NDArray[np.int16], channel: NDArray[np.uint16], seen_count: NDArray[np.uint16],
    first_us: NDArray[np.int64], last_us: NDArray[np.int64], arrived_us: int, clocked: bool, shift_us: int,
    table: NDArray[np.int64], grace_us: int, step_back_us: int, cols: NDArray[np.int64], keys: NDArray[np.uint8],
    recent: NDArray[np.int64], state: NDArray[np.int64],
) -> int:  # fmt: skip
    """See `intake.kernels.admit`."""
    room = len(cols)
    columns = (epc_bits, antenna, rssi, phase, channel, seen_count, first_us, last_us)
    reads = zip(*(column[begin:].tolist() for column in columns), strict=True)
    for i, (bits, port, level, turn, hop, count, opened, seen) in enumerate(reads, begin):
        if state[L.I_HELD] == room:
            return i
        portal, place = table[min(port, len(table) - 1)].tolist()
        if portal < 0:
            state[L.I_UNLISTED] += count
            continue
        times = (opened, seen) if clocked else (NO_TIME_US, NO_TIME_US)
        at = next((time for time in (times[1], times[0], arrived_us) if time != NO_TIME_US), NO_TIME_US)
        if not 0 <= at < L.LATEST_US or not bits:
            state[L.I_UNUSABLE] += count
            continue
        length = (bits + 7) // 8
        name, found = key(epc[i].tobytes()[:length], portal), 0
        if times[1] != NO_TIME_US:
            told = (level & 0xFFFF | (turn & 0xFFFF) << 16, hop | count << 16, 8 * portal + place, at, at >> 32)
            found = mark(name.tobytes(), length, (*told, at - opened))
            if at <= state[L.I_SEEN_US] and any(knows(half, found) for half in recent):
                state[L.I_TWICE] += max(count, 1)
                continue
        back = in_time(at + shift_us, grace_us, step_back_us, state)
        if back > step_back_us:
            state[L.I_BACK] = 1
            return i
        if back > grace_us:
            continue
        if found:
            keep(recent, found, state)
            state[L.I_SEEN_US] = max(int(state[L.I_SEEN_US]), at)
        began = times[0] if 0 <= times[0] <= at else at
        row = (at + shift_us, began + shift_us, portal, place, length, level, masked(turn), hop, max(count, 1))
        held = int(state[L.I_HELD])
        cols[held] = row
        keys[held] = name
        state[L.I_HELD] = held + 1
    return len(epc_bits)


def mark(name: bytes, length: int, told: tuple[int, ...]) -> int:
    """Return what a read is known by: two mixes of its key, and of all else that its report says."""
    words = [int.from_bytes(name[k : k + 4], "little") for k in range(0, length, 4)]
    one = reduce(lambda value, word: mixed(value, word, L.M_ONE), (*words, *told), length)
    other = reduce(lambda value, word: mixed(value, word, L.M_OTHER), (*words, *told), told[2])
    return one | (other & 0x3FFFFFFF) << 32 | 1 << 62


def mixed(value: int, word: int, by: int) -> int:
    """Mix 32 bits into 32 bits."""
    product = ((value ^ (word & 0xFFFFFFFF)) * by) & 0x3FFFFFFFFFFFFFFF
    return (product ^ (product >> 31)) & 0xFFFFFFFF


def knows(half: NDArray[np.int64], found: int) -> bool:
    """Say whether a half remembers a mark."""
    return bool(half[free(half, found)] == found)


def keep(recent: NDArray[np.int64], found: int, state: NDArray[np.int64]) -> None:
    """Remember a mark; once a half is full the other one is emptied for the next."""
    half = recent[state[L.I_TURN]]
    half[free(half, found)] = found
    state[L.I_MARKS] += 1
    if state[L.I_MARKS] == L.REMEMBERED:
        state[L.I_TURN], state[L.I_MARKS] = 1 - state[L.I_TURN], 0
        recent[state[L.I_TURN]] = 0


def free(half: NDArray[np.int64], found: int) -> int:
    """Return where a mark stands, or would."""
    at = found & (L.RECENT - 1)
    while half[at] not in {0, found}:
        at = (at + 1) & (L.RECENT - 1)
    return at


def masked(phase: int) -> int:
    """Return a phase within one turn, -1 where there is none."""
    return phase & (L.TURN - 1) if phase >= 0 else -1


def in_time(at_us: int, grace_us: int, step_back_us: int, state: NDArray[np.int64]) -> int:
    """Return how far a read is behind the newest before it; follow that, the order, and count the late."""
    state[L.I_NEWEST_US] = max(int(state[L.I_NEWEST_US]), at_us)
    back = int(state[L.I_NEWEST_US]) - at_us
    if grace_us < back <= step_back_us:
        state[L.I_LATE] += 1
    elif back <= grace_us:
        state[L.I_SORTED] &= at_us >= state[L.I_LAST_US]
        state[L.I_LAST_US] = at_us
    return back


def key(epc: bytes, portal: int) -> NDArray[np.uint8]:
    """Return the key of a tag at a portal: its EPC, and 16 bits of portal and length."""
    return np.frombuffer(epc.ljust(L.KEY_BYTES - 2, b"\0") + (portal * 64 + len(epc)).to_bytes(2, "little"), np.uint8)
