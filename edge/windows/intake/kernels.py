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


@njit(cache=True)
def admit(
    begin: Int, epc: U8, epc_bits: U16, antenna: U16, rssi: I16, phase: I16, channel: U16, seen_count: U16,
    first_us: I64, last_us: I64, arrived_us: Int, clocked: bool, shift_us: Int, table: I64, grace_us: Int,
    step_back_us: Int, cols: I64, keys: U8, state: I64,
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
        length = (np.int64(epc_bits[i]) + 7) >> 3
        cols[held, L.C_US] = at
        cols[held, L.C_FIRST_US] = opened + shift_us if 0 <= opened <= seen else at
        cols[held, L.C_PORTAL] = portal
        cols[held, L.C_ANTENNA] = table[port, 1]
        cols[held, L.C_EPC_BYTES] = length
        cols[held, L.C_RSSI] = rssi[i]
        cols[held, L.C_PHASE] = np.int64(phase[i]) & (L.TURN - 1) if phase[i] >= 0 else -1
        cols[held, L.C_CHANNEL] = channel[i]
        cols[held, L.C_COUNT] = seen_count[i] or 1
        for k in range(epc.shape[1]):
            keys[held, k] = epc[i, k]
        tag = portal * 64 + length
        keys[held, L.KEY_BYTES - 2] = tag & 255
        keys[held, L.KEY_BYTES - 1] = tag >> 8
        held += 1
    state[L.I_HELD] = held
    state[L.I_LAST_US] = last
    state[L.I_NEWEST_US] = newest
    return taken
