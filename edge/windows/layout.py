"""Columns of the integer arrays that hold what is known of tags; kernel and twin fill the same ones.

Two tiers. Every (tag, portal) pair has a slot of 640 bytes: its EPC, how it is heard at rest, phases to measure motion
against, its last reads. A pair that may be moving has a visit besides, from a pool (1.3 KB, and 0.8 KB for each 64 of
its reads); a tag that proved to lie still gives its visit back and costs little until it stirs.
"""

from typing import Final

# head[visit, …]
SLOT: Final = 0  # of the pair; 0 in snapshots
PORTAL: Final = 1
START_US: Final = 2  # first seen of the visit's first read
LAST_US: Final = 3
READS: Final = 4  # tag seen counts
REPORTS: Final = 5
BIN0_US: Final = 6  # the visit's first read: the log's times are since then
STILL_US: Final = 7  # since when no window showed motion
WIN_US: Final = 8  # start of the running motion window
WIN_SUM: Final = 9  # phase change in it, steps
WIN_PAIRS: Final = 10
MOVED: Final = 11  # motion windows of this visit
LEAD: Final = 12  # side that leads: 1 inside, 2 outside, 0 none yet
FLIPS: Final = 13
CANDIDATES: Final = 14
CANDIDATE_US: Final = 15
KNOWN_S: Final = 16  # seconds for which the tag had been known when the visit began
PEAK_CDBM: Final = 17  # best smoothed RSSI here
INTERVAL_US: Final = 18  # smoothed interval between reads of this tag
BASE_CDBM: Final = 19  # smoothed RSSI while it lay still, NO_BASE before
SMOOTH0: Final = 20  # smoothed RSSI a side
SMOOTH1: Final = 21
HEARD0_US: Final = 22
HEARD1_US: Final = 23
COUNT0: Final = 24
COUNT1: Final = 25
VALLEY_CDBM: Final = 26  # `single`: lowest smoothed RSSI since the peak
TOP_CDBM: Final = 27  # `single`: highest smoothed RSSI of the pass
SLOW_CDBM: Final = 28  # `single`: RSSI smoothed over some reads
EPC_BYTES: Final = 29
STIR: Final = 30  # log-likelihood of motion against rest by phase pairs, hundredths, and its highest
STIR_TOP: Final = 31
RANGE_CDB: Final = 32  # widest change of the RSSI on one channel
WIN_PEAK: Final = 33  # best smoothed RSSI in the motion window
LOUD: Final = 34  # since when all windows have been about as loud as the visit ever was, 0 where the last wasn't
LOW0: Final = 35  # extremes of the smoothed RSSI a side
LOW1: Final = 36
HIGH0: Final = 37
HIGH1: Final = 38
LOGGED: Final = 39  # rows of the log in use
EARLIEST: Final = 40  # 1 where it began within BOOT_US of the first read of all: then residents are strangers, too
HEAD: Final = 41

# ant[visit, antenna, …]
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
ANT: Final = 15

