"""How well the models do on doors that they haven't seen, line by line."""

import numpy as np

from edge.windows.evidence import columns
from tests.fit.gather import f1, table
from tests.fit.labels import CLASSES

BANDS = ((1, 5), (5, 15), (15, 40), (40, 10**9))


def late_report(examples, task, odds, name):
    """Yield the lines for finals."""
    told = task.told
    truth, call = task.y[told], odds[told].argmax(axis=1)
    reads = np.exp(examples.x[told][:, columns.INDEX["log_reads"]])
    three = np.where(truth < 2, truth, 2), np.where(call < 2, call, 2)
    moved = truth < 5
    yield f"{name}: five classes {f1(truth, call)}, of what moved {f1(truth[moved], call[moved])[0]:.4f}"
    yield f"  three classes {f1(*three, 3)}"
    through = truth < 2
    wrong = through & (call < 2) & (call != truth)
    yield f"  crossings {through.sum()}: wrong way {wrong.sum()}, not called {(through & (call >= 2)).sum()}; "
    yield f"  others {(~through).sum()}: called crossings {(~through & (call < 2)).sum()}"
    yield " " * 14 + "".join(f"{kind[:7]:>8}" for kind in CLASSES)
    yield from table(truth, call)
    for least, most in BANDS:
        band = (reads >= least - 0.5) & (reads < most - 0.5)
        both = band & through
        yield (
            f"  {least}-{most - 1} reads: {np.mean(truth[band & moved] == call[band & moved]):.3f} right of "
            f"{(band & moved).sum()}; crossings {np.mean(truth[both] == call[both]):.3f} of {both.sum()}"
        )
    yield from reliability(odds[told], truth)


def early_report(examples, task, odds, name):
    """Yield the lines for provisionals: at thresholds the share of visits that get one, false ones, and their delay."""
    told = task.told
    share = np.exp(odds - odds.max(axis=1, keepdims=True))
    share = (share / share.sum(axis=1, keepdims=True))[told]
    columns_of = {key: value[told] for key, value in examples.columns.items()}
    truth = task.y[told]
    best = share[:, :2].argmax(axis=1)
    yield f"{name}: log loss {-np.log(share[np.arange(len(truth)), truth]).mean():.4f} of {len(truth)} looks"
    for least in (0.8, 0.9, 0.95, 0.97, 0.99):
        called = share[:, :2].max(axis=1) >= least
        beyond = columns_of["later"] != best
        yield (
            f"  from {least}: {called.sum()} looks called, {np.mean(truth[called] != best[called]):.4f} before their "
            f"time or wrong, {np.mean(beyond[called]):.4f} never true"
        )
    yield from reliability(odds[told], truth)


def reliability(odds, truth):
    """Yield how often the likeliest class was right, by decile of what was claimed."""
    share = np.exp(odds - odds.max(axis=1, keepdims=True))
    claimed = share.max(axis=1) / share.sum(axis=1)
    right = odds.argmax(axis=1) == truth
    order = np.argsort(claimed)
    parts = [f"{claimed[k].mean():.3f}/{right[k].mean():.3f}" for k in np.array_split(order, 10)]
    yield "  claimed/right by decile: " + " ".join(parts)
