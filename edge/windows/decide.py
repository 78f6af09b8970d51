"""From one visit's envelopes to a kind and a confidence: pure arithmetic on a snapshot.

A carrier that crosses is loudest first on the side it comes from and then on the other. So the balance between the
sides, in dB, over the visit says the direction; how often both are heard near their peaks says how close it came.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge.contracts import Kind
from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.settings import PortalSettings
from edge.windows.snapshot import Snapshot

Floats = NDArray[np.floating[Any]]
INSIDE: Final = 0
OUTSIDE: Final = 1
FLOOR_DB: Final = 3.0
"""A side that is silent while the other is heard is at least this far under the weakest level heard."""
MOVING_RAD: Final = np.pi / 4
"""Mean of a phase change that is spread evenly over half a turn."""
EDGE_SHARE: Final = 0.4
END_BINS: Final = 3
LOUD_DB: Final = 6.0
SMOOTH_S: Final = 0.3

SHORTEST_S: Final = 0.1
LIMIT_DB: Final = 15.0
"""Balances beyond it say no more."""
CROSSING: Final = (0.20, 2.4, 0.30, 2.4, -7.2)
"""Log-odds of a crossing by (dB of balance that changed sides, lag over spread, dB of rise, sides of the first and
last reads, 1); fitted, see ADR 4."""
CROSSING_SO_FAR: Final = (0.12, 2.7, 0.20, 0.7, -5.0)
"""The same while the tag is still heard, with the climb in place of the rise."""
RISE_LIMIT_DB: Final = 20.0
LAG_LIMIT: Final = 3.0
MOTION: Final = (0.57, 4.9, 2.0, -8.0)
"""Log-odds that the tag moved, by (dB of rise, rad of phase change, 1 if it never lay still here, 1)."""
SETTLED_RAD: Final = 0.5
"""Least phase change of a visit that ended at rest: one of its windows moved, the still ones dilute the mean."""
MOTION_LIKELY: Final = 0.3
"""Enough for a tag whose two envelopes tell of a crossing besides."""
MOTION_SURE: Final = 0.8
"""A tag at rest must not be called: residents are many and walkers rise far above this."""
NEAR_PLANE: Final = (0.25, -3.5)
"""Log-odds that it came within 1 m, by (dB of rise, 1): the weakest of the decisions (ADR 4)."""
UNDECIDED: Final = 0.4
"""From these odds of a crossing on, up to the portal's `resolve_confidence`, evidence suffices for neither."""


