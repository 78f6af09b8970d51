"""How likely an asset is still there: its own read history, and what its silence since says.

Every tag has a hit rate of its own in each zone and mode, which begins as one of the zone's (`hitrates`) and forgets
slowly. A silence before a later hit was a miss, and counts as one. A silence since the last hit is open: either the
tag is there and was missed, or it is gone. The three cases (there, there but no longer readable, gone) are weighed by
Bayes' rule, the unknown hit rate summed out. So three silences of a tag that is heard in 95 % of sweeps say much, and
three of one that is heard in 30 % say little. How likely an asset has gone unseen meanwhile is said by how long it, and
others, usually stay (`leaving`), and by how many went whom nobody expected to.

Within a round, the time from a tag's last hearing to the end says more than a silence does: what lies still is heard
until the end, or nearly, and what was carried off is not. How long such gaps are is learnt as well, from rounds that a
later hearing has settled, so a zone whose tags are heard now and then learns that its gaps say nothing.
"""

import math
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from central.domain.presence.hitrates import HitRates
from central.domain.presence.leaving import NOTHING, Usual

HALF_LIFE: Final = timedelta(days=90)
"""A tag that was moved to a worse shelf is known anew within a quarter."""
STRAY: Final = 0.0002
"""Probability that a hit came through the wall from elsewhere."""
FADED: Final = 0.003
"""For each asset that leaves unseen so many stay with a dead tag: what silence alone can never rule out."""
LEAST_LEAVE_PER_DAY: Final = 1 / 20_000
"""However long nothing was missed, a theft is possible."""
ALIKE: Final = 30.0
"""A zone's usual gaps say so many hits' worth of one tag's."""
RATE_WEIGHS: Final = 0.2
"""What is known of unexpected departures before a place has a history counts as so many of them."""
UNREADABLE: Final = 0.002
"""Share of tags that can't be heard where they have just been put (metal, face down), until a hit proves better."""
GAP_ENDS: Final = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
"""Upper ends of the classes of gaps, in shares of the round."""
GAP_WIDTHS: Final = (1 / 16, 1 / 16, 1 / 8, 1 / 4, 1 / 2)
EVEN_GAPS: Final = 1.0
"""Before anything is learnt gaps are even, which tells nothing; this weighs as much as one hit."""
_DAY_S: Final = 86_400.0
ReadKey = tuple[str, str, str]
"""(epc, zone, mode)."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What happens unseen, per asset and day: leaving past the doors, and falling silent for good in place."""

    leave_per_day: float = 1 / 3000
    """Before a place has a history. Who goes as such assets do is counted apart (`leaving`); this is for what nobody
    expects, thefts above all: where it was more, each first silence in a weekly sweep was doubted twice over."""

    @property
    def fade_per_day(self) -> float:
        """How often a tag dies, or is covered for good, where it is."""
        return self.leave_per_day * FADED


UNSEEN: Final = Rates()


START: Final = {"sweep": HitRates.like(3.6, 0.4), "zone": HitRates.like(2.4, 0.6)}
"""What holds of a tag before a zone has a history: field rates differ widely."""


@dataclass(frozen=True, slots=True)
class Reads:
    """One tag's rounds in a zone and mode, older ones counting less; `silent` are those since its asset was heard.

    `gaps` are hits by class of the time from the last hearing to the round's end, and `gap` is the class of the last
    hit, which a later one settles; None where its round tells of no gap.
    """

    hits: float = 0.0
    misses: float = 0.0
    silent: int = 0
    at: datetime | None = None
    gaps: tuple[float, ...] = ()
    gap: int | None = None

    @property
    def rounds(self) -> float:
        """How many rounds are settled."""
        return self.hits + self.misses


@dataclass(frozen=True, slots=True)
class Presence:
    """What is known of one asset at one place. `there`, `faded` and `gone` add up to 1.

    `away` is the part of `gone` that went as such assets do, and will be seen elsewhere; the rest nobody expected.

    `since` is when the book put it there, `at` the last round that was weighed, `heard_at` its last hit since then.
    """

    since: datetime
    at: datetime
    there: float
    gone: float
    faded: float = 0.0
    heard_at: datetime | None = None
    silent: int = 0
    """Rounds in which none of its tags was heard, since one was."""
    reads: Mapping[ReadKey, Reads] = field(default_factory=dict)
    away: float = 0.0

    @property
    def probability(self) -> float:
        """Probability (0 to 1) that the asset is there."""
        return 1.0 - self.gone


