"""UHFReader18 and UHFReader288 protocol (Chafon and others), without I/O: bytes in, frames out; values in, bytes out.

A frame is `len adr cmd data crc16`; `len` counts what follows it, the CRC (polynomial 0x8408, preset 0xFFFF, low byte
first) covers all before it. A response's data begin with a status. There is no mark for a frame's beginning, so after
garbage only the CRC tells where one stands.

RSSI is a step count of the reader's own (288 only; 18 sends none). It is no dBm, and no public manual says what it
would be in dBm.

Errors: `MalformedError` for a frame's data; a framer raises nothing, it counts.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import Final, NamedTuple

from edge.readers.errors import MalformedError
from edge.readers.serial import crc
from edge.readers.serial.framer import Found, Framer
from edge.readers.sightings import Sighting

BAUD: Final = 57_600
BROADCAST: Final = 0xFF
"""Address that every reader answers to; the answer carries its own."""
CRC_TABLE: Final = crc.crc_table(0x8408)
SHORTEST: Final = 4
"""`len` of a frame without data."""
RSSI_ZERO: Final = 160
"""Raw RSSI that is mapped to 0: readers on record give 100 to 110 for tags nearby, which so becomes -60 to -50. One
raw step is taken for 1 dB. Windows compare levels with each other, so the order counts and the zero doesn't."""
SCAN_UNIT_MS: Final = 100
SCAN_UNITS: Final = 3
"""Longest time of one inventory: the shortest that the manual allows, so that antennas take turns quickly."""
TID_BYTES: Final = 12
HAS_TID: Final = 0x80
"""Bit of an EPC's length that says that a TID follows the EPC (FastID)."""
INDEXED_PORTS: Final = frozenset({12, 16})
"""Readers with so many ports say the antenna as an index from 0; those with fewer as a mask, bit 0 = antenna 1."""


class Command(IntEnum):
    """What we say and hear (user manual 1.14 of UHFReader288, chapter 8)."""

    INVENTORY = 0x01
    INFO = 0x21
    SET_REGION = 0x22
    SET_SCAN_TIME = 0x25
    SET_POWER = 0x2F
    PUSHED = 0xEE


class Status(IntEnum):
    """A response's first byte, as far as it steers us."""

    OK = 0x00
    DONE = 0x01
    TIME_OVER = 0x02
    MORE = 0x03
    MEMORY_FULL = 0x04
    STATISTICS = 0x26
    HEARTBEAT = 0x28
    ANTENNA = 0xF8
    NO_TAG = 0xFB


WITH_TAGS: Final = frozenset({Status.DONE, Status.TIME_OVER, Status.MORE, Status.MEMORY_FULL})
FAULTS: Final = {
    Status.MEMORY_FULL: "its memory was full: tags were left out",
    Status.ANTENNA: "the antenna is not connected, or its cable is open",
    0xF9: "it failed to do it",
    0xFA: "the tag answered too weakly",
    0xFC: "the tag refused",
    0xFD: "the command's length is wrong for it",
    0xFE: "it doesn't know this command now",
    0xFF: "it doesn't take this value",
}


class Frame(NamedTuple):
    """One whole frame; in a response, `data` begins with the status."""

    address: int
    command: int
    data: bytes

    @property
    def status(self) -> int:
        """A response's status; a response without one counts as failed."""
        return self.data[0] if self.data else 0xFF


class Info(NamedTuple):
    """Who the reader is, and how it is set."""

    firmware: str
    type: int
    band: int
    first_channel: int
    last_channel: int
    power_dbm: int
    scan_units: int


def crc16(data: bytes) -> int:
    """Return the CRC of a frame without its last two bytes."""
    return crc.crc16(data, CRC_TABLE)


def encode(frame: Frame) -> bytes:
    """Return a frame's bytes; both roles use it."""
    body = bytes((len(frame.data) + SHORTEST, frame.address, frame.command)) + frame.data
    return body + crc16(body).to_bytes(2, "little")


def find(buffer: bytes, at: int) -> Found[Frame]:
    """Say what stands at a place of a buffer (see `Framer`)."""
    length = buffer[at]
    if length < SHORTEST:
        return Found.nothing()
    end = at + length + 1
    if len(buffer) < end:
        return Found.more()
    if crc16(buffer[at : end - 2]) != int.from_bytes(buffer[end - 2 : end], "little"):
        return Found.nothing()
    return Found.frame(Frame(buffer[at + 1], buffer[at + 2], buffer[at + 3 : end - 2]), length + 1)


def framer() -> Framer[Frame]:
    """Return a new framer for one connection."""
    return Framer(find)


def command(code: Command, data: bytes = b"") -> bytes:
    """Return a command's bytes, for any reader on the line."""
    return encode(Frame(BROADCAST, code, data))


