"""The schema that a program finds: fit for it, or which of the two is to be updated."""

from central.application.errors import SchemaUnfit
from central.storage.database import Database
from central.storage.migrate import JOB_QUEUE, load
from central.storage.queries import query

MIGRATE = "run stockgate-central migrate --dsn …"


async def check_schema(database: Database) -> None:
    """Raise `SchemaUnfit` unless the database has exactly this program's schema.

    TimescaleDB's steps may be absent: without them the tables are plain ones.
    """
    async with database.transaction() as connection:
        row = await (await connection.execute(query("schema.known"))).fetchone()
        if row is None or not row[0]:
            raise SchemaUnfit(f"the database has no Stockgate schema: {MIGRATE}")
        applied = {name for (name,) in await (await connection.execute(query("schema.applied"))).fetchall()}
    ours = [step.name for folder in ("migrations", JOB_QUEUE) for step in load(folder)]
    unknown = sorted(applied.difference(ours, (step.name for step in load("timescale"))))
    if unknown:
        raise SchemaUnfit(
            f"the database's schema is newer than this program, which doesn't know {unknown[0]}: update Stockgate"
        )
    missing = [name for name in ours if name not in applied]
    if missing == ours:
        raise SchemaUnfit(f"the database has no Stockgate schema: {MIGRATE}")
    if missing:
        raise SchemaUnfit(f"the database's schema is older than this program and lacks {missing[0]}: {MIGRATE}")