def arrived(since: datetime, confidence: float, reads: Mapping[ReadKey, Reads] | None = None) -> Presence:
    """Return what is known when the book puts an asset somewhere: its tags' history there, no open silences.

    `confidence` (0 to 1) is the book's.
    """
    kept = {key: replace(one, silent=0, gap=None) for key, one in (reads or {}).items()}
    sure = min(confidence, 1.0 - STRAY)
    return Presence(since, since, sure * (1.0 - UNREADABLE), 1.0 - sure, sure * UNREADABLE, reads=kept)


def doubted(known: Presence, gone: float) -> Presence:
    """Return what is known of an asset if it is gone with such a probability, by what else is known."""
    gone = max(STRAY, gone)
    rest = (1.0 - gone) / (1.0 - known.gone)
    away = known.away * gone / known.gone if known.gone else 0.0
    return replace(known, there=known.there * rest, faded=known.faded * rest, gone=gone, away=away)


def hit(
    known: Presence,
    heard: Mapping[ReadKey, int | None],
    missed: Collection[ReadKey],
    when: datetime,
    left: float = 0.0,
) -> Presence:
    """Return what is known once an asset was heard: it was there then, and silences before were misses.

    Args:
        known: What was known before.
        heard: The keys that heard it, each with the class of its gap, None where the round tells of none.
        missed: Those that the same round should have heard too: other zones, the other tag.
        when: When it was last heard.
        left: Odds that it left between then and the end of the round (`left_since`).
    """
    reads = {key: _settled(one, when) for key, one in known.reads.items()}
    for key, gap in heard.items():
        mine = reads.get(key) or Reads(at=when)
        reads[key] = replace(mine, hits=mine.hits + 1.0, gap=gap)
    for key in missed:
        mine = reads.get(key) or Reads(at=when)
        reads[key] = replace(mine, misses=mine.misses + 1.0)
    heard_at = max(known.heard_at or when, when)
    gone = max(STRAY, left / (1.0 + left))
    return Presence(known.since, max(known.at, when), 1.0 - gone, gone, heard_at=heard_at, reads=reads)


def silence(
    known: Presence, keys: Mapping[ReadKey, HitRates], when: datetime, rates: Rates, usual: Usual = NOTHING
) -> Presence:
    """Return what is known once a round heard none of the asset's tags.

    Args:
        known: What was known before.
        keys: The tags that the round should have heard, each with the hit rates of the zone's tags.
        when: The end of the round.
        rates: What happens unseen.
        usual: How long it usually stays.
    """
    there, faded, gone, away = _aged(known, when, rates, usual)
    reads = dict(known.reads)
    for key, before in keys.items():
        mine = _forgotten(reads.get(key) or Reads(), when)
        there *= before.silence(mine.hits, mine.misses, mine.silent)
        reads[key] = replace(mine, silent=mine.silent + 1)
    total = there + faded + gone
    weighed = (there / total, gone / total, faded / total)
    at, rounds = max(known.at, when), known.silent + 1
    return Presence(known.since, at, *weighed, known.heard_at, rounds, reads, away / total)


def aged(known: Presence, when: datetime, rates: Rates, usual: Usual = NOTHING) -> Presence:
    """Return what is known at a later time at which nothing listened."""
    there, faded, gone, away = _aged(known, when, rates, usual)
    return replace(known, there=there, faded=faded, gone=gone, away=away, at=max(known.at, when))


def later(known: Presence, when: datetime, rates: Rates, usual: Usual = NOTHING) -> Presence:
    """Return `aged`, as of the round that was weighed last: what is told meanwhile is no round."""
    return replace(aged(known, when, rates, usual), at=known.at)


def so_far(known: Presence) -> Iterator[tuple[ReadKey, Reads, float]]:
    """Yield a tag's rounds by key, each way that they may be with its probability (above 0, to 1).

    Open silences are misses if the asset is there, and else say nothing. Tags that are seldom heard are long silent: a
    zone that left them out would look better than it is.
    """
    for key, one in known.reads.items():
        settled = replace(one, silent=0)
        if not one.silent:
            yield key, settled, 1.0
            continue
        for misses, likely in ((one.misses + one.silent, known.there), (one.misses, 1.0 - known.there)):
            if likely > 0:
                yield key, replace(settled, misses=misses), likely


def prior(reads: Iterable[tuple[Reads, float]], mode: str) -> HitRates:
    """Return the hit rates of a zone's tags, of which one that is new there is one; each counts by its probability."""
    return START[mode].learn([(one.hits, one.misses, likely) for one, likely in reads])


def gap_of(share: float) -> int:
    """Return the class of a gap which is such a share (0 to 1) of its round."""
    return bisect_left(GAP_ENDS, min(share, 1.0))


