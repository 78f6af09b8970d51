"""A server of the standard library that a crowd can't take: connections are bounded, each in a thread of its own."""

from contextlib import suppress
from socket import SHUT_RDWR, socket
from socketserver import TCPServer, ThreadingMixIn
from typing import Any

from edge.access.lines import Lines


class CrowdedServer(ThreadingMixIn, TCPServer):
    """Serves each connection in a thread; if there are too many, the oldest that asks nothing goes, or the new one.

    Whoever inherits sets `lines`.
    """

    daemon_threads = True
    block_on_close = False
    lines: Lines

    def process_request(self, request: Any, client_address: Any) -> None:
        """Let a connection in, or not."""
        admitted = self.lines.admit(request, str(client_address[0]))
        if not admitted.let_in or admitted.goes is not None:
            self.crowded()
        if not admitted.let_in:
            self.shutdown_request(request)
            return
        hang_up(admitted.goes)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """End a connection, which is the way that all of them go."""
        self.lines.left(request)
        super().shutdown_request(request)

    def known(self, request: Any) -> None:
        """Let who has asked something whole not go for others."""
        self.lines.known(request)

    def crowded(self) -> None:
        """Take it that a connection had to go."""


def hang_up(connection: object) -> None:
    """End a connection, if it is one, under the thread that reads from it."""
    if isinstance(connection, socket):
        with suppress(OSError):
            # Not TLS's own shutdown, which takes its state away under the thread that reads.
            socket.shutdown(connection, SHUT_RDWR)
