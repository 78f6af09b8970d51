"""Blocks of a pcapng file (IETF draft-ietf-opsawg-pcapng) and records of a classic pcap file, bytes <-> values.

Written: one section, one interface of raw IP, enhanced packet blocks in microseconds. Read: what Wireshark, tcpdump and
dumpcap write, in either byte order, with any time resolution; blocks of no use here are passed over.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from struct import Struct
from typing import Final, Literal

from edge.llrp.errors import LlrpError

RAW_IP: Final = 101
"""LINKTYPE_RAW: the packet begins with its IPv4 or IPv6 header."""
SECTION: Final = 0x0A0D0D0A
INTERFACE: Final = 1
OLD_PACKET: Final = 2
SIMPLE_PACKET: Final = 3
ENHANCED_PACKET: Final = 6
BYTE_ORDER_MAGIC: Final = 0x1A2B3C4D
PCAP_MAGICS: Final[dict[bytes, tuple[Literal["<", ">"], int]]] = {
    bytes.fromhex("d4c3b2a1"): ("<", 1_000_000),
    bytes.fromhex("a1b2c3d4"): (">", 1_000_000),
    bytes.fromhex("4d3cb2a1"): ("<", 1_000_000_000),
    bytes.fromhex("a1b23c4d"): (">", 1_000_000_000),
}
"""Classic pcap: byte order, and ticks of the second timestamp word in a second."""
OTHER_FILES: Final[dict[bytes, str]] = {
    b"\x1f\x8b": "it is compressed by gzip: unpack it first",
    b"\x28\xb5\x2f\xfd": "it is compressed by zstd: unpack it first",
    b"\x04\x22\x4d\x18": "it is compressed by lz4: unpack it first",
}

END_OF_OPTIONS: Final = 0
COMMENT: Final = 1
APPLICATION: Final = 4
FLAGS: Final = 2
TIME_RESOLUTION: Final = 9
TIME_OFFSET: Final = 14
MAX_BLOCK_BYTES: Final = 32 * 1024 * 1024
"""No block on record is near it; a longer one is a file out of step."""

_BLOCK: Final = Struct("<II")
_OPTION: Final = Struct("<HH")
_PACKET: Final = Struct("<IIIII")
_INTERFACE: Final = Struct("<HHI")
_LEAST_BLOCK: Final = 12
_PCAP_HEADER_BYTES: Final = 24
_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet of a capture.

    Attributes:
        at_us: when it was captured, UTC microseconds.
        link: LINKTYPE of its interface.
        data: what was captured of it.
        whole: whether that is all of it; a capture may cut packets off (its snap length).
        comments: what was noted beside it; with the first packet of a section, what was noted of the section too.
        offset: byte of the file at which its block begins.
    """

    at_us: int
    link: int
    data: bytes
    whole: bool = True
    comments: tuple[str, ...] = ()
    offset: int = 0


def is_capture(data: bytes) -> bool:
    """Say whether a file's bytes begin as pcapng or pcap does; no LLRP message begins so."""
    return data[:4] == SECTION.to_bytes(4, "big") or data[:4] in PCAP_MAGICS


def header(*, application: str, comments: Sequence[str] = ()) -> bytes:
    """Return the beginning of a file: a section, and one interface of raw IP with times in microseconds."""
    words = [(COMMENT, text.encode()) for text in comments]
    section = Struct("<IHHq").pack(BYTE_ORDER_MAGIC, 1, 0, -1)
    begin = _block(SECTION, section + _options([*words, (APPLICATION, application.encode())]))
    return begin + _block(INTERFACE, _INTERFACE.pack(RAW_IP, 0, 0) + _options([(TIME_RESOLUTION, b"\x06")]))


def packet(at_us: int, data: bytes, *, inbound: bool, comments: Sequence[str] = ()) -> bytes:
    """Return the block of one packet of that interface."""
    head = _PACKET.pack(0, at_us >> 32, at_us & 0xFFFFFFFF, len(data), len(data))
    words = [(COMMENT, text.encode()) for text in comments]
    flags = (FLAGS, (1 if inbound else 2).to_bytes(4, "little"))
    return _block(ENHANCED_PACKET, head + _padded(data) + _options([flags, *words]))


def _block(kind: int, body: bytes) -> bytes:
    size = _LEAST_BLOCK + len(body)
    return _BLOCK.pack(kind, size) + body + size.to_bytes(4, "little")


