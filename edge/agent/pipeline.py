"""From a reader's chunk to rows in the journal: the windows stand in between, and no thread or wait does."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, Literal, Protocol

import numpy as np
from structlog.typing import FilteringBoundLogger

from edge.agent.counting import Counting
from edge.agent.journal import Journal
from edge.agent.sweeping import Sweeps
from edge.contracts import MovementRow, SensorRow, instant_us
from edge.gate import Gate
from edge.llrp import TagBatch
from edge.outbox import OpenRecord
from edge.readers import Chunk, ClockState
from edge.windows import OUT_OF_ORDER_US, HeldTag, OpenPassage, WindowClock, encode_open

SHED_OVER_US: Final = 60_000_000
"""A flood is over when nothing had to be left undecided for so long."""


class PassageEngine(Protocol):
    """What the pipeline wants of `edge.windows.Windows`."""

    @property
    def shed(self) -> int:
        """Visits and candidates that were not looked at, for too many came at once."""
        ...

    def feed(self, reader: str, batch: TagBatch, *, arrival_us: int | None, clock: WindowClock) -> list[MovementRow]:
        """Take a reader's batch (an empty one lets its time pass) and return the passages that it decided."""
        ...

    def sense(
        self, reader: str, gpi: int, kind: Literal["beam", "door"], *, state: bool, at_us: int, clock: WindowClock
    ) -> None:
        """Take a change of a door contact or light beam, in the time of the reader's reads."""
        ...

    def pass_until(self, arrival_us: int) -> list[MovementRow]:
        """Take it that all that arrived before an instant was fed, and return what neighbours waited for."""
        ...

    def take_open_changes(self) -> tuple[list[OpenPassage | HeldTag], list[str]]:
        """Return passages opened and tags held, or changed, and names of those that ended, since the last call."""
        ...


