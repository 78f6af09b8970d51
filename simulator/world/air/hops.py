"""In which order and for how long a reader uses its channels: a function of its seed and of time alone."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.world.air.layout import Ints
from simulator.world.values import ReaderTraits

HOP_US: Final = 200_000
"""Dwell on one of many channels [measured on an R420; FCC part 15.247 allows 400 ms]."""
STAY_US: Final = 4_000_000
"""Longest transmission on one of few channels, with the rest (ETSI EN 302 208, 4.3.6)."""
REST_US: Final = 100_000
"""Silence after that [the same; a recorded FX7500 keeps it, ECD data set]."""


@dataclass(frozen=True, slots=True)
class Hops:
    """Order (c,) of channel indices, dwell, and an instant at which a dwell begins."""

    order: Ints
    dwell_us: int
    offset_us: int

    @property
    def times(self) -> Ints:
        """One row of `Plan.rival_times`."""
        return np.array([len(self.order), self.dwell_us, self.offset_us], dtype=np.int64)


def hops_of(traits: ReaderTraits, seed: int) -> Hops:
    """A reader's own order: every channel as often as any other, as the FCC demands, and never one twice in a row."""
    rng = np.random.default_rng([seed, 0x40B5])
    dwell_us = HOP_US if traits.hopping else STAY_US
    order = rng.permutation(len(traits.frequencies_khz)).astype(np.int64)
    return Hops(order, dwell_us, -int(rng.integers(0, dwell_us)))
