"""The part of Modbus RTU that relay boards want, without I/O: coils, discrete inputs, and timed coils.

A frame is `unit function data crc16` (Modbus over serial line V1.02, 2.5.1; polynomial 0xA001, preset 0xFFFF, low byte
first). A response's length follows from its function.
"""

from enum import IntEnum
from typing import Final, NamedTuple

from edge.readers.errors import MalformedError
from edge.readers.serial import crc
from edge.readers.serial.framer import Found, Framer

BAUD: Final = 9_600
CRC_TABLE: Final = crc.crc_table(0xA001)
COIL_ON: Final = 0xFF00
COIL_OFF: Final = 0x0000
TIMED_ON: Final = 0x0200
"""Boards of Waveshare and many like them: writing n to coil 0x0200 + channel switches it on for n tenths of a second,
which the board counts by itself. Not of the standard, where a coil takes ON and OFF only."""
TIMED_UNIT_MS: Final = 100
TIMED_MOST: Final = 0x7FFF
WRITE_RESPONSE_BYTES: Final = 8
FAILED: Final = 0x80


class Function(IntEnum):
    """Function codes (Modbus application protocol V1.1b3, 6)."""

    READ_COILS = 0x01
    READ_INPUTS = 0x02
    WRITE_COIL = 0x05


EXCEPTIONS: Final = {1: "it doesn't know this function", 2: "it has no such channel", 3: "it doesn't take this value"}


class Frame(NamedTuple):
    """One whole frame."""

    unit: int
    function: int
    data: bytes


def crc16(data: bytes) -> int:
    """Return the CRC of a frame without its last two bytes."""
    return crc.crc16(data, CRC_TABLE)


def encode(frame: Frame) -> bytes:
    """Return a frame's bytes; both roles use it."""
    body = bytes((frame.unit, frame.function)) + frame.data
    return body + crc16(body).to_bytes(2, "little")


def find(buffer: bytes, at: int) -> Found[Frame]:
    """Say what response stands at a place of a buffer (see `Framer`)."""
    held = len(buffer) - at
    if held < 3:  # noqa: PLR2004 (the length may stand in the third byte)
        known = held < 2 or _length(buffer[at + 1], 0) > 0  # noqa: PLR2004 (the function is the second byte)
        return Found.more() if known else Found.nothing()
    length = _length(buffer[at + 1], buffer[at + 2])
    if length == 0:
        return Found.nothing()
    if held < length:
        return Found.more()
    end = at + length
    if crc16(buffer[at : end - 2]) != int.from_bytes(buffer[end - 2 : end], "little"):
        return Found.nothing()
    return Found.frame(Frame(buffer[at], buffer[at + 1], buffer[at + 2 : end - 2]), length)


def framer() -> Framer[Frame]:
    """Return a new framer for one connection."""
    return Framer(find)


def write_coil(unit: int, coil: int, value: int) -> Frame:
    """Write one coil; the response is the same frame."""
    return Frame(unit, Function.WRITE_COIL, coil.to_bytes(2, "big") + value.to_bytes(2, "big"))


def switch(unit: int, channel: int, *, on: bool) -> Frame:
    """Switch a channel, from 1."""
    return write_coil(unit, channel - 1, COIL_ON if on else COIL_OFF)


def timed_on(unit: int, channel: int, on_ms: int) -> Frame:
    """Switch a channel on for a time that the board counts, rounded up to tenths of a second."""
    units = min(TIMED_MOST, -(-on_ms // TIMED_UNIT_MS))
    return write_coil(unit, TIMED_ON + channel - 1, units)


def read_bits(unit: int, function: Function, count: int) -> Frame:
    """Ask for the first `count` coils or inputs."""
    return Frame(unit, function, bytes((0, 0)) + count.to_bytes(2, "big"))


def bits(frame: Frame, count: int) -> list[bool]:
    """Return the bits of a response to `read_bits`."""
    if frame.function & FAILED:
        raise MalformedError(why(frame))
    data = frame.data[1:]
    if len(data) * 8 < count:
        raise MalformedError(f"an answer has {len(data) * 8} states, {count} were asked for")
    return [bool(data[number // 8] >> number % 8 & 1) for number in range(count)]


def why(frame: Frame) -> str:
    """Say an exception response in words."""
    code = frame.data[0] if frame.data else 0
    return EXCEPTIONS.get(code, "its manual has no words for it") + f" (exception {code})"


def _length(function: int, third: int) -> int:
    """Return the length of a response, 0 for a function that we never ask for."""
    if function & FAILED:
        return 5
    if function in {Function.READ_COILS, Function.READ_INPUTS}:
        return third + 5
    return WRITE_RESPONSE_BYTES if function == Function.WRITE_COIL else 0
