"""What companions say to one of them: their log-odds, weighed by how alike they are and by how much they were read."""

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.windows.evidence import columns, kernels

Floats = NDArray[np.float64]
COLUMNS: Final = ("weight", "close", "best", "reads", "top", "lag", "change")
"""After the companions' mean log-odds, and those added to the tag's own."""
KEPT_ODD: Final = ("lag_amp", "change", "now", "beams")
KEPT_EVEN: Final = (
    "log_reads", "duration", "top", "rise", "drop", "both", "meet", "stranger", "left", "settled", "per_side"
)  # fmt: skip
KEPT: Final = np.array([columns.INDEX[name] for name in (*KEPT_ODD, *KEPT_EVEN)])
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
    kernels.pool(own, told, odds, alike, out)
    return out


def digest() -> str:
    """Return 16 hex digits that name all features in their order; weights say for which ones they were fitted."""
    names = (*columns.NAMES, "together", *(columns.NAMES[at] for at in KEPT), *COLUMNS)
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
