"""Captures as others make them: link headers, classic pcap and big-endian pcapng, built by hand."""

import struct

from edge.llrp.capture.frames import Endpoint, Segment, build

CLIENT, READER = Endpoint("192.0.2.1", 40000), Endpoint("192.0.2.10", 5084)
CLIENT6, READER6 = Endpoint("2001:db8::1", 40000), Endpoint("2001:db8::10", 5084)
ACK, PSH, SYN, FIN = 0x10, 0x08, 0x02, 0x01

READER_TABLE = '[[readers]]\nid = "{id}"\nhost = "{host}"\n'
DOOR = """
[[portals]]
id = "door-{id}"
inside = "stockroom"
outside = "corridor"
layout = "single"
antennas = [{{ reader = "{id}", port = 1 }}]
"""

LINKS = {
    "ethernet": (1, lambda ip: bytes(12) + ethertype(ip) + ip),
    "vlan": (1, lambda ip: bytes(12) + b"\x81\x00\x00\x07" + ethertype(ip) + ip),
    "qinq": (1, lambda ip: bytes(12) + b"\x88\xa8\x00\x01\x81\x00\x00\x07" + ethertype(ip) + ip),
    "padded": (1, lambda ip: (bytes(12) + ethertype(ip) + ip).ljust(60, b"\0")),
    "cooked": (113, lambda ip: bytes(14) + ethertype(ip) + ip),
    "cooked2": (276, lambda ip: ethertype(ip) + bytes(18) + ip),
    "loopback": (0, lambda ip: b"\x02\0\0\0" + ip),
    "raw": (101, lambda ip: ip),
}


def ethertype(ip):
    """Tell IPv4 from IPv6 as a link header does."""
    return b"\x08\x00" if ip[0] >> 4 == 4 else b"\x86\xdd"


def segment(payload=b"", *, seq=1, source=READER, target=CLIENT, flags=ACK | PSH, ack=1):
    """One segment, from the reader unless told otherwise."""
    return Segment(source, target, seq, ack, flags, payload)


def pcap(packets, *, link=101, order="<", ticks_a_second=1_000_000, snap=None):
    """A classic pcap of (at_us, data) packets."""
    magic = 0xA1B2C3D4 if ticks_a_second == 1_000_000 else 0xA1B23C4D
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)]
    for at_us, data in packets:
        kept = data[:snap]
        ticks = at_us % 1_000_000 * (ticks_a_second // 1_000_000)
        parts += [struct.pack(order + "IIII", at_us // 1_000_000, ticks, len(kept), len(data)), kept]
    return b"".join(parts)


def pcapng(packets, *, link=101, order=">", resolution=9, offset_s=0):
    """A pcapng as others write it: a name block in between, options, any byte order and resolution."""

    def block(kind, body):
        size = struct.pack(order + "I", 12 + len(body))
        return struct.pack(order + "I", kind) + size + body + size

    def option(code, value):
        return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)

    parts = [
        block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + option(2, b"a Pi") + option(0, b"")),
        block(1, struct.pack(order + "HHI", link, 0, 65535) + option(2, b"eth0") + option(9, bytes([resolution]))
              + option(14, struct.pack(order + "q", offset_s)) + option(0, b"")),
        block(4, struct.pack(order + "HH", 0, 0)),
        block(0x0BAD, struct.pack(order + "I", 32473) + b"whatever"),
    ]  # fmt: skip
    for at_us, data in packets:
        second = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10**resolution
        ticks = -(-(at_us - offset_s * 1_000_000) * second // 1_000_000)
        head = struct.pack(order + "IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data))
        parts.append(block(6, head + data + bytes(-len(data) % 4)))
    parts.append(block(5, struct.pack(order + "III", 0, 0, 0)))
    return b"".join(parts)


def stream(data, *, at_us=0, step_us=0, size=100, source=READER, target=CLIENT, first_seq=1):
    """Cut bytes into (at_us, raw IP) packets of `size` bytes."""
    return [
        (
            at_us + step_us * number,
            build(segment(data[at : at + size], seq=(first_seq + at) % 2**32, source=source, target=target)),
        )
        for number, at in enumerate(range(0, len(data), size))
    ]


def config(tmp_path, **readers):
    """Write a configuration of single-antenna doors, one a reader."""
    tables = "".join(READER_TABLE.format(id=name, host=host) for name, host in readers.items())
    doors = "".join(DOOR.format(id=name) for name in readers)
    path = tmp_path / "edge.toml"
    path.write_text(f'site = "hq"\ngateway = "gw-1"\n{tables}{doors}[mqtt]\nurl = "mqtt://localhost"\n')
    return path
