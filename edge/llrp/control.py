"""Control-plane messages of LLRP 1.0.1: bytes <-> typed values.

sllurp's message tables do most of the encoding and decoding (docs/adr/0002); this module is the only one that touches
them. They are lenient in both directions: an unknown field or a parameter without an encoder becomes nothing, a cut
parameter is decoded as far as it goes. Here either a value comes out whole or `LlrpError` is raised, never another
error. What sllurp lacks among the messages that we need is written out by hand.
"""

import difflib
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sllurp import llrp_proto as tables

from edge.llrp.errors import LlrpError
from edge.llrp.framing import Frame
from edge.llrp.wire import CUSTOM, FAULT_TEXTS, HEADER, IMPINJ, Message, ParameterError, parameters
from edge.llrp.wire import message_name as standard_name

VERSION: Final = 1
STATUS_PARAMETER: Final = 287
EVENTS_AND_REPORTS_PARAMETER: Final = 226
IMPINJ_LINK_MONITOR: Final = 38

MAX_CONTROL_BYTES: Final = 1 << 18
"""Largest control message that is decoded: the fullest on record is below 20 kB, and decoding this takes 0.1 s."""

CONNECTED: Final = 0
ALREADY_CONNECTED: Final = frozenset({1, 2})
"""ConnectionAttemptEvent: a reader-initiated (1) or client-initiated (2) connection already exists."""
ANOTHER_ATTEMPTED: Final = 4
"""ConnectionAttemptEvent sent to the client that is connected, when another one was turned away."""

STATUS_WORDS: Final = {
    0: "success",
    100: "a parameter is wrong",
    101: "a field is wrong",
    102: "a parameter was not expected",
    103: "a parameter is missing",
    104: "a parameter stands twice",
    105: "too many parameters",
    106: "a field is out of its range",
    107: "a parameter is unknown to the reader",
    108: "a field is unknown to the reader",
    109: "the reader does not support this message",
    110: "the reader does not support this LLRP version",
    111: "the reader does not support a parameter",
    200: "a parameter inside a parameter is wrong",
    201: "a field inside a parameter is wrong",
    202: "a parameter inside a parameter was not expected",
    203: "a parameter inside a parameter is missing",
    204: "a parameter inside a parameter stands twice",
    205: "too many parameters inside a parameter",
    206: "a field inside a parameter is out of its range",
    207: "a parameter inside a parameter is unknown to the reader",
    208: "a field inside a parameter is unknown to the reader",
    209: "the reader does not support a parameter inside a parameter",
    300: "a value is invalid",
    301: "a value is out of range",
    401: "the reader itself failed",
}
"""LLRP 1.0.1, section 14.2.2 (StatusCode), in words for the one who reads the log."""

UNSUPPORTED_MESSAGE: Final = 109

_TWO_SHORTS: Final = struct.Struct("!HH")
_CUSTOM_PARAMETER: Final = struct.Struct("!HHII")

_OWN_MESSAGES: Final = {"GET_REPORT": Message.GET_REPORT}
"""Messages without a payload that sllurp's tables lack (LLRP 1.0.1, section 16.1)."""

