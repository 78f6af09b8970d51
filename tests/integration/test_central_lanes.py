"""Two lanes commit side by side: neither waits for the other, and both promise only what is committed."""

import asyncio
import contextlib
import json

import pytest

from central.ingest import waiting
from central.storage.rebuild import projection_hash, rebuild
from edge.contracts import topic
from tests.helpers.central import START, central, envelope, epc, ingesting, movement, registered_database, until

EAST, WEST = "hq-east-1", "hq-west-1"
DOORS = {EAST: "stockroom-a-door", WEST: "back-door"}


class OneSlow:
    """The real log, of which transactions wait while `free` isn't set, from the `after`th on."""

    def __init__(self, log, after) -> None:
        self._log, self.free, self._left, self.begun = log, asyncio.Event(), after, 0

    async def registry(self):
        return await self._log.registry()

    async def marks(self):
        return await self._log.marks()

    @contextlib.asynccontextmanager
    async def transaction(self):
        self.begun += 1
        if self.begun == self._left:
            await self.free.wait()
        async with self._log.transaction() as transaction:
            yield transaction


@pytest.fixture
async def one():
    with registered_database() as dsn:
        async with central(dsn) as opened:
            yield opened


def deliver(link, gateway, *seqs, kind="near", tag=1):
    rows = [movement(seq, kind=kind, tag=epc(tag), after_s=seq, gateway=gateway, portal=DOORS[gateway]) for seq in seqs]
    link.deliver(topic("hq", gateway, "movement"), envelope(rows, gateway=gateway))


async def upto(one, gateway):
    found = await one.sql("SELECT upto FROM ingest_position WHERE gateway = %s", gateway)
    return found[0][0] if found else 0


def promised(link, gateway):
    told = [payload for where, payload in link.published if where == topic("hq", gateway, "watermark")]
    return [one["streams"]["movement"]["upto"] for one in told if "movement" in one["streams"]]


async def test_a_gateway_is_committed_while_the_transaction_of_another_lasts(one):
    log = OneSlow(one.log, after=1)
    async with ingesting(one, log=log) as (link, _ingest, _feed, _metrics):
        link.connect()
        deliver(link, EAST, 1)
        await until(lambda: log.begun == 1)
        deliver(link, WEST, 1, tag=2)
        await until(lambda: promised(link, WEST)[-1:] == [1])
        assert (await upto(one, EAST), promised(link, EAST)) == (0, [])
        deliver(link, EAST, 2)  # waits for the first of its gateway
        await asyncio.sleep(0.1)
        log.free.set()
        await until(lambda: promised(link, EAST)[-1:] == [2])
    assert promised(link, EAST) == sorted(promised(link, EAST))


async def test_an_alarm_is_committed_and_promised_before_the_backlog_that_came_first(one, monkeypatch):
    monkeypatch.setattr(waiting, "MAX_BATCH_ROWS", 10)
    log = OneSlow(one.log, after=1)
    async with ingesting(one, log=log) as (link, _ingest, _feed, _metrics):
        link.connect()
        deliver(link, EAST, 1)
        await until(lambda: log.begun == 1)
        for first in range(2, 102, 10):
            deliver(link, EAST, *range(first, first + 10))
        deliver(link, EAST, 500, kind="out", tag=2)
        log.free.set()
        await until(lambda: promised(link, EAST)[-1:] == [101])
    told = [payload["streams"] for where, payload in link.published if where == topic("hq", EAST, "watermark")]
    marks = [streams["movement"] for streams in told if "movement" in streams]
    early = next(mark for mark in marks if mark["above"])
    assert (early["upto"], early["above"]) == (1, [[500, 500]])
    order = await one.sql("SELECT seq FROM movement ORDER BY xmin::text::bigint, seq")
    assert [seq for (seq,) in order] == [1, 500, *range(2, 102)]


async def test_any_turn_of_alarms_and_backlog_ends_as_a_rebuild_tells_it(one):
    async with ingesting(one) as (link, _ingest, _feed, metrics):
        link.connect()
        for seq in range(1, 40):
            deliver(link, EAST, seq, kind=("in", "near", "out")[seq % 3], tag=1 + seq % 2)
            if seq % 4 == 0:
                await asyncio.sleep(0.002)
        await until(lambda: metrics.registry.get_sample_value("stockgate_rows_total") == 39)
        await until(lambda: promised(link, EAST)[-1:] == [39])
    live = await projection_hash(one.database)
    await rebuild(one.database, START)
    assert await projection_hash(one.database) == live


async def test_a_repeated_watermark_never_goes_back_behind_a_commit(one):
    async with ingesting(one, watermark_s=0.001) as (link, _ingest, _feed, metrics):
        link.connect()
        for seq in range(1, 40):
            deliver(link, EAST, seq)
            deliver(link, WEST, seq, tag=2)
            await asyncio.sleep(0.005)
        await until(lambda: metrics.registry.get_sample_value("stockgate_rows_total") == 78)
        await until(lambda: promised(link, EAST)[-1:] == promised(link, WEST)[-1:] == [39])
    for gateway in (EAST, WEST):
        assert promised(link, gateway) == sorted(promised(link, gateway))


async def test_one_tag_at_doors_of_two_lanes_ends_as_a_rebuild_tells_it(one):
    async with ingesting(one) as (link, _ingest, _feed, metrics):
        link.connect()
        for seq in range(1, 30):
            deliver(link, EAST, seq, kind="out" if seq % 2 else "in", tag=1 + seq % 2)
            deliver(link, WEST, seq, kind="in" if seq % 2 else "out", tag=1 + seq % 2)
            await asyncio.sleep(0)
        await until(lambda: metrics.registry.get_sample_value("stockgate_rows_total") == 58)
    live = await projection_hash(one.database)
    await rebuild(one.database, START)
    assert await projection_hash(one.database) == live
    assert await one.sql("SELECT count(*) FROM quarantine") == [(0,)]


async def test_the_counts_of_all_places_as_text_are_those_of_the_views(one):
    await one.sql("UPDATE location SET name = 'Lager \"A\", Erdgeschoß' WHERE id = 'corridor'")
    await one.take(movement(1), movement(2, tag=epc(2), after_s=5), now=START)
    told = json.loads(f"[{await one.views.locations_json()}]")
    assert told == [one.model_dump(mode="json") for one in await one.views.locations()]
    assert {place["count"] for place in told} > {0}
    assert {place["counted_at"] is None for place in told} == {True, False}
