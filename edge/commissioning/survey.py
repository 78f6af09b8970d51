"""A survey of one doorway: what each antenna hears, who stays, who moves, whether the airtime suffices. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge.commissioning.advice import Verdict, judge
from edge.commissioning.airtime import Air, Ways, measure
from edge.commissioning.heard import SECOND_US, Listening, Reads, Stay, stay
from edge.llrp.batch import NO_RSSI_CDBM
from edge.readers.hearing import Heard

NOW_US: Final = 2 * SECOND_US
"""What is shown as now: long enough for a rate, short enough for a walker."""
LEAST_S: Final = 10.0
"""Who stays is told by time: a survey that is broken off before has nothing to say of airtime."""
MOVER_READS: Final = 3
MOST_MOVERS: Final = 20


@dataclass(frozen=True, slots=True)
class Place:
    """An antenna of the doorway; `reference` is the EPC of its reference tag, if it has one."""

    reader: str
    port: int
    side: str
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Now:
    """One antenna as of now.

    Attributes:
        rate: reads a second over the last two seconds.
        loudest_cdbm: level of the loudest tag; None where nothing was heard.
        loudest: its EPC.
        residents: tags that stay.
        reference_rate: reads a second of its reference tag; None where it has none.
    """

    place: Place
    rate: float
    loudest_cdbm: int | None
    loudest: str
    residents: int
    reference_rate: float | None = None


@dataclass(frozen=True, slots=True)
class AntennaFound:
    """One antenna over the whole survey; levels are means, None where nothing was heard."""

    reader: str
    port: int
    side: str
    reads: int
    rate: float
    residents: int
    resident_cdbm: int | None
    reference: str | None
    reference_rate: float | None
    reference_cdbm: int | None
    power_cdbm: int | None


@dataclass(frozen=True, slots=True)
class Mover:
    """A tag that came, moved or left: reads in all and by antenna (`reader/port`), seconds from first to last."""

    epc: str
    reads: int
    seconds: float
    antennas: dict[str, int]
    peak_cdbm: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a survey found."""

    portal: str
    seconds: float
    antennas: tuple[AntennaFound, ...]
    movers: tuple[Mover, ...]
    airs: tuple[Air, ...]
    verdict: Verdict | None
    problems: tuple[str, ...]

    @property
    def fit(self) -> bool:
        """Whether the doorway is fit to be commissioned: airtime suffices, and no reference tag is silent."""
        return self.verdict is not None and self.verdict.fit and not self.problems

    def by_side(self, epc: str) -> dict[str, int]:
        """Return the reads of a tag that moved by side of the doorway, all readers together."""
        tags = [one.antennas for one in self.movers if one.epc == epc]
        reads = {one.side: 0 for one in self.antennas}
        for one in self.antennas:
            reads[one.side] += sum(tag.get(f"{one.reader}/{one.port}", 0) for tag in tags)
        return reads