def inventory_288(antenna: int, q: int, *, session: int = 0) -> bytes:
    """Take one inventory at one antenna (from 1) with 2^q slots at first: no mask, target A, the shortest time."""
    mask = bytes((0x01, 0x00, 0x00, 0x00))
    return command(Command.INVENTORY, bytes((q, session)) + mask + bytes((0, 0x80 | antenna - 1, SCAN_UNITS)))


def inventory_18() -> bytes:
    """Take one inventory; the reader has one antenna and its own time for it."""
    return command(Command.INVENTORY)


def set_power(power_dbm: int) -> bytes:
    """Set the transmit power, which the reader keeps."""
    return command(Command.SET_POWER, bytes((power_dbm,)))


def set_scan_time() -> bytes:
    """Set the longest time of an inventory to the shortest allowed, which the reader keeps."""
    return command(Command.SET_SCAN_TIME, bytes((SCAN_UNITS,)))


def set_region(band: int, first: int, last: int) -> bytes:
    """Choose a band by its number (`bands`), and its channels from `first` to `last`; the reader keeps it."""
    return command(Command.SET_REGION, bytes(((band >> 2) << 6 | last, (band & 3) << 6 | first)))


def read_info(frame: Frame) -> Info:
    """Return what an INFO response says; 18 sends 8 bytes, 288 more."""
    data = frame.data[1:]
    if frame.status != Status.OK or len(data) < 8:  # noqa: PLR2004 (the fields of the older of the two)
        raise MalformedError(f"an answer about the reader has status {frame.status:#04x} and {len(data)} bytes")
    version_major, version_minor, kind, _, top, bottom, power_dbm, scan_units = data[:8]
    band = (top >> 6) << 2 | bottom >> 6
    return Info(f"{version_major}.{version_minor}", kind, band, bottom & 0x3F, top & 0x3F, power_dbm & 0x7F, scan_units)


def read_tags(frame: Frame, *, antenna: int, with_rssi: bool) -> list[Sighting]:
    """Return the tags of an INVENTORY response; `antenna` is the one that was asked.

    288 says the antenna and an RSSI, 18 neither. The antenna that was asked is believed before the one in the answer,
    which is a mask on some readers and an index on others.
    """
    data = frame.data[2:] if with_rssi else frame.data[1:]
    if not data:
        raise MalformedError("an inventory's answer ends before its number of tags")
    blocks = list(_blocks(data[1:], with_rssi=with_rssi))
    if len(blocks) != data[0]:
        raise MalformedError(f"an inventory's answer announces {data[0]} tags and holds {len(blocks)}")
    return [Sighting(epc, antenna, relative_cdbm(rssi)) for epc, rssi in blocks if epc]


def read_pushed(frame: Frame, *, ports: int) -> list[Sighting]:
    """Return the tag of a frame that a reader in real-time mode sends by itself, once for each antenna named."""
    data = frame.data[1:]
    if len(data) < 3:  # noqa: PLR2004 (antenna, length, RSSI)
        raise MalformedError(f"a pushed tag of {len(data)} bytes has no room for antenna, length and RSSI")
    blocks = list(_blocks(data[1:], with_rssi=True))
    if len(blocks) != 1:
        raise MalformedError(f"a pushed frame holds {len(blocks)} tags, not 1")
    ((epc, rssi),) = blocks
    return [Sighting(epc, antenna, relative_cdbm(rssi)) for antenna in antennas(data[0], ports) if epc]


def antennas(byte: int, ports: int) -> list[int]:
    """Return the antenna ports, from 1, that an answer's antenna byte names on a reader with so many ports."""
    if ports in INDEXED_PORTS:
        return [byte + 1]
    return [bit + 1 for bit in range(8) if byte >> bit & 1]


def relative_cdbm(raw: int | None) -> int | None:
    """Return a raw RSSI on the scale that windows work with (see `RSSI_ZERO`)."""
    return None if raw is None else 100 * (raw - RSSI_ZERO)


def slots_exponent(tags: int) -> int:
    """Return the Q that suits so many tags: 2^Q next above their number, and room for newcomers."""
    return min(15, max(2, tags.bit_length()))


def words(status: int) -> str:
    """Say a status in words."""
    return FAULTS.get(status, "its manual has no words for it") + f" (status {status:#04x})"


def _blocks(data: bytes, *, with_rssi: bool) -> Iterator[tuple[bytes, int | None]]:
    at, tail = 0, int(with_rssi)
    while at < len(data):
        length = data[at] & ~HAS_TID
        end = at + 1 + length
        if end + tail > len(data):
            raise MalformedError(f"a tag of {length} bytes runs past the end of the answer")
        epc = data[at + 1 : end - TID_BYTES if data[at] & HAS_TID else end]
        yield epc[:62], data[end] if with_rssi else None
        at = end + tail
