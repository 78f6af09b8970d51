"""Numbers of LLRP 1.1 (EPCglobal LLRP 1.1, 2010; sections in brackets) and walking over its parameters."""

from collections.abc import Iterator
from enum import IntEnum
from struct import Struct
from typing import Final, NamedTuple

HEADER: Final = Struct("!HII")
"""Message header [16.1]: 3 reserved bits, 3 of version and 10 of type; length with this header; message id."""
HEADER_BYTES: Final = HEADER.size
TYPE_MASK: Final = 0x3FF
VERSIONS: Final = (1, 2)
"""Protocol versions that the header can name: 1 is LLRP 1.0.1, 2 is LLRP 1.1."""
TLV_HEADER: Final = Struct("!HH")
"""Parameter header of type-length-value form [17]: 6 reserved bits and 10 of type; length with this header."""
CUSTOM: Final = 1023
"""Type of custom messages and of custom parameters, which name a vendor and a subtype."""
CUSTOM_HEADER: Final = Struct("!II")

IMPINJ: Final = 25882
ZEBRA: Final = 161
"""Private enterprise numbers (IANA); Zebra's readers kept Motorola's."""


class Message(IntEnum):
    """Message types [16.2, table of message types]."""

    GET_READER_CAPABILITIES = 1
    GET_READER_CONFIG = 2
    SET_READER_CONFIG = 3
    CLOSE_CONNECTION_RESPONSE = 4
    GET_READER_CAPABILITIES_RESPONSE = 11
    GET_READER_CONFIG_RESPONSE = 12
    SET_READER_CONFIG_RESPONSE = 13
    CLOSE_CONNECTION = 14
    ADD_ROSPEC = 20
    DELETE_ROSPEC = 21
    START_ROSPEC = 22
    STOP_ROSPEC = 23
    ENABLE_ROSPEC = 24
    DISABLE_ROSPEC = 25
    GET_ROSPECS = 26
    ADD_ROSPEC_RESPONSE = 30
    DELETE_ROSPEC_RESPONSE = 31
    START_ROSPEC_RESPONSE = 32
    STOP_ROSPEC_RESPONSE = 33
    ENABLE_ROSPEC_RESPONSE = 34
    DISABLE_ROSPEC_RESPONSE = 35
    GET_ROSPECS_RESPONSE = 36
    ADD_ACCESSSPEC = 40
    DELETE_ACCESSSPEC = 41
    ENABLE_ACCESSSPEC = 42
    DISABLE_ACCESSSPEC = 43
    GET_ACCESSSPECS = 44
    CLIENT_REQUEST_OP = 45
    GET_SUPPORTED_VERSION = 46
    SET_PROTOCOL_VERSION = 47
    ADD_ACCESSSPEC_RESPONSE = 50
    DELETE_ACCESSSPEC_RESPONSE = 51
    ENABLE_ACCESSSPEC_RESPONSE = 52
    DISABLE_ACCESSSPEC_RESPONSE = 53
    GET_ACCESSSPECS_RESPONSE = 54
    CLIENT_REQUEST_OP_RESPONSE = 55
    GET_SUPPORTED_VERSION_RESPONSE = 56
    SET_PROTOCOL_VERSION_RESPONSE = 57
    GET_REPORT = 60
    RO_ACCESS_REPORT = 61
    KEEPALIVE = 62
    READER_EVENT_NOTIFICATION = 63
    ENABLE_EVENTS_AND_REPORTS = 64
    KEEPALIVE_ACK = 72
    ERROR_MESSAGE = 100
    CUSTOM_MESSAGE = 1023


MESSAGE_NAMES: Final[dict[int, str]] = {message.value: message.name for message in Message}


class Tv(IntEnum):
    """Parameters of type-value form [17.2.7.3]: their first byte is 0x80 | type and their length is fixed."""

    ANTENNA_ID = 1
    FIRST_SEEN_UTC = 2
    FIRST_SEEN_UPTIME = 3
    LAST_SEEN_UTC = 4
    LAST_SEEN_UPTIME = 5
    PEAK_RSSI = 6
    CHANNEL_INDEX = 7
    TAG_SEEN_COUNT = 8
    ROSPEC_ID = 9
    INVENTORY_PARAMETER_SPEC_ID = 10
    C1G2_CRC = 11
    C1G2_PC = 12
    EPC_96 = 13
    SPEC_INDEX = 14
    CLIENT_REQUEST_OP_SPEC_RESULT = 15
    ACCESS_SPEC_ID = 16
    OP_SPEC_ID = 17
    C1G2_SINGULATION_DETAILS = 18
    C1G2_XPC_W1 = 19
    C1G2_XPC_W2 = 20


TV_VALUES: Final[dict[Tv, Struct]] = {
    Tv.ANTENNA_ID: Struct("!H"),
    Tv.FIRST_SEEN_UTC: Struct("!Q"),
    Tv.FIRST_SEEN_UPTIME: Struct("!Q"),
    Tv.LAST_SEEN_UTC: Struct("!Q"),
    Tv.LAST_SEEN_UPTIME: Struct("!Q"),
    Tv.PEAK_RSSI: Struct("!b"),
    Tv.CHANNEL_INDEX: Struct("!H"),
    Tv.TAG_SEEN_COUNT: Struct("!H"),
    Tv.ROSPEC_ID: Struct("!I"),
    Tv.INVENTORY_PARAMETER_SPEC_ID: Struct("!H"),
    Tv.C1G2_CRC: Struct("!H"),
    Tv.C1G2_PC: Struct("!H"),
    Tv.EPC_96: Struct("!12s"),
    Tv.SPEC_INDEX: Struct("!H"),
    Tv.CLIENT_REQUEST_OP_SPEC_RESULT: Struct("!H"),
    Tv.ACCESS_SPEC_ID: Struct("!I"),
    Tv.OP_SPEC_ID: Struct("!H"),
    Tv.C1G2_SINGULATION_DETAILS: Struct("!HH"),
    Tv.C1G2_XPC_W1: Struct("!H"),
    Tv.C1G2_XPC_W2: Struct("!H"),
}
"""The value behind the type byte of each; big-endian as all of LLRP."""


