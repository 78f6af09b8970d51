"""Presence rows on a real PostgreSQL become coverage, presence, counters and exceptions."""

from datetime import timedelta

from central.application.exceptions import Filter
from central.storage.rebuild import rebuild
from tests.helpers.central import START, central, epc, movement, registered_database
from tests.helpers.listening import count, hear, presence

BOTH = [epc(1), epc(2)]


async def counters(one, location="stockroom-a"):
    (values,) = await one.sql(
        "SELECT coverage, book, found, missing, unexpected, unknown FROM place_count WHERE location = %s", location
    )
    return values


async def swept(one, days, tags, *, first=0):
    """A sweep a day."""
    for day in range(first, first + days):
        await hear(one, presence(day + 1, tags, after_h=24 * day), after_h=24 * day + 0.5)


async def test_nothing_that_listened_is_not_counted(one):
    await count(one, after_h=1)
    assert await counters(one) == ("none", 2, 0, 0, 0, 2)
    assert await counters(one, "street") == ("none", 0, 0, 0, 0, 0)


async def test_a_sweep_finds_what_is_there(one):
    await hear(one, presence(1, BOTH), after_h=0.5)
    assert await counters(one) == ("sighted", 2, 2, 0, 0, 0)
    lines = await one.sql("SELECT kind, from_at FROM coverage WHERE location = 'stockroom-a' ORDER BY from_at")
    assert [kind for kind, _ in lines] == ["sighted", "balanced"]
    assert lines[0][1] == START


async def test_an_asset_that_is_always_heard_and_then_silent_is_missing_and_never_at_the_first_silence(one):
    await swept(one, 12, BOTH)
    buckets = []
    for day in range(12, 18):
        await swept(one, 1, [epc(2)], first=day)
        buckets.append((await counters(one))[3])
    assert buckets[0] == 0
    assert buckets[-1] == 1
    (found,) = await one.queue.listed(Filter(category="missing"), 10)
    assert (found.asset, found.location, found.suggestion) == ("LT-0001", "stockroom-a", None)
    await swept(one, 1, BOTH, first=18)
    (found,) = await one.queue.listed(Filter(category="missing"), 10)
    assert found.suggestion == "the world has put it right"
    assert await counters(one) == ("sighted", 2, 2, 0, 0, 0)


async def test_a_dark_door_ends_the_trust_and_the_count_with_it(one):
    await hear(one, presence(1, BOTH), after_h=0.5)
    await count(one, after_h=10)
    assert (await counters(one))[0] == "sighted"
    await one.sql(
        "INSERT INTO portal_outage (portal, from_at, reason, whole, planned)"
        " VALUES ('stockroom-a-door', %s, 'unplugged', true, false)",
        START + timedelta(hours=11),
    )
    await count(one, after_h=12)
    assert await counters(one) == ("none", 2, 0, 0, 0, 2)


async def test_what_leaves_through_the_door_is_in_the_book_no_more(one):
    await hear(one, presence(1, BOTH), after_h=0.5)
    await one.take(movement(1, after_s=3600), now=START + timedelta(hours=1))
    await count(one, after_h=1.1)
    assert await counters(one) == ("sighted", 1, 1, 0, 0, 0)
    assert (await counters(one, "corridor"))[1] == 2


async def test_an_asset_heard_elsewhere_is_at_a_wrong_place_until_its_story_says_where(one):
    await hear(one, presence(1, BOTH), presence(2, [], zone="corridor"), after_h=0.5)
    await hear(
        one, presence(3, [epc(2)], after_h=24), presence(4, [epc(1), epc(3)], zone="corridor", after_h=24), after_h=24.5
    )
    (found,) = await one.queue.listed(Filter(category="wrong_location"), 10)
    assert (found.asset, found.location) == ("LT-0001", "stockroom-a")
    assert not await one.queue.listed(Filter(category="missing"), 10)
    assert found.suggestion == "the world has put it right"
    assert await one.where("LT-0001") == "corridor"
    assert await counters(one, "corridor") == ("sighted", 2, 2, 0, 0, 0)
    assert await counters(one) == ("sighted", 1, 1, 0, 0, 0)


