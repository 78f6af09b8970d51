"""What was true of a snapshot: which true visit it shows, and what an early decision should have said."""

from collections import defaultdict
from dataclasses import dataclass

from edge.windows import layout as L  # noqa: N812 (as in the room)

CLASSES = ("in", "out", "turned_back", "near", "parked", "none")
NONE = CLASSES.index("none")
SLACK_US = 700_000
"""A visit heard until so long before the plane, or from so long after it on, still is the crossing's."""
UNSURE_US = 250_000
"""Just before the plane a candidate is neither a crossing nor none."""


@dataclass(frozen=True)
class Label:
    """`kind` is an index into CLASSES, -1 where nothing should be learnt; `visit` is -1 where there is none.

    `later` is the kind of the whole visit, where `kind` is what an early decision should say.
    """

    kind: int
    visit: int
    crossed_us: int
    later: int = CLASSES.index("none")


NOTHING = Label(CLASSES.index("none"), -1, 0)
UNUSABLE = Label(-1, -1, 0)


class Truth:
    """True visits by tag and portal."""

    def __init__(self, visits, residents) -> None:
        self.visits = visits
        self._residents = set(residents)
        self._by_tag = defaultdict(list)
        for number, visit in enumerate(visits):
            self._by_tag[visit.epc, visit.portal].append(number)

    def finals(self, snaps):
        """Return labels of ended visits, (snapshot, portal) each: of a visit's parts the chief one shows it."""
        chosen = [self._best(snap, portal) for snap, portal in snaps]
        main = {}
        for k, ((snap, _), (number, away_us)) in enumerate(zip(snaps, chosen, strict=True)):
            if number >= 0:
                worth = away_us, -_shared(self.visits[number], int(snap.head[L.START_US]), int(snap.head[L.LAST_US]))
                main[number] = min(main.get(number, (worth, k)), (worth, k))
        begins = [int(snap.head[L.START_US]) for snap, _ in snaps]
        return [self._label(k, number, main, begins) for k, (number, _) in enumerate(chosen)]

    def _label(self, k, number, main, begins):
        if number == -2:
            return UNUSABLE
        if number < 0:
            return NOTHING
        visit = self.visits[number]
        chief = main[number][1]
        if chief != k:
            # Who has been called and then leaves on the same side gives nothing (contracts).
            return NOTHING if begins[k] > begins[chief] else UNUSABLE
        kind = CLASSES.index(visit.kind)
        return Label(kind, number, visit.crossed_us or 0, kind)

    def _best(self, snap, portal):
        """Return the visit that a snapshot shows, -1 for none and -2 for several, and how far off its crossing is."""
        begin, end = int(snap.head[L.START_US]), int(snap.head[L.LAST_US])
        over = [
            number
            for number in self._by_tag.get((snap.epc, portal), ())
            if self.visits[number].started_us - SLACK_US <= end and self.visits[number].ended_us + SLACK_US >= begin
        ]
        away = {
            number: max(0, begin - self.visits[number].crossed_us, self.visits[number].crossed_us - end)
            for number in over
            if self.visits[number].crossed_us is not None
        }
        within = [number for number in away if away[number] <= SLACK_US]
        if len(within) > 1:
            return -2, 0
        if within:
            return within[0], away[within[0]]
        if not over:
            return -1, 0
        best = max(over, key=lambda number: _shared(self.visits[number], begin, end))
        return best, away.get(best, 0)

    def crossed(self, snap, portal):
        """Return which way the tag truly went through while a snapshot's visit lasted, None where it didn't."""
        begin, end = int(snap.head[L.START_US]) - SLACK_US, int(snap.head[L.LAST_US]) + SLACK_US
        for number in reversed(self._by_tag.get((snap.epc, portal), ())):
            visit = self.visits[number]
            if visit.crossed_us is not None and visit.kind in {"in", "out"} and begin <= visit.crossed_us <= end:
                return visit.kind
        return None

    def early(self, snap, portal):
        """Return the label of a candidate: crossed by now, or not."""
        begin, now = int(snap.head[L.START_US]), snap.at_us
        for number in reversed(self._by_tag.get((snap.epc, portal), ())):
            visit = self.visits[number]
            if visit.started_us - SLACK_US > now or visit.ended_us + 3_000_000 < begin:
                continue
            later = CLASSES.index(visit.kind)
            if visit.crossed_us is None:
                return Label(NONE, number, 0, later)
            if visit.crossed_us - UNSURE_US < now <= visit.crossed_us:
                return UNUSABLE
            if now < visit.crossed_us:
                return Label(NONE, number, visit.crossed_us, later)
            if visit.crossed_us < begin - SLACK_US:
                continue
            return Label(later, number, visit.crossed_us, later)
        return NOTHING


def _shared(visit, begin, end):
    return min(visit.ended_us, end) - max(visit.started_us, begin)
