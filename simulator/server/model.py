"""What kind of reader is played: antennas, power table, channels, and their capabilities as LLRP (LLRP 1.0.1, 9.2)."""

import struct
from dataclasses import dataclass
from typing import Final

from simulator.server.codes import ParameterType
from simulator.server.wire import IMPINJ, tlv

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
_MILLER_M: Final = {0: 0, 1: 1, 2: 2, 3: 3, 1000: 2, 1002: 2}
_MODES: Final = (
    # mode id, backscatter kHz, PIE ratio, tari ns: dense-reader Miller modes and the two fast ones of an R420
    (0, 640_000, 1500, 6250),
    (1, 640_000, 1500, 6250),
    (2, 274_000, 2000, 20_000),
    (3, 170_000, 2000, 20_000),
    (1000, 0, 2000, 20_000),
    (1002, 0, 2000, 20_000),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderModel:
    """A reader's fixed properties; the defaults play a four-port Impinj Speedway R420 for the FCC region.

    Attributes:
        powers_cdbm: the transmit power table; LLRP indices begin at 1.
        frequencies_khz: the hop table or, without hopping, the fixed table; channel indices begin at 1.
    """

    manufacturer: int = IMPINJ
    model: int = 2_001_002
    firmware: str = "5.14.0.240"
    antennas: int = 4
    powers_cdbm: tuple[int, ...] = tuple(range(1000, 3001, 25))
    frequencies_khz: tuple[int, ...] = FCC_KHZ
    hopping: bool = True
    max_rospecs: int = 1
    gpi_ports: int = _GPI_PORTS
    gpo_ports: int = _GPO_PORTS

    def power_dbm(self, index: int) -> float | None:
        """Transmit power at an index of the table; None where the table has no such index."""
        return self.powers_cdbm[index - 1] / 100 if 1 <= index <= len(self.powers_cdbm) else None


def general_capabilities(model: ReaderModel) -> bytes:
    """GeneralDeviceCapabilities."""
    firmware = model.firmware.encode()
    body = struct.pack(">HHIIH", model.antennas, 0x4000, model.manufacturer, model.model, len(firmware)) + firmware
    for index, value in enumerate(_SENSITIVITIES, start=1):
        body += tlv(ParameterType.RECEIVE_SENSITIVITY, struct.pack(">HH", index, value))
    body += tlv(ParameterType.GPIO_CAPABILITIES, struct.pack(">HH", model.gpi_ports, model.gpo_ports))
    for antenna in range(1, model.antennas + 1):
        body += tlv(ParameterType.PER_ANTENNA_AIR_PROTOCOL, struct.pack(">HHB", antenna, 1, 1))
    return tlv(ParameterType.GENERAL_DEVICE_CAPABILITIES, body)


def llrp_capabilities(model: ReaderModel) -> bytes:
    """LLRPCapabilities: reports are held on request, nothing else that is optional."""
    return tlv(ParameterType.LLRP_CAPABILITIES, struct.pack(">BBHIIIII", 0x08, 1, 0, model.max_rospecs, 32, 1, 0, 0))


def regulatory_capabilities(model: ReaderModel) -> bytes:
    """RegulatoryCapabilities with the power table, the channels and the air protocol's modes."""
    levels = b"".join(
        tlv(ParameterType.TRANSMIT_POWER_LEVEL, struct.pack(">Hh", index, power))
        for index, power in enumerate(model.powers_cdbm, start=1)
    )
    band = tlv(ParameterType.UHF_BAND_CAPABILITIES, levels + _frequencies(model) + _modes())
    standard = _FCC_STANDARD if model.hopping else _ETSI_STANDARD
    return tlv(ParameterType.REGULATORY_CAPABILITIES, struct.pack(">HH", _COUNTRY[standard], standard) + band)


def air_capabilities() -> bytes:
    """C1G2LLRPCapabilities: no block operations and no Select filters."""
    return tlv(ParameterType.C1G2_LLRP_CAPABILITIES, struct.pack(">BH", 0, 0))


def _frequencies(model: ReaderModel) -> bytes:
    table = struct.pack(f">{len(model.frequencies_khz)}I", *model.frequencies_khz)
    count = len(model.frequencies_khz)
    if model.hopping:
        inner = tlv(ParameterType.FREQUENCY_HOP_TABLE, struct.pack(">BBH", 1, 0, count) + table)
    else:
        inner = tlv(ParameterType.FIXED_FREQUENCY_TABLE, struct.pack(">H", count) + table)
    return tlv(ParameterType.FREQUENCY_INFORMATION, bytes([0x80 * model.hopping]) + inner)


def _modes() -> bytes:
    entries = b""
    for mode, backscatter, pie, tari in _MODES:
        fixed = struct.pack(">IBBBB", mode, 0x80, _MILLER_M[mode], 0, 3)
        entries += tlv(ParameterType.UHF_C1G2_RF_MODE, fixed + struct.pack(">IIIII", backscatter, pie, tari, tari, 0))
    return tlv(ParameterType.UHF_C1G2_RF_MODE_TABLE, entries)
