"""Rows a second from envelope bytes to a committed transaction: hot as a backlog arrives whole after an outage."""

import asyncio
import time
from datetime import timedelta

import psycopg

from central.application.commit import commit
from central.ingest.intake import read_envelope
from edge.contracts import topic
from tests.bench.figures import BENCH, Figure
from tests.helpers.central import GATEWAY, START, central, envelope, epc, movement
from tests.helpers.postgres import fresh_database

ROWS, PER_ENVELOPE, ENVELOPES_A_BATCH = 10_000, 100, 10
ROUNDS = 3
PEER = "executemany"


@BENCH.register("central.ingest.")
def ingest_speed():
    """Yield rows/s of whole ingest, beside a bare executemany of the same rows into the same table."""
    quiet, alarms = payloads_of(2), payloads_of(1)
    ours, theirs = zip(*(one_round(quiet) for _ in range(ROUNDS)), strict=True)
    detail = (
        f"best of {ROUNDS}; authorised walks; ours decodes, checks, projects locations and counts and judges exits; "
        f"batches of {PER_ENVELOPE * ENVELOPES_A_BATCH}; fsync off"
    )
    yield Figure("central.ingest.rows_per_s", max(ours), "rows/s", PEER, max(theirs), max(ours) / max(theirs), detail)
    with fresh_database() as dsn:
        worst = ROWS / asyncio.run(ingest(dsn, alarms))
    detail = "every second row an incident of its own, so nearly all is alerts: no site is like that"
    yield Figure("central.ingest.alarming_rows_per_s", worst, "rows/s", detail=detail)


def payloads_of(tag):
    """Envelopes of one laptop's walks, to and fro through the stockroom's door."""
    return [
        envelope([
            movement(seq, tag=epc(tag), kind="out" if seq % 2 else "in", after_s=seq / 100)
            for seq in range(first, first + PER_ENVELOPE)
        ])
        for first in range(1, ROWS + 1, PER_ENVELOPE)
    ]  # fmt: skip


def one_round(payloads):
    """Rows/s of ours and of the peer, each in the same fresh database."""
    with fresh_database() as dsn:
        ours = asyncio.run(ingest(dsn, payloads))
        return ROWS / ours, ROWS / executemany(dsn)


async def ingest(dsn, payloads):
    """Seconds to commit all payloads."""
    where, came = topic("hq", GATEWAY, "movement"), START + timedelta(seconds=ROWS / 100)
    async with central(dsn) as one:
        began = time.perf_counter()
        for at in range(0, len(payloads), ENVELOPES_A_BATCH):
            intakes = [read_envelope(where, payload, came) for payload in payloads[at : at + ENVELOPES_A_BATCH]]
            rows = [row for intake in intakes for row in intake.rows]
            done = await commit(one.log, rows, [], [], came)
            assert done.rows == len(rows)
        return time.perf_counter() - began


def executemany(dsn):
    """Seconds to insert the same rows again, under another epoch, with nothing but the insert."""
    with psycopg.connect(dsn) as connection:
        cursor = connection.execute("SELECT * FROM movement ORDER BY seq")
        columns = [column.name for column in cursor.description]
        rows = [dict(zip(columns, values, strict=True)) | {"epoch": "peer"} for values in cursor.fetchall()]
        for values in rows:
            for name in ("evidence", "clock", "gate"):
                values[name] = None if values[name] is None else psycopg.types.json.Jsonb(values[name])
        slots = ", ".join(f"%({name})s" for name in columns)
        insert = f"INSERT INTO movement ({', '.join(columns)}) VALUES ({slots}) ON CONFLICT DO NOTHING"  # noqa: S608 (our own column names)
        began = time.perf_counter()
        batch = PER_ENVELOPE * ENVELOPES_A_BATCH
        for at in range(0, len(rows), batch):
            connection.cursor().executemany(insert, rows[at : at + batch])
            connection.commit()
        return time.perf_counter() - began
