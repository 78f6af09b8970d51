"""Who moves together: the visits of one portal that are under way, and how alike their outlines are in time."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.windows.evidence import kernels
from edge.windows.evidence.measure import Measured
from edge.windows.looks import kernels as looks

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
PLACES: Final = 256
"""Visits that are compared at most; of more the one that was heard longest ago goes."""
MEMORY_US: Final = 6_000_000
"""A visit that was last heard longer ago is no companion of one that is decided now."""


@dataclass(frozen=True, slots=True)
class Companions:
    """Others that were here meanwhile: which places, and how alike (0 to 1)."""

    places: Ints
    alike: Floats


class Company:
    """One portal's visits, each as it was last seen; places are given to tags as they come."""

    def __init__(self, width: int) -> None:
        self._places: dict[bytes, int] = {}
        self._epcs: list[bytes] = []
        self._outlines = np.zeros((PLACES, 2, kernels.OUTLINE))
        self._bins = np.zeros(PLACES, np.int64)
        self._last_us = np.full(PLACES, -(1 << 62), np.int64)
        self.values = np.zeros((PLACES, width))

    def note(self, epc: bytes, last_us: int, seen: Measured, values: Floats) -> int:
        """Take a visit as it is now, with what is told of it to its companions; return its place."""
        place = self._place(epc)
        self._outlines[place] = seen.outline
        self._bins[place] = seen.last_bin
        self._last_us[place] = last_us
        self.values[place] = values
        return place

    def beside(self, epc: bytes, last_us: int, seen: Measured) -> Companions:
        """Compare a visit with all others that were heard within some seconds of it."""
        places, alike = np.empty(len(self._epcs), np.int64), np.empty(len(self._epcs))
        count = looks.beside(
            seen.outline, seen.last_bin, last_us, self._places.get(epc, -1), MEMORY_US, len(self._epcs),
            self._outlines, self._bins, self._last_us, places, alike,
        )  # fmt: skip
        return Companions(places[:count], alike[:count])

    def names(self, places: Ints) -> list[bytes]:
        """Return the tags at some places."""
        return [self._epcs[place] for place in places.tolist()]

    def _place(self, epc: bytes) -> int:
        place = self._places.get(epc)
        if place is not None:
            return place
        if len(self._epcs) < PLACES:
            place = len(self._epcs)
            self._epcs.append(epc)
        else:
            place = int(self._last_us.argmin())
            del self._places[self._epcs[place]]
            self._epcs[place] = epc
        self._places[epc] = place
        return place
