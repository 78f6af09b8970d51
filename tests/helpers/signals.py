"""Outputs that write down what they are asked, and signals that drive them."""

import asyncio
import contextlib
import time

import structlog

from edge.contracts import PortalHealth, ReaderHealth, instant
from edge.readers import ReaderError
from edge.signals import OutputRule, Signals

PATIENCE_S = 60.0
NOW_US = 1_800_000_000_000_000


def reader(name, state="connected"):
    """A reader's health."""
    return ReaderHealth(id=name, state=state, reads=0)


def portal(name, state):
    """A doorway's health."""
    return PortalHealth(id=name, state=state, since=instant(NOW_US))


class Lamps:
    """A device's outputs, each pulse ended in the device; `fails` makes every order fail."""

    def __init__(self, *, ends_itself=True) -> None:
        self.asked, self.ends_itself, self.fails = [], ends_itself, False

    async def switch(self, output, on):
        """Write it down."""
        self.asked.append((output, on))
        self._fail()

    async def pulse(self, output, on_ms):
        """Write it down."""
        self.asked.append((output, on_ms))
        self._fail()

    def ends_pulse(self, output):
        """All or none."""
        return self.ends_itself and output > 0

    def _fail(self):
        if self.fails:
            raise ReaderError("the reader is gone")

    def pulses(self, output):
        """Lengths of an output's pulses, ms."""
        return [what for one, what in self.asked if one == output and not isinstance(what, bool)]

    def switched_off(self, output):
        """How often it was switched off."""
        return self.asked.count((output, False))


def rule(output, kind="siren", **knobs):
    """An output of board b1 at portal `door`."""
    return OutputRule(**{"portal": "door", "device": "b1", "output": output, "kind": kind} | knobs)


def steady_us():
    """The steady clock."""
    return time.monotonic_ns() // 1000


@contextlib.asynccontextmanager
async def running(*rules, lamps=None, local=lambda _us: None, port=None, **more):
    """Signals with their drivers."""
    lamps = Lamps() if lamps is None else lamps
    signals = Signals(
        rules,
        {"b1": port or (lambda: lamps)},
        serving={"door": ["r1"], "gate": ["r2"]},
        now_us=lambda: NOW_US,
        steady_us=steady_us,
        local=local,
        log=structlog.get_logger(),
        **more,
    )
    task = asyncio.create_task(signals.run())
    try:
        yield signals, lamps
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(condition):
    """Wait until `condition()` holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 (conditions of many kinds, none of which can notify)
            await asyncio.sleep(0.01)


def refuse(signals, verdict="refuse", *, mode="alarm", late_us=0, portal="door"):
    """A verdict about somebody who crossed just now, or so long ago."""
    return signals.judged(portal, verdict, NOW_US - late_us, NOW_US, mode)
