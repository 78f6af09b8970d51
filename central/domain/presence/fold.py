"""One place's rounds, folded in order into what is known of each asset there and when the place was sighted.

Folding all rounds at once, or first the older and then the newer ones, ends alike. A round that comes late is folded by
folding its place anew.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby

from central.domain.presence import history
from central.domain.presence.coverage import Sighting
from central.domain.presence.history import Beta, Presence, Rates, ReadKey
from central.domain.presence.spans import ListeningKey, Round


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
    rates = history.rates_at(knowns.values())
    if all(one.silence for one in together):
        place.sightings.append(Sighting(together[0].from_at, end, _tag_probability(here, knowns, together, before)))
    owned: set[str] = set()
    for stay in here:
        owned.update(stay.tags)
        place.assets[stay.asset] = _weigh(knowns[stay.asset], stay, together, before, rates)
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


def _weigh(
    known: Presence, stay: Stay, together: Sequence[Round], before: Mapping[ListeningKey, Beta], rates: Rates
) -> Presence:
    heard: dict[ReadKey, datetime] = {}
    silent: dict[ReadKey, Beta] = {}
    for one in together:
        times = dict(one.heard)
        for epc in stay.tags:
            key = (epc, *one.key)
            if epc in times and times[epc] >= stay.since:
                heard[key] = times[epc]
            elif epc not in times and one.silence and one.from_at >= stay.since:
                silent[key] = before[one.key]
    if heard:
        return history.hit(known, heard, silent, max(heard.values()))
    return history.silence(known, silent, together[0].to_at, rates) if silent else known


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
