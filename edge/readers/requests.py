"""Requests to a reader and their responses, matched on the message id alone."""

import asyncio
import itertools
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from edge.llrp import Frame, LlrpError, control
from edge.llrp.messages import Message, decode_message, encode_message
from edge.llrp.wire import Message as Type
from edge.readers.errors import ReaderError, ReaderRefusedError, ReaderSilentError


class Requests:
    """The requests of one session.

    Args:
        where: the reader, for messages.
        send: puts bytes on the wire.
        timeout_s: longest wait for a response, where a request says no other.
    """

    def __init__(self, where: str, send: Callable[[bytes], None], *, timeout_s: float) -> None:
        self._where = where
        self._send = send
        self._timeout_s = timeout_s
        self._ids = itertools.count(1)
        self._pending: dict[int, tuple[str, asyncio.Future[Frame]]] = {}
        self._error: ReaderError | None = None

    def say(self, name: str) -> None:
        """Send a message that has no response."""
        self._send(control.encode(name, message_id=next(self._ids)))

    async def ask(self, name: str, fields: Mapping[str, Any] | None = None, *, timeout_s: float | None = None) -> Frame:
        """Send a request and return its response; an error status, silence or loss raises `ReaderError`."""
        return await self._exchange(
            name, lambda message_id: control.encode(name, fields, message_id=message_id), timeout_s
        )

    def tell(self, message: Message) -> None:
        """Send a typed message that has no response."""
        self._send(encode_message(message, next(self._ids)))

    async def call(self, message: Message, *, timeout_s: float | None = None) -> Message:
        """Send a typed request and return its typed response; an error status, silence or loss raises `ReaderError`."""
        frame = await self._exchange(message.STANDARD_NAME, partial(encode_message, message), timeout_s)
        try:
            return decode_message(frame)
        except LlrpError as error:
            raise ReaderRefusedError(
                f"{self._where}: the answer to {message.STANDARD_NAME} can't be read: {error}"
            ) from error

    def answer(self, frame: Frame) -> bool:
        """Give a frame to the request that it answers; False if there is none."""
        expected, answer = self._pending.get(frame.message_id, ("", None))
        if answer is None or answer.done() or control.message_name(frame) not in {expected, "ERROR_MESSAGE"}:
            return False
        answer.set_result(frame)
        return True

    def fail(self, error: ReaderError) -> None:
        """End all requests, those to come too."""
        self._error = error
        for _, answer in self._pending.values():
            if not answer.done():
                answer.set_exception(error)

    async def _exchange(self, name: str, encode: Callable[[int], bytes], timeout_s: float | None) -> Frame:
        if self._error is not None:
            raise self._error
        wait_s = self._timeout_s if timeout_s is None else timeout_s
        message_id = next(self._ids)
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._pending[message_id] = control.response_name(name), answer
        try:
            self._send(encode(message_id))
            async with asyncio.timeout(wait_s):
                frame = await answer
        except TimeoutError:
            raise ReaderSilentError(f"{self._where} did not answer {name} within {wait_s:g} s") from None
        finally:
            del self._pending[message_id]
        return self._checked(name, frame)

    def _checked(self, name: str, frame: Frame) -> Frame:
        try:
            status = control.decode_status(frame)
        except LlrpError as error:
            raise ReaderRefusedError(f"{self._where}: the answer to {name} can't be read: {error}") from error
        if not status.ok or frame.type == Type.ERROR_MESSAGE:
            raise ReaderRefusedError(f"{self._where} refused {name}: {status}")
        return frame
