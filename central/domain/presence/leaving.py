"""How likely an asset has left a place unseen by now: by how long it, and others, usually stay there.

A laptop that goes home each evening by a door which misses one in six is gone at night though the book has it; what has
stood on the same floor for a year is there. One rate for all that lie at a place would doubt the one too little and the
other too much.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from central.domain.story.stays import OWN_WEIGHS, Curve

LEAST_STAY: Final = 0.005
"""However long others stay, so likely one is still there: nobody has measured for ever."""
_HOUR_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Usual:
    """How long an asset stays: hours of its own earlier stays, in order, and how long others do.

    `missed` is the share (0 to 1) of departures that no door sees.
    """

    own: tuple[float, ...] = ()
    place: Curve = field(default_factory=Curve)
    missed: float = 0.0

    def still(self, since: datetime, when: datetime) -> float:
        """Return how likely (0 to 1) it is still there if no door saw it go: (1 - F) / (m·F + 1 - F)."""
        if not self.missed:
            return 1.0
        hours = max(0.0, (when - since).total_seconds()) / _HOUR_S
        over = bisect_right(self.own, hours) + OWN_WEIGHS * self.place.between(hours)
        share = over / (len(self.own) + OWN_WEIGHS)
        return max(LEAST_STAY, (1.0 - share) / (self.missed * share + 1.0 - share))


NOTHING: Final = Usual()
