"""IP packets with TCP segments (RFC 791, 8200, 9293) and the link headers that captures put before them."""

from enum import Enum
from functools import lru_cache
from ipaddress import ip_address
from struct import Struct
from typing import Final, NamedTuple

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
PSH: Final = 0x08
ACK: Final = 0x10
TCP: Final = 6
WINDOW: Final = 65535
HOP_LIMIT: Final = 64

ETHERNET: Final = 1
LINK_HEADERS: Final[dict[int, tuple[int, int | None]]] = {
    0: (4, None),  # NULL: address family in the capturing host's byte order; the version nibble says the same
    108: (4, None),  # LOOP: the same, big-endian
    101: (0, None),  # RAW
    12: (0, None),  # raw IP as some BSDs number it
    14: (0, None),
    228: (0, None),  # IPV4
    229: (0, None),  # IPV6
    113: (16, 14),  # LINUX_SLL: protocol in the last two bytes
    276: (20, 0),  # LINUX_SLL2: protocol in the first two bytes
    ETHERNET: (14, 12),
}
"""LINKTYPE -> bytes before the IP packet, and where in them the EtherType stands."""
IP_TYPES: Final = frozenset({0x0800, 0x86DD})
VLAN_TYPES: Final = frozenset({0x8100, 0x88A8, 0x9100})

_IPV4: Final = Struct("!BBHHHBBH4s4s")
_IPV6: Final = Struct("!IHBB16s16s")
_TCP: Final = Struct("!HHIIBBHHH")
_PSEUDO_V6: Final = Struct("!II")
_EXTENSIONS: Final = frozenset({0, 43, 60})
"""IPv6 headers between the first and TCP: hop-by-hop, routing, destination options."""
_FRAGMENT: Final = 44
_FRAGMENT_BITS: Final = 0x3FFF
"""IPv4: more fragments follow, and the fragment's offset."""
_V4: Final = 4
_V6: Final = 6


class Endpoint(NamedTuple):
    """An address and a TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Segment(NamedTuple):
    """One TCP segment."""

    source: Endpoint
    target: Endpoint
    seq: int
    ack: int
    flags: int
    payload: bytes = b""


class Skipped(Enum):
    """Why a packet gives no segment."""

    NOT_TCP = "are no TCP"
    LINK = "are of a link type that isn't known here"
    CUT = "were cut off by the capture's snap length"
    FRAGMENT = "are fragments of larger ones"


class _Ip(NamedTuple):
    source: bytes
    target: bytes
    body: bytes


def build(segment: Segment) -> bytes:
    """Return the raw IP packet of a segment, with right lengths and checksums."""
    source, target = _packed(segment.source.host), _packed(segment.target.host)
    offset = _TCP.size // 4 << 4
    size = _TCP.size + len(segment.payload)
    if len(source) == 4:  # noqa: PLR2004 (bytes of an IPv4 address)
        pseudo = source + target + TCP.to_bytes(2, "big") + size.to_bytes(2, "big")
        head = _ipv4_header(source, target, size)
    else:
        pseudo = source + target + _PSEUDO_V6.pack(size, TCP)
        head = _IPV6.pack(_V6 << 28, size, TCP, HOP_LIMIT, source, target)
    fields = (segment.source.port, segment.target.port, segment.seq, segment.ack, offset, segment.flags, WINDOW)
    bare = _TCP.pack(*fields, 0, 0) + segment.payload
    return head + _TCP.pack(*fields, checksum(pseudo + bare), 0) + segment.payload


@lru_cache(maxsize=256)
def _packed(host: str) -> bytes:
    """Return an address as bytes; a capture has few, and a packet for each of them very often."""
    return ip_address(host).packed


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071): big-endian words added modulo 2^16 - 1, and inverted."""
    total = int.from_bytes(data + bytes(len(data) % 2), "big") % 0xFFFF
    return ~total & 0xFFFF


def dissect(link: int, data: bytes, *, whole: bool = True) -> Segment | Skipped:
    """Return the TCP segment in a captured packet, or why there is none; never raises."""
    at = _ip_offset(link, data)
    if at is None:
        return Skipped.NOT_TCP if link in LINK_HEADERS else Skipped.LINK
    version = data[at] >> 4 if at < len(data) else 0
    found = _ipv4(data, at) if version == _V4 else _ipv6(data, at) if version == _V6 else Skipped.NOT_TCP
    if isinstance(found, Skipped):
        return found if whole or found is not Skipped.NOT_TCP else Skipped.CUT
    body = found.body
    start = (body[12] >> 4) * 4 if len(body) >= _TCP.size else 0
    if start < _TCP.size or start > len(body):
        return Skipped.NOT_TCP if whole else Skipped.CUT
    source_port, target_port, seq, ack, _, flags, *_ = _TCP.unpack_from(body)
    source = Endpoint(str(ip_address(found.source)), source_port)
    return Segment(source, Endpoint(str(ip_address(found.target)), target_port), seq, ack, flags, body[start:])


def _ipv4_header(source: bytes, target: bytes, size: int) -> bytes:
    fields = (0x45, 0, _IPV4.size + size, 0, 0x4000, HOP_LIMIT, TCP)
    return _IPV4.pack(*fields, checksum(_IPV4.pack(*fields, 0, source, target)), source, target)


def _ip_offset(link: int, data: bytes) -> int | None:
    if link not in LINK_HEADERS:
        return None
    at, type_at = LINK_HEADERS[link]
    if len(data) <= at:
        return None
    if type_at is None:
        return at
    kind = int.from_bytes(data[type_at : type_at + 2], "big")
    while kind in VLAN_TYPES:
        kind = int.from_bytes(data[at + 2 : at + 4], "big")
        at += 4
    return at if kind in IP_TYPES else None


def _ipv4(data: bytes, at: int) -> _Ip | Skipped:
    if len(data) - at < _IPV4.size:
        return Skipped.NOT_TCP
    head, _, total, _, fragment, _, protocol, _, source, target = _IPV4.unpack_from(data, at)
    if protocol != TCP:
        return Skipped.NOT_TCP
    if fragment & _FRAGMENT_BITS:
        return Skipped.FRAGMENT
    # Network cards that cut segments themselves are seen with the length 0: then all that follows belongs to it.
    end = at + total if total else len(data)
    if end > len(data):
        return Skipped.CUT
    return _Ip(source, target, data[at + (head & 0xF) * 4 : end])


def _ipv6(data: bytes, at: int) -> _Ip | Skipped:
    if len(data) - at < _IPV6.size:
        return Skipped.NOT_TCP
    _, size, following, _, source, target = _IPV6.unpack_from(data, at)
    begin = at + _IPV6.size
    end = begin + size if size else len(data)
    if end > len(data):
        return Skipped.CUT if following == TCP else Skipped.NOT_TCP
    while following in _EXTENSIONS and begin + 2 <= end:
        following, begin = data[begin], begin + 8 * (data[begin + 1] + 1)
    if following == _FRAGMENT:
        return Skipped.FRAGMENT
    return _Ip(source, target, data[begin:end]) if following == TCP else Skipped.NOT_TCP
