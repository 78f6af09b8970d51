"""One TCP connection to a reader: bytes in as whole messages, bytes out."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from edge.llrp import Chunk, FrameBuffer
from edge.llrp.capture import Endpoint
from edge.readers.errors import NotAnLlrpReaderError, ReaderClosedError, ReaderError
from edge.readers.tap import Tap

GATHER_S: Final = 0.04
"""After a receive with reports the next waits this long: a wake-up costs what decoding hundreds of tags does, and a
reader that sends each read by itself would cause one for each. No alarm is later by more than this."""


class Link(asyncio.BufferedProtocol):
    """Receives into the frame buffer's own memory and hands over all whole messages of one receive together.

    `received` gets each chunk, whose data is valid during the call only; `lost` is called once, with the reason, after
    the last chunk. A `tap` sees every byte of both directions.
    """

    def __init__(
        self,
        *,
        max_frame_bytes: int,
        received: Callable[[Chunk], None],
        lost: Callable[[ReaderError], None],
        tap: Tap | None = None,
    ) -> None:
        self._buffer = FrameBuffer(max_frame_bytes=max_frame_bytes)
        self._room = memoryview(b"")
        self._tap = tap
        self._received = received
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._gathering: asyncio.TimerHandle | None = None
        self._paused = False
        self.open = False

    @property
    def begun(self) -> str:
        """In words what there is of a message that has come in part; empty where there is none."""
        part = self._buffer.begun()
        return "" if part is None else f"began an LLRP message of {part[1]} bytes and stopped after {part[0]}"

    def connection_made(self, transport: Any) -> None:
        """Keep the transport."""
        self._transport = transport
        self.open = True
        if self._tap is not None:
            local, remote = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
            self._tap.opened(local=_endpoint(local), remote=_endpoint(remote))

    def get_buffer(self, sizehint: int) -> memoryview:
        """Offer the frame buffer's free room."""
        self._room = self._buffer.writable(sizehint)
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        """Hand on what is whole; a stream out of step ends the connection, its whole messages are kept."""
        if self._tap is not None and self.open:
            self._tap.received(bytes(self._room[:nbytes]))
        self._buffer.written(nbytes)
        if not self.open:
            return
        chunk = self._buffer.take()
        if chunk.messages or chunk.fault:
            self._received(chunk)
        if chunk.fault:
            wrong_port = chunk.fault.offset == 0
            self._end(NotAnLlrpReaderError(str(chunk.fault)) if wrong_port else ReaderClosedError(str(chunk.fault)))
        elif chunk.reports and self.open and not self._paused:
            self._gather()

    def connection_lost(self, exc: Exception | None) -> None:
        """Say why: an error of the network, or the reader's own close."""
        words = f"the connection broke ({exc})" if exc else "the reader closed the connection"
        if self._buffer.pending:
            words += f" inside a message, after {self._buffer.pending} bytes of it"
        self._end(ReaderClosedError(words))

    def send(self, data: bytes) -> None:
        """Send a whole message; nothing happens on a closed link."""
        if self._transport is not None and self.open:
            self._transport.write(data)
            if self._tap is not None:
                self._tap.sent(data)

    def pause(self) -> None:
        """Stop receiving: the reader then queues, or says that it overflows."""
        self._paused = True
        if self._transport is not None and self.open:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Receive again."""
        self._paused = False
        if self._transport is not None and self.open:
            self._transport.resume_reading()

    def close(self) -> None:
        """Close without a word; `lost` is not called any more."""
        if self.open and self._tap is not None:
            self._tap.closed()
        self.open = False
        if self._gathering is not None:
            self._gathering.cancel()
        if self._transport is not None:
            self._transport.abort()

    def _gather(self) -> None:
        """Let what comes next wait in the socket for a moment, so that it comes together."""
        if self._transport is not None:
            self._transport.pause_reading()
            self._gathering = asyncio.get_running_loop().call_later(GATHER_S, self._gathered)

    def _gathered(self) -> None:
        self._gathering = None
        if not self._paused and self.open and self._transport is not None:
            self._transport.resume_reading()

    def _end(self, reason: ReaderError) -> None:
        if self.open:
            self.close()
            self._lost(reason)


def _endpoint(address: Any) -> Endpoint:
    """Return a socket's address; one without (a test's pipe) is told as loopback, port 0."""
    if not isinstance(address, tuple):
        return Endpoint("127.0.0.1", 0)
    return Endpoint(str(address[0]).partition("%")[0], int(address[1]))
