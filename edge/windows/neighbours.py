"""Doors so near that both hear one carrier: one tag, one time, one portal (contracts: Portals name their neighbours).

Portals of one gateway are compared in host time, whatever readers they have. What each of them heard of a tag is kept
from the snapshots that its decisions are made of, with the instant at which it saw the tag change sides: past the other
of two doorways a carrier comes seconds before or after. Each door is heard about its own instant. Who walks through a
doorway is near to both of its sides' antennas then, who walks past it at most to one: the door whose two sides received
more takes the crossing, and where both received alike, tags that were carried together go by what they heard together.
A crossing whose final one of them has told is told by no other, whatever comes to light later. Doors in a row are
crossed one after the other: there only what is at one time is one crossing, or what can't follow on the other.
"""

import math
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.rules import CROSSINGS
from edge.windows.settings import PortalSettings
from edge.windows.snapshot import Snapshot

REACH_US: Final = 1_000_000
"""About the instant in a doorway: a walker is then within 1.5 m of the plane."""
BETWEEN_US: Final = 6_000_000
"""From one doorway to the one beside it, 4 m and more, at 0.6 m/s and faster."""
ROW_US: Final = 700_000
"""From one doorway to the next in a row, 1.5 m and more, at 2 m/s and slower."""
FAINTEST_DB: Final = -35.0
"""Of a side that received nothing, over one read as loud as the doorway usually is: fainter ones no reader hears."""
USUAL_CDBM: Final = -5200
"""Level of a carried tag in the doorway where nobody has walked; as in `evidence.measure`."""
DB_A_NAT: Final = 2.0
"""What a door's reads say of a crossing counts beside how loud they are: a nat of log-odds as much as this."""
MOST_NATS: Final = 4.0
"""More says nothing about which door it was. A portal that has told a crossing counts as so sure, before its final."""
LIKELY: Final = -1.0
"""Log-odds: a door that sees a crossing in its reads less than this takes none from its neighbour."""
SURE: Final = 2.0
"""Log-odds of a crossing that is beyond doubt, 7 to 1."""
CLEAR_DB: Final = 5.0
"""Tags whose doors differ by less go with their companions."""
ALIKE: Final = 0.8
"""So alike in time are tags that are carried together."""
EARLY_DB: Final = 3.0
"""A crossing is told early only by a door that received so much more: the other may receive more yet."""
SAME_US: Final = 3_000_000
"""Two crossings of one tag closer than this are one: from one plane around the jamb to the other it is 4 m and more."""
AGAIN_US: Final = 10_000_000
"""Out twice within this, without coming in between, is one crossing placed twice: nobody leaves a place in which he
isn't."""
KEEP_US: Final = 60_000_000
MOST_TAGS: Final = 4096
"""Tags whose reads are kept at once, each some kilobytes: more than forklifts carry through a gateway in a minute."""


class Ears(NamedTuple):
    """What a portal hears with.

    Attributes:
        sides: (antennas,) 0 inside, 1 outside.
        zeros_cdbm: (antennas,) levels of the doorway; None where nobody has walked.
    """

    sides: NDArray[np.int32]
    zeros_cdbm: NDArray[np.float64] | None


class Crossing(NamedTuple):
    """What a portal's reads say of a visit: the likelier way, and the log-odds (natural) that it was a crossing."""

    kind: str
    odds: float


class Heard(NamedTuple):
    """A visit at one portal as it was noted last.

    Attributes:
        noted_us: host time of that.
        change_us: host time at which the tag changed sides, or was likeliest to be in the doorway.
        crossing: by what this portal read; None where its layout tells none.
        times_us, antennas, rssi_cdbm: of its reads.
    """

    noted_us: int
    change_us: int
    crossing: Crossing | None
    times_us: NDArray[np.int64]
    antennas: NDArray[np.int32]
    rssi_cdbm: NDArray[np.int32]


class Question(NamedTuple):
    """Whose is a tag?

    Attributes:
        portal: who asks.
        epc: tag.
        near_us: host time at which the portal saw it change sides.
        now_us: host time of the question; what was heard since counts for nobody.
        kind: what the portal takes it for. Of a crossing only a door that sees one too has a claim.
        early: the tag is still heard. The other door may not have seen it change sides yet, so what it received about
            this one's instant counts as well, and what its reads say by now counts for nothing.
    """

    portal: str
    epc: bytes
    near_us: int
    now_us: int
    kind: str | None = None
    early: bool = False


class Booked(NamedTuple):
    """A crossing that was told."""

    crossed_us: int
    portal: str
    origin: str
    destination: str


@dataclass(slots=True)
class _Tag:
    newest_us: int
    heard: dict[str, dict[int, Heard]] = field(default_factory=dict)
    booked: list[Booked] = field(default_factory=list)


