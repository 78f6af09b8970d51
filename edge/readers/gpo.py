"""A reader's general purpose outputs, as an `OutputPort`, for the length of one session."""

from typing import Final

from structlog.typing import FilteringBoundLogger

from edge.llrp.messages.answers import SetReaderConfigResponse
from edge.profiles import ReaderProfile
from edge.readers.configuration import is_inverted, output_mode, write_outputs
from edge.readers.ends import PulseEnds
from edge.readers.errors import ReaderError, ReaderRefusedError
from edge.readers.model import OutputSettings
from edge.readers.outputs import checked_on_ms
from edge.readers.requests import Requests

OFF_TRIES: Final = 3
"""At a session's end the request is made so many times; while it lasts, for as long as it takes."""


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
        self._ends = PulseEnds(self._end, log=log)
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
        await self._ends.call_off(output)
        try:
            if output in self._pulsed:
                await self._mode(output, None)
            await self._write(one, on=on)
        except ReaderError:
            if not on:
                self._ends.begin(output, 0)
            raise

    async def pulse(self, output: int, on_ms: int) -> None:
        """See `OutputPort.pulse`."""
        one = self._one(output)
        checked_on_ms(on_ms)
        await self._ends.call_off(output)
        try:
            if self.ends_pulse(output):
                await self._mode(output, on_ms)
            await self._write(one, on=True)
        except ReaderError:
            self._ends.begin(output, 0)  # it may be on: only the answer was lost
            raise
        self._ends.begin(output, on_ms)

    async def close(self) -> None:
        """End pulses that are ours to end, at once."""
        ours = [output for output in self._ends.outputs if not self.ends_pulse(output)]
        self._ends.close()
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

    async def _end(self, output: int) -> None:
        """Switch off what the reader doesn't end by itself."""
        if self.ends_pulse(output) and output in self._pulsed and self.on[output]:
            self.on[output] = False
        else:
            await self._write(self._one(output), on=False)

    async def _off(self, one: OutputSettings) -> None:
        for _ in range(OFF_TRIES):
            try:
                await self._write(one, on=False)
            except ReaderError as error:
                problem = str(error)
            else:
                return
        self._log.error("output can't be switched off", output=one.output, problem=problem)
