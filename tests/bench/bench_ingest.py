"""Ingest with everything on beside a bare binary COPY of the same rows: hot, as all doors come through here.

A fixed mix: 5 % crossings, a tenth of those without permission, so 0.5 % that alert; all others pass near or turn back.
It comes by the worker's own loop from a broker that costs nothing: reading, commit, watermarks and the feed are in it.
"""

import asyncio
import contextlib
import time
from collections import Counter
from contextvars import ContextVar
from datetime import timedelta
from unittest import mock

import psutil
import psycopg

from central.application import commit as pipeline
from central.ingest import waiting
from central.ingest import worker as work
from central.ingest.heap import settled_heap
from central.storage.log import PgTransaction
from edge.contracts import topic
from tests.bench.figures import BENCH, Figure
from tests.helpers.central import START, Central, envelope, ingesting, movement, until
from tests.helpers.postgres import fresh_database

BATCH, PER_ENVELOPE, BATCHES = 1000, 100, 30
ROUNDS = 2
GATEWAYS = ("hq-1", "hq-2")
"""More than one, as everywhere: only then is a tag judged that is at two doors."""
PEER = "bare binary COPY"
FILL = """
INSERT INTO location (id, name, kind, parent, guarded) VALUES
    ('hq', 'HQ', 'building', NULL, true), ('stockroom-a', 'A', 'zone', 'hq', true),
    ('corridor', 'C', 'zone', 'hq', false);
INSERT INTO gateway SELECT 'hq-' || n, 'hq', now() FROM generate_series(1, 10) AS n;
INSERT INTO portal (id, name, gateway, inside, outside, mode)
SELECT 'hq-' || n || '-door', 'Door ' || n, 'hq-' || n, 'stockroom-a', 'corridor', 'alarm'
FROM generate_series(1, 10) AS n;
INSERT INTO asset (id, name, class, serial)
SELECT 'B-' || n, 'Laptop', 'laptop', 'SN-' || n FROM generate_series(0, %(count)s - 1) AS n;
INSERT INTO tag (epc, asset, role, registered_at, bound_from)
SELECT '3034257bf7' || lpad(to_hex(n), 14, '0'), 'B-' || n, 'body', now(), 'epoch'
FROM generate_series(0, %(count)s - 1) AS n;
INSERT INTO authorisation (id, kind, asset, boundary, reason, recorded_at)
SELECT 'B-' || n, 'standing', 'B-' || n, 'hq', '', '2020-01-01' FROM generate_series(0, %(count)s - 1) AS n
WHERE n %% 10 <> 9;
"""


@BENCH.register("central.ingest_mix.")
def ingest_mix():
    """Yield the ratio at ten assets, and where the time goes."""
    yield from mix(10, "central.ingest_mix.")


@BENCH.register("central.ingest_mix_1m.", when_named=True)
def ingest_mix_of_a_million():
    """Yield the ratio at a million assets."""
    yield from mix(1_000_000, "central.ingest_mix_1m.")


def mix(assets, name):
    """Ours and the peer in the same database, and the shares of the phases."""
    ours, theirs, spent, cpu = 0.0, 0.0, Counter(), []
    with fresh_database() as dsn:
        fill(dsn, assets)
        for number in range(ROUNDS):
            payloads = payloads_of(assets, number)
            seconds, phases, used = asyncio.run(ingest(dsn, payloads, after_s=(number + 1) * BATCH * BATCHES / 20))
            ours = max(ours, BATCH * BATCHES / seconds)
            spent += phases
            copying, used_by_peer = copy(dsn, f"e{number}")
            theirs = max(theirs, BATCH * BATCHES / copying)
            cpu.append((used, used_by_peer))
    detail = (
        f"{assets} assets, best of {ROUNDS}, batches of {BATCH} rows from envelope bytes to the watermark; "
        "5 % crossings, 0.5 % alerting, two gateways; the peer has neither index nor check; fsync off"
    )
    yield Figure(f"{name}rows_per_s", ours, "rows/s", PEER, theirs, ours / theirs, detail)
    mine, its = min(used for used, _ in cpu), min(used for _, used in cpu)
    detail = "processor time of this process and its server processes: what a busy machine can't blur"
    yield Figure(
        f"{name}cpu_us_per_row",
        mine * 1e6 / (BATCH * BATCHES),
        "us",
        PEER,
        its * 1e6 / (BATCH * BATCHES),
        its / mine,
        detail,
    )
    total = sum(spent.values())
    for phase, seconds in spent.most_common():
        yield Figure(f"{name}share.{phase}", 100 * seconds / total, "%", detail="of ingest's time")