# slots[slot, …]: one array under four widths. A read of a tag at rest needs four cache lines of its ten: the first,
# that of its antenna (two blocks of four antennas each), that of a cell, and that of a remembered read.
SLOT_BYTES: Final = 640
S_KEYS: Final = (0, 1, 14, 15, 22, 23, 79, 2)
"""Where the 8 words of a key stand: EPC, zero padded to 62 bytes, and 16 bits that hold portal * 64 + EPC bytes. Of the
usual EPC of 96 bits all but the first two and the last are zero, so those stand where there was room."""
KEY_WORDS: Final = 8
KEY_BYTES: Final = 64
SHORT_WORDS: Final = 2
"""An EPC of so many words has zeros in those that stand apart."""
S_MARK: Final = 2  # the word of a key that ends with portal and length
S_LAST_US: Final = 3  # as int64
S_CHAIN: Final = 8  # as int32: next slot of the bucket, -1 at its end
S_VISIT: Final = 9  # a visit, NO_VISIT or RESTING
S_INTERVAL_US: Final = 10  # smoothed interval between reads
S_STIR: Final = 11  # log-likelihood of motion against rest by phase pairs, over visits
S_SINCE_S: Final = 12  # second of the first read since it was a stranger, modulo 2^31
S_BEFORE_US: Final = 13  # low 32 bits of the time of the remembered read before the newest
S_BASE: Final = 28  # as int16: smoothed RSSI while it lay still, NO_RSSI before
S_CALM: Final = 29  # reads since one that was far from its level, or whose phase had moved; ENOUGH_CALM at most
S_RING_AT: Final = 30  # row that goes next
S_RINGED: Final = 31  # rows in use
S_BLOCK: Final = 8  # as int64: a block's words; antenna a is number a % 4 of block a // 4
S_REF: Final = 8  # the phase that the running stretch on one channel is measured against
S_LEVEL: Final = 48  # as int16: smoothed RSSI, NO_RSSI before
S_SPREAD: Final = 52  # smoothed distance of the RSSI from it
S_CELL: Final = 24  # as int64: CELLS of them, what it is measured against when a channel comes back to an antenna
CELLS: Final = 32
S_RING: Final = 112  # as int32: RING rows of three: low 32 bits of the time, and a read packed as in the log
RING: Final = 15
NO_VISIT: Final = -1
RESTING: Final = -2
TOO_SOON: Final = -2

# A phase and when it was: microseconds / 1024 in 31 bits, 1, channel in 16, antenna in 3, phase in 12
P_KNOWN: Final = 1 << 31
P_TIME_SHIFT: Final = 10
P_TIME_MASK: Final = (1 << 31) - 1

# log[row // LOG_PART, visit, row % LOG_PART, …]: the visit's reads, the newest last; packed inside, these columns in a
# snapshot. The rows that only a long visit has stand apart, or each short one would touch memory for all of its own.
PACKED: Final = 3
"""Since the visit's first read; RSSI in 16 bits, antenna in 3, phase + 1 in 13; channel - 32768 in 16, count in 16."""
LOG_ROWS: Final = 512
"""When they are full, the older half is thinned to half: the longer ago, the coarser, and pairs of reads stay pairs."""
LOG_PART: Final = 64
G_US: Final = 0  # since the visit's first read
G_ANTENNA: Final = 1
G_SIDE: Final = 2
G_RSSI: Final = 3  # cdBm, NO_RSSI where there was none
G_PHASE: Final = 4  # 12-bit steps, -1 where there was none
G_CHANNEL: Final = 5
G_COUNT: Final = 6
LOG: Final = 7

# clocks[visit, …]: kept apart from `head`, as the searches for the due and for the quietest look at all of them
T_DUE_US: Final = 0  # end of the silence that ends it, NEVER_US while it is free
T_KEEP_US: Final = 1  # when it was heard last, and KEEP_US later for one of KEPT_READS
CLOCKS: Final = 2

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
K_SIDES: Final = 11  # bit a is set where antenna a is outside
KNOBS: Final = 12

# meta[…]
M_USED: Final = 0  # slots
M_HAND: Final = 1
M_OUT: Final = 2
M_EVICTED: Final = 3  # pairs and visits that had to go because there was no room
M_QUIET: Final = 4  # visits that ended without motion
M_DUE_US: Final = 5  # no visit is due before
M_FREE: Final = 6  # first free visit, -1 where none is; free ones are chained by T_KEEP_US
M_VISITS: Final = 7  # visits that were ever in use
M_BEGAN_US: Final = 8  # first read of all
META: Final = 9

# cols[read, …]
C_US: Final = 0
C_FIRST_US: Final = 1  # first seen
C_PORTAL: Final = 2
C_ANTENNA: Final = 3  # of the portal
C_EPC_BYTES: Final = 4
C_RSSI: Final = 5
C_PHASE: Final = 6
C_CHANNEL: Final = 7
C_COUNT: Final = 8
COLS: Final = 9

