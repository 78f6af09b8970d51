"""Runs one LLRP reader's supervisor against a port, and ports that are no reader's."""

import asyncio
import contextlib

import pytest

from edge.readers import ReaderSettings, ReaderSupervisor
from tests.helpers.kept import Kept, kept

NOW_US = 1_800_000_000_000_000
LINKS = pytest.mark.parametrize("link", ["whole", "bytes", "split"])
QUICK = {"antennas": (1, 2), "keepalive_ms": 2000, "backoff_base_s": 0.01, "backoff_max_s": 0.02}
"""Settings with which a loss is mended at once."""


class Agent(Kept):
    """A running supervisor, its chunks and its log."""

    @property
    def supervisor(self):
        """What keeps the reader."""
        return self.keeper


def agent_of(port, *, sink=None, now_us=lambda: NOW_US, **knobs):
    """Run a supervisor against `port`; it is cancelled and awaited at the end."""
    settings = ReaderSettings(id="r1", host="127.0.0.1", port=port, **QUICK | knobs)
    return kept(ReaderSupervisor, settings, sink=sink, now_us=now_us, kind=Agent)


@contextlib.asynccontextmanager
async def port_that(talk, *, tls=None):
    """Serve `talk(reader, writer)` on a free port; its connections end with it."""
    tasks = []

    async def serve(reader, writer):
        tasks.append(asyncio.current_task())
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await asyncio.sleep(0.01)  # Python 3.11 leaks a connection whose server closes while it is being accepted
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
        await asyncio.sleep(0)  # aborted transports close their sockets