@dataclass(frozen=True, slots=True)
class Features:
    """What the decision looks at; dB and seconds.

    Attributes:
        early_db, late_db: balance inside minus outside over the first and the last of the visit's energy.
        lag_s: centroid of the outside envelope minus that of the inside one.
        spread_s: how long the visit's energy lasts.
        first_in, last_in: share of the inside's reads less the outside's, in the first and the last bins heard.
        level_db: loudest bin of either side.
        rise_db: that level over the visit's ends.
        climb_db: that level over the visit's beginning.
        even_db: smallest imbalance while loud: how near the plane it came.
        turn_rad: mean in-channel phase change modulo half a turn: 0.15 at rest, 0.79 in motion; 0.79 where unknown.
        reads: read reports.
        crossed_us: event time at which the balance changed sign, between the envelopes' weights.
    """

    early_db: float
    late_db: float
    lag_s: float
    spread_s: float
    first_in: float
    last_in: float
    level_db: float
    rise_db: float
    climb_db: float
    even_db: float
    turn_rad: float
    reads: int
    crossed_us: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Kind (None: a tag at rest, no event), confidence, and when the plane was crossed."""

    kind: Kind | None
    confidence: float
    crossed_us: int | None = None


def decide(snap: Snapshot, portal: PortalSettings) -> Verdict:
    """Call a visit that has ended."""
    seen = features(snap)
    if seen is None:
        return Verdict(None, 0.0)
    if portal.layout == "single":
        return Verdict("near", _moved(snap, seen.rise_db, MOVING_RAD))
    turn_rad = max(seen.turn_rad, SETTLED_RAD) if snap.why == L.SETTLED else seen.turn_rad
    moved = _moved(snap, seen.rise_db, turn_rad)
    kind, share = crossing(seen, CROSSING, seen.rise_db)
    if moved < (MOTION_LIKELY if share >= portal.resolve_confidence else MOTION_SURE):
        return Verdict(None, 1 - moved)
    if outdone(snap):
        return Verdict("near", moved)
    if share >= portal.resolve_confidence:
        return Verdict(kind, share, seen.crossed_us)
    return Verdict("unresolved", 1 - share) if share >= UNDECIDED else _stayed(snap, portal, seen, 1 - share)


def _moved(snap: Snapshot, rise_db: float, turn_rad: float) -> float:
    """Probability that the tag moved; one that never lay still here is likelier to be a visitor."""
    stranger = int(snap.head[L.BASE_CDBM] == L.NO_BASE)
    return odds(MOTION, rise_db, turn_rad, stranger)


def _stayed(snap: Snapshot, portal: PortalSettings, seen: Features, share: float) -> Verdict:
    """Tell apart how a tag stayed on its side."""
    if snap.why == L.SETTLED and snap.at_us - int(snap.head[L.STILL_US]) >= portal.park_ms * 1000:
        return Verdict("parked", share)
    close = odds(NEAR_PLANE, seen.rise_db)
    likelier = Verdict("turned_back", close * share), Verdict("near", (1 - close) * share)
    return max(likelier, key=lambda verdict: verdict.confidence)


def decide_early(snap: Snapshot, portal: PortalSettings) -> Verdict:
    """Call a crossing while the tag is still heard, or nothing yet (kind None)."""
    seen = features(snap)
    if seen is None or outdone(snap) or _moved(snap, seen.climb_db, seen.turn_rad) < MOTION_SURE:
        return Verdict(None, 0.0)
    kind, share = crossing(seen, CROSSING_SO_FAR, seen.climb_db)
    return Verdict(kind if share >= portal.provisional_confidence else None, share, seen.crossed_us)


def outdone(snap: Snapshot) -> bool:
    """Say whether the same tag was louder at another portal meanwhile; the first in the settings wins a draw."""
    return bool(snap.head[L.RIVAL_CDBM] > snap.head[L.PEAK_CDBM])


def crossing(seen: Features, weights: tuple[float, ...], rise_db: float) -> tuple[Kind, float]:
    """Return the direction that the envelopes speak for and the probability that the plane was crossed so."""
    lag = seen.lag_s / max(seen.spread_s, SHORTEST_S)
    way = 1 if lag + (seen.early_db - seen.late_db) / LIMIT_DB > 0 else -1
    early, late = (max(-LIMIT_DB, min(LIMIT_DB, value)) for value in (seen.early_db, seen.late_db))
    changed = min(way * early, -way * late)
    ends = way * (seen.first_in - seen.last_in) / 2
    evidence = changed, max(-LAG_LIMIT, min(LAG_LIMIT, way * lag)), min(rise_db, RISE_LIMIT_DB), ends
    return "out" if way > 0 else "in", odds(weights, *evidence)


def odds(weights: tuple[float, ...], *values: float) -> float:
    """Return the probability of a weighted sum of evidence."""
    total = weights[-1] + sum(weight * value for weight, value in zip(weights, values, strict=False))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def features(snap: Snapshot) -> Features | None:
    """Measure a visit's envelopes; None where one side is all there is or nothing was heard."""
    width_s = int(snap.head[L.BIN_US]) / 1e6
    sums, counts = _smoothed(snap.bins, width_s)
    heard = counts > 0
    if not heard.any():
        return None
    levels = np.where(heard, sums / np.maximum(counts, 1), np.nan) / 100.0
    floor = float(np.nanmin(levels)) - FLOOR_DB
    filled = np.where(heard, levels, floor)
    weight = _weights(snap.bins, float(np.nanmax(levels)))
    energy = weight.sum(axis=0)
    use = heard.any(axis=0)
    balance = np.where(use, filled[INSIDE] - filled[OUTSIDE], 0.0)
    share = np.cumsum(energy) / energy.sum()
    early = energy * np.clip((EDGE_SHARE - (share - energy / energy.sum())) / EDGE_SHARE, 0, 1)
    late = energy * np.clip((share - 1 + EDGE_SHARE) / EDGE_SHARE, 0, 1)
    times = (np.arange(L.BINS) + 0.5) * width_s
    loudest = filled.max(axis=0)
    level = float(loudest[use].max())
    begins, ends = float(loudest[use][:END_BINS].mean()), float(loudest[use][-END_BINS:].mean())
    centre = [_centroid(weight[g], times) for g in (INSIDE, OUTSIDE)]
    middle = _centroid(energy, times)
    return Features(
        early_db=_mean(balance, early),
        late_db=_mean(balance, late),
        lag_s=0.0 if None in centre else centre[OUTSIDE] - centre[INSIDE],  # type: ignore[operator] # None is ruled out
        spread_s=float(np.sqrt(_mean((times - (middle or 0.0)) ** 2, energy))),
        first_in=_side(snap.bins, slice(END_BINS)),
        last_in=_side(snap.bins, slice(-END_BINS, None)),
        level_db=level,
        rise_db=level - (begins + ends) / 2,
        climb_db=level - begins,
        even_db=float(np.abs(balance[use & (loudest >= level - LOUD_DB)]).min()),
        turn_rad=_turn_rad(snap),
        reads=int(snap.head[L.REPORTS]),
        crossed_us=int(snap.head[L.BIN0_US]) + _crossing_us(balance, energy, times, middle or 0.0),
    )