def gaps_of(reads: Iterable[Reads]) -> tuple[float, ...]:
    """Return how likely a zone's hits are to have a gap of each class while the asset stays: they add up to 1."""
    counts = [EVEN_GAPS * width for width in GAP_WIDTHS]
    for one in reads:
        for index, count in enumerate(one.gaps):
            counts[index] += count
    total = sum(counts)
    return tuple(count / total for count in counts)


def left_since(gap: int, mine: Reads | None, usual: Sequence[float], leaves: float) -> float:
    """Return the odds that an asset left in the round that heard it with such a gap.

    One that leaves does so at any time, so its gaps are even; one that stays has the zone's, or its own where these are
    likelier: a tag that is heard now and then is known by it.

    Args:
        gap: Class of the gap.
        mine: The tag's rounds there.
        usual: The zone's gaps (`gaps_of`).
        leaves: How likely it leaves unseen in such a round.
    """
    stays = usual[gap]
    if mine is not None and mine.gaps:
        own = (mine.gaps[gap] + ALIKE * usual[gap]) / (sum(mine.gaps) + ALIKE)
        stays = max(stays, own)
    return leaves * GAP_WIDTHS[gap] / stays


def leaves_in(known: Presence, start: datetime, end: datetime, rates: Rates, usual: Usual = NOTHING) -> float:
    """Return how likely (0 to 1) an asset that is there at `start` leaves unseen by `end`."""
    days = max(0.0, (end - start).total_seconds()) / _DAY_S
    stays = usual.still(known.since, start, end)
    return 1.0 - stays * math.exp(-rates.leave_per_day * days)


def rates_at(knowns: Iterable[Presence], before: Rates = UNSEEN) -> Rates:
    """Return how often assets leave a place unseen that nobody expected to, as its own assets show.

    These are the ones that are gone, but not as usual, over the days spent there. Each counts as far as it is surely
    lost: many that may have left are no departure, or the doubt in some would feed on that in the others. `before` is
    the rate to begin with; it weighs little (`RATE_WEIGHS`): a place from which many go shows it soon.
    """
    left, days = RATE_WEIGHS, RATE_WEIGHS / before.leave_per_day
    for known in knowns:
        lost = max(0.0, known.gone - known.away - STRAY)
        left += lost**2
        until, heard_at = (known.at - known.since).total_seconds(), known.heard_at or known.since
        days += (until - lost * (known.at - heard_at).total_seconds()) / _DAY_S
    return Rates(max(LEAST_LEAVE_PER_DAY, left / days))


def _aged(known: Presence, when: datetime, rates: Rates, usual: Usual) -> tuple[float, float, float, float]:
    """Return (there, faded, gone, away) after a time in which the asset may have left or its tag died.

    What left as usual would have been seen elsewhere by now and then: that nobody did speaks for its being there. And
    so does, of a stay that goes on beyond the usual, that no door saw its end.
    """
    days = max(0.0, (when - known.at).total_seconds()) / _DAY_S
    usually = usual.since(known.since, known.at, max(when, known.at))
    left, faded = -math.expm1(-rates.leave_per_day * days), -math.expm1(-rates.fade_per_day * days)
    at_once, after_days = usual.seen_again
    unseen = math.exp(-days / after_days)
    here, stays = known.there + known.faded, usually.stays
    meanwhile = (1.0 - unseen) * after_days / days if days else 1.0
    away = known.away * unseen + here * usually.unseen * (1.0 - at_once) * meanwhile
    gone = known.gone - known.away + here * stays * left + away
    there = known.there * stays * (1.0 - left)
    weighed = (there * (1.0 - faded), known.faded * stays * (1.0 - left) + there * faded, gone, away)
    total = sum(weighed[:3])
    there, faded, gone, away = (one / total for one in weighed)
    return there, faded, gone, away


def _settled(reads: Reads, when: datetime) -> Reads:
    old = _forgotten(reads, when)
    gaps = old.gaps
    if old.gap is not None:
        gaps = tuple(count + (index == old.gap) for index, count in enumerate(gaps or (0.0,) * len(GAP_ENDS)))
    return replace(old, misses=old.misses + old.silent, silent=0, gaps=gaps, gap=None)


def _forgotten(reads: Reads, when: datetime) -> Reads:
    if reads.at is None or when <= reads.at:
        return replace(reads, at=reads.at or when)
    kept = 0.5 ** ((when - reads.at) / HALF_LIFE)
    gaps = tuple(count * kept for count in reads.gaps)
    return replace(reads, hits=reads.hits * kept, misses=reads.misses * kept, at=when, gaps=gaps)
