"""From which side a tag came that stopped in the doorway: its stay was told, what it does next is a visit of its own.

A visit ends where a tag comes to rest (`SETTLED`). Who goes on afterwards, or back, is heard from the middle of the
doorway on, and by that alone nobody can tell which of the two he does: going back outside sounds like going out.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from edge.contracts import Kind
from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.around import Came
from edge.windows.evidence import columns
from edge.windows.evidence.measure import Measured
from edge.windows.snapshot import Snapshot

MEMORY_US: Final = 3_600_000_000
_READS: Final = columns.INDEX["first8"]
_LEVEL: Final = columns.INDEX["early"]
_FROM: Final[dict[Kind, float]] = {"in": 1.0, "out": -1.0}
"""Who was called through the doorway and then stands has come to the inside, or to the outside."""


@dataclass(slots=True)
class Arrivals:
    """Tags of a group that came to rest after a visit, and from where; the oldest goes when `most` are known."""

    most: int
    _known: OrderedDict[tuple[int, bytes], Came] = field(default_factory=OrderedDict)

    def of(self, snap: Snapshot) -> Came | None:
        """Return from where a tag came, if it has rested in the doorway since."""
        known = self._known.get(_key(snap))
        away_us = 0 if known is None else int(snap.head[L.START_US]) - known.at_us
        return known if snap.head[L.KNOWN_S] and away_us <= MEMORY_US else None

    def note(self, snap: Snapshot, measured: Measured, crossed: Kind | None) -> None:
        """Take a visit that has ended; `crossed` is which way it went through, if it did.

        A tag that only shifts from foot to foot still comes from where its stay began.
        """
        before = self.of(snap)
        self._known.pop(_key(snap), None)
        if snap.why != L.SETTLED:
            return
        last_us = int(snap.head[L.LAST_US])
        if crossed in _FROM:
            side = _FROM[crossed]
            came = Came(side, side, last_us)
        elif before is not None:
            came = Came(before.reads, before.level, last_us)
        else:
            came = Came(float(measured.features[_READS]), float(measured.features[_LEVEL]), last_us)
        self._known[_key(snap)] = came
        if len(self._known) > self.most:
            self._known.popitem(last=False)

    def forget(self) -> None:
        """Time begins anew: nobody was here."""
        self._known.clear()


def _key(snap: Snapshot) -> tuple[int, bytes]:
    return int(snap.head[L.PORTAL]), snap.epc
