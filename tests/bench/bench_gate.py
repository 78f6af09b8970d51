"""An approval's way to the door, where somebody waits, and whole gate snapshots, which all doors want at once."""

import asyncio
import contextlib
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import psycopg

from central.app import _now
from central.application.metrics import Metrics
from central.domain.gate import gate_view
from central.gate.keys import KeyRing
from central.gate.messages import make_manifest, make_parts
from central.gate.publisher import Publisher
from central.ingest.link import LinkSettings, PahoLink
from central.storage.database import Database, DatabaseSettings
from central.storage.gate import PgGate
from central.storage.log import PgLog
from central.storage.notices import GATE, Seat
from edge.contracts import decode_part, encode_part
from tests.bench.figures import BENCH, Figure
from tests.helpers.brokers import Mosquitto
from tests.helpers.central import GATEWAY, START, central, epc
from tests.helpers.gate import Gate
from tests.helpers.postgres import fresh_database

APPROVALS = 200
THOUSANDS = {"100k": 100_000, "1m": 1_000_000}
FILL = """
INSERT INTO asset (id, name, class) SELECT 'B-' || n, 'Laptop', 'laptop' FROM generate_series(1, %(count)s) AS n;
INSERT INTO tag (epc, asset, role, registered_at, bound_from)
SELECT '3034257bf7' || lpad(to_hex(n), 14, '0'), 'B-' || n, 'body', now(), 'epoch'
FROM generate_series(1, %(count)s) AS n;
INSERT INTO authorisation (id, kind, asset, boundary, reason, recorded_at)
SELECT 'B-' || n, 'standing', 'B-' || n, 'hq', '', now() FROM generate_series(1, %(count)s) AS n;
"""


@BENCH.register("central.gate.")
def gate_speed():
    """Yield the way of 200 approvals to a subscriber, and a whole generation of 100,000 assets."""
    with fresh_database() as dsn, mosquitto() as broker:
        took = sorted(asyncio.run(approvals(dsn, broker)))
    detail = f"{APPROVALS} approvals one by one, from the commit to a gateway's subscriber over Mosquitto; fsync off"
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        yield Figure(f"central.gate.delta_{name}_ms", took[int(share * APPROVALS)] * 1000, "ms", detail=detail)
    yield from generation("100k", peer=True)


@BENCH.register("central.gate_1m.", when_named=True)
def gate_of_a_million():
    """Yield a whole generation of a million assets, which fit at one boundary."""
    yield from generation("1m", peer=False)


def generation(size, *, peer):
    """A generation of so many assets that may all leave the stockroom and, where that fits, the building."""
    both = size == "100k"
    with fresh_database() as dsn:
        with psycopg.connect(dsn) as connection:
            seed(connection)
            if not both:
                connection.execute("DELETE FROM portal WHERE id = 'e'")
            for statement in FILL.split(";")[:-1]:
                connection.execute(statement, {"count": THOUSANDS[size]})
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        seconds, parts = asyncio.run(whole(dsn))
    entries = sum(part.entries for part in parts.standing.values())
    name = "central.gate" if size == "100k" else "central.gate_1m"
    detail = f"{entries} entries; boundaries: {2 if both else 1}; from the database to signed bytes; one gateway"
    slow = encode_all(parts) if peer else None
    ratio = slow and slow / seconds
    yield Figure(f"{name}.generation_s", seconds, "s", peer and "encode_part on objects", slow, ratio, detail)
    yield Figure(f"{name}.generation_mb", sum(map(len, parts.fresh.values())) / 1e6, "MB", detail=detail)


