"""Boosted trees walked node by node; leaves are integers, so that no order of adding changes a sum."""

import math

import numpy as np
from numpy.typing import NDArray

from edge.windows.jit import njit

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
I16 = NDArray[np.int16]
Forest = tuple[I64, I32, I16, F32, I32]
"""Base and roots, see `walk`, and the nodes under three widths: eight bytes each, so that a tree is on few cache lines.

places: (nodes, 4) int16, of which the first is the column that is asked for, -1 at a leaf, and the second how far on
    the node stands to which the way goes up to the threshold; above it, it goes to the one after that.
bars: (nodes, 2) float32, of which the second is the threshold.
leaves: (nodes, 2) int32, of which the second is a leaf's value in 1/65536.
"""
UNIT = 65536.0


@njit(cache=True, inline="always")
def step(node: np.int64, x: F64, places: I16, bars: F32) -> np.int64:
    """Return the node after one, a leaf after itself; without a branch, as nobody foresees its way."""
    column = places[node, 0]
    after = node + np.int64(places[node, 1]) + (1 - int(x[column] <= bars[node, 1]))
    return after if column >= 0 else node


@njit(cache=True)
def walk(x: F64, forest: Forest, sums: I64) -> None:
    """Add the leaves that a row of features comes to.

    Args:
        x: (columns,) features.
        forest: its roots, (trees,), are the first node of each tree; tree k is of class k modulo the number of classes.
        sums: (classes,) added to.
    """
    _, roots, places, bars, leaves = forest
    classes, last = sums.shape[0], roots.shape[0] - 1
    for k in range(0, last + 1, 4):  # four at a time: each would wait for memory at every node
        a, b = np.int64(roots[k]), np.int64(roots[min(k + 1, last)])
        c, d = np.int64(roots[min(k + 2, last)]), np.int64(roots[min(k + 3, last)])
        while max(places[a, 0], places[b, 0], places[c, 0], places[d, 0]) >= 0:
            a, b = step(a, x, places, bars), step(b, x, places, bars)
            c, d = step(c, x, places, bars), step(d, x, places, bars)
        sums[k % classes] += leaves[a, 1]
        if k + 1 <= last:
            sums[(k + 1) % classes] += leaves[b, 1]
        if k + 2 <= last:
            sums[(k + 2) % classes] += leaves[c, 1]
        if k + 3 <= last:
            sums[(k + 3) % classes] += leaves[d, 1]


@njit(cache=True)
def ask(x: F64, forest: Forest, out: F64) -> None:
    """Fill `out` (classes,) with log-odds, each against the mean of all."""
    sums = forest[0].copy()
    walk(x, forest, sums)
    mean = 0.0
    for k in range(sums.shape[0]):
        out[k] = sums[k] / UNIT
        mean += out[k]
    mean /= sums.shape[0]
    for k in range(sums.shape[0]):
        out[k] -= mean


@njit(cache=True)
def shares(odds: F64) -> F64:
    """Return probabilities of log-odds, to a millionth."""
    top = odds[0]
    for k in range(1, odds.shape[0]):
        top = max(top, odds[k])
    raised = np.empty(odds.shape[0])
    total = 0.0
    for k in range(odds.shape[0]):
        raised[k] = math.exp(odds[k] - top)
        total += raised[k]
    for k in range(odds.shape[0]):
        raised[k] = round(raised[k] / total * 1e6) / 1e6
    return raised