class Neighbours:
    """Portals of one neighbourhood and what they heard within the last minute of the tags that moved."""

    def __init__(self, portals: Sequence[PortalSettings]) -> None:
        self._near = neighbours(portals)
        self._portals = {portal.id: portal for portal in portals}
        self._order = {portal.id: place for place, portal in enumerate(portals)}
        self._ears = {portal.id: ears(portal) for portal in portals}
        self._tags: OrderedDict[bytes, _Tag] = OrderedDict()
        self.doubles = 0

    def note(
        self, portal: str, snap: Snapshot, offset_us: int, change_us: int, crossing: Crossing | None = None
    ) -> None:
        """Keep what a portal has heard of a tag by now, if it has neighbours.

        Args:
            portal: who heard it.
            snap: the visit so far.
            offset_us: host time less the event time of the portal.
            change_us: event time at which the tag changed sides.
            crossing: by what the portal read; None where the layout tells none.
        """
        if not self._near[portal]:
            return
        now_us = snap.at_us + offset_us
        log = snap.log[snap.log[:, L.G_RSSI] != L.NO_RSSI]
        times_us = log[:, L.G_US].astype(np.int64) + int(snap.head[L.BIN0_US]) + offset_us
        visits = self._tag(snap.epc, now_us).heard.setdefault(portal, {})
        visits[int(snap.head[L.START_US])] = Heard(
            now_us, change_us + offset_us, crossing, times_us, log[:, L.G_ANTENNA], log[:, L.G_RSSI]
        )
        for begun in [begun for begun, heard in visits.items() if heard.noted_us < now_us - KEEP_US]:
            del visits[begun]

    def hear_on(self, portal: str, snap: Snapshot, offset_us: int) -> None:
        """Keep what a portal has heard since of a visit whose crossing it has told."""
        tag = self._tags.get(snap.epc)
        before = tag.heard.get(portal, {}).get(int(snap.head[L.START_US])) if tag else None
        if before is not None:
            self.note(portal, snap, offset_us, before.change_us - offset_us, before.crossing)

    def rival(self, asked: Question, company: Collection[bytes] = ()) -> bool:
        """Say whether a visit is rather a neighbour's; `company` are tags that were carried with it."""
        return any(self._takes(other, asked, company) for other in self._near[asked.portal])

    def crossed_us(self, portal: str, epc: bytes, before_us: int) -> int | None:
        """Return when a tag went through a neighbour, beyond doubt, before an instant of a change of sides here."""
        tag = self._tags.get(epc)
        heard = [one for door in self._near[portal] for one in tag.heard.get(door, {}).values()] if tag else []
        known = [one.change_us for one in heard if one.crossing is not None and one.crossing.odds >= SURE]
        return max((at_us for at_us in known if at_us < before_us - SAME_US), default=None)

    def claim(self, portal: str, epc: bytes, kind: str, crossed_us: int) -> bool:
        """Book a crossing in host time; return False where a neighbour has told it already."""
        tag = self._tags.get(epc)
        if tag is None:
            return True
        mine = self._crossing(portal, kind, crossed_us)
        before = [one for one in tag.booked if one <= mine][-1:]
        after = [one for one in tag.booked if one > mine][:1]
        if any(self._same(mine, one) for one in (*before, *after) if one.portal in self._near[portal]):
            self.doubles += 1
            return False
        tag.booked = sorted([*tag.booked, mine])
        return True

    def _takes(self, other: str, asked: Question, company: Collection[bytes]) -> bool:
        """Say whether a neighbour takes a visit. Of two equals the first in the settings has it."""
        own_db = self._ahead_db(other, asked)
        if own_db is None:
            return False
        if abs(own_db) < CLEAR_DB:
            votes = [self._ahead_db(other, asked._replace(epc=epc)) or 0.0 for epc in company]
            own_db += sum(max(-CLEAR_DB, min(CLEAR_DB, vote)) for vote in votes)
        needed_db = EARLY_DB if asked.early else 0.0
        return own_db < needed_db or (own_db == needed_db and self._order[other] < self._order[asked.portal])

    def _ahead_db(self, other: str, asked: Question) -> float | None:
        """Return by how much a portal received a tag better than another; None where the other has no claim."""
        tag = self._tags.get(asked.epc)
        if tag is None:
            return None
        reach_us = ROW_US if self._row(asked.portal, other) else BETWEEN_US
        mine, theirs = (_about(tag.heard.get(door, {}), asked.near_us, reach_us) for door in (asked.portal, other))
        if mine is None or theirs is None:
            return None
        if asked.kind in CROSSINGS and not self._contests(other, theirs, asked):
            return None
        by = [self._ears[asked.portal], self._ears[other]]
        if any(one.zeros_cdbm is None for one in by):
            by = [one._replace(zeros_cdbm=None) for one in by]
        if asked.early:
            theirs_db = max(
                received_db(theirs, at_us, asked.now_us, by[1]) for at_us in (mine.change_us, theirs.change_us)
            )
            return received_db(mine, mine.change_us, asked.now_us, by[0]) - theirs_db
        return _strength_db(mine, asked.now_us, by[0]) - _strength_db(theirs, asked.now_us, by[1])

    def _contests(self, other: str, theirs: Heard, asked: Question) -> bool:
        """Say whether a neighbour sees the crossing that a portal sees, not none or one before or after it."""
        if theirs.crossing is None or theirs.crossing.odds < LIKELY:
            return False
        mine = self._crossing(asked.portal, asked.kind or "", asked.near_us)
        return self._same(mine, self._crossing(other, theirs.crossing.kind, theirs.change_us))

    def _crossing(self, portal: str, kind: str, crossed_us: int) -> Booked:
        at = self._portals[portal]
        ways = (at.inside, at.outside) if kind == "out" else (at.outside, at.inside)
        return Booked(crossed_us, portal, *ways)

    def _row(self, one: str, other: str) -> bool:
        """Say whether two portals stand in a row."""
        a, b = self._portals[one], self._portals[other]
        return {a.inside, a.outside} != {b.inside, b.outside} and (a.outside == b.inside or a.inside == b.outside)

    def _same(self, one: Booked, other: Booked) -> bool:
        """Say whether two crossings of a tag are one: too near in time for two, or the later can't follow."""
        earlier, later = sorted((one, other))
        apart_us = later.crossed_us - earlier.crossed_us
        least_us = ROW_US if self._row(one.portal, other.portal) else SAME_US
        return apart_us <= least_us or (apart_us <= AGAIN_US and earlier.destination != later.origin)

    def _tag(self, epc: bytes, now_us: int) -> _Tag:
        tag = self._tags.setdefault(epc, _Tag(now_us))
        tag.newest_us = max(tag.newest_us, now_us)
        self._tags.move_to_end(epc)
        while len(self._tags) > MOST_TAGS or next(iter(self._tags.values())).newest_us < now_us - KEEP_US:
            self._tags.popitem(last=False)
        tag.booked = [one for one in tag.booked if one.crossed_us > now_us - KEEP_US]
        return tag


