"""Projections made anew from the log, and the hash that a rebuild must not change."""

from datetime import datetime

from central.storage.database import Database
from central.storage.queries import query
from central.storage.states import PgStates


async def rebuild(database: Database, now: datetime) -> None:
    """Forget passages, locations, states and counters and make them from movements and acts, in one transaction."""
    async with database.transaction() as connection:
        for step in ("projection.clear", "projection.rebuild_passages"):
            await connection.execute(query(step))
        rows = await (await connection.execute(query("projection.all_assets"))).fetchall()
        params = {"assets": [row[0] for row in rows], "shard": 0, "now": now}
        await connection.execute(query("projection.project"), params)
        await PgStates(connection).rebuild()


async def projection_hash(database: Database) -> str:
    """Return one hash over passages, locations, states and counts."""
    async with database.transaction() as connection:
        row = await (await connection.execute(query("projection.hash"))).fetchone()
    return str(row[0]) if row else ""
