"""What is known beside a visit's own reads when it is decided: door, beams, badge, where the tag came from."""

from dataclasses import dataclass
from typing import Final, Literal

from edge.contracts import badge_words as words_for

Door = Literal["open", "shut", "opened", "closed"]
"""Over the whole visit open or shut, or it changed: was opened, was closed (at last)."""
BeamWay = Literal["in", "out", "both", "none"]
"""Order in which two beams were broken during the visit; `none` where neither, or only one, was."""


@dataclass(frozen=True, slots=True)
class Came:
    """Where a stay began: balances of the sides, 1 where inside alone heard the tag and -1 where outside alone did.

    Attributes:
        reads: by the first eight reads.
        level: by the first 40 % of the energy, less the mean.
        at_us: event time of the last read of what went before.
        many: log of its reads.
        rested: it ended since the tag had come to rest, not since it wasn't heard any more.
    """

    reads: float
    level: float
    at_us: int
    many: float = 0.0
    rested: bool = True


@dataclass(frozen=True, slots=True)
class Around:
    """Evidence that no tag gave; None is: not wired, or nothing known.

    Attributes:
        door: what the door contact says of the time of the visit.
        beams: the way in which beams were broken nearest to the likely crossing.
        beam_us: event time at which the second of those beams was broken.
        badge: a badge was shown within -10/+5 s of the likely crossing.
        persons: whose badges they were, the nearest to the crossing first.
        came: from where the stay began that the visit goes on from.
        levels: cdBm, the doorway's at each antenna, as learnt from those who went through.
    """

    door: Door | None = None
    beams: BeamWay | None = None
    beam_us: int | None = None
    badge: bool | None = None
    persons: tuple[str, ...] = ()
    came: Came | None = None
    levels: tuple[int, ...] | None = None


NOTHING_AROUND = Around()

DOOR_WORDS: Final = {
    "open": "open all the time",
    "shut": "shut all the time",
    "opened": "was opened meanwhile",
    "closed": "closed meanwhile",
}
BEAM_WORDS: Final = {
    "in": "broken from outside to inside",
    "out": "broken from inside to outside",
    "both": "broken both ways",
    "none": "not broken",
}


def door_words(around: Around) -> str | None:
    """Return what an event says of the door."""
    return None if around.door is None else DOOR_WORDS[around.door]


def beam_words(around: Around) -> str | None:
    """Return what an event says of the beams."""
    return None if around.beams is None else BEAM_WORDS[around.beams]


def badge_words(around: Around) -> str | None:
    """Return what an event says of badges."""
    return None if around.badge is None else words_for(around.persons)
