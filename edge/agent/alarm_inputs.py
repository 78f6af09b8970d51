"""Fire alarms and an access controller's relays, on inputs of readers and boards: what they say, before it is a row."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from msgspec import structs

from edge.config import AlarmInput
from edge.contracts import SensorRow
from edge.readers import Chunk
from edge.readers.model import ReaderRow


class AlarmInputs:
    """A sink before the sink: levels of alarm inputs become what they mean, and a fire is told at once.

    Args:
        inputs: alarm inputs by device and number.
        fire: told of a fire input by device and number, and whether it is active.
        sink: gets all chunks.
    """

    def __init__(
        self,
        inputs: Mapping[tuple[str, int], AlarmInput],
        *,
        fire: Callable[[str, int, bool], None],
        sink: Callable[[Chunk], Awaitable[None]],
    ) -> None:
        self._inputs, self._fire, self._sink = inputs, fire, sink

    async def sink(self, chunk: Chunk) -> None:
        """Take a chunk, say what its alarm inputs mean, and pass it on."""
        if any(isinstance(row, SensorRow) and (row.reader, row.gpi) in self._inputs for row in chunk.rows):
            chunk = replace(chunk, rows=tuple(map(self._said, chunk.rows)))
        await self._sink(chunk)

    def _said(self, row: ReaderRow) -> ReaderRow:
        found = self._inputs.get((row.reader, row.gpi)) if isinstance(row, SensorRow) else None
        if found is None or not isinstance(row, SensorRow):
            return row
        active = row.state == found.active_high
        if found.kind == "fire":
            self._fire(row.reader, row.gpi, active)
        return structs.replace(row, state=active, portal=found.portal)
