"""Notices of other transactions, and the seat that one process of many holds: one connection of its own for both."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import psycopg
import structlog
from psycopg import AsyncConnection, sql

from central.storage.database import CONNECT_TIMEOUT_S

GATE: Final = "stockgate_gate"
"""Channel of what changes a gate snapshot (migration 0011)."""
SEAT_EVERY_S: Final = 1.0
"""How often who holds no seat asks for it; the server frees it when its holder's connection ends."""
BACK_FIRST_S: Final = 0.5
KEEPALIVES: Final[dict[str, Any]] = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
"""So that a holder whose machine vanished loses its seat within seconds, and notices a server that did."""

_log = structlog.get_logger("central.notices")


class Seat:
    """Calls `on_notice` at every notice, and after whatever may have hidden one, while this process holds the seat.

    The seat is an advisory lock of the session: of all processes on a database one publishes.
    """

    def __init__(self, dsn: str, channel: str, on_notice: Callable[[], None]) -> None:
        self._dsn, self._channel, self._on_notice = dsn, channel, on_notice
        self.turn = 0
        """How many times the seat was taken: who remembers the number knows that it was never lost."""
        self.held = False

    async def run(self) -> None:
        """Hold the seat, or wait for it, until cancelled."""
        missing = False
        while True:
            try:
                connection = await AsyncConnection.connect(
                    self._dsn, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, **KEEPALIVES
                )
                async with connection:
                    missing = False
                    await self._sit(connection)
            except psycopg.Error as error:
                if not missing:
                    missing = True
                    _log.warning("no notices from the database, trying again", channel=self._channel, error=str(error))
            finally:
                self.held = False
            await asyncio.sleep(BACK_FIRST_S)

    async def _sit(self, connection: AsyncConnection) -> None:
        while not await _taken(connection, self._channel):  # noqa: ASYNC110 (the lock is the server's)
            await asyncio.sleep(SEAT_EVERY_S)
        await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
        self.held, self.turn = True, self.turn + 1
        self._on_notice()
        async for _ in connection.notifies():
            self._on_notice()


async def _taken(connection: AsyncConnection, channel: str) -> bool:
    row = await (await connection.execute("SELECT pg_try_advisory_lock(hashtext(%s))", (channel,))).fetchone()
    return bool(row and row[0])
