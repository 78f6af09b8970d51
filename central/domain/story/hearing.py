"""Hearings: that zone readers and sweeps heard an asset's tag in a place, and how far each may be believed.

Antennas hear through walls, so one hearing is weak and several rounds in a row are strong; one that is faint beside
what the same antennas hear else proves next to nothing; and of places that hear a tag at the same time only the one
that hears it clearly best may speak. A door's own antennas say only that a tag is near the door: they are no hearing.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

LINGER: Final = timedelta(minutes=5)
"""Who has just gone out by a door is still heard inside for a while: it proves nothing against the crossing."""
EARLIER: Final = timedelta(minutes=10)
"""Heard last so much earlier elsewhere, a tag may have moved meanwhile."""
LONGEST: Final = timedelta(days=1)
"""No round of listening is longer than this."""
CLEARLY_DB: Final = 6.0
"""Antennas that hear a tag so much better than others, beside what each hears else, are the nearer ones."""
FAINT_DB: Final = -12.0
FAINT_SHARE: Final = 0.2
"""Below either, against the round's own middle, a tag is probably behind the wall."""
STRAYS: Final = (0.005, 0.2, 0.2, 0.2)
"""How likely the first, second, third and fourth round of hearing a tag well is to be one through the wall, given those
before; further ones of the same place say nothing new."""
SWEPT: Final = 0.002
"""A person with a reader stands in the room."""
CONTESTED: Final = (0.2, 0.5, 0.5, 0.5)
"""The same where another place heard it in the same round, only earlier."""
FAINT: Final = (0.3,)


@dataclass(frozen=True, slots=True)
class Heard:
    """A round of listening in which a tag was heard; `at` is when it was last heard in it.

    `share` is its number of reads and `level_db` its best level (None where nothing told), against the middle of all
    tags that the round heard. `stray` is how likely it came through the wall; 1 says nothing.
    """

    at: datetime
    location: str
    epc: str
    from_at: datetime
    until: datetime
    share: float = 1.0
    level_db: float | None = None
    swept: bool = False
    stray: float = 1.0
    contested: bool = False

    @property
    def faint(self) -> bool:
        """Whether the tag was heard far worse than others."""
        return self.share < FAINT_SHARE or (self.level_db is not None and self.level_db < FAINT_DB)

    def strays(self) -> tuple[float, ...]:
        """Return how likely one such hearing after the other is a stray one."""
        if self.faint:
            return FAINT
        if self.contested:
            return CONTESTED
        return (SWEPT, *STRAYS[1:]) if self.swept else STRAYS


def credible(hearings: Iterable[Heard]) -> list[Heard]:
    """Return each hearing once, by time, that no other place contradicts."""
    ordered = sorted(set(hearings), key=_order)
    if len({one.location for one in ordered}) <= 1:
        return ordered
    times = [one.at for one in ordered]
    kept: list[Heard] = []
    for one in ordered:
        # Whoever overlaps was heard within the longest round before this one's beginning or after its end.
        low, high = bisect_left(times, one.from_at - LONGEST), bisect_right(times, one.until + LONGEST)
        rivals = [other for other in ordered[low:high] if _overlap(one, other) and not _louder(one, other)]
        if all(other.at < one.at - EARLIER for other in rivals):
            kept.append(replace(one, contested=bool(rivals)))
    return kept


def _order(one: Heard) -> tuple[datetime, str, str, datetime, datetime, float, float, bool]:
    level_db = 0.0 if one.level_db is None else one.level_db
    return one.at, one.location, one.epc, one.until, one.from_at, one.share, level_db, one.swept


def _overlap(one: Heard, other: Heard) -> bool:
    apart = one.location != other.location
    return apart and one.epc == other.epc and one.from_at < other.until and other.from_at < one.until


def _louder(one: Heard, other: Heard) -> bool:
    """Tell whether a place hears a tag clearly better than another."""
    if one.level_db is None or other.level_db is None:
        return one.share >= 4 * other.share
    return one.level_db - other.level_db >= CLEARLY_DB and one.share >= other.share
