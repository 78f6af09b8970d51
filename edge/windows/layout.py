"""Columns of the integer arrays that hold what is known of a (tag, portal) pair; kernel and twin fill the same ones."""

from typing import Final

# head[slot, …]
STATE: Final = 0  # FREE, IDLE or OPEN
PORTAL: Final = 1
START_US: Final = 2  # first seen of the visit's first read
LAST_US: Final = 3
READS: Final = 4  # tag seen counts
REPORTS: Final = 5
BIN0_US: Final = 6
BIN_US: Final = 7  # doubles when the visit outgrows its bins
STILL_US: Final = 8  # since when no window showed motion
WIN_US: Final = 9  # start of the running motion window
WIN_SUM: Final = 10  # phase change in it, steps
WIN_PAIRS: Final = 11
MOVED: Final = 12  # motion windows of this visit
LEAD: Final = 13  # side that leads: 1 inside, 2 outside, 0 none yet
FLIPS: Final = 14
CANDIDATES: Final = 15
CANDIDATE_US: Final = 16
RIVAL_CDBM: Final = 17  # best smoothed RSSI of the same tag at another portal meanwhile
PEAK_CDBM: Final = 18  # best smoothed RSSI here
INTERVAL_US: Final = 19  # smoothed interval between reads of this tag
BASE_CDBM: Final = 20  # smoothed RSSI while it lay still, NO_BASE before
SMOOTH0: Final = 21  # smoothed RSSI a side
SMOOTH1: Final = 22
HEARD0_US: Final = 23
HEARD1_US: Final = 24
COUNT0: Final = 25
COUNT1: Final = 26
VALLEY_CDBM: Final = 27  # `single`: lowest smoothed RSSI since the peak
TOP_CDBM: Final = 28  # `single`: highest smoothed RSSI of the pass
SLOW_CDBM: Final = 29  # `single`: RSSI smoothed over some reads
EPC_BYTES: Final = 30
HASH: Final = 31
ALL_SUM: Final = 32  # phase change over the whole visit
ALL_PAIRS: Final = 33
RANGE_CDB: Final = 34  # widest change of the RSSI on one channel
WIN_PEAK: Final = 35  # best smoothed RSSI in the motion window
LOUD: Final = 36  # whether the last full window was about as loud as the visit ever was
HEAD: Final = 37

FREE: Final = 0
IDLE: Final = 1
OPEN: Final = 2

# ant[slot, antenna, …]
A_READS: Final = 0
A_PEAK_CDBM: Final = 1
A_PEAK_US: Final = 2
A_SMOOTH: Final = 3
A_LOW: Final = 4  # extremes of the RSSI smoothed within the running stretch on one channel
A_HIGH: Final = 5
A_PHASE: Final = 6
A_CHANNEL: Final = 7
A_PHASE_US: Final = 8
A_TURN: Final = 9  # sum of phase steps between neighbouring reads
A_TURN_US: Final = 10
A_REF: Final = 11  # phase that motion is measured against
A_REF_US: Final = 12
A_WMIN: Final = 13  # smoothed RSSI's extremes in the motion window
A_WMAX: Final = 14
A_REPORTS: Final = 15
A_STEADY: Final = 16  # RSSI smoothed within that stretch
ANT: Final = 17

# bins[slot, side, bin, …]
BINS: Final = 64
B_SUM: Final = 0  # sum of RSSI, cdBm
B_COUNT: Final = 1

# knobs[portal, …]
K_GAP_US: Final = 0
K_SETTLE_US: Final = 1
K_PARK_US: Final = 2
K_SINGLE: Final = 3
K_INTERVALS: Final = 4
K_VALLEY: Final = 5
K_MOTION_STEPS: Final = 6
K_MOTION_CDB: Final = 7
K_FORGET_US: Final = 8
K_MIN_REPORTS: Final = 9
K_RISE: Final = 10
KNOBS: Final = 11

# meta[…]
M_USED: Final = 0
M_HAND: Final = 1
M_OUT: Final = 2
M_EVICTED: Final = 3
M_QUIET: Final = 4  # visits that ended without motion
META: Final = 5

# cols[read, …]
C_US: Final = 0
C_FIRST_US: Final = 1
C_PORTAL: Final = 2
C_SIDE: Final = 3
C_ANTENNA: Final = 4
C_EPC_BYTES: Final = 5
C_RSSI: Final = 6
C_PHASE: Final = 7
C_CHANNEL: Final = 8
C_COUNT: Final = 9
COLS: Final = 10

# why a record was emitted
LEFT: Final = 0
SETTLED: Final = 1
VALLEY: Final = 2
EVICTED: Final = 3
CANDIDATE: Final = 4
FLUSHED: Final = 5

NO_BASE: Final = -100_000
NO_LEVEL: Final = -100_000
ABSENT_CDBM: Final = -7000
"""Level that a read without RSSI counts as: weak, so that only its presence tells."""
FIRST_BIN_US: Final = 50_000
WINDOW_US: Final = 1_000_000
"""Motion is judged second by second: long enough for three phase pairs at 10 reads a second."""
PAIR_MIN_US: Final = 40_000
"""Phase pairs are this far apart at least: at 0.3 m/s a tag then turns 0.46 rad, three times the noise."""
PAIR_MAX_US: Final = 1_000_000
SLOPE_MAX_US: Final = 60_000
"""Beyond it a walker's phase may have turned more than half a turn between two reads."""
MIN_PAIRS: Final = 3
TURN: Final = 4096
HALF_TURN: Final = 2048
LEAD_CDB: Final = 300
"""A side leads when it is this much louder."""
STALE_US: Final = 100_000
STALE_CDB_PER_MS: Final = 3
"""A side not heard for longer loses 30 dB a second: silence is evidence too."""
CANDIDATE_EVERY_US: Final = 50_000
MAX_CANDIDATES: Final = 16
RIVAL_US: Final = 1_000_000
SAMPLE: Final = 64
"""Slots looked at for the quietest when the table is full."""
MIN_PASS_US: Final = 60_000
MAX_WEIGHT: Final = 255
"""Most reads that one report weighs in the bins, so that a counter can't drown an envelope or overflow it."""
AT_PLANE_CDB: Final = 1200
"""A still tag this near to the visit's peak level may stand in the doorway: it gets the time until `parked`."""
VISIT_MAX_US: Final = 600_000_000
"""A visit in motion is cut after ten minutes."""
NO_RSSI: Final = -32768
"""As in `edge.llrp.batch`: the reader sent no RSSI."""
NEVER_US: Final = (1 << 63) - 1
