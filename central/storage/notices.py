"""Notices of other transactions, and the seat that one process of many holds: one connection of its own for each."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import psycopg
import structlog
from psycopg import AsyncConnection, sql

from central.storage.database import CONNECT_TIMEOUT_S

GATE: Final = "stockgate_gate"
"""Channel of what changes a gate snapshot (migration 0011)."""
FEED: Final = "stockgate_feed"
"""Channel of all that the live feed tells (migration 0022, and `log.tell`)."""
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
        await _connected_for_ever(self._dsn, self._channel, self._sit, self._stand_up)

    def _stand_up(self) -> None:
        self.held = False

    async def _sit(self, connection: AsyncConnection) -> None:
        while not await _taken(connection, self._channel):  # noqa: ASYNC110 (the lock is the server's)
            await asyncio.sleep(SEAT_EVERY_S)
        await _listen(connection, self._channel)
        self.held, self.turn = True, self.turn + 1
        self._on_notice()
        async for _ in connection.notifies():
            self._on_notice()


class Ear:
    """Calls `on_notice` with the text of every notice, and `on_listening` before the first of each connection.

    What was told between two connections is told to nobody: `on_listening` has to make up for it. What it returns is
    the first notice of the connection, and all who listen to the channel hear it.
    """

    def __init__(
        self, dsn: str, channel: str, on_notice: Callable[[str], None], on_listening: Callable[[], str]
    ) -> None:
        self._dsn, self._channel = dsn, channel
        self._on_notice, self._on_listening = on_notice, on_listening
        self.listening = False

    async def run(self) -> None:
        """Listen until cancelled."""
        await _connected_for_ever(self._dsn, self._channel, self._hear, self._go_deaf)

    def _go_deaf(self) -> None:
        self.listening = False

    async def _hear(self, connection: AsyncConnection) -> None:
        await _listen(connection, self._channel)
        self.listening = True
        await connection.execute("SELECT pg_notify(%s, %s)", (self._channel, self._on_listening()))
        async for notice in connection.notifies():
            self._on_notice(notice.payload)


async def _connected_for_ever(
    dsn: str, channel: str, work: Callable[[AsyncConnection], Awaitable[None]], lost: Callable[[], None]
) -> None:
    """Do `work` on a connection of its own; when the connection goes, say so once and begin anew on another."""
    missing = False
    while True:
        try:
            connection = await AsyncConnection.connect(
                dsn, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, **KEEPALIVES
            )
            async with connection:
                missing = False
                await work(connection)
        except psycopg.Error as error:
            if not missing:
                missing = True
                _log.warning("no notices from the database, trying again", channel=channel, error=str(error))
        finally:
            lost()
        await asyncio.sleep(BACK_FIRST_S)


async def _listen(connection: AsyncConnection, channel: str) -> None:
    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))


async def _taken(connection: AsyncConnection, channel: str) -> bool:
    row = await (await connection.execute("SELECT pg_try_advisory_lock(hashtext(%s))", (channel,))).fetchone()
    return bool(row and row[0])
