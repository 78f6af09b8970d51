"""The way from a reader to one client, with what a bad network or a slow device makes of it."""

import asyncio
from typing import Final

from simulator.faults import Faults

PIECE_PAUSE_S: Final = 0.001
"""Pieces of a cut message are so far apart, so that they travel as packets of their own."""


class Outlet:
    """Writes to one client; what is sent first arrives first, whatever switches are changed meanwhile."""

    def __init__(self, writer: asyncio.StreamWriter, faults: Faults) -> None:
        self.lost_bytes = 0
        """What was sent into a connection through which nothing comes."""
        self._writer = writer
        self._faults = faults
        self._waiting = bytearray()
        self._task: asyncio.Task[None] | None = None

    @property
    def silent(self) -> bool:
        """Whether nothing comes through."""
        return self._faults.half_open or self._faults.powered_off

    @property
    def unsent_bytes(self) -> int:
        """What waits here and in the socket."""
        return len(self._waiting) + self._writer.transport.get_write_buffer_size()

    def send(self, data: bytes) -> None:
        """Send at once, or as the switches say."""
        if self.silent:
            self.lost_bytes += len(data)
        elif self._task is None and not (self._faults.split_bytes or self._faults.merge_ms):
            self._writer.write(data)
        else:
            self._waiting += data
            if self._task is None:
                self._task = asyncio.get_running_loop().create_task(self._deliver())

    def finish(self) -> None:
        """Send at once what waits still, as at the end of a session."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._waiting and not self.silent:
            self._writer.write(bytes(self._waiting))
        self._waiting.clear()

    async def _deliver(self) -> None:
        """Send what waits, in pieces or together, until nothing waits."""
        while self._waiting:
            await asyncio.sleep(self._faults.merge_ms / 1000)
            size = self._faults.split_bytes or len(self._waiting)
            piece = bytes(self._waiting[:size])
            del self._waiting[:size]
            if self.silent:
                self.lost_bytes += len(piece)
            else:
                self._writer.write(piece)
            await asyncio.sleep(PIECE_PAUSE_S if self._faults.split_bytes else 0)
        self._task = None
