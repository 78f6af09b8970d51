"""The gate at the door: holds the central's signed snapshot and decides which tag may leave, without the central.

Knows no reader, no window and no light: rows of movements come in and go out, exits go to `Signals`. Errors:
`GateError`, a message or a kept file that can't be used; none leaves the room but at `Uses.decode`.
"""

from edge.gate.asking import asking
from edge.gate.disk import USES, GateFiles
from edge.gate.errors import GateError
from edge.gate.gate import Gate, GateCounters
from edge.gate.judge import UNKNOWN_MODE, is_foreign
from edge.gate.keeper import GateKeeper
from edge.gate.port import Judged, Signals, Unlit
from edge.gate.snapshot import Snapshot
from edge.gate.store import CHANNELS, GateStore, StoreCounters
from edge.gate.uses import Uses

__all__ = [
    "CHANNELS",
    "UNKNOWN_MODE",
    "USES",
    "Gate",
    "GateCounters",
    "GateError",
    "GateFiles",
    "GateKeeper",
    "GateStore",
    "Judged",
    "Signals",
    "Snapshot",
    "StoreCounters",
    "Unlit",
    "Uses",
    "asking",
    "is_foreign",
]
