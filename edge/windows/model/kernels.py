"""Boosted trees walked node by node; leaves are integers, so that no order of adding changes a sum."""

# ruff: noqa: PLR0917 (a kernel takes its arrays one by one)

import numpy as np
from numpy.typing import NDArray

from edge.windows.jit import njit

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
I16 = NDArray[np.int16]


@njit(cache=True, inline="always")
def step(node: np.int64, x: F64, feature: I16, threshold: F32, below: I32) -> np.int64:
    """Return the node after one, a leaf after itself; without a branch, as nobody foresees its way."""
    column = feature[node]
    after = np.int64(below[node]) + (1 - int(x[column] <= threshold[node]))
    return after if column >= 0 else node


@njit(cache=True)
def walk(x: F64, roots: I32, feature: I16, threshold: F32, below: I32, leaf: I32, sums: I64) -> None:
    """Add the leaves that a row of features comes to.

    Args:
        x: (columns,) features.
        roots: (trees,) first node of each tree; tree k is of class k modulo the number of classes.
        feature: (nodes,) column that is asked for, -1 at a leaf.
        threshold: (nodes,) up to it the way goes to `below`, above it to the node after that.
        below: (nodes,) index of a node.
        leaf: (nodes,) value of a leaf in 1/65536.
        sums: (classes,) added to.
    """
    classes, last = sums.shape[0], roots.shape[0] - 1
    for k in range(0, last + 1, 4):  # four at a time: each would wait for memory at every node
        a, b = np.int64(roots[k]), np.int64(roots[min(k + 1, last)])
        c, d = np.int64(roots[min(k + 2, last)]), np.int64(roots[min(k + 3, last)])
        while max(feature[a], feature[b], feature[c], feature[d]) >= 0:
            a, b = step(a, x, feature, threshold, below), step(b, x, feature, threshold, below)
            c, d = step(c, x, feature, threshold, below), step(d, x, feature, threshold, below)
        sums[k % classes] += leaf[a]
        if k + 1 <= last:
            sums[(k + 1) % classes] += leaf[b]
        if k + 2 <= last:
            sums[(k + 2) % classes] += leaf[c]
        if k + 3 <= last:
            sums[(k + 3) % classes] += leaf[d]
