"""A simulated reader without a socket: asked by messages, answered by bytes, with sllurp as the judge."""

import struct

from sllurp.llrp import LLRPMessage

from simulator.faults import Faults
from simulator.server.device import ReaderDevice
from simulator.server.model import ReaderModel
from simulator.server.now import Now
from simulator.server.reports import Content, Report
from simulator.server.wire import HEADER, Message, tlv
from simulator.world.values import Read, columns

NOW = Now(1_700_000_000_000_000, 5_000_000)
ALL = Content(rospec_id=True, channel=True, first_seen=True)
START = 22


def by_sllurp(data):
    return next(iter(LLRPMessage(msgbytes=data).msgdict.items()))


def kinds(messages):
    return [HEADER.unpack_from(data)[0] & 0x3FF for data in messages]


def tags(messages):
    found = [by_sllurp(data)[1] for data in messages if kinds([data]) == [61]]
    return [tag for report in found for tag in report.get("TagReportData", [])]


def read(number=1, antenna=1, at_us=NOW.utc_us, **changes):
    values = {"rssi_cdbm": -5500, "phase": 9, "channel": 3} | changes
    return Report(epc=number.to_bytes(12), antenna=antenna, first_us=at_us, last_us=at_us, **values)


def put(device, reports, now=NOW):
    found = [
        Read(one.first_us, one.antenna, one.epc, one.rssi_cdbm, one.phase, one.channel, one.seen_count)
        for one in reports
    ]
    return device.put(columns(found), 0, now)


def rospec_body(n=1):
    boundary = tlv(178, tlv(179, b"\0") + tlv(182, struct.pack(">BI", 0, 0)))
    ai = tlv(183, struct.pack(">HH", 1, 0) + tlv(184, struct.pack(">BI", 0, 0)) + tlv(186, struct.pack(">HB", 1, 1)))
    report = tlv(237, struct.pack(">BH", 1, n) + tlv(238, struct.pack(">H", 0xFF80)))
    return tlv(177, struct.pack(">IBB", 1, 0, 0) + boundary + ai + report)


def ask(device, kind, body=b"", now=NOW):
    return device.receive(Message(kind, 5, body), now)


def running(n=1, model=None, **faults):
    device = ReaderDevice(model or ReaderModel(), b"\x02" * 8, Faults(**faults))
    device.connect(NOW)
    start(device, n)
    return device


def start(device, n=1):
    for kind, body in ((20, rospec_body(n)), (24, struct.pack(">I", 1)), (START, struct.pack(">I", 1))):
        answer = ask(device, kind, body)[-1]
        assert struct.unpack_from(">H", answer, 14) == (0,), kind


def fresh(model=None):
    device = ReaderDevice(model or ReaderModel(), b"\x02" * 8)
    device.connect(NOW)
    return device


def command(*parameters):
    return tlv(330, b"\0" + b"".join(parameters))


def add(device, *antenna):
    configuration = tlv(222, struct.pack(">H", 1) + b"".join(antenna))
    boundary = tlv(178, tlv(179, b"\0") + tlv(182, struct.pack(">BI", 0, 0)))
    inventory = tlv(186, struct.pack(">HB", 1, 1) + configuration)
    ai = tlv(183, struct.pack(">HH", 1, 1) + tlv(184, struct.pack(">BI", 0, 0)) + inventory)
    answer = ask(device, 20, tlv(177, struct.pack(">IBB", 1, 0, 0) + boundary + ai))[-1]
    return struct.unpack_from(">H", answer, 14)[0]


def later(ms):
    return Now(NOW.utc_us + 1000 * ms, NOW.steady_us + 1000 * ms)


def impinj(subtype, layout, *values):
    return tlv(1023, struct.pack(">II" + layout, 25882, subtype, *values))


def wired(device, *more):
    """Switch on input 2 and its events."""
    events_on = tlv(244, tlv(245, struct.pack(">HB", 1, 0x80)))
    ask(device, 3, b"\0" + events_on + tlv(225, struct.pack(">HBB", 2, 0x80, 0)) + b"".join(more))
    return device
