"""An hour of sessions, accelerated, through Wireshark's LLRP dissector: what it calls malformed in either direction."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from tests.bench.figures import ACCURACY, Figure
from tests.helpers import dissected

HOUR_S = 3600.0
SPEED = 20.0
"""The simulator keeps up at it beside other work; at 60 a busy machine let it greet later than we wait."""
SESSIONS = 6
KEPT = Path("build") / "tshark-malformed.pcapng"
"""The recording, where something in it is called malformed: a frame's number says nothing without it."""


@ACCURACY.register("readers.tshark.")
def malformed_packets():
    """Yield the packets that tshark calls malformed beyond the listed gaps of its own."""
    if shutil.which("tshark") is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "hour.pcapng"
        session = dissected.record_session(
            recording, scenario="office", speed=SPEED, seconds=HOUR_S, reconnects=SESSIONS - 1
        )
        reads = asyncio.run(session)
        seen, malformed, all_of_them = dissected.dissect(recording)
        if malformed:
            KEPT.parent.mkdir(exist_ok=True)
            shutil.copy(recording, KEPT)
    detail = (
        f"tshark {dissected.tshark_version()}: {seen.total():,} messages, {reads:,} reads, {SESSIONS} orderly "
        f"closes and as many broken connections a reader in an hour of the office; {all_of_them} packets of known gaps"
    )
    if malformed:
        detail += f"; of {KEPT}: " + "; ".join(map(str, malformed))
    yield Figure("readers.tshark.malformed", len(malformed), "packets", detail=detail)
