"""Fit the trees: first each visit by itself, then again with what its companions say."""

import io
import json
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from edge.windows.evidence import columns, together
from edge.windows.model.trees import SCHEMA, UNIT

EARLY_CLASSES = ("in", "out", "none")
FOLDS = 4


@dataclass
class Shape:
    """How large a model may become."""

    trees: int
    leaves: int
    rate: float = 0.08
    least: int = 40
    ridge: float = 2.0


def mirror(x, classes):
    """Return rows as seen in a mirror: features alone, or some with three times the log-odds and the company's."""
    if x.shape[1] == columns.COUNT:
        return x[:, columns.MIRROR] * columns.SIGN
    out, begin = x.copy(), len(together.KEPT)
    out[:, : len(together.KEPT_ODD)] *= -1
    c = len(classes)
    swap = swapped(np.arange(c), classes)
    for block in range(begin, begin + 3 * c, c):
        out[:, block : block + c] = x[:, block + swap]
    for name in ("lag", "change"):
        out[:, begin + 3 * c + together.COLUMNS.index(name)] *= -1
    return out


def swapped(y, classes):
    """Return class numbers as seen in a mirror."""
    swap = np.array([classes.index({"in": "out", "out": "in"}.get(name, name)) for name in classes])
    return swap[y]


def fit(x, y, weight, classes, shape):
    """Return a fitted classifier; every row counts once as it is and once mirrored."""
    trees = HistGradientBoostingClassifier(
        max_iter=shape.trees,
        max_leaf_nodes=shape.leaves,
        learning_rate=shape.rate,
        min_samples_leaf=shape.least,
        l2_regularization=shape.ridge,
        max_bins=127,
        max_features=0.4,
        early_stopping=False,
        random_state=0,
    )
    both = np.r_[x, mirror(x, classes)]
    return trees.fit(both, np.r_[y, swapped(y, classes)], sample_weight=np.r_[weight, weight])


def odds(trees, x):
    """Return log-odds against their mean, the average of the row's and the mirrored row's."""
    raw = trees.decision_function(x)
    return raw - raw.mean(axis=1, keepdims=True)


def packed(trees, classes):
    """Return the arrays of `edge.windows.model.trees.Trees`."""
    feature, threshold, below, leaf, roots = [], [], [], [], []
    for stage in trees._predictors:
        for tree in stage:
            roots.append(len(feature))
            _pack(tree.nodes, feature, threshold, below, leaf)
    base = np.zeros(len(classes)) + trees._baseline_prediction.ravel()
    return {
        "base": np.round(base * UNIT).astype(np.int64),
        "roots": np.array(roots, np.int32),
        "feature": np.array(feature, np.int16),
        "threshold": np.array(threshold, np.float32),
        "below": np.array(below, np.int32),
        "leaf": np.array(leaf, np.int32),
    }


def _pack(nodes, feature, threshold, below, leaf):
    """Append a tree's nodes in an order in which both children of a node stand side by side."""
    queue = [(0, len(feature))]
    for column in (feature, threshold, below, leaf):
        column.append(0)
    while queue:
        at, place = queue.pop()
        node = nodes[at]
        if node["is_leaf"]:
            feature[place], leaf[place] = -1, round(float(node["value"]) * UNIT)
            continue
        first = len(feature)
        for column in (feature, threshold, below, leaf):
            column += [0, 0]
        feature[place], threshold[place], below[place] = int(node["feature_idx"]), float(node["num_threshold"]), first
        queue += [(int(node["left"]), first), (int(node["right"]), first + 1)]


def write(path, models, about):
    """Write the weights file: arrays of each model, and how they came about."""
    arrays = {f"{name}.{part}": value for name, (parts, _) in models.items() for part, value in parts.items()}
    classes = {name: {"classes": list(names)} for name, (_, names) in models.items()}
    told = {"schema": SCHEMA, "features": together.digest(), "models": classes}
    arrays["about"] = np.frombuffer(json.dumps(told | about, sort_keys=True).encode(), np.uint8)
    held = io.BytesIO()
    np.savez_compressed(held, **arrays)
    path.write_bytes(held.getvalue())
