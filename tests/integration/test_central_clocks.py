"""A gateway whose clock is ahead moves nothing into the future."""

import random
from datetime import timedelta

import pytest

from central.storage.rebuild import projection_hash, rebuild
from tests.helpers.central import START, movement, wire

S = timedelta(seconds=1)


async def place(one):
    return await one.sql("SELECT location, since FROM asset_location WHERE asset = 'LT-0001'")


async def test_what_is_still_to_come_is_dated_when_it_came_and_undone_by_what_happens_then(one):
    """The clock is ten minutes ahead, and put right before the asset comes back."""
    came = START + 60 * S
    await one.take(movement(1, after_s=660), now=came)
    assert (await place(one))[0] == ("corridor", came)
    await one.take(movement(2, kind="in", after_s=90), now=START + 95 * S)
    assert (await place(one))[0] == ("stockroom-a", START + 90 * S)
    assert await one.sql("SELECT at, crossed_at FROM movement ORDER BY seq") == [
        (came, START + 660 * S), (START + 90 * S, START + 90 * S),
    ]  # fmt: skip
    live = await projection_hash(one.database)
    await rebuild(one.database, START + 100 * S)
    assert await projection_hash(one.database) == live
    assert await one.sql("SELECT synced FROM passage ORDER BY seq") == [(False,), (True,)]


async def test_a_gateway_that_is_ahead_is_told_once_until_it_is_ahead_by_more(one):
    async def told():
        return await one.sql("SELECT kind, severity, gateway, reason FROM alert WHERE kind = 'gateway_clock'")

    await one.take(movement(1, after_s=69), now=START + 60 * S)
    assert await told() == [], "clocks that are kept differ, too"
    await one.take(movement(2, after_s=660), now=START + 60 * S)
    await one.take(movement(3, after_s=665), now=START + 61 * S)
    ((kind, severity, gateway, reason),) = await told()
    assert (kind, severity, gateway) == ("gateway_clock", "low", "hq-east-1")
    assert "about 10 minutes ahead" in reason
    assert await one.sql("SELECT e.kind FROM alert_event AS e JOIN alert AS a ON a.id = e.alert"
                         " WHERE a.kind = 'gateway_clock'") == [("raised",)]  # fmt: skip
    await one.take(movement(4, after_s=1860), now=START + 62 * S)
    assert "about 30 minutes ahead" in (await told())[0][3]


async def test_a_row_of_the_future_that_comes_again_counts_once(one):
    rows = [movement(seq, kind="in" if seq % 2 else "out", after_s=600 + seq) for seq in range(1, 9)]
    again = [*rows, *rows]
    random.Random(1).shuffle(again)
    for number, row in enumerate(again):
        await one.take(row, now=START + (60 + number) * S)
    assert await one.sql("SELECT count(*), count(DISTINCT seq) FROM movement") == [(8, 8)]
    live = await projection_hash(one.database)
    await rebuild(one.database, START + 100 * S)
    assert await projection_hash(one.database) == live


@pytest.mark.parametrize("after_s", [3_661, 7_200])
async def test_more_than_an_hour_ahead_waits_in_the_quarantine(one, after_s):
    done = await one.take(movement(1, after_s=after_s), now=START + 60 * S)
    assert [wire(START + after_s * S)[:19] in item.reason for item in done.refused] == [True]
    assert await one.sql("SELECT count(*) FROM movement") == [(0,)]
