"""One place's rounds, folded in order into what is known of each asset there and when the place was sighted.

Folding all rounds at once, or first the older and then the newer ones, ends alike. A round that comes late is folded by
folding its place anew.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Final

import numpy as np

from central.domain.presence import history
from central.domain.presence.coverage import Sighting
from central.domain.presence.history import Presence, Rates, ReadKey, Reads
from central.domain.presence.hitrates import HitRates
from central.domain.presence.leaving import NOTHING, Usual
from central.domain.presence.spans import ListeningKey, Round

FEW_ARRIVALS: Final = 5.0
"""So few assets that came say little of how many go on unseen."""
MOST_DOUBT: Final = 0.98
"""What the others did never settles what one did."""
_UNHEARD: Final = Reads()
LISTENED: Final = 0.99
"""Where antennas worked for less of a round, a gap at its end may be theirs."""


@dataclass(frozen=True, slots=True)
class Stay:
    """An asset that the book has at the place from `since` on (until `until`), and its tags.

    `confidence` (0 to 1) is how sure the book is of it, `usual` how long it is wont to stay.
    """

    asset: str
    tags: tuple[str, ...]
    since: datetime
    confidence: float
    until: datetime | None = None
    usual: Usual = NOTHING

    def holds(self, when: datetime) -> bool:
        """Whether the asset stays there then."""
        return self.since <= when and (self.until is None or when < self.until)


@dataclass(frozen=True, slots=True)
class Stranger:
    """A tag that was heard where the book hasn't got its asset: in how many rounds, and whether in a sweep."""

    epc: str
    first_at: datetime
    last_at: datetime
    rounds: int
    swept: bool


@dataclass(slots=True)
class Place:
    """What is known at a place: each asset's presence, sightings in order, and strangers by EPC."""

    assets: dict[str, Presence] = field(default_factory=dict)
    sightings: list[Sighting] = field(default_factory=list)
    strangers: dict[str, Stranger] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a place's assets tell before a round: hit rates of new tags and usual gaps by zone, what happens unseen."""

    before: Mapping[ListeningKey, HitRates]
    gaps: Mapping[ListeningKey, tuple[float, ...]]
    rates: Rates


def fold(place: Place, stays: Sequence[Stay], rounds: Iterable[Round]) -> Place:
    """Fold rounds, in the order of their ends, into a place; `place` itself is left as it is.

    An asset stays once at a time: `stays` of one asset don't overlap.
    """
    after = Place(dict(place.assets), list(place.sightings), dict(place.strangers))
    for together in _together(rounds):
        _fold_one(after, stays, together)
    return after


def opened(place: Place, stays: Iterable[Stay]) -> Place:
    """Return the place with each stay that is new to it begun; what is known of their tags there is kept."""
    after = Place(dict(place.assets), list(place.sightings), dict(place.strangers))
    for stay in sorted(stays, key=lambda one: one.since):
        _known(after, stay)
    return after


def _together(rounds: Iterable[Round]) -> Iterator[list[Round]]:
    """Group the rounds that are one chance: all zones of the place in the same hour, or one sweep."""
    for _, same in groupby(rounds, key=lambda one: (one.to_at, one.from_at, one.mode)):
        yield list(same)


def _fold_one(place: Place, stays: Sequence[Stay], together: Sequence[Round]) -> None:
    end = together[0].to_at
    here = [stay for stay in stays if stay.holds(end)]
    knowns = {stay.asset: _known(place, stay) for stay in here}
    fresh = [stay for stay in here if _is_first_chance(knowns[stay.asset], stay, together)]
    before = {one.key: _before(one.key, knowns.values()) for one in together}
    rates = history.rates_at(knowns.values())
    learnt = Learnt(before, _gaps(together, knowns.values()), rates)
    if all(one.silence for one in together):
        place.sightings.append(Sighting(together[0].from_at, end, _tag_probability(here, knowns, together, before)))
    knowns |= _doubted(fresh, knowns, together, learnt)
    owned: set[str] = set()
    for stay in here:
        owned.update(stay.tags)
        place.assets[stay.asset] = _weigh(knowns[stay.asset], stay, together, learnt)
    _note_strangers(place, owned, together)


def _known(place: Place, stay: Stay) -> Presence:
    """Return what is known of a stay, begun anew where the book has put the asset there again since."""
    known = place.assets.get(stay.asset)
    if known is None or known.since < stay.since:
        known = history.arrived(stay.since, stay.confidence, known.reads if known else None)
        place.assets[stay.asset] = known
    return known


def _before(key: ListeningKey, knowns: Iterable[Presence]) -> HitRates:
    zone, mode = key
    told = (one for known in knowns for one in history.so_far(known))
    reads = [(one, likely) for its, one, likely in told if its[1:] == (zone, mode)]
    return history.prior(reads, mode)


def _tag_probability(
    here: Sequence[Stay],
    knowns: Mapping[str, Presence],
    together: Sequence[Round],
    before: Mapping[ListeningKey, HitRates],
) -> float:
    """Probability that these rounds hear an asset that is there, over all that are; the zones' own where none is."""
    bearers = [(stay, epc) for stay in here for epc in stay.tags]
    silent = np.ones(len(bearers))
    for one in together:
        mine = [knowns[stay.asset].reads.get((epc, *one.key), _UNHEARD) for stay, epc in bearers]
        if mine:
            silent *= 1.0 - before[one.key].heard([(its.hits, its.misses) for its in mine])
    if not bearers:
        return round(1.0 - math.prod(1.0 - before[one.key].hit() for one in together), 2)
    asset_of = {stay.asset: number for number, stay in enumerate(one for one in here if one.tags)}
    missed = np.ones(len(asset_of))
    np.multiply.at(missed, [asset_of[stay.asset] for stay, _ in bearers], silent)
    return round(1.0 - float(missed.mean()), 2)