def seed(connection):
    """Locations, gateway and portals."""
    connection.execute(
        "INSERT INTO location (id, name, kind, parent, guarded) VALUES ('hq', 'HQ', 'building', NULL, true),"
        " ('stockroom-a', 'A', 'zone', 'hq', true), ('corridor', 'C', 'zone', 'hq', false),"
        " ('street', 'S', 'exterior', NULL, false)"
    )
    connection.execute("INSERT INTO gateway VALUES (%s, 'hq', now())", (GATEWAY,))
    connection.execute(
        "INSERT INTO portal (id, name, gateway, inside, outside, mode) VALUES"
        " ('d', 'D', %(g)s, 'stockroom-a', 'corridor', 'alarm'), ('e', 'E', %(g)s, 'corridor', 'street', 'alarm')",
        {"g": GATEWAY},
    )


async def whole(dsn):
    """Seconds to make one generation, and its parts."""
    database = Database(DatabaseSettings(dsn, 2))
    await database.open()
    try:
        registry = await PgLog(database).registry()
        view = gate_view(GATEWAY, "hq", registry.places, registry.portals.values())
        with tempfile.TemporaryDirectory() as directory:
            key = KeyRing(Path(directory)).signing
        began = time.perf_counter()
        contents = await PgGate(database).contents(view, [], _now(), None)
        parts = make_parts(1, contents, resend=True)
        make_manifest(view, [], parts, 1, now=_now(), life=timedelta(days=1), key=key)
        return time.perf_counter() - began, parts
    finally:
        await database.close()


def encode_all(parts):
    """Seconds to pack the same parts from objects, without the database."""
    objects = [decode_part(payload) for payload in parts.fresh.values() if payload]
    began = time.perf_counter()
    for part in objects:
        encode_part(part.generation, part.index, part.entries)
    return time.perf_counter() - began


async def approvals(dsn, broker):
    """Seconds of each approval from its commit to the subscriber."""
    with tempfile.TemporaryDirectory() as directory:
        keys = KeyRing(Path(directory))
        async with central(dsn) as one, published(one, dsn, broker, keys):
            gate = Gate(broker.port, [key.line for key in keys.keys], GATEWAY)
            try:
                async with asyncio.timeout(30):
                    while not gate.counters():  # noqa: ASYNC110 (it comes over a broker)
                        await asyncio.sleep(0.02)
                return [await approve(one, gate, number) for number in range(APPROVALS)]
            finally:
                gate.close()


@contextlib.asynccontextmanager
async def published(one, dsn, broker, keys):
    """Publish in this process, as the program does."""
    seat = Seat(dsn, GATE, lambda: publisher.wake())  # noqa: PLW0108 (each needs the other)
    publisher = Publisher(
        PahoLink(LinkSettings(broker.url, client_id="bench-gate")), one.log, PgGate(one.database), keys, Metrics(),
        now=_now, seated=lambda: seat.turn if seat.held else None,
    )  # fmt: skip
    tasks = [asyncio.create_task(work()) for work in (publisher.run, seat.run)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def approve(one, gate, number):
    """Seconds until a reader of the topics knows one approval, by a delta or by the generation after a full one."""
    tag, end = epc(1 + number % 3), START + timedelta(days=36500, minutes=number)
    await one.sql(
        "INSERT INTO authorisation (id, kind, asset, boundary, valid_to, reason, recorded_at)"
        " VALUES (%s, 'standing', %s, 'hq', %s, '', now())", f"B-{number}", f"LT-000{1 + number % 3}", end,
    )  # fmt: skip
    began, read = time.perf_counter(), -1
    async with asyncio.timeout(30):
        while True:
            if read != (read := len(gate.order)) and knows(gate, tag, end):  # parsing is dear: only when something came
                return time.perf_counter() - began
            await asyncio.sleep(0.001)


def knows(gate, tag, end):
    """Whether a delta, or parts with the manifest that names them, hold a permission that ends then."""
    if end.strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode() in gate.payloads.get("delta", b""):
        return True
    return any(entry[3] == end for entry in (gate.entries() or {}).get(tag, []))


@contextlib.contextmanager
def mosquitto():
    """A broker of its own."""
    with tempfile.TemporaryDirectory() as directory:
        broker = Mosquitto(Path(directory))
        broker.start()
        try:
            yield broker
        finally:
            broker.stop()
