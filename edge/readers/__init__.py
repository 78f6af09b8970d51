"""Shell of one LLRP reader."""

from edge.readers.errors import ReaderError
from edge.readers.model import Chunk, ClockState, GpiSettings, ReaderRow, ReaderSettings
from edge.readers.recorder import Recorder
from edge.readers.supervisor import ReaderSupervisor

__all__ = [
    "Chunk",
    "ClockState",
    "GpiSettings",
    "ReaderError",
    "ReaderRow",
    "ReaderSettings",
    "ReaderSupervisor",
    "Recorder",
]
