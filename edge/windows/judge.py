"""A visit's verdict: by its reads, then by what else is known of the doorway at the time."""

import math
from dataclasses import replace
from typing import Final

from edge.contracts import Kind
from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.again import reaches
from edge.windows.around import NOTHING_AROUND, Around
from edge.windows.background import Background
from edge.windows.came import MOST, Arrivals
from edge.windows.company import Companions as Found
from edge.windows.company import Company
from edge.windows.decide import KINDS, WIDTH, Companions, Seen, Verdict, decide, decide_early, decide_pass, look, stayed
from edge.windows.model.trees import shares
from edge.windows.neighbours import ALIKE, MOST_NATS, REACH_US, Crossing, Neighbours, Question
from edge.windows.rules import CROSSINGS, RuleCounters, evicted, may_alarm, settle
from edge.windows.sensed import Sensed
from edge.windows.settings import PortalSettings
from edge.windows.snapshot import Snapshot
from edge.windows.usual import SURE, Usual

LOUDER_ELSEWHERE: Final = "a neighbouring portal heard it louder"
SURE_BACK: Final = 0.9
TOLD_ELSEWHERE: Final = "a neighbouring portal told this crossing"


class Judge:
    """Judges the visits of a group's portals, each with the company that it kept."""

    def __init__(
        self, portals: tuple[PortalSettings, ...], sensed: Sensed, neighbours: Neighbours, *, most_tags: int
    ) -> None:
        self.overruled = RuleCounters()
        self.background = Background(sensed, most_tags)
        self._portals, self._sensed, self._neighbours = portals, sensed, neighbours
        self._company = [Company(WIDTH) for _ in portals]
        self.arrivals, self.usual = Arrivals(min(most_tags, MOST)), Usual(portals)

    def look(self, snap: Snapshot, offset_us: int) -> Seen | None:
        """Look at a visit alone, and let its companions hear of it; None in the layout `single`.

        Args:
            snap: the visit so far.
            offset_us: host time less the event time of the group.
        """
        place = int(snap.head[L.PORTAL])
        portal = self._portals[place]
        if portal.layout == "single":
            self._neighbours.note(portal.id, snap, offset_us, likely_us(snap))
            return None
        seen = self._look(snap, portal, offset_us)
        self._neighbours.note(portal.id, snap, offset_us, seen.measured.change_us, crossing(seen))
        self._company[place].note(snap.epc, int(snap.head[L.LAST_US]), seen.measured, seen.told())
        return seen

    def _look(self, snap: Snapshot, portal: PortalSettings, offset_us: int) -> Seen:
        """Look at a visit alone: since the tag went through a neighbour, where it did so before it changed sides here.

        Out next door and in again here is a visit that begins and ends inside; what it heard first is of that crossing.
        """
        around = self.around(snap)
        seen = look(snap, portal, around)
        crossed_us = self._neighbours.crossed_us(portal.id, snap.epc, seen.measured.change_us + offset_us)
        if crossed_us is None:
            return seen
        log = snap.log[snap.log[:, L.G_US] > crossed_us + REACH_US - offset_us - int(snap.head[L.BIN0_US])]
        return look(replace(snap, log=log), portal, around) if len(log) else seen

    def hear_on(self, snap: Snapshot, offset_us: int) -> None:
        """Let the portal's neighbours know what it heard since of a tag whose crossing it has told."""
        self._neighbours.hear_on(self._portals[int(snap.head[L.PORTAL])].id, snap, offset_us)

    def early(self, snap: Snapshot, offset_us: int) -> tuple[Verdict, Around]:
        """Call a crossing early (kind None: not yet), if nothing around it speaks against it."""
        portal = self._portals[int(snap.head[L.PORTAL])]
        seen = self.look(snap, offset_us)
        if seen is None:
            return Verdict(None, 0.0), NOTHING_AROUND
        found = self._found(snap, seen)
        verdict = decide_early(seen, portal, self._companions(snap, found))
        if verdict.kind is not None and verdict.crossed_us is not None:
            around = self.around(snap, verdict.crossed_us)
            rival = self._rival(snap, seen, found, offset_us, early=True)
            barred = rival or not may_alarm(verdict, around)
            if barred:
                return Verdict(None, 0.0), around
            told = Crossing(verdict.kind, MOST_NATS)
            self._neighbours.note(portal.id, snap, offset_us, verdict.crossed_us, told)
            return verdict, around
        return verdict, NOTHING_AROUND

    def returned(self, gone: Snapshot, back: Snapshot, told: Kind | None, offset_us: int) -> int | None:
        """Return when a tag went back whose crossing was told, by the reads since then alone; None if it didn't.

        The reads until then have to stand for what was told. Companions aren't asked, nor do they hear of it: they know
        of the crossing.

        Args:
            gone: the visit until some seconds after that crossing.
            back: since then, so far or to its end.
            told: the crossing.
            offset_us: host time less the event time of the group.
        """
        portal = self._portals[int(back.head[L.PORTAL])]
        decided = decide_early if back.why == L.CANDIDATE else decide
        way = decided(self._look(back, portal, offset_us), portal)
        if way.kind not in CROSSINGS or way.kind == told or way.crossed_us is None or way.confidence < SURE_BACK:
            return None
        if not reaches(gone, back, way.kind) or not may_alarm(way, self.around(back, way.crossed_us)):
            return None
        stands = decide(self._look(gone, portal, offset_us), portal, published=told).kind == told
        return way.crossed_us if stands else None

    def late(
        self, snap: Snapshot, seen: Seen | None, offset_us: int, *, published: Kind | None
    ) -> tuple[Verdict, Around]:
        """Call a visit that has ended (kind None: it gives no event), and learn from it.

        Args:
            snap: the visit.
            seen: what `look` returned when it ended; companions have told since.
            offset_us: host time less the event time of the group.
            published: the crossing that was told of it before.
        """
        verdict, around = self._late(snap, seen, offset_us, published)
        if seen is not None:
            through = verdict.kind in CROSSINGS and verdict.crossed_us is not None
            self.arrivals.note(snap, seen.measured, verdict.kind if through else None)
            if through and verdict.confidence >= SURE and verdict.crossed_us is not None:
                self.usual.note(snap, verdict.crossed_us)
        return verdict, around

    def _late(
        self, snap: Snapshot, seen: Seen | None, offset_us: int, published: Kind | None
    ) -> tuple[Verdict, Around]:
        portal = self._portals[int(snap.head[L.PORTAL])]
        found = None if seen is None else self._found(snap, seen)
        around = self.around(snap)
        verdict = decide_pass(snap, portal)
        if seen is not None and found is not None:
            company = self._companions(snap, found)
            verdict = decide(seen, portal, company, published)
            if verdict.kind in CROSSINGS and verdict.crossed_us is not None:
                around = self.around(snap, verdict.crossed_us)
                verdict = settle(verdict, stayed(seen, company), around, self.overruled)
            verdict = self.background.judge(snap, verdict)
        if snap.why == L.EVICTED:
            verdict = evicted(verdict, portal)
        if verdict.kind is not None and self._rival(snap, seen, found, offset_us, kind=verdict.kind):
            return replace(verdict, kind="near", crossed_us=None, reason=LOUDER_ELSEWHERE), around
        return self._claimed(snap, portal, verdict, offset_us), around

    def forget(self) -> None:
        """Time begins anew: nobody was here."""
        self.part_company()
        self.arrivals.forget()

    def part_company(self) -> None:
        """Let nobody be anybody's company who isn't heard on: a flood's tags would be everyone's."""
        self._company = [Company(WIDTH) for _ in self._portals]

    def _claimed(self, snap: Snapshot, portal: PortalSettings, verdict: Verdict, offset_us: int) -> Verdict:
        """Book a crossing, unless a neighbour has told it."""
        if verdict.kind not in CROSSINGS or verdict.crossed_us is None:
            return verdict
        if self._neighbours.claim(portal.id, snap.epc, verdict.kind, verdict.crossed_us + offset_us):
            return verdict
        return replace(verdict, kind="near", crossed_us=None, reason=TOLD_ELSEWHERE)

    def _found(self, snap: Snapshot, seen: Seen) -> Found:
        return self._company[int(snap.head[L.PORTAL])].beside(snap.epc, int(snap.head[L.LAST_US]), seen.measured)

    def _companions(self, snap: Snapshot, found: Found) -> Companions:
        return Companions(self._company[int(snap.head[L.PORTAL])].values[found.places], found.alike)

    def _rival(
        self, snap: Snapshot, seen: Seen | None, found: Found | None, offset_us: int, *,
        kind: Kind | None = None, early: bool = False,
    ) -> bool:  # fmt: skip
        """Say whether a neighbour heard the tag, or those it was carried with, better."""
        place = int(snap.head[L.PORTAL])
        alike = self._company[place].names(found.places[found.alike >= ALIKE]) if found is not None else []
        near_us = likely_us(snap) if seen is None else seen.measured.change_us
        asked = Question(self._portals[place].id, snap.epc, near_us + offset_us, snap.at_us + offset_us, kind, early)
        return self._neighbours.rival(asked, alike)

    def around(self, snap: Snapshot, near_us: int | None = None) -> Around:
        """Return what is known beside the reads, of an instant of event time (None: when it was likeliest there)."""
        place, now_us = int(snap.head[L.PORTAL]), snap.at_us
        told = Around(came=self.arrivals.of(snap), levels=self.usual.levels(place))
        if not self._sensed.watches(place):
            return told
        near_us = likely_us(snap) if near_us is None else near_us
        visit = int(snap.head[L.START_US]), int(snap.head[L.LAST_US])
        way, beam_us = self._sensed.beams(place, visit, near_us, now_us)
        persons = self._sensed.badges_near(place, near_us, now_us)
        return replace(
            told,
            door=self._sensed.door(place, *visit),
            beams=way,
            beam_us=beam_us,
            badge=None if persons is None else bool(persons),
            persons=persons or (),
        )


def crossing(seen: Seen) -> Crossing:
    """Return which way a visit is likelier to have crossed, by itself alone, and the log-odds that it crossed."""
    ways = shares(seen.late)[:2]
    crossed = float(ways.sum())
    return Crossing(KINDS[int(ways.argmax())], math.log(max(crossed, 1e-6) / max(1 - crossed, 1e-6)))


def likely_us(snap: Snapshot) -> int:
    """Return when a tag was likeliest in the doorway: midway between the two sides' loudest reads."""
    peaks = []
    for side in (0, 1):
        mine = snap.log[(snap.log[:, L.G_SIDE] == side) & (snap.log[:, L.G_RSSI] != L.NO_RSSI)]
        if len(mine):
            peaks.append(int(mine[int(mine[:, L.G_RSSI].argmax()), L.G_US]))
    if not peaks:
        return int(snap.head[L.LAST_US])
    return int(snap.head[L.BIN0_US]) + sum(peaks) // len(peaks)
