"""What the world and the readers exchange."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal["in", "out", "turned_back", "near", "parked"]
"""What a tag truly did at a portal, by the definitions of the movement event."""


@dataclass(frozen=True, slots=True)
class Read:
    """One tag read of a reader, with times in microseconds of scenario time.

    Attributes:
        phase: 12-bit steps, 4096 to a turn.
        channel: index from 1 into the reader's frequency table.
        last_us: -1 where it equals `at_us`.
    """

    at_us: int
    antenna: int
    epc: bytes
    rssi_cdbm: int
    phase: int
    channel: int
    seen_count: int = 1
    last_us: int = -1


@dataclass(frozen=True, slots=True)
class Crossing:
    """One true visit of a tag to a portal, in scenario time."""

    epc: bytes
    portal: str
    kind: Kind
    started_us: int
    crossed_us: int | None
    ended_us: int


class Source(Protocol):
    """Where reads come from: a simulated world or a recording."""

    def advance(self, reader: str, until_us: int, radio: "RadioState | None") -> Sequence[Read]:
        """Reads of that reader up to a time, in order; times only rise, and no read is given twice.

        `radio` is None while the reader doesn't inventory: what a tag would have said then is gone.
        """

    def take_crossings(self, until_us: int) -> Sequence[Crossing]:
        """True visits that ended since the last call."""

    @property
    def residents(self) -> Sequence[bytes]:
        """EPCs of tags in range that never move."""

    @property
    def ends_us(self) -> int | None:
        """When nothing more happens; None is never."""


class RadioState(Protocol):
    """What a reader's client asked its antennas to do."""

    @property
    def antennas(self) -> tuple[int, ...]:
        """Ports in use."""

    @property
    def power_dbm(self) -> Mapping[int, float]:
        """Transmit power by port, where the client set one."""
