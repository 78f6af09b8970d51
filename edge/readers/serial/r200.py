"""R200 / YRM100 protocol, without I/O: bytes in, frames out; values in, bytes out.

A frame is `head type command length16 data sum tail`; numbers are big endian and `sum` is the sum of the bytes from
`type` to the end of `data`, modulo 256. Head and tail occur in data too, so the length alone says where a frame ends.
Two dialects are on the market, which differ in head and tail only: BB … 7E (YRM100, JRD-4035, most R200) and AA … DD
(R200 user protocol V2.3.3). A framer takes both.

Errors: `MalformedError` for a frame's data; a framer raises nothing, it counts.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from edge.readers.errors import MalformedError
from edge.readers.serial.framer import Found, Framer
from edge.readers.sightings import Sighting

BAUD: Final = 115_200
HEADS: Final = {0xBB: 0x7E, 0xAA: 0xDD}
"""Tail for each head."""
MAX_DATA_BYTES: Final = 512
"""Longest data that is taken for such: the longest on record is a read of user memory, well below."""
OVERHEAD_BYTES: Final = 7
NO_TAG: Final = 0x15
"""Error code of an inventory round that heard nothing: no fault, a sign of life."""
MOST_POLLS: Final = 0xFFFF
_PC_LENGTH_SHIFT: Final = 11
"""The upper five bits of the PC word are the EPC's length in words (Gen2, 6.3.2.1.2.2)."""


class Type(IntEnum):
    """Who speaks (user protocol, 1.2)."""

    COMMAND = 0x00
    RESPONSE = 0x01
    NOTICE = 0x02


class Command(IntEnum):
    """What we say and hear (user protocol, 35)."""

    INFO = 0x03
    SET_REGION = 0x07
    GET_REGION = 0x08
    POLL_ONCE = 0x22
    POLL_MANY = 0x27
    STOP_POLLING = 0x28
    INSERT_CHANNELS = 0xA9
    HOPPING = 0xAD
    SET_POWER = 0xB6
    GET_POWER = 0xB7
    FAILED = 0xFF


class Info(IntEnum):
    """What INFO asks for."""

    HARDWARE = 0x00
    FIRMWARE = 0x01
    MAKER = 0x02


ERRORS: Final = {
    0x09: "it could not read the tag",
    0x10: "it could not write the tag",
    0x12: "it could not kill the tag",
    0x13: "it could not lock the tag",
    NO_TAG: "it heard no tag",
    0x16: "the tag's password is another one",
    0x17: "it doesn't know this command or its value",
    0x20: "it found no free channel to hop to",
}


class Frame(NamedTuple):
    """One whole frame."""

    type: int
    command: int
    data: bytes
    head: int = 0xBB


def encode(frame: Frame) -> bytes:
    """Return a frame's bytes; both roles use it."""
    body = bytes((frame.type, frame.command)) + len(frame.data).to_bytes(2, "big") + frame.data
    return bytes((frame.head,)) + body + bytes((sum(body) & 0xFF, HEADS[frame.head]))


def find(buffer: bytes, at: int) -> Found[Frame]:
    """Say what stands at a place of a buffer (see `Framer`)."""
    held = len(buffer) - at
    if buffer[at] not in HEADS or (held > 1 and buffer[at + 1] > Type.NOTICE):
        return Found.nothing()
    if held < OVERHEAD_BYTES - 2:
        return Found.more()
    length = int.from_bytes(buffer[at + 3 : at + 5], "big")
    if length > MAX_DATA_BYTES:
        return Found.nothing()
    if held < length + OVERHEAD_BYTES:
        return Found.more()
    end = at + length + 5
    if buffer[end + 1] != HEADS[buffer[at]] or buffer[end] != sum(buffer[at + 1 : end]) & 0xFF:
        return Found.nothing()
    return Found.frame(Frame(buffer[at + 1], buffer[at + 2], buffer[at + 5 : end], buffer[at]), end + 2 - at)


def framer() -> Framer[Frame]:
    """Return a new framer for one connection."""
    return Framer(find)


def command(code: Command, data: bytes = b"", *, head: int = 0xBB) -> bytes:
    """Return a command's bytes."""
    return encode(Frame(Type.COMMAND, code, data, head))


def info(what: Info, *, head: int = 0xBB) -> bytes:
    """Ask who the module is."""
    return command(Command.INFO, bytes((what,)), head=head)


def poll_many(polls: int = MOST_POLLS, *, head: int = 0xBB) -> bytes:
    """Start `polls` inventory rounds, 1 to 65,535; 0x22 is the byte that the protocol reserves."""
    return command(Command.POLL_MANY, b"\x22" + polls.to_bytes(2, "big"), head=head)


def set_power(power_cdbm: int, *, head: int = 0xBB) -> bytes:
    """Set the transmit power, hundredths of dBm."""
    return command(Command.SET_POWER, power_cdbm.to_bytes(2, "big"), head=head)


def set_region(code: int, *, head: int = 0xBB) -> bytes:
    """Choose a band by its code (`bands.R200_RASTERS`)."""
    return command(Command.SET_REGION, bytes((code,)), head=head)


def insert_channels(channels: Sequence[int], *, head: int = 0xBB) -> bytes:
    """Say the channels of the band to hop over; none at all means every one of the band."""
    return command(Command.INSERT_CHANNELS, bytes((len(channels), *channels)), head=head)


def set_hopping(*, on: bool, head: int = 0xBB) -> bytes:
    """Hop over the region's channels, or stay on one."""
    return command(Command.HOPPING, b"\xff" if on else b"\x00", head=head)


def read_info(frame: Frame) -> str:
    """Return the words of an INFO response."""
    if len(frame.data) < 1:
        raise MalformedError("an answer about the module's versions is empty")
    return frame.data[1:].decode("ascii", "replace").strip("\0 ")


def read_power_cdbm(frame: Frame) -> int:
    """Return the power of a GET_POWER response."""
    if len(frame.data) != 2:  # noqa: PLR2004 (a 16 bit number)
        raise MalformedError(f"an answer about power has {len(frame.data)} bytes, not 2")
    return int.from_bytes(frame.data, "big")


def read_tag(frame: Frame) -> Sighting:
    """Return the tag of a notice: RSSI (a signed byte, dBm as the module says), PC, EPC, CRC.

    The module has one antenna, port 1. The PC's length counts: some modules pad.
    """
    data = frame.data
    if len(data) < 7:  # noqa: PLR2004 (RSSI, PC, one word of EPC, CRC)
        raise MalformedError(f"a tag notice of {len(data)} bytes has no room for RSSI, PC, EPC and CRC")
    rssi_dbm = data[0] - 0x100 if data[0] & 0x80 else data[0]
    words = int.from_bytes(data[1:3], "big") >> _PC_LENGTH_SHIFT
    epc = data[3 : 3 + 2 * words]
    if not 0 < 2 * words <= len(data) - 5:
        raise MalformedError(f"a tag notice of {len(data)} bytes can't hold the {words} words of EPC of its PC")
    return Sighting(epc, antenna=1, rssi_cdbm=100 * rssi_dbm)


def read_error(frame: Frame) -> str:
    """Say an error response's code in words."""
    if not frame.data:
        return "it gave no reason"
    code = frame.data[0]
    return ERRORS.get(code, "its manual has no words for it") + f" (code {code:#04x})"
