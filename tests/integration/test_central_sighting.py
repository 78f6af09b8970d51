"""What people see in counts and verifications moves or doubts places, on a real PostgreSQL; a rebuild says the same."""

from datetime import timedelta

import pytest

from central.application import counts as use
from central.application.count_views import Observation, Plan
from central.application.exceptions import Filter
from central.storage.rebuild import projection_hash, rebuild
from tests.helpers.central import SHEETS, START, central, filled_database, movement
from tests.integration.test_central_transfers import BRANCH

PEOPLE = """INSERT INTO person (id, name) VALUES ('ann', 'Ann'), ('dee', 'Dee');
            INSERT INTO role (id, name) VALUES ('keeper', 'Keeper of stock');
            INSERT INTO role_holder (role, location, person) VALUES ('keeper', NULL, 'ann');
            UPDATE location SET owner_role = 'keeper' WHERE id IN ('hq-site', 'branch-site');
            UPDATE registry_version SET version = version + 1"""


@pytest.fixture
def dsn():
    with filled_database(prepare) as dsn:
        yield dsn


@pytest.fixture
async def one(dsn):
    async with central(dsn) as opened:
        yield opened


async def prepare(one):
    """Two sites, a laptop with a dock in it, two people."""
    assert not (await one.import_(**BRANCH | {"assets": SHEETS["assets"] + "DK-1,Dock,dock,D1,stockroom-a\n"})).problems
    await one.sql(PEOPLE)


def later(hours):
    return START + timedelta(hours=hours)


def seen(asset, location, *, grade="barcode", at_h=2.0):
    return Observation(location, later(at_h), "dee", grade, "handheld 7", asset=asset)


async def counted(one, location, *observations, sign=True):
    """Count a place all through, by search; return the count."""
    run = await one.counting.plan(Plan("spot", location, (), blind=False, planned_for=START.date(), by="ann"), START)
    await use.start(one.counting, run, "dee", later(1))
    await use.observe(one.counting, run, list(observations), later(2))
    await use.search(one.counting, run, location, "dee", later(3))
    await use.submit(one.counting, run, "dee", later(4))
    if sign:
        await use.sign(one.counting, run, "ann", "", later(5))
    return run


async def place(one, asset):
    """(place, certain, doubt)."""
    (found,) = await one.sql("SELECT location, certain, doubt FROM asset_location WHERE asset = %s", asset)
    return found


async def wrong(one, asset):
    """(category, location) of what is open about an asset."""
    return sorted(
        (each.category, each.location) for each in await one.queue.listed(Filter(), 50) if each.asset == asset
    )


async def rebuilt_the_same(one):
    live = await projection_hash(one.database)
    await rebuild(one.database, later(9))
    return await projection_hash(one.database) == live


async def test_what_a_count_finds_at_another_site_is_not_certain_where_the_book_has_it(one):
    await counted(one, "branch-stock", seen("LT-0001", "branch-stock"))
    held, certain, _ = await place(one, "LT-0001")
    assert held == "branch-stock" or not certain
    assert ("moved_without_transfer", "stockroom-a") in await wrong(one, "LT-0001")
    assert ("wrong_location", "stockroom-a") in await wrong(one, "LT-0001")
    assert await rebuilt_the_same(one)


async def counting(one, *observations):
    """A blind count of the branch's stock that is under way."""
    plan = Plan("spot", "branch-stock", (), blind=True, planned_for=START.date(), by="ann")
    run = await one.counting.plan(plan, START)
    await use.start(one.counting, run, "dee", later(1))
    await use.observe(one.counting, run, list(observations), later(2))
    return run


@pytest.mark.parametrize("end", ["submit", "cancel"])
async def test_a_count_under_way_tells_nobody_where_the_book_has_what_it_finds(one, end):
    run = await counting(one, seen("LT-0001", "branch-stock"), seen("LT-0002", "branch-stock"))
    await use.observe(one.counting, run, [seen("LT-0002", "stockroom-a", at_h=2.5)], later(3))
    told = {asset: [kind for kind, _ in await wrong(one, asset)] for asset in ("LT-0001", "LT-0002")}
    assert not any("wrong_location" in kinds for kinds in told.values())
    assert (await place(one, "LT-0001"))[0] == "branch-stock"
    if end == "submit":
        await use.submit(one.counting, run, "dee", later(4))
    else:
        await use.cancel(one.counting, run, "dee", "the alarm went off", later(4))
    assert ("wrong_location", "stockroom-a") in await wrong(one, "LT-0001")
    assert "wrong_location" not in [kind for kind, _ in await wrong(one, "LT-0002")]
    assert await rebuilt_the_same(one)


async def test_what_is_verified_in_another_room_moves_and_is_told_as_a_wrong_location(one):
    await use.verify(one.counting, seen("LT-0001", "corridor", grade="serial_seen"), "scan", later(2))
    assert (await place(one, "LT-0001"))[0] == "corridor"
    assert await wrong(one, "LT-0001") == [("wrong_location", "stockroom-a")]
    assert await rebuilt_the_same(one)


async def test_what_is_verified_where_it_is_opens_nothing_and_keeps_its_since(one):
    before = await one.sql("SELECT * FROM asset_location WHERE asset = 'LT-0001'")
    for location in ("stockroom-a", "hq"):
        await use.verify(one.counting, seen("LT-0001", location), "scan", later(2))
    assert await one.sql("SELECT * FROM asset_location WHERE asset = 'LT-0001'") == before
    assert await wrong(one, "LT-0001") == []


async def test_a_tag_that_a_person_read_elsewhere_moves_nothing_and_opens_nothing(one):
    await use.verify(one.counting, seen("LT-0001", "corridor", grade="tag_seen"), "scan", later(2))
    assert await place(one, "LT-0001") == ("stockroom-a", True, None)
    assert await wrong(one, "LT-0001") == []


async def test_an_observation_older_than_the_door_that_moved_it_accuses_nothing(one):
    await one.take(movement(1, after_s=3 * 3600), now=later(4))
    await use.verify(one.counting, seen("LT-0001", "stockroom-a", at_h=2), "scan", later(4))
    assert await place(one, "LT-0001") == ("corridor", True, None)
    assert "wrong_location" not in [category for category, _ in await wrong(one, "LT-0001")]


async def test_what_lies_in_what_was_seen_is_there_too_and_is_not_verified(one):
    await one.sql("UPDATE asset SET parent = 'LT-0001', parent_since = %s WHERE id = 'DK-1'", START)
    await use.verify(one.counting, seen("LT-0001", "corridor"), "scan", later(2))
    assert (await place(one, "DK-1"))[0] == "corridor"
    assert (await one.counting.verified("DK-1", later(3))).history == []
    assert await rebuilt_the_same(one)


async def test_what_a_signed_count_misses_is_in_doubt_in_words_until_it_is_seen_again(one):
    run = await counted(one, "stockroom-a", seen("LT-0001", "stockroom-a"), sign=False)
    assert (await place(one, "LT-0002"))[1]
    await use.sign(one.counting, run, "ann", "", later(5))
    held, certain, doubt = await place(one, "LT-0002")
    assert (held, certain) == ("stockroom-a", False)
    assert f"Not found in stockroom-a by signed count {run}" in doubt
    assert await place(one, "LT-0001") == ("stockroom-a", True, None)
    assert await rebuilt_the_same(one)
    await use.verify(one.counting, seen("LT-0002", "stockroom-a", at_h=6), "scan", later(6))
    assert await place(one, "LT-0002") == ("stockroom-a", True, None)
    assert await rebuilt_the_same(one)
