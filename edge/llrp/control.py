"""Control-plane messages in the words of the session: requests by name, answers as small typed values.

The bytes are `edge.llrp.messages`' business (docs/adr/0006). Here stand what the agent wants to know of a reader's
answers, and the meaning of status codes for people. Only `LlrpError` is raised.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from edge.llrp.errors import LlrpError
from edge.llrp.framing import Frame
from edge.llrp.messages import Message, decode_message, encode_message
from edge.llrp.messages.answers import GetReaderCapabilitiesResponse, ReaderEventNotification
from edge.llrp.messages.by_name import message_by_name
from edge.llrp.messages.capabilities import UHFBandCapabilities
from edge.llrp.messages.common import LLRPStatus, Uptime, UTCTimestamp
from edge.llrp.messages.enums import AntennaEventType, ConnectionAttemptStatusType
from edge.llrp.messages.registry import VENDOR_MESSAGES
from edge.llrp.wire import CUSTOM
from edge.llrp.wire import message_name as standard_name

VERSION: Final = 1

MAX_CONTROL_BYTES: Final = 1 << 18
"""Largest control message that is decoded: the fullest on record is below 20 kB, and decoding this takes 0.1 s."""

CONNECTED: Final = 0
ALREADY_CONNECTED: Final = frozenset({1, 2})
"""ConnectionAttemptEvent: a reader-initiated (1) or client-initiated (2) connection already exists."""
ANTENNA_CONNECTED: Final = AntennaEventType.ANTENNA_CONNECTED
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


M = TypeVar("M", bound=Message)


def encode(name: str, fields: Mapping[str, Any] | None = None, *, message_id: int) -> bytes:
    """Return the bytes of one message.

    Args:
        name: as in LLRP, like `ADD_ROSPEC`.
        fields: by the standard's names; every one must be known. Scalars that are left out are 0.
        message_id: 0 to 2**32 - 1; the response carries the same.

    Raises:
        LlrpError: for anything that would be left out or can't be encoded.
    """
    return encode_message(message_by_name(name, fields or {}), message_id, VERSION)


def message_name(frame: Frame) -> str:
    """Return the LLRP name of a frame's message, or its type in words."""
    payload = _capped(frame)
    if frame.type != CUSTOM:
        return standard_name(frame.type)
    if len(payload) < 5:  # noqa: PLR2004 (vendor in four bytes, subtype in one)
        raise LlrpError(f"custom message of {len(payload)} bytes: it names no vendor and subtype")
    vendor, subtype = int.from_bytes(payload[:4], "big"), payload[4]
    known = VENDOR_MESSAGES.get((vendor, subtype))
    return known.STANDARD_NAME if known else f"custom message {vendor}/{subtype}"


def response_name(request: str) -> str:
    """Return the name of the message that answers `request`."""
    return f"{request}_RESPONSE"


def decode_status(frame: Frame) -> Status:
    """Return the LLRPStatus of a response or ERROR_MESSAGE."""
    _capped(frame)
    said = getattr(decode_message(frame), "llrp_status", None)
    if not isinstance(said, LLRPStatus):
        raise LlrpError(f"{message_name(frame)} carries no LLRPStatus")
    return Status(int(said.status_code), _text(said.error_description))


def decode_capabilities(frame: Frame) -> Capabilities:
    """Return what a GET_READER_CAPABILITIES_RESPONSE says."""
    message = _decode(frame, GetReaderCapabilitiesResponse)
    general, llrp = message.general_device_capabilities, message.llrp_capabilities
    if general is None or llrp is None:
        lacks = "GeneralDeviceCapabilities" if general is None else "LLRPCapabilities"
        raise LlrpError(f"GET_READER_CAPABILITIES_RESPONSE lacks what a reader must say: no {lacks}")
    regulatory = message.regulatory_capabilities
    band = regulatory.uhf_band_capabilities if regulatory else None
    return Capabilities(
        vendor=general.device_manufacturer_name,
        model=general.model_name,
        firmware=_text(general.reader_firmware_version),
        antennas=general.max_number_of_antenna_supported,
        has_utc_clock=general.has_utc_clock_capability,
        gpis=general.gpio_capabilities.num_gpis,
        max_rospecs=llrp.max_num_rospecs,
        holds_events=llrp.supports_event_and_report_holding,
        warns_of_buffer=llrp.can_report_buffer_fill_warning,
        hopping=band is not None and band.frequency_information.hopping,
        hop_table_ids=_hop_tables(band),
        power_levels=_powers(band),
        gpos=general.gpio_capabilities.num_gpos,
        country_code=regulatory.country_code if regulatory else 0,
        communications_standard=int(regulatory.communications_standard) if regulatory else 0,
        frequencies_khz=_frequencies(band),
        mode_ids=_modes(band),
    )


