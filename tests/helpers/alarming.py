"""A program that sounds a reader's siren as the agent would when somebody is refused, and waits to be killed.

`python -m tests.helpers.alarming PORT SECONDS`: output 1 of the reader at that port.
"""

import asyncio
import sys
import time

import structlog

from edge.readers import OutputSettings, ReaderSettings, ReaderSupervisor
from edge.signals import OutputRule, Signals


async def sound(port, seconds):
    """Dial the reader, and refuse somebody once it is in session."""
    log = structlog.get_logger()
    settings = ReaderSettings(
        id="r1", host="127.0.0.1", port=port, antennas=(1,), outputs=(OutputSettings(output=1, inverted=False),)
    )
    reader = ReaderSupervisor(settings, sink=_ignore, now_us=now_us, rng=None, log=log)
    rule = OutputRule(portal="door", device="r1", output=1, kind="siren", seconds=seconds)
    signals = Signals(
        [rule],
        {"r1": lambda: reader.outputs},
        serving={"door": ["r1"]},
        now_us=now_us,
        steady_us=lambda: time.monotonic_ns() // 1000,
        local=lambda _us: None,
        log=log,
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(reader.run())
        group.create_task(signals.run())
        while reader.health().state != "connected":  # noqa: ASYNC110 (a state, which can't notify)
            await asyncio.sleep(0.02)
        signals.judged("door", "refuse", now_us(), now_us(), "alarm")


def now_us():
    """The host's clock."""
    return time.time_ns() // 1000


async def _ignore(_chunk):
    """Nobody asks for reads."""


if __name__ == "__main__":
    asyncio.run(sound(int(sys.argv[1]), float(sys.argv[2])))
