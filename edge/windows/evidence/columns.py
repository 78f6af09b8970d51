"""What is measured of a visit: the features' names, in order, and what becomes of each when the sides are swapped.

A door seen in a mirror is a door: inside and outside swap, `in` and `out` swap, and nothing else changes. So a feature
is of a side (`_in` and `_out` swap), odd (its sign changes: positive speaks for `out`) or even.
"""

from typing import Final

import numpy as np

SIDED: Final = (
    "share",  # of the reads
    "amp",  # share of the sum of amplitudes
    "top",  # dB: highest smoothed level, relative to the doorway's
    "max",  # dB: loudest read
    "begin",  # dB: level over the side's first three reads
    "end",  # dB: level over its last three
    "fall",  # dB: top less the smoothed level now, silence included
    "age",  # s since its last read
    "since",  # s since its top
    "wide",  # s for which it was within 6 dB of its top
    "antennas",  # of the side that heard it
    "second",  # dB: loudest read of its second antenna below that of its first
    "pairs",  # phase pairs that give a speed
    "v_early",  # m/s radial, of the pairs before the middle; above zero it recedes
    "v_late",
    "v_last",  # of the pairs in the last 0.5 s
    "before_db",  # mean level of its reads in the second before the best change point, and after it
    "after_db",
    "recede_first",  # evidence that it recedes, less that it approaches, -1 to 1: before the side's middle, after it
    "recede_then",
    "speed_first",  # m/s: likeliest radial speed there
    "speed_then",
    "steady_first",  # how well one speed explains the phases there
    "steady_then",
    "turn",  # how well "first approaching, then receding" describes the pairs, -1 to 1
    "turn_at",  # s from the middle to where it turned
    "turn_late",  # share of the side's pairs after the turn
)
ODD: Final = (
    "lag_amp",  # centroid of the outside envelope after the inside's, over the spread; by amplitude, by power
    "lag_power",
    "lag_s",  # s
    "top_lag_s",  # s: top outside after top inside
    "early",  # balance in - out over the first 40 % of the energy, less ...
    "late",
    "early_thin",  # ... the same over 15 %
    "late_thin",
    "mean",  # balance over all
    "first3",  # inside's share less the outside's, of the first and last reads
    "first8",
    "last3",
    "last8",
    "now",  # smoothed balance at the last read
    "change",  # strength of the best change point of the balance, -1 to 1
    "change_level",  # the same of levels without the read rate
    "before",  # balance before that point, and after it
    "after",
    "between",  # m/s: radial speed seen from inside less that from outside, around the middle
    "between_change",  # the same around the change point
    "turn_lag",  # s: turn outside after turn inside
    "first_side",  # 1 inside
    "beams",  # 1 broken outwards, -1 inwards
)
EVEN: Final = (
    "log_reads",
    "log_all",  # reads counted by the reader
    "duration",  # s
    "spread",  # s of the energy
    "age",  # s since the last read
    "top",
    "begin",
    "end",
    "rise",
    "drop",
    "wide6",  # s within 6 dB, 12 dB of the top
    "wide12",
    "middle_ago",  # s since the energy's middle
    "change_ago",  # s since the best change point
    "after_reads",  # log of reads after it
    "rate",  # reads a second around the top
    "rate_now",  # in the last second against the highest
    "gap",  # s: longest silence inside the visit
    "speed",  # m/s: mean absolute radial speed
    "stir",
    "stir_top",
    "moved_share",  # of the seconds that showed motion
    "still",  # s since motion was last seen
    "stranger",  # 1 where it never lay still here
    "over_base",  # dB: top over the level at rest
    "both",  # smaller side's share of the amplitude
    "swing",  # dB: range of the smoothed levels
    "antennas",
    "commissioned",
    "channels",  # that it was heard on
    "no_phase",
    "left",  # the visit ended by silence
    "settled",
    "per_side",  # antennas that each side has, the fewer
    "meet",  # dB: highest level that both sides had at the same time
    "meet_ago",
    "change_db",  # dB: level at the best change point
    "beams_both",
    "beams_none",
    "beams_there",
    "door_shut",
    "door_moved",
    "door_there",
)
BEAMS: Final = ("beams", "beams_both", "beams_none", "beams_there")
DOOR: Final = ("door_shut", "door_moved", "door_there")
CAME: Final = ("came_reads", "came_level", "came_there", "came_ago", "came_many", "came_rested")
PLACE_SIDED: Final = ("doorway",)  # dBm: the doorway's level at the side's loudest antenna
PLACE_ODD: Final = (
    "one_sided",  # 1: all antennas hang inside
    "came_reads",  # balance in - out where the stay began that this tag goes on from: of its first eight reads, ...
    "came_level",  # ... of its first levels
)
PLACE_EVEN: Final = (
    "known",  # log of the seconds for which the tag had been known when the visit began
    "overhead",
    "corners",
    "two_readers",
    "came_there",  # 1: a visit of the same stay went before
    "came_ago",  # log of the seconds since
    "came_many",  # log of its reads
    "came_rested",  # 1: the tag had come to rest at its end
)


def sides_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return both sides' features."""
    return tuple(f"{name}_{side}" for name in names for side in ("in", "out"))


MEASURED: Final = (*sides_of(SIDED), *ODD, *EVEN)
"""Of the visit's reads, in the order in which the kernel writes them; what the place is follows."""
NAMES: Final = (*MEASURED, *sides_of(PLACE_SIDED), *PLACE_ODD, *PLACE_EVEN)
COUNT: Final = len(NAMES)
INDEX: Final = {name: at for at, name in enumerate(NAMES)}
_ODD: Final = {*ODD, *PLACE_ODD}
_OTHER: Final = {"in": "out", "out": "in"}
MIRROR: Final = np.array(
    [
        INDEX.get(f"{name[: -len(side)]}{_OTHER[side]}", at) if (side := name.rpartition("_")[2]) in _OTHER else at
        for at, name in enumerate(NAMES)
    ]
)
SIGN: Final = np.array([-1.0 if name in _ODD else 1.0 for name in NAMES])
