"""Which side was louder when: the balance of both, above zero inside, and the point at which it changed the most."""

import numpy as np
from numpy.typing import NDArray

from edge.windows import layout as L  # noqa: N812 (one letter keeps the column names readable in formulas)
from edge.windows.evidence import layout as E  # noqa: N812 (the same)
from edge.windows.evidence.levels.kernels import FLOOR_DB, db, ratio
from edge.windows.jit import njit

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]

PARTS = (0.4, 0.15)
"""Of the visit's energy: its early and its late part, and the thin ones."""
BESIDE_S = 1.0
"""Before and after a change, levels are looked at for so long."""


@njit(cache=True)
def gain(best: float, without: float) -> float:
    """Return what a change point adds to what none would explain, with the sign of the change."""
    more = abs(best) - abs(without)
    return 0.0 if more <= 0.0 else more if best > 0.0 else -more


@njit(cache=True)
def weigh(rows: F64, whole: F64) -> None:
    """Fill R_SHARE, R_BALANCE and R_FLAT; W_LEAN and W_LEAN_FLAT, their means over all of the energy."""
    lean = 0.0
    lean_flat = 0.0
    for i in range(rows.shape[1]):
        share = rows[E.R_AMP, i] / whole[E.W_AMP]
        inside = rows[E.R_SUM, i]
        outside = rows[E.R_SUM + 1, i]
        balance = ratio(inside - outside, inside + outside)
        inside = rows[E.R_MEAN, i]
        outside = rows[E.R_MEAN + 1, i]
        flat = ratio(inside - outside, inside + outside)
        rows[E.R_SHARE, i] = share
        rows[E.R_BALANCE, i] = balance
        rows[E.R_FLAT, i] = flat
        lean += share * balance
        lean_flat += share * flat
    whole[E.W_LEAN] = lean
    whole[E.W_LEAN_FLAT] = lean_flat


@njit(cache=True)
def parts(rows: F64, whole: F64) -> None:
    """Fill W_EARLY to W_LATE_THIN: balances over the energy's first and last parts, the outermost counting most."""
    for k in range(2):
        part = PARTS[k]
        early = 0.0
        early_weight = 0.0
        late = 0.0
        late_weight = 0.0
        done = 0.0
        for i in range(rows.shape[1]):
            e = rows[E.R_SHARE, i]
            done += e
            u = max(0.0, part - done + e) * e
            early += u * rows[E.R_BALANCE, i]
            early_weight += u
            u = max(0.0, done - 1.0 + part) * e
            late += u * rows[E.R_BALANCE, i]
            late_weight += u
        whole[E.W_EARLY + 2 * k] = ratio(early, early_weight)
        whole[E.W_LATE + 2 * k] = ratio(late, late_weight)


@njit(cache=True)
def change(rows: F64, whole: F64) -> None:
    """Fill W_CHANGE to W_AFTER: the point before and after which the balance differs the most.

    Where one side led throughout, the visit's loudest moment stands in for it.
    """
    lean = whole[E.W_LEAN]
    lean_flat = whole[E.W_LEAN_FLAT]
    best = 0.0
    best_flat = 0.0
    row = 0
    so_far = 0.0
    so_far_flat = 0.0
    done = 0.0
    whole[E.W_BEFORE] = lean
    whole[E.W_AFTER] = lean
    for i in range(rows.shape[1] - 1):
        e = rows[E.R_SHARE, i]
        so_far += e * rows[E.R_BALANCE, i]
        so_far_flat += e * rows[E.R_FLAT, i]
        done += e
        score = 2.0 * so_far - lean
        if abs(score) > abs(best):
            best = score
            row = i
            whole[E.W_BEFORE] = ratio(so_far, done)
            whole[E.W_AFTER] = ratio(lean - so_far, 1.0 - done)
        score = 2.0 * so_far_flat - lean_flat
        if abs(score) > abs(best_flat):
            best_flat = score
    whole[E.W_CHANGE] = gain(best, lean)
    whole[E.W_CHANGE_FLAT] = gain(best_flat, lean_flat)
    if whole[E.W_CHANGE] == 0.0:
        stand_in(rows, whole)
    else:
        whole[E.W_CHANGE_ROW] = row
        whole[E.W_CHANGE_T] = 0.5 * (rows[E.R_T, row] + rows[E.R_T, row + 1])


@njit(cache=True)
def stand_in(rows: F64, whole: F64) -> None:
    """Put the loudest moment in place of a change that there is not."""
    row = 0
    while row < rows.shape[1] - 1 and rows[E.R_T, row + 1] <= whole[E.W_LOUDEST]:
        row += 1
    whole[E.W_CHANGE_ROW] = row
    whole[E.W_CHANGE_T] = whole[E.W_LOUDEST]
    whole[E.W_BEFORE] = whole[E.W_LEAN]
    whole[E.W_AFTER] = whole[E.W_LEAN]


@njit(cache=True)
def beside(log: I32, rows: F64, sides: F64, whole: F64) -> None:
    """Fill S_BEFORE and S_AFTER: a side's mean level in the second before the change and in that after it."""
    total = np.zeros((2, 2))
    count = np.zeros((2, 2))
    for i in range(rows.shape[1]):
        d = rows[E.R_T, i] - whole[E.W_CHANGE_T]
        if abs(d) <= BESIDE_S:
            k = 1 if d > 0.0 else 0
            total[k, log[i, L.G_SIDE]] += rows[E.R_AMP, i]
            count[k, log[i, L.G_SIDE]] += 1.0
    for k in range(2):
        for s in range(2):
            heard = count[k, s] > 0.0
            sides[E.S_BEFORE + k, s] = db(total[k, s] / count[k, s]) if heard else FLOOR_DB


@njit(cache=True)
def meet(rows: F64, whole: F64) -> None:
    """Fill W_MEET and W_MEET_T: the highest amplitude that both sides had at one time."""
    best = 0.0
    at = whole[E.W_MIDDLE]
    for i in range(rows.shape[1]):
        fainter = min(rows[E.R_MEAN, i], rows[E.R_MEAN + 1, i])
        if fainter > best:
            best = fainter
            at = rows[E.R_T, i]
    whole[E.W_MEET] = best
    whole[E.W_MEET_T] = at


@njit(cache=True)
def outermost(log: I32, n: int, many: int) -> tuple[float, float]:
    """Return inside's share less the outside's, of so many of n reads from the first on, and up to the last."""
    many = min(many, n)
    first = 0.0
    last = 0.0
    for i in range(many):
        first += 1.0 - 2.0 * log[i, L.G_SIDE]
        last += 1.0 - 2.0 * log[n - 1 - i, L.G_SIDE]
    return first / many, last / many
