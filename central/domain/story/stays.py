"""How long assets stay, and after how long a place is to be doubted of which nothing more is heard.

Who has stayed much longer than usual has either stayed, or left by a door that missed it: with a share F of stays over
by now and a share m of departures that no door sees, it has left unseen with probability m·F / (m·F + 1 - F). Where
readers hear it every hour this never comes to matter; on an unwatched floor it is all there is.
"""

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from central.domain.story.belief import CERTAIN

OWN_WEIGHS: Final = 1.0
"""The place's other assets count as so many of an asset's own stays."""
DEPARTS_AFTER_H: Final = 500 * 24.0
"""Whatever was seen so far, an asset leaves once in so long: nobody has watched for ever."""
MISSED_BEFORE: Final = (1.0, 9.0)
"""Crossings missed and seen that a door is credited with before anything is known of it."""
UNKNOWN_MISS: Final = MISSED_BEFORE[0] / sum(MISSED_BEFORE)

Cohort = Literal["recorded", "arrived", "carried"]
"""Assets at a place that stay alike: those that only the book put there, those that were seen to come, and those that
somebody has a standing permission to carry. What is carried goes home at night; what lies beside it doesn't."""


@dataclass(frozen=True, slots=True)
class Stay:
    """An asset's stay at a place, in hours; one that hasn't `ended` lasts at least so long."""

    asset: str
    hours: float
    ended: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """Share of a place's assets whose stay is over (`gone`, rising) after so many hours; before the first it is 0."""

    hours: tuple[float, ...] = ()
    gone: tuple[float, ...] = ()

    def at(self, hours: float) -> float:
        """Return the share that is gone after so long."""
        place = bisect_right(self.hours, hours)
        return self.gone[place - 1] if place else 0.0

    def between(self, hours: float) -> float:
        """Return the share that is gone after so long, rising evenly from one known departure to the next.

        That one left after 40 hours makes the fortieth no more likely than those before: where a few hours are judged,
        steps would doubt all that lies there at one of them, and nothing at the others.
        """
        place = bisect_right(self.hours, hours)
        since, before = (self.hours[place - 1], self.gone[place - 1]) if place else (0.0, 0.0)
        if place == len(self.hours):
            return before
        return before + (self.gone[place] - before) * (hours - since) / (self.hours[place] - since)


@dataclass(frozen=True, slots=True)
class Leaving:
    """Seen departures from a place by one portal, and what the portal saw and missed in all, by its own measure."""

    departures: int
    crossings: int
    missed: float


def curve(stays: Iterable[Stay]) -> Curve:
    """Return how long assets stay at a place (Kaplan and Meier), each asset counting once however often it stayed."""
    by_asset = defaultdict[str, list[Stay]](list)
    for stay in stays:
        by_asset[stay.asset].append(stay)
    weighed = sorted(
        ((one.hours, not one.ended, 1 / len(its)) for its in by_asset.values() for one in its),
    )
    left, still = sum(weight for *_, weight in weighed), 1.0
    steps: dict[float, float] = {}
    for hours, lasts, weight in weighed:
        if not lasts and left > 0:
            still *= max(0.0, 1 - weight / left)
            steps[hours] = 1 - still
        left -= weight
    return Curve(tuple(steps), tuple(steps.values()))


def unseen(leavings: Sequence[Leaving]) -> float:
    """Return which share (0 to 1) of departures from a place no door sees, by the doors that are taken."""
    all_, lost = 0.0, 0.0
    for one in leavings:
        rate = (one.missed + MISSED_BEFORE[0]) / (one.crossings + one.missed + sum(MISSED_BEFORE))
        all_ += one.departures / (1 - rate)
        lost += one.departures * rate / (1 - rate)
    return lost / all_ if all_ else UNKNOWN_MISS


def patience_h(own: Sequence[float], place: Curve, missed: float) -> float:
    """Return after how many hours without a word an asset's place is in doubt.

    Args:
        own: The hours of its earlier stays there.
        place: How long others stay there.
        missed: Share (0 to 1) of departures from there that no door sees.
    """
    doubt = 1 - CERTAIN
    enough = doubt / (missed * CERTAIN + doubt)
    ordered = sorted(own)
    longest = -math.log1p(-enough) * DEPARTS_AFTER_H
    for hours in sorted({*ordered, *place.hours}):
        if hours >= longest:
            break
        share = (bisect_right(ordered, hours) + OWN_WEIGHS * place.at(hours)) / (len(ordered) + OWN_WEIGHS)
        if share > enough:
            return hours
    return longest
