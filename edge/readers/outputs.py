"""Switched outputs: a port for lights and sirens, and patterns of on and off as data that are played over it.

A siren must not sound for ever because the agent died. Where a device can end a pulse by itself (`ends_itself`), it is
asked to; elsewhere our own task ends it, and a dead agent leaves the output as it is: wire a timer relay there.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from edge.readers.errors import ReaderError

LEAST_ON_MS: Final = 100
"""A relay follows a tenth of a second; a shorter pulse may do nothing."""
LONGEST_ON_MS: Final = 600_000
"""Ten minutes: whoever wants a light for longer switches it on."""


class OutputPort(Protocol):
    """The outputs of one device. Errors are `ReaderError`; calls may overlap, the last one for an output wins."""

    async def switch(self, output: int, on: bool) -> None:  # noqa: FBT001 (as a light switch)
        """Switch an output and leave it so."""
        ...

    async def pulse(self, output: int, on_ms: int) -> None:
        """Switch an output on, and off after `on_ms`; return once it is on."""
        ...

    @property
    def ends_itself(self) -> bool:
        """Whether the device ends a pulse of any of its outputs even if the agent dies meanwhile."""
        ...

    def ends_pulse(self, output: int) -> bool:
        """Whether it does so for one output."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a pattern: outputs that are on for a while, the others off."""

    on: frozenset[int]
    ms: int


@dataclass(frozen=True, slots=True)
class Pattern:
    """Steps that are played one after the other, `times` over; at its end all its outputs are off."""

    steps: tuple[Step, ...]
    times: int = 1

    @property
    def outputs(self) -> frozenset[int]:
        """All outputs that it uses."""
        return frozenset().union(*(step.on for step in self.steps))


def steady(outputs: Sequence[int], ms: int) -> Pattern:
    """Return a pattern of all outputs on for a while."""
    return Pattern((Step(frozenset(outputs), ms),))


def blinking(outputs: Sequence[int], *, on_ms: int, off_ms: int, times: int) -> Pattern:
    """Return a pattern of all outputs on and off in turn."""
    return Pattern((Step(frozenset(outputs), on_ms), Step(frozenset(), off_ms)), times)


async def play(pattern: Pattern, port: OutputPort) -> None:
    """Play a pattern; when cancelled, or when a step fails, all its outputs are switched off before it ends.

    Each time that an output is on is a pulse of its own, so that where the device ends pulses by itself no death of
    ours leaves one on. An output that is on in neighbouring steps gets one pulse over all of them.
    """
    try:
        timeline = pattern.steps * pattern.times
        for number, step in enumerate(timeline):
            before = timeline[number - 1].on if number else frozenset()
            for output in sorted(step.on - before):
                await port.pulse(output, _on_ms(timeline, number, output))
            await asyncio.sleep(step.ms / 1000)
    except BaseException:
        await _all_off(pattern, port)
        raise


def checked_on_ms(on_ms: int) -> int:
    """Return a pulse's length, which must be one that a relay follows and a neighbour endures."""
    if not LEAST_ON_MS <= on_ms <= LONGEST_ON_MS:
        raise ReaderError(f"a pulse of {on_ms} ms can't be made: from {LEAST_ON_MS} to {LONGEST_ON_MS} ms can")
    return on_ms


def _on_ms(timeline: Sequence[Step], number: int, output: int) -> int:
    """Return for how long an output stays on from a step on."""
    total_ms = 0
    for step in timeline[number:]:
        if output not in step.on:
            break
        total_ms += step.ms
    return total_ms


async def _all_off(pattern: Pattern, port: OutputPort) -> None:
    """Switch all of a pattern's outputs off, each whatever becomes of the others; the port tells what it can't do."""
    for output in sorted(pattern.outputs):
        with suppress(ReaderError):
            await port.switch(output, False)  # noqa: FBT003 (as a light switch)
