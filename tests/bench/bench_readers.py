"""A reader's whole path in the agent: hot as it runs for each report, and eight readers share a Raspberry Pi."""

import json
import statistics
import subprocess
import sys

from tests.bench.figures import BENCH, Figure
from tests.helpers.eight_readers import hold

SECONDS = 4
ROUNDS = 3
EIGHT_SECONDS = 20
PATIENCE_S = 60


@BENCH.register("readers.cpu_per_tag")
def cpu_per_tag():
    """Yield CPU time per tag over loopback at 1,000 one-tag reports a second, in turns with stock sllurp's client."""
    rounds = [(cpu_us("ours"), cpu_us("sllurp")) for _ in range(ROUNDS)]
    ours, theirs = (statistics.median(column) for column in zip(*rounds, strict=True))
    detail = f"user and system, median of {ROUNDS}; the same simulated reader, each report sent by itself"
    yield Figure("readers.cpu_per_tag.sllurp", ours, "us/tag", "sllurp 3.0.5", theirs, theirs / ours, detail)


@BENCH.register("readers.eight.")
def eight():
    """Yield what eight readers of 1,000 one-tag reports a second cost; `make readers-soak` holds them for long."""
    yield from hold(EIGHT_SECONDS)


def cpu_us(who):
    """Return microseconds of CPU time a tag of one client, with a sender of its own."""
    command = [sys.executable, "-m", "tests.helpers.paced_readers", "--readers", "1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as sender:
        try:
            port = json.loads(sender.stdout.readline())["ports"][0]
            command = [sys.executable, "-m", "tests.helpers.read_clients", who, str(port), str(SECONDS)]
            done = subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=True)
        finally:
            sender.kill()
    figures = json.loads(done.stdout)
    return 1e6 * figures["cpu_s"] / figures["tags"]
