"""One session with one board, used once: open, all outputs off, watch inputs, switch when told, all off at the end."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final

from structlog.typing import FilteringBoundLogger

from edge.contracts import AntennaHealth, SensorRow, instant
from edge.llrp.reports import empty_batch
from edge.readers.errors import MalformedError, ReaderError, ReaderRefusedError, ReaderSilentError
from edge.readers.model import Chunk, ClockState, ReaderCounters
from edge.readers.serial import lcus, modbus
from edge.readers.serial.board_model import BoardSettings
from edge.readers.serial.debounce import Debouncer
from edge.readers.serial.line import Line, open_line
from edge.readers.within import within

TRIES: Final = 3
INPUT_PERIOD_S: Final = 0.02
"""Inputs are looked at so often, or as often as the bus answers: pulses of light beams last 100 ms and more."""
LIFE_PERIOD_S: Final = 1.0
"""A board without inputs is asked for its relays' states this often: an absent one is told before it is needed."""
HOST_CLOCK: Final = ClockState("host", 0, 0, stepped=False)


class BoardSession:
    """One session.

    Args:
        settings: the board.
        counters: counts that go on over sessions.
        sink: gets a chunk for each change of an input.
        now_us: the host's clock.
        log: logger with the board's id bound.
        tell: gets what is not as configured though the session goes on, in words.
        lost_at_us: when the session before this one last heard from the board; unused, a board's gap loses no reads.
    """

    def __init__(
        self,
        settings: BoardSettings,
        *,
        counters: ReaderCounters,
        sink: Callable[[Chunk], Awaitable[None]],
        now_us: Callable[[], int],
        log: FilteringBoundLogger,
        tell: Callable[[str], None],
        lost_at_us: int | None = None,
    ) -> None:
        del tell, lost_at_us
        self._settings, self._counters, self._sink, self._now_us, self._log = settings, counters, sink, now_us, log
        self._where = f"board {settings.id} at {settings.address}"
        self._kinds = {gpi.port: gpi.kind for gpi in settings.gpis}
        self._debouncer = Debouncer({gpi.port: gpi.debounce_ms * 1000 for gpi in settings.gpis})
        self._framer = modbus.framer()
        self._turn = asyncio.Lock()
        self._line: Line | None = None
        self.problem = ""
        """What is not as it should be though the session runs: nothing yet known."""
        self.heard_us: int | None = None
        """Host time of the last sign of life; None before the first."""

    @property
    def who(self) -> str:
        """Not told: these boards don't say."""
        return ""

    def antennas(self) -> list[AntennaHealth]:
        """Return nothing: a board has none."""
        return []

    async def run(self, started: Callable[[], None]) -> None:
        """Run until the board is lost (`ReaderError`) or until cancelled; `started` is called once outputs are off."""
        self._line = await open_line(self._settings.serial, self._settings.baud, where=self._where, now_us=self._now_us)
        try:
            await self.all_off()
            await self._look()
            started()
            while True:
                await asyncio.sleep(INPUT_PERIOD_S if self._kinds else LIFE_PERIOD_S)
                await self._look()
        finally:
            with suppress(ReaderError):
                await self.all_off()
            await self._line.close()

    async def switch(self, output: int, *, on: bool) -> None:
        """Switch an output."""
        if self._settings.protocol == "lcus":
            async with self._turn:
                for _ in range(1 if on else lcus.OFF_TIMES):
                    self._open_line().send(lcus.switch(output, on=on))
                    await asyncio.sleep(lcus.GAP_S)
        else:
            await self._order(modbus.switch(self._settings.unit, output, on=on), f"output {output}")

    async def timed_on(self, output: int, on_ms: int) -> None:
        """Switch an output on for a time that the board counts."""
        await self._order(modbus.timed_on(self._settings.unit, output, on_ms), f"output {output}, timed")

    async def all_off(self) -> None:
        """Switch every output off."""
        for output in range(1, self._settings.outputs + 1):
            await self.switch(output, on=False)

    async def _look(self) -> None:
        """Look at the inputs, or at least whether the board is there."""
        states = await self._inputs()
        at_us = self.heard_us = self._now_us()
        rows = tuple(
            SensorRow(
                seq=0,
                reader=self._settings.id,
                gpi=change.number,
                kind=self._kinds[change.number],
                state=change.state,
                at=instant(change.at_us),
            )
            for change in self._debouncer.feed(at_us, states)
        )
        if rows:
            self._counters.reports += 1
            await self._sink(Chunk(self._settings.id, at_us, empty_batch(0), HOST_CLOCK, rows))

    async def _inputs(self) -> Mapping[int, bool]:
        settings = self._settings
        if settings.protocol != "modbus":
            async with self._turn:
                await self._open_line().receive(0.0)  # raises once the device is gone; these boards say nothing
                return self._open_line().inputs(tuple(self._kinds)) if self._kinds else {}
        function, count = modbus.Function.READ_COILS, max(settings.outputs, 1)
        if self._kinds:
            function, count = modbus.Function.READ_INPUTS, max(self._kinds)
        frame = await self._ask(modbus.read_bits(settings.unit, function, count))
        try:
            states = modbus.bits(frame, count)
        except MalformedError as error:
            raise ReaderRefusedError(f"{self._where}: can't say its inputs: {error}") from error
        return {number: states[number - 1] for number in self._kinds}

    async def _order(self, frame: modbus.Frame, what: str) -> None:
        answer = await self._ask(frame)
        if answer.function & modbus.FAILED:
            raise ReaderRefusedError(f"{self._where} refuses to switch {what}: {modbus.why(answer)}")
        if answer != frame:
            raise ReaderRefusedError(f"{self._where} answers {what} with another switch than was asked for")

    async def _ask(self, frame: modbus.Frame) -> modbus.Frame:
        """Ask until it is answered; one at a time, for the line carries one talk."""
        async with self._turn:
            line = self._open_line()
            for _ in range(TRIES):
                await line.receive(0.0)  # what comes too late answers nothing any more
                self._framer = modbus.framer()
                line.send(modbus.encode(frame))
                if answer := await self._answer(line, frame):
                    return answer
        raise ReaderSilentError(
            f"{self._where}: does not answer, asked {TRIES} times: is this Modbus unit {frame.unit} at "
            f"{self._settings.baud} baud, are A and B the right way round, and has it power?"
        )

    async def _answer(self, line: Line, asked: modbus.Frame) -> modbus.Frame | None:
        with suppress(TimeoutError):
            async with within(self._settings.answer_timeout_s):
                while True:
                    for _, data in await line.receive(self._settings.answer_timeout_s):
                        for frame in self._framer.feed(data):
                            if frame.unit == asked.unit and frame.function & ~modbus.FAILED == asked.function:
                                return frame
        return None

    def _open_line(self) -> Line:
        if self._line is None:
            raise ReaderSilentError(f"{self._where}: is not open yet")
        return self._line
