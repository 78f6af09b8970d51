"""What isn't decided in a flood: a decision costs as much as a thousand reads, and a flood may ask for one a read.

Who opens a box of labels before the antennas, or plays noise at them, brings thousands of tags within seconds. Work is
bounded in event time, so that the same reads are decided alike however late they come: a visit of many reads is always
looked at, as reads themselves are bounded by the air; one of few, or of a stranger, only while there is room. The
quietest go first: of what is kept back for the others nothing is spent on them.
"""

from dataclasses import dataclass
from typing import Final

from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.snapshot import Snapshot

LOOKS_PER_S: Final = 1000
"""Looks at visits that are earned a second of event time: a fifth of a core. Five hundred residents that are strangers
as an agent starts are looked at within half a second of it."""
MOST_LOOKS: Final = 4000
"""Looks that are saved up: a lorry's load of tags that come and go within a second or two."""
KEPT_LOOKS: Final = 2000
"""Of which so many are kept for visits of FEW reads and more, and of tags that are no strangers: once no more are left,
strangers of fewer are refused until all are saved up again. Else they would be everyone's company in the flood."""
FEW: Final = 5
ENOUGH: Final = 15
"""A visit of so many reads is always looked at (its candidates come at most every 50 ms)."""


@dataclass(slots=True)
class Shedder:
    """One group's room for looks; counts what it refuses, and says whether a flood goes on (`flooded`)."""

    visits: int = 0
    candidates: int = 0
    flooded: bool = False
    _room_us: int = MOST_LOOKS * L.SECOND_US
    _now_us: int | None = None

    def spares(self, snap: Snapshot) -> bool:
        """Say whether there is no room to look at a visit, or at a candidate, of which nothing was told."""
        self._earn(snap.at_us)
        known = snap.head[L.BASE_CDBM] != L.NO_BASE
        reads = int(snap.head[L.REPORTS])
        self.flooded = self._room_us < (MOST_LOOKS if self.flooded else KEPT_LOOKS + 1) * L.SECOND_US
        refused = self._room_us < L.SECOND_US or (self.flooded and reads < FEW and not known)
        if reads < ENOUGH and refused:
            self.candidates += snap.why == L.CANDIDATE
            self.visits += snap.why != L.CANDIDATE
            return True
        self._room_us = max(0, self._room_us - L.SECOND_US)
        return False

    def forget(self) -> None:
        """Time begins anew."""
        self._now_us = None

    def _earn(self, at_us: int) -> None:
        if self._now_us is not None and at_us > self._now_us:
            earned_us = (at_us - self._now_us) * LOOKS_PER_S
            self._room_us = min(MOST_LOOKS * L.SECOND_US, self._room_us + earned_us)
        self._now_us = at_us if self._now_us is None else max(at_us, self._now_us)
