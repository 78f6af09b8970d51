"""An output port that obeys the fire alarm, for who switches outputs beside the signals: a person's order to blink."""

from collections.abc import Callable

from edge.readers.errors import ReaderRefusedError
from edge.readers.outputs import OutputPort


class MutedPort:
    """A device's outputs, of which none is switched on while it is muted; off always goes."""

    def __init__(self, port: OutputPort, muted: Callable[[int], bool]) -> None:
        self._port, self._muted = port, muted

    async def switch(self, output: int, on: bool) -> None:  # noqa: FBT001 (as a light switch)
        """See `OutputPort.switch`."""
        if on:
            self._check(output)
        await self._port.switch(output, on)

    async def pulse(self, output: int, on_ms: int) -> None:
        """See `OutputPort.pulse`."""
        self._check(output)
        await self._port.pulse(output, on_ms)

    @property
    def ends_itself(self) -> bool:
        """See `OutputPort.ends_itself`."""
        return self._port.ends_itself

    def ends_pulse(self, output: int) -> bool:
        """See `OutputPort.ends_pulse`."""
        return self._port.ends_pulse(output)

    def _check(self, output: int) -> None:
        if self._muted(output):
            raise ReaderRefusedError(f"output {output} is a siren, and there is a fire alarm: wait until it is over")
