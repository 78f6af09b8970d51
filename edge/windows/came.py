"""From which side a tag came that stopped in the doorway: its stay was told, what it does next is a visit of its own.

A visit ends where a tag comes to rest, or isn't heard for seconds. Who goes on afterwards, or back, is heard from the
middle of the doorway on, and by that alone nobody can tell which of the two he does: going back outside sounds like
going out.
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

RESTING_US: Final = 3_600_000_000
SILENT_US: Final = 60_000_000
"""So long a tag is remembered that came to rest, and one that wasn't heard any more: it may have gone anywhere."""
MOST: Final = 16_384
"""Tags remembered at most, 0.4 KB each: as many as stop and rest within an hour, whatever else is read there."""
_READS: Final = columns.INDEX["first8"]
_LEVEL: Final = columns.INDEX["early"]
_MANY: Final = columns.INDEX["log_reads"]
_FROM: Final[dict[Kind, float]] = {"in": 1.0, "out": -1.0}
"""Who was called through the doorway and then stands has come to the inside, or to the outside."""


@dataclass(slots=True)
class Arrivals:
    """Tags of a group that a visit was heard of lately, and from where; the oldest goes when `most` are known."""

    most: int
    _known: OrderedDict[tuple[int, bytes], Came] = field(default_factory=OrderedDict)

    def of(self, snap: Snapshot) -> Came | None:
        """Return from where a tag came, if it was in the doorway just before, or has rested there since."""
        known = self._known.get(_key(snap))
        if known is None or not snap.head[L.KNOWN_S]:
            return None
        away_us = int(snap.head[L.START_US]) - known.at_us
        return known if away_us <= (RESTING_US if known.rested else SILENT_US) else None

    def note(self, snap: Snapshot, measured: Measured, crossed: Kind | None) -> None:
        """Take a visit that has ended; `crossed` is which way it went through, if it did.

        A tag that only shifts from foot to foot still comes from where its stay began.
        """
        before = self.of(snap)
        self._known.pop(_key(snap), None)
        features = measured.features
        reads, level = float(features[_READS]), float(features[_LEVEL])
        if crossed in _FROM:
            reads = level = _FROM[crossed]
        elif before is not None:
            reads, level = before.reads, before.level
        last_us, rested = int(snap.head[L.LAST_US]), snap.why == L.SETTLED
        self._known[_key(snap)] = Came(reads, level, last_us, float(features[_MANY]), rested)
        if len(self._known) > self.most:
            self._known.popitem(last=False)

    def forget(self) -> None:
        """Time begins anew: nobody was here."""
        self._known.clear()


def _key(snap: Snapshot) -> tuple[int, bytes]:
    return int(snap.head[L.PORTAL]), snap.epc
