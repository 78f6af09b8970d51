"""What is known beside a tag's own reads at the instant of a decision: door, beams, badge, neighbours."""

from dataclasses import dataclass
from typing import Literal

Door = Literal["open", "shut", "opened", "closed"]
"""Over the whole visit open or shut, or it changed: was opened, was closed (at last)."""
BeamWay = Literal["in", "out", "both", "none"]
"""Order in which two beams were broken during the visit; `none` where neither, or only one, was."""


@dataclass(frozen=True, slots=True)
class Around:
    """Evidence that no tag gave; None is: not wired, or nothing known.

    Attributes:
        door: what the door contact says of the time of the visit.
        beams: the way in which beams were broken nearest to the likely crossing.
        beam_us: event time at which the second of those beams was broken.
        badge: a badge was shown within -10/+5 s of the likely crossing.
        rival: the same tag's evidence at a neighbouring portal is stronger.
    """

    door: Door | None = None
    beams: BeamWay | None = None
    beam_us: int | None = None
    badge: bool | None = None
    rival: bool = False


NOTHING_AROUND = Around()
