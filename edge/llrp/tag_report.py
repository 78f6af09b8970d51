"""Every field of a tag report, for people and for JSON: what stood on the wire, with nothing filled in.

The slow sibling of `edge.llrp.reports`; it keeps what a doorway has no use for (PC and CRC bits, results of access
operations, custom parameters).
"""

from collections.abc import Iterator
from struct import Struct as Layout
from typing import Final

from msgspec import Struct

from edge.llrp.errors import LlrpError
from edge.llrp.wire import (
    CUSTOM_HEADER,
    CUSTOM_VALUE_BYTES,
    FAULT_TEXTS,
    IMPINJ_DOPPLER,
    IMPINJ_PEAK_RSSI,
    IMPINJ_PHASE,
    TV_VALUES,
    ZEBRA_PHASE,
    Fault,
    Parameter,
    ParameterError,
    Tlv,
    Tv,
    parameters,
)


class OpSpecResult(Struct, frozen=True, kw_only=True):
    """Result of an access operation; `result` 0 is success, other values are listed with each kind in LLRP."""

    kind: str
    result: int
    op_spec_id: int
    words_written: int | None = None
    data: str | None = None


class CustomParameter(Struct, frozen=True, kw_only=True):
    """A vendor's parameter; `name`, `value` and `unit` where this program knows it, `data` as hex always."""

    vendor: int
    subtype: int
    data: str
    name: str | None = None
    value: int | None = None
    unit: str | None = None


class UnknownParameter(Struct, frozen=True, kw_only=True):
    """A parameter that LLRP 1.1 doesn't list in a tag report."""

    type: int
    data: str


class Singulation(Struct, frozen=True, kw_only=True):
    """Slots of the inventory round in which the tag was heard."""

    collision_slots: int
    empty_slots: int


class TagReport(Struct, frozen=True, kw_only=True):
    """One TagReportData; None and empty lists are what the reader left out.

    Attributes:
        offset: byte in the input where it begins.
        message_id, version: of the message that it stood in; None where its header is not there.
        epc: hex of the EPC's bytes as sent; `epc_form` says by which of the two parameters.
        pc, crc, xpc_w1, xpc_w2: 16-bit words of the tag's EPC memory.
    """

    offset: int
    message_id: int | None
    version: int | None
    epc: str
    epc_bits: int
    epc_form: str
    rospec_id: int | None = None
    spec_index: int | None = None
    inventory_parameter_spec_id: int | None = None
    antenna: int | None = None
    peak_rssi_dbm: int | None = None
    channel: int | None = None
    first_seen_us: int | None = None
    first_seen_uptime_us: int | None = None
    last_seen_us: int | None = None
    last_seen_uptime_us: int | None = None
    seen_count: int | None = None
    pc: int | None = None
    crc: int | None = None
    xpc_w1: int | None = None
    xpc_w2: int | None = None
    access_spec_id: int | None = None
    op_spec_id: int | None = None
    client_request_op_spec_result: int | None = None
    singulation: Singulation | None = None
    op_specs: list[OpSpecResult] = []
    custom: list[CustomParameter] = []
    unknown: list[UnknownParameter] = []


FIELDS: Final[dict[Tv, str]] = {
    Tv.ANTENNA_ID: "antenna",
    Tv.FIRST_SEEN_UTC: "first_seen_us",
    Tv.FIRST_SEEN_UPTIME: "first_seen_uptime_us",
    Tv.LAST_SEEN_UTC: "last_seen_us",
    Tv.LAST_SEEN_UPTIME: "last_seen_uptime_us",
    Tv.PEAK_RSSI: "peak_rssi_dbm",
    Tv.CHANNEL_INDEX: "channel",
    Tv.TAG_SEEN_COUNT: "seen_count",
    Tv.ROSPEC_ID: "rospec_id",
    Tv.INVENTORY_PARAMETER_SPEC_ID: "inventory_parameter_spec_id",
    Tv.C1G2_CRC: "crc",
    Tv.C1G2_PC: "pc",
    Tv.SPEC_INDEX: "spec_index",
    Tv.CLIENT_REQUEST_OP_SPEC_RESULT: "client_request_op_spec_result",
    Tv.ACCESS_SPEC_ID: "access_spec_id",
    Tv.OP_SPEC_ID: "op_spec_id",
    Tv.C1G2_XPC_W1: "xpc_w1",
    Tv.C1G2_XPC_W2: "xpc_w2",
}
"""TV parameters of one plain value and the field that takes it."""

