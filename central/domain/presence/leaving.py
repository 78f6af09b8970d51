"""How likely an asset has left a place unseen by now: by how long it, and others, usually stay there.

A laptop that goes home each evening by a door which misses one in six is gone at night though the book has it; what has
stood on the same floor for a year is there. One rate for all that lie at a place would doubt the one too little and the
other too much. And what left unseen seldom stays so: the next door sees it within a minute or the next shelf within
hours, and the book has it there; a laptop comes back with its user on one of the next days. What the book still has at
a place has left it far less often than doors miss.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from central.domain.story.stays import OWN_WEIGHS, Curve

LEAST_STAY: Final = 0.005
"""However long others stay, so likely one is still there: nobody has measured for ever."""
PLACE_WEIGHS: Final = 5.0
"""The place's other assets count as so many own stays of what nobody carries: that it passed through twice on its way
says little of how long it stays when it has come to stay."""
_HOUR_S: Final = 3600.0


class SeenAgain(NamedTuple):
    """How soon the book learns of what left unseen: a share (0 to 1) in hours, the rest after `days` in the mean."""

    at_once: float
    days: float


ELSEWHERE: Final = SeenAgain(0.7, 20.0)
"""What isn't carried is seen by the next door or shelf, or by a sweep or its next move."""
BACK: Final = SeenAgain(0.15, 1.5)
"""What is carried comes back by the door."""


class Gone(NamedTuple):
    """Of what was at a place: the share (0 to 1) that stays, and the share that left without a door seeing it."""

    stays: float
    unseen: float


@dataclass(frozen=True, slots=True)
class Usual:
    """How long an asset stays: hours of its own earlier stays, in order, and how long others do.

    `missed` is the share (0 to 1) of departures that no door sees; `carried` says that somebody takes it along.
    """

    own: tuple[float, ...] = ()
    place: Curve = field(default_factory=Curve)
    missed: float = 0.0
    carried: bool = False

    @property
    def seen_again(self) -> SeenAgain:
        """How soon it is seen again if no door saw it go."""
        return BACK if self.carried else ELSEWHERE

    def since(self, arrived: datetime, start: datetime, end: datetime) -> Gone:
        """Return what becomes, by `end`, of such an asset that came at `arrived` and is there at `start`."""
        if not self.missed:
            return Gone(1.0, 0.0)
        stays = self._lasts(arrived, end) / self._lasts(arrived, start)
        return Gone(stays, self.missed * (1.0 - stays))

    def still(self, arrived: datetime, start: datetime, end: datetime) -> float:
        """Return how likely (0 to 1) it is still there at `end` if it was at `start` and no door saw it go."""
        gone = self.since(arrived, start, end)
        return gone.stays / (gone.stays + gone.unseen)

    def _lasts(self, arrived: datetime, when: datetime) -> float:
        """Return which share of stays, but for a factor, last until then.

        Of what is carried, two days with a way home and one back that were missed look like one long stay: so many of
        those that were measured are that, and end none.
        """
        hours = max(0.0, (when - arrived).total_seconds()) / _HOUR_S
        weight = OWN_WEIGHS if self.carried else PLACE_WEIGHS
        over = bisect_right(self.own, hours) + weight * self.place.between(hours)
        lasts = 1.0 - over / (len(self.own) + weight)
        if self.carried:
            lasts -= self.missed**2 / (1.0 - self.missed + self.missed**2)
        return max(LEAST_STAY, lasts)


NOTHING: Final = Usual()
