"""What an engine hands to the decision: one visit as it stood at one instant of event time."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A visit, or a candidate for a provisional; columns as in `layout`.

    Attributes:
        why: LEFT, SETTLED, VALLEY, EVICTED, FLUSHED or CANDIDATE.
        at_us: event time of the decision.
        epc: EPC bytes.
        head: (HEAD,) integers of the visit.
        ant: (antennas, ANT) integers.
        log: (n, LOG) the visit's reads in order, the older ones thinned.
    """

    why: int
    at_us: int
    epc: bytes
    head: NDArray[np.int64]
    ant: NDArray[np.int64]
    log: NDArray[np.int32]


class Engine(Protocol):
    """Keeps the state of every (tag, portal) pair; reads come in event order, records leave in the order of `at_us`."""

    @property
    def evicted(self) -> int:
        """Pairs that had to go because the table was full."""

    @property
    def quiet(self) -> int:
        """Visits that ended without anything to tell."""

    def advance(self, cols: NDArray[np.int64], keys: NDArray[np.uint8]) -> list[Snapshot]:
        """Take reads (`layout`: cols, and keys as in a slot) and return the records that they caused."""

    def sweep(self, before_us: int, *, flush: bool = False) -> list[Snapshot]:
        """End the visits whose silence was long enough before an instant; with `flush` all of them."""

    def known(self, since_us: int) -> int:
        """Count the pairs whose level at rest is known and that were heard since an instant."""
