"""What a visit's envelopes measure: pure arithmetic on a snapshot; dB and seconds."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.snapshot import Snapshot

Floats = NDArray[np.floating[Any]]
INSIDE: Final = 0
OUTSIDE: Final = 1
FLOOR_DB: Final = 3.0
"""A side that is silent while the other is heard is at least this far under the weakest level heard."""
EDGE_SHARE: Final = 0.4
END_BINS: Final = 3
END_READS: Final = 5.0
"""The first and last reads count by exp(-reads beyond them / 5)."""
SMOOTH_S: Final = 0.3
TAIL_S: Final = 0.5
SHORTEST_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Features:
    """What the decision looks at; pairs are (inside, outside).

    Attributes:
        early_db, late_db: balance inside minus outside over the first and the last of the visit's energy.
        lag: centroid of the outside envelope minus that of the inside one, over the energy's spread.
        first_in, last_in: share of the inside's reads less the outside's, in the first and the last bins heard.
        opening_in, closing_in: the same over the first and the last reads.
        rise_db: loudest bin of either side over the visit's ends.
        climb_db: that level over the visit's beginning.
        top_db: loudest bin of each side.
        tail_db: level of each side in the visit's last half second.
        weaker: the weaker side's share of the energy.
        reads: read reports.
        crossed_us: event time at which the balance changed sign, between the envelopes' weights.
    """

    early_db: float
    late_db: float
    lag: float
    first_in: float
    last_in: float
    opening_in: float
    closing_in: float
    rise_db: float
    climb_db: float
    top_db: tuple[float, float]
    tail_db: tuple[float, float]
    weaker: float
    reads: int
    crossed_us: int


def features(snap: Snapshot) -> Features | None:
    """Measure a visit's envelopes; None where nothing was heard."""
    width_s = int(snap.head[L.BIN_US]) / 1e6
    counts = snap.bins[:, :, L.B_COUNT].astype(np.float64)
    both = counts.sum(axis=0)
    used = np.flatnonzero(both)
    if not len(used):
        return None
    heard = counts > 0
    levels = np.where(heard, snap.bins[:, :, L.B_SUM] / np.maximum(counts, 1) / 100.0, -np.inf)
    top, least = levels.max(axis=1), float(levels[heard].min()) - FLOOR_DB
    weight = np.where(heard, counts * 10 ** ((levels - top.max()) / 20), 0.0)
    energy = weight.sum(axis=0)
    total, times = float(energy.sum()), (np.arange(L.BINS) + 0.5) * width_s
    filled, use = _smoothed(snap.bins, width_s)
    balance = np.where(use, filled[INSIDE] - filled[OUTSIDE], 0.0)
    share = np.cumsum(energy) / total
    early = energy * np.maximum(EDGE_SHARE - share + energy / total, 0.0)
    late = energy * np.maximum(share - 1 + EDGE_SHARE, 0.0)
    loudest = filled.max(axis=0)[use]
    level = float(loudest.max())
    begins, ends = float(loudest[:END_BINS].mean()), float(loudest[-END_BINS:].mean())
    middle = _mean(times, energy)
    spread = float(np.sqrt(_mean((times - middle) ** 2, energy)))
    sides = weight.sum(axis=1)
    apart = _mean(times, weight[OUTSIDE]) - _mean(times, weight[INSIDE]) if sides.all() else 0.0
    read = np.cumsum(both)
    lean = (counts[INSIDE] - counts[OUTSIDE]) / np.maximum(both, 1)
    tail = slice(max(0, int(used[-1]) + 1 - max(1, round(TAIL_S / width_s))), int(used[-1]) + 1)
    return Features(
        early_db=_mean(balance, early),
        late_db=_mean(balance, late),
        lag=apart / max(spread, SHORTEST_S),
        first_in=_side(counts[:, used[:END_BINS]]),
        last_in=_side(counts[:, used[-END_BINS:]]),
        opening_in=_mean(lean, both * np.exp((both - read) / END_READS)),
        closing_in=_mean(lean, both * np.exp((read - read[-1]) / END_READS)),
        rise_db=level - (begins + ends) / 2,
        climb_db=level - begins,
        top_db=(max(float(top[INSIDE]), least), max(float(top[OUTSIDE]), least)),
        tail_db=(_level(snap.bins[INSIDE, tail], least), _level(snap.bins[OUTSIDE, tail], least)),
        weaker=float(sides.min()) / total,
        reads=int(snap.head[L.REPORTS]),
        crossed_us=int(snap.head[L.BIN0_US]) + _crossing_us(balance, energy, times, middle),
    )


def _smoothed(bins: NDArray[np.int32], width_s: float) -> tuple[Floats, NDArray[np.bool_]]:
    """Return both sides' levels over 0.3 s, silence filled in, and where either was heard."""
    box = np.ones(max(1, round(SMOOTH_S / width_s) | 1))
    sums, counts = (
        np.array([np.convolve(bins[g, :, v], box, "same") for g in (INSIDE, OUTSIDE)]) for v in (L.B_SUM, L.B_COUNT)
    )
    heard: NDArray[np.bool_] = counts > 0
    levels = sums / np.maximum(counts, 1) / 100.0
    return np.where(heard, levels, float(levels[heard].min()) - FLOOR_DB), heard[INSIDE] | heard[OUTSIDE]


def _mean(values: Floats, weights: Floats) -> float:
    total = float(weights.sum())
    return float(values @ weights) / total if total else 0.0


def _side(counts: Floats) -> float:
    inside, outside = counts.sum(axis=1)
    return float((inside - outside) / (inside + outside))


def _level(bins: NDArray[np.int32], least: float) -> float:
    reads = int(bins[:, L.B_COUNT].sum())
    return int(bins[:, L.B_SUM].sum()) / reads / 100.0 if reads else least


def _crossing_us(balance: Floats, energy: Floats, times: Floats, middle_s: float) -> int:
    """Place the change of sign where the fewest energy has the wrong sign; the energy's centre where there is none."""
    signed = np.sign(balance) * energy
    if signed.max() <= 0 or signed.min() >= 0:
        return int(middle_s * 1e6)
    so_far = np.cumsum(signed)
    best = int(np.abs(2 * so_far - so_far[-1]).argmax())
    return int((times[best] + (times[1] - times[0]) / 2) * 1e6)
