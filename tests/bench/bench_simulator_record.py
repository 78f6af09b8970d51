"""A scenario recorded offline: hot as a day of twelve portals shall fit into a coffee break on one core.

Each figure is of the whole way, as `stockgate-sim run --record` goes it: traffic, radio, air protocol, the readers' own
encoder, packets and digest, in a process of its own whose kernels are compiled already. Nobody else's simulator records
such a day, so the yardstick is the limit that issue 4 sets: 8 hours in 10 minutes.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.figures import BENCH, Figure

PROGRAM = Path(sys.executable).with_name("stockgate-sim")
SCENARIO = "working-day"
CUT_S = 600
DAY_S = 28_800
LIMIT = "8 h in 600 s"
LIMIT_RATIO = DAY_S / 600
PATIENCE_S = 7_200


@BENCH.register("simulator.record")
def record_a_cut():
    """Yield scenario seconds a core-second for ten minutes of the day."""
    yield measured("simulator.record", CUT_S)


@BENCH.register("simulator.day", when_named=True)
def record_the_day():
    """Yield the same for the whole day."""
    yield measured("simulator.day", DAY_S)


def measured(name, seconds):
    """Record so much of the day; CPU time counts, since others share the machine."""
    with tempfile.TemporaryDirectory() as folder:
        record(Path(folder), "warm", 1)
        before, begun_s = cpu_s(), time.monotonic()
        counts = record(Path(folder), "cut", seconds)
        spent_s, wall_s = cpu_s() - before, time.monotonic() - begun_s
        size = sum(file.stat().st_size for file in Path(folder).glob("cut*.pcapng"))
    detail = (
        f"{SCENARIO}, {seconds:,} s in {wall_s:,.0f} s ({spent_s:,.0f} s of CPU), {counts['reads']:,} reads, "
        f"{size / 1e6:,.1f} MB"
    )
    speed = seconds / spent_s
    return Figure(name, speed, "scenario s/core s", LIMIT, LIMIT_RATIO, speed / LIMIT_RATIO, detail)


def record(folder, name, seconds):
    """Record into a folder; returns the truth."""
    truth = folder / f"{name}.json"
    words = [PROGRAM, "run", SCENARIO, "--seconds", str(seconds), "--record", folder / f"{name}.pcapng"]
    subprocess.run([*words, "--truth", truth], check=True, capture_output=True, timeout=PATIENCE_S)
    return json.loads(truth.read_text())


def cpu_s():
    """Processor time of all programs that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
