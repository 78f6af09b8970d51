"""From one visit's envelopes to a kind and a confidence: weighted sums of readable evidence.

A carrier that crosses is loudest first on the side it comes from and then on the other. So the balance between the
sides over the visit says the direction, the phases say whether anything moved, and the levels how close it came.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edge.contracts import Kind
from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.around import NOTHING_AROUND, Around
from edge.windows.features import INSIDE, OUTSIDE, Features, features
from edge.windows.settings import PortalSettings
from edge.windows.snapshot import Snapshot
from edge.windows.weights import CAME_CLOSE, CROSSED, CROSSED_SO_FAR, MOVED

LIMIT_DB: Final = 15.0
"""Balances beyond it say no more."""
RISE_LIMIT_DB: Final = 20.0
LAG_LIMIT: Final = 3.0
STIR_LIMIT: Final = 8.0
PROVEN: Final = 4.0
"""50 to 1 by the phases alone; of 1,200 scenes' tags at rest the liveliest got to 2.6."""
MOTION_LIKELY: Final = 0.5
"""Enough for a tag whose two envelopes tell of a crossing besides."""
MOTION_SURE: Final = 0.93
"""A tag at rest must not be called: residents are many and walkers rise far above this."""
BEAMS_BACK: Final = 20.0
"""Odds that two beams, broken in order about the crossing, add to a tag's own: one in twenty who carries nothing comes
so close before or behind one who turns back."""
UNDECIDED: Final = 0.4
"""From these odds of a crossing on, up to the portal's `resolve_confidence`, evidence suffices for neither."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Kind (None: a tag at rest, no event), confidence, when the plane was crossed, and words where a rule decided."""

    kind: Kind | None
    confidence: float
    crossed_us: int | None = None
    reason: str | None = None


def decide(
    snap: Snapshot, portal: PortalSettings, around: Around = NOTHING_AROUND, *, published: bool = False
) -> Verdict:
    """Call a visit that has ended; one that was `published` has shown motion before, which lowers the bar."""
    seen = features(snap)
    if seen is None:
        return Verdict(None, 0.0)
    moved = odds(MOVED, motion(snap, seen))
    if portal.layout == "single":
        return Verdict("near", moved)
    kind, evidence = crossing(seen)
    share = backed(odds(CROSSED, evidence), kind, around)
    if moved < (MOTION_LIKELY if published or share >= portal.resolve_confidence else MOTION_SURE):
        return Verdict(None, 1 - moved)
    if share >= portal.resolve_confidence:
        return Verdict(kind, share, seen.crossed_us)
    return Verdict("unresolved", 1 - share) if share >= UNDECIDED else _stayed(snap, portal, seen, 1 - share)


def stayed(snap: Snapshot, portal: PortalSettings) -> Verdict:
    """Call a visit of which it is known that the plane was not crossed."""
    seen = features(snap)
    return Verdict(None, 0.0) if seen is None else _stayed(snap, portal, seen, 1.0)


def _stayed(snap: Snapshot, portal: PortalSettings, seen: Features, share: float) -> Verdict:
    """Tell apart how a tag stayed on its side."""
    if snap.why == L.SETTLED and snap.at_us - int(snap.head[L.STILL_US]) >= portal.park_ms * 1000:
        return Verdict("parked", share)
    close = odds(CAME_CLOSE, closeness(seen))
    likelier = Verdict("turned_back", close * share), Verdict("near", (1 - close) * share)
    return max(likelier, key=lambda verdict: verdict.confidence)


def decide_early(snap: Snapshot, portal: PortalSettings, around: Around = NOTHING_AROUND) -> Verdict:
    """Call a crossing while the tag is still heard, or nothing yet (kind None)."""
    seen = features(snap)
    if seen is None or odds(MOVED, motion(snap, seen)) < MOTION_SURE:
        return Verdict(None, 0.0)
    kind, evidence = crossing(seen)
    share = backed(odds(CROSSED_SO_FAR, evidence), kind, around)
    return Verdict(kind if share >= portal.provisional_confidence else None, share, seen.crossed_us)