def _is_first_chance(known: Presence, stay: Stay, together: Sequence[Round]) -> bool:
    """Whether all of these rounds could have heard an asset since it came, and none could before."""
    first = known.heard_at is None and known.silent == 0
    return first and bool(stay.tags) and all(one.silence and one.from_at >= stay.since for one in together)


def _doubted(
    fresh: Sequence[Stay], knowns: Mapping[str, Presence], together: Sequence[Round], learnt: Learnt
) -> dict[str, Presence]:
    """Return what is known of assets that came since the last chance to hear them, doubted as the others of them show.

    Where many that came aren't heard at the first chance, they went on unseen: laptops that went home through a door
    that misses some. Where nearly all are heard, more are there than the doors' confidence says. Each is judged by the
    others alone, for its own silence is weighed afterwards: so many times likelier than its own stays make it. Few
    silences clear them only as far as they stand out from the misses' spread: where a place hasn't learnt yet how many
    of its tags a round misses, they show little.
    """
    epcs = {epc for one in together for epc, _ in one.heard}
    silent = {stay.asset for stay in fresh if epcs.isdisjoint(stay.tags)}
    missed = math.prod(1.0 - learnt.before[one.key].hit() for one in together)
    unsure = sum(learnt.before[one.key].variance() for one in together)
    end, others = together[0].to_at, len(fresh) - 1
    aged = {stay.asset: history.aged(knowns[stay.asset], end, learnt.rates, stay.usual) for stay in fresh}
    expected = sum(known.gone for known in aged.values())
    doubted: dict[str, Presence] = {}
    for asset, known in aged.items():
        unheard, went = len(silent - {asset}) - missed * others, expected - known.gone
        few = FEW_ARRIVALS * expected / len(fresh)
        more = (max(0.0, unheard) / (1.0 - missed) + few) / (went + few)
        if more < 1.0:
            shown = went * (1.0 - missed)
            spread = others * missed * (1.0 - missed) + others**2 * unsure + shown + history.STRAY
            more = 1.0 - (1.0 - more) * shown**2 / (shown**2 + spread)
        doubted[asset] = history.doubted(known, min(known.gone * more, MOST_DOUBT))
    return doubted


def _gaps(together: Sequence[Round], knowns: Collection[Presence]) -> dict[ListeningKey, tuple[float, ...]]:
    """Return the usual gaps of the zones whose rounds tell of gaps: of antennas that always listen, and did."""
    told = [one.key for one in together if one.mode == "zone" and one.silence and one.up >= LISTENED]
    return {
        key: history.gaps_of(its for known in knowns for at, its in known.reads.items() if at[1:] == key)
        for key in told
    }


def _weigh(known: Presence, stay: Stay, together: Sequence[Round], learnt: Learnt) -> Presence:
    heard: dict[ReadKey, tuple[datetime, Round]] = {}
    silent: dict[ReadKey, HitRates] = {}
    for one in together:
        times = dict(one.heard)
        for epc in stay.tags:
            key = (epc, *one.key)
            if epc in times and times[epc] >= stay.since:
                heard[key] = (times[epc], one)
            elif epc not in times and one.silence and one.from_at >= stay.since:
                silent[key] = learnt.before[one.key]
    if heard:
        return _hit(known, stay.usual, heard, silent, learnt)
    if not silent:
        return known
    return history.silence(known, silent, together[0].to_at, learnt.rates, stay.usual)


def _hit(
    known: Presence,
    stays: Usual,
    heard: Mapping[ReadKey, tuple[datetime, Round]],
    missed: Collection[ReadKey],
    learnt: Learnt,
) -> Presence:
    """Return what is known of an asset that was heard; what its gap says is said by the key that heard it last."""
    gaps = {key: _gap(at, one) if key[1:] in learnt.gaps else None for key, (at, one) in heard.items()}
    last, (when, latest) = max(heard.items(), key=lambda one: (one[1][0], one[0]))
    left, gap = 0.0, gaps[last]
    if gap is not None:
        leaves = history.leaves_in(known, latest.from_at, latest.to_at, learnt.rates, stays)
        left = history.left_since(gap, known.reads.get(last), learnt.gaps[latest.key], leaves)
    return history.hit(known, gaps, missed, when, left)


def _gap(at: datetime, heard_in: Round) -> int:
    return history.gap_of((heard_in.to_at - at) / (heard_in.to_at - heard_in.from_at))


def _note_strangers(place: Place, owned: set[str], together: Sequence[Round]) -> None:
    times: dict[str, list[datetime]] = defaultdict(list)
    for one in together:
        for epc, at in one.heard:
            if epc not in owned:
                times[epc].append(at)
    swept = together[0].mode == "sweep"
    for epc, ats in times.items():
        known = place.strangers.get(epc) or Stranger(epc, min(ats), max(ats), 0, swept=False)
        place.strangers[epc] = replace(
            known,
            last_at=max(known.last_at, *ats),
            rounds=known.rounds + 1,
            swept=known.swept or swept,
        )
