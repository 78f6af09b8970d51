"""Shell of one LLRP reader."""

from edge.readers.dial import TcpDialler
from edge.readers.errors import ReaderError
from edge.readers.listener import Listener, split_address
from edge.readers.model import (
    Chunk,
    ClockState,
    GpiSettings,
    OutputSettings,
    ReaderRow,
    ReaderSettings,
    ReferenceSettings,
    SweepWish,
    TlsSettings,
    TriggerSettings,
)
from edge.readers.outputs import OutputPort
from edge.readers.recorder import ReaderTap, Recorder
from edge.readers.references import Baselines
from edge.readers.supervisor import ReaderSupervisor
from edge.readers.sweep import SweepResult
from edge.readers.taps import Taps
from edge.readers.tls import try_files
from edge.readers.visit import visit_outputs

__all__ = [
    "Baselines",
    "Chunk",
    "ClockState",
    "GpiSettings",
    "Listener",
    "OutputPort",
    "OutputSettings",
    "ReaderError",
    "ReaderRow",
    "ReaderSettings",
    "ReaderSupervisor",
    "ReaderTap",
    "Recorder",
    "ReferenceSettings",
    "SweepResult",
    "SweepWish",
    "Taps",
    "TcpDialler",
    "TlsSettings",
    "TriggerSettings",
    "split_address",
    "try_files",
    "visit_outputs",
]
