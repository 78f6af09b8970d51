"""READER_EVENT_NOTIFICATION and statuses as bytes (LLRP 1.0.1, 13.1.4 and 14)."""

import struct

from simulator.server.codes import ConnectionAttempt, MessageType, ParameterType, Status
from simulator.server.wire import message, tlv


def status(code: int = Status.SUCCESS, description: str = "") -> bytes:
    """LLRPStatus with its words."""
    text = description.encode()
    return tlv(ParameterType.LLRP_STATUS, struct.pack(">HH", code, len(text)) + text)


def notification(event: bytes, utc_us: int) -> bytes:
    """One event with its time, as a whole message."""
    stamp = tlv(ParameterType.UTC_TIMESTAMP, struct.pack(">Q", utc_us))
    data = tlv(ParameterType.READER_EVENT_NOTIFICATION_DATA, stamp + event)
    return message(MessageType.READER_EVENT_NOTIFICATION, 0, data)


def connection_attempt(outcome: ConnectionAttempt, utc_us: int) -> bytes:
    """How a connection attempt ended: the first message of every session."""
    return notification(tlv(ParameterType.CONNECTION_ATTEMPT_EVENT, struct.pack(">H", outcome)), utc_us)


def connection_close(utc_us: int) -> bytes:
    """The reader closes the connection."""
    return notification(tlv(ParameterType.CONNECTION_CLOSE_EVENT), utc_us)


def rospec_event(*, started: bool, rospec_id: int, utc_us: int) -> bytes:
    """A ROSpec started or ended."""
    body = struct.pack(">BII", 0 if started else 1, rospec_id, 0)
    return notification(tlv(ParameterType.ROSPEC_EVENT, body), utc_us)


def aispec_end(rospec_id: int, index: int, utc_us: int) -> bytes:
    """An AISpec ended; `index` counts from 1."""
    return notification(tlv(ParameterType.AISPEC_EVENT, struct.pack(">BIH", 0, rospec_id, index)), utc_us)


def antenna_event(port: int, utc_us: int) -> bytes:
    """An antenna is connected."""
    return notification(tlv(ParameterType.ANTENNA_EVENT, struct.pack(">BH", 1, port)), utc_us)


def buffer_overflow(utc_us: int) -> bytes:
    """Reports were lost in the reader."""
    return notification(tlv(ParameterType.REPORT_BUFFER_OVERFLOW_ERROR), utc_us)
