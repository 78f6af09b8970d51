"""RO_ACCESS_REPORT read by read, from LLRP 1.0.1 section 13 and Octane's three custom parameters.

The simulator's own encoder, and the definition of `kernels`, which does the same for many reads.
"""

import struct
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from simulator.faults import Faults
from simulator.server.codes import ImpinjSubtype, MessageType, ParameterType
from simulator.server.wire import IMPINJ, fields, message, parameters, tlv

_EPC_96_BYTES: Final = 12
_ROSPEC_ID: Final = 9
"""TV type of the ROSpec's id, which says whose last values the others are compared with: never left out."""
_Value = tuple[int, bytes]
"""A TV parameter: type and value."""
_REPORT_HEADER: Final = struct.Struct(">HH")
_IMPINJ_VALUE: Final = struct.Struct(">HHIIH")
_IMPINJ_SIGNED: Final = struct.Struct(">HHIIh")


@dataclass(frozen=True, slots=True)
class Report:
    """One tag report as a reader would know it; times are UTC microseconds of the reader's clock.

    Attributes:
        phase: 12-bit steps, 4096 to a turn.
        channel: index from 1 into the reader's frequency table.
        doppler: sixteenths of a hertz.
    """

    epc: bytes
    antenna: int
    rssi_cdbm: int
    phase: int
    channel: int
    first_us: int
    last_us: int
    seen_count: int = 1
    doppler: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a client selected to be in each report (TagReportContentSelector, 13.2.1)."""

    rospec_id: bool = False
    spec_index: bool = False
    inventory_id: bool = False
    antenna: bool = True
    channel: bool = False
    peak_rssi: bool = True
    first_seen: bool = False
    last_seen: bool = True
    seen_count: bool = True
    crc: bool = False
    pc: bool = False
    impinj_phase: bool = False
    impinj_rssi: bool = False
    impinj_doppler: bool = False

    @property
    def extended(self) -> bool:
        """Whether anything of Impinj's own is wanted."""
        return self.impinj_phase or self.impinj_rssi or self.impinj_doppler

    def without(self, names: AbstractSet[str]) -> "Content":
        """The same but for these."""
        return replace(self, **dict.fromkeys(names, False)) if names else self


def parse_content(body: bytes, impinj: "ImpinjContent") -> Content:
    """Read a TagReportContentSelector.

    Raises:
        WireError: the selector is malformed.
    """
    (bits,) = fields(body, ">H", "TagReportContentSelector")
    crc = pc = False
    for parameter in parameters(body[2:], "TagReportContentSelector"):
        if parameter.type == ParameterType.C1G2_EPC_MEMORY_SELECTOR:
            (memory,) = fields(parameter.body, ">B", "C1G2EPCMemorySelector")
            crc, pc = bool(memory & 0x80), bool(memory & 0x40)
    on = [bool(bits & 0x8000 >> place) for place in range(9)]
    return Content(
        rospec_id=on[0],
        spec_index=on[1],
        inventory_id=on[2],
        antenna=on[3],
        channel=on[4],
        peak_rssi=on[5],
        first_seen=on[6],
        last_seen=on[7],
        seen_count=on[8],
        crc=crc,
        pc=pc,
        impinj_phase=impinj.phase,
        impinj_rssi=impinj.rssi,
        impinj_doppler=impinj.doppler,
    )


@dataclass(frozen=True, slots=True)
class ImpinjContent:
    """What Impinj's own selector adds."""

    phase: bool = False
    rssi: bool = False
    doppler: bool = False


def parse_impinj_content(body: bytes) -> ImpinjContent:
    """Read an ImpinjTagReportContentSelector; switches of what isn't simulated are left off, as on old firmware."""
    on: dict[int, bool] = {}
    for parameter in parameters(body, "ImpinjTagReportContentSelector"):
        if parameter.vendor == IMPINJ:
            on[parameter.subtype] = bool(fields(parameter.body, ">H", "an Impinj content switch")[0])
    return ImpinjContent(
        phase=on.get(ImpinjSubtype.ENABLE_RF_PHASE_ANGLE, False),
        rssi=on.get(ImpinjSubtype.ENABLE_PEAK_RSSI, False),
        doppler=on.get(ImpinjSubtype.ENABLE_RF_DOPPLER_FREQUENCY, False),
    )


def crc16(data: bytes) -> int:
    """CRC-16 of a Gen2 tag over its PC and EPC (ISO/IEC 13239, preset FFFF, inverted)."""
    value = 0xFFFF
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021 if value & 0x8000 else value << 1) & 0xFFFF
    return value ^ 0xFFFF


