"""Plays a door into an outbox in a process of its own: `python -m tests.bench.wear_child FOLDER`; prints JSON."""

import json
import os
import sys
from pathlib import Path

from edge.contracts import StreamMark
from edge.llrp import FrameBuffer, ReportDecoder
from edge.outbox import OpenRecord, SqliteOutbox
from edge.windows import WindowClock, Windows, encode_open
from tests.bench.door_traffic import traffic
from tests.helpers import doorway

READS, PART = 1_000_000, 50_000
READS_PER_S = 300
TAGS = 50
RECEIVE = 1 << 13
"""Bytes of one receive: about a third of a second of this door."""


def main():
    """Play, and tell how many bytes that wrote."""
    outbox = SqliteOutbox(Path(sys.argv[1]) / "outbox.db")
    buffer, decoder = FrameBuffer(), ReportDecoder()
    windows = Windows(doorway.settings(), boot="bench")
    before, rows, commits, reads = written(), 0, 0, 0
    for part in range(READS // PART):
        wire = traffic(TAGS, PART, part=part, rate_hz=READS_PER_S).wire()
        for at in range(0, len(wire), RECEIVE):
            buffer.feed(wire[at : at + RECEIVE])
            batch = decoder.decode(buffer.take().data)
            reads += len(batch)
            decided = windows.feed("r1", batch, arrival_us=None, clock=WindowClock())
            opened, closed = windows.take_open_changes()
            if decided or opened or closed:
                keep(outbox, decided, opened, closed)
                rows, commits = rows + len(decided), commits + 1
    outbox.close()
    os.sync()
    told = {"written": written() - before, "rows": rows, "commits": commits, "reads": reads, "reads_per_s": READS_PER_S}
    print(json.dumps(told))  # noqa: T201 (the parent reads it)


def keep(outbox, decided, opened, closed):
    """Write what the windows decided, and take the centre's word for it, as the agent does."""
    records = [OpenRecord(passage.passage, encode_open(passage)) for passage in opened]
    numbers = outbox.append("movement", decided, opened=records, closed=closed)
    if len(numbers):
        outbox.commit("movement", StreamMark(epoch=outbox.epoch("movement"), upto=numbers[-1]))


def written():
    """Bytes that this process has caused to be sent to a disk."""
    lines = Path("/proc/self/io").read_text("ascii").splitlines()
    return int(next(line for line in lines if line.startswith("write_bytes")).split()[1])


if __name__ == "__main__":
    main()
