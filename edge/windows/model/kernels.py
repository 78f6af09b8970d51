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
    classes = sums.shape[0]
    for k in range(roots.shape[0]):
        node = roots[k]
        while feature[node] >= 0:
            node = below[node] if x[feature[node]] <= threshold[node] else below[node] + 1
        sums[k % classes] += leaf[node]
