"""Old hearings are forgotten and no story changes by it: a rebuild afterwards is what it was before."""

from datetime import timedelta

import pytest

from central.application.ageing import forget_hearings
from central.storage.rebuild import projection_hash, rebuild
from tests.helpers.central import SHEETS, START, central, epc, filled_database, movement, registered_database
from tests.helpers.listening import count
from tests.integration.test_central_hearings import BOTH, hours, rounds

DAYS = 8
CUT = timedelta(days=3)


@pytest.fixture
async def lived():
    with filled_database(lives) as dsn:
        async with central(dsn) as opened:
            yield opened


@pytest.fixture
async def one():
    with registered_database() as dsn:
        async with central(dsn) as opened:
            yield opened


async def lives(one):
    """Eight days: hourly rounds hear two laptops, which cross the door now and then; one way out is missed."""
    assert not (await one.import_(**SHEETS)).problems
    seq = 0
    for day in range(DAYS):
        await rounds(one, 24 * day, BOTH, many=14)
        for kind, hour in (("out", 15), ("in", 20)):
            seq += 1
            if (day, kind) != (2, "out"):
                at = 24 * day + hour
                await one.take(movement(seq, kind=kind, after_s=at * 3600, confidence=0.99), now=hours(at + 1))
    await count(one, after_h=24 * DAYS)


async def shares(one):
    return await one.sql("SELECT asset, portal, at, share FROM missed_crossing ORDER BY 1, 2, 3")


async def heard(one):
    return await one.sql("SELECT count(*), min(day) FROM hearing")


async def same_as_rebuilt(one):
    live = await projection_hash(one.database)
    await rebuild(one.database, START)
    assert await projection_hash(one.database) == live


async def test_what_is_old_goes_and_a_rebuild_is_what_it_was(lived):
    one = lived
    before, missed, (many, first) = await projection_hash(one.database), await shares(one), (await heard(one))[0]
    assert missed
    gone = await forget_hearings(one.upkeep, hours(24 * DAYS), kept=CUT, slack=timedelta(0))
    left, oldest = (await heard(one))[0]
    assert (gone > 0, left, oldest > first) == (True, many - gone, True)
    assert await projection_hash(one.database) == before
    await same_as_rebuilt(one)
    assert (await projection_hash(one.database), await shares(one)) == (before, missed)
    again = await forget_hearings(one.upkeep, hours(24 * DAYS), kept=CUT, slack=timedelta(0))
    assert (again, await projection_hash(one.database)) == (0, before)


async def test_what_comes_afterwards_goes_on_and_what_is_older_changes_no_story(lived):
    one = lived
    assert await forget_hearings(one.upkeep, hours(24 * DAYS), kept=CUT, slack=timedelta(0)) > 0
    before = await one.sql("SELECT asset, location, since FROM asset_location ORDER BY asset")
    late = movement(900, kind="out", portal="main-entrance", after_s=5 * 3600 + 1, confidence=0.99)
    await one.take(late, now=hours(24 * DAYS + 1))
    assert await one.sql("SELECT asset, location, since FROM asset_location ORDER BY asset") == before
    await same_as_rebuilt(one)
    newer = movement(901, kind="out", after_s=(24 * DAYS + 2) * 3600, confidence=0.99)
    await one.take(newer, now=hours(24 * DAYS + 3))
    assert await one.where("LT-0001") == "corridor"
    await same_as_rebuilt(one)
    between = movement(902, tag=epc(2), kind="out", after_s=(24 * (DAYS - 1) + 21) * 3600, confidence=0.99)
    await one.take(between, now=hours(24 * DAYS + 4))
    await same_as_rebuilt(one)


async def test_a_story_that_was_never_sure_keeps_what_was_heard_of_it(one):
    await rounds(one, 0, [epc(1)], many=3)
    assert await forget_hearings(one.upkeep, hours(24 * 9), kept=CUT, slack=timedelta(0)) == 0
    assert (await heard(one))[0][0] == 1
    await same_as_rebuilt(one)


async def test_a_base_never_goes_back(one):
    await one.sql("INSERT INTO story_base VALUES ('LT-0001', '2026-03-02Z', '{}')")
    with pytest.raises(Exception, match="is settled until"):
        await one.sql("UPDATE story_base SET at = '2026-03-01Z'")
