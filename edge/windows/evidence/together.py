"""What companions say to one of them: their log-odds, weighed by how alike they are and by how much they were read."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.windows.evidence import columns

Floats = NDArray[np.float64]
LEAST_ALIKE: Final = 0.5
CLOSE: Final = 0.85
MOST_READS: Final = 30.0
COLUMNS: Final = ("weight", "close", "best", "reads", "top", "lag", "change")
"""After the companions' mean log-odds, and those added to the tag's own."""
LOG_READS: Final = columns.INDEX["log_reads"]
TOLD: Final = tuple(columns.INDEX[name] for name in ("log_reads", "top", "lag_amp", "change"))
"""What a visit tells its companions beside its log-odds."""


def pooled(own: Floats, told: Floats, odds: Floats, alike: Floats) -> Floats:
    """Return (2 * classes + len(COLUMNS),) what the company adds to a visit's features.

    Args:
        own: (classes,) the visit's own log-odds.
        told: (n, len(TOLD)) of its companions.
        odds: (n, classes) of theirs.
        alike: (n,) 0 to 1.
    """
    out = np.zeros(2 * len(own) + len(COLUMNS))
    out[: len(own)] = 0.0
    out[len(own) : 2 * len(own)] = own
    reads = np.exp(told[:, 0])
    weight = np.maximum(alike - LEAST_ALIKE, 0.0) ** 2 * 4 * np.minimum(reads / MOST_READS, 1.0)
    total = float(weight.sum())
    if total <= 0.0:
        return out
    mean = weight @ odds / (total + 0.05)
    rest = weight @ told / total
    out[: len(own)] = mean
    out[len(own) : 2 * len(own)] = own + mean * min(total, 3.0)
    out[2 * len(own) :] = (
        np.log1p(total), (alike >= CLOSE).sum(), alike.max(), rest[0], rest[1], rest[2], rest[3]
    )  # fmt: skip
    return np.round(out * 4096) / 4096
