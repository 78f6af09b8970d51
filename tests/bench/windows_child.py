"""Feeds a recorded stream to the windows in a process of its own: `python -m tests.bench.windows_child FILE SKIP TAGS`.

Prints one line of JSON: how long the kernels took to load, the reads a second of each of 25 stretches after SKIP bytes,
the rows of those, and the most memory that the process ever held. Seconds are of processor time, as others share the
machine.
"""

import json
import sys
import time
from pathlib import Path

CHUNK = 65536
STRETCHES = 25


def main():
    """Load, feed what fills the state, time the rest."""
    begin = time.process_time()
    from edge.agent.warm import warm_up  # noqa: PLC0415 (loading is what is timed)

    loaded = time.process_time()
    warm_up()
    ready = time.process_time()
    path, skip, tags = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    feed = feeder(tags)
    with path.open("rb") as wire:
        while wire.tell() < skip:
            feed(wire.read(min(CHUNK, skip - wire.tell())))
        size = (path.stat().st_size - skip) // STRETCHES
        stretches = [stretch(feed, wire, size) for _ in range(STRETCHES)]
    told = {
        "import_s": loaded - begin,
        "warm_s": ready - loaded,
        "rates": [reads / seconds for reads, seconds, _ in stretches],
        "rows": sum(rows for _, _, rows in stretches),
        "peak_mb": peak_mb(),
    }
    print(json.dumps(told))  # noqa: T201 (the parent reads it)


def feeder(tags):
    """Return a function that takes bytes as a receive brings them and gives how many reads and rows they made."""
    from edge.llrp import FrameBuffer, ReportDecoder  # noqa: PLC0415 (after the timing of the load)
    from edge.windows import WindowClock, Windows  # noqa: PLC0415
    from tests.helpers import doorway  # noqa: PLC0415

    buffer, decoder = FrameBuffer(), ReportDecoder()
    windows = Windows(doorway.settings(max_tags=max(32768, tags + 5000)), boot="bench")

    def feed(piece):
        buffer.feed(piece)
        batch = decoder.decode(buffer.take().data)
        return len(batch), len(windows.feed("r1", batch, arrival_us=None, clock=WindowClock()))

    return feed


def stretch(feed, wire, size):
    """Feed so many bytes from memory; return reads, seconds and rows."""
    pieces = [wire.read(min(CHUNK, size - at)) for at in range(0, size, CHUNK)]
    begin = time.process_time()
    made = [feed(piece) for piece in pieces]
    seconds = time.process_time() - begin
    return sum(reads for reads, _ in made), seconds, sum(rows for _, rows in made)


def peak_mb():
    """Return the most memory that this process ever held resident."""
    line = next(one for one in Path("/proc/self/status").read_text("ascii").splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
