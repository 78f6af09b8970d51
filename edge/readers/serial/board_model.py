"""Settings of boards that switch lights and sirens and see beams and door contacts."""

from dataclasses import dataclass
from typing import Literal

from edge.readers.model import GpiSettings

BoardProtocol = Literal["lcus", "modbus", "lines"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardSettings:
    """One board.

    Attributes:
        id: name in configuration, events and health.
        serial: device, or a URL that pyserial opens.
        protocol: `lcus` relays, `modbus` RTU relays and inputs, or `lines`: a serial port's control lines as inputs.
        baud: bits per second.
        unit: Modbus address of the board.
        outputs: how many relays it has; each is off when the agent connects and when it stops.
        timed_outputs: whether a `modbus` board ends a pulse by itself (see `modbus.TIMED_ON`).
        gpis: what is wired to its inputs.
        answer_timeout_s: longest wait for an answer before the question is asked again.
        backoff_base_s: the first retry waits between 0 and this; each further one up to twice as long.
        backoff_max_s: longest wait between two tries.
    """

    id: str
    serial: str
    protocol: BoardProtocol
    baud: int = 9_600
    unit: int = 1
    outputs: int = 0
    timed_outputs: bool = False
    gpis: tuple[GpiSettings, ...] = ()
    answer_timeout_s: float = 0.3
    backoff_base_s: float = 0.5
    backoff_max_s: float = 30.0

    @property
    def address(self) -> str:
        """Device and speed, for people."""
        return f"{self.serial} ({self.baud} baud)"