def backed(share: float, kind: Kind, around: Around) -> float:
    """Return the share of a crossing that beams back, where they were broken in its order."""
    return BEAMS_BACK * share / (1 + (BEAMS_BACK - 1) * share) if around.beams == kind else share


def motion(snap: Snapshot, seen: Features) -> dict[str, float]:
    """Evidence that the tag moved; one that never lay still here is likelier to be a visitor.

    Motion once proven stays proven, whatever rest came after it.
    """
    stir, highest = int(snap.head[L.STIR]) / 100, int(snap.head[L.STIR_TOP]) / 100
    if highest >= PROVEN:
        stir = highest
    return {
        "rise_db": min(seen.rise_db, RISE_LIMIT_DB),
        "stir": _within(stir, STIR_LIMIT),
        "stranger": float(snap.head[L.BASE_CDBM] == L.NO_BASE),
        "swing_db": min(abs(seen.early_db - seen.late_db), 2 * LIMIT_DB),
        "both_sides": float(seen.weaker > 0),
    }


def crossing(seen: Features) -> tuple[Kind, dict[str, float]]:
    """Return the direction that the envelopes speak for, and the evidence that the plane was crossed so."""
    lag = _within(seen.lag, LAG_LIMIT)
    way = 1 if lag + (seen.early_db - seen.late_db) / LIMIT_DB > 0 else -1
    source, target = (INSIDE, OUTSIDE) if way > 0 else (OUTSIDE, INSIDE)
    before, after = way * _within(seen.early_db, LIMIT_DB), -way * _within(seen.late_db, LIMIT_DB)
    lag, rise = way * lag, min(seen.rise_db, RISE_LIMIT_DB)
    logn = math.log(seen.reads)
    closing, target_drop = -way * seen.closing_in, min(seen.top_db[target] - seen.tail_db[target], RISE_LIMIT_DB)
    return "out" if way > 0 else "in", {
        "changed_db": min(before, after),
        "before_db": before,
        "after_db": after,
        "lag": lag,
        "rise_db": rise,
        "climb_db": min(seen.climb_db, RISE_LIMIT_DB),
        "ends": way * (seen.first_in - seen.last_in) / 2,
        "opening": way * seen.opening_in,
        "closing": closing,
        "tail_db": _within(way * (seen.tail_db[OUTSIDE] - seen.tail_db[INSIDE]), LIMIT_DB),
        "uneven_db": min(abs(seen.top_db[INSIDE] - seen.top_db[OUTSIDE]), RISE_LIMIT_DB),
        "weaker": seen.weaker,
        "log_reads": logn,
        "source_drop_db": min(seen.top_db[source] - seen.tail_db[source], RISE_LIMIT_DB),
        "target_drop_db": target_drop,
        "overtaken_db": _within(seen.tail_db[target] - seen.top_db[source], RISE_LIMIT_DB),
        "lag * lag": lag * lag,
        "changed_db * closing": min(before, after) * closing,
        "lag * log_reads": lag * logn,
        "rise_db * rise_db": rise * rise / 10,
        "lag * target_drop_db": lag * target_drop,
        "before_db * lag": before * lag,
    }


def closeness(seen: Features) -> dict[str, float]:
    """Evidence that it came within 1 m."""
    return {
        "rise_db": min(seen.rise_db, RISE_LIMIT_DB),
        "weaker": seen.weaker,
    }


def odds(weights: Mapping[str, float], evidence: Mapping[str, float]) -> float:
    """Return the probability of a weighted sum of evidence."""
    total = weights["1"] + sum(weight * evidence[name] for name, weight in weights.items() if name != "1")
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def _within(value: float, limit: float) -> float:
    return max(-limit, min(limit, value))
