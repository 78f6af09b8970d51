"""One session with one serial reader, used once: open, ask, be served, hang up."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import numpy as np
from structlog.typing import FilteringBoundLogger

from edge.contracts import AntennaHealth, SensorRow, instant
from edge.readers.errors import ReaderError
from edge.readers.losses import LossLog
from edge.readers.model import Chunk, ClockState, ReaderCounters, ReaderRow
from edge.readers.serial.conversation import Conversation, Turn
from edge.readers.serial.debounce import Debouncer
from edge.readers.serial.line import Line, open_line
from edge.readers.serial.model import LINE_NAMES, SerialSettings
from edge.readers.serial.r200_talk import R200Talk
from edge.readers.serial.uhfreader_talk import UhfReaderTalk
from edge.readers.sightings import Channels, to_batch

TICK_S: Final = 0.05
INPUT_TICK_S: Final = 0.02
"""Control lines are looked at so often: pulses of light beams last 100 ms and more (domain, 15)."""
ALIVE_US: Final = 100_000
"""A reader that answers but hears nothing says so this often: it lets time pass for the windows."""
FAREWELL_S: Final = 0.05
HOST_CLOCK: Final = ClockState("host", 0, 0, stepped=False)
GARBLED: Final = "garbled_serial"
DROPPED: Final = "serial_buffer_overflow"
DISCONNECTED: Final = "reader_disconnected"


class SerialSession:
    """One session.

    Args:
        settings: the reader.
        counters: counts that go on over sessions.
        sink: gets every chunk in order; while it waits, bytes are held in a bounded buffer.
        now_us: the host's clock, the only one there is: these readers send no times.
        log: logger with the reader's id bound.
        tell: gets what is not as configured though the session goes on, in words.
        lost_at_us: when the session before this one last heard from the reader; None if there was none.
    """

    def __init__(
        self,
        settings: SerialSettings,
        *,
        counters: ReaderCounters,
        sink: Callable[[Chunk], Awaitable[None]],
        now_us: Callable[[], int],
        log: FilteringBoundLogger,
        tell: Callable[[str], None],
        lost_at_us: int | None = None,
    ) -> None:
        self._settings, self._counters, self._sink = settings, counters, sink
        self._now_us, self._log, self._tell = now_us, log, tell
        self._lost_at_us = lost_at_us
        self._where = f"reader {settings.id} at {settings.address}"
        self._talk: Conversation[Any] = R200Talk(settings) if settings.protocol == "r200" else UhfReaderTalk(settings)
        self._clock = asyncio.get_running_loop().time
        self._losses = LossLog(settings.id)
        self._debouncer = Debouncer({gpi.port: gpi.debounce_ms * 1000 for gpi in settings.gpis})
        self._kinds = {gpi.port: gpi.kind for gpi in settings.gpis}
        self._antennas = np.array(settings.antennas, np.uint16)
        self._channels = Channels()
        self._told: set[str] = set()
        self._antenna_faults: dict[int, tuple[str, int]] = {}
        self._faults = 0
        self._dropped_bytes = 0
        self._said_alive_us = 0
        self._inputs_work = bool(settings.gpis)
        self._input_problem = ""
        self.heard_us: int | None = None
        """Host time of the last whole frame; None before the first."""

    @property
    def problem(self) -> str:
        """What is not as configured though the session runs, in words."""
        return "; ".join([*self._talk.notes, *([self._input_problem] if self._input_problem else [])])

    @property
    def who(self) -> str:
        """What the reader says that it is."""
        return self._talk.who

    def antennas(self) -> list[AntennaHealth]:
        """Return the antennas that the reader itself calls faulty, and those that it has read with since."""
        return [
            AntennaHealth(port=port, state="fault" if words else "ok", reason=words, since=instant(since_us))
            for port, (words, since_us) in sorted(self._antenna_faults.items())
        ]

    async def run(self, started: Callable[[], None]) -> None:
        """Run until the reader is lost (`ReaderError`) or until cancelled; `started` is called once it inventories."""
        line = await open_line(self._settings.serial, self._settings.bauds, where=self._where, now_us=self._now_us)
        try:
            line.send(self._talk.start(self._clock()))
            await self._talk_on(line, started)
        except ReaderError as error:
            raise self._worded(error) from error
        finally:
            line.send(self._talk.farewell())
            try:
                await self._hand_on(self._now_us(), Turn(), self._losses.due(self._now_us(), all_of_them=True))
                await asyncio.sleep(FAREWELL_S)
            finally:
                await line.close()

    async def _talk_on(self, line: Line, started: Callable[[], None]) -> None:
        running = False
        tick_s = INPUT_TICK_S if self._kinds else TICK_S
        while True:
            for at_us, data in await line.receive(tick_s):
                await self._take(line, at_us, self._talk.receive(data, self._clock()))
            await self._take(line, self._now_us(), self._talk.tick(self._clock()))
            if self._talk.ready and not running:
                running = True
                self._start(started)

    def _start(self, started: Callable[[], None]) -> None:
        now_us = self._now_us()
        if self._lost_at_us is not None:
            self._losses.add(DISCONNECTED, self._lost_at_us, now_us)
        started()
        self._log.info("serial reader inventories", who=self._talk.who, protocol=self._settings.protocol)
        for note in self._talk.notes:
            self._tell(note)

    async def _take(self, line: Line, at_us: int, turn: Turn) -> None:
        line.send(turn.send)
        self._count_losses(line, at_us, turn)
        for condition, words in turn.told.items():
            if condition not in self._told:
                self._told.add(condition)
                self._log.warning(words)
        for port, words in turn.antennas.items():
            self._judge_antenna(port, words, at_us)
        rows: list[ReaderRow] = [*self._look(line, at_us), *self._losses.due(at_us)]
        if turn.heard:
            self.heard_us = at_us
        await self._hand_on(at_us, turn, rows)

    async def _hand_on(self, at_us: int, turn: Turn, rows: list[Any]) -> None:
        alive = turn.heard and self._talk.ready and not 0 <= at_us - self._said_alive_us < ALIVE_US
        if not (turn.sightings or rows or alive):
            return
        self._said_alive_us = at_us
        batch = to_batch(turn.sightings, self._channels)
        if len(batch):
            seen = batch.seen_count.astype(np.int64)
            self._counters.reads += int(seen.sum())
            self._counters.unlisted_reads += int(seen[~np.isin(batch.antenna, self._antennas)].sum())
            self._counters.reports += 1
            self._counters.last_read_us = at_us
        await self._sink(Chunk(self._settings.id, at_us, batch, HOST_CLOCK, tuple(rows)))

    def _count_losses(self, line: Line, at_us: int, turn: Turn) -> None:
        since_us = at_us if self.heard_us is None else self.heard_us
        garbled = self._talk.faults - self._faults + turn.malformed
        self._faults = self._talk.faults
        if garbled:
            self._counters.lost_reports += garbled
            self._losses.add(GARBLED, since_us, at_us)
            self._tell_once(GARBLED, "bytes on the line are garbled or missing: check cable, speed and grounding")
        if line.dropped_bytes > self._dropped_bytes:
            self._dropped_bytes = line.dropped_bytes
            self._counters.lost_reports += 1
            self._losses.add(DROPPED, since_us, at_us)
            self._tell_once(DROPPED, "the agent did not keep up: bytes of the reader are dropped")

    def _judge_antenna(self, port: int, words: str, at_us: int) -> None:
        """Note what the reader says of an antenna; tell a fault once, and its end."""
        before = self._antenna_faults.get(port)
        if before is not None and before[0] == words:
            return
        self._antenna_faults[port] = (words, at_us)
        if words:
            self._log.warning("antenna fault", antenna=port, reason=words)
        elif before is not None:
            self._log.info("antenna back", antenna=port)

    def _look(self, line: Line, at_us: int) -> list[SensorRow]:
        """Look at the control lines; where there are none, say so and go on reading tags."""
        if not self._inputs_work:
            return []
        try:
            states = line.inputs(tuple(self._kinds))
        except ReaderError as error:
            self._inputs_work, self._input_problem = False, str(error)
            self._tell(str(error))
            return []
        return [
            SensorRow(
                seq=0,
                reader=self._settings.id,
                gpi=change.number,
                kind=self._kinds[change.number],
                state=change.state,
                at=instant(change.at_us),
            )
            for change in self._debouncer.feed(at_us, states)
            if change.number in LINE_NAMES
        ]

    def _tell_once(self, condition: str, words: str) -> None:
        if condition not in self._told:
            self._told.add(condition)
            self._log.warning(words)

    def _worded(self, error: ReaderError) -> ReaderError:
        words = str(error)
        if words.startswith(self._where):
            return error
        if not self._talk.ready:
            words += f": is this a {self._settings.protocol} at {self._settings.bauds} baud, and has it power?"
        return type(error)(f"{self._where}: it {words}")
