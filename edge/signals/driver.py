"""Drives one output as its rule says: each time that it is on is a pulse that ends in the device, where the device can.

A pulse is never lengthened while it runs, since not every device starts its timer anew: what is left is a pulse of its
own after it. So whatever becomes of us, an output is off when the pulse that runs is over; where the device has no
timer, our task ends it (`OutputPort.pulse`).
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from structlog.typing import FilteringBoundLogger

from edge.readers.errors import ReaderError, ReaderRefusedError
from edge.readers.outputs import LEAST_ON_MS, LONGEST_ON_MS, OutputPort
from edge.readers.within import within
from edge.signals.acting import Phase
from edge.signals.rules import OutputRule

GAP_US: Final = 150_000
"""The device's clock and ours differ, and its answer takes a while: a pulse is over for sure so long after its end."""
RETRY_US: Final = 250_000
BLINK_US: Final = 500_000
"""A lamp that says `alive` leaves a person's blinking alone: the next pulse of it begins by then."""
LOOK_US: Final = 500_000
"""A reader that was lost begins anew with all outputs off: so often it is looked whether that happened."""


class Acting(Protocol):
    """What an output is by now: `Alarm` or `Alive`."""

    def phase(self, now_us: int) -> Phase:
        """Return it for an instant of the steady clock."""
        ...


class Driver:
    """One output; `run` until cancelled, then it is off.

    Args:
        rule: what it is for.
        acting: what it is at each instant.
        port: gives the device's outputs of its session, `ReaderError` where there is none.
        steady_us: a clock that no one sets.
        lit: told how long after the call, seconds, the device had switched it on.
        log: logger.
    """

    def __init__(
        self,
        rule: OutputRule,
        acting: Acting,
        port: Callable[[], OutputPort],
        *,
        steady_us: Callable[[], int],
        lit: Callable[[float], None],
        log: FilteringBoundLogger,
    ) -> None:
        self.rule, self._acting, self._port, self._steady_us, self._lit = rule, acting, port, steady_us, lit
        self._log: FilteringBoundLogger = log.bind(device=rule.device, output=rule.output, kind=rule.kind)
        self._wake = asyncio.Event()
        self._called_us: int | None = None
        self._on_until_us = self._free_us = self._lent_until_us = 0
        self._on_port: OutputPort | None = None
        self._hushed = False
        self._problem = ""
        self.failures = 0
        """Times that the device could not be switched."""

    def wake(self, called_us: int | None = None) -> None:
        """Look again, since something happened; `called_us` is when an alarm called."""
        if called_us is not None and self._steady_us() >= self._on_until_us:
            self._called_us = called_us
        self._wake.set()

    def is_for(self, device: str, output: int) -> bool:
        """Whether it drives that output."""
        return (self.rule.device, self.rule.output) == (device, output)

    def lend(self, on_ms: int) -> None:
        """Take it that somebody else's pulse begins there now: ours is over by it, and the next begins after it."""
        pause_us = BLINK_US if self.rule.kind == "alive" else GAP_US
        now_us = self._steady_us()
        self._on_until_us = self._free_us = now_us
        self._lent_until_us = now_us + 1000 * on_ms + pause_us
        self._wake.set()

    def hush(self) -> None:
        """Order it off now, whatever it is believed to be: there is a fire alarm."""
        self._hushed = True
        self._wake.set()

    async def run(self) -> None:
        """Keep the output as it should be."""
        try:
            while True:
                await self._pause(await self._step())
        finally:
            await self._off()

    async def _step(self) -> int | None:
        """Do what is due; return when to look again, None: when woken."""
        now_us = self._steady_us()
        phase = self._acting.phase(now_us)
        if self._hushed and not phase.on:
            self._hushed = False
            await self._off(believed=False)
            return self._steady_us()
        if now_us < self._free_us:
            if now_us < self._on_until_us and not phase.on:
                await self._off()
            elif self._begun_anew():
                self._on_until_us = self._free_us = now_us
                return now_us
            return min(self._free_us, now_us + LOOK_US)
        if phase.on and now_us < self._lent_until_us:
            return self._lent_until_us
        if phase.on:
            await self._on(now_us, phase)
            return self._free_us
        return phase.until_us

    async def _on(self, now_us: int, phase: Phase) -> None:
        """Pulse until the phase ends; what a relay can't follow is left out."""
        left_ms = LONGEST_ON_MS if phase.until_us is None else (phase.until_us - now_us) // 1000
        if left_ms < LEAST_ON_MS:
            self._free_us = now_us + max(left_ms * 1000, 1000)
            return
        on_ms = min(left_ms, LONGEST_ON_MS)
        try:
            port = self._port()
            self._refuse_a_lamp_that_lies(port)
            await port.pulse(self.rule.output, on_ms)
        except ReaderError as error:
            self._failed(str(error))
            self._free_us = self._steady_us() + RETRY_US
            return
        self._switched(port, on_ms)

    def _refuse_a_lamp_that_lies(self, port: OutputPort) -> None:
        if self.rule.kind == "alive" and not port.ends_pulse(self.rule.output):
            raise ReaderRefusedError(
                f"{self.rule.name} would stay lit if the agent died, for the device ends no pulse there: a lamp that "
                "says `alive` wants one that does (Impinj, `inverted = false`; boards with `timed_outputs`)"
            )

    def _switched(self, port: OutputPort, on_ms: int) -> None:
        done_us = self._steady_us()
        if self._called_us is not None:
            self._lit((done_us - self._called_us) / 1e6)
            self._called_us = None
        self._on_port, self._on_until_us = port, done_us + 1000 * on_ms
        self._free_us = self._on_until_us + GAP_US
        self._well()

    async def _off(self, *, believed: bool = True) -> None:
        """Switch it off before its time; where that fails the device or the port's own task still ends the pulse."""
        if believed and self._steady_us() >= self._on_until_us:
            return
        try:
            await self._port().switch(self.rule.output, False)  # noqa: FBT003 (as a light switch)
        except ReaderError as error:
            self._failed(str(error))
            return
        self._on_until_us = self._free_us = self._steady_us()

    def _begun_anew(self) -> bool:
        """Whether the session that was told to switch it on is over: its successor begins with all outputs off."""
        with suppress(ReaderError):
            return self._port() is not self._on_port
        return False

    async def _pause(self, until_us: int | None) -> None:
        timeout_s = None if until_us is None else max(until_us - self._steady_us(), 0) / 1e6
        with suppress(TimeoutError):
            async with within(timeout_s):
                await self._wake.wait()
        self._wake.clear()

    def _failed(self, problem: str) -> None:
        self.failures += 1
        if not self._problem:
            self._log.error("output can't be switched", portal=self.rule.portal, problem=problem)
        self._problem = problem

    def _well(self) -> None:
        if self._problem:
            self._log.info("output can be switched again", portal=self.rule.portal)
        self._problem = ""
