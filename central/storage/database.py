"""The connection pool, and the one place where psycopg's errors become ours."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

import psycopg
from psycopg import AsyncConnection, errors
from psycopg.pq import TransactionStatus
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from central.application.errors import RowsRefused, Separated, StoreBusy, StoreUnavailable
from central.storage.arrays import configure

Connection = AsyncConnection[tuple[Any, ...]]
_checked_s: Final[WeakKeyDictionary[Connection, float]] = WeakKeyDictionary()

CONNECT_TIMEOUT_S: Final = 5
"""A server that doesn't answer within this is as good as down; ingest tries again by itself."""
RECONNECT_S: Final = 4
"""The pool gives a connection up after this; the next who wants one dials anew. Its own retries grow to minutes."""
CHECKED_S: Final = 1.0
"""A connection that answered less than this ago is lent without asking; who then finds it broken is told so."""
ROWS_FAULT: Final = (psycopg.DataError, psycopg.IntegrityError, errors.RaiseException)
"""Errors that the data cause. All others are the server's or the schema's, and pass when those are mended."""
BUSY: Final = (errors.DeadlockDetected, errors.SerializationFailure)
"""Two wanted the same; the server took this one's transaction back, and is well."""

SEPARATION: Final = "separation_of_duties"
"""What the triggers that keep duties separate call themselves."""


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """How to reach the database."""

    dsn: str
    max_connections: int = 8


class Database:
    """A pool of connections; open it within the running loop, close it at the end."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            settings.dsn,
            min_size=1,
            max_size=settings.max_connections,
            timeout=CONNECT_TIMEOUT_S,
            reconnect_timeout=RECONNECT_S,
            kwargs={"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "stockgate-central"},
            check=_check,
            configure=configure,
            open=False,
        )

    @property
    def pool(self) -> AsyncConnectionPool[Connection]:
        """The pool, for the job queue: it has its own statements and errors."""
        return self._pool

    async def open(self) -> None:
        """Start connecting; a server that is down is tried again in the background."""
        await self._pool.open()

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lend a connection in a transaction that commits when the block ends without an error."""
        async with self._lent() as connection:
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """Lend a connection for one statement that reads: it is its own transaction, which saves two round trips."""
        async with self._lent() as connection:
            await connection.set_autocommit(True)
            try:
                yield connection
            finally:
                if connection.info.transaction_status is TransactionStatus.IDLE:
                    await connection.set_autocommit(False)
                else:  # cut off in the middle: the pool makes another
                    await connection.close()

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[Connection]:
        with_pool = self._pool.connection()
        try:
            async with with_pool as connection:
                _let_cancellation_through()
                yield connection
        except ROWS_FAULT as error:
            _let_cancellation_through(error)
            raise _refused(error) from error
        except BUSY as error:
            _let_cancellation_through(error)
            raise StoreBusy(_text(error)) from error
        except (psycopg.Error, PoolTimeout) as error:
            _let_cancellation_through(error)
            raise StoreUnavailable(_text(error)) from error


async def _check(connection: Connection) -> None:
    """Look whether the server is still there, unless it was a moment ago: that is a round trip for each who asks."""
    now_s = time.monotonic()
    if now_s - _checked_s.get(connection, -CHECKED_S) >= CHECKED_S:
        await AsyncConnectionPool.check_connection(connection)
        _checked_s[connection] = now_s


@asynccontextmanager
async def savepoint(connection: Connection) -> AsyncIterator[None]:
    """Open a savepoint; an error inside takes back what was done in it."""
    try:
        async with connection.transaction():
            yield
    except ROWS_FAULT as error:
        _let_cancellation_through(error)
        raise _refused(error) from error
    except BUSY as error:  # no row's fault: the whole transaction is tried again
        _let_cancellation_through(error)
        raise StoreBusy(_text(error)) from error


def _let_cancellation_through(error: Exception | None = None) -> None:
    """End a task that was cancelled, where the pool or the driver may have dropped that.

    Python 3.11's wait_for, by which the pool waits, does so when a connection comes free in the same step, and a
    statement's own error may come in place of the cancellation. Who tries again for ever would never hear of it.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError from error


def _refused(error: psycopg.Error) -> RowsRefused:
    """Return our error for data that the database refuses; a trigger tells the rule of separation in its detail."""
    if error.diag.constraint_name == SEPARATION:
        return Separated(_text(error), error.diag.message_detail or "")
    return RowsRefused(_text(error))


def _text(error: Exception) -> str:
    """Return the first line of an error: the rest quotes data and statements."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
