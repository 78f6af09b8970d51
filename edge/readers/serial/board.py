"""A relay board as the agent sees it: kept in session like a reader, its outputs behind the output port."""

import random
from collections.abc import Awaitable, Callable
from typing import Final

from msgspec import structs
from structlog.typing import FilteringBoundLogger

from edge.contracts import OutputHealth, ReaderHealth
from edge.readers.ends import PulseEnds
from edge.readers.errors import ReaderError, ReaderRefusedError, ReaderUnreachableError
from edge.readers.keeper import Keeper
from edge.readers.model import Chunk, ReaderCounters
from edge.readers.outputs import checked_on_ms
from edge.readers.serial.board_model import BoardSettings
from edge.readers.serial.board_session import BoardSession

FOR_EVER_US: Final = 1 << 62
"""An output that was switched on is on until it is switched off."""


class Board:
    """One board: `run` and `health` as a reader's, `switch` and `pulse` as an output port's.

    A pulse ends in the board where it can time one (`ends_itself`); elsewhere a task of ours ends it, and a dead agent
    leaves the relay as it is: wire a timer relay there. The last order for an output wins. All outputs are off when the
    board is found and when the agent stops.
    """

    def __init__(
        self,
        settings: BoardSettings,
        *,
        sink: Callable[[Chunk], Awaitable[None]],
        now_us: Callable[[], int],
        rng: random.Random,
        log: FilteringBoundLogger,
    ) -> None:
        """Take what `ReaderSupervisor` takes."""
        self._settings, self._sink, self._now_us = settings, sink, now_us
        self._log: FilteringBoundLogger = log.bind(reader=settings.id)
        self._counters = ReaderCounters()
        self._session: BoardSession | None = None
        self._ends = PulseEnds(self._end, log=self._log)
        self._on_until_us: dict[int, int] = {}
        self._keeper = Keeper(
            settings.id,
            settings.address,
            profile=f"board/{settings.protocol}",
            now_us=now_us,
            make=self._make,
            counters=self._counters,
            backoff_base_s=settings.backoff_base_s,
            backoff_max_s=settings.backoff_max_s,
            rng=rng,
            log=log,
        )

    @property
    def ends_itself(self) -> bool:
        """Whether the board ends a pulse even if the agent dies meanwhile."""
        return self._settings.protocol == "modbus" and self._settings.timed_outputs

    def ends_pulse(self, output: int) -> bool:
        """Whether the board ends this output's pulses: all or none."""
        return 1 <= output <= self._settings.outputs and self.ends_itself

    async def run(self) -> None:
        """Keep the board in session until cancelled; its outputs are off then."""
        try:
            await self._keeper.run()
        finally:
            self._ends.close()

    def health(self) -> ReaderHealth:
        """Return state and counters for the heartbeat, and which outputs were switched on."""
        health, now_us = self._keeper.health(), self._now_us()
        outputs = [
            OutputHealth(
                output=number,
                on=health.state == "connected" and self._on_until_us.get(number, 0) > now_us,
                ends_itself=self.ends_itself,
            )
            for number in range(1, self._settings.outputs + 1)
        ]
        return structs.replace(health, outputs=outputs)

    async def switch(self, output: int, on: bool) -> None:  # noqa: FBT001 (as a light switch)
        """Switch an output, from 1, and leave it so."""
        session = self._ready(output)
        await self._ends.call_off(output)
        try:
            await session.switch(output, on=on)
        except ReaderError:
            if not on:
                self._ends.begin(output, 0)
            raise
        self._on_until_us[output] = FOR_EVER_US if on else 0

    async def pulse(self, output: int, on_ms: int) -> None:
        """Switch an output on, and off after `on_ms`; return once it is on."""
        session = self._ready(output)
        checked_on_ms(on_ms)
        await self._ends.call_off(output)
        self._on_until_us[output] = FOR_EVER_US
        try:
            if self.ends_itself:
                await session.timed_on(output, on_ms)
            else:
                await session.switch(output, on=True)
        except ReaderError:
            self._ends.begin(output, 0)  # it may be on: only the answer was lost
            raise
        if self.ends_itself:
            self._on_until_us[output] = self._now_us() + 1000 * on_ms
        else:
            self._ends.begin(output, on_ms)

    async def _end(self, output: int) -> None:
        """Switch off what the board doesn't end by itself; it counts as on until the board has said that it is off."""
        await self._ready(output).switch(output, on=False)
        self._on_until_us[output] = 0

    def _make(self, *, tell: Callable[[str], None], lost_at_us: int | None) -> BoardSession:
        self._ends.close()
        self._on_until_us.clear()  # a session begins with all outputs off
        self._session = BoardSession(
            self._settings,
            counters=self._counters,
            sink=self._sink,
            now_us=self._now_us,
            log=self._log,
            tell=tell,
            lost_at_us=lost_at_us,
        )
        return self._session

    def _ready(self, output: int) -> BoardSession:
        if not 1 <= output <= self._settings.outputs:
            raise ReaderRefusedError(
                f"board {self._settings.id} has no output {output}: it has {self._settings.outputs} (`outputs`)"
            )
        if self._session is None or self._keeper.health().state != "connected":
            raise ReaderUnreachableError(
                f"board {self._settings.id} is not there, output {output} was not switched: "
                + (self._keeper.health().problem or "it is still being looked for")
            )
        return self._session