async def folded(one):
    """All that is folded; a line of the ledger ends where the next begins, the last one when somebody looked."""
    return [
        await one.sql("SELECT * FROM tag_presence ORDER BY location, asset"),
        await one.sql("SELECT * FROM sighting ORDER BY location, to_at, from_at"),
        await one.sql("SELECT * FROM stranger ORDER BY location, epc"),
        await one.sql("SELECT location, from_at, kind, probability FROM coverage ORDER BY location, from_at"),
    ]


async def test_late_rows_and_a_fold_from_the_beginning_end_like_rows_in_order(one, dsn):
    """The same rows in order here, and late, in parts and out of order there."""
    days = [presence(day + 1, BOTH if day % 3 else [epc(2)], after_h=24 * day) for day in range(6)]
    hours = [presence(10 + n, [epc(1)], zone="shelf", mode="zone", after_h=50 + n, minutes=60) for n in range(4)]
    await one.sql("INSERT INTO presence_zone VALUES ('hq-east-1', 'shelf', 'stockroom-a')")
    for day in days[:3]:
        await hear(one, day, after_h=24 * (day.seq - 1) + 1)
    for hour in hours:
        await hear(one, hour, after_h=52 + hour.seq - 10)
    for day in days[3:]:
        await hear(one, day, after_h=24 * (day.seq - 1) + 1)
    await count(one, after_h=200)
    in_order = await folded(one)
    with registered_database() as other:
        async with central(other) as two:
            await two.sql("INSERT INTO presence_zone VALUES ('hq-east-1', 'shelf', 'stockroom-a')")
            await hear(two, *days[4:], after_h=150)
            await hear(two, *reversed(hours), days[0], after_h=151)
            await hear(two, *days[1:4], *days[:2], after_h=152)
            await count(two, after_h=200)
            assert await folded(two) == in_order


async def test_a_zone_that_tells_every_ten_minutes_is_folded_once_an_hour_and_never_anew(one):
    await one.sql("INSERT INTO presence_zone VALUES ('hq-east-1', 'shelf', 'stockroom-a')")
    rounds = []
    for n in range(18):
        row = presence(n + 1, [epc(1)], zone="shelf", mode="zone", after_h=n / 6, minutes=10)
        await hear(one, row, after_h=(n + 1) / 6 + 0.01)
        ((reads,),) = await one.sql("SELECT coalesce(sum((r ->> 'hits')::float8), 0) FROM tag_presence, "
                                    "jsonb_array_elements(reads) AS r WHERE asset = 'LT-0001'")  # fmt: skip
        rounds.append(round(reads))
    assert rounds == [0] * 6 + [1] * 6 + [2] * 6
    await count(one, after_h=3.1)
    (known,) = await one.sql("SELECT heard_at, silent FROM tag_presence WHERE asset = 'LT-0002'")
    assert known == (None, 3)


async def test_a_rebuild_folds_every_place_anew_to_the_same(one):
    await swept(one, 4, BOTH)
    await one.take(movement(1, after_s=100 * 3600), now=START + timedelta(hours=101))
    await swept(one, 3, [epc(2)], first=5)
    before, counted = await folded(one), await counters(one)
    await rebuild(one.database, START + timedelta(hours=24 * 7 + 0.5))
    await count(one, after_h=24 * 7 + 0.5)
    assert await folded(one) == before
    assert await counters(one) == counted


async def test_a_zone_that_lies_nowhere_waits_and_is_folded_once_it_has_a_place(one):
    await hear(one, presence(1, BOTH, zone="shelf-9"), after_h=0.5)
    assert await one.sql("SELECT gateway, zone FROM zone_waiting") == [("hq-east-1", "shelf-9")]
    assert (await counters(one))[0] == "none"


async def test_presence_from_a_broken_clock_goes_to_the_quarantine(one):
    done = await one.take(presence(1, [], after_h=50), stream="presence")
    assert "set the gateway's clock" in done.refused[0].reason
