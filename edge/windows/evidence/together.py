"""What companions say to one of them: their log-odds, weighed by how alike they are and by how much they were read."""

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.windows.evidence import columns

Floats = NDArray[np.float64]
CLOSE: Final = 0.85
MOST_READS: Final = 15.0
"""From so many reads on a companion counts in full."""
SHARED: Final = 0.5
MOST_WEIGHT: Final = 3.0
"""What hides one tag from an antenna hides its neighbour too: twenty companions are hardly more than three."""
COLUMNS: Final = ("weight", "close", "best", "reads", "top", "lag", "change")
"""After the companions' mean log-odds, and those added to the tag's own."""
KEPT_ODD: Final = ("lag_amp", "change", "now", "beams")
KEPT_EVEN: Final = (
    "log_reads", "duration", "top", "rise", "drop", "both", "meet", "stranger", "left", "settled", "per_side"
)  # fmt: skip
KEPT: Final = [columns.INDEX[name] for name in (*KEPT_ODD, *KEPT_EVEN)]
"""Features that are looked at again in company. With all of them the trees know each trolley again, and learn it."""
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
    out[len(own) : 2 * len(own)] = own
    reads = np.exp(told[:, 0])
    weight = (alike * alike) ** 2 * np.minimum(reads / MOST_READS, 1.0)
    total = float(weight.sum())
    if total <= 0.0:
        return out
    mean = weight @ odds / (total + 0.05)
    rest = weight @ told / total
    out[: len(own)] = mean
    out[len(own) : 2 * len(own)] = own + SHARED * mean * min(total, MOST_WEIGHT)
    out[2 * len(own) :] = (
        np.log1p(total), (alike >= CLOSE).sum(), alike.max(), rest[0], rest[1], rest[2], rest[3]
    )  # fmt: skip
    return np.round(out * 4096) / 4096


def digest() -> str:
    """Return 16 hex digits that name all features in their order; weights say for which ones they were fitted."""
    names = (*columns.NAMES, "together", *(columns.NAMES[at] for at in KEPT), *COLUMNS)
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