def fill(dsn, assets):
    """A registry of so many tagged assets."""
    with psycopg.connect(dsn) as connection:
        for statement in FILL.split(";")[:-1]:
            connection.execute(statement, {"count": assets})
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def payloads_of(assets, number, batches=BATCHES):
    """Topics and envelopes of the mix in turns of the gateways, under an epoch of their own.

    Each number goes on where the one before ended, so that no story begins anew.
    """
    found, rows, before = [], BATCH * batches, number * BATCH * batches
    for at in range(0, rows, PER_ENVELOPE):
        turn, which = divmod(at // PER_ENVELOPE, len(GATEWAYS))
        gateway, seqs = GATEWAYS[which], range(turn * PER_ENVELOPE + 1, (turn + 1) * PER_ENVELOPE + 1)
        told = [
            row_of(seq, seq + before // len(GATEWAYS), assets, gateway, after_s=(before + nth) / 20)
            for seq, nth in zip(seqs, range(at + 1, at + 1 + PER_ENVELOPE), strict=True)
        ]
        found.append((topic("hq", gateway, "movement"), envelope(told, gateway=gateway, epoch=f"e{number}")))
    return found


def row_of(seq, nth, assets, gateway, *, after_s, start=START):
    """The nth row of a door: each twentieth crosses, each two-hundredth by an asset without permission.

    An asset keeps to its door, of ten; with less than a hundred assets, to one of two. Whoever goes out came in before,
    as a story of which one half is never seen costs more than an estate's does.
    """
    door = int(gateway.rpartition("-")[2])
    tens = max(1, assets // 100)
    """Of each door, so many times ten assets."""
    near = nth % 5 if door % 2 else 5 + nth % 4
    kind, ten, guest = crossing(nth, tens) if nth % 20 == 0 else passing(nth, tens)
    which = (ten * 7919 % tens * 10 + (door % 10 if assets >= 100 else 0)) * 10 + (9 if guest else near)
    return movement(
        seq, kind=kind, tag=f"3034257bf7{which:014x}", after_s=after_s, portal=f"{gateway}-door", gateway=gateway,
        start=start,
    )  # fmt: skip


def passing(nth, tens):
    """A row of who stays: its kind, whose it is, and that it is none without permission."""
    return "turned_back" if nth % 3 else "near", (nth + nth // 20) % tens, False


def crossing(nth, tens):
    """Kind, whose it is, and whether without permission: two in ten are one such asset's, in and at once out again.

    The others come in one by one, a hundred or as many as there are, and go out in the same order.
    """
    cycle, slot = divmod(nth // 20, 10)
    if slot in {0, 9}:
        return ("in", cycle + 1, True) if slot else ("out", cycle, True)
    among = min(tens, 100)
    block, who = divmod(cycle * 8 + slot - 1, among)
    return "out" if block % 2 else "in", block // 2 * among + who, False


def processor_s(dsn):
    """Processor seconds so far of this process and of the server's processes for the database."""
    with psycopg.connect(dsn) as connection:
        pids = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
    used = [psutil.Process(pid).cpu_times() for (pid,) in pids]
    return time.process_time() + sum(one.user + one.system for one in used)


async def ingest(dsn, payloads, *, after_s):
    """Seconds to commit all payloads, seconds by phase, and seconds of processors; all of it came `after_s`."""
    spent, rows = Counter(), len(payloads) * PER_ENVELOPE
    one = Central(dsn)
    await one.database.open()
    try:
        with settled_heap(), timed(spent), mock.patch.object(waiting, "MAX_BATCH_ROWS", BATCH):
            async with ingesting(one, now=lambda: START + timedelta(seconds=after_s)) as (
                link,
                _ingest,
                _feed,
                metrics,
            ):
                link.connect()
                await until(lambda: link.published)
                spent.clear()
                before, began = processor_s(dsn), time.perf_counter()
                for where, payload in payloads:
                    link.deliver(where, payload)
                await until(lambda: metrics.registry.get_sample_value("stockgate_rows_total") == rows, timeout_s=300)
                return time.perf_counter() - began, spent, processor_s(dsn) - before
    finally:
        await one.database.close()


@contextlib.contextmanager
def timed(spent):
    """Time the steps of the pipeline; nested ones belong to the outermost. What runs beside them is in their time."""
    within = ContextVar("within", default=False)
    """Of each lane apart: lanes commit beside each other, each in a task of its own."""

    def wrap(name, call):
        async def measured(*args, **kwargs):
            if within.get():
                return await call(*args, **kwargs)
            began, token = time.perf_counter(), within.set(True)
            try:
                return await call(*args, **kwargs)
            finally:
                within.reset(token)
                spent[name] += time.perf_counter() - began

        return measured

    places = [
        (PgTransaction, "lock_positions"), (PgTransaction, "lock_assets"), (PgTransaction, "add_movements"),
        (PgTransaction, "hold_places"), (PgTransaction, "save_positions"), (pipeline, "tell"), (pipeline, "look"),
        (pipeline, "judge_movements"), (work, "time_alerts"),
    ]  # fmt: skip
    with contextlib.ExitStack() as patches:
        for place, name in places:
            patches.enter_context(mock.patch.object(place, name, wrap(name, getattr(place, name))))
        yield


def copy(dsn, epoch):
    """Seconds, and seconds of processors, to COPY the same rows in the same batches into a bare table."""
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS bare (LIKE movement)")
        cursor = connection.execute("SELECT * FROM movement WHERE epoch = %s ORDER BY seq", (epoch,))
        oids = [column.type_code for column in cursor.description]
        rows = [
            tuple(psycopg.types.json.Jsonb(value) if isinstance(value, dict) else value for value in row)
            for row in cursor.fetchall()
        ]
        connection.commit()
        before, began = processor_s(dsn), time.perf_counter()
        for at in range(0, len(rows), BATCH):
            with connection.cursor().copy("COPY bare FROM STDIN (FORMAT binary)") as stream:
                stream.set_types(oids)
                for row in rows[at : at + BATCH]:
                    stream.write_row(row)
            connection.commit()
        return time.perf_counter() - began, processor_s(dsn) - before
