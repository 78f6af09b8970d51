"""Reads beside ingest, and the rebuild, on a big estate: hot, as boards ask all day and a rebuild stops a site.

The log is filled in order of time, as it comes: an asset's movements lie far apart. The reads are answers of the API.

Both sizes take long and are run only where they are asked for by name; a rebuild takes some 0.4 ms of processor time an
asset with its 20 movements, so a million assets about eight minutes on a quiet machine, and the filling as long.
"""

import asyncio
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime

import psycopg

from central.api.server import create_app
from central.app import COUNTS_KEPT_S
from central.storage.rebuild import rebuild
from tests.bench.bench_ingest import fill, processor_s
from tests.bench.figures import BENCH, Figure
from tests.helpers.central import Central
from tests.helpers.postgres import fresh_database

EACH, PLACES, SHARDS = 20, 500, 2
RATE, READS, LAST = 1000, 1000, 20
PAUSE_S = 0.005
"""Between two reads."""
PART = 1_000_000
"""Movements that one statement fills in."""
BEFORE = """
ALTER TABLE movement DROP CONSTRAINT movement_pkey;
DROP INDEX movement_passage, passage_crossings, passage_epc_order, passage_newest, passage_portal;
ALTER TABLE passage DROP CONSTRAINT passage_pkey;
INSERT INTO location (id, name, kind, parent, guarded)
SELECT 'place-' || n, 'Place ' || n, 'zone', 'hq', false FROM generate_series(1, %(places)s) AS n;
INSERT INTO location_counter (location, shard, count, counted_at)
SELECT 'place-' || n, shard, 0, now()
FROM generate_series(1, %(places)s) AS n, generate_series(1, %(shards)s) AS shard;
"""
MOVEMENTS = """
INSERT INTO movement (gateway, stream, epoch, seq, at, passage, rev, final, portal, epc, kind, from_location,
                      to_location, confidence, started_at, crossed_at, ended_at, reads, evidence, clock, received_at)
SELECT 'hq-' || 1 + n %% 2, 'movement', 'filled', n + 1, at, md5(n::text)::uuid, 1, true,
       'hq-' || 1 + n %% 2 || '-door', '3034257bf7' || lpad(to_hex(asset), 14, '0'),
       CASE WHEN day <> 7 THEN 'near' WHEN asset %% 2 = 0 THEN 'out' ELSE 'in' END,
       CASE WHEN day <> 7 THEN NULL WHEN asset %% 2 = 0 THEN 'stockroom-a' ELSE 'corridor' END,
       CASE WHEN day <> 7 THEN NULL WHEN asset %% 2 = 0 THEN 'corridor' ELSE 'stockroom-a' END,
       0.9, at - INTERVAL '1 second', CASE WHEN day = 7 THEN at END, CASE WHEN day <> 7 THEN at END, 12,
       '{"antennas": [{"reader": "r1", "port": 1, "reads": 12}], "read_rate": 0.0}', '{"source": "reader"}', at
FROM (
    SELECT n, day, asset, '2026-01-01'::timestamptz + day * INTERVAL '1 day' + asset * INTERVAL '1 microsecond' AS at
    FROM generate_series(%(first)s::bigint, %(last)s) AS n
    CROSS JOIN LATERAL (SELECT n / %(assets)s AS day, n %% %(assets)s AS asset) AS d
) AS m;
"""
AFTER = """
ALTER TABLE movement ADD PRIMARY KEY (gateway, stream, epoch, seq, at);
CREATE INDEX movement_passage ON movement (passage, at);
INSERT INTO passage (passage, rev, final, kind, at, gateway, epoch, seq, portal, epc, from_location, to_location,
                     confidence, synced, reads, evidence)
SELECT passage, rev, final, kind, at, gateway, epoch, seq, portal, epc, from_location, to_location, confidence, true,
       reads, evidence
FROM movement;
ALTER TABLE passage ADD PRIMARY KEY (passage);
CREATE INDEX passage_crossings ON passage (epc, at DESC, gateway DESC, epoch DESC, seq DESC)
    WHERE final AND to_location IS NOT NULL;
CREATE INDEX passage_epc_order ON passage (epc, at, passage);
CREATE INDEX passage_newest ON passage (at DESC, passage);
CREATE INDEX passage_portal ON passage (portal, at DESC, passage);
"""