class Tlv(IntEnum):
    """Parameters of type-length-value form that stand in a report [17.2.7, 17.3.1.5]."""

    TAG_REPORT_DATA = 240
    EPC_DATA = 241
    RF_SURVEY_REPORT_DATA = 242
    C1G2_READ_RESULT = 349
    C1G2_WRITE_RESULT = 350
    C1G2_KILL_RESULT = 351
    C1G2_LOCK_RESULT = 352
    C1G2_BLOCK_ERASE_RESULT = 353
    C1G2_BLOCK_WRITE_RESULT = 354
    C1G2_RECOMMISSION_RESULT = 360
    C1G2_BLOCK_PERMALOCK_RESULT = 361
    C1G2_GET_BLOCK_PERMALOCK_STATUS_RESULT = 362
    CUSTOM = 1023


# Custom parameters of a tag report: (vendor, subtype), each of 14 bytes with one 16-bit value.
IMPINJ_PHASE: Final = (IMPINJ, 56)
"""RFPhaseAngle, unsigned, 4096 steps a turn [Impinj Octane LLRP guide]."""
IMPINJ_PEAK_RSSI: Final = (IMPINJ, 57)
"""PeakRSSI, signed, hundredths of dBm [the same]."""
IMPINJ_DOPPLER: Final = (IMPINJ, 68)
"""RFDopplerFrequency, signed, sixteenths of Hz [the same]."""
ZEBRA_PHASE: Final = (ZEBRA, 709)
"""MotoTagPhase, signed, 32767 is half a turn. Subtype and size are as the LlrpNet project captured them from an FX9600
(Zebra's guide adds reserved bits that aren't sent); the unit is that of 24,720 recorded phases of an FX7500.
"""
CUSTOM_VALUE_BYTES: Final = 14


class Fault(IntEnum):
    """What can be wrong inside a message whose frame is whole; `FAULT_TEXTS` says it in words."""

    BAD_MESSAGE = 1
    PARAMETER_CUT = 2
    BAD_LENGTH = 3
    RESERVED_BITS = 4
    UNKNOWN_TV = 5
    MISPLACED_TV = 6
    EPC_TOO_LONG = 7
    EPC_CUT = 8
    NO_EPC = 9
    TIME_RANGE = 10
    VALUE_CUT = 11


FAULT_TEXTS: Final[dict[Fault, str]] = {
    Fault.BAD_MESSAGE: "this is not the header of a whole LLRP message; what follows was not read",
    Fault.PARAMETER_CUT: "a parameter is cut off by the end of what holds it",
    Fault.BAD_LENGTH: "a parameter's length is below its header or beyond the end of what holds it",
    Fault.RESERVED_BITS: "the reserved bits of a parameter's header are not zero",
    Fault.UNKNOWN_TV: "a TV parameter of unknown type has no length, so what follows it can't be read",
    Fault.MISPLACED_TV: "a TV parameter stands outside any tag report",
    Fault.EPC_TOO_LONG: "an EPC of more than 496 bits doesn't fit any tag",
    Fault.EPC_CUT: "an EPC is shorter than the bits that it announces",
    Fault.NO_EPC: "a tag report has no EPC",
    Fault.TIME_RANGE: "a timestamp is beyond 2^63 microseconds",
    Fault.VALUE_CUT: "a parameter is shorter than the values that it must hold",
}


class ParameterError(Exception):
    """A fault and the offset where it stands; inside this room only, callers make an `LlrpError` or a count of it."""

    def __init__(self, fault: Fault, offset: int) -> None:
        super().__init__(fault, offset)
        self.fault = fault
        self.offset = offset


class Parameter(NamedTuple):
    """Where one parameter stands: `start` is its first byte, its value is from `value` to `end`."""

    type: int
    tv: bool
    start: int
    value: int
    end: int


def message_name(number: int) -> str:
    """Return a message type's name, or `type N` where the standard has none."""
    return MESSAGE_NAMES.get(number, f"type {number}")


def parameters(data: bytes, start: int, end: int) -> Iterator[Parameter]:
    """Yield the parameters of data[start:end] in wire order; `ParameterError` at the first that can't be one."""
    at = start
    while at < end:
        parameter = _tv(data, at, end) if data[at] & 0x80 else _tlv(data, at, end)
        yield parameter
        at = parameter.end


def _tv(data: bytes, at: int, end: int) -> Parameter:
    number = data[at] & 0x7F
    if number not in TV_VALUES:
        raise ParameterError(Fault.UNKNOWN_TV, at)
    after = at + 1 + TV_VALUES[Tv(number)].size
    if after > end:
        raise ParameterError(Fault.PARAMETER_CUT, at)
    return Parameter(number, tv=True, start=at, value=at + 1, end=after)


def _tlv(data: bytes, at: int, end: int) -> Parameter:
    if at + TLV_HEADER.size > end:
        raise ParameterError(Fault.PARAMETER_CUT, at)
    word, length = TLV_HEADER.unpack_from(data, at)
    if word > TYPE_MASK:
        raise ParameterError(Fault.RESERVED_BITS, at)
    if length < TLV_HEADER.size or at + length > end:
        raise ParameterError(Fault.BAD_LENGTH, at)
    return Parameter(word, tv=False, start=at, value=at + TLV_HEADER.size, end=at + length)
