"""The fitted trees as they stand in the repo, and what walks them."""

import io
import json

import numpy as np
import pytest

from edge.windows import WindowsError
from edge.windows.evidence import columns, together
from edge.windows.model import kernels, trees
from edge.windows.model.trees import Trees, model, shares

NAMES = {"alone": 6, "alone_early": 3, "together": 6, "together_early": 3}


def stump(column, threshold, leaves):
    """One tree a class: at most the threshold gives the first leaf, more the second."""
    classes = len(leaves)
    return Trees(
        classes=tuple("abcdef"[:classes]),
        base=np.zeros(classes, np.int64),
        roots=np.arange(0, 3 * classes, 3, dtype=np.int32),
        feature=np.array([column, -1, -1] * classes, np.int16),
        threshold=np.array([threshold, 0, 0] * classes, np.float32),
        below=np.concatenate([[3 * k + 1, 0, 0] for k in range(classes)]).astype(np.int32),
        leaf=np.concatenate([[0, *pair] for pair in leaves]).astype(np.int32) * trees.UNIT,
    )


def test_a_tree_goes_below_up_to_its_threshold_and_beyond_it_above():
    """Equal goes below, as where the trees were fitted."""
    three = stump(1, 0.5, [(3, 0), (0, 3), (0, 0)])
    assert three.odds(np.array([9.0, 0.5])).tolist() == [2.0, -1.0, -1.0]
    assert three.odds(np.array([9.0, 0.75])).tolist() == [-1.0, 2.0, -1.0]


@pytest.mark.parametrize("name", NAMES)
def test_the_weights_in_the_repo_are_walked_alike_compiled_and_plain(name):
    """Sums are integers, so there is nothing to round."""
    plainly = getattr(kernels.walk, "py_func", kernels.walk)
    fitted = model(name)
    rng = np.random.default_rng(1)
    for _ in range(20):
        x = np.round(rng.normal(0, 10, width(name)) * 4096) / 4096
        sums = [np.zeros(NAMES[name], np.int64) for _ in range(2)]
        kernels.walk(x, fitted.forest, sums[0])
        plainly(x, fitted.forest, sums[1])
        assert sums[0].tolist() == sums[1].tolist()


def grown(rng, depth):
    """Nodes of a tree that ends anywhere: [column, threshold, first of two below, leaf]."""
    nodes = [[-1, 0.0, 0, int(rng.integers(-99, 99))]]
    todo = [(0, depth)]
    while todo:
        node, left = todo.pop()
        if left == 0 or rng.random() < 0.3:
            continue
        nodes[node][:3] = int(rng.integers(5)), float(rng.integers(-3, 3)), len(nodes)
        todo += [(len(nodes), left - 1), (len(nodes) + 1, left - 1)]
        nodes += [[-1, 0.0, 0, int(rng.integers(-99, 99))] for _ in range(2)]
    return nodes


@pytest.mark.parametrize("count", [1, 3, 4, 6, 9])
def test_trees_of_any_depth_and_number_add_the_leaves_that_a_walk_one_by_one_comes_to(count):
    """Several are walked at once: those that have ended wait, and none counts twice."""
    rng = np.random.default_rng(count)
    nodes, roots = [], []
    for _ in range(count):
        at = len(nodes)
        roots.append(at)
        nodes += [[column, bar, below + at, leaf] for column, bar, below, leaf in grown(rng, 5)]
    x = rng.integers(-3, 3, 5).astype(np.float64)
    expected = np.zeros(3, np.int64)
    for k, root in enumerate(roots):
        node = root
        while nodes[node][0] >= 0:
            column, bar, below, _ = nodes[node]
            node = below if x[column] <= bar else below + 1
        expected[k % 3] += nodes[node][3]
    columns_of = [np.array(column) for column in zip(*nodes, strict=True)]
    kinds = (np.int16, np.float32, np.int32, np.int32)
    arrays = [column.astype(kind) for column, kind in zip(columns_of, kinds, strict=True)]
    sums = np.zeros(3, np.int64)
    forest = Trees(("a", "b", "c"), np.zeros(3, np.int64), np.array(roots, np.int32), *arrays).forest
    kernels.walk(x, forest, sums)
    assert sums.tolist() == expected.tolist()


def width(name):
    if name.startswith("alone"):
        return columns.COUNT
    return len(together.KEPT) + 3 * NAMES[name] + len(together.COLUMNS)


@pytest.mark.parametrize("name", NAMES)
def test_every_model_asks_for_columns_that_are_there(name):
    """The file and the code that measures agree on what is measured."""
    assert len(model(name).classes) == NAMES[name]
    assert model(name).feature.max() < width(name)


def test_the_weights_say_how_they_came_about_and_stay_small():
    """A command of the Makefile, and less than a megabyte."""
    payload = trees.files("edge.windows.model").joinpath(trees.FILE).read_bytes()
    with np.load(io.BytesIO(payload)) as held:
        about = json.loads(held["about"].tobytes())
    assert about["command"] == "make fit"
    assert about["schema"] == trees.SCHEMA
    assert len(payload) < 1_000_000


def test_weights_of_other_features_are_refused(monkeypatch):
    """Trees would walk past the end of what is measured, and say anything."""
    monkeypatch.setattr(together, "digest", lambda: "other")
    trees._file.cache_clear()
    with pytest.raises(WindowsError, match="fitted to other features"):
        trees._file()


def test_a_model_that_is_not_in_the_file_is_named():
    """The error says what to run."""
    with pytest.raises(WindowsError, match="no model 'aside': make it anew with `make fit`"):
        model("aside")


def test_shares_are_probabilities():
    """They add up to one, and equal odds share alike."""
    assert shares(np.zeros(4)).tolist() == [0.25] * 4
    assert shares(np.array([800.0, 0.0])).tolist() == [1.0, 0.0]