def neighbours(portals: Iterable[PortalSettings]) -> dict[str, list[str]]:
    """Return each portal's neighbours in the order of the settings: named by either, or with a reader in common."""
    portals = tuple(portals)
    readers = {portal.id: {antenna.reader for antenna in portal.antennas} for portal in portals}
    return {
        one.id: [
            other.id
            for other in portals
            if other.id != one.id
            and (other.id in one.neighbours or one.id in other.neighbours or readers[one.id] & readers[other.id])
        ]
        for one in portals
    }


def ears(portal: PortalSettings) -> Ears:
    """Return what a portal hears with.

    The zero of a side is midway between that of its best antenna and the usual: the median of a commissioning is unsure
    by about as much as doors differ, and what an antenna barely hears in its own doorway isn't louder in the next one.
    """
    sides = np.array([antenna.side == "outside" for antenna in portal.antennas], np.int32)
    levels = [antenna.doorway_cdbm for antenna in portal.antennas]
    known = np.array([level for level in levels if level is not None])
    if len(known) < len(levels):
        return Ears(sides, None)
    return Ears(sides, np.array([(known[sides == side].max() + USUAL_CDBM) / 2 for side in sides]))


def received_db(heard: Heard, at_us: int, now_us: int, by: Ears) -> float:
    """Return the power that a portal's sides received of a tag about an instant, the mean of their dB over one read."""
    about = (np.abs(heard.times_us - at_us) <= REACH_US) & (heard.times_us <= now_us)
    antennas = heard.antennas[about]
    levels_db = (heard.rssi_cdbm[about] - (USUAL_CDBM if by.zeros_cdbm is None else by.zeros_cdbm[antennas])) / 100
    powers, floor = 10 ** (levels_db / 10), 10 ** (FAINTEST_DB / 10)
    sides = sorted(set(by.sides.tolist()))
    return sum(10 * math.log10(powers[by.sides[antennas] == side].sum() + floor) for side in sides) / len(sides)


def _strength_db(heard: Heard, now_us: int, by: Ears) -> float:
    odds = 0.0 if heard.crossing is None else max(-MOST_NATS, min(MOST_NATS, heard.crossing.odds))
    return received_db(heard, heard.change_us, now_us, by) + DB_A_NAT * odds


def _about(visits: Mapping[int, Heard], near_us: int, reach_us: int) -> Heard | None:
    """Return the visit in which a tag changed sides nearest to an instant."""
    near = [one for one in visits.values() if abs(one.change_us - near_us) <= reach_us]
    return min(near, key=lambda one: abs(one.change_us - near_us), default=None)
