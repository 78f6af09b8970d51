"""Requests to a reader and their responses, matched on the message id alone."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Final, TypeVar

from edge.llrp import Frame, LlrpError, control
from edge.llrp.messages import Message, decode_message, encode_message
from edge.llrp.wire import Message as Number
from edge.readers.errors import ReaderError, ReaderRefusedError, ReaderSilentError

PATIENCE: Final = 3
"""While reports come a response may take so many times its time: a queue of 66,000 on a slow line (domain.md, 7)."""

Answer = TypeVar("Answer", bound=Message)


class Requests:
    """The requests of one session.

    Args:
        where: the reader, for messages.
        send: puts bytes on the wire.
        timeout_s: longest wait for a response, where a request says no other.
        busy_s: the loop's time at which the last report came.
    """

    def __init__(
        self, where: str, send: Callable[[bytes], None], *, timeout_s: float, busy_s: Callable[[], float] = lambda: 0.0
    ) -> None:
        self._where = where
        self._send = send
        self._timeout_s = timeout_s
        self._busy_s = busy_s
        self._ids = itertools.count(1)
        self._pending: dict[int, tuple[int, asyncio.Future[Frame]]] = {}
        self._error: ReaderError | None = None

    def say(self, message: Message) -> int:
        """Send a message that has no response; return its id, which an ERROR_MESSAGE would carry."""
        message_id = next(self._ids)
        self._send(encode_message(message, message_id, control.VERSION))
        return message_id

    async def ask(self, message: Message, answer: type[Answer], *, timeout_s: float | None = None) -> Answer:
        """Send a request and return its response; an error status, silence or loss raises `ReaderError`."""
        name = message.STANDARD_NAME
        frame = await self.ask_frame(message, answer, timeout_s=timeout_s)
        try:
            found = decode_message(frame)
        except LlrpError as error:
            raise ReaderRefusedError(f"{self._where}: the answer to {name} can't be read: {error}") from error
        if not isinstance(found, answer):
            raise ReaderRefusedError(f"{self._where} answered {name} by {found.STANDARD_NAME}")
        return found

    async def ask_frame(self, message: Message, answer: type[Message], *, timeout_s: float | None = None) -> Frame:
        """Send a request and return its response unread but for the status, which must be success."""
        if self._error is not None:
            raise self._error
        name = message.STANDARD_NAME
        message_id = next(self._ids)
        coming: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._pending[message_id] = answer.NUMBER, coming
        try:
            self._send(encode_message(message, message_id, control.VERSION))
            frame = await self._awaited(name, coming, timeout_s)
        finally:
            del self._pending[message_id]
            if coming.done() and not coming.cancelled():
                coming.exception()  # who asked may have been cancelled: then nobody else looks at it
        return self._checked(name, frame)

    async def _awaited(self, name: str, coming: asyncio.Future[Frame], timeout_s: float | None) -> Frame:
        """Wait for a response, longer while reports come: it stands behind all that the reader had queued."""
        wait_s = self._timeout_s if timeout_s is None else timeout_s
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        last_s = begin_s + (PATIENCE if timeout_s is None else 1) * wait_s
        due_s = begin_s + wait_s
        while not coming.done():
            await asyncio.wait([coming], timeout=due_s - loop.time())
            later_s = min(self._busy_s() + wait_s, last_s)
            if not coming.done() and loop.time() >= due_s:
                if later_s <= loop.time():
                    had_s = max(due_s, later_s) - begin_s  # we may have slept over what the last reports gave it
                    raise ReaderSilentError(f"{self._where} did not answer {name} within {had_s:g} s")
                due_s = later_s
        return coming.result()

    def answer(self, frame: Frame) -> bool:
        """Give a frame to the request that it answers; False if there is none."""
        expected, coming = self._pending.get(frame.message_id, (-1, None))
        if coming is None or coming.done() or frame.type not in {expected, Number.ERROR_MESSAGE}:
            return False
        coming.set_result(frame)
        return True

    def fail(self, error: ReaderError) -> None:
        """End all requests, those to come too."""
        self._error = error
        for _, coming in self._pending.values():
            if not coming.done():
                coming.set_exception(error)

    def _checked(self, name: str, frame: Frame) -> Frame:
        try:
            status = control.decode_status(frame)
        except LlrpError as error:
            raise ReaderRefusedError(f"{self._where}: the answer to {name} can't be read: {error}") from error
        if not status.ok or frame.type == Number.ERROR_MESSAGE:
            raise ReaderRefusedError(f"{self._where} refused {name}: {status}")
        return frame