def decode_event(frame: Frame) -> ReaderEvent:
    """Return what a READER_EVENT_NOTIFICATION says."""
    data = _decode(frame, ReaderEventNotification).reader_event_notification_data
    gpi, antenna, level = data.gpi_event, data.antenna_event, data.report_buffer_level_warning_event
    attempt, fault = data.connection_attempt_event, data.reader_exception_event
    words = "ConnectionAttemptEvent holds a value that LLRP does not know"
    if attempt is not None and not isinstance(attempt.status, ConnectionAttemptStatusType):
        raise LlrpError(f"READER_EVENT_NOTIFICATION: its {words}: {attempt.status}")
    return ReaderEvent(
        utc_us=data.timestamp.microseconds if isinstance(data.timestamp, UTCTimestamp) else None,
        uptime_us=data.timestamp.microseconds if isinstance(data.timestamp, Uptime) else None,
        connection_attempt=None if attempt is None else int(attempt.status),
        connection_closed=data.connection_close_event is not None,
        gpi=None if gpi is None else (gpi.gpi_port_number, gpi.gpi_event),
        antenna=None
        if antenna is None
        else (antenna.antenna_id, antenna.event_type == AntennaEventType.ANTENNA_CONNECTED),
        buffer_percent=None if level is None else level.report_buffer_percentage_full,
        overflow=data.report_buffer_overflow_error_event is not None,
        exception=None if fault is None else _text(fault.message),
    )


def _hop_tables(band: UHFBandCapabilities | None) -> tuple[int, ...]:
    return tuple(table.hop_table_id for table in band.frequency_information.frequency_hop_tables) if band else ()


def _frequencies(band: UHFBandCapabilities | None) -> tuple[int, ...]:
    if band is None:
        return ()
    fixed = band.frequency_information.fixed_frequency_table
    hops = [khz for table in band.frequency_information.frequency_hop_tables for khz in table.frequency]
    return tuple(sorted({*hops, *(fixed.frequency if fixed else ())}))


def _modes(band: UHFBandCapabilities | None) -> tuple[int, ...]:
    tables = band.c1g2_uhf_rf_mode_tables if band else ()
    return tuple(mode.mode_identifier for table in tables for mode in table.c1g2_uhf_rf_mode_table_entries)


def _powers(band: UHFBandCapabilities | None) -> tuple[PowerLevel, ...]:
    levels = band.transmit_power_level_table_entries if band else ()
    return tuple(PowerLevel(level.index, level.transmit_power_value) for level in levels)


def _decode(frame: Frame, cls: type[M]) -> M:
    _capped(frame)
    if frame.type != cls.NUMBER:
        raise LlrpError(f"expected {cls.STANDARD_NAME}, got {message_name(frame)}")
    message = decode_message(frame)
    if not isinstance(message, cls):
        raise LlrpError(f"expected {cls.STANDARD_NAME}, got {message.STANDARD_NAME}")
    return message


def _capped(frame: Frame) -> bytes:
    if len(frame.payload) > MAX_CONTROL_BYTES:
        raise LlrpError(f"control message of {len(frame.payload)} bytes: at most {MAX_CONTROL_BYTES} are read")
    return frame.payload


def _text(said: str) -> str:
    """Return a reader's words without what ends them, printable also where they are no UTF-8."""
    return said.encode(errors="surrogateescape").decode(errors="replace").strip("\0 \n")
