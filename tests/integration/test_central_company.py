"""What lies in another asset moves with it, until it is seen apart; on a real PostgreSQL."""

import pytest

from central.application.exceptions import Filter
from central.storage.rebuild import projection_hash, rebuild
from tests.helpers.central import START, central, epc, movement, registered_database


@pytest.fixture
async def one():
    """LT-0001 lies in the bag LT-0002, and a dock without a tag in LT-0001."""
    with registered_database() as dsn:
        async with central(dsn) as opened:
            sheet = "id,name,class,serial,location,parent\nDK-1,Dock,dock,,stockroom-a,LT-0001\n"
            sheet += "LT-0001,Laptop 1,laptop,S1,stockroom-a,LT-0002\n"
            assert not (await opened.import_(assets=sheet)).problems
            yield opened


async def places(one):
    return [await one.where(asset) for asset in ("LT-0002", "LT-0001", "DK-1")]


async def apart(one):
    return [each.asset for each in await one.queue.listed(Filter(category="separated"), 9) if not each.suggestion]


async def test_what_lies_in_an_asset_goes_where_that_goes(one):
    """The bag alone is read; neither a way of its own nor a missed door is told of what it holds."""
    await one.take(movement(1, tag=epc(2)))
    assert await places(one) == ["corridor"] * 3
    await one.take(movement(2, tag=epc(2), portal="main-entrance", after_s=30))
    assert await places(one) == ["street"] * 3
    legs = await one.transfers.legs(asset=None, under_way=None, now=START, limit=9)
    assert {leg.asset for leg in legs} <= {"LT-0002"}
    assert await apart(one) == []
    before = await projection_hash(one.database)
    await rebuild(one.database, START)
    assert await projection_hash(one.database) == before


@pytest.mark.parametrize("late", [False, True])
async def test_what_is_seen_apart_goes_its_own_way_from_then_on(one, late):
    """The laptop comes back alone, and its dock with it; the bag goes on without them, whichever is told first."""
    out = movement(1, tag=epc(2)), movement(2, tag=epc(1), after_s=2)
    back, on = (
        movement(3, tag=epc(1), kind="in", after_s=120),
        movement(4, tag=epc(2), portal="main-entrance", after_s=300),
    )
    await one.take(*out)
    assert (await places(one), await apart(one)) == (["corridor"] * 3, [])
    for each in (on, back) if late else (back, on):
        await one.take(each)
    assert await places(one) == ["street", "stockroom-a", "stockroom-a"]
    assert await apart(one) == ["LT-0001"]
