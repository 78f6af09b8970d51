"""Tags a second of one core from a serial reader's or a smart reader's bytes to columns.

A serial line brings some 480 tags/s at most, so what counts is how little of a core eight of them take; smart readers
bring JSON, which is why their rate stands beside what they can send.
"""

import base64
import json
import random
import time

from edge.readers.serial import r200, uhfreader
from edge.readers.sightings import Channels, to_batch
from edge.readers.smart import impinj, zebra
from tests.bench.figures import BENCH, Figure
from tests.helpers.fake_serial import r200_frame, uhf_frame

TAGS = 2000
ROUNDS = 5
"""The best of these counts, as others share the cores."""
RECEIVE_BYTES = 64
"""USB adapters hand on so much at a time at most."""
READER_TAGS_S = 1000
"""What vendors claim of a fixed reader at its peak is 1,100 to 1,300 tags a second."""


@BENCH.register("serial.")
def serial_speed():
    """Yield tags/s of the two families' frames, with what their lines can carry."""
    epcs = [bytes([0x30, *number.to_bytes(11, "big")]) for number in range(TAGS)]
    notices = [r200_frame(2, 0x22, [0xC9, 0x30, 0, *epc, 0x3A, 0x76]) for epc in epcs]
    answers = [uhf_frame(1, [3, 1, 1, 12, *epc, 100]) for epc in epcs]
    for name, frames, bauds, read in (
        ("serial.r200", notices, 115_200, lambda frame: [r200.read_tag(frame)]),
        ("serial.uhfreader288", answers, 57_600, lambda frame: uhfreader.read_tags(frame, antenna=1, with_rssi=True)),
    ):
        wire = b"".join(frames)
        family = r200 if name.endswith("r200") else uhfreader
        carried = bauds / 10 / len(frames[0])
        ours = best(lambda wire=wire, family=family, read=read: receive(wire, family, read))
        yield Figure(
            name, ours, "tags/s", f"line at {bauds} baud", carried, ours / carried, f"{RECEIVE_BYTES} B receives"
        )
    noise = random.Random(1).randbytes(20_000)
    started_s = time.perf_counter()
    uhfreader.framer().feed(noise)
    rate = len(noise) / (time.perf_counter() - started_s)
    yield Figure(
        "serial.garbage", rate, "bytes/s", "line at 57600 baud", 5760, rate / 5760, "UHFReader framing of random bytes"
    )


@BENCH.register("smart.")
def smart_speed():
    """Yield tags/s of the two payload formats, 50 events a message."""
    events = [(b"\x30" + number.to_bytes(11, "big"), number) for number in range(TAGS)]
    for name, make, read in (("smart.impinj_iot", _impinj, impinj.read), ("smart.zebra_iotc", _zebra, zebra.read)):
        payloads = [json.dumps([make(*event) for event in events[at : at + 50]]).encode() for at in range(0, TAGS, 50)]
        ours = best(lambda payloads=payloads, read=read: publish(payloads, read))
        yield Figure(
            name, ours, "tags/s", "one busy reader", READER_TAGS_S, ours / READER_TAGS_S, "50 events a message"
        )


def receive(wire, family, read):
    """Frame and read a stream; return the tags."""
    framer, channels, tags = family.framer(), Channels(), 0
    for at in range(0, len(wire), RECEIVE_BYTES):
        sightings = [tag for frame in framer.feed(wire[at : at + RECEIVE_BYTES]) for tag in read(frame)]
        tags += len(to_batch(sightings, channels)) if sightings else 0
    return tags


def publish(payloads, read):
    """Read payloads; return the tags."""
    channels = Channels()
    return sum(len(to_batch(read(payload).sightings, channels)) for payload in payloads)


def best(run):
    """Tags/s of the best round."""
    rates = []
    for _ in range(ROUNDS):
        started_s = time.perf_counter()
        tags = run()
        rates.append(tags / (time.perf_counter() - started_s))
        assert tags == TAGS
    return max(rates)


def _impinj(epc, number):
    tag = {
        "epc": base64.urlsafe_b64encode(epc).decode(),
        "epcHex": epc.hex(),
        "antennaPort": 1 + number % 4,
        "peakRssiCdbm": -5800,
        "frequency": 902_750 + 500 * (number % 50),
        "lastSeenTime": "2026-04-02T12:00:01.123Z",
        "phaseAngle": 32.5,
    }
    return {
        "timestamp": "2026-04-02T12:00:01.123456Z",
        "hostname": "impinj-01-23-45",
        "eventType": "tagInventory",
        "tagInventoryEvent": tag,
    }


def _zebra(epc, number):
    data = {"eventNum": number, "format": "epc", "idHex": epc.hex(), "antenna": 1, "peakRssi": -46, "channel": 917.25}
    return {"type": "CUSTOM", "timestamp": "2026-04-02T12:00:01.123+0000", "data": data | {"phase": 12.0, "reads": 1}}
