"""Doors into examples: what the windows would have decided on, measured, with the truth and companions beside it."""

import zlib
from collections import defaultdict, deque
from dataclasses import dataclass, field, replace

import numpy as np

from edge.llrp.batch import TagBatch
from edge.windows import Windows
from edge.windows import layout as L  # noqa: N812 (as in the room)
from edge.windows.company import Company
from edge.windows.evidence.measure import measure
from tests.accuracy.watch import watch
from tests.fit.labels import NOTHING, Truth

TOGETHER_US = 1_000_000
TRIES = 0.12
"""Share of the candidates that become examples."""
LEAST_ALIKE = 0.3
MOST = 24
"""Companions kept of an example."""
EACH_SIDE = 3


@dataclass
class Examples:
    """Columns of one door; `rows` are features, everything else is of the examples.

    Attributes:
        rows: features of the examples and of their companions.
        row, final, why, kind, later, visit, at_us, crossed_us, change_us, tag: of each example.
        company: (example, row, alike) of each companion.
    """

    rows: list = field(default_factory=list)
    row: list = field(default_factory=list)
    final: list = field(default_factory=list)
    why: list = field(default_factory=list)
    kind: list = field(default_factory=list)
    later: list = field(default_factory=list)
    visit: list = field(default_factory=list)
    at_us: list = field(default_factory=list)
    start_us: list = field(default_factory=list)
    crossed_us: list = field(default_factory=list)
    change_us: list = field(default_factory=list)
    tag: list = field(default_factory=list)
    company: list = field(default_factory=list)

    def arrays(self):
        """Return what is saved, without rows that nobody refers to."""
        company = np.array(self.company or np.zeros((0, 3)), np.float32)
        used = np.unique(np.concatenate([np.array(self.row, np.int64), company[:, 1].astype(np.int64)]))
        rows = np.array([self.rows[k] for k in used], np.float32)
        company[:, 1] = np.searchsorted(used, company[:, 1].astype(np.int64))
        return {
            "rows": rows,
            "row": np.searchsorted(used, np.array(self.row, np.int64)),
            "company": company,
            **{
                name: np.array(getattr(self, name), np.int64)
                for name in (
                    "final",
                    "why",
                    "kind",
                    "later",
                    "visit",
                    "at_us",
                    "start_us",
                    "crossed_us",
                    "change_us",
                    "tag",
                )
            },
        }


class Recorder:
    """Stands in for the decisions of one group of readers."""

    def __init__(self, group, truth, examples) -> None:
        self.portals, self.truth, self.examples, self.judge = group.portals, truth, examples, group.judge
        self.company = [Company(1) for _ in self.portals]
        self.held = deque()
        self.finals = []
        self.tags = {}

    def stand_in(self, group):
        """Take the group's visits instead of deciding on them."""
        group._provisional, group._hold, group._final = self.tried, self.ended, self.released

    def tried(self, snap):
        """Take a visit on which an early decision would be tried."""
        if (looked := self._look(snap)) is not None:
            lot = zlib.crc32(snap.epc + snap.at_us.to_bytes(8, "little")) / (1 << 32)
            if lot < TRIES:
                self._enter(snap, *looked, self.truth.early(snap, self._portal(snap).id))

    def ended(self, snap):
        """Take a visit that has ended and waits for its companions."""
        self.held.append((snap, self._look(snap)))

    def released(self):
        """Enter the visit that has waited longest."""
        snap, looked = self.held.popleft()
        if looked is None:
            return
        portal = self._portal(snap).id
        self.finals.append((len(self.examples.row), snap, portal))
        self._learn(snap, looked[0], self.truth.crossed(snap, portal))
        self._enter(snap, *looked, NOTHING)

    def _look(self, snap):
        """Return what is measured of a visit and its row; None where the product doesn't look either."""
        portal = self._portal(snap)
        if portal.layout == "single" or not len(snap.log):
            return None
        seen = measure(snap, portal, self.judge.around(snap))
        row = len(self.examples.rows)
        self.examples.rows.append(seen.features.astype(np.float32))
        self.company[int(snap.head[L.PORTAL])].note(snap.epc, int(snap.head[L.LAST_US]), seen, np.array([row]))
        return seen, row

    def _portal(self, snap):
        return self.portals[int(snap.head[L.PORTAL])]

    def _learn(self, snap, seen, crossed):
        """Learn as the judge does, told by the truth; who is heard on one side alone is never called so surely."""
        self.judge.arrivals.note(snap, seen, crossed)
        sides = [(snap.log[:, L.G_SIDE] == side).sum() for side in (0, 1)]
        if crossed is not None and min(sides) >= EACH_SIDE:
            self.judge.usual.note(snap, seen.change_us)

    def label(self):
        """Say at the end what was true of the finals."""
        labels = self.truth.finals([(snap, portal) for _, snap, portal in self.finals])
        for (k, _, _), label in zip(self.finals, labels, strict=True):
            one = self.examples
            one.kind[k] = one.later[k] = label.kind
            one.visit[k], one.crossed_us[k] = label.visit, label.crossed_us

    def _enter(self, snap, seen, row, label):
        if label.kind < 0:
            return
        one = self.examples
        company = self.company[int(snap.head[L.PORTAL])]
        found = company.beside(snap.epc, int(snap.head[L.LAST_US]), seen)
        best = np.argsort(-found.alike, kind="stable")[:MOST]
        for k in best[found.alike[best] >= LEAST_ALIKE]:
            one.company.append((len(one.row), company.values[found.places[k], 0], found.alike[k]))
        one.row.append(row)
        one.final.append(snap.why != L.CANDIDATE)
        one.why.append(snap.why)
        one.kind.append(label.kind)
        one.later.append(label.later)
        one.visit.append(label.visit)
        one.at_us.append(snap.at_us)
        one.start_us.append(int(snap.head[L.START_US]))
        one.crossed_us.append(label.crossed_us)
        one.change_us.append(seen.change_us)
        one.tag.append(self.tags.setdefault(snap.epc, len(self.tags)))


def joined(chunks):
    """Join what each reader sent within a second: the decisions are the same, and it takes a tenth of the time."""
    slots = defaultdict(list)
    for reader, arrival_us, batch in chunks:
        slots[arrival_us // TOGETHER_US, reader].append((arrival_us, batch))
    for (_, reader), parts in slots.items():
        batches = [batch for _, batch in parts if len(batch)] or [parts[0][1]]
        whole = TagBatch(*(np.concatenate([getattr(one, name) for one in batches]) for name in TagBatch.__slots__))
        yield reader, parts[-1][0], whole


def examples_of(played):
    """Return the arrays of one played door."""
    truth, examples = Truth(played.visits, played.residents), Examples()
    windows = Windows(played.settings, boot="fit")
    recorders = []
    for group in windows._groups:
        recorder = Recorder(group, truth, examples)
        recorder.stand_in(group)
        recorders.append(recorder)
    watch(replace(played, chunks=list(joined(played.chunks))), windows)
    for recorder in recorders:
        recorder.label()
    return examples.arrays()
