"""Speed of counting: what a read costs that a zone's antenna heard. The path is hot: it runs beside the passages'.

Reads come in chunks of a few, as sockets bring them, and are summed a few thousand at a time. The peer is the plain
twin on the same chunks, its rows made of their columns. Seconds are of processor time, as others share the machine.
"""

import statistics
import time
from collections.abc import Iterator

import numpy as np

from edge.llrp.batch import TagBatch
from edge.llrp.reports import empty_batch
from edge.presence import Antenna, Place, Presence, PresenceSettings, plain
from tests.bench.figures import BENCH, Figure
from tests.helpers.counted import NOON_US, reader

READS = 200_000
CHUNK = 20
PER_LOOK = 1_000
"""2,000 reads a second, looked at twice in each."""
TIMES = 5
ANTENNAS = tuple(Antenna("r1", port) for port in range(1, 5))


@BENCH.register("presence.fold")
def fold() -> Iterator[Figure]:
    """Yield nanoseconds a read, chunk to sums, by tags in the field."""
    for tags in (200, 5_000):
        whole = reads(tags)
        chunks = [cut(whole, at, at + CHUNK) for at in range(0, READS, CHUNK)]
        ours = statistics.median(timed(feed, chunks) for _ in range(TIMES))
        twin = statistics.median(timed(plainly, chunks) for _ in range(TIMES))
        detail = f"{READS:,} reads in chunks of {CHUNK}, {PER_LOOK:,} between two looks, 4 antennas"
        yield Figure(f"presence.fold.{tags}tags", ours, "ns/read", "the plain twin", twin, twin / ours, detail)


def reads(tags: int) -> TagBatch:
    """Return reads of tags that lie still, in an order of chance."""
    rng, made = np.random.default_rng(7), empty_batch(READS)
    chosen = rng.integers(0, tags, READS)
    made.epc[:] = 0
    made.epc[:, 0] = 0x30
    made.epc[:, 10], made.epc[:, 11] = chosen // 256, chosen % 256
    made.epc_bits[:], made.seen_count[:] = 96, 1
    made.antenna[:] = 1 + chosen % 4
    made.rssi_cdbm[:] = rng.integers(-8_000, -4_000, READS)
    made.last_us[:] = NOON_US + np.arange(READS) * 500
    return made


def cut(whole: TagBatch, begin: int, end: int) -> TagBatch:
    """Return rows of a batch as a batch."""
    return TagBatch(*(getattr(whole, name)[begin:end].copy() for name in TagBatch.__slots__))


def plain_rows(whole: TagBatch) -> list[plain.PlainRead]:
    """Return a batch as the twin's rows."""
    columns = zip(whole.epc[:, :12], whole.rssi_cdbm.tolist(), whole.last_us.tolist(), strict=True)
    return [plain.PlainRead(0, epc.tobytes(), rssi, at_us, 1) for epc, rssi, at_us in columns]


def feed(chunks: list[TagBatch]) -> None:
    """Feed all chunks to counting, with looks in between."""
    presence = Presence(PresenceSettings((Place("shelf", "zone", ANTENNAS),)))
    readers = (reader("r1"),)
    presence.look(NOON_US, readers, {})
    for at, chunk in enumerate(chunks):
        presence.take("r1", chunk, arrival_us=int(chunk.last_us[-1]), source="reader", offset_us=0)
        if at % (PER_LOOK // CHUNK) == 0:
            presence.look(int(chunk.last_us[-1]), readers, {})
    presence.stop(NOON_US + READS * 500)


def plainly(chunks: list[TagBatch]) -> None:
    """Sum all chunks by the twin."""
    plain.summed(row for chunk in chunks for row in plain_rows(chunk))


def timed(work, chunks: list[TagBatch]) -> float:
    """Return the processor time of some work on all reads, ns a read."""
    begin = time.process_time_ns()
    work(chunks)
    return (time.process_time_ns() - begin) / READS