def protocol_control(epc: bytes) -> int:
    """PC word of a tag that holds this EPC: its length in words in the top five bits."""
    return (len(epc) + 1) // 2 << 11


class ReportEncoder:
    """Encodes the reports of one connection, with only what was selected and as the reader's faults have it."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._sent: dict[tuple[int, int], bytes] = {}

    def reset(self) -> None:
        """Begin a new connection: nothing has been sent on it yet."""
        self._sent.clear()

    def encode(self, report: Report, content: Content, rospec_id: int) -> bytes:
        """Encode one TagReportData in the standard's order (13.2.3)."""
        content = content.without(self._faults.omit_parameters)
        values = _context(report, content, rospec_id) + self._times(report, content)
        if content.seen_count:
            values.append((8, struct.pack(">H", report.seen_count)))
        if self._faults.omit_unchanged:
            values = [value for value in values if self._is_news(rospec_id, *value)]
        parts = [self._epc(report.epc), *(bytes([0x80 | kind]) + value for kind, value in values)]
        body = b"".join(parts + _memory(report, content) + _vendor(report, content))
        return _REPORT_HEADER.pack(ParameterType.TAG_REPORT_DATA, _REPORT_HEADER.size + len(body)) + body

    def _epc(self, epc: bytes) -> bytes:
        """EPC-96 in its short form, any other length as EPCData with its length in bits."""
        if len(epc) == _EPC_96_BYTES and not self._faults.long_epc_form:
            return b"\x8d" + epc
        return tlv(ParameterType.EPC_DATA, struct.pack(">H", 8 * len(epc)) + epc)

    def _times(self, report: Report, content: Content) -> list[_Value]:
        """First and last seen by the clock that this reader writes."""
        if self._faults.stamps == "none":
            return []
        uptime = self._faults.stamps == "uptime"
        shown = self._faults.uptime_us if uptime else self._faults.reader_utc_us
        selected = ((2, report.first_us, content.first_seen), (4, report.last_us, content.last_seen))
        return [(kind + uptime, struct.pack(">Q", shown(at_us))) for kind, at_us, wanted in selected if wanted]

    def _is_news(self, rospec_id: int, kind: int, value: bytes) -> bool:
        news = kind == _ROSPEC_ID or self._sent.get((rospec_id, kind)) != value
        self._sent[rospec_id, kind] = value
        return news


def encode_report(report: Report, content: Content, rospec_id: int) -> bytes:
    """Encode one TagReportData as a reader without faults does."""
    return ReportEncoder(Faults()).encode(report, content, rospec_id)


def report_message(message_id: int, reports: Sequence[bytes]) -> bytes:
    """Frame encoded reports as one RO_ACCESS_REPORT."""
    return message(MessageType.RO_ACCESS_REPORT, message_id, b"".join(reports))


def _context(report: Report, content: Content, rospec_id: int) -> list[_Value]:
    """Values before the times, each with its TV type."""
    values = (
        (_ROSPEC_ID, ">I", rospec_id, content.rospec_id),
        (14, ">H", 1, content.spec_index),
        (10, ">H", 1, content.inventory_id),
        (1, ">H", report.antenna, content.antenna),
        (6, ">b", max(-128, min(127, round(report.rssi_cdbm / 100))), content.peak_rssi),
        (7, ">H", report.channel, content.channel),
    )
    return [(kind, struct.pack(layout, value)) for kind, layout, value, wanted in values if wanted]


def _memory(report: Report, content: Content) -> list[bytes]:
    """PC and CRC as the tag's memory has them."""
    pc, parts = protocol_control(report.epc), []
    if content.pc:
        parts.append(struct.pack(">BH", 0x80 | 12, pc))
    if content.crc:
        parts.append(struct.pack(">BH", 0x80 | 11, crc16(pc.to_bytes(2) + report.epc)))
    return parts


def _vendor(report: Report, content: Content) -> list[bytes]:
    parts = []
    if content.impinj_rssi:
        parts.append(_IMPINJ_SIGNED.pack(1023, 14, IMPINJ, ImpinjSubtype.PEAK_RSSI, report.rssi_cdbm))
    if content.impinj_phase:
        parts.append(_IMPINJ_VALUE.pack(1023, 14, IMPINJ, ImpinjSubtype.RF_PHASE_ANGLE, report.phase))
    if content.impinj_doppler:
        parts.append(_IMPINJ_SIGNED.pack(1023, 14, IMPINJ, ImpinjSubtype.RF_DOPPLER_FREQUENCY, report.doppler))
    return parts
