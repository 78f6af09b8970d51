"""Quarantined items tried again after a fix: through the same pipeline, twice for nothing, in whatever order."""

import itertools
from datetime import timedelta

import pytest

from central.ingest.retrying import TOO_LONG, retry
from central.storage.quarantine import PgQuarantine
from edge.contracts import EpcPrefix, GapRow, encode
from tests.helpers.central import GATEWAY, START, central, epc, movement, registered_database

NEW_DOOR = "id,name,site,gateway,inside,outside,mode\nnew-door,New,hq,hq-east-1,stockroom-a,corridor,\n"
LATER = START + timedelta(hours=2)


@pytest.fixture
async def one():
    with registered_database() as dsn:
        async with central(dsn) as opened:
            yield opened


async def again(one, ids=None, own=()):
    store = PgQuarantine(one.database, one.log)
    return await retry(one.log, store, ids, limit=1000, by="a.keeper", now=LATER, own=own)


async def waiting(one):
    return await one.sql("SELECT id, reason FROM quarantine WHERE settled_at IS NULL ORDER BY id")


async def everything(one):
    """All that counts: the log without its arrival times, where assets are, what is committed."""
    log = await one.sql("SELECT epoch, seq, at, passage, rev, kind FROM movement ORDER BY gateway, epoch, seq")
    places = await one.sql("SELECT asset, location, since FROM asset_location ORDER BY asset")
    alerts = await one.sql("SELECT incident, kind, severity, at FROM alert WHERE portal IS NOT NULL ORDER BY incident")
    return log, places, alerts, await one.sql("SELECT epoch, upto, above FROM ingest_position ORDER BY epoch")


async def test_rows_of_a_door_that_was_registered_too_late_are_committed_by_a_retry(one):
    done = await one.take(*(movement(seq, portal="new-door", tag=epc(seq), after_s=seq) for seq in (1, 2, 3)))
    assert (done.rows, done.rejected) == (0, 3)
    before = await again(one)
    assert [item.problem[:17] for item in before.outcomes] == ["portal 'new-door'"] * 3
    await one.import_(portals=NEW_DOOR)
    after = await again(one)
    assert [(item.rows, item.problem) for item in after.outcomes] == [(1, "")] * 3
    assert await one.where("LT-0001") == "corridor"
    assert not await waiting(one)
    assert (
        await one.sql("SELECT kind, by FROM act WHERE kind = 'quarantine_retried'")
        == [("quarantine_retried", "a.keeper")] * 2
    )


async def test_a_second_retry_finds_nothing_to_do(one):
    await one.take(movement(1, portal="new-door"))
    ids = [row[0] for row in await waiting(one)]
    await one.import_(portals=NEW_DOOR)
    await again(one)
    state = await everything(one)
    assert not (await again(one, ids)).outcomes
    assert await everything(one) == state


async def test_whatever_the_order_of_retries_the_state_is_that_of_rows_in_time(one):
    """Three crossings of one asset: retried one by one in any order they end like a stream that was never refused."""
    rows = [movement(seq, portal="new-door", kind="out" if seq % 2 else "in", after_s=seq) for seq in (1, 2, 3)]
    await one.import_(portals=NEW_DOOR)
    await one.take(*rows)
    expected = await everything(one)
    for order in itertools.permutations(range(3)):
        with registered_database() as dsn:
            async with central(dsn) as other:
                await other.take(*rows)
                ids = [row[0] for row in await waiting(other)]
                await other.import_(portals=NEW_DOOR)
                for place in order:
                    await again(other, [ids[place]])
                assert await everything(other) == expected


async def test_a_tag_of_others_is_kept_by_a_retry_no_more_than_by_ingest(one):
    await one.take(movement(1, portal="new-door", tag="e2801160"), movement(2, portal="new-door"))
    await one.import_(portals=NEW_DOOR)
    done = await again(one, own=[EpcPrefix(hex="30", bits=8)])
    assert [one.foreign_tags for one in done.commits] == [1]
    assert await one.sql("SELECT seq FROM movement") == [(2,)]
    assert not await waiting(one)


async def test_a_message_that_nobody_could_read_stays_with_its_reason(one):
    await one.sql(
        "INSERT INTO quarantine (topic, digest, reason, payload, payload_bytes, at, last_at) VALUES"
        " ('stockgate/v1/hq/hq-east-1/movement', '1', 'old', '{}', 2, now(), now()),"
        " ('stockgate/v1/hq/hq-east-1/movement', '2', 'old', '{}', 70000, now(), now())"
    )
    done = await again(one)
    assert not any(item.rows for item in done.outcomes)
    reasons = [reason for _, reason in await waiting(one)]
    assert reasons[0].startswith("envelope")
    assert reasons[1] == TOO_LONG


async def test_a_gap_that_is_believed_later_settles_its_whole_span(one):
    await one.take(movement(9, kind="near"))
    raw = encode(GapRow(seq=8, first=1, last=8, reason="full", count=8)).decode()
    await one.sql(
        "INSERT INTO quarantine"
        " (topic, digest, reason, payload, payload_bytes, gateway, stream, epoch, seq, at, last_at)"
        " VALUES (%s, '1', 'old', %s, %s, %s, 'movement', 'e1', 8, now(), now())",
        f"stockgate/v1/hq/{GATEWAY}/movement", raw.encode(), len(raw), GATEWAY,
    )  # fmt: skip
    await again(one)
    assert await one.sql("SELECT upto FROM ingest_position WHERE epoch = 'e1'") == [(9,)]
