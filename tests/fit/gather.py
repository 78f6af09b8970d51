"""Examples of many doors as one set of arrays."""

from dataclasses import dataclass

import numpy as np

from edge.windows.evidence import columns, together
from tests.fit import doors
from tests.fit.labels import CLASSES


@dataclass
class Set:
    """All examples; `rows` are features, `row` says which is each example's, `door` where it comes from.

    Attributes:
        company: (m, 3) example, row and likeness of each companion, by example.
    """

    rows: np.ndarray
    row_door: np.ndarray
    row: np.ndarray
    door: np.ndarray
    company: np.ndarray
    columns: dict

    @property
    def x(self):
        return self.rows[self.row]


def gather(seeds, name):
    """Return the examples of some doors."""
    rows, row_door, row, door, company, rest = [], [], [], [], [], []
    begin, first = 0, 0
    for seed in seeds:
        one = doors.examples(seed, name)
        rows.append(one["rows"].reshape(-1, columns.COUNT))
        row_door.append(np.full(len(one["rows"]), seed))
        row.append(one["row"] + begin)
        door.append(np.full(len(one["row"]), seed))
        company.append(one["company"].astype(np.float64) + np.array([first, begin, 0.0]))
        rest.append({key: value for key, value in one.items() if key not in {"rows", "row", "company"}})
        begin += len(one["rows"])
        first += len(one["row"])
    told = {key: np.concatenate([one[key] for one in rest]) for key in rest[0]}
    parts = (rows, row_door, row, door, company)
    return Set(*(np.concatenate(part) for part in parts), told)


def with_company(examples, own_odds, row_odds):
    """Return features with what companions add: own log-odds, their mean, both added, and the company's columns.

    Args:
        examples: the set.
        own_odds: (examples, classes).
        row_odds: (rows, classes).
    """
    classes = own_odds.shape[1]
    more = np.zeros((len(own_odds), 2 * classes + len(together.COLUMNS)))
    order = examples.company[:, 0].astype(int)
    edges = np.searchsorted(order, np.arange(len(own_odds) + 1))
    member, alike = examples.company[:, 1].astype(int), examples.company[:, 2]
    told = examples.rows[:, together.TOLD].astype(np.float64)
    for k in range(len(own_odds)):
        some = slice(edges[k], edges[k + 1])
        more[k] = together.pooled(own_odds[k], told[member[some]], row_odds[member[some]], alike[some])
    return np.c_[examples.x[:, together.KEPT], np.round(own_odds * 4096) / 4096, more]


def f1(truth, called, count=5):
    """Macro F1 over the kinds that have a final."""
    scores = []
    for kind in range(count):
        hit = ((truth == kind) & (called == kind)).sum()
        scores.append(2 * hit / max((truth == kind).sum() + (called == kind).sum(), 1))
    return float(np.mean(scores)), [round(float(score), 3) for score in scores]


def table(truth, called):
    """Lines of truth against call."""
    for kind, name in enumerate(CLASSES):
        row = [int(((truth == kind) & (called == other)).sum()) for other in range(len(CLASSES))]
        yield f"  {name:12}" + "".join(f"{number:8}" for number in row)
