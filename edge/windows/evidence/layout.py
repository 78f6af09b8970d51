"""Where the kernels of evidence keep what they have found of a visit; sides stand inside first."""

from typing import Final

# rows[…, read]
R_T: Final = 0  # s since the visit's first read
R_LEVEL: Final = 1  # dB relative to the doorway's level
R_AMP: Final = 2  # amplitude of that
R_SUM: Final = 3  # 2 sides: amplitudes around the read
R_RATE: Final = 5  # 2 sides: reads around it
R_MEAN: Final = 7  # 2 sides: smoothed amplitude
R_SHARE: Final = 9  # of the visit's energy
R_BALANCE: Final = 10  # of both sides' sums: 1 all inside, -1 all outside
R_FLAT: Final = 11  # of both sides' means
ROWS: Final = 12

# sides[…, side]
S_COUNT: Final = 0  # reads
S_AMP: Final = 1  # sum of their amplitudes, of the squares, of both times s
S_POWER: Final = 2
S_AMP_T: Final = 3
S_POWER_T: Final = 4
S_LAST_T: Final = 5  # s
S_BEGIN: Final = 6  # dB: level over the first three reads, and over the last three
S_END: Final = 7
S_ANTENNAS: Final = 8  # that heard it
S_LOUDEST: Final = 9  # dB: loudest read, and that of the second antenna
S_SECOND: Final = 10
S_TOP: Final = 11  # highest smoothed amplitude, 0 without reads; when, s
S_TOP_T: Final = 12
S_LOW: Final = 13  # lowest smoothed amplitude
S_WIDE: Final = 14  # s near its top
S_BEFORE: Final = 15  # dB: in the second before the change, and in that after it
S_AFTER: Final = 16
S_PAIRS: Final = 17  # of reads, that give a speed
S_V: Final = 18  # SPANS of mean speeds, m/s
SPANS: Final = 5  # before the middle, from it on, at the end, around the loudest moment, around the change
S_TURN: Final = 23  # how well it fits, when, share of the pairs after it
SIDES: Final = 26

# whole[…]
W_NOW: Final = 0  # s: instant of the decision
W_AMP: Final = 1  # sum of the amplitudes
W_GAP: Final = 2  # s: longest silence between two reads
W_MIDDLE: Final = 3  # s: of the amplitudes, and of the powers
W_LOUDEST: Final = 4
W_SPREAD: Final = 5  # s: around both
W_SPREAD_POWER: Final = 6
W_WIDE6: Final = 7  # s within 6 dB of the highest level, and within 12 dB
W_WIDE12: Final = 8
W_LEAN: Final = 9  # mean balance, and that of the means
W_LEAN_FLAT: Final = 10
W_EARLY: Final = 11  # balance over the first and the last part of the energy, then over the thin ones
W_LATE: Final = 12
W_EARLY_THIN: Final = 13
W_LATE_THIN: Final = 14
W_CHANGE: Final = 15  # what the best change point explains; above zero it went out
W_CHANGE_FLAT: Final = 16
W_CHANGE_ROW: Final = 17  # last read before it
W_CHANGE_T: Final = 18  # s
W_BEFORE: Final = 19  # mean balance up to there, and from there on
W_AFTER: Final = 20
W_MEET: Final = 21  # highest amplitude that both sides had at one time; when, s
W_MEET_T: Final = 22
W_PACE: Final = 23  # mean absolute speed, m/s
WHOLE: Final = 24
