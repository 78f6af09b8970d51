"""Two at once: what the exception queue, an import and ingest do to each other in the database."""

import asyncio
from datetime import timedelta

import pytest

from central.application.commit import SHARDS
from central.application.exceptions import Filter, take_step
from central.application.openings import Opening
from central.domain.exceptions.workflow import Evidence, Step
from central.storage.log import PgTransaction
from central.storage.rebuild import projection_hash, rebuild
from tests.helpers.central import GATEWAY, START, central, epc, movement, registered_database

LATER = START + timedelta(minutes=5)
WEST = "hq-west-1"


@pytest.fixture
async def one():
    with registered_database() as dsn:
        async with central(dsn) as opened:
            await opened.sql("INSERT INTO person (id, name) VALUES ('ann', 'Ann'), ('bob', 'Bob')")
            yield opened


def at_place(after_s, key=""):
    """Something that is wrong with a place alone, so that no asset's lock makes others wait."""
    at = START + timedelta(seconds=after_s)
    return Opening("count_variance", None, None, "stockroom-a", at, {"why": "counted"}, key)


async def until_waiting(one, sessions=1):
    """Wait until so many sessions wait for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while (await one.sql(waiting))[0][0] < sessions:  # noqa: ASYNC110 (another session's state can't be awaited)
        await asyncio.sleep(0.02)


async def test_what_two_take_back_of_one_exception_at_once_leaves_it_to_be_closed(one):
    async def say(*openings, key):
        async with one.log.transaction() as transaction:
            return await transaction.settle_keys("doors", [key], openings, START)

    await say(at_place(0, key="k1"), key="k1")
    await say(at_place(0, key="k2"), key="k2")
    async with one.log.transaction() as first:
        await first.settle_keys("doors", ["k1"], [], START)
        second = asyncio.create_task(say(key="k2"))
        await until_waiting(one)
    await second
    (found,) = await one.queue.listed(Filter(), 10)
    assert (found.occurrences, found.suggestion is None) == (0, False)


async def test_what_happens_while_somebody_closes_the_exception_opens_another(one):
    async with one.log.transaction() as transaction:
        (number,) = await transaction.open_exceptions([at_place(0)], START)
    shown = Evidence("count", "count 7")
    closing = Step("close", "ann", evidence=shown)
    async with one.queue.work() as work:
        ask = work._rows

        async def closed_between(name, params):
            if name == "exceptions.add_occurrences" and not await one.queue.listed(Filter(ended=True), 1):
                await take_step(one.queue, number, closing, LATER)
            return await ask(name, params)

        work._rows = closed_between
        (fresh,) = await work.open_exceptions([at_place(60)], LATER)
    assert fresh != number
    (found,) = await one.queue.listed(Filter(), 10)
    assert (found.id, found.occurrences) == (fresh, 1)


async def test_an_import_that_changes_doors_locks_in_the_order_of_ingest(one):
    await one.take(movement(1), movement(2, portal="main-entrance", after_s=20))  # LT-0001 is under way, undeclared
    sheets = {
        "assets": "id,name,class,serial,location\nLT-0003,Laptop three,laptop,,\n",
        "openings": "id,location,kind,portal\nwindow,hq,unmonitored,\n",
    }
    lock = "SELECT id FROM asset WHERE id = %s FOR NO KEY UPDATE"
    async with one.database.transaction() as ingest:
        await ingest.execute(lock, ["LT-0001"])
        importing = asyncio.create_task(one.import_(**sheets))
        await until_waiting(one)
        await ingest.execute(lock, ["LT-0003"])
    assert not (await importing).problems


async def test_a_batch_in_halves_holds_the_order_of_locks_over_both(one, monkeypatch):
    """The first half has LT-0002, the second LT-0001; somebody else locks them in their order in between."""
    await one.sql("ALTER TABLE movement ADD CONSTRAINT no_two CHECK (seq <> 2)")
    lock_assets, others = PgTransaction.lock_assets, []

    async def lock_both():
        async with one.database.transaction() as other:
            for asset in ("LT-0001", "LT-0002"):
                await other.execute("SELECT id FROM asset WHERE id = %s FOR NO KEY UPDATE", [asset])

    async def meanwhile(transaction, epcs):
        locked = await lock_assets(transaction, epcs)
        if epcs == {epc(2)} and not others:
            others.append(asyncio.create_task(lock_both()))
            await until_waiting(one)
        return locked

    monkeypatch.setattr(PgTransaction, "lock_assets", meanwhile)
    done = await one.take(movement(1, tag=epc(2)), movement(2, tag=epc(1)), movement(3, tag=epc(1), after_s=9))
    await others[0]
    assert (done.rows, [item.seq for item in done.refused]) == (2, [2])


async def test_an_import_counts_places_beside_ingest_and_waits_for_none_of_its_counters(one):
    """A batch in halves locks counters in no order; on the same rows an import and the first worker would deadlock."""
    await one.import_(assets="id,name,class,serial,location\nLT-0009,Laptop nine,laptop,,corridor\n")
    lock = "SELECT location FROM location_counter WHERE shard = ANY(%s) ORDER BY location, shard FOR UPDATE"
    async with one.database.transaction() as ingest:
        await ingest.execute(lock, [[*range(SHARDS)]])
        sheet = "id,name,class,serial,location\nLT-0009,Laptop nine,laptop,,stockroom-a\n"
        assert not (await asyncio.wait_for(one.import_(assets=sheet, now=START), 10)).problems
    assert await one.counts() == {"corridor": 1, "stockroom-a": 3}


async def test_two_doors_of_one_tag_append_before_either_waits_for_its_asset_and_the_last_sees_both(one, monkeypatch):
    append, appended = PgTransaction.add_movements, []

    async def noted(transaction, rows, received_at):
        again = await append(transaction, rows, received_at)
        appended.append(rows[0].row.key.gateway)
        return again

    monkeypatch.setattr(PgTransaction, "add_movements", noted)
    long = {"tag": epc(2), "kind": "near", "started_s": -30}
    async with one.database.transaction() as other:
        await other.execute("SELECT id FROM asset WHERE id = 'LT-0002' FOR NO KEY UPDATE")
        east = asyncio.create_task(one.take(movement(1, **long)))
        far = movement(1, portal="back-door", gateway=WEST, after_s=2, **long)
        west = asyncio.create_task(one.take(far, gateway=WEST))
        await until_waiting(one, sessions=2)
        assert sorted(appended) == [GATEWAY, WEST]
        assert await one.sql("SELECT 1 FROM movement") == []
    await asyncio.gather(east, west)
    (found,) = await one.queue.listed(Filter(), 10)
    assert (found.category, found.asset) == ("not_unique", "LT-0002")
    before = await projection_hash(one.database)
    await rebuild(one.database, LATER)
    assert await projection_hash(one.database) == before
