"""One session with one reader, used once: dial, greet, set up, hand on what comes, hang up.

The session ends by a `ReaderError`, or by cancellation, which closes it in order. Who wants another one makes another
object (`edge.readers.supervisor`). Responses, events and reports come interleaved: a response is matched on its message
id alone. Each message that comes, whatever it is, is a sign of life.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Final

from structlog.typing import FilteringBoundLogger

from edge.llrp import Chunk as Messages
from edge.llrp import Frame, LlrpError, control
from edge.llrp.wire import Message
from edge.profiles import AUTO, GENERIC, ReaderProfile, match_profile, profile_named
from edge.readers.errors import (
    NotAnLlrpReaderError,
    ReaderBusyError,
    ReaderClosedError,
    ReaderError,
    ReaderRefusedError,
    ReaderSilentError,
    ReaderUnreachableError,
)
from edge.readers.intake import Intake
from edge.readers.link import Link
from edge.readers.model import Chunk, ReaderCounters, ReaderSettings
from edge.readers.requests import Requests
from edge.readers.rospec import ROSPEC_ID, choose_power, keepalive_only, reader_config, rospec, usable_antennas
from edge.readers.tap import Tap

MISSED_KEEPALIVES: Final = 2
"""So many missed in a row mean a dead reader; one may be late on a busy network."""
KEEPALIVE_GRACE: Final = 0.5
"""Part of a period that the last keepalive may be late."""
SECOND_LOOK_S: Final = 0.05
"""Before a reader is called dead, what waits in the socket is read: it may be us who slept."""
QUEUE_HIGH: Final = 256
QUEUE_LOW: Final = 64
"""Chunks that wait for the sink: at the first number receiving stops, at the second it goes on."""
COARSEST_STEP_CDBM: Final = 25
"""Power tables on record have steps of 0.1 and 0.25 dB; a choice further off than that is told."""
FLUSH_S: Final = 5.0
"""When the agent stops, the sink has this long for the chunks that wait."""
HANG_UP_S: Final = 1.0
"""Longest wait for each of the farewell's answers."""


