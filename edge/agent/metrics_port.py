"""The server behind `/metrics`: few connections, each for a few seconds, whatever comes on them.

Who says nothing goes for who comes after; any user of the machine may connect, and the agent needs its descriptors for
readers and the broker.
"""

import threading
from socket import AF_INET6
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app

from edge.access import CrowdedServer, Lines, hang_up

MOST: Final = 8
"""Prometheus comes once in some seconds; a person looks beside it."""
DEADLINE_S: Final = 5.0
"""For a whole request and its answer, however slowly its bytes come."""


class MetricsPort(CrowdedServer, WSGIServer):
    """Serves in threads from `start` to `stop`; making it raises `OSError` where it can't listen."""

    request_queue_size = MOST

    def __init__(self, address: tuple[str, int], registry: CollectorRegistry) -> None:
        self.lines = Lines(MOST, MOST)
        if ":" in address[0]:
            self.address_family = AF_INET6
        super().__init__(address, _Request)
        self.set_app(make_wsgi_app(registry))
        self._thread = threading.Thread(target=self.serve_forever, args=(0.1,), name="metrics", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """End serving."""
        self.shutdown()
        self.server_close()
        self._thread.join()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Give each connection its time."""
        limit = threading.Timer(DEADLINE_S, hang_up, (request,))
        limit.daemon = True
        limit.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            limit.cancel()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of who hangs up in the middle of a scrape: who scraped knows."""


class _Request(WSGIRequestHandler):
    server: MetricsPort
    timeout = DEADLINE_S

    def parse_request(self) -> bool:
        """Note that a request has come whole."""
        whole = super().parse_request()
        if whole:
            self.server.known(self.connection)
        return whole

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Log nothing: a scrape is no news."""
