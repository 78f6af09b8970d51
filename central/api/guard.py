"""A small ASGI guard before everything: which Host may ask, and plain security headers on every answer."""

from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from central.api.problems import problem

HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Guard:
    """Refuses names that a rebinding page would use (`hosts` None: any), and adds `HEADERS`."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str] | None) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if self._hosts is not None and _host(scope) not in self._hosts:
            answer = problem(HTTPStatus.MISDIRECTED_REQUEST, "Ask by 127.0.0.1 or localhost: this listener is local.")
            await answer(scope, receive, guarded)
            return
        await self._app(scope, receive, guarded)


def _host(scope: Scope) -> str:
    """Return the host that was asked for, without the port."""
    host = Headers(scope=scope).get("host", "")
    name, _, port = host.rpartition(":")
    return name if name and port.isdigit() else host
