"""A visit's verdict: by its reads, then by what else is known of the doorway at the time."""

from dataclasses import replace

from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.around import Around
from edge.windows.decide import Verdict, decide, decide_early, stayed
from edge.windows.neighbours import Neighbours
from edge.windows.rules import CROSSINGS, RuleCounters, evicted, may_alarm, settle
from edge.windows.sensed import Sensed
from edge.windows.settings import PortalSettings
from edge.windows.snapshot import Snapshot

LOUDER_ELSEWHERE = "a neighbouring portal heard it louder"
TOLD_ELSEWHERE = "a neighbouring portal told this crossing"


class Judge:
    """Judges the visits of a group's portals."""

    def __init__(self, portals: tuple[PortalSettings, ...], sensed: Sensed, neighbours: Neighbours) -> None:
        self.overruled = RuleCounters()
        self._portals, self._sensed, self._neighbours = portals, sensed, neighbours

    def early(self, snap: Snapshot, offset_us: int) -> tuple[Verdict, Around]:
        """Call a crossing early (kind None: not yet), if nothing around it speaks against it.

        Args:
            snap: the visit so far.
            offset_us: host time less the event time of the group.
        """
        portal = self._portals[int(snap.head[L.PORTAL])]
        self._neighbours.note(portal.id, snap, offset_us)
        around = self._around(snap, portal, likely_us(snap), offset_us)
        verdict = decide_early(snap, portal, around)
        if verdict.kind is not None and verdict.crossed_us is not None:
            around = self._around(snap, portal, verdict.crossed_us, offset_us)
            if around.rival or not may_alarm(verdict, around):
                return Verdict(None, verdict.confidence), around
        return verdict, around

    def late(self, snap: Snapshot, offset_us: int, *, published: bool) -> tuple[Verdict, Around]:
        """Call a visit that has ended (kind None: it gives no event); one `published` has shown motion before."""
        portal = self._portals[int(snap.head[L.PORTAL])]
        self._neighbours.note(portal.id, snap, offset_us)
        around = self._around(snap, portal, likely_us(snap), offset_us)
        verdict = decide(snap, portal, around, published=published)
        if verdict.kind in CROSSINGS and verdict.crossed_us is not None:
            around = self._around(snap, portal, verdict.crossed_us, offset_us)
            verdict = settle(verdict, stayed(snap, portal), around, self.overruled)
        if snap.why == L.EVICTED:
            verdict = evicted(verdict, portal)
        if verdict.kind is not None and around.rival:
            return replace(verdict, kind="near", crossed_us=None, reason=LOUDER_ELSEWHERE), around
        if verdict.kind in CROSSINGS and verdict.crossed_us is not None:
            crossed_us = verdict.crossed_us + offset_us
            if not self._neighbours.claim(portal.id, snap.epc, verdict.kind, crossed_us):
                return replace(verdict, kind="near", crossed_us=None, reason=TOLD_ELSEWHERE), around
        return verdict, around

    def _around(self, snap: Snapshot, portal: PortalSettings, near_us: int, offset_us: int) -> Around:
        """Return what is known beside the reads, of an instant of event time."""
        place, now_us = int(snap.head[L.PORTAL]), snap.at_us
        rival = self._neighbours.rival(portal.id, snap.epc, near_us + offset_us)
        if not self._sensed.watches(place):
            return Around(rival=rival)
        way, beam_us = self._sensed.beams(place, near_us, now_us)
        person = self._sensed.badge_near(place, near_us, now_us)
        return Around(
            door=self._sensed.door(place, int(snap.head[L.START_US]), int(snap.head[L.LAST_US])),
            beams=way,
            beam_us=beam_us,
            badge=None if person is None else bool(person),
            person=person or "",
            rival=rival,
        )


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
