"""One place's rounds, folded in order into what is known of each asset there and when the place was sighted.

Folding all rounds at once, or first the older and then the newer ones, ends alike. A round that comes late is folded by
folding its place anew.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Final

from central.domain.presence import history
from central.domain.presence.coverage import Sighting
from central.domain.presence.history import Beta, Presence, Rates, ReadKey
from central.domain.presence.spans import ListeningKey, Round

LISTENED: Final = 0.99
"""Where antennas worked for less of a round, a gap at its end may be theirs."""


@dataclass(frozen=True, slots=True)
class Stay:
    """An asset that the book has at the place from `since` on (until `until`), and its tags.

    `confidence` (0 to 1) is how sure the book is of it.
    """

    asset: str
    tags: tuple[str, ...]
    since: datetime
    confidence: float
    until: datetime | None = None

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

    before: Mapping[ListeningKey, Beta]
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
    before = {one.key: _before(one.key, knowns.values()) for one in together}
    learnt = Learnt(before, _gaps(together, knowns.values()), history.rates_at(knowns.values()))
    if all(one.silence for one in together):
        place.sightings.append(Sighting(together[0].from_at, end, _tag_probability(here, knowns, together, before)))
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


def _before(key: ListeningKey, knowns: Iterable[Presence]) -> Beta:
    zone, mode = key
    reads = [one for known in knowns for its, one in history.so_far(known) if its[1:] == (zone, mode)]
    return history.prior(reads, mode)


def _tag_probability(
    here: Sequence[Stay], knowns: Mapping[str, Presence], together: Sequence[Round], before: Mapping[ListeningKey, Beta]
) -> float:
    """Probability that these rounds hear an asset that is there, over all that are; the zones' own where none is."""
    missed: list[float] = []
    for stay in here:
        silent = 1.0
        for epc in stay.tags:
            for one in together:
                reads = knowns[stay.asset].reads.get((epc, *one.key))
                silent *= 1.0 - (history.posterior(reads, before[one.key]) if reads else before[one.key]).mean
        if stay.tags:
            missed.append(silent)
    if not missed:
        silent = 1.0
        for one in together:
            silent *= 1.0 - before[one.key].mean
        missed = [silent]
    return round(1.0 - sum(missed) / len(missed), 2)


def _gaps(together: Sequence[Round], knowns: Collection[Presence]) -> dict[ListeningKey, tuple[float, ...]]:
    """Return the usual gaps of the zones whose rounds tell of gaps: of antennas that always listen, and did."""
    told = [one.key for one in together if one.mode == "zone" and one.silence and one.up >= LISTENED]
    return {
        key: history.gaps_of(its for known in knowns for at, its in known.reads.items() if at[1:] == key)
        for key in told
    }


def _weigh(known: Presence, stay: Stay, together: Sequence[Round], learnt: Learnt) -> Presence:
    heard: dict[ReadKey, tuple[datetime, Round]] = {}
    silent: dict[ReadKey, Beta] = {}
    for one in together:
        times = dict(one.heard)
        for epc in stay.tags:
            key = (epc, *one.key)
            if epc in times and times[epc] >= stay.since:
                heard[key] = (times[epc], one)
            elif epc not in times and one.silence and one.from_at >= stay.since:
                silent[key] = learnt.before[one.key]
    if heard:
        return _hit(known, heard, silent, learnt)
    return history.silence(known, silent, together[0].to_at, learnt.rates) if silent else known


def _hit(
    known: Presence, heard: Mapping[ReadKey, tuple[datetime, Round]], missed: Collection[ReadKey], learnt: Learnt
) -> Presence:
    """Return what is known of an asset that was heard; what its gap says is said by the key that heard it last."""
    gaps = {key: _gap(at, one) if key[1:] in learnt.gaps else None for key, (at, one) in heard.items()}
    last, (when, latest) = max(heard.items(), key=lambda one: (one[1][0], one[0]))
    left, gap = 0.0, gaps[last]
    if gap is not None:
        usual, lasted = learnt.gaps[latest.key], latest.to_at - latest.from_at
        left = history.left_since(gap, known.reads.get(last), usual, lasted, learnt.rates)
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
