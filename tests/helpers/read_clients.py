"""`python -m tests.helpers.read_clients ours|sllurp PORT SECONDS`: CPU time of a client that only counts tag reports.

A process each, so that interpreter, threads and kernel time are all in the figure. Ours is the supervisor that the
agent runs, with a sink that counts; sllurp's is its stock `LLRPReaderClient` with a tag report callback that counts.
"""

import asyncio
import json
import os
import random
import sys
import threading
import time
from contextlib import suppress

import structlog
from sllurp.llrp import LLRPReaderClient, LLRPReaderConfig

from edge.readers import ReaderSettings, ReaderSupervisor

WARM_S = 1.0
"""From the first tag to the begin of the measurement."""
PATIENCE_S = 10.0
FIELDS = {
    "EnableROSpecID": True,
    "EnableAntennaID": True,
    "EnableChannelIndex": True,
    "EnablePeakRSSI": True,
    "EnableFirstSeenTimestamp": True,
    "EnableLastSeenTimestamp": True,
    "EnableTagSeenCount": True,
}


async def ours(port, seconds):
    """Run the agent's supervisor; return what `measure` does."""
    tags = 0

    async def sink(chunk):
        nonlocal tags
        tags += len(chunk.batch)

    supervisor = ReaderSupervisor(
        ReaderSettings(id="r1", host="127.0.0.1", port=port, antennas=(1, 2, 3, 4)),
        sink=sink,
        now_us=lambda: time.time_ns() // 1000,
        rng=random.Random(1),
        log=structlog.get_logger("readers"),
    )
    running = asyncio.create_task(supervisor.run())
    figures = await asyncio.to_thread(measure, lambda: tags, seconds)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    return figures


def sllurps(port, seconds):
    """Run the stock client."""
    tags = 0

    def heard(_, reports):
        nonlocal tags
        tags += len(reports)

    config = {"antennas": [1, 2, 3, 4], "report_every_n_tags": 1, "tag_content_selector": FIELDS}
    client = LLRPReaderClient("127.0.0.1", port, LLRPReaderConfig(config))
    client.add_tag_report_callback(heard)
    client.connect()
    return measure(lambda: tags, seconds)


def measure(tags, seconds):
    """Wait for tags, then return how many came in how much CPU time of this process, user and system."""
    end_s = time.monotonic() + PATIENCE_S
    while not tags():
        if time.monotonic() > end_s:
            raise RuntimeError(f"no tag came within {PATIENCE_S:g} s")
        time.sleep(0.1)
    time.sleep(WARM_S)
    begin, cpu_s = tags(), time.process_time()
    time.sleep(seconds)
    return {"tags": tags() - begin, "cpu_s": time.process_time() - cpu_s, "threads": threading.active_count()}


def main():
    """Print the figures as one JSON line."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    who, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    try:
        figures = sllurps(port, seconds) if who == "sllurp" else asyncio.run(ours(port, seconds))
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        sys.stderr.flush()
        os._exit(1)
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()
    os._exit(0)  # sllurp's thread may wait for ever


if __name__ == "__main__":
    main()
