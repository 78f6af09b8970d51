"""Columns and numbers that the kernels and the reader share, and what the kernels take as one."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]

# How long what is on the air takes, one row a port.
SELECT_US: Final = 0
QUERY_US: Final = 1
ADJUST_US: Final = 2
REP_US: Final = 3
ACK_US: Final = 4
T1_US: Final = 5
T2_US: Final = 6
T3_US: Final = 7
RN16_US: Final = 8
REPLY_US: Final = 9
"""PC, CRC and the preamble of a tag's EPC; its bits come on top."""
BYTE_NS: Final = 10
TIMINGS: Final = 11

# How a port is used, one row each.
ANTENNA: Final = 0
SESSION: Final = 1
SINGLE: Final = 2
"""Single target: A only."""
FOCUS: Final = 3
"""TagFocus: power refreshes the flag of S1."""
IDLE_US: Final = 4
IDLE_BUSY_US: Final = 5
USES: Final = 6

# The state of a reader between two calls.
NOW_US: Final = 0
TURN: Final = 1
ROUND: Final = 2
EPOCH: Final = 3
"""Counts how often the carrier came back: a flag of S0 holds in its own epoch only."""
HOP: Final = 4
ON_ANTENNA: Final = 5
OUT: Final = 6
FULL: Final = 7
LASTING: Final = 8
"""A bit for each session in which a flag was ever set."""
SINGLES: Final = 9
EMPTIES: Final = 10
COLLISIONS: Final = 11
CAPTURES: Final = 12
GARBLED: Final = 13
"""Answers that were lost to noise: RN16 or CRC."""
NUMBERS: Final = 14

# For what an antenna's gains hold: a channel (-1: none, somebody was about), a state of the leaves, and until when.
H_CHANNEL: Final = 0
H_LEAVES: Final = 1
H_UNTIL: Final = 2
H_COLUMNS: Final = 3

# One read.
R_AT: Final = 0
R_PORT: Final = 1
R_TAG: Final = 2
R_RSSI: Final = 3
R_PHASE: Final = 4
R_DOPPLER: Final = 5
R_CHANNEL: Final = 6
R_COLUMNS: Final = 7

LARGEST_Q: Final = 12


class Told(NamedTuple):
    """What a scene says of its holds that the link doesn't ask for, (h,) in their order.

    Attributes:
        tag: index into the scenario's tags.
        sensitivity_dbm: power that wakes the chip.
        modulation_db: what its backscatter loses.
        moves: whether somebody carries it.
        changes_us: (x,) when a tag is laid down or taken away, rising; the last is beyond all time.
    """

    tag: Ints
    sensitivity_dbm: Floats
    modulation_db: Floats
    moves: NDArray[np.bool_]
    changes_us: Ints


class Plan(NamedTuple):
    """What a client asked for, ready for the kernel: (p,) ports in the order of their turns.

    Attributes:
        seed: 32 bits.
        hops: (c,) channels in the order in which they are used.
        dwell_us, offset_us: a channel lasts so long, counted from that instant.
        turn_us: longest stay on an antenna.
        settle_us, switch_us: what a new channel and another antenna cost.
        first_q: (p,) exponent of the first round.
        port: (p,) LLRP ports.
        uses: (p, USES).
        timings: (p, TIMINGS) microseconds.
        power_dbm: (p,) at the reader's port, less what a damaged cable takes.
        loss_db: (p,) what a damaged cable takes once more on the way back.
        floor_dbm: (p,) where half of all answers are lost.
        dense: (p,) whether the mode keeps answers apart from other readers' commands.
        lasts_us: (4, n) persistence of each session's flag, a tag's own property.
        selected: (p, n) whether a tag answers under the filters.
        epc_bytes: (n,).
        khz: (c,) frequency of each channel.
        rival, rival_khz, rival_times, rival_dbm, running: as in `Rivals`.
    """

    seed: int
    hops: Ints
    dwell_us: int
    offset_us: int
    turn_us: int
    settle_us: int
    switch_us: int
    first_q: Floats
    port: Ints
    uses: Ints
    timings: Ints
    power_dbm: Floats
    loss_db: Floats
    floor_dbm: Floats
    dense: Bytes
    lasts_us: Ints
    selected: Bytes
    epc_bytes: Ints
    khz: Ints
    rival: Ints
    rival_khz: Ints
    rival_times: Ints
    rival_dbm: Floats
    running: Bytes


class Live(NamedTuple):
    """What changes from round to round.

    Attributes:
        numbers: (NUMBERS,) state and counters.
        flags: (4, n) by session: the epoch (S0) or the instant (others) in or up to which a tag is B.
        target: (a,) 0 for A, 1 for B.
        q: (a,) exponent that the last round on an antenna found; negative before the first.
        gain_db: (a, h) one-way gain of each hold as the round began, later for what moves.
        heard: (a, H_COLUMNS) for what these gains hold.
        powered: (h,) holds that have power, in this round.
        taking_part: (h,) holds that answer in this round; -1 once read or out of power.
        draws: (h,) 32 bits from which each of these draws its slots.
        head: (2 ** LARGEST_Q,) first of those that answer in a slot.
        after: (h,) next one in the same slot.
        out: (r, R_COLUMNS) reads not handed out yet.
    """

    numbers: Ints
    flags: Ints
    target: Ints
    q: Floats
    gain_db: Floats
    heard: Ints
    powered: NDArray[np.int32]
    taking_part: NDArray[np.int32]
    draws: Ints
    head: NDArray[np.int32]
    after: NDArray[np.int32]
    out: Ints