# state of one group's intake[…]
I_HELD: Final = 0  # rows in use
I_LAST_US: Final = 1  # of the row before
I_SORTED: Final = 2  # no row is older than that before it
I_LATE: Final = 3
I_UNLISTED: Final = 4  # counts of reads, not reports
I_UNUSABLE: Final = 5
I_NEWEST_US: Final = 6  # of the reader
I_BACK: Final = 7  # stopped, as the next row's clock was set back
I_TWICE: Final = 8  # count of reads, not reports, that had been sent before
I_TURN: Final = 9  # which half of recent is filled now, and how many marks it has
I_MARKS: Final = 10
I_SEEN_US: Final = 11  # newest time of a marked read, as its reader said: what is newer was not sent before
INTAKE: Final = 12

# recent[half, …]: marks of the reads that were taken last, 0 where none is; open addressing by the mark's low bits
RECENT: Final = 8192
REMEMBERED: Final = 4096
"""So many marks a half takes; then the older half is emptied and filled. A read is known again among as many at least,
and twice as many at most. It is two seconds at all that four readers can read, fourteen at a busy portal."""
M_ONE: Final = 0x2545F491
M_OTHER: Final = 0x1B873593

# why a record was emitted
LEFT: Final = 0
SETTLED: Final = 1
VALLEY: Final = 2
EVICTED: Final = 3
CANDIDATE: Final = 4
FLUSHED: Final = 5

SECOND_US: Final = 1_000_000
SECONDS: Final = (1 << 31) - 1
NO_BASE: Final = -100_000
NO_LEVEL: Final = -100_000
ABSENT_CDBM: Final = -7000
"""Level that a read without RSSI counts as: weak, so that only its presence tells."""
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
BOOT_US: Final = 60_000_000
ARRIVAL_CDB: Final = 400
"""A tag never seen at rest whose level has changed by so much came from somewhere before it settled."""
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
SAMPLE: Final = 64
"""Slots looked at for the quietest when the table is full; of visits, all are looked at."""
VISITS: Final = 4096
"""Visits at most: as many tags that are strangers or move at one time, in 9 MB while none has over 64 reads."""
KEPT_READS: Final = 5
KEEP_US: Final = 5_000_000
"""A visit of so many reads goes for another only after those of fewer that were heard until so long after it: a flood
of tags that are heard once must not cut the visit short of somebody who is carried through it."""
AHEAD: Final = 64
"""Reads whose slots are looked up together."""
MAX_PORTALS: Final = 1024
WAKE: Final = -400
"""Two moving pairs wake a tag that has long lain still, one spoilt pair doesn't."""
WAKE_SPREADS: Final = 3
"""A level so many times farther from that at rest than is usual for that tag and antenna wakes, if phases are mute."""
FIRST_SPREAD_CDB: Final = 300
ENOUGH_CALM: Final = 8
"""A tag read so rarely that its visits never settle is at rest after so many calm reads."""
ABSENT_INTERVALS: Final = 16
"""A tag at rest that was unheard for so many of its own intervals has been away; by chance one in 50,000 is."""
LONGEST_INTERVAL_US: Final = 60_000_000
RING_US: Final = 3_000_000
"""A visit that begins with a tag's stirring begins this long before at most."""
RING_EVERY_US: Final = RING_US // RING
"""Reads are remembered so far apart at least, all but the newest, so that the ring lasts for that long."""
SILENT_INTERVALS: Final = 6
"""Silence of so many of the tag's own intervals ends a visit: one read in 400 gaps lasts longer by chance (SMURF)."""
MOST_GAPS: Final = 3
"""But never more than so many times the portal's gap."""
MIN_PASS_US: Final = 60_000
AT_PLANE_CDB: Final = 1200
"""A still tag this near to the visit's peak level may stand in the doorway: it gets the time until `parked`."""
VISIT_MAX_US: Final = 600_000_000
"""A visit in motion is cut after ten minutes."""
MOST_US: Final = (1 << 31) - 1
NO_RSSI: Final = -32768
"""As in `edge.llrp.batch`: the reader sent no RSSI."""
NEVER_US: Final = (1 << 63) - 1
LATEST_US: Final = 4_102_444_800_000_000
"""Reader time from 2100 on is garbage, not a clock."""
