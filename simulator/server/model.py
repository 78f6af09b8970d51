"""What kind of reader is played: antennas, power table, channels, and their capabilities as LLRP (LLRP 1.0.1, 9.2)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from simulator.server.codes import ParameterType
from simulator.server.wire import IMPINJ, tlv
from simulator.world.command import DENSE_M4, R420_HABITS, InventoryHabits, ModeTiming
from simulator.world.values import ReaderTraits

FCC_KHZ: Final = tuple(902_750 + 500 * (17 * step % 50) for step in range(50))
"""The 50 hopping channels of FCC part 15.247, in an order that spreads neighbours (17 and 50 have no common factor)."""

ETSI_KHZ: Final = (865_700, 866_300, 866_900, 867_500)
"""The four channels of the ETSI lower band."""

_FCC_STANDARD: Final = 1
_ETSI_STANDARD: Final = 2
_COUNTRY: Final = {_FCC_STANDARD: 840, _ETSI_STANDARD: 276}
_SENSITIVITIES: Final = (0, *range(10, 51))
_GPI_PORTS: Final = 4
_GPO_PORTS: Final = 4
_UTC_CLOCK: Final = 0x4000
_RF_SURVEY: Final = 0x80
_REPORT_BUFFER_WARNING: Final = 0x40
_REPORT_HOLDING: Final = 0x08


_MILLER: Final = (1, 2, 4, 8)
"""Cycles a symbol by Modulation of the mode table: FM0, Miller 2, 4 and 8."""


@dataclass(frozen=True, slots=True)
class RfMode:
    """One entry of the table of modes, and what it is on the air.

    Attributes:
        modulation: 0 is FM0, 1 to 3 are Miller 2, 4 and 8.
        backscatter_hz: as the table says; Impinj lists the link frequency, others the data rate.
        pie_ratio: in thousandths.
        played: its timing on the air where the table doesn't tell it.
    """

    id: int
    modulation: int
    backscatter_hz: int
    pie_ratio: int
    tari_ns: int
    played: ModeTiming | None = None

    @property
    def timing(self) -> ModeTiming:
        """What the mode means on the air, by the table's values where nothing else is known."""
        if self.played is not None:
            return self.played
        return ModeTiming(_MILLER[self.modulation], self.backscatter_hz, self.tari_ns / 1000, self.pie_ratio / 1000)


IMPINJ_MODES: Final = (
    RfMode(0, 0, 640_000, 1500, 6250),
    RfMode(1, 1, 640_000, 1500, 6250),
    RfMode(2, 2, 274_000, 2000, 20_000),
    RfMode(3, 3, 170_000, 2000, 20_000),
    RfMode(1000, 2, 0, 2000, 20_000, DENSE_M4),
    RfMode(1002, 2, 0, 2000, 20_000, DENSE_M4),
)
"""The fast and dense-reader modes of an R420, and two of those that choose by themselves, mostly the dense one."""

