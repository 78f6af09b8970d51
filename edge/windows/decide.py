"""From what a visit measures to a kind and a confidence: fitted trees, first alone and then with the company it kept.

Four models stand in `model/weights.npz` (ADR 11). Two look at one visit alone: what it is (`alone`), and whether the
plane was crossed by now (`alone_early`). Their log-odds go round among the visits that were here at the same time; the
other two (`together`, `together_early`) look at the visit again with what its companions said.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.contracts import Kind
from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.around import NOTHING_AROUND, Around
from edge.windows.evidence import columns, together
from edge.windows.evidence.measure import Measured, measure
from edge.windows.looks import kernels as looks
from edge.windows.model.trees import model, shares
from edge.windows.settings import PortalSettings
from edge.windows.snapshot import Snapshot

Floats = NDArray[np.float64]
ALONE: Final = "alone"
TOGETHER: Final = "together"
EARLY: Final = "_early"
KINDS: Final[tuple[Kind, ...]] = ("in", "out", "turned_back", "near", "parked")
"""The order of the models' classes; `none` follows, a tag at rest. The early ones know in, out and none."""
CROSSINGS: Final = slice(0, 2)
HOPELESS: Final = 0.03
"""A candidate that looks so little like a crossing is not looked at twice."""
LINGERS_S: Final = 4.0
STAYS_S: Final = 10.0
LINGERING: Final = 0.9
RESTED: Final = 0.97
LINGERING_EARLY: Final = 0.98
"""Who has been about as loud for so long mostly goes back, and more so who came to rest: a crossing has to be so
sure then, at its end and early; at its end also of who was heard for ten seconds, however loud. An `in` has no such bar
at its end: it rings no siren, and of those that it would keep unresolved four in five are right (ADR 13)."""
KEPT: Final = 0.25
"""A published crossing is called otherwise only when its final odds have fallen below this: who watches a board wants
no verdict that wavers about a half."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Kind (None: a tag at rest, no event), confidence, when the plane was crossed, and words where a rule decided."""

    kind: Kind | None
    confidence: float
    crossed_us: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One visit at one instant, looked at alone.

    Attributes:
        measured: its features.
        late: (6,) log-odds of what it is.
        early: (3,) log-odds of in and out by now, and of neither.
    """

    measured: Measured
    late: Floats
    early: Floats

    def told(self) -> Floats:
        """Return what its companions hear of it."""
        return np.concatenate([self.late, self.early, self.measured.features[TOLD_AT]])


WIDTH: Final = 9 + len(together.TOLD)
TOLD_AT: Final = np.array(together.TOLD)


@dataclass(frozen=True, slots=True)
class Companions:
    """What others tell that were here meanwhile: (n, WIDTH), and how alike each is."""

    told: Floats
    alike: Floats


NOBODY: Final = Companions(np.zeros((0, WIDTH)), np.zeros(0))


def look(snap: Snapshot, portal: PortalSettings, around: Around = NOTHING_AROUND) -> Seen:
    """Look at a visit alone."""
    measured = measure(snap, portal, around)
    told = np.empty(WIDTH)
    looks.alone(measured.features, model(ALONE).forest, model(ALONE + EARLY).forest, TOLD_AT, told)
    return Seen(measured, told[: looks.LATE], told[looks.LATE : looks.LATE + looks.EARLY])


def decide(seen: Seen, portal: PortalSettings, company: Companions = NOBODY, published: Kind | None = None) -> Verdict:
    """Call a visit that has ended; `published` is the crossing that was told of it before."""
    odds = _together(TOGETHER, seen, seen.late, company, slice(0, 6))
    share = shares(odds)
    best = int(share[:5].argmax())
    if published is not None:
        before = KINDS.index(published)
        best = before if share[before] >= KEPT else best
    elif share[5] >= share[best]:
        return Verdict(None, float(share[5]))
    confidence = float(share[best])
    if best >= CROSSINGS.stop:
        return _stayed(share)
    needed = max(portal.resolve_confidence, _bar_at_end(seen) if KINDS[best] == "out" else 0.0)
    if published is None and confidence < needed:
        return Verdict("unresolved", round(1 - confidence, 6))
    return Verdict(KINDS[best], confidence, seen.measured.change_us)


def stayed(seen: Seen, company: Companions = NOBODY) -> Verdict:
    """Call a visit of which it is known that the plane was not crossed."""
    return _stayed(shares(_together(TOGETHER, seen, seen.late, company, slice(0, 6))))


def decide_early(seen: Seen, portal: PortalSettings, company: Companions = NOBODY) -> Verdict:
    """Call a crossing while the tag is still heard, or nothing yet (kind None)."""
    alone = shares(seen.early)
    if alone[CROSSINGS].max() < HOPELESS and not len(company.alike):
        return Verdict(None, float(alone[CROSSINGS].max()))
    share = shares(_together(TOGETHER + EARLY, seen, seen.early, company, slice(6, 9)))
    best = int(share[CROSSINGS].argmax())
    needed = max(portal.provisional_confidence, LINGERING_EARLY if _bar(seen) else 0.0)
    kind: Kind | None = KINDS[best] if share[best] >= needed else None
    return Verdict(kind, float(share[best]), seen.measured.change_us)


def decide_pass(snap: Snapshot, portal: PortalSettings) -> Verdict:
    """Layout `single`: call a pass; one antenna has no sides, so it is `near`, sure by how much its level changed."""
    change = int(snap.head[L.RANGE_CDB])
    return Verdict("near", round(change / max(change + portal.pass_rise_cdb, 1), 4))


def _bar(seen: Seen) -> float:
    """Return how sure the crossing of a tag has to be that has stood in the doorway, or stands; 0 where it hasn't."""
    features = seen.measured.features
    if features[columns.INDEX["came_rested"]] or features[columns.INDEX["settled"]]:
        return RESTED
    return LINGERING if features[columns.INDEX["wide6"]] >= LINGERS_S else 0.0


def _bar_at_end(seen: Seen) -> float:
    """Return how sure an `out` has to be that wasn't told while the tag was heard."""
    return max(_bar(seen), LINGERING if seen.measured.features[columns.INDEX["duration"]] >= STAYS_S else 0.0)


def _stayed(share: Floats) -> Verdict:
    best = 2 + int(share[2:5].argmax())
    return Verdict(KINDS[best], float(share[best]))


def _together(name: str, seen: Seen, own: Floats, company: Companions, mine: slice) -> Floats:
    """Return log-odds of a visit with what its companions say: the mean of both looks, which beats either (ADR 11)."""
    odds = np.empty(len(own))
    looks.again(
        seen.measured.features, together.KEPT, own, company.told, mine.start, company.alike, len(together.COLUMNS),
        model(name).forest, odds,
    )  # fmt: skip
    return odds
