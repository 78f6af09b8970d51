"""200 simulated readers in one process: hot, as a whole site is played on the machine that runs what is under test."""

import json
import statistics
import subprocess
import sys
from contextlib import contextmanager

from llrpkit.__about__ import __version__ as llrpkit_version

from tests.bench.figures import BENCH, Figure

READERS = 200
SECONDS = 10
ROUNDS = 3
PEERS = 20
"""Emulators of the peer in its process: what they cost is told for as many as ours."""


@BENCH.register("simulator.readers200")
def readers200():
    """Yield the CPU time of 200 readers a second of theirs and what reached their clients, in turns with a peer's."""
    rounds = [(measured("world", READERS), measured("llrpkit", PEERS)) for _ in range(ROUNDS)]
    ours, theirs = (statistics.median(one[who][0] for one in rounds) for who in (0, 1))
    rates = [rate for one in rounds for rate in one[0][1]]
    per_read = ours / statistics.mean(sum(one[0][1]) for one in rounds)
    their_read = theirs / statistics.mean(sum(one[1][1]) for one in rounds)
    detail = (
        f"{READERS} readers over world, radio and air, a report a read; reads/s of each at least {min(rates):.0f}, "
        f"mean {statistics.mean(rates):.0f}; the peer's {PEERS} draw theirs, and cost {theirs:.2f} s/s"
    )
    peer = f"llrpkit {llrpkit_version} emulator"
    yield Figure("simulator.readers200.cpu", ours, "s/s", peer, theirs * READERS / PEERS, their_read / per_read, detail)
    yield Figure("simulator.readers200.rate", min(rates), "reads/s", detail="of the reader that gave least")


def measured(who, readers):
    """Return CPU seconds a second of the serving process, and reads/s of each reader, over `SECONDS`."""
    with process(who, readers) as server, process("count", SECONDS) as client:
        ports = json.loads(server.stdout.readline())["ports"]
        tell(client, json.dumps(ports))
        json.loads(client.stdout.readline())
        before_s = cpu_s(server)
        told = json.loads(client.stdout.readline())
        spent_s = cpu_s(server) - before_s
    return spent_s / told["s"], told["rates"]


@contextmanager
def process(what, number):
    """Run one side of `tests.helpers.many_readers`."""
    command = [sys.executable, "-m", "tests.helpers.many_readers", what, str(number)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sys.stderr, text=True
    ) as started:
        try:
            yield started
        finally:
            started.kill()


def tell(process_, line):
    """Write a line to a process."""
    process_.stdin.write(line + "\n")
    process_.stdin.flush()


def cpu_s(server):
    """Return the CPU time that the server has used."""
    tell(server, "cpu")
    return json.loads(server.stdout.readline())["cpu_s"]
