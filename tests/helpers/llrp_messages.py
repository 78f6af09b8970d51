"""Builds LLRP reports for tests from their parts: right ones, and broken ones on purpose."""

import struct

TV_FORMATS = {
    "antenna": (1, "!H"),
    "first_us": (2, "!Q"),
    "first_uptime_us": (3, "!Q"),
    "last_us": (4, "!Q"),
    "last_uptime_us": (5, "!Q"),
    "rssi_dbm": (6, "!b"),
    "channel": (7, "!H"),
    "seen_count": (8, "!H"),
    "rospec_id": (9, "!I"),
    "inventory_parameter_spec_id": (10, "!H"),
    "crc": (11, "!H"),
    "pc": (12, "!H"),
    "spec_index": (14, "!H"),
    "client_request_op_spec_result": (15, "!H"),
    "access_spec_id": (16, "!I"),
    "op_spec_id": (17, "!H"),
    "singulation": (18, "!I"),
    "xpc_w1": (19, "!H"),
    "xpc_w2": (20, "!H"),
}


def tv(name, value):
    """Build a TV parameter by the name that the batch or the dump gives it."""
    number, layout = TV_FORMATS[name]
    return bytes([0x80 | number]) + struct.pack(layout, value)


def tlv(number, body=b"", *, length=None):
    """Build a TLV parameter; `length` overrides what it says of itself."""
    return struct.pack("!HH", number, len(body) + 4 if length is None else length) + body


def epc96(epc):
    """Build an EPC-96 parameter from 12 bytes."""
    return b"\x8d" + epc


def epc_data(epc, bits=None):
    """Build an EPCData parameter."""
    return tlv(241, struct.pack("!H", 8 * len(epc) if bits is None else bits) + epc)


def custom(vendor, subtype, body):
    """Build a custom parameter."""
    return tlv(1023, struct.pack("!II", vendor, subtype) + body)


def tag(*parts, epc=b"\x30\x34\x25\x7b\xf7\x19\x4e\x40\x00\x00\x00\x01", **values):
    """Build a TagReportData with an EPC-96, TV parameters by name, and further parameters."""
    head = [epc96(epc)] if epc is not None else []
    return tlv(240, b"".join([*head, *(tv(name, value) for name, value in values.items()), *parts]))


def message(number, body=b"", *, message_id=7, version=1, length=None):
    """Build a message; `length` overrides what it says of itself."""
    return struct.pack("!HII", version << 10 | number, len(body) + 10 if length is None else length, message_id) + body


def report(*tags, message_id=7):
    """Build an RO_ACCESS_REPORT."""
    return message(61, b"".join(tags), message_id=message_id)


KEEPALIVE = message(62)


def random_tag(rng):
    """Build a random tag report that is right, with any of the parameters that readers send."""
    names = [name for name in TV_FORMATS if rng.random() < 0.5]
    rng.shuffle(names)
    parts = [tv(name, _random_value(rng, name)) for name in names]
    size = rng.choice((0, 1, 4, 12, 12, 12, 16, 62))
    parts.append(
        epc96(rng.randbytes(12))
        if rng.random() < 0.5
        else epc_data(rng.randbytes(size), max(8 * size - rng.choice((0, 0, 3)), 0))
    )
    extras = (
        lambda: custom(25882, rng.choice((56, 57, 68, 99)), rng.randbytes(2)),
        lambda: custom(161, rng.choice((709, 712)), rng.randbytes(rng.choice((1, 2)))),
        lambda: tlv(rng.choice((349, 350, 351, 362)), b"\0\0\7\0\1\xab\xcd"),
        lambda: tlv(rng.choice((300, 999)), rng.randbytes(rng.randrange(6))),
    )
    parts += [extra() for extra in extras if rng.random() < 0.3]
    if rng.random() < 0.5:
        rng.shuffle(parts)
    return tlv(240, b"".join(parts))


def random_chunk(rng):
    """Build a few right messages: reports of several tags, empty ones, ones with RF surveys, and others."""
    kinds = (
        lambda: report(*(random_tag(rng) for _ in range(rng.randrange(6)))),
        lambda: report(random_tag(rng)),
        lambda: report(tlv(242, rng.randbytes(9)), random_tag(rng), custom(161, 5, b"\1")),
        lambda: KEEPALIVE,
        lambda: message(63, tlv(246, tlv(128, rng.randbytes(8)))),
    )
    return b"".join(rng.choice(kinds)() for _ in range(rng.randrange(1, 5)))


def mutated(rng, data):
    """Damage bytes as wires, versions and bugs do: flip, cut, repeat, insert, or set a value to its extreme."""
    damaged = bytearray(data)
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        at = rng.randrange(len(damaged)) if damaged else 0
        match rng.randrange(5):
            case 0 if damaged:
                damaged[at] ^= 1 << rng.randrange(8)
            case 1 if damaged:
                damaged[at] = rng.choice((0, 1, 4, 13, 0x7F, 0x80, 0x8D, 0xF0, 0xFF))
            case 2:
                del damaged[at : at + rng.choice((1, 2, 10))]
            case 3:
                damaged[at:at] = rng.randbytes(rng.choice((1, 2, 10)))
            case _:
                damaged[at:at] = damaged[at : at + rng.randrange(40)]
    return bytes(damaged)


def damaged_tags(rng):
    """Build a report whose tag reports are damaged inside lengths that are right, where decoders look closest."""
    return report(*(tlv(240, mutated(rng, random_tag(rng)[4:])) for _ in range(rng.randrange(1, 6))))


def cut_whole(data):
    """Make damaged bytes one whole report again, as far as its header says."""
    if len(data) < 10:
        return data
    return struct.pack("!HI", 1 << 10 | 61, len(data)) + data[6:]


def pieces(rng, data):
    """Cut bytes at random places."""
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randrange(6)))
    return [data[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def _random_value(rng, name):
    size = struct.calcsize(TV_FORMATS[name][1])
    if size == 8:
        return rng.choice((0, 946_704_236_596_234, 1_753_197_324_241_000, rng.randrange(2**63), 2**63 - 1))
    if size == 1:
        return rng.randrange(-128, 128)
    return rng.choice((0, 1, 2, rng.randrange(256**size)))
