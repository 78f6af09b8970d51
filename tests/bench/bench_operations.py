"""What the agent costs the board under it: seconds until it is ready, and bytes written to its card.

A card wears out by what is written to it, and a door without its agent is open. The door is an office's: 300 reads a
second, 50 tags at rest, somebody with a tag every thirty seconds. Each change is written by itself, as it is live; the
centre's watermark follows each. Bytes are those that the kernel sends to the disk for this process; what the file
system writes about them comes on top.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.figures import BENCH, Figure

PI_TIMES = 6
"""A Raspberry Pi 4 took so many times the processor time of the machine on which this was first measured."""
STARTS = 5
CONFIG = """
site = "hq"
gateway = "gw-1"
[[readers]]
id = "r1"
host = "127.0.0.1"
port = 9
[[portals]]
id = "door"
inside = "room"
outside = "corridor"
antennas = [{ reader = "r1", port = 1, side = "inside" }, { reader = "r1", port = 2, side = "outside" }]
[mqtt]
url = "mqtt://127.0.0.1:9"
drain_s = 0.0
"""


@BENCH.register("operations.start.")
def start():
    """Yield the time from the start of the program until it says that it is ready, kernels in the cache."""
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = zip(*[one_start(Path(folder)) for _ in range(STARTS + 1)][1:], strict=True)
    ready, spent = statistics.median(wall), statistics.median(cpu)
    detail = f"median of {STARTS}; {spent:.2f} s of processor, with the Pi's factor {spent * PI_TIMES:.1f} s"
    yield Figure("operations.start.ready_s", ready, "s", "promised", 3.0, 3.0 / ready, detail)


def one_start(folder):
    """Return seconds until READY=1, and of processor."""
    (folder / "edge.toml").write_text(CONFIG)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(120.0)
        (folder / "notify").unlink(missing_ok=True)
        manager.bind(str(folder / "notify"))
        begun = time.monotonic()
        agent = subprocess.Popen(
            [Path(sys.executable).with_name("stockgate-edge"), "run", "--config", folder / "edge.toml"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "NOTIFY_SOCKET": str(folder / "notify")},
        )
        said = manager.recv(4096)
        ready_s = time.monotonic() - begun
        fields = Path(f"/proc/{agent.pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
        agent.terminate()
        agent.wait()
    if said != b"READY=1":
        raise RuntimeError(f"the agent said {said!r} first")
    return ready_s, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@BENCH.register("operations.wear.")
def wear():
    """Yield the bytes that a million reads write, and what a crossing writes."""
    build = Path("build")
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build) as folder:
        words = [sys.executable, "-m", "tests.bench.wear_child", folder]
        told = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    hours = told["reads"] / told["reads_per_s"] / 3600
    per_million = told["written"] / told["reads"]  # bytes a read are MB a million reads
    detail = (
        f"{told['reads']:,} reads in {hours:.1f} h of a door, {told['rows']} rows in {told['commits']} transactions; "
        f"{per_million / hours * (told['reads'] / 1e6) * 24 * 365 / 1000:.1f} GB a year"
    )
    yield Figure("operations.wear.mb_a_million_reads", per_million, "MB", detail=detail)
    yield Figure(
        "operations.wear.kb_a_row", told["written"] / told["rows"] / 1000, "KB", detail="all that comes with it"
    )