def _smoothed(bins: NDArray[np.int32], width_s: float) -> tuple[Floats, Floats]:
    span = max(1, round(SMOOTH_S / width_s) | 1)
    box = np.ones(span)
    both = bins.astype(np.float64)
    smooth = [[np.convolve(both[g, :, v], box, "same") for g in (INSIDE, OUTSIDE)] for v in (L.B_SUM, L.B_COUNT)]
    return np.array(smooth[0]), np.array(smooth[1])


def _weights(bins: NDArray[np.int32], top_db: float) -> Floats:
    counts = bins[:, :, L.B_COUNT].astype(np.float64)
    means = bins[:, :, L.B_SUM] / np.maximum(counts, 1) / 100.0
    weights: Floats = np.where(counts > 0, counts * 10 ** ((means - top_db) / 20), 0.0)
    return weights


def _mean(values: Floats, weights: Floats) -> float:
    total = float(weights.sum())
    return float((values * weights).sum() / total) if total else 0.0


def _side(bins: NDArray[np.int32], which: slice) -> float:
    counts = bins[:, :, L.B_COUNT]
    inside, outside = counts[:, counts.any(axis=0)][:, which].sum(axis=1)
    return float((inside - outside) / (inside + outside))


def _turn_rad(snap: Snapshot) -> float:
    pairs = int(snap.head[L.ALL_PAIRS])
    if pairs < L.MIN_PAIRS:
        return MOVING_RAD
    return int(snap.head[L.ALL_SUM]) / pairs * 2 * np.pi / L.TURN


def _centroid(weights: Floats, times: Floats) -> float | None:
    return _mean(times, weights) if weights.any() else None


def _crossing_us(balance: Floats, energy: Floats, times: Floats, middle_s: float) -> int:
    """Place the change of sign where the fewest energy has the wrong sign; the energy's centre where there is none."""
    signed = np.sign(balance) * energy
    if not (signed > 0).any() or not (signed < 0).any():
        return int(middle_s * 1e6)
    best = int(np.abs(2 * np.cumsum(signed) - signed.sum()).argmax())
    return int((times[best] + (times[1] - times[0]) / 2) * 1e6)
