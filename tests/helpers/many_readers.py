"""Many simulated readers served by one process, and one client process that reads them all: what it costs.

`python -m tests.helpers.many_readers world|llrpkit READERS` serves until stdin ends, then says how much CPU time that
took; `count SECONDS` reads ports from stdin and counts what comes.
"""

import asyncio
import json
import logging
import struct
import sys
import time

import structlog
from llrpkit.emulator import EmulatedTag, LLRPEmulator

from edge.llrp import FrameBuffer, ReportDecoder
from simulator.clock import SimulatedClock
from simulator.engine import Engine, Service, models
from simulator.scenarios.load import parse
from simulator.truth import Truth
from simulator.world.world import World
from tests.helpers.fake_reader import message, tlv

APART_M = 60.0
READS_S = 50.0
RESIDENTS = 1
"""One tag in sight gives 70 reads/s, as an R420 does."""
PATIENCE_S = 60.0
WARM_S = 3.0
SELECTOR = 0xFF80
"""All of the standard's switches but the AccessSpec's."""


def site(readers):
    """A site with so many doors far apart, each with a reader and a tag in its range, as a scenario's TOML."""
    parts = [
        'name = "many"\nseconds = 3600.0',
        f'[tags]\nepc_prefix = "3034257bf7194e4000"\nnumber_bytes = 3\nloss_db = 0.0\ncount = {RESIDENTS * readers}',
    ]
    for number in range(readers):
        parts.append(f'[[portals]]\nid = "p{number}"\nat = [0.0, {APART_M * number}]\nlayout = "single"')
        parts.append(
            f'[[readers]]\nid = "r{number}"\nantennas = [{{ port = 1, portal = "p{number}", '
            "position = [0.0, 0.0, 2.4], aim = [0.0, 0.0, 0.0] }]"
        )
        parts += [
            f'[[residents]]\ntag = {RESIDENTS * number + place + 1}\nportal = "p{number}"\n'
            f"position = [{0.25 * place}, 0.3, 1.0]"
            for place in range(RESIDENTS)
        ]
    return "\n".join(parts)


async def world(readers):
    """Serve our own, over a world with their radio and air."""
    scenario = parse(site(readers), "many readers")
    played = models(scenario.readers)
    source = World(scenario, 1, None, {name: model.traits for name, model in played.items()})
    log = structlog.get_logger("many")
    engine = Engine(played, source, SimulatedClock(1.0), Truth("many", 1, None), log)
    running = asyncio.create_task(
        engine.run(Service(listen="127.0.0.1", base_port=0, ready_file=None, exit_when_done=False))
    )
    while len(engine.ports) < readers:  # noqa: ASYNC110 - it listens one after the other
        await asyncio.sleep(0.01)
    await serve(list(engine.ports.values()))
    engine.stop()
    await running


async def llrpkit(readers):
    """Serve emulators of others, which report a tag at a time at a rate that they are given."""
    tags = [EmulatedTag(bytes([0x30, *([number] * 11)]), (1,), -50.0) for number in range(RESIDENTS)]
    emulators = [LLRPEmulator(tags=tags, reads_per_sec=READS_S) for _ in range(readers)]
    for emulator in emulators:
        await emulator.start()
    await serve([emulator.port for emulator in emulators])
    for emulator in emulators:
        await emulator.stop()


async def serve(ports):
    """Say the ports, and at each line of stdin how much CPU time has been used; its end ends."""
    say({"ports": ports})
    while await asyncio.to_thread(sys.stdin.readline):
        say({"cpu_s": time.process_time()})


def rospec():
    """One antenna for ever, a report a read."""
    boundary = tlv(178, tlv(179, b"\1") + tlv(182, struct.pack(">BI", 0, 0)))
    inventory = tlv(184, struct.pack(">BI", 0, 0)) + tlv(186, struct.pack(">HB", 1, 1))
    report = tlv(237, struct.pack(">BH", 2, 1) + tlv(238, struct.pack(">H", SELECTOR)))
    return tlv(177, struct.pack(">IBB", 1, 0, 0) + boundary + tlv(183, struct.pack(">HH", 1, 1) + inventory) + report)


class Counting(asyncio.Protocol):
    """One client: sets a reader going as soon as it is greeted, and counts tags."""

    def __init__(self) -> None:
        self.tags = 0
        self._buffer, self._decoder = FrameBuffer(), ReportDecoder()

    def connection_made(self, transport):
        start = ((20, rospec()), *((kind, struct.pack(">I", 1)) for kind in (24, 22)))
        transport.write(b"".join(message(kind, kind, body) for kind, body in start))

    def data_received(self, data):
        self._buffer.feed(data)
        self.tags += len(self._decoder.decode(self._buffer.take().data))


async def count(seconds):
    """Count what all readers give within a time; the line before and after it lets the server note its CPU time."""
    loop = asyncio.get_running_loop()
    ports = json.loads(sys.stdin.readline())
    clients = [(await loop.create_connection(Counting, "127.0.0.1", port))[1] for port in ports]
    limit_s = time.monotonic() + PATIENCE_S
    while not all(one.tags for one in clients):
        if time.monotonic() > limit_s:
            raise TimeoutError(f"{sum(not one.tags for one in clients)} readers gave nothing")
        await asyncio.sleep(0.1)
    await asyncio.sleep(WARM_S)
    before, begun_s = [one.tags for one in clients], time.monotonic()
    say({"begins": True})
    await asyncio.sleep(seconds)
    spent_s = time.monotonic() - begun_s
    say({"rates": [(one.tags - first) / spent_s for one, first in zip(clients, before, strict=True)], "s": spent_s})


def say(values):
    """Tell whoever started us."""
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def main(what, number):
    """Run one side."""
    quiet = structlog.make_filtering_bound_logger(logging.WARNING)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr), wrapper_class=quiet)
    asyncio.run({"world": world, "llrpkit": llrpkit, "count": count}[what](int(number)))


if __name__ == "__main__":
    main(*sys.argv[1:])
