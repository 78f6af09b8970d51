"""A server that takes uploads, or treats them badly, written by hand: nothing of the central's own code."""

import asyncio
import contextlib
import ssl
from dataclasses import dataclass, field


@dataclass
class Upload:
    """One request as it came."""

    head: str
    body: bytes


@dataclass
class UploadServer:
    """Answers each PUT with the next of `answers`, the last of them again and again.

    An answer is a status line with what follows it, None to hang up at the end, or a number of bytes of the body after
    which it hangs up.
    """

    answers: list = field(default_factory=lambda: ["200 OK"])
    pair: tuple | None = None
    host: str = "127.0.0.1"
    early: bool = False
    """Answer as soon as the head is there."""
    deaf: bool = False
    """Take the head, and then nothing."""
    uploads: list = field(default_factory=list)

    @property
    def url(self):
        """The address of something there."""
        return f"http{'s' if self.pair else ''}://{self.host}:{self.port}/api/v1/uploads/abc?x=1"

    async def __aenter__(self):  # noqa: ANN204 (itself)
        self._tasks = set()
        context = None
        if self.pair:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.pair)
        self._server = await asyncio.start_server(self._serve, self.host, 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            size = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0])
            if self.deaf:
                await asyncio.Event().wait()
            body = b""
            if not self.early:
                body = await reader.readexactly(answer if isinstance(answer, int) else size)
            self.uploads.append(Upload(head, body))
            if isinstance(answer, str):
                end = "" if "\r\n\r\n" in answer else "\r\n\r\n"
                writer.write(f"HTTP/1.1 {answer}{end}".encode())
                await writer.drain()
                if self.early:
                    await reader.read()
        writer.close()
