"""Speed of bytes to passages. The path is hot: every tag read of every reader goes through it, on a door-side computer.

One door's bytes (`door_traffic`): 8,000 reads a second of tags at rest, as eight busy readers bring them, and a tag
carried through every thirty seconds, 2,880 a day. Framing, decoding, windows, decisions and rows are all in the figure.
Each size runs in a process of its own, after enough reads that every tag has been found to lie still. Seconds are of
processor time, as others share the machine.
"""

import json
import logging
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from sllurp.llrp import LLRPReaderClient, LLRPReaderState

from edge.windows import WindowClock, Windows
from tests.bench.door_traffic import traffic
from tests.bench.figures import BENCH, Figure
from tests.helpers import doorway

PART = 100_000
TIMED = 1_000_000
FILL = {10: 100_000, 1_000: 100_000, 10_000: 600_000, 100_000: 1_800_000}
"""Reads before the timed ones, by tags in state: all at rest, at 20 reads a tag or more."""
PLAIN_FILL, PLAIN_TIMED = 25_000, 5_000
PORTAL_READS_PER_S = 300
SLLURP = f"sllurp {version('sllurp')} and the plain twin"


@BENCH.register("windows.feed.")
def feed() -> Iterator[Figure]:
    """Yield reads a second, bytes to passages, by tags in state; memory and loading at the largest."""
    plain = plain_reads_per_s()
    for tags in FILL:
        told = run(tags)
        rate, best = statistics.median(told["rates"]), max(told["rates"])
        detail = f"{1e9 / rate:.0f} ns a read, best stretch {1e9 / best:.0f}; {told['rows']} rows in {TIMED:,} reads"
        yield Figure(f"windows.feed.{tags}tags", rate, "reads/s", f"{SLLURP}, 1,000 tags", plain, rate / plain, detail)
    busy = statistics.mean((crowd := run(1_000, walks_per_s=1))["rates"])
    detail = f"1,000 tags at rest and a tag a second carried through: {crowd['rows']} rows"
    yield Figure("windows.feed.busy", busy, "reads/s", f"{SLLURP}, 1,000 tags", plain, busy / plain, detail)
    yield Figure("windows.feed.memory", told["peak_mb"], "MB", detail="most that the process with 100,000 tags held")
    yield Figure(
        "windows.feed.warm", told["warm_s"], "s", detail=f"kernels from cache, imports {told['import_s']:.2f} s"
    )
    yield Figure(
        "windows.feed.plain", plain, "reads/s", "one portal", PORTAL_READS_PER_S, plain / PORTAL_READS_PER_S,
        f"{SLLURP}, decisions included, 1,000 tags",
    )  # fmt: skip


def run(tags, walks_per_s=1 / 30):
    """Write a stream, have a child feed it, and return what it tells."""
    with tempfile.TemporaryDirectory() as folder:
        path, skip = Path(folder) / "wire", 0
        with path.open("wb") as wire:
            for part in range((FILL[tags] + TIMED) // PART):
                if part * PART == FILL[tags]:
                    skip = wire.tell()
                wire.write(traffic(tags, PART, part=part, walks_per_s=walks_per_s).wire())
        command = [sys.executable, "-m", "tests.bench.windows_child", str(path), str(skip), str(tags)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def plain_reads_per_s() -> float:
    """Return the rate of the same decisions without numba, on what sllurp's client makes of the same bytes."""
    logging.getLogger("sllurp").setLevel(logging.ERROR)  # it warns where a piece ends inside a header
    wire = traffic(1_000, PLAIN_FILL + PLAIN_TIMED).wire()
    windows = Windows(doorway.settings(engine="plain"), boot="bench")
    client, reads = LLRPReaderClient("127.0.0.1"), 0
    client.llrp.state = LLRPReaderState.STATE_INVENTORYING

    def take(_, tags):
        nonlocal reads
        reads += len(tags)
        windows.feed("r1", doorway.batch([row_of(tag) for tag in tags]), arrival_us=None, clock=WindowClock())

    client.add_tag_report_callback(take)
    skip = len(wire) * PLAIN_FILL // (PLAIN_FILL + PLAIN_TIMED)
    client.raw_data_received(wire[:skip])
    before, begin = reads, time.process_time()
    client.raw_data_received(wire[skip:])
    return (reads - before) / (time.process_time() - begin)


def row_of(tag):
    """Return a tag of sllurp's as a row of `doorway.batch`."""
    epc = bytes.fromhex(tag["EPC-96"].decode())
    level, phase = tag["ImpinjPeakRSSI"], tag["ImpinjRFPhaseAngle"]
    return tag["LastSeenTimestampUTC"], epc, tag["AntennaID"], level, phase, tag["ChannelIndex"]
