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
STIR: Final = 32  # log-likelihood of motion against rest by phase pairs, hundredths, and its highest
STIR_TOP: Final = 33
RANGE_CDB: Final = 34  # widest change of the RSSI on one channel
WIN_PEAK: Final = 35  # best smoothed RSSI in the motion window
LOUD: Final = 36  # whether the last full window was about as loud as the visit ever was
LOW0: Final = 37  # extremes of the smoothed RSSI a side
LOW1: Final = 38
HIGH0: Final = 39
HIGH1: Final = 40
LOGGED: Final = 41  # rows of the log in use
HEAD: Final = 42

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
A_WMIN: Final = 11  # smoothed RSSI's extremes in the motion window
A_WMAX: Final = 12
A_REPORTS: Final = 13
A_STEADY: Final = 14  # RSSI smoothed within that stretch
A_REF: Final = 15  # phase that motion is measured against while the channel stays
A_REF_US: Final = 16
ANT: Final = 17

# cells[slot, cell, …]: what it is measured against when a channel comes back to an antenna; visits share them
CELLS: Final = 64
P_PHASE: Final = 0  # (antenna and channel + 1) * 4096 + phase, 0 while it is free
P_US: Final = 1

# log[slot, row, …]: the visit's reads, the newest last
LOG_ROWS: Final = 512
"""When they are full, the older half is thinned to half: the longer ago, the coarser, and pairs of reads stay pairs."""
G_US: Final = 0  # since the visit's first read
G_ANTENNA: Final = 1
G_SIDE: Final = 2
G_RSSI: Final = 3  # cdBm, NO_RSSI where there was none
G_PHASE: Final = 4  # 12-bit steps, -1 where there was none
G_CHANNEL: Final = 5
G_COUNT: Final = 6
LOG: Final = 7

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
"""Farther apart they don't say when the tag moved: they count for the visit, not for the motion window."""
RECALL_US: Final = 12_000_000
"""Channels come back after 10 s where 50 of them are used 0.2 s each, after 0.8 s where there are four."""
STIR_SCALE: Final = 53
STIR_SHIFT: Final = 10240
STIR_REST: Final = 212
STIR_MOST: Final = 340
"""A pair's log-likelihood ratio: 0.15 rad of phase noise, 3 % of pairs spoilt, against any change in half a turn."""
STIR_LEAST: Final = -800
"""However long a tag has lain still, five moving pairs outweigh it when it is picked up."""
STIR_SIGN: Final = 100
SWING_CDB: Final = 300
"""A visit whose phases don't speak for motion and whose sides' levels change by less gives nothing."""
STIR_SURE: Final = 300
WIDE_SWING_CDB: Final = 600
"""Provisionals are tried from here on: `decide` wouldn't believe less."""
STIR_UTMOST: Final = 1600
"""However long it was carried, ten pairs at rest outweigh it when it is put down."""
STIR_CALM: Final = -200
SURE_FACTOR: Final = 3
"""Where phases don't say that a tag lies still, the lack of any sign of motion has to last three times as long."""
STIR_STILL: Final = -600
"""Below it a visit lies still beyond doubt, 400 to 1: nothing is tried, and what comes next is another visit."""
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
CANDIDATE_CALM_US: Final = 200_000
"""As long as one side has led throughout, hardly anything has crossed."""
CANDIDATE_SHIFT: Final = 6
"""The longer a visit, the rarer its candidates: 1/64 of it apart."""
MAX_CANDIDATES: Final = 256
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
