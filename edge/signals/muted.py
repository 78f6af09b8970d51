"""An output port that gives way to alarms, for who switches outputs beside the signals: a person's order to blink."""

from typing import Protocol

from edge.readers.errors import ReaderRefusedError
from edge.readers.outputs import OutputPort


class Lender(Protocol):
    """Says whether a person may switch an output now, and takes it back afterwards."""

    def drives(self, device: str, output: int) -> bool:
        """Whether an output is one of the gate's lights and sirens."""
        ...

    def refusal(self, device: str, output: int, *, on: bool) -> str:
        """Return in words why it can't be switched on or off by a person now, "" where it can."""
        ...

    def lend(self, device: str, output: int, on_ms: int) -> None:
        """Take it that a person's pulse of so long begins by now."""
        ...


class MutedPort:
    """A device's outputs for a person, of which none is switched while an alarm has it or mutes it."""

    def __init__(self, port: OutputPort, device: str, lender: Lender) -> None:
        self._port, self._device, self._lender = port, device, lender

    async def switch(self, output: int, on: bool) -> None:  # noqa: FBT001 (as a light switch)
        """See `OutputPort.switch`."""
        self._check(output, on=on)
        await self._port.switch(output, on)

    async def pulse(self, output: int, on_ms: int) -> None:
        """See `OutputPort.pulse`."""
        self._check(output, on=True)
        self._lender.lend(self._device, output, on_ms)
        await self._port.pulse(output, on_ms)
        self._lender.lend(self._device, output, on_ms)  # it began between the two

    @property
    def ends_itself(self) -> bool:
        """See `OutputPort.ends_itself`."""
        return self._port.ends_itself

    def ends_pulse(self, output: int) -> bool:
        """See `OutputPort.ends_pulse`."""
        return self._port.ends_pulse(output)

    def _check(self, output: int, *, on: bool) -> None:
        why = self._lender.refusal(self._device, output, on=on)
        if why:
            raise ReaderRefusedError(f"output {output} {why}")
