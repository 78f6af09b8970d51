"""Hours of doors and readers, and what is forgotten; test_central_timescale runs the same on TimescaleDB."""

from datetime import timedelta

import httpx
import msgspec
import pytest

from central.api.rollups import rollup_routes
from central.api.server import create_app
from central.application.rollups import PRESENCE_KEPT, READER_HOURS_KEPT, forget_old
from central.jobs.retention import retention_jobs
from central.storage.rebuild import rebuild
from central.storage.rollups import PgRollups
from edge.contracts import PresenceAntenna, PresenceRow, PresenceTag
from tests.helpers.central import GATEWAY, START, central, epc, movement, registered_database, wire

HOUR = timedelta(hours=1)
DOOR = "stockroom-a-door"


@pytest.fixture
async def one():
    with registered_database() as dsn:
        async with central(dsn) as opened:
            yield opened


async def traffic(one, by="hour", portal=DOOR):
    rows = await PgRollups(one.database).traffic(portal, START - 100 * HOUR, START + 100 * HOUR, by, 100)
    return [(row.at - START, row.kind, row.passages, row.reads) for row in rows]


async def test_finals_are_counted_by_door_hour_and_kind_once_each_however_late_and_often(one):
    rows = [
        movement(1, final=False),
        movement(2, rev=2),
        movement(3, kind="in", after_s=60),
        movement(4, kind="near", tag=epc(2), after_s=90),
        movement(5, tag=epc(3), after_s=3700, started_s=3690),
        movement(6, portal="main-entrance", tag=epc(3), after_s=3800),
    ]
    await one.take(*rows, now=START + 2 * HOUR)
    await one.take(*rows, now=START + 2 * HOUR)
    await one.take(movement(7, tag=epc(2), after_s=-7200), now=START + 2 * HOUR)
    expected = [
        (HOUR, "out", 1, 12),
        (0 * HOUR, "in", 1, 12),
        (0 * HOUR, "near", 1, 12),
        (0 * HOUR, "out", 1, 12),
        (-2 * HOUR, "out", 1, 12),
    ]
    assert await traffic(one) == expected
    assert await traffic(one, portal="main-entrance") == [(HOUR, "out", 1, 12)]
    assert await traffic(one, "day") == [
        (-9 * HOUR, "in", 1, 12),
        (-9 * HOUR, "near", 1, 12),
        (-9 * HOUR, "out", 3, 36),
    ]
    await rebuild(one.database, START)
    assert await traffic(one) == expected


async def test_no_number_of_reads_that_a_row_may_have_keeps_an_hour_from_being_committed(one):
    """Over 1,024 rows of the most that the contract allows are more than a bigint holds; the sums stop there."""
    for first in range(1, 1100, 100):
        rows = [movement(seq, kind="near", tag=epc(2), after_s=seq) for seq in range(first, first + 100)]
        rows = [msgspec.structs.replace(row, reads=2**53 - 1) for row in rows]
        done = await one.take(*rows, now=START + 2 * HOUR)
        assert (done.rows, [item.reason for item in done.refused]) == (100, [])
    await one.take(movement(1101, kind="near", tag=epc(2), after_s=3700), now=START + 2 * HOUR)
    expected = [(HOUR, "near", 1, 12), (0 * HOUR, "near", 1100, 2**63 - 1)]
    assert (await traffic(one), await traffic(one, "day")) == (expected, [(-9 * HOUR, "near", 1101, 2**63 - 1)])
    await rebuild(one.database, START)
    assert await traffic(one) == expected


async def test_heartbeats_are_counted_in_the_hours_of_their_readers_with_the_reads_between_them(one):
    for minutes, boot, state, reads in (
        (0, "b1", "connected", 100),
        (10, "b1", "connected", 150),
        (20, "b1", "lost", 150),
        (70, "b2", "connected", 30),
    ):
        await beat(one, START + timedelta(minutes=minutes), boot, state, reads)
    found = await PgRollups(one.database).readers(GATEWAY, START, START + 2 * HOUR, 9)
    assert [(row.reader, row.at - START, row.beats, row.connected, row.reads) for row in found] == [
        ("r1", HOUR, 1, 1, 30),
        ("r1", 0 * HOUR, 3, 2, 150),
    ]


async def beat(one, at, boot, state, reads):
    """Let the gateway tell of its reader, twice in one word as nothing forbids."""
    reader = f'{{"id": "r1", "state": "{state}", "reads": {reads}}}'
    health = f'{{"boot": "{boot}", "readers": [{reader}, {reader}]}}'
    async with one.log.transaction() as transaction:
        await transaction.saw("hq", GATEWAY, at, online=True, health=health)


async def test_old_presence_and_reader_hours_are_forgotten_and_no_movement_ever_is(one):
    old, young = START - PRESENCE_KEPT - HOUR, START - PRESENCE_KEPT + HOUR
    await one.take(presence(1, old), stream="presence", now=old + HOUR / 2)
    await one.take(presence(2, young), stream="presence", now=young + HOUR / 2)
    await one.take(movement(1, start=old), now=old + HOUR / 2)
    await beat(one, START - READER_HOURS_KEPT - 2 * HOUR, "b1", "connected", 1)
    await beat(one, START, "b1", "connected", 2)
    (job,) = retention_jobs(PgRollups(one.database), one.upkeep, lambda: START)
    assert await job.run() == "forgot 1 presence rows, 0 days of tags heard, 1 hours of readers"
    assert await one.sql("SELECT seq FROM presence") == [(2,)]
    assert await one.sql("SELECT count(*) FROM movement") == [(1,)]
    assert await forget_old(PgRollups(one.database), START) == (0, 0)


def presence(seq, at):
    """What a zone heard in a minute."""
    antenna = PresenceAntenna(reader="r1", port=1, up_s=60.0, rounds=10, reads=5)
    tag = PresenceTag(epc=epc(1), reads=5, best_rssi_cdbm=-5000, last_at=wire(at))
    span = (wire(at - timedelta(minutes=1)), wire(at))
    return PresenceRow(
        seq=seq, span=span, zone="stockroom-a", mode="zone", antennas=[antenna], tags=[tag], part=(1, 1), complete=True
    )


async def test_the_routes_tell_a_week_unless_asked_otherwise(one):
    await one.take(movement(1), movement(2, kind="in", after_s=60), now=START + HOUR)
    await beat(one, START, "b1", "connected", 7)
    now = lambda: START + 2 * HOUR  # noqa: E731 (the clock)
    app = create_app(
        one.services(now), token="t", version="0", local=True, reads=[rollup_routes(PgRollups(one.database), now)]
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        told = (await http.get(f"/api/v1/portals/{DOOR}/traffic", params={"by": "day"})).json()["traffic"]
        assert [(row["kind"], row["passages"]) for row in told] == [("in", 1), ("out", 1)]
        until = (START - HOUR).isoformat()
        assert (await http.get(f"/api/v1/portals/{DOOR}/traffic", params={"until": until})).json()["traffic"] == []
        told = (await http.get(f"/api/v1/gateways/{GATEWAY}/reader-hours")).json()["readers"]
        assert [(row["reader"], row["reads"]) for row in told] == [("r1", 7)]
        for path in (f"portals/{DOOR}/traffic", f"gateways/{GATEWAY}/reader-hours"):
            for name in ("since", "until"):
                wrong = await http.get(f"/api/v1/{path}", params={name: "0001-01-01T00:00:00Z"})
                assert (wrong.status_code, name in wrong.json()["detail"]) == (422, True)
