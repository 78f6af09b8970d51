"""`POST /access-events` for a controller, with a token; on loopback, or under TLS.

The server of the standard library, in threads of its own: a bounded number of connections, a bounded time for each, a
bounded size. What it understands is handed to the event loop, whose answer is the controller's.
"""

import asyncio
import hmac
import json
import ssl
import stat
import threading
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path
from socket import AF_INET6, SO_REUSEADDR, SOL_SOCKET
from typing import Any, Final, Self

from edge.access.crowd import CrowdedServer, hang_up
from edge.access.desk import AccessDesk
from edge.access.errors import AccessError, Refusal
from edge.access.events import MAX_BYTES
from edge.access.lines import MOST, Lines

PATH: Final = "/access-events"
SOURCE: Final = "http"
HEAD_S: Final = 2.0
"""For TLS and the head of a request, which one packet or two bring."""
DEADLINE_S: Final = 5.0
"""For a whole request, however slowly its bytes come."""
ANSWER_S: Final = 3.0
UNUSABLE: Final = "the token file of this gateway can't be used: see its log"
STATUS: Final[dict[Refusal, HTTPStatus]] = {
    "flood": HTTPStatus.TOO_MANY_REQUESTS,
    "oversized": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}
"""All else that a controller wrote is a bad request."""
LEAST_TOKEN: Final = 20
"""Characters: who guesses has to guess a while. `openssl rand -hex 32` makes 64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """Where to listen and whom to believe; without `certificate_file` it is plain HTTP."""

    host: str
    port: int
    token_file: Path
    certificate_file: Path | None = None
    key_file: Path | None = None


class HttpDoor:
    """The server, from `async with` to its end; entering raises `AccessError` if a file or the port can't be used.

    Args:
        settings: where to listen.
        desk: takes what was sent.
    """

    def __init__(self, settings: HttpSettings, desk: AccessDesk) -> None:
        self._settings, self._desk = settings, desk
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    async def __aenter__(self) -> Self:
        token(self._settings.token_file)
        self._server = _Server(self._settings, self._desk, asyncio.get_running_loop())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="access", daemon=True)
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None and self._thread is not None:
            await asyncio.to_thread(self._server.stop, self._thread)

    @property
    def port(self) -> int:
        """The port in use."""
        return 0 if self._server is None else self._server.server_port


def token(path: Path) -> bytes:
    """Return the token in a file that only its owner can read, or root's that the agent's group can too.

    Raises:
        AccessError: there is none, or others can read it.
    """
    try:
        found_as = path.stat()
        others = stat.S_IRWXO | (stat.S_IWGRP | stat.S_IXGRP if found_as.st_uid == 0 else stat.S_IRWXG)
        if stat.S_IMODE(found_as.st_mode) & others:
            raise AccessError(
                f"token_file {path}: others can read it: chmod 600 {path}, or 640 if root's with the agent's group"
            )
        found = path.read_bytes().split(b"\n", 1)[0].strip()
    except OSError as error:
        raise AccessError(f"token_file {path}: {error.strerror}: put a token there, by openssl rand -hex 32") from None
    if len(found) < LEAST_TOKEN:
        raise AccessError(
            f"token_file {path}: its first line has {len(found)} characters, not {LEAST_TOKEN} or more: make one by "
            "openssl rand -hex 32"
        )
    return found


class _Server(CrowdedServer, HTTPServer):
    request_queue_size = MOST

    def __init__(self, settings: HttpSettings, desk: AccessDesk, loop: asyncio.AbstractEventLoop) -> None:
        self.settings, self.desk, self.loop = settings, desk, loop
        self.lines = Lines()
        self._limits: dict[Any, threading.Timer] = {}
        if ip_address(settings.host).version == 6:  # noqa: PLR2004 (a version)
            self.address_family = AF_INET6
        try:
            super().__init__((settings.host, settings.port), _Request)
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            raise AccessError(f"access.http.listen: can't listen on {where}: {error.strerror}: take another") from error
        try:
            self._secure()
        except AccessError:
            self.server_close()
            raise

    def server_bind(self) -> None:
        """Bind, without asking a name server who we are, as the base class does.

        Connections that we ended a minute ago keep the port from nobody: a controller posts all day, and a restart must
        hear it at once. Another program that listens there still does.
        """
        self.socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.settings.host, int(self.server_address[1])

    def crowded(self) -> None:
        """Count it."""
        self.tell(AccessError("too many connections at once: those that say nothing are hung up on", "crowded"))

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Give each connection its time, whatever it sends."""
        self._limit(request, HEAD_S)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._limits.pop(request).cancel()

    def known(self, request: Any) -> None:
        """Let who knows the token have the time of a whole request, and not go for others."""
        super().known(request)
        self._limits[request].cancel()
        self._limit(request, DEADLINE_S)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Count a connection that broke, as of a peer that speaks no HTTP or no TLS."""
        del request, client_address
        words = "a connection broke before anything was understood: is it HTTP, with TLS where that is set?"
        self.tell(AccessError(words, "broken"))

    def tell(self, problem: AccessError) -> None:
        """Let the desk count what was refused here."""
        with suppress(RuntimeError):  # the loop is closed once the agent ends
            self.loop.call_soon_threadsafe(self.desk.refuse, problem, SOURCE)

    def take(self, payload: bytes) -> int:
        """Let the desk take a payload on its loop; its error is raised here."""

        async def take() -> int:
            return self.desk.take(payload, SOURCE)

        return asyncio.run_coroutine_threadsafe(take(), self.loop).result(ANSWER_S)

    def _limit(self, request: Any, seconds: float) -> None:
        self._limits[request] = threading.Timer(seconds, hang_up, (request,))
        self._limits[request].start()

    def stop(self, thread: threading.Thread) -> None:
        """End serving."""
        self.shutdown()
        self.server_close()
        thread.join()

    def _secure(self) -> None:
        if self.settings.certificate_file is None:
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.settings.certificate_file, self.settings.key_file)
        except (OSError, ssl.SSLError) as error:
            raise AccessError(
                f"access.http.certificate_file {self.settings.certificate_file}: can't be used with its key: {error}"
            ) from error
        # The handshake belongs to the connection's own thread and time, not to the one that accepts.
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)


class _Request(BaseHTTPRequestHandler):
    server: _Server
    timeout = DEADLINE_S  # the limits above end a connection sooner

    def do_POST(self) -> None:
        """Take access events."""
        if self.path != PATH:
            self._answer(HTTPStatus.NOT_FOUND, f"there is {PATH} alone")
        elif (problem := self._stranger()) is not None:
            self.server.tell(problem)
            self._answer(HTTPStatus.UNAUTHORIZED, str(problem) if problem.why == "stranger" else UNUSABLE)
        elif (length := self._length()) is None:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"send Content-Length, at most {MAX_BYTES}")
        else:
            self.server.known(self.connection)
            self._take(self.rfile.read(length))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer as with all other problems, with nothing in it of what was sent."""
        del message, explain
        self._answer(HTTPStatus(code), HTTPStatus(code).description or HTTPStatus(code).phrase)

    def version_string(self) -> str:
        """Say no more of us than the name."""
        return "stockgate-edge"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Log nothing: the desk tells what matters, once."""

    def _take(self, payload: bytes) -> None:
        try:
            taken = self.server.take(payload)
        except AccessError as error:
            self._answer(STATUS.get(error.why, HTTPStatus.BAD_REQUEST), str(error))
        except (TimeoutError, CancelledError, RuntimeError):
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, "the agent is busy or stops: send it again")
        else:
            self._reply(HTTPStatus.OK, "application/json", {"taken": taken})

    def _stranger(self) -> AccessError | None:
        """Say why the sender isn't believed; None for who knows the token, which is read anew so that it can change."""
        scheme, _, given = self.headers.get("Authorization", "").partition(" ")
        try:
            known = token(self.server.settings.token_file)
        except AccessError as error:
            return error
        right = hmac.compare_digest(given.strip().encode("utf-8", "replace"), known)
        if right and scheme.lower() == "bearer":
            return None
        return AccessError("send Authorization: Bearer and the token of this gateway", "stranger")

    def _length(self) -> int | None:
        text = self.headers.get("Content-Length", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= MAX_BYTES else None  # noqa: PLR2004

    def _answer(self, status: HTTPStatus, detail: str) -> None:
        self._reply(status, "application/problem+json", {"title": status.phrase, "status": status, "detail": detail})

    def _reply(self, status: HTTPStatus, kind: str, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
