"""What the world and the readers exchange."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.world.command import R420_HABITS, AirCommand, InventoryHabits

Kind = Literal["in", "out", "turned_back", "near", "parked"]
"""What a tag truly did at a portal, by the definitions of the movement event."""
TagState = Literal["ok", "dead", "foil", "peeled"]
"""Why an asset may never be read: its tag is broken, wrapped in metal, or was taken off."""
Ints = NDArray[np.int64]
NO_TAG: Final = -1
"""Index of a read that comes from no tag of the scenario, such as a ghost."""


@dataclass(frozen=True, slots=True)
class Reads:
    """Tag reads of one reader as columns of equal length (n), in the order of their times.

    Attributes:
        at_us: (n,) first seen, microseconds of scenario time.
        last_us: (n,) last seen; equal to `at_us` for a single read.
        antenna: (n,) LLRP port.
        tag: (n,) index of the tag in its scenario (its number less one), or `NO_TAG`.
        epc: (n, w) uint8, the EPC's bytes, zero behind its end.
        epc_bytes: (n,) length of each EPC.
        rssi_cdbm: (n,) peak RSSI in hundredths of a dBm, in the reader's own steps.
        phase: (n,) 12-bit steps, 4096 to a turn.
        doppler: (n,) sixteenths of a hertz, as Impinj readers report it.
        channel: (n,) index from 1 into the reader's frequency table.
        seen: (n,) how many singulations this is.
    """

    at_us: Ints
    last_us: Ints
    antenna: Ints
    tag: Ints
    epc: NDArray[np.uint8]
    epc_bytes: Ints
    rssi_cdbm: Ints
    phase: Ints
    doppler: Ints
    channel: Ints
    seen: Ints

    def __len__(self) -> int:
        return len(self.at_us)

    def at(self, chosen: NDArray[np.intp] | slice) -> "Reads":
        """Some of these reads."""
        return Reads(*(getattr(self, name)[chosen] for name in self.__slots__))

    def epc_of(self, index: int) -> bytes:
        """EPC of one read."""
        return self.epc[index, : self.epc_bytes[index]].tobytes()

    def rows(self) -> "list[Read]":
        """Each read by itself, for who looks at few."""
        return [
            Read(
                at_us=int(self.at_us[index]),
                antenna=int(self.antenna[index]),
                epc=self.epc_of(index),
                rssi_cdbm=int(self.rssi_cdbm[index]),
                phase=int(self.phase[index]),
                channel=int(self.channel[index]),
                seen_count=int(self.seen[index]),
                last_us=int(self.last_us[index]),
                tag=int(self.tag[index]),
            )
            for index in range(len(self))
        ]


@dataclass(frozen=True, slots=True)
class Read:
    """One tag read, for who makes reads one by one; see `Reads`. `last_us` is -1 where it equals `at_us`."""

    at_us: int
    antenna: int
    epc: bytes
    rssi_cdbm: int
    phase: int
    channel: int
    seen_count: int = 1
    last_us: int = -1
    tag: int = NO_TAG


def columns(reads: Sequence[Read]) -> Reads:
    """Single reads as columns."""
    if not reads:
        return no_reads()
    width = max(len(read.epc) for read in reads)
    epc = b"".join(read.epc.ljust(width, b"\0") for read in reads)
    numbers = np.array(
        [
            (
                read.at_us,
                read.at_us if read.last_us < 0 else read.last_us,
                read.antenna,
                read.tag,
                len(read.epc),
                read.rssi_cdbm,
                read.phase,
                0,
                read.channel,
                read.seen_count,
            )
            for read in reads
        ],
        dtype=np.int64,
    ).T
    return Reads(
        at_us=numbers[0],
        last_us=numbers[1],
        antenna=numbers[2],
        tag=numbers[3],
        epc=np.frombuffer(epc, dtype=np.uint8).reshape(len(reads), width),
        epc_bytes=numbers[4],
        rssi_cdbm=numbers[5],
        phase=numbers[6],
        doppler=numbers[7],
        channel=numbers[8],
        seen=numbers[9],
    )


def no_reads() -> Reads:
    """No reads at all."""
    empty = np.zeros(0, dtype=np.int64)
    return Reads(
        at_us=empty,
        last_us=empty,
        antenna=empty,
        tag=empty,
        epc=np.zeros((0, 12), dtype=np.uint8),
        epc_bytes=empty,
        rssi_cdbm=empty,
        phase=empty,
        doppler=empty,
        channel=empty,
        seen=empty,
    )


@dataclass(frozen=True, slots=True)
class Crossing:
    """One true visit of an asset to a portal, in scenario time.

    Attributes:
        portal: a portal's id, or an opening's.
        group: the walk that carried it: the same for all that moved together.
        reads: reads of its tag that the portal's antennas gave during the visit.
        tag: whether its tag could be read at all.
        monitored: False at an opening without a portal.
    """

    epc: bytes
    portal: str
    kind: Kind
    started_us: int
    crossed_us: int | None
    ended_us: int
    group: str = ""
    reads: int = 0
    tag: TagState = "ok"
    monitored: bool = True


@dataclass(frozen=True, slots=True)
class InputChange:
    """A beam, contact, motion sensor or badge reader changes a reader's input."""

    at_us: int
    reader: str
    port: int
    high: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderTraits:
    """What a reader's model says of its radio.

    Attributes:
        frequencies_khz: its channels, in the order in which it lists them.
        hopping: whether it hops over all of them, or stays on one and changes rarely.
        sensitivity_dbm: the weakest answer that it hears: -84 (R420) to -92 (R700).
        rssi_step_cdbm: resolution of its RSSI.
        half_turns: whether its phase is ambiguous by half a turn after each hop (Impinj).
        habits: what its firmware does by itself.
    """

    frequencies_khz: Sequence[int]
    hopping: bool = True
    sensitivity_dbm: float = -84.0
    rssi_step_cdbm: int = 50
    half_turns: bool = True
    habits: InventoryHabits = R420_HABITS


class RadioState(Protocol):
    """What a reader's client, and its faults, make of its antennas."""

    @property
    def antennas(self) -> tuple[int, ...]:
        """Ports in use, in the order in which they take turns."""

    @property
    def power_dbm(self) -> Mapping[int, float]:
        """Transmit power by port, where the client set one."""

    @property
    def commands(self) -> Mapping[int, AirCommand]:
        """Mode, session, filters and search mode by port, where the client set them."""

    @property
    def extra_loss_db(self) -> Mapping[int, float]:
        """Loss of a port's damaged or detuned cable, each way; infinite where nothing comes through."""

    @property
    def noise_db(self) -> float:
        """By how much interference raises the reader's noise floor."""


class Source(Protocol):
    """Where reads come from: a simulated world or a recording."""

    def advance(self, reader: str, until_us: int, radio: RadioState | None) -> Reads:
        """Reads of that reader up to a time, in order; times only rise, and no read is given twice.

        `radio` is None while the reader doesn't inventory: what a tag would have said then is gone.
        """

    def take_crossings(self, until_us: int) -> Sequence[Crossing]:
        """True visits that ended since the last call."""

    def take_inputs(self, until_us: int) -> Sequence[InputChange]:
        """Changes of readers' inputs since the last call, in order."""

    @property
    def residents(self) -> Sequence[bytes]:
        """EPCs of tags in range that never move."""

    @property
    def ends_us(self) -> int | None:
        """When nothing more happens; None is never."""
