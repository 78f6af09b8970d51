"""A scenario recorded offline: hot as a day of twelve portals shall fit into a coffee break on one core.

Each figure is of the whole way, as `stockgate-sim run --record` goes it: traffic, radio, air protocol, the readers' own
encoder, packets and digest, in a process of its own whose kernels are compiled already. Nobody else's simulator records
such a day, so the yardstick is the limit that issue 4 sets: 8 hours in 10 minutes.

A day pays once for its start and for the links of what lies on the shelves, a cut of some minutes just as much. So
two cuts are recorded: what the longer one costs more is the price of its scenario seconds, the rest is the start-up.
The day that follows from both is reckoned, not recorded, from a morning rush, when more walk than over the day.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.bench.figures import BENCH, Figure

PROGRAM = Path(sys.executable).with_name("stockgate-sim")
SCENARIO = "working-day"
CUTS_S = (300, 1_500)
DAY_S = 28_800
LIMIT = "8 h in 600 s"
LIMIT_S = 600
LIMIT_RATIO = DAY_S / LIMIT_S
PATIENCE_S = 7_200


class Cut(NamedTuple):
    """So many scenario seconds recorded: the CPU and wall time that it took, and what came of it."""

    seconds: int
    cpu_s: float
    wall_s: float
    reads: int
    size_bytes: int

    def __str__(self) -> str:
        return (
            f"{self.seconds:,} s in {self.wall_s:,.0f} s ({self.cpu_s:,.1f} s of CPU), {self.reads:,} reads, "
            f"{self.size_bytes / 1e6:,.1f} MB"
        )


@BENCH.register("simulator.record")
def record_two_cuts():
    """Yield what the start costs, what goes on from there, and the day that follows from both."""
    yield from reckoned(*recorded(*CUTS_S))


@BENCH.register("simulator.day", when_named=True)
def record_the_day():
    """Yield scenario seconds a core-second for the whole day, start-up and all."""
    (day,) = recorded(DAY_S)
    speed = day.seconds / day.cpu_s
    detail = f"{SCENARIO}, {day}"
    yield Figure("simulator.day", speed, "scenario s/core s", LIMIT, LIMIT_RATIO, speed / LIMIT_RATIO, detail)


def reckoned(short, long):
    """Split the cost of two cuts into start-up and rate, and reckon the day."""
    rate = (long.seconds - short.seconds) / (long.cpu_s - short.cpu_s)
    start_s = short.cpu_s - short.seconds / rate
    day_s = start_s + DAY_S / rate
    yield Figure("simulator.record.start", start_s, "core s", detail=f"{SCENARIO}, {short}")
    yield Figure("simulator.record.rate", rate, "scenario s/core s", detail=f"after the start; {SCENARIO}, {long}")
    yield Figure(
        "simulator.record.day", day_s, "core s", LIMIT, LIMIT_S, LIMIT_S / day_s,
        f"start + {DAY_S:,} s / rate; ONLY=simulator.day records it",
    )  # fmt: skip


def recorded(*lengths_s):
    """Record so much of the day, each in a process of its own; CPU time counts, since others share the machine."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        record(folder, "warm", 1)
        return [measured(folder, seconds) for seconds in lengths_s]


def measured(folder, seconds):
    """Record one cut."""
    before, begun_s = cpu_s(), time.monotonic()
    counts = record(folder, f"cut{seconds}", seconds)
    spent_s, wall_s = cpu_s() - before, time.monotonic() - begun_s
    size_bytes = sum(file.stat().st_size for file in folder.glob(f"cut{seconds}*.pcapng"))
    return Cut(seconds, spent_s, wall_s, counts["reads"], size_bytes)


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
