"""READER_EVENT_NOTIFICATION and statuses as bytes (LLRP 1.0.1, 13.1.4 and 14)."""

import struct

from simulator.server.codes import MessageType, ParameterType, Status
from simulator.server.now import Now
from simulator.server.wire import message, tlv


def status(code: int = Status.SUCCESS, description: str = "") -> bytes:
    """LLRPStatus with its words."""
    text = description.encode()
    return tlv(ParameterType.LLRP_STATUS, struct.pack(">HH", code, len(text)) + text)


def notification(event: bytes, now: Now) -> bytes:
    """One event with its time, as a whole message."""
    data = tlv(ParameterType.READER_EVENT_NOTIFICATION_DATA, now.stamp() + event)
    return message(MessageType.READER_EVENT_NOTIFICATION, 0, data)


def connection_attempt(outcome: int, now: Now) -> bytes:
    """How a connection attempt ended: the first message of every session."""
    return notification(tlv(ParameterType.CONNECTION_ATTEMPT_EVENT, struct.pack(">H", outcome)), now)


def connection_close(now: Now) -> bytes:
    """The reader closes the connection."""
    return notification(tlv(ParameterType.CONNECTION_CLOSE_EVENT), now)


def rospec_event(*, started: bool, rospec_id: int, now: Now) -> bytes:
    """A ROSpec started or ended."""
    body = struct.pack(">BII", 0 if started else 1, rospec_id, 0)
    return notification(tlv(ParameterType.ROSPEC_EVENT, body), now)


def aispec_end(rospec_id: int, index: int, now: Now) -> bytes:
    """An AISpec ended; `index` counts from 1."""
    return notification(tlv(ParameterType.AISPEC_EVENT, struct.pack(">BIH", 0, rospec_id, index)), now)


def antenna_event(port: int, now: Now, *, connected: bool = True) -> bytes:
    """An antenna is connected, or was taken off."""
    return notification(tlv(ParameterType.ANTENNA_EVENT, struct.pack(">BH", connected, port)), now)


def gpi_event(port: int, now: Now, *, high: bool) -> bytes:
    """An input changed."""
    return notification(tlv(ParameterType.GPI_EVENT, struct.pack(">HB", port, 0x80 * high)), now)


def buffer_warning(percent: int, now: Now) -> bytes:
    """The report buffer is so full."""
    return notification(tlv(ParameterType.REPORT_BUFFER_LEVEL_WARNING, bytes([percent])), now)


def buffer_overflow(now: Now) -> bytes:
    """Reports were lost in the reader."""
    return notification(tlv(ParameterType.REPORT_BUFFER_OVERFLOW_ERROR), now)


def reader_exception(text: str, now: Now) -> bytes:
    """The reader tells of trouble of its own."""
    words = text.encode()
    return notification(tlv(ParameterType.READER_EXCEPTION_EVENT, struct.pack(">H", len(words)) + words), now)


def rf_survey_end(rospec_id: int, now: Now) -> bytes:
    """An RF survey ended."""
    return notification(tlv(ParameterType.RF_SURVEY_EVENT, struct.pack(">BIH", 1, rospec_id, 1)), now)
