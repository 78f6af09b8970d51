"""Projections made anew from the log, and the hash that a rebuild must not change."""

from datetime import datetime
from typing import Final

from central.application.stories import fold_again
from central.storage.database import Connection, Database
from central.storage.log import PgLog, PgTransaction
from central.storage.queries import query
from central.storage.states import PgStates
from central.storage.transfers import project_transfers

STEPS: Final = (
    "projection.clear",
    "projection.clear_missed",
    "projection.clear_misread",
    "projection.rebuild_memory",
    "projection.rebuild_passages",
    "projection.analyze_passages",
    "rollups.recount",
    "presence.fold_anew",
)
PART: Final = 5000
"""Assets that are folded at a time: their logs fit in memory."""


async def rebuild(database: Database, now: datetime) -> None:
    """Make passages, transfers, stories, loans and states anew from movements and acts, in one transaction.

    Deadlines are forgotten: the next sweep plans them anew, and those that have fired by the log stay fired.
    Places are folded and counted anew afterwards, by the perpetual count.
    """
    log = PgLog(database)
    async with database.transaction() as connection:
        for step in STEPS:
            await connection.execute(query(step))
        await project_transfers(connection, None)
        transaction = PgTransaction(connection, log)
        await transaction.loans.rebuild()
        await connection.execute(query("deadlines.clear"))
        registry = await transaction.registry()
        await PgStates(connection).rebuild()
        await _spend_again(transaction, connection)
        last = ""
        while True:
            params = {"after": last, "limit": PART}
            rows = await (await connection.execute(query("projection.all_assets"), params)).fetchall()
            if not rows:
                return
            last = rows[-1][0]
            shards = dict.fromkeys((row[0] for row in rows), 0)
            await transaction.stories.keep(await fold_again(transaction, registry.world, registry.routes, shards), now)


async def _spend_again(transaction: PgTransaction, connection: Connection) -> None:
    """Work out anew what authorisations for one use were spent on."""
    last = ""
    while True:
        params = {"after": last, "limit": PART}
        rows = await (await connection.execute(query("alerts.all_on_passes"), params)).fetchall()
        if not rows:
            return
        last = rows[-1][0]
        await transaction.settle_uses([row[0] for row in rows])


async def projection_hash(database: Database) -> str:
    """Return one hash over all that follows from the log, whatever order it came in."""
    async with database.transaction() as connection:
        row = await (await connection.execute(query("projection.hash"))).fetchone()
    return str(row[0]) if row else ""
