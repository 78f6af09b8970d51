"""Tag reports decoded a second on one core: hot as every read of every reader passes here, on a Raspberry Pi too."""

import time

from sllurp.llrp import LLRPMessage

from edge.llrp import FrameBuffer, ReportDecoder
from edge.llrp.reports import CompiledReports, PlainReports
from tests.bench.figures import BENCH, Figure
from tests.helpers.llrp_messages import custom, report, tag

TAGS = 4000
"""Tag reports in the recorded stream; a busy portal's few seconds."""
SECONDS = 0.5
"""Time of one measurement; the best of `ROUNDS` counts, as others share the cores."""
ROUNDS = 3
RECEIVE = 65536
START_US = 1_594_174_805_140_192


@BENCH.register("decode.")
def decode_speed():
    """Yield tags/s from received bytes to columns, 50 and 1 tag a message, with sllurp's reading of the same bytes."""
    for per_message in (50, 1):
        messages = stream(per_message)
        wire = b"".join(messages)
        ours = speed(lambda wire=wire: receive(wire, CompiledReports()))
        theirs = speed(lambda messages=messages: sllurp(messages))
        name = f"decode.{per_message}tag{'s' if per_message > 1 else ''}"
        detail = f"64 KiB receives of {len(wire) // TAGS} B a tag, framing and columns"
        yield Figure(f"{name}.sllurp", ours, "tags/s", "sllurp 3.0.5", theirs, ours / theirs, detail)
        if per_message > 1:
            plain = speed(lambda wire=wire: receive(wire, PlainReports()))
            detail = "the twin, where numba is absent"
            yield Figure(f"{name}.plain", plain, "tags/s", "sllurp 3.0.5", theirs, plain / theirs, detail)


def stream(per_message):
    """Return reports as an R420 sends them with phase and fine RSSI on."""
    tags = [
        tag(
            custom(25882, 56, b"\1\2"),
            custom(25882, 57, b"\xe9\x92"),
            epc=b"\x30\x34\x25\x7b\xf7\x19\x4e\x40" + (n % 24).to_bytes(4, "big"),
            antenna=1 + n % 4,
            rssi_dbm=-57,
            channel=1 + n % 50,
            first_us=START_US + 900 * n,
            last_us=START_US + 900 * n + 400,
            seen_count=1,
            rospec_id=14,
        )
        for n in range(TAGS)
    ]
    return [report(*tags[at : at + per_message]) for at in range(0, TAGS, per_message)]


def receive(wire, walk):
    """Frame and decode a stream in receives of 64 KiB; return the tags."""
    buffer, decoder = FrameBuffer(), ReportDecoder(walk)
    for at in range(0, len(wire), RECEIVE):
        buffer.feed(memoryview(wire)[at : at + RECEIVE])
        decoder.decode(buffer.take().data)
    return decoder.reports


def sllurp(messages):
    """Decode messages one by one, as sllurp's client does after its own framing; return the tags."""
    return sum(len(LLRPMessage(msgbytes=message).msgdict["RO_ACCESS_REPORT"]["TagReportData"]) for message in messages)


def speed(work):
    """Return tags a second, the best of a few rounds; the first call warms what is compiled."""
    if work() != TAGS:
        raise AssertionError("not every tag was decoded")
    return max(one_round(work) for _ in range(ROUNDS))


def one_round(work):
    """Return tags a second over one round."""
    begin = time.perf_counter()
    tags = 0
    while (spent := time.perf_counter() - begin) < SECONDS:
        tags += work()
    return tags / spent
