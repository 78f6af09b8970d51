"""The plain twin of `intake.kernels`, read by read; it stands in where numba has no wheel."""

# ruff: noqa: PLR0917, FBT001 (as the kernel)

import numpy as np
from numpy.typing import NDArray

from edge.llrp.batch import NO_TIME_US
from edge.windows import layout as L  # noqa: N812 (as in the engine's kernels)


def admit(
    begin: int, epc: NDArray[np.uint8], epc_bits: NDArray[np.uint16], antenna: NDArray[np.uint16],
    rssi: NDArray[np.int16], phase: NDArray[np.int16], channel: NDArray[np.uint16], seen_count: NDArray[np.uint16],
    first_us: NDArray[np.int64], last_us: NDArray[np.int64], arrived_us: int, clocked: bool, shift_us: int,
    table: NDArray[np.int64], grace_us: int, step_back_us: int, cols: NDArray[np.int64], keys: NDArray[np.uint8],
    state: NDArray[np.int64],
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
        back = in_time(at + shift_us, grace_us, step_back_us, state)
        if back > step_back_us:
            state[L.I_BACK] = 1
            return i
        if back > grace_us:
            continue
        began = times[0] if 0 <= times[0] <= at else at
        length = (bits + 7) // 8
        row = (at + shift_us, began + shift_us, portal, place, length, level, masked(turn), hop, max(count, 1))
        held = int(state[L.I_HELD])
        cols[held] = row
        keys[held] = key(epc[i].tobytes()[:length], portal)
        state[L.I_HELD] = held + 1
    return len(epc_bits)


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