OP_SPEC_KINDS: Final[dict[int, str]] = {
    Tlv.C1G2_READ_RESULT: "C1G2Read",
    Tlv.C1G2_WRITE_RESULT: "C1G2Write",
    Tlv.C1G2_KILL_RESULT: "C1G2Kill",
    Tlv.C1G2_LOCK_RESULT: "C1G2Lock",
    Tlv.C1G2_BLOCK_ERASE_RESULT: "C1G2BlockErase",
    Tlv.C1G2_BLOCK_WRITE_RESULT: "C1G2BlockWrite",
    Tlv.C1G2_RECOMMISSION_RESULT: "C1G2Recommission",
    Tlv.C1G2_BLOCK_PERMALOCK_RESULT: "C1G2BlockPermalock",
    Tlv.C1G2_GET_BLOCK_PERMALOCK_STATUS_RESULT: "C1G2GetBlockPermalockStatus",
}
OP_SPEC_HEAD: Final = Layout("!BH")
"""Result and OpSpecID, which every op-spec result begins with [17.3.1.5]."""
WORD: Final = Layout("!H")
WRITES: Final = frozenset({Tlv.C1G2_WRITE_RESULT, Tlv.C1G2_BLOCK_WRITE_RESULT})
READS: Final = frozenset({Tlv.C1G2_READ_RESULT, Tlv.C1G2_GET_BLOCK_PERMALOCK_STATUS_RESULT})

CUSTOM_NAMES: Final[dict[tuple[int, int], tuple[str, str, Layout]]] = {
    IMPINJ_PHASE: ("ImpinjRFPhaseAngle", "turn/4096", Layout("!H")),
    IMPINJ_PEAK_RSSI: ("ImpinjPeakRSSI", "dBm/100", Layout("!h")),
    IMPINJ_DOPPLER: ("ImpinjRFDopplerFrequency", "Hz/16", Layout("!h")),
    ZEBRA_PHASE: ("MotoTagPhase", "turn/65534", Layout("!h")),
}

Report = TagReport | LlrpError


def tag_reports(
    data: bytes, start: int, end: int, *, message_id: int | None = None, version: int | None = None
) -> Iterator[Report]:
    """Yield the tag reports of one RO_ACCESS_REPORT's payload data[start:end]; an `LlrpError` stands for each fault."""
    try:
        for parameter in parameters(data, start, end):
            if parameter.tv:
                yield _error(ParameterError(Fault.MISPLACED_TV, parameter.start))
                return
            if parameter.type == Tlv.TAG_REPORT_DATA:
                yield _tag_report(data, parameter, (message_id, version))
    except ParameterError as error:
        yield _error(error)


def other_parameters(data: bytes, start: int, end: int) -> int:
    """Return how many parameters of a report's payload aren't tag reports: RF surveys and custom ones."""
    count = 0
    try:
        for parameter in parameters(data, start, end):
            count += not parameter.tv and parameter.type != Tlv.TAG_REPORT_DATA
    except ParameterError:  # told by `tag_reports`
        return count
    return count


def _tag_report(data: bytes, report: Parameter, header: tuple[int | None, int | None]) -> Report:
    fields: dict[str, object] = {}
    lists: dict[str, list[object]] = {"op_specs": [], "custom": [], "unknown": []}
    try:
        for parameter in parameters(data, report.value, report.end):
            if parameter.tv:
                fields |= _tv_field(data, parameter)
            elif parameter.type == Tlv.EPC_DATA:
                fields |= _epc_data(data, parameter)
            else:
                name, value = _listed(data, parameter)
                lists[name].append(value)
        if "epc" not in fields:
            raise ParameterError(Fault.NO_EPC, report.start)  # noqa: TRY301 - one way out for every fault
    except ParameterError as error:
        return _error(error)
    stood = {"offset": report.start, "message_id": header[0], "version": header[1]}
    return TagReport(**stood, **fields, **lists)  # type: ignore[arg-type] # fields are named by FIELDS' table


