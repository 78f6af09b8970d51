"""The gate's half of an agent in a process of its own: how soon it holds a snapshot, and what that takes.

Prints one JSON line when it holds the wanted counters: seconds to load what an earlier start kept, seconds until held,
Pss in MB before and after (and its highest Rss), a hash over every 50th EPC, microseconds a judgement.
"""

import asyncio
import hashlib
import json
import sys
import time
from pathlib import Path

import structlog

from edge.gate import GateFiles, GateStore, Uses
from edge.gate.judge import Crossing, judge
from edge.trust import Keyring
from tests.helpers.commands import KEY_LINE
from tests.helpers.gate_edge import gate_edge

PATIENCE_S = 900
SAMPLE = 50


def million_epc(number):
    """The EPC of asset `number`."""
    return bytes.fromhex(f"3034257bf7{number:014x}")


def pss_mb():
    """Our share of the memory in use, files included."""
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the kernel tells no Pss")


def highest_mb():
    """The most that was ever resident."""
    told = Path("/proc/self/status").read_text().split("VmHWM:")[1]
    return int(told.split()[0]) / 1024


def sampled(snapshot, assets):
    """A hash over what every 50th EPC may do."""
    told = hashlib.sha256()
    for number in range(0, assets, SAMPLE):
        told.update(repr(snapshot.find(million_epc(number))).encode())
    return told.hexdigest()


def judged_us(snapshot, assets):
    """Microseconds a judgement of a tag that was not asked about before."""
    uses, at_us = Uses(), snapshot.signed_us
    crossings = [Crossing("door", "out", million_epc(number), "p", at_us) for number in range(7, assets, assets // 997)]
    began = time.perf_counter()
    for crossing in crossings:
        judge(snapshot, crossing, uses, wall_us=at_us)
    return (time.perf_counter() - began) / len(crossings) * 1e6


def counters(snapshot):
    """What is held, as (generation, n)."""
    return snapshot and (snapshot.generation, snapshot.n)


async def measure(url, folder, generation, n, assets):
    """Wait until the counters are held; return what it took."""
    log = structlog.get_logger()
    before = pss_mb()
    began = time.perf_counter()
    GateStore("gw-1", Keyring.of([KEY_LINE]), GateFiles(folder), log=log).load()
    loaded_s = time.perf_counter() - began
    began = time.perf_counter()
    async with asyncio.timeout(PATIENCE_S), gate_edge(url, folder, [KEY_LINE], "gw-1", log=log) as keeper:
        while counters(keeper.snapshot) != (generation, n):  # noqa: ASYNC110 (it comes over a broker, to a thread)
            await asyncio.sleep(0.02)
        held_s = time.perf_counter() - began
        entries = keeper.snapshot.entries
        told = {"loaded_s": loaded_s, "held_s": held_s, "entries": entries, "refused": keeper.counters.refused}
        told |= {"pss_before_mb": before, "pss_mb": pss_mb(), "judged_us": judged_us(keeper.snapshot, assets)}
        return told | {"sha256": sampled(keeper.snapshot, assets)}


def main(url, folder, generation, n, assets):
    """Measure and print."""
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(sys.stderr))
    told = asyncio.run(measure(url, Path(folder), int(generation), int(n), int(assets)))
    told["rss_max_mb"] = highest_mb()
    sys.stdout.write(f"{json.dumps(told)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