_SLLURP_ERRORS: Final = (
    tables.LLRPError,
    struct.error,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""All that sllurp's coders were seen to raise on wrong input."""


@dataclass(frozen=True, slots=True)
class Status:
    """LLRPStatus: code, and what the reader says about it."""

    code: int
    description: str = ""

    @property
    def ok(self) -> bool:
        """Whether the reader did what it was asked."""
        return self.code == 0

    def __str__(self) -> str:
        words = STATUS_WORDS.get(self.code, "a status that LLRP 1.0.1 does not know")
        said = f'; the reader says "{self.description}"' if self.description else ""
        return f"{words} (LLRP status {self.code}{said})"


@dataclass(frozen=True, slots=True)
class PowerLevel:
    """One entry of the transmit power table: choose by value, the index is only its name."""

    index: int
    cdbm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a reader says that it is and can."""

    vendor: int
    model: int
    firmware: str
    antennas: int
    has_utc_clock: bool
    gpis: int
    max_rospecs: int
    holds_events: bool
    warns_of_buffer: bool
    hopping: bool
    hop_table_ids: tuple[int, ...]
    power_levels: tuple[PowerLevel, ...]
    gpos: int = 0
    country_code: int = 0
    communications_standard: int = 0
    frequencies_khz: tuple[int, ...] = ()
    mode_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderEvent:
    """One READER_EVENT_NOTIFICATION; what it does not tell of stays None or False."""

    utc_us: int | None = None
    uptime_us: int | None = None
    connection_attempt: int | None = None
    connection_closed: bool = False
    gpi: tuple[int, bool] | None = None
    antenna: tuple[int, bool] | None = None
    buffer_percent: int | None = None
    overflow: bool = False
    exception: str | None = None


def encode(name: str, fields: Mapping[str, Any] | None = None, *, message_id: int) -> bytes:
    """Return the bytes of one message.

    Args:
        name: as in LLRP, like `ADD_ROSPEC`.
        fields: sllurp's field names; every one must be known, and every parameter must have an encoder.
        message_id: 0 to 2**32 - 1; the response carries the same.

    Raises:
        LlrpError: for anything that would be left out or can't be encoded.
    """
    fields = dict(fields or {})
    if name in _OWN_MESSAGES:
        return HEADER.pack(VERSION << 10 | _OWN_MESSAGES[name], HEADER.size, message_id)
    info = tables.Message_struct.get(name)
    if info is None or "encode" not in info:
        raise LlrpError(f"message {name} has no encoder{_nearest(name, tables.Message_struct)}")
    own = b"".join(_OWN_PARAMETERS[key](fields.pop(key)) for key in list(_OWN_PARAMETERS) if key in fields)
    _check_fields(name, fields, info)
    try:
        payload: bytes = info["encode"](fields, info) + own
        header: bytes = tables.msg_header_encode(
            info["type"], VERSION, len(payload), message_id, info.get("vendorid", 0), info.get("subtype", 0)
        )
    except _SLLURP_ERRORS as error:
        raise LlrpError(f"message {name} can't be encoded: {_reason(error)}") from error
    return header + payload


def message_name(frame: Frame) -> str:
    """Return the LLRP name of a frame's message, or its type in words."""
    vendor, subtype, _ = _custom_head(frame)
    name = tables.Message_Type2Name.get((frame.type, vendor, subtype))
    if name:
        return str(name)
    return f"custom message {vendor}/{subtype}" if vendor else standard_name(frame.type)


def response_name(request: str) -> str:
    """Return the name of the message that answers `request`."""
    return f"{request}_RESPONSE"


def decode_status(frame: Frame) -> Status:
    """Return the LLRPStatus of a response or ERROR_MESSAGE."""
    payload = _custom_head(frame)[2]
    for kind, body in _parameters(payload, message_name(frame)):
        if kind == STATUS_PARAMETER:
            return _status(body)
    raise LlrpError(f"{message_name(frame)} carries no LLRPStatus")


def decode_capabilities(frame: Frame) -> Capabilities:
    """Return what a GET_READER_CAPABILITIES_RESPONSE says."""
    message = _decode(frame, "GET_READER_CAPABILITIES_RESPONSE")
    try:
        return _capabilities(message)
    except _SLLURP_ERRORS as error:
        raise LlrpError(f"GET_READER_CAPABILITIES_RESPONSE lacks what a reader must say: {_reason(error)}") from error


def decode_event(frame: Frame) -> ReaderEvent:
    """Return what a READER_EVENT_NOTIFICATION says."""
    message = _decode(frame, "READER_EVENT_NOTIFICATION")
    try:
        return _event(message["ReaderEventNotificationData"])
    except _SLLURP_ERRORS as error:
        raise LlrpError(f"READER_EVENT_NOTIFICATION can't be read: {_reason(error)}") from error


def _status(body: bytes) -> Status:
    if len(body) < _TWO_SHORTS.size:
        raise LlrpError(f"LLRPStatus of {len(body)} bytes: at least {_TWO_SHORTS.size} are needed")
    code, length = _TWO_SHORTS.unpack_from(body)
    text = body[_TWO_SHORTS.size : _TWO_SHORTS.size + length]
    if len(text) != length:
        raise LlrpError(f"LLRPStatus says that its description has {length} bytes, {len(text)} are there")
    return Status(code, text.decode(errors="replace").strip("\0 \n"))


def _capabilities(message: Mapping[str, Any]) -> Capabilities:
    general = message["GeneralDeviceCapabilities"]
    llrp = message["LLRPCapabilities"]
    regulatory = message.get("RegulatoryCapabilities", {})
    band = regulatory.get("UHFBandCapabilities", {})
    frequencies = band.get("FrequencyInformation", {})
    levels = band.get("TransmitPowerLevelTableEntry", [])
    fixed = frequencies.get("FixedFrequencyTable", {}).get("Frequency", [])
    hops = [khz for table in frequencies.get("FrequencyHopTable", []) for khz in table["Frequency"]]
    return Capabilities(
        vendor=general["DeviceManufacturerName"],
        model=general["ModelName"],
        firmware=bytes(general["ReaderFirmwareVersion"]).decode(errors="replace").strip("\0 "),
        antennas=general["MaxNumberOfAntennaSupported"],
        has_utc_clock=general["HasUTCClockCapability"],
        gpis=general.get("GPIOCapabilities", {}).get("NumGPIs", 0),
        max_rospecs=llrp["MaxNumROSpec"],
        holds_events=llrp["SupportsEventAndReportHolding"],
        warns_of_buffer=llrp["CanReportBufferFillWarning"],
        hopping=bool(frequencies.get("Hopping", False)),
        hop_table_ids=tuple(table["HopTableId"] for table in frequencies.get("FrequencyHopTable", [])),
        power_levels=tuple(PowerLevel(level["Index"], level["TransmitPowerValue"]) for level in levels),
        gpos=general.get("GPIOCapabilities", {}).get("NumGPOs", 0),
        country_code=regulatory.get("CountryCode", 0),
        communications_standard=regulatory.get("CommunicationsStandard", 0),
        frequencies_khz=tuple(sorted({*hops, *fixed})),
        mode_ids=tuple(mode["ModeIdentifier"] for mode in _modes(band)),
    )


def _modes(band: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the entries of all mode tables; sllurp gives a lone table without its list."""
    tables = band.get("UHFC1G2RFModeTable", [])
    tables = [tables] if isinstance(tables, Mapping) else tables
    return [mode for table in tables for mode in table.get("UHFC1G2RFModeTableEntry", [])]


def _event(data: Mapping[str, Any]) -> ReaderEvent:
    gpi, antenna = data.get("GPIEvent"), data.get("AntennaEvent")
    level = data.get("ReportBufferLevelWarning")
    attempt, fault = data.get("ConnectionAttemptEvent"), data.get("ReaderExceptionEvent")
    return ReaderEvent(
        utc_us=data["UTCTimestamp"]["Microseconds"] if "UTCTimestamp" in data else None,
        uptime_us=data["Uptime"]["Microseconds"] if "Uptime" in data else None,
        connection_attempt=None if attempt is None else tables.ConnEvent_Name2Type[attempt["Status"]],
        connection_closed="ConnectionCloseEvent" in data,
        gpi=None if gpi is None else (gpi["GPIPortNumber"], gpi["GPIEvent"]),
        antenna=None if antenna is None else (antenna["AntennaID"], antenna["EventType"] == "Connected"),
        buffer_percent=None if level is None else level["ReportBufferPercentageFull"],
        overflow="ReportBufferOverflowErrorEvent" in data,
        exception=None if fault is None else bytes(fault["Message"]).decode(errors="replace").strip("\0 "),
    )


def _decode(frame: Frame, name: str) -> dict[str, Any]:
    """Decode by sllurp's table, on a memoryview: of bytes its loop copies all that is left for each parameter."""
    if message_name(frame) != name:
        raise LlrpError(f"expected {name}, got {message_name(frame)}")
    payload = _custom_head(frame)[2]
    for _ in _parameters(payload, name):
        pass
    try:
        message: dict[str, Any] = tables.Message_struct[name]["decode"](memoryview(payload), name)
    except _SLLURP_ERRORS as error:
        raise LlrpError(f"{name} can't be decoded: {_reason(error)}") from error
    for broken in _undecoded(message):
        raise LlrpError(f"{name}: its {broken} holds a value that LLRP does not know")
    return message


def _undecoded(value: Any) -> Iterator[str]:
    """Name the parameters that sllurp knows and yet put aside: it takes any KeyError for a missing decoder."""
    if isinstance(value, Mapping):
        for aside in value.get(tables.DECODE_ERROR_PARNAME, ()):
            if aside["Name"]:
                yield aside["Name"]
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from _undecoded(inner)


def _custom_head(frame: Frame) -> tuple[int, int, bytes]:
    """Return (vendor, subtype, payload behind them); (0, 0, payload) for a standard message."""
    payload = bytes(frame.payload)
    if len(payload) > MAX_CONTROL_BYTES:
        raise LlrpError(f"control message of {len(payload)} bytes: at most {MAX_CONTROL_BYTES} are read")
    if frame.type != CUSTOM:
        return 0, 0, payload
    if len(payload) < 5:  # noqa: PLR2004 (vendor in four bytes, subtype in one)
        raise LlrpError(f"custom message of {len(payload)} bytes: it names no vendor and subtype")
    return int.from_bytes(payload[:4], "big"), payload[4], payload[5:]


def _parameters(payload: bytes, where: str) -> Iterator[tuple[int, bytes]]:
    """Yield (type, value) of each parameter at the top of `payload`; one that is cut short raises `LlrpError`."""
    try:
        for parameter in parameters(payload, 0, len(payload)):
            yield parameter.type, payload[parameter.value : parameter.end]
    except ParameterError as error:
        raise LlrpError(f"{where}, byte {error.offset}: {FAULT_TEXTS[error.fault]}", offset=error.offset) from error


def _check_fields(where: str, fields: Mapping[str, Any], info: Mapping[str, Any]) -> None:
    """Refuse what sllurp would leave out without a word."""
    parameters = {name for name, _ in info.get("auto_fields", ())}
    for key, value in fields.items():
        if key not in info.get("fields", ()):
            raise LlrpError(f"{where} has no field {key}{_nearest(key, info.get('fields', ()))}")
        if key == "EventNotificationState":
            for event in set(value) - set(tables.EventState_Name2Value):
                raise LlrpError(f"{where} knows no event {event}{_nearest(event, tables.EventState_Name2Value)}")
        elif key in parameters:
            _check_parameter(f"{where}.{key}", value, many=dict(info["auto_fields"])[key])


def _check_parameter(where: str, value: Any, *, many: bool) -> None:
    name = where.rpartition(".")[2]
    info = tables.Param_struct.get(name, {})
    if "encode" not in info:
        raise LlrpError(f"{where}: sllurp has no encoder for this parameter, write its bytes in edge.llrp.control")
    if many != isinstance(value, list):
        raise LlrpError(f"{where} must be {'a list of parameters' if many else 'one parameter'}")
    for one in value if many else [value]:
        if not isinstance(one, Mapping):
            raise LlrpError(f"{where} must hold named fields, not {type(one).__name__}")
        _check_fields(where, one, info)


def _events_and_reports(value: Mapping[str, Any]) -> bytes:
    """Encode EventsAndReports (LLRP 1.0.1, section 16.2.6.10), for which sllurp 3.0.5 gives no bytes."""
    return _TWO_SHORTS.pack(EVENTS_AND_REPORTS_PARAMETER, 5) + bytes([value["HoldEventsAndReportsUponReconnect"] << 7])


def _impinj_link_monitor(value: Mapping[str, Any]) -> bytes:
    """Encode ImpinjLinkMonitorConfiguration (Impinj LLRP extensions, subtype 38): sllurp 3.0.5 gives no bytes."""
    mode, threshold = value["LinkMonitorMode"], value["LinkDownThreshold"]
    return _CUSTOM_PARAMETER.pack(CUSTOM, 16, IMPINJ, IMPINJ_LINK_MONITOR) + _TWO_SHORTS.pack(mode, threshold)


_OWN_PARAMETERS: Final[dict[str, Callable[[Mapping[str, Any]], bytes]]] = {
    "EventsAndReports": _events_and_reports,
    "ImpinjLinkMonitorConfiguration": _impinj_link_monitor,
}
"""Parameters of SET_READER_CONFIG that sllurp can't encode; they come last in that message, in this order."""


def _nearest(name: str, names: Any) -> str:
    found = difflib.get_close_matches(name, list(names), n=1)
    return f"; the nearest is {found[0]}" if found else ""


def _reason(error: BaseException) -> str:
    return f"no {error}" if isinstance(error, KeyError) else str(error) or type(error).__name__