class ReaderSession:
    """One session.

    Args:
        settings: the reader.
        counters: counts that go on over sessions.
        sink: gets every chunk in order; receiving waits for it when it is slow.
        now_us: the host's clock, UTC microseconds.
        log: logger with the reader's id bound.
        tell: gets what is not as configured though the session goes on, in words.
        lost_at_us: when the session before this one last heard from the reader; None if there was none.
        tap: sees the connection's bytes and what was made of them, for a recording.
    """

    def __init__(
        self,
        settings: ReaderSettings,
        *,
        counters: ReaderCounters,
        sink: Callable[[Chunk], Awaitable[None]],
        now_us: Callable[[], int],
        log: FilteringBoundLogger,
        tell: Callable[[str], None],
        lost_at_us: int | None = None,
        tap: Tap | None = None,
    ) -> None:
        self._settings = settings
        self._tap = tap
        self._counters = counters
        self._sink = sink
        self._now_us = now_us
        self._log = log
        self._tell = tell
        self._where = f"reader {settings.id} at {settings.address}"
        self._intake = Intake(settings, counters, log, lost_at_us=lost_at_us)
        self._link = Link(max_frame_bytes=settings.max_frame_bytes, received=self._received, lost=self._lose, tap=tap)
        self._queue: asyncio.Queue[Chunk | None] = asyncio.Queue()
        self._handing: Chunk | None = None
        self._paused = False
        self._ending = False
        self._requests = Requests(self._where, self._link.send, timeout_s=settings.request_timeout_s)
        loop = asyncio.get_running_loop()
        self._clock = loop.time
        self._heard_s = loop.time()
        self._greeted: asyncio.Future[None] = loop.create_future()
        self._lost: asyncio.Future[None] = loop.create_future()
        self._polls = False
        self._extended = False
        self._profile = profile_named(GENERIC)
        self._make_rospec: Callable[..., dict[str, Any]] = dict
        self.problem = ""
        """What is not as configured though the session runs, in words."""

    @property
    def heard_us(self) -> int | None:
        """Host time of the last message; None before the first."""
        return self._intake.heard_us

    async def run(self, started: Callable[[], None]) -> None:
        """Run until the reader is lost (`ReaderError`) or until cancelled; `started` is called once it inventories."""
        await self._dial()
        deliver = asyncio.create_task(self._deliver())
        flush_s: float | None = None
        try:
            await self._greet()
            await self._set_up()
            begun = self._intake.started(self._now_us())
            if self._tap is not None:
                self._tap.started(begun)
            self._queue.put_nowait(begun)
            started()
            await self._serve(deliver)
        except asyncio.CancelledError:
            flush_s = FLUSH_S
            raise
        finally:
            await self._hang_up()
            await self._flush(deliver, flush_s)

    async def _dial(self) -> None:
        settings = self._settings
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(settings.connect_timeout_s):
                await loop.create_connection(lambda: self._link, settings.host, settings.port)
        except TimeoutError:
            raise ReaderUnreachableError(
                f"{self._where} does not answer within {settings.connect_timeout_s:g} s: check power, cable and address"
            ) from None
        except OSError as error:
            raise ReaderUnreachableError(
                f"{self._where} can't be reached ({error.strerror or error}): check power, cable and address"
            ) from error

    async def _greet(self) -> None:
        """Stay silent until the reader has said that the connection is ours (LLRP 1.0.1, section 20.1)."""
        wait_s = self._settings.connect_timeout_s
        try:
            async with asyncio.timeout(wait_s):
                await self._greeted
        except TimeoutError:
            raise NotAnLlrpReaderError(
                f"{self._where} takes the connection but sends no LLRP greeting within {wait_s:g} s: "
                "is this an LLRP reader's port?"
            ) from None
        self._heard_s = self._clock()

    async def _set_up(self) -> None:
        frame = await self._requests.ask("GET_READER_CAPABILITIES", {"RequestedData": 0})
        try:
            seen = control.decode_capabilities(frame)
        except LlrpError as error:
            raise ReaderRefusedError(f"{self._where}: {error}") from error
        profile = self._profile = self._choose_profile(seen)
        extensions = await self._enable_extensions(profile)
        await self._clear()
        await self._configure(profile, seen, extensions=extensions)
        self._plan(profile, seen)
        await self._start_rospec(self._every_tags(), extensions=extensions)
        if seen.holds_events:
            self._requests.say("ENABLE_EVENTS_AND_REPORTS")

    def _plan(self, profile: ReaderProfile, seen: control.Capabilities) -> None:
        antennas, absent = usable_antennas(self._where, self._settings, seen)
        if absent:
            self._note(absent)
        dbm = self._settings.tx_power_dbm
        power = None if dbm is None else choose_power(self._where, dbm, seen, profile)
        if power is not None and dbm is not None and power.cdbm < dbm * 100 - COARSEST_STEP_CDBM:
            self._note(f"tx_power_dbm = {dbm:g} is not to be had: {power.cdbm / 100:.2f} dBm is used")
        self._make_rospec = partial(rospec, antennas, profile, power)

    def _choose_profile(self, seen: control.Capabilities) -> ReaderProfile:
        itself = f"vendor {seen.vendor}, model {seen.model}, firmware {seen.firmware}"
        fitting = match_profile(vendor=seen.vendor, model=seen.model, firmware=seen.firmware)
        if self._settings.profile != AUTO:
            chosen = profile_named(self._settings.profile)
            if not chosen.fits(vendor=seen.vendor, model=seen.model, firmware=seen.firmware):
                self._note(
                    f"profile {chosen.name} is configured, but the reader says it is {itself}: {fitting.name} fits"
                )
            return chosen
        if fitting.name == GENERIC:
            self._note(f"no profile knows this reader ({itself}): {GENERIC} is used, without phase")
        return fitting

    async def _enable_extensions(self, profile: ReaderProfile) -> bool:
        if profile.extensions.handshake == "none":
            return False
        try:
            await self._requests.ask("IMPINJ_ENABLE_EXTENSIONS")
        except ReaderRefusedError as error:
            self._note(f"goes on without vendor extensions and phase: {error}")
            return False
        return True

    async def _clear(self) -> None:
        """Delete what a client before us left; readers that have nothing to delete may refuse."""
        for name, fields in (("DELETE_ROSPEC", {"ROSpecID": 0}), ("DELETE_ACCESSSPEC", {"AccessSpecID": 0})):
            try:
                await self._requests.ask(name, fields)
            except ReaderRefusedError as error:
                self._log.info("nothing deleted", reason=str(error))

    async def _configure(self, profile: ReaderProfile, seen: control.Capabilities, *, extensions: bool) -> None:
        try:
            await self._requests.ask(
                "SET_READER_CONFIG", reader_config(self._settings, profile, seen, extensions=extensions)
            )
        except ReaderRefusedError as error:
            self._note(f"goes on with keepalives alone, without events: {error}")
            await self._requests.ask("SET_READER_CONFIG", keepalive_only(self._settings))

    async def _start_rospec(self, every_tags: int, *, extensions: bool) -> None:
        try:
            await self._requests.ask(
                "ADD_ROSPEC", {"ROSpec": self._make_rospec(extensions=extensions, every_tags=every_tags)}
            )
        except ReaderRefusedError as error:
            if not extensions:
                raise
            self._note(f"goes on without phase: {error}")
            await self._start_rospec(every_tags, extensions=False)
            return
        await self._requests.ask("ENABLE_ROSPEC", {"ROSpecID": ROSPEC_ID})
        await self._requests.ask("START_ROSPEC", {"ROSpecID": ROSPEC_ID})
        self._extended = extensions

    async def _serve(self, deliver: asyncio.Task[None]) -> None:
        tasks = [asyncio.create_task(self._watch()), asyncio.create_task(self._poll())]
        try:
            await asyncio.wait([self._lost, deliver], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._lost.done():
            self._lost.result()

    async def _watch(self) -> None:
        """Call the reader dead when keepalives, and all else, have been missing for too long."""
        limit_s = (MISSED_KEEPALIVES + KEEPALIVE_GRACE) * self._settings.keepalive_ms / 1000
        while not self._lost.done():
            rest_s = self._heard_s + limit_s - self._clock()
            await asyncio.sleep(max(rest_s, SECOND_LOOK_S))
            if self._paused:
                self._heard_s = self._clock()
            elif self._clock() - self._heard_s > limit_s + SECOND_LOOK_S:
                self._lose(ReaderSilentError(f"sent nothing for {limit_s:g} s though keepalives are on"))

    async def _poll(self) -> None:
        """Where reports are gathered, ask for them in time, so that no read waits for company."""
        every_ms = self._settings.report_every_ms
        if every_ms is None:
            every_ms = self._profile.reports.every_ms
        if not every_ms:
            return
        self._polls = True
        while self._polls:
            self._requests.say("GET_REPORT")
            await asyncio.sleep(every_ms / 1000)
        self._note("does not know GET_REPORT: each read is reported by itself")
        try:
            await self._requests.ask("STOP_ROSPEC", {"ROSpecID": ROSPEC_ID})
            await self._requests.ask("DELETE_ROSPEC", {"ROSpecID": ROSPEC_ID})
            await self._start_rospec(1, extensions=self._extended)
        except ReaderError as error:
            self._lose(error)

    def _every_tags(self) -> int:
        every_tags = self._settings.report_every_tags
        return self._profile.reports.every_tags if every_tags is None else every_tags

    async def _deliver(self) -> None:
        while (chunk := await self._queue.get()) is not None:
            self._handing = chunk
            await self._sink(chunk)
            self._handing = None
            if self._paused and not self._ending and self._queue.qsize() <= QUEUE_LOW:
                self._paused = False
                self._link.resume()

    async def _hang_up(self) -> None:
        """Leave the reader without our ROSpec and free for the next client, if it still answers."""
        self._ending = True
        if self._paused:
            self._link.resume()
        greeted = self._greeted.done() and not self._greeted.cancelled()
        farewell: list[tuple[str, dict[str, Any]]] = [
            ("STOP_ROSPEC", {"ROSpecID": ROSPEC_ID}),
            ("DELETE_ROSPEC", {"ROSpecID": ROSPEC_ID}),
            ("CLOSE_CONNECTION", {}),
        ]
        for name, fields in farewell:
            if greeted and self._link.open:
                with suppress(ReaderError):
                    await self._requests.ask(name, fields, timeout_s=HANG_UP_S)
        self._link.close()
        for future in (self._greeted, self._lost):
            if not future.cancel() and not future.cancelled():
                future.exception()

    async def _flush(self, deliver: asyncio.Task[None], timeout_s: float | None) -> None:
        """Give the sink what still waits; what it doesn't take in time is counted and told."""
        self._queue.put_nowait(None)
        try:
            async with asyncio.timeout(timeout_s):
                await deliver
        except TimeoutError:
            left = [chunk for chunk in (self._handing, *self._left()) if chunk is not None]
            reports = sum(len(chunk.batch) for chunk in left)
            self._counters.lost_reports += reports
            self._log.error("stopped before the reads that waited were taken", chunks=len(left), reports=reports)

    def _left(self) -> Iterator[Chunk | None]:
        with suppress(asyncio.QueueEmpty):
            while True:
                yield self._queue.get_nowait()

    def _received(self, messages: Messages) -> None:
        """Take all messages of one receive; their data is valid during this call only."""
        self._heard_s = self._clock()
        events = []
        for frame in messages.others:
            if frame.type == Message.READER_EVENT_NOTIFICATION:
                events.append(frame)
            else:
                self._take(frame)
        chunk = self._intake.take(
            self._now_us(), messages, [event for frame in events if (event := self._event(frame))]
        )
        if self._tap is not None:
            self._tap.took(chunk)
        self._queue.put_nowait(chunk)
        if self._queue.qsize() >= QUEUE_HIGH and not self._paused and not self._ending:
            self._paused = True
            self._link.pause()

    def _take(self, frame: Frame) -> None:
        if frame.type == Message.KEEPALIVE:
            self._link.send(control.encode("KEEPALIVE_ACK", message_id=frame.message_id))
        elif not self._requests.answer(frame):
            self._stray(frame)

    def _event(self, frame: Frame) -> control.ReaderEvent | None:
        try:
            event = control.decode_event(frame)
        except LlrpError as error:
            self._intake.bad_message(str(error))
            return None
        if event.connection_attempt is not None:
            self._connection_attempt(event.connection_attempt)
        if event.connection_closed:
            self._lose(ReaderClosedError("the reader said that it closes the connection"))
        return event

    def _connection_attempt(self, status: int) -> None:
        if status == control.CONNECTED:
            if not self._greeted.done():
                self._greeted.set_result(None)
        elif status == control.ANOTHER_ATTEMPTED:
            self._log.warning("another client tried to connect to this reader and was turned away")
        elif status in control.ALREADY_CONNECTED:
            self._lose(ReaderBusyError("serves another client: end that one, or wait until the reader gives it up"))
        else:
            self._lose(ReaderBusyError(f"turned us away (ConnectionAttemptEvent status {status}): restart it"))

    def _stray(self, frame: Frame) -> None:
        """Meet a message that answers nothing we wait for; GET_REPORT is answered by reports, or by an error."""
        if frame.type == Message.ERROR_MESSAGE and self._polls and self._is_unsupported(frame):
            self._polls = False
            return
        words = f"{control.message_name(frame)} came that answers nothing"
        if frame.type == Message.ERROR_MESSAGE:
            with suppress(LlrpError):
                words = f"the reader complains: {control.decode_status(frame)}"
        self._intake.stray_message(words)

    def _is_unsupported(self, frame: Frame) -> bool:
        with suppress(LlrpError):
            return control.decode_status(frame).code == control.UNSUPPORTED_MESSAGE
        return False

    def _note(self, words: str) -> None:
        """Keep in sight what is not as configured though the session goes on."""
        self.problem = f"{self.problem}; {words}" if self.problem else words
        self._tell(words)

    def _lose(self, reason: ReaderError) -> None:
        """End the session for the first reason given; whoever waits for the reader hears it."""
        if self._lost.done():
            return
        words = str(reason)
        if not self._greeted.done() and isinstance(reason, ReaderClosedError):
            words += " before it greeted us: does it serve another client, or is this no LLRP reader's port?"
        error = type(reason)(words if words.startswith(self._where) else f"{self._where}: {words}")
        self._lost.set_exception(error)
        self._requests.fail(error)
        if not self._greeted.done():
            self._greeted.set_exception(error)
