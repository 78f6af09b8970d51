"""Whole messages decoded a second on one core: cold, a session has some twenty; here so that it stays known."""

import time

from sllurp import llrp_proto

from edge.llrp.framing import Frame
from edge.llrp.messages import decode_message, encode_message
from tests.bench.figures import BENCH, Figure
from tests.conftest import SHARED

ROUNDS = 5
SECONDS = 0.2


@BENCH.register("messages.")
def message_speed():
    """Yield messages/s both ways for a Speedway's recorded capabilities, configuration and event; none without them."""
    if not SHARED.is_dir():
        return
    for name, number, kind in (
        ("capabilities", 11, "GetReaderCapabilitiesResponse"),
        ("configuration", 12, "GetReaderConfigResponse"),
        ("event", 63, "ReaderEventNotification"),
    ):
        payload = (SHARED / "llrp" / "edgex" / f"{kind}-000.bytes").read_bytes()
        frame = Frame(number, 1, 1, payload, 0)
        message = decode_message(frame)
        table = llrp_proto.Message_struct[message.STANDARD_NAME]
        ours = speed(lambda frame=frame: decode_message(frame))
        theirs = speed(
            lambda payload=payload, table=table, message=message: table["decode"](
                memoryview(payload), message.STANDARD_NAME
            )
        )
        detail = f"{len(payload)} bytes, decoded to typed values; sllurp's are dictionaries"
        yield Figure(f"messages.{name}.decode", ours, "messages/s", "sllurp 3.0.5", theirs, ours / theirs, detail)
        back = speed(lambda message=message: encode_message(message, 1))
        detail = "encoded, against our own decoding: sllurp can't encode a reader's answers"
        yield Figure(f"messages.{name}.encode", back, "messages/s", "decode", ours, back / ours, detail)


def speed(work):
    """Return runs a second, the best of some rounds as others share the cores."""
    best = 0.0
    for _ in range(ROUNDS):
        count, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < SECONDS:
            work()
            count += 1
        best = max(best, count / (time.perf_counter() - begin))
    return best