@BENCH.register("central.scale_100k.", when_named=True)
def tenth():
    """Yield reads and rebuild of 100,000 assets with two million movements."""
    yield from scale("central.scale_100k.", 100_000)


@BENCH.register("central.scale_1m.", when_named=True)
def whole():
    """Yield reads and rebuild of a million assets with twenty million movements."""
    yield from scale("central.scale_1m.", 1_000_000)


def scale(name, assets):
    """The rebuild, and reads while ingest goes on."""
    with fresh_database() as dsn:
        began = time.perf_counter()
        fill(dsn, assets)
        movements(dsn, assets)
        detail = f"{assets} assets, {assets * EACH} movements, {PLACES} more places"
        yield Figure(f"{name}filled_min", (time.perf_counter() - began) / 60, "min", detail=f"{detail}; by SQL alone")
        took, rebuilt_s, used_s = asyncio.run(measure(dsn, assets))
        for what, times in took.items():
            for part, share in (("p50", 0.5), ("p99", 0.99)):
                beside = f"{READS} reads, ingest of {RATE} rows/s in another process meanwhile"
                value = 1000 * sorted(times)[int(share * len(times))]
                yield Figure(f"{name}{what}_{part}_ms", value, "ms", detail=beside)
        yield Figure(f"{name}rebuild_min", rebuilt_s / 60, "min", detail=detail)
        yield Figure(f"{name}rebuild_cpu_min", used_s / 60, "min", detail="of processors, this process and the server")


def movements(dsn, assets):
    """Fill in the log and its passages, indexes last."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '512MB'")
        run(connection, BEFORE, {"places": PLACES, "shards": SHARDS})
        for first in range(0, assets * EACH, PART):
            last = min(first + PART, assets * EACH) - 1
            connection.execute(MOVEMENTS, {"assets": assets, "first": first, "last": last})
        run(connection, AFTER, {})
        connection.execute("VACUUM ANALYZE")


def run(connection, script, params):
    """Run statements one by one."""
    for statement in script.split(";")[:-1]:
        connection.execute(statement, params if "%(" in statement else None)


async def measure(dsn, assets):
    """Seconds of each read by what is read while ingest goes on; seconds of a rebuild before, and of processors."""
    one = Central(dsn)
    await one.database.open()
    try:
        await one.database.pool.wait()
        before, began = processor_s(dsn), time.perf_counter()
        await rebuild(one.database, datetime.now(tz=UTC))
        rebuilt_s, used_s = time.perf_counter() - began, processor_s(dsn) - before
        with ingest(dsn, assets) as child:
            await asyncio.sleep(3)
            services = replace(one.services(lambda: datetime.now(tz=UTC)), counts_kept_s=COUNTS_KEPT_S)
            app = create_app(services, token="t", version="0", local=True)
            took = {"counts": await timed(lambda: answer(app, "/api/v1/locations"))}
            took["counts_read"] = await timed(one.views.locations_json)
            turn = iter(range(READS))
            took["last_20_movements"] = await timed(
                lambda: answer(app, "/api/v1/movements", f"asset=B-{next(turn) * 7919 % assets}&limit={LAST}")
            )
            child.stdin.close()
            assert await asyncio.to_thread(child.wait, 180) == 0
        return took, rebuilt_s, used_s
    finally:
        await one.database.close()


async def answer(app, path, asked=""):
    """Bytes that the API answers, as its server calls it; the connection to a client is not in it."""
    parts = []

    async def send(message):
        assert message.get("status", 200) == 200, message
        parts.append(message.get("body", b""))

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": asked.encode(), "root_path": "",
        "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    await app(scope, receive, send)
    return b"".join(parts)


async def timed(read):
    """Seconds of each of the reads."""
    took = []
    for _ in range(READS):
        began = time.perf_counter()
        assert await read()
        took.append(time.perf_counter() - began)
        await asyncio.sleep(PAUSE_S)
    return took


def ingest(dsn, assets):
    """Ingest in another process."""
    command = [sys.executable, "-m", "tests.bench.scale_child", dsn, str(assets), str(RATE)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
