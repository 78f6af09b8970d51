"""Inventory rounds of the simulator. The path is hot: a day of 12 portals is 350,000 reader-seconds of slots."""

import time

from simulator.server.model import FCC_KHZ
from simulator.world.command import SINGLE_TARGET, AirCommand
from tests.bench.figures import BENCH, Figure
from tests.bench.plain_rounds import PlainReader
from tests.helpers import air

S = 1_000_000
TAGS = 416
PORTS = (1, 2, 3, 4)
PEER = "numpy, first rounds"
CALLS = 1_000
STEP_US = 20_000


@BENCH.register("simulator.air.")
def rounds():
    """Yield reader-seconds a second of one core, reads a second, and what a live step costs."""
    peer_rate, peer_reads = _peer()
    for name, command, what in (
        ("reader_s_per_s", AirCommand(), "four antennas, S0 dual target"),
        ("quiet_s_per_s", AirCommand(session=2, search_mode=SINGLE_TARGET), "four antennas, all quiet in S2"),
    ):
        spent_s, reads = _recorded(command)
        detail = f"{TAGS} tags, {what}, {reads:.0f} reads a reader-second, {1e3 * spent_s:.2f} ms each"
        yield Figure(f"simulator.air.{name}", 1 / spent_s, "s/s", PEER, peer_rate, 1 / spent_s / peer_rate, detail)
        if reads:
            rate = reads / spent_s
            yield Figure(
                "simulator.air.reads_per_s", rate, "reads/s", PEER, peer_reads, rate / peer_reads, "of one core"
            )
    for tags in (1, 50):
        detail = f"{tags} tags, {STEP_US // 1000} ms of one reader's time a call"
        yield Figure(f"simulator.air.live_step_us.{tags}tags", _live_us(tags), "us", detail=detail)


def _recorded(command, seconds=60):
    """CPU seconds and reads a reader-second, after every antenna has been on every channel."""
    reader = air.reader(air.scene(air.shelf(TAGS), k_db=8.0), air.antennas(4, apart_m=0.5, waves=8))
    asked = air.asked(PORTS, command=command)
    reader.advance(seconds * S, asked)
    begun = time.process_time()
    reads = sum(len(reader.advance(at_us, asked)) for at_us in range(seconds * S, 2 * seconds * S + 1, S))
    return (time.process_time() - begun) / seconds, reads / seconds


def _peer(seconds=10):
    reader = PlainReader(air.antennas(1, waves=8), air.shelf(TAGS), FCC_KHZ)
    begun = time.process_time()
    reads = len(reader.advance(seconds * S))
    spent_s = time.process_time() - begun
    return seconds / spent_s, reads / spent_s


def _live_us(tags):
    """Microseconds of CPU a call."""
    reader = air.reader(air.scene(air.shelf(tags), k_db=8.0), air.antennas(4, apart_m=0.5, waves=8))
    asked = air.asked(PORTS)
    reader.advance(30 * S, asked)
    begun = time.process_time()
    for call in range(CALLS):
        reader.advance(30 * S + STEP_US * call, asked)
    return 1e6 * (time.process_time() - begun) / CALLS