def _tv_field(data: bytes, parameter: Parameter) -> dict[str, object]:
    kind = Tv(parameter.type)
    values = TV_VALUES[kind].unpack_from(data, parameter.value)
    if kind is Tv.EPC_96:
        return {"epc": values[0].hex(), "epc_bits": 96, "epc_form": "EPC-96"}
    if kind is Tv.C1G2_SINGULATION_DETAILS:
        return {"singulation": Singulation(collision_slots=values[0], empty_slots=values[1])}
    return {FIELDS[kind]: values[0]}


def _epc_data(data: bytes, parameter: Parameter) -> dict[str, object]:
    _need(parameter, WORD.size, Fault.EPC_CUT)
    bits = WORD.unpack_from(data, parameter.value)[0]
    begin, size = parameter.value + WORD.size, (bits + 7) // 8
    _need(parameter, WORD.size + size, Fault.EPC_CUT)
    return {"epc": data[begin : begin + size].hex(), "epc_bits": bits, "epc_form": "EPCData"}


def _listed(data: bytes, parameter: Parameter) -> tuple[str, object]:
    """Return the name of the list that a parameter belongs to and its value."""
    if parameter.type in OP_SPEC_KINDS:
        return "op_specs", _op_spec(data, parameter)
    if parameter.type == Tlv.CUSTOM:
        return "custom", _custom(data, parameter)
    return "unknown", UnknownParameter(type=parameter.type, data=data[parameter.value : parameter.end].hex())


def _op_spec(data: bytes, parameter: Parameter) -> OpSpecResult:
    _need(parameter, OP_SPEC_HEAD.size)
    result, op_spec_id = OP_SPEC_HEAD.unpack_from(data, parameter.value)
    words_written = words = None
    if parameter.type in WRITES | READS:
        _need(parameter, OP_SPEC_HEAD.size + WORD.size)
        number = WORD.unpack_from(data, parameter.value + OP_SPEC_HEAD.size)[0]
        if parameter.type in WRITES:
            words_written = number
        else:
            _need(parameter, OP_SPEC_HEAD.size + WORD.size * (1 + number))
            begin = parameter.value + OP_SPEC_HEAD.size + WORD.size
            words = data[begin : begin + WORD.size * number].hex()
    kind = OP_SPEC_KINDS[parameter.type]
    return OpSpecResult(kind=kind, result=result, op_spec_id=op_spec_id, words_written=words_written, data=words)


def _custom(data: bytes, parameter: Parameter) -> CustomParameter:
    _need(parameter, CUSTOM_HEADER.size)
    vendor, subtype = CUSTOM_HEADER.unpack_from(data, parameter.value)
    begin = parameter.value + CUSTOM_HEADER.size
    text = data[begin : parameter.end].hex()
    known = CUSTOM_NAMES.get((vendor, subtype))
    if known is None or parameter.end - parameter.start != CUSTOM_VALUE_BYTES:
        return CustomParameter(vendor=vendor, subtype=subtype, data=text)
    name, unit, layout = known
    value = layout.unpack_from(data, begin)[0]
    return CustomParameter(vendor=vendor, subtype=subtype, data=text, name=name, value=value, unit=unit)


def _need(parameter: Parameter, size: int, fault: Fault = Fault.VALUE_CUT) -> None:
    if parameter.end - parameter.value < size:
        raise ParameterError(fault, parameter.start)


def _error(error: ParameterError) -> LlrpError:
    return LlrpError(f"byte {error.offset}: {FAULT_TEXTS[error.fault]}", offset=error.offset)