class Survey:
    """One survey under way.

    Args:
        portal: its id.
        places: its antennas.
        others: ports of the same readers that serve other portals, by reader: they take their turns too.
    """

    def __init__(self, portal: str, places: Sequence[Place], others: Mapping[str, Sequence[int]]) -> None:
        self.portal, self.places = portal, tuple(places)
        self._others = {reader: tuple(ports) for reader, ports in others.items()}
        self._heard = {place.reader: Listening() for place in places}
        self._begin_us: int | None = None

    def begin(self, now_us: int) -> None:
        """Begin to listen: what came before counts no more."""
        self._begin_us = now_us

    def take(self, reader: str, heard: Heard | None) -> None:
        """Take what a reader heard since the last call."""
        if self._begin_us is not None:
            self._heard[reader].take(heard)

    @property
    def skipped(self) -> int:
        """Reads that no figure counts, since the survey took too long."""
        return sum(one.skipped for one in self._heard.values())

    def now(self, now_us: int) -> list[Now]:
        """Return what each antenna hears now."""
        shown = []
        for reader, listening in self._heard.items():
            reads = self._reads(reader)
            staying = self._stay(reader, reads, now_us)
            recent = reads.pick(reads.at_us > now_us - NOW_US)
            shown += [
                _now(place, recent.pick(recent.port == place.port), staying, listening)
                for place in self.places
                if place.reader == reader
            ]
        return shown

    def epcs(self) -> frozenset[str]:
        """Return the EPCs of all tags that were heard, and of reference tags."""
        found = {place.reference for place in self.places if place.reference is not None}
        return frozenset(found.union(epc.hex() for listening in self._heard.values() for epc in listening.epcs))

    def finish(self, now_us: int, ways: Mapping[str, Ways], powers_cdbm: Mapping[tuple[str, int], int]) -> Found:
        """Return what was found.

        Args:
            now_us: when the survey ended.
            ways: what each reader can do about many tags.
            powers_cdbm: power by (reader, port), where it is known.
        """
        seconds = self._seconds(now_us)
        antennas: list[AntennaFound] = []
        airs, movers = [], []
        for reader in self._heard:
            reads = self._reads(reader)
            staying = self._stay(reader, reads, now_us)
            antennas += [
                self._antenna(place, reads, staying, powers_cdbm) for place in self.places if place.reader == reader
            ]
            mine = tuple(place.port for place in self.places if place.reader == reader)
            airs.append(measure(reader, reads, staying, mine, ways.get(reader, Ways())))
            movers += self._movers(reader, reads, staying)
        enough = seconds >= LEAST_S
        return Found(
            self.portal,
            round(seconds, 1),
            tuple(antennas),
            tuple(sorted(movers, key=lambda one: -one.reads)[:MOST_MOVERS]),
            tuple(airs),
            judge(airs) if enough else None,
            tuple(_problems(antennas, seconds)),
        )

    def _reads(self, reader: str) -> Reads:
        return self._heard[reader].reads(self._begin_us)

    def _seconds(self, now_us: int) -> float:
        return 0.0 if self._begin_us is None else (now_us - self._begin_us) / SECOND_US

    def _references(self, reader: str) -> list[int]:
        named = [place.reference for place in self.places if place.reference is not None]
        numbers = [self._heard[reader].number(bytes.fromhex(epc)) for epc in named]
        return [number for number in numbers if number is not None]

    def _stay(self, reader: str, reads: Reads, now_us: int) -> Stay:
        ports = [place.port for place in self.places if place.reader == reader]
        listed = (*ports, *self._others.get(reader, ()))
        return stay(reads, listed, self._seconds(now_us), never=self._references(reader))

    def _antenna(
        self, place: Place, reads: Reads, staying: Stay, powers_cdbm: Mapping[tuple[str, int], int]
    ) -> AntennaFound:
        mine = reads.pick(reads.port == place.port)
        counts, levels = staying.at(place.port)
        count = int(mine.count.sum())
        known = levels[~np.isnan(levels)]
        rate, level = None, None
        if place.reference is not None:
            number = self._heard[place.reader].number(bytes.fromhex(place.reference))
            tag = mine.pick(mine.tag == (-1 if number is None else number))
            rate, level = round(int(tag.count.sum()) / staying.seconds, 2), _mean_cdbm(tag)
        return AntennaFound(
            place.reader,
            place.port,
            place.side,
            count,
            round(count / staying.seconds, 2) if staying.seconds else 0.0,
            len(counts),
            round(float(known.mean())) if len(known) else None,
            place.reference,
            rate,
            level,
            powers_cdbm.get((place.reader, place.port)),
        )

    def _movers(self, reader: str, reads: Reads, staying: Stay) -> list[Mover]:
        """Return the tags that don't stay; who was heard once or twice is no mover but a stray."""
        calm = np.concatenate([staying.tags, np.array(self._references(reader), np.int64)])
        ports = [place.port for place in self.places if place.reader == reader]
        reads = reads.pick(~np.isin(reads.tag, calm) & np.isin(reads.port, ports))
        tags, counts = np.unique(reads.tag, return_counts=True)
        loudest = tags[np.argsort(-counts, kind="stable")][:MOST_MOVERS].tolist()
        found = (self._mover(reader, tag, reads.pick(reads.tag == tag)) for tag in loudest)
        return [one for one in found if one.reads >= MOVER_READS]

    def _mover(self, reader: str, tag: int, mine: Reads) -> Mover:
        levels = mine.rssi_cdbm[mine.rssi_cdbm != NO_RSSI_CDBM]
        return Mover(
            self._heard[reader].epcs[tag].hex(),
            int(mine.count.sum()),
            round(int(mine.at_us[-1] - mine.at_us[0]) / SECOND_US, 1),
            {f"{reader}/{port}": int(mine.count[mine.port == port].sum()) for port in np.unique(mine.port).tolist()},
            int(levels.max()) if len(levels) else None,
        )


def _now(place: Place, recent: Reads, staying: Stay, listening: Listening) -> Now:
    seconds = NOW_US / SECOND_US
    rate, residents = int(recent.count.sum()) / seconds, len(staying.at(place.port)[0])
    reference = None
    if place.reference is not None:
        number = listening.number(bytes.fromhex(place.reference))
        reference = int(recent.count[recent.tag == (-1 if number is None else number)].sum()) / seconds
    levelled = recent.pick(recent.rssi_cdbm != NO_RSSI_CDBM)
    # Who moves is what is looked at: residents are shown by their number.
    moving = levelled.pick(~np.isin(levelled.tag, np.concatenate([staying.tags, staying.never])))
    shown = moving if len(moving) else levelled
    if not len(shown):
        return Now(place, rate, None, "", residents, reference)
    best = int(shown.rssi_cdbm.argmax())
    epc = listening.epcs[int(shown.tag[best])].hex()
    return Now(place, rate, int(shown.rssi_cdbm[best]), epc, residents, reference)


def _mean_cdbm(reads: Reads) -> int | None:
    levels = reads.rssi_cdbm[reads.rssi_cdbm != NO_RSSI_CDBM]
    return round(float(levels.mean())) if len(levels) else None


def _problems(antennas: Sequence[AntennaFound], seconds: float) -> list[str]:
    found = []
    if seconds < LEAST_S:
        found.append(f"only {int(seconds)} s were listened to: {LEAST_S:.0f} s at least tell who stays")
    deaf = [one for one in antennas if one.reference is not None and not one.reference_rate]
    return found + [
        f"antenna {one.port} of {one.reader} never heard its reference tag {one.reference}: look at cable, antenna, tag"
        for one in deaf
    ]
