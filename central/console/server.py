"""The console's own web server: loopback only, everything from the wheel, a strict content policy."""

import asyncio
import contextlib
import json
import random
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI, Request, Response
from nicegui import ui
from starlette.middleware.trustedhost import TrustedHostMiddleware

from central.console.board import Board
from central.console.capture_panel import register_files
from central.console.client import ApiClient
from central.console.errors import ConsoleError
from central.console.pages import register_pages

LOOPBACK: Final = {"127.0.0.1": socket.AF_INET, "localhost": socket.AF_INET, "::1": socket.AF_INET6}
# NiceGUI writes inline scripts and compiles templates in the browser; nothing may come from, or go to, elsewhere.
CONTENT_POLICY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
)
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_LISTEN_BACKLOG: Final = 128


def bind(listen: str) -> socket.socket:
    """Open the listening socket at HOST:PORT (port 0: a free one).

    Raises:
        ConsoleError: not a loopback address, not an address, or taken.
    """
    host, _, port = listen.rpartition(":")
    family = LOOPBACK.get(host.strip("[]"))
    if family is None or not port.isdecimal():
        raise ConsoleError(f"--listen {listen}: the console listens on loopback only, as 127.0.0.1:8090 or [::1]:8090")
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host.strip("[]"), int(port)))
    except (OSError, OverflowError) as error:
        bound.close()
        raise ConsoleError(f"--listen {listen}: {error}; choose another port") from error
    bound.listen(_LISTEN_BACKLOG)
    return bound


def check_api(api: str) -> None:
    """Look at the central's address before anything starts.

    Raises:
        ConsoleError: it can't be an address.
    """
    try:
        parts = urlsplit(api)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise ConsoleError(f"--api {api}: write the central service's address, like http://127.0.0.1:8080")


def check_token_file(file: Path | None) -> None:
    """Look at the token file before anything starts.

    Raises:
        ConsoleError: it can't be read, or is empty.
    """
    if file is None:
        return
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConsoleError(
            f"--token-file {file}: {why}; stockgate-central run names its token file at start, as api-token"
        ) from error
    if not token:
        raise ConsoleError(f"--token-file {file}: it is empty; give the one that stockgate-central run names at start")


def address(bound: socket.socket) -> str:
    """The console's address for a browser."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if bound.family == socket.AF_INET6 else f"http://{host}:{port}"


def make_app(board: Board) -> FastAPI:
    """Build the web application over a board that it keeps running."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        following = asyncio.create_task(board.run())
        yield
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following
        await board.client.close()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])

    @app.middleware("http")
    async def secure(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        answer = await call_next(request)
        answer.headers.update(HEADERS)
        return answer

    register_files(app, board.client)
    register_pages(board)
    ui.run_with(app, title="Stockgate", dark=True, language="en-GB", favicon=_favicon(), show_welcome_message=False)
    return app


def serve(api: str, *, listen: str, token_file: Path | None, ready_file: Path | None) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    check_api(api)
    check_token_file(token_file)
    bound = bind(listen)
    client = ApiClient(api, token_file)
    board = Board(client, clock=time.monotonic, rng=random.Random())  # noqa: S311 - spreads retries, keeps no secret
    config = uvicorn.Config(make_app(board), log_level="warning", access_log=False, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    if ready_file:
        # The socket listens already: a request that comes before the first loop waits in the backlog.
        part = ready_file.with_name(f".{ready_file.name}.part")
        part.write_text(json.dumps({"console": address(bound)}))
        part.replace(ready_file)
    # Once it has stopped in order, uvicorn raises the signal again, which would make an orderly end look like a crash.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)
    server.run(sockets=[bound])


def _favicon() -> Path:
    return Path(__file__).with_name("favicon.svg")