ZEBRA: Final = 161
"""IANA enterprise number of Zebra (Motorola, Symbol)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderModel:
    """A reader's fixed properties; the defaults play a four-port Impinj Speedway R420 for the FCC region.

    Attributes:
        powers_cdbm: the transmit power table in the order of its indices.
        first_power_index: index of the first entry; LLRP says 1, some say 0.
        powers_in_text_order: the table is listed as if its indices were words: 0, 1, 10, 100, 101, 11, ...
        frequencies_khz: the hop table or, without hopping, the fixed table; channel indices begin at 1.
        max_filters: Select filters that one query takes.
        surveys: whether it does RF surveys.
        queue_messages: how many it keeps for the next client while none is there; 0 keeps none.
        country: ISO number in RegulatoryCapabilities; None is 840 where it hops, else 276.
        standard: CommunicationsStandard there; None is that of the FCC where it hops, else ETSI's.
        sensitivity_dbm: the weakest answer that it hears.
        rssi_step_cdbm: resolution of its RSSI.
        half_turns: whether its phase is ambiguous by half a turn after each hop.
        habits: what its firmware does on the air by itself.
    """

    manufacturer: int = IMPINJ
    model: int = 2_001_002
    firmware: str = "5.14.0.240"
    antennas: int = 4
    powers_cdbm: tuple[int, ...] = tuple(range(1000, 3001, 25))
    frequencies_khz: tuple[int, ...] = FCC_KHZ
    hopping: bool = True
    first_power_index: int = 1
    powers_in_text_order: bool = False
    modes: tuple[RfMode, ...] = IMPINJ_MODES
    max_rospecs: int = 1
    max_specs_a_rospec: int = 32
    max_inventory_specs: int = 1
    max_filters: int = 0
    surveys: bool = False
    utc_clock: bool = True
    holds_reports: bool = True
    warns_of_buffer: bool = False
    gpi_ports: int = _GPI_PORTS
    gpo_ports: int = _GPO_PORTS
    queue_messages: int = 0
    country: int | None = None
    standard: int | None = None
    sensitivity_dbm: float = -84.0
    rssi_step_cdbm: int = 50
    half_turns: bool = True
    habits: InventoryHabits = R420_HABITS

    @property
    def traits(self) -> ReaderTraits:
        """What the world wants to know of its radio."""
        return ReaderTraits(
            frequencies_khz=self.frequencies_khz,
            hopping=self.hopping,
            sensitivity_dbm=self.sensitivity_dbm,
            rssi_step_cdbm=self.rssi_step_cdbm,
            half_turns=self.half_turns,
            habits=self.habits,
        )

    def power_dbm(self, index: int) -> float | None:
        """Transmit power at an index of the table; None where the table has no such index."""
        at = index - self.first_power_index
        return self.powers_cdbm[at] / 100 if 0 <= at < len(self.powers_cdbm) else None

    def powers_as_listed(self) -> Iterator[tuple[int, int]]:
        """Index and power in the order in which this reader lists them."""
        entries = list(enumerate(self.powers_cdbm, start=self.first_power_index))
        return iter(sorted(entries, key=lambda entry: str(entry[0])) if self.powers_in_text_order else entries)


def zebra_fx9600() -> ReaderModel:
    """A four-port Zebra FX9600, as recorded: indices from 0, listed out of order, and modes of its own numbering."""
    return ReaderModel(
        manufacturer=ZEBRA,
        model=96004,
        firmware="2.7.19.0",
        powers_cdbm=tuple(range(1000, 3001, 10)),
        first_power_index=0,
        powers_in_text_order=True,
        modes=tuple(RfMode(id_, id_ % 4, 640_000 >> id_ % 4, 1500, 6250) for id_ in range(36)),
        max_rospecs=64,
        max_specs_a_rospec=16,
        surveys=True,
        warns_of_buffer=True,
    )


def general_capabilities(model: ReaderModel) -> bytes:
    """GeneralDeviceCapabilities."""
    firmware = model.firmware.encode()
    body = (
        struct.pack(
            ">HHIIH", model.antennas, _UTC_CLOCK * model.utc_clock, model.manufacturer, model.model, len(firmware)
        )
        + firmware
    )
    for index, value in enumerate(_SENSITIVITIES, start=1):
        body += tlv(ParameterType.RECEIVE_SENSITIVITY, struct.pack(">HH", index, value))
    body += tlv(ParameterType.GPIO_CAPABILITIES, struct.pack(">HH", model.gpi_ports, model.gpo_ports))
    for antenna in range(1, model.antennas + 1):
        body += tlv(ParameterType.PER_ANTENNA_AIR_PROTOCOL, struct.pack(">HHB", antenna, 1, 1))
    return tlv(ParameterType.GENERAL_DEVICE_CAPABILITIES, body)


def llrp_capabilities(model: ReaderModel) -> bytes:
    """LLRPCapabilities: what the model can of what is optional."""
    flags = _REPORT_HOLDING * model.holds_reports | _REPORT_BUFFER_WARNING * model.warns_of_buffer
    flags |= _RF_SURVEY * model.surveys
    numbers = (model.max_rospecs, model.max_specs_a_rospec, model.max_inventory_specs, 0, 0)
    return tlv(ParameterType.LLRP_CAPABILITIES, struct.pack(">BBHIIIII", flags, 1, 0, *numbers))


def regulatory_capabilities(model: ReaderModel) -> bytes:
    """RegulatoryCapabilities with the power table, the channels and the air protocol's modes."""
    levels = b"".join(
        tlv(ParameterType.TRANSMIT_POWER_LEVEL, struct.pack(">Hh", index, power))
        for index, power in model.powers_as_listed()
    )
    band = tlv(ParameterType.UHF_BAND_CAPABILITIES, levels + _frequencies(model) + _modes(model))
    usual = _FCC_STANDARD if model.hopping else _ETSI_STANDARD
    standard = usual if model.standard is None else model.standard
    country = _COUNTRY[usual] if model.country is None else model.country
    return tlv(ParameterType.REGULATORY_CAPABILITIES, struct.pack(">HH", country, standard) + band)


def air_capabilities(model: ReaderModel) -> bytes:
    """C1G2LLRPCapabilities: no block operations, and so many Select filters."""
    return tlv(ParameterType.C1G2_LLRP_CAPABILITIES, struct.pack(">BH", 0, model.max_filters))


def _frequencies(model: ReaderModel) -> bytes:
    table = struct.pack(f">{len(model.frequencies_khz)}I", *model.frequencies_khz)
    count = len(model.frequencies_khz)
    if model.hopping:
        inner = tlv(ParameterType.FREQUENCY_HOP_TABLE, struct.pack(">BBH", 1, 0, count) + table)
    else:
        inner = tlv(ParameterType.FIXED_FREQUENCY_TABLE, struct.pack(">H", count) + table)
    return tlv(ParameterType.FREQUENCY_INFORMATION, bytes([0x80 * model.hopping]) + inner)


def _modes(model: ReaderModel) -> bytes:
    entries = b""
    for mode in model.modes:
        fixed = struct.pack(">IBBBB", mode.id, 0x80, mode.modulation, 0, 3)
        rates = struct.pack(">IIIII", mode.backscatter_hz, mode.pie_ratio, mode.tari_ns, mode.tari_ns, 0)
        entries += tlv(ParameterType.UHF_C1G2_RF_MODE, fixed + rates)
    return tlv(ParameterType.UHF_C1G2_RF_MODE_TABLE, entries)