def _options(options: Sequence[tuple[int, bytes]]) -> bytes:
    packed = (_OPTION.pack(code, len(value)) + _padded(value) for code, value in options)
    return b"".join(packed) + _OPTION.pack(END_OF_OPTIONS, 0)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


@dataclass(frozen=True, slots=True)
class _Interface:
    link: int
    ticks_a_second: int = _MICROSECONDS
    offset_s: int = 0

    def at_us(self, ticks: int) -> int:
        return self.offset_s * _MICROSECONDS + ticks * _MICROSECONDS // self.ticks_a_second


@dataclass(slots=True)
class CaptureReader:
    """Takes a file's bytes in pieces of any size and gives its packets; one file each.

    `feed` and `finish` raise `LlrpError` for what is no capture, or no more. Packets before the fault were given by
    then, since the pieces are parsed as they come; `offset` is where the next block begins.
    """

    offset: int = 0
    _section: tuple[str, ...] = ()
    _data: bytearray = field(default_factory=bytearray)
    _order: Literal["<", ">", ""] = ""
    _classic: _Interface | None = None
    _interfaces: list[_Interface] = field(default_factory=list)

    def feed(self, data: bytes) -> Iterator[Packet]:
        """Take bytes; the packets that are whole now come as they are asked for."""
        self._data += data
        at = 0
        try:
            while (taken := self._next(at)) is not None:
                size, found = taken
                at += size
                self.offset += size
                if found is not None:
                    yield found
        finally:
            del self._data[:at]

    def finish(self) -> None:
        """Say that the file has ended; `LlrpError` where it ended inside a block or was no capture at all."""
        if not self._order:
            raise LlrpError("this is no capture: it is empty or shorter than a capture's first words", offset=0)
        if self._data:
            raise LlrpError(
                f"the capture ends inside a block: {len(self._data)} bytes from byte {self.offset} on are cut off; "
                "all before them was read",
                offset=self.offset,
            )

    def _next(self, at: int) -> tuple[int, Packet | None] | None:
        """Return the size of what stands at `at` and its packet, or None until more has come."""
        if not self._order and self._classic is None:
            return self._begin(at)
        if self._classic is not None:
            return self._record(at, self._classic)
        return self._pcapng_block(at)

    def _begin(self, at: int) -> tuple[int, Packet | None] | None:
        have = len(self._data) - at
        word = bytes(self._data[at : at + 4])
        for magic, words in OTHER_FILES.items():
            if word.startswith(magic):
                raise LlrpError(f"this is no capture: {words}", offset=0)
        if have < len(word) or have < 4:  # noqa: PLR2004 (the magic word)
            return None
        if word == SECTION.to_bytes(4, "big"):
            return self._pcapng_block(at)
        if word not in PCAP_MAGICS:
            raise LlrpError(
                f"this is no capture: it begins with {word.hex(' ')}, neither pcapng nor pcap; record one with "
                "stockgate-edge record, Wireshark or tcpdump -w",
                offset=0,
            )
        if have < _PCAP_HEADER_BYTES:
            return None
        self._order, ticks = PCAP_MAGICS[word]
        link = Struct(self._order + "I").unpack_from(self._data, at + 20)[0] & 0xFFFF
        self._classic = _Interface(link, ticks)
        return _PCAP_HEADER_BYTES, None

    def _record(self, at: int, interface: _Interface) -> tuple[int, Packet | None] | None:
        layout = Struct(self._order + "IIII")
        if len(self._data) - at < layout.size:
            return None
        seconds, ticks, size, wire = layout.unpack_from(self._data, at)
        self._check_size(size)
        if len(self._data) - at < layout.size + size:
            return None
        at_us = seconds * _MICROSECONDS + ticks * _MICROSECONDS // interface.ticks_a_second
        data = bytes(self._data[at + layout.size : at + layout.size + size])
        return layout.size + size, Packet(at_us, interface.link, data, whole=size >= wire, offset=self.offset)

    def _pcapng_block(self, at: int) -> tuple[int, Packet | None] | None:
        have = len(self._data) - at
        if have < _LEAST_BLOCK:
            return None
        if self._data[at : at + 4] == SECTION.to_bytes(4, "big"):
            self._order = self._byte_order(at)
        kind, size = Struct(self._order + "II").unpack_from(self._data, at)
        if size < _LEAST_BLOCK or size % 4:
            raise self._broken(f"a block there says it is {size} bytes long")
        self._check_size(size)
        if have < size:
            return None
        (again,) = Struct(self._order + "I").unpack_from(self._data, at + size - 4)
        if again != size:
            raise self._broken(f"a block there says it is {size} bytes long, at its end {again}")
        return size, self._meaning(kind, bytes(self._data[at + 8 : at + size - 4]))

    def _byte_order(self, at: int) -> Literal["<", ">"]:
        magic = bytes(self._data[at + 8 : at + 12])
        if magic == BYTE_ORDER_MAGIC.to_bytes(4, "little"):
            return "<"
        if magic == BYTE_ORDER_MAGIC.to_bytes(4, "big"):
            return ">"
        raise self._broken(f"a section there has the byte-order magic {magic.hex(' ')}, which pcapng does not know")

    def _meaning(self, kind: int, body: bytes) -> Packet | None:
        if kind == SECTION:
            self._interfaces = []
            self._section += self._comments(body, 16)
        elif kind == INTERFACE:
            self._interfaces.append(self._interface(body))
        elif kind == ENHANCED_PACKET:
            return self._enhanced(body)
        elif kind == OLD_PACKET:
            return self._old(body)
        elif kind == SIMPLE_PACKET:
            raise self._broken("a simple packet block stands there, which has no time: record with times")
        return None

    def _interface(self, body: bytes) -> _Interface:
        self._need(body, 8)
        link = Struct(self._order + "H").unpack_from(body)[0]
        ticks, offset_s = _MICROSECONDS, 0
        for code, value in self._parse_options(body, 8):
            if code == TIME_RESOLUTION and value:
                ticks = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
            elif code == TIME_OFFSET and len(value) == 8:  # noqa: PLR2004 (a 64-bit word)
                offset_s = Struct(self._order + "q").unpack(value)[0]
        return _Interface(link, ticks, offset_s)

    def _enhanced(self, body: bytes) -> Packet:
        layout = Struct(self._order + "IIIII")
        self._need(body, layout.size)
        number, high, low, size, wire = layout.unpack_from(body)
        self._need(body, layout.size + size)
        end = layout.size + size + -size % 4
        comments = self._comments(body, end)
        return self._packet(number, high << 32 | low, body[layout.size : layout.size + size], wire, comments)

    def _old(self, body: bytes) -> Packet:
        layout = Struct(self._order + "HHIIII")
        self._need(body, layout.size)
        number, _, high, low, size, wire = layout.unpack_from(body)
        self._need(body, layout.size + size)
        return self._packet(number, high << 32 | low, body[layout.size : layout.size + size], wire, ())

    def _packet(self, number: int, ticks: int, data: bytes, wire: int, comments: tuple[str, ...]) -> Packet:
        if number >= len(self._interfaces):
            raise self._broken(f"a packet there is of interface {number}, which the capture does not describe")
        interface = self._interfaces[number]
        section, self._section = self._section, ()
        at_us = interface.at_us(ticks)
        return Packet(at_us, interface.link, data, len(data) >= wire, section + comments, self.offset)

    def _comments(self, body: bytes, at: int) -> tuple[str, ...]:
        return tuple(_text(value) for code, value in self._parse_options(body, at) if code == COMMENT)

    def _parse_options(self, body: bytes, at: int) -> Iterator[tuple[int, bytes]]:
        layout = Struct(self._order + "HH")
        while at + layout.size <= len(body):
            code, size = layout.unpack_from(body, at)
            if code == END_OF_OPTIONS:
                return
            at += layout.size
            if at + size > len(body):
                raise self._broken("an option of a block there is longer than the block")
            yield code, body[at : at + size]
            at += size + -size % 4

    def _check_size(self, size: int) -> None:
        if size > MAX_BLOCK_BYTES:
            raise self._broken(f"a block there says it is {size} bytes long, more than any packet is")

    def _need(self, body: bytes, size: int) -> None:
        if len(body) < size:
            raise self._broken("a block there is shorter than what it must hold")

    def _broken(self, words: str) -> LlrpError:
        return LlrpError(f"the capture is broken at byte {self.offset}: {words}", offset=self.offset)


def _text(value: bytes) -> str:
    return value.decode(errors="replace").rstrip("\0")
