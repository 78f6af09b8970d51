"""Leases on PostgreSQL: a connection of its own whose session is the worker's life."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg
import structlog
from psycopg import AsyncConnection

from central.application.leases import Lease
from central.storage.database import CONNECT_TIMEOUT_S, Connection
from central.storage.notices import KEEPALIVES
from central.storage.queries import query

LIFE_S: Final = 6.0
"""A worker that is silent for so long has lost its gateways: with the next look of another they are served in 8 s."""
RENEW_S: Final = 1.5
MARGIN_S: Final = 1.0
"""A worker stops by its own clock before the others take over by the server's."""
CLASS: Final = 0x5347
"""Advisory locks of workers' numbers; "SG"."""

_log = structlog.get_logger("central.leases")


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds that a silent worker keeps its leases, and between two of its words."""

    life_s: float = LIFE_S
    renew_s: float = RENEW_S


class PgLeases:
    """`central.application.leases.Leases`; `on_change` is called in the event loop whenever what is held changed."""

    def __init__(self, dsn: str, name: str, timing: Timing | None = None) -> None:
        self._dsn, self._name, self._timing = dsn, name, timing or Timing()
        self._number = 0
        self._fences: Mapping[str, int] = {}
        self._sure_until = 0.0
        self.settled = False
        self.on_change: Callable[[], None] = lambda: None

    @property
    def lease(self) -> Lease:
        """What is held, as far as this process knows."""
        return Lease(self._number, self._fences if time.monotonic() < self._sure_until else {})

    async def run(self) -> None:
        """Hold a fair share of the gateways until cancelled; then give them back at once."""
        missing = False
        while True:
            try:
                async with await self._connect() as connection:
                    missing = False
                    await self._serve(connection)
            except psycopg.Error as error:
                if not missing:
                    missing = True
                    _log.warning("no leases on gateways, trying again", error=str(error).splitlines()[0])
            self.settled = False
            self._learn({}, 0.0)
            await asyncio.sleep(self._timing.renew_s)

    async def _connect(self) -> Connection:
        return await AsyncConnection.connect(
            self._dsn,
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_S,
            options=f"-c statement_timeout={int(self._timing.life_s * 1000)}",
            **KEEPALIVES,
        )

    async def _serve(self, connection: Connection) -> None:
        """Join, then renew and balance; returns when the others gave this worker up."""
        joined = await _rows(connection, "join", {"name": self._name, "life_s": self._timing.life_s})
        self._number = joined[0][0]
        try:
            await _rows(connection, "live", {"class": CLASS, "number": self._number})
            while await self._balance(connection):  # noqa: ASYNC110 (what changes is in the database)
                await asyncio.sleep(self._timing.renew_s)
            _log.warning("the other workers gave this one up, joining again", worker=self._number)
        except asyncio.CancelledError:
            await self._leave(connection)
            raise

    async def _balance(self, connection: Connection) -> bool:
        """Renew, bury the dead, and take or give up leases until the share is fair; False if this worker was buried."""
        asked_at = time.monotonic()
        params: dict[str, Any] = {"number": self._number, "class": CLASS, "life_s": self._timing.life_s}
        if not await _rows(connection, "renew", params):
            return False
        for step in ("bury", "list"):
            await connection.execute(query(f"leases.{step}"), params)
        share = (await _rows(connection, "share", params))[0][0]
        mine = [row[0] for row in await _rows(connection, "held", params)]
        if len(mine) > share:
            await connection.execute(query("leases.release"), params | {"all": False, "gateways": mine[share:]})
        else:
            await connection.execute(query("leases.claim"), params | {"wanted": share - len(mine)})
        self._learn(dict(await _rows(connection, "held", params)), asked_at + self._timing.life_s - MARGIN_S)
        self.settled = True
        return True

    async def _leave(self, connection: Connection) -> None:
        with contextlib.suppress(psycopg.Error):
            await connection.execute(query("leases.release"), {"number": self._number, "all": True, "gateways": []})
            await connection.execute(query("leases.leave"), {"number": self._number})

    def _learn(self, fences: Mapping[str, int], sure_until: float) -> None:
        changed = fences != self._fences
        self._fences, self._sure_until = fences, sure_until
        if changed:
            _log.info("gateways served", worker=self._number, gateways=len(fences))
            self.on_change()


async def _rows(connection: Connection, name: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    cursor = await connection.execute(query(f"leases.{name}"), params)
    return await cursor.fetchall()
