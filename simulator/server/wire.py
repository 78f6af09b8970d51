"""LLRP 1.0.1 framing and parameters in the reader role, apart from the edge's own codec.

Everything here is written from the standard's tables, so that simulator and edge can't agree by sharing a mistake.
"""

import asyncio
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from simulator.server.errors import WireError

VERSION: Final = 1
"""Protocol version of LLRP 1.0.1, in three bits of the first word (15.1.1)."""

HEADER: Final = struct.Struct(">HII")
"""Reserved, version and type; length in bytes with this header; message id (15.1.1)."""

MAX_MESSAGE_BYTES: Final = 1 << 20
"""A client's messages are small; one that claims more is garbage, not LLRP."""

FIRST_TLV_TYPE: Final = 128
"""Parameter types below are TV-encoded: one byte with the top bit set, no length (15.2.1.2)."""

CUSTOM_TYPE: Final = 1023
"""Type of a vendor's message or parameter; its vendor and subtype follow (15.1.3, 15.2.1.3)."""

IMPINJ: Final = 25882
"""IANA enterprise number of Impinj."""

_TV_BYTES: Final = {1: 2, 2: 8, 3: 8, 4: 8, 5: 8, 6: 1, 7: 2, 8: 2, 9: 4, 10: 2, 11: 2, 12: 2, 13: 12, 14: 2}
_TLV_HEADER: Final = struct.Struct(">HH")
_VENDOR: Final = struct.Struct(">II")


@dataclass(frozen=True, slots=True)
class Message:
    """One whole message from a client."""

    type: int
    message_id: int
    body: bytes
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: for a custom one `vendor` and `subtype` are split from the body."""

    type: int
    body: bytes
    vendor: int = 0
    subtype: int = 0


def message(kind: int, message_id: int, body: bytes = b"") -> bytes:
    """Frame a body as a message of that type."""
    return HEADER.pack(VERSION << 10 | kind, HEADER.size + len(body), message_id) + body


def tlv(kind: int, body: bytes = b"") -> bytes:
    """Encode a type-length-value parameter."""
    return _TLV_HEADER.pack(kind, _TLV_HEADER.size + len(body)) + body


def custom(subtype: int, body: bytes, vendor: int = IMPINJ) -> bytes:
    """Encode a vendor's parameter."""
    return tlv(CUSTOM_TYPE, _VENDOR.pack(vendor, subtype) + body)


def fields(body: bytes, layout: str, what: str) -> tuple[int, ...]:
    """Unpack the fixed fields at the beginning of a body.

    Raises:
        WireError: the body is too short.
    """
    try:
        return struct.unpack_from(layout, body)
    except struct.error as error:
        raise WireError(f"{what} has {len(body)} bytes and needs {struct.calcsize(layout)}") from error


def parameters(body: bytes, what: str) -> Iterator[Parameter]:
    """Walk the parameters of a body.

    Raises:
        WireError: a parameter's length leads outside of the body, or its TV type is unknown.
    """
    at = 0
    while at < len(body):
        if body[at] & 0x80:
            kind = body[at] & 0x7F
            size = 1 + _tv_size(kind, what)
            found = Parameter(kind, body[at + 1 : at + size])
        else:
            kind, size = fields(body[at:], ">HH", f"a parameter of {what}")
            kind &= 0x3FF
            if size < _TLV_HEADER.size:
                raise WireError(f"parameter {kind} of {what} claims {size} bytes, fewer than its own header")
            found = _tlv_parameter(kind, body[at + _TLV_HEADER.size : at + size], what)
        if at + size > len(body):
            raise WireError(f"parameter {kind} of {what} claims {size} bytes where {len(body) - at} are left")
        yield found
        at += size


def _tv_size(kind: int, what: str) -> int:
    size = _TV_BYTES.get(kind)
    if size is None:
        raise WireError(f"TV parameter {kind} of {what} is unknown, so that its end can't be found")
    return size


def _tlv_parameter(kind: int, body: bytes, what: str) -> Parameter:
    if kind != CUSTOM_TYPE:
        return Parameter(kind, body)
    vendor, subtype = fields(body, ">II", f"a custom parameter of {what}")
    return Parameter(kind, body[_VENDOR.size :], vendor, subtype)


async def read_message(stream: asyncio.StreamReader) -> Message | None:
    """Read one whole message; None at the end of the stream between two messages.

    Raises:
        WireError: what came isn't LLRP 1.0.1 framing, or ended inside a message.
    """
    try:
        head = await stream.readexactly(HEADER.size)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise WireError(f"the stream ended {len(error.partial)} bytes into a message header") from error
        return None
    word, length, message_id = HEADER.unpack(head)
    if not HEADER.size <= length <= MAX_MESSAGE_BYTES or word >> 13:
        raise WireError(f"{head.hex()} is no LLRP message header")
    try:
        body = await stream.readexactly(length - HEADER.size)
    except asyncio.IncompleteReadError as error:
        raise WireError(f"the stream ended inside a message of {length} bytes") from error
    return Message(word & 0x3FF, message_id, body, word >> 10 & 0x7)