class Pipeline:
    """The readers' sink.

    Args:
        windows: decides passages.
        journal: takes rows.
        ports: per reader, the antenna ports that serve a portal or zone.
        host_synced: whether the host's clock may be believed now.
        log: logger.
        gate: decides exits; None where the agent believes no central.
        counting: counts what zones hear; None where there are none.
        sweeps: stop for whoever comes to a doorway; None where nobody sweeps.
    """

    def __init__(
        self,
        windows: PassageEngine,
        journal: Journal,
        *,
        ports: Mapping[str, Sequence[int]],
        host_synced: Callable[[], bool],
        log: FilteringBoundLogger,
        gate: Gate | None = None,
        counting: Counting | None = None,
        sweeps: Sweeps | None = None,
    ) -> None:
        self._gate, self._counting, self._sweeps = gate, counting, sweeps
        self._windows, self._journal, self._host_synced, self._log = windows, journal, host_synced, log
        self._ports = {reader: np.array(sorted(listed), np.uint16) for reader, listed in ports.items()}
        self._told: set[tuple[str, int]] = set()
        self._told_blank: set[str] = set()
        self._shed = self._shed_before = 0
        self._shed_us: int | None = None
        self.chunks = 0
        self._watching: list[Callable[[Sequence[MovementRow], int], None]] = []

    @contextmanager
    def watched(self, watch: Callable[[Sequence[MovementRow], int], None]) -> Iterator[None]:
        """Show what the windows decide, and when its reads arrived, until the block ends; it changes nothing."""
        self._watching.append(watch)
        try:
            yield
        finally:
            self._watching.remove(watch)

    async def sink(self, chunk: Chunk) -> None:
        """Take one chunk; what it decided is in the journal when this returns."""
        self._tell_unlisted(chunk)
        self._tell_blank(chunk)
        clock = window_clock(chunk.clock, host_synced=self._host_synced())
        rows = feed_chunk(self._windows, chunk, clock, arrival_us=chunk.arrival_us)
        if self._counting is not None:
            self._counting.take(chunk)
        self.chunks += 1
        self._tell_shed(chunk.arrival_us)
        for watch in self._watching:
            watch(rows, chunk.arrival_us)
        opened, closed = self._windows.take_open_changes()
        if self._sweeps is not None:
            self._sweeps.stir(chunk, opened, closed)
        if self._gate is not None:
            rows = self._gate.decide(rows, arrived_us=chunk.arrival_us)
            opened = [one for one in opened if isinstance(one, HeldTag) or self._is_noted(self._gate, one)]
        if rows or chunk.rows or opened or closed:
            records = [OpenRecord(passage.passage, encode_open(passage)) for passage in opened]
            self._journal.add([*rows, *chunk.rows], opened=records, closed=closed)

    @staticmethod
    def _is_noted(gate: Gate, one: OpenPassage) -> bool:
        return gate.is_noted(one.passage, one.epc, one.rev)

    def _tell_shed(self, now_us: int) -> None:
        """Say when a flood of tags begins and when it is over; metrics count what it left undecided."""
        shed = self._windows.shed
        if shed > self._shed:
            if self._shed_us is None:
                self._log.warning(
                    "too many strange tags at once: those read least are not decided",
                    do="look for what opens boxes of labels, or sends noise, before the antennas",
                )
            self._shed, self._shed_us = shed, now_us
        elif self._shed_us is not None and now_us - self._shed_us > SHED_OVER_US:
            self._log.info("the flood of tags is over", not_decided=shed - self._shed_before)
            self._shed_before, self._shed_us = shed, None

    def _tell_blank(self, chunk: Chunk) -> None:
        """Say once per start and reader that there are tags without a number; the windows count their reads."""
        if chunk.reader not in self._told_blank and len(chunk.batch) and not chunk.batch.epc_bits.all():
            self._told_blank.add(chunk.reader)
            remedy = "write a number to them, or keep them away from the antennas"
            self._log.warning("reads of tags whose EPC is empty are left out", reader=chunk.reader, do=remedy)

    def _tell_unlisted(self, chunk: Chunk) -> None:
        """Say once per start and port that reads come from where no portal is; the reader's health counts them."""
        strange = chunk.batch.antenna[~np.isin(chunk.batch.antenna, self._ports[chunk.reader])]
        if not len(strange):
            return
        for port in np.unique(strange).tolist():
            if (chunk.reader, port) not in self._told:
                self._told.add((chunk.reader, port))
                remedy = "name it in a portal's or zone's antennas, or switch it off on the reader"
                self._log.warning(
                    "reads of an antenna that serves no portal or zone", reader=chunk.reader, port=port, do=remedy
                )


def feed_chunk(
    windows: PassageEngine, chunk: Chunk, clock: WindowClock, *, arrival_us: int | None
) -> list[MovementRow]:  # fmt: skip
    """Hand a chunk to the windows; chunks come in the order of their arrival, give or take what the machine takes."""
    sense_rows(windows, chunk, clock)
    rows = windows.feed(chunk.reader, chunk.batch, arrival_us=arrival_us, clock=clock)
    return rows if arrival_us is None else [*rows, *windows.pass_until(arrival_us - OUT_OF_ORDER_US)]


def sense_rows(windows: PassageEngine, chunk: Chunk, clock: WindowClock) -> None:
    """Hand what a chunk tells of doors and beams to the windows; before its reads, which are no older.

    Reports wait in a reader until a message is full, its events don't.
    """
    for row in chunk.rows:
        if isinstance(row, SensorRow) and (row.kind == "beam" or row.kind == "door"):  # noqa: PLR1714 (mypy follows this)
            at_us = instant_us(row.at) - (clock.offset_us or 0)
            windows.sense(row.reader, row.gpi, row.kind, state=row.state, at_us=at_us, clock=clock)


def window_clock(clock: ClockState, *, host_synced: bool) -> WindowClock:
    """Say in the windows' words how good a reader's time is."""
    return WindowClock(
        source=clock.source,
        offset_us=clock.offset_us,
        spread_us=clock.spread_us,
        stepped=clock.stepped,
        host_synced=host_synced,
    )
