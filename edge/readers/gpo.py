"""A reader's general purpose outputs, as an `OutputPort`, for the length of one session."""

import asyncio
from typing import Final

from structlog.typing import FilteringBoundLogger

from edge.llrp.messages.answers import SetReaderConfigResponse
from edge.profiles import ReaderProfile
from edge.readers.configuration import is_inverted, output_mode, write_outputs
from edge.readers.errors import ReaderError, ReaderRefusedError
from edge.readers.model import OutputSettings
from edge.readers.outputs import checked_on_ms
from edge.readers.requests import Requests

OFF_TRIES: Final = 3
"""A siren that can't be switched off is worse than one that sounds late: the request is made so many times."""


class ReaderOutputs:
    """The outputs that are wired; `close` ends the pulses that are ours to end.

    Args:
        where: the reader, for messages.
        requests: of the session.
        outputs: those that are wired.
        profile: tells polarity and whether the reader ends pulses by itself.
        extensions: whether vendor parameters may be sent.
        log: logger with the reader's id bound.
    """

    def __init__(
        self,
        where: str,
        requests: Requests,
        outputs: tuple[OutputSettings, ...],
        profile: ReaderProfile,
        *,
        extensions: bool,
        log: FilteringBoundLogger,
    ) -> None:
        self._where, self._requests, self._log = where, requests, log
        self._outputs = {one.output: one for one in outputs}
        self._low_is_on = bool(profile.gpio.output_sinks)
        self._pulses = extensions and profile.gpio.pulse == "impinj"
        self._pulsed: set[int] = set()
        self._ends: dict[int, asyncio.Task[None]] = {}
        self.on: dict[int, bool] = dict.fromkeys(self._outputs, False)
        """What was last asked of each output, by number."""

    @property
    def ends_itself(self) -> bool:
        """Whether the reader ends the pulses of all wired outputs, so that no death of ours leaves one on.

        Its pulse mode goes up and falls back: an output that is on while low can't be left to it.
        """
        return bool(self._outputs) and all(self.ends_pulse(output) for output in self._outputs)

    def ends_pulse(self, output: int) -> bool:
        """Whether the reader ends this output's pulses."""
        return self._pulses and not is_inverted(self._one(output), low_is_on=self._low_is_on)

    async def all_off(self) -> None:
        """Switch all wired outputs off, as a session begins: a client before us may have died with the siren on."""
        if self._pulses:
            for output in self._outputs:
                await self._mode(output, None)
        if self._outputs:
            states = [(one, False) for one in self._outputs.values()]
            await self._requests.ask(write_outputs(states, low_is_on=self._low_is_on), SetReaderConfigResponse)

    async def switch(self, output: int, on: bool) -> None:  # noqa: FBT001 (as a light switch)
        """See `OutputPort.switch`."""
        one = self._one(output)
        self._forget_end(output)
        if output in self._pulsed:
            await self._mode(output, None)
        await self._write(one, on=on)

    async def pulse(self, output: int, on_ms: int) -> None:
        """See `OutputPort.pulse`."""
        one = self._one(output)
        checked_on_ms(on_ms)
        self._forget_end(output)
        if self.ends_pulse(output):
            await self._mode(output, on_ms)
        await self._write(one, on=True)
        self._ends[output] = asyncio.create_task(self._end(one, on_ms))

    async def close(self) -> None:
        """End pulses that are ours to end, at once."""
        ours = [output for output, on in self.on.items() if on and output in self._ends and not self.ends_pulse(output)]
        for output in list(self._ends):
            self._forget_end(output)
        for output in ours:
            await self._off(self._one(output))

    def _one(self, output: int) -> OutputSettings:
        if output not in self._outputs:
            wired = ", ".join(map(str, sorted(self._outputs))) or "none"
            raise ReaderRefusedError(
                f"{self._where}: output {output} is not among its wired ones ({wired}): add it to the reader's outputs"
            )
        return self._outputs[output]

    async def _mode(self, output: int, pulse_ms: int | None) -> None:
        await self._requests.ask(output_mode(output, pulse_ms=pulse_ms), SetReaderConfigResponse)
        if pulse_ms is None:
            self._pulsed.discard(output)
        else:
            self._pulsed.add(output)

    async def _write(self, one: OutputSettings, *, on: bool) -> None:
        await self._requests.ask(write_outputs([(one, on)], low_is_on=self._low_is_on), SetReaderConfigResponse)
        self.on[one.output] = on

    async def _end(self, one: OutputSettings, on_ms: int) -> None:
        await asyncio.sleep(on_ms / 1000)
        self._ends.pop(one.output, None)
        if self.ends_pulse(one.output):
            self.on[one.output] = False
        else:
            await self._off(one)

    async def _off(self, one: OutputSettings) -> None:
        for _ in range(OFF_TRIES):
            try:
                await self._write(one, on=False)
            except ReaderError as error:
                problem = str(error)
            else:
                return
        self._log.error("output can't be switched off", output=one.output, problem=problem)

    def _forget_end(self, output: int) -> None:
        task = self._ends.pop(output, None)
        if task is not None:
            task.cancel()
