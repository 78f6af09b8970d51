"""Projections made anew from the log, and the hash that a rebuild must not change."""

from datetime import datetime
from typing import Final

from central.application.stories import tell
from central.storage.database import Database
from central.storage.log import PgLog, PgTransaction
from central.storage.queries import query

PART: Final = 5000
"""Assets that are folded at a time: their logs fit in memory."""


async def rebuild(database: Database, now: datetime) -> None:
    """Forget passages, transfers and stories and make them from movements and acts, in one transaction."""
    log = PgLog(database)
    async with database.transaction() as connection:
        for step in ("projection.clear", "projection.rebuild_passages"):
            await connection.execute(query(step))
        transaction = PgTransaction(connection, log)
        registry = await transaction.registry()
        last = ""
        while True:
            params = {"after": last, "limit": PART}
            rows = await (await connection.execute(query("projection.all_assets"), params)).fetchall()
            if not rows:
                return
            last = rows[-1][0]
            await tell(transaction, registry.world, registry.routes, dict.fromkeys((row[0] for row in rows), 0), now)


async def projection_hash(database: Database) -> str:
    """Return one hash over all that follows from the log, whatever order it came in."""
    async with database.transaction() as connection:
        row = await (await connection.execute(query("projection.hash"))).fetchone()
    return str(row[0]) if row else ""
