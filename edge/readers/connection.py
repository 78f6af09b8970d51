"""One connection to a reader, used once: dial, greeting, requests, keepalives, farewell.

What the reader is asked to do stands above (`edge.readers.session`). Responses, events and reports come interleaved: a
response is matched on its message id alone. Each message that comes, whatever it is, is a sign of life.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from structlog.typing import FilteringBoundLogger

from edge.llrp import Chunk as Messages
from edge.llrp import Frame, LlrpError, control
from edge.llrp.messages import Message, encode_message
from edge.llrp.messages.answers import CloseConnectionResponse
from edge.llrp.messages.commands import CloseConnection, KeepaliveAck
from edge.llrp.wire import Message as Number
from edge.readers.dial import Dialler
from edge.readers.errors import (
    NotAnLlrpReaderError,
    ReaderBusyError,
    ReaderClosedError,
    ReaderError,
    ReaderSilentError,
)
from edge.readers.link import Link
from edge.readers.model import ReaderSettings
from edge.readers.requests import Requests
from edge.readers.tap import Tap
from edge.readers.within import within

MISSED_KEEPALIVES: Final = 2
"""So many missed in a row mean a dead reader; one may be late on a busy network."""
KEEPALIVE_GRACE: Final = 0.5
"""Part of a period that the last keepalive may be late."""
SECOND_LOOK_S: Final = 0.05
"""Before a reader is called dead, what waits in the socket is read: it may be us who slept."""
HANG_UP_S: Final = 1.0
"""Longest wait for each of the farewell's answers."""


class Connection:
    """One connection.

    Args:
        settings: the reader.
        dialler: gives the link its connection.
        received: gets all messages of one receive, and the events among them; their data is valid during the call.
        stray: gets a message that answers nothing.
        bad: gets words about an event that can't be read.
        log: logger with the reader's id bound.
        tap: sees the connection's bytes, for a recording.
    """

    def __init__(
        self,
        settings: ReaderSettings,
        dialler: Dialler,
        *,
        received: Callable[[Messages, list[control.ReaderEvent]], None],
        stray: Callable[[Frame], None],
        bad: Callable[[str], None],
        log: FilteringBoundLogger,
        tap: Tap | None = None,
    ) -> None:
        self._settings, self._dialler = settings, dialler
        self._on_received, self._on_stray, self._on_bad = received, stray, bad
        self._log = log
        self.where = f"reader {settings.id} at {settings.address}"
        self._link = Link(max_frame_bytes=settings.max_frame_bytes, received=self._received, lost=self.lose, tap=tap)
        self.requests = Requests(
            self.where, self._link.send, timeout_s=settings.request_timeout_s, busy_s=lambda: self._busy_s
        )
        loop = asyncio.get_running_loop()
        self._clock = loop.time
        self._heard_s = loop.time()
        self._busy_s = 0.0
        self._greeted: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()
        """Ends, by its error, with the connection."""
        self.paused = False

    async def open(self) -> None:
        """Connect, and stay silent until the reader says that the connection is ours (LLRP 1.0.1, section 20.1)."""
        await self._dialler.connect(self._link)
        wait_s = self._settings.connect_timeout_s
        try:
            async with within(wait_s):
                await self._greeted
        except TimeoutError:
            if self._link.begun:
                raise ReaderSilentError(f"{self.where} {self._link.begun}: network or reader?") from None
            raise NotAnLlrpReaderError(
                f"{self.where} takes the connection but sends no LLRP greeting within {wait_s:g} s: "
                "is this an LLRP reader's port?"
            ) from None
        self._heard_s = self._clock()

    async def watch(self) -> None:
        """Call the reader dead when keepalives, and all else, have been missing for too long."""
        limit_s = (MISSED_KEEPALIVES + KEEPALIVE_GRACE) * self._settings.keepalive_ms / 1000
        while not self.lost.done():
            rest_s = self._heard_s + limit_s - self._clock()
            await asyncio.sleep(max(rest_s, SECOND_LOOK_S))
            if self.paused:
                self._heard_s = self._clock()
            elif self._clock() - self._heard_s > limit_s + SECOND_LOOK_S:
                self.lose(ReaderSilentError(f"sent nothing for {limit_s:g} s though keepalives are on"))

    def pause(self) -> None:
        """Stop receiving: the reader then queues, or says that it overflows."""
        self.paused = True
        self._link.pause()

    def resume(self) -> None:
        """Receive again."""
        self.paused = False
        self._link.resume()

    async def hang_up(self, farewell: Sequence[tuple[Message, type[Message]]]) -> None:
        """Say each of the farewell's requests if the reader still answers, free it for the next client, and close.

        Cancelled meanwhile it closes at once.
        """
        if self.paused:
            self._link.resume()
        greeted = self._greeted.done() and not self._greeted.cancelled() and not self._greeted.exception()
        goodbye: list[tuple[Message, type[Message]]] = [*farewell, (CloseConnection(), CloseConnectionResponse)]
        try:
            for message, answer in goodbye:
                if greeted and self._link.open:
                    with suppress(ReaderError):
                        await self.requests.ask(message, answer, timeout_s=HANG_UP_S)
        finally:
            self._link.close()
            for future in (self._greeted, self.lost):
                if not future.cancel() and not future.cancelled():
                    future.exception()

    def lose(self, reason: ReaderError) -> None:
        """End the connection for the first reason given; whoever waits for the reader hears it."""
        if self.lost.done():
            return
        words = str(reason)
        if not self._greeted.done() and self._link.begun:
            words = f"it {self._link.begun}: network or reader? ({words})"
        elif not self._greeted.done() and isinstance(reason, ReaderClosedError):
            words += " before it greeted us: does it serve another client, or is this no LLRP reader's port?"
        error = type(reason)(words if words.startswith(self.where) else f"{self.where}: {words}")
        self.lost.set_exception(error)
        self.requests.fail(error)
        if not self._greeted.done():
            self._greeted.set_exception(error)

    def _received(self, messages: Messages) -> None:
        self._heard_s = self._clock()
        if messages.reports:
            self._busy_s = self._heard_s
        events = []
        for frame in messages.others:
            if frame.type == Number.READER_EVENT_NOTIFICATION:
                event = self._event(frame)
                if event is not None:
                    events.append(event)
            elif frame.type == Number.KEEPALIVE:
                self._link.send(encode_message(KeepaliveAck(), frame.message_id))
            elif not self.requests.answer(frame):
                self._on_stray(frame)
        self._on_received(messages, events)

    def _event(self, frame: Frame) -> control.ReaderEvent | None:
        try:
            event = control.decode_event(frame)
        except LlrpError as error:
            self._on_bad(str(error))
            return None
        if event.connection_attempt is not None:
            self._connection_attempt(event.connection_attempt)
        if event.connection_closed:
            self.lose(ReaderClosedError("the reader said that it closes the connection"))
        return event

    def _connection_attempt(self, status: int) -> None:
        if status == control.CONNECTED:
            if not self._greeted.done():
                self._greeted.set_result(None)
        elif status == control.ANOTHER_ATTEMPTED:
            self._log.warning("another client tried to connect to this reader and was turned away")
        elif status in control.ALREADY_CONNECTED:
            self.lose(ReaderBusyError("serves another client: end that one, or wait until the reader gives it up"))
        else:
            self.lose(ReaderBusyError(f"turned us away (ConnectionAttemptEvent status {status}): restart it"))
