"""Fire alarms and an access controller's relays, on inputs of readers and boards: what they say, before it is a row."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, Self

from msgspec import structs
from structlog.typing import FilteringBoundLogger

from edge.agent.chatter import Chatter
from edge.config import AlarmInput
from edge.contracts import SensorRow, instant
from edge.llrp.reports import empty_batch
from edge.readers import Chunk
from edge.readers.model import ReaderRow

LOOK_S: Final = 1.0
"""So often it is looked whether an input that chattered is calm."""


@dataclass(slots=True)
class AlarmInputCounters:
    """Counts since the start: times that an input began to chatter, and its changes that were held meanwhile."""

    chattered: int = 0
    held: int = 0


class AlarmInputs:
    """A sink before the sink: levels of alarm inputs become what they mean, and a fire is told at once.

    A context, while which an input that chattered is told again once it is calm.

    Args:
        inputs: alarm inputs by device and number.
        fire: told of a fire input by device and number, and whether it is active.
        sink: gets all chunks.
        now_us: the host's clock.
        steady_us: a clock that no one sets.
        log: logger; a line when an input begins to chatter and one when it is calm.
    """

    def __init__(
        self,
        inputs: Mapping[tuple[str, int], AlarmInput],
        *,
        fire: Callable[[str, int, bool], None],
        sink: Callable[[Chunk], Awaitable[None]],
        now_us: Callable[[], int],
        steady_us: Callable[[], int],
        log: FilteringBoundLogger,
    ) -> None:
        self._inputs, self._fire, self._sink = inputs, fire, sink
        self._now_us, self._steady_us, self._log = now_us, steady_us, log
        self._chatter = {place: Chatter() for place in inputs}
        self._last: dict[tuple[str, int], tuple[Chunk, SensorRow]] = {}
        self._task: asyncio.Task[None] | None = None
        self.counters = AlarmInputCounters()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep(), name="alarm inputs")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def sink(self, chunk: Chunk) -> None:
        """Take a chunk, say what its alarm inputs mean, and pass it on."""
        if any(isinstance(row, SensorRow) and (row.reader, row.gpi) in self._inputs for row in chunk.rows):
            said = (self._said(row, chunk) for row in chunk.rows)
            chunk = replace(chunk, rows=tuple(row for row in said if row is not None))
        await self._sink(chunk)

    async def settle(self) -> None:
        """Tell the inputs that chattered and are calm by now."""
        for place, chatter in self._chatter.items():
            if not chatter.chatters:
                continue
            state = chatter.settle(self._steady_us())
            if not chatter.chatters:
                self._log.info("alarm input is calm again", device=place[0], gpi=place[1])
            if state is not None:
                chunk, row = self._last[place]
                now_us = self._now_us()
                told = self._told(structs.replace(row, at=instant(now_us)), self._inputs[place], state=state)
                await self._sink(replace(chunk, arrival_us=now_us, rows=(told,)))

    def trouble(self, device: str) -> str:
        """Return in words which inputs of a device chatter, "" where none does."""
        return "; ".join(
            f"input {gpi} ({self._inputs[place].kind}) chatters and is held as an alarm"
            + (", all sirens are muted" if self._inputs[place].kind == "fire" else "")
            for place, chatter in sorted(self._chatter.items())
            for one, gpi in [place]
            if one == device and chatter.chatters
        )

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            await self.settle()

    def _said(self, row: ReaderRow, chunk: Chunk) -> ReaderRow | None:
        """Return what a row means, None where it is held."""
        if not isinstance(row, SensorRow) or (row.reader, row.gpi) not in self._inputs:
            return row
        place = row.reader, row.gpi
        found, chatter = self._inputs[place], self._chatter[place]
        before = chatter.chatters
        state = chatter.take(row.state == found.active_high, self._steady_us())
        if chatter.chatters:
            self._last[place] = replace(chunk, batch=empty_batch(0), rows=()), row
            self.counters.held += state is None
        if chatter.chatters and not before:
            self.counters.chattered += 1
            self._log.warning(
                "alarm input chatters: it is held as an alarm until it has stood for a minute",
                device=row.reader,
                gpi=row.gpi,
                kind=found.kind,
            )
        return None if state is None else self._told(row, found, state=state)

    def _told(self, row: SensorRow, found: AlarmInput, *, state: bool) -> SensorRow:
        if found.kind == "fire":
            self._fire(row.reader, row.gpi, state)
        return structs.replace(row, state=state, portal=found.portal)
