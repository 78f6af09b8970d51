"""The nightly review of records: nobody in charge, one serial twice, a verification that holds no more."""

from datetime import timedelta

import pytest
from msgspec import structs

from central.application.exceptions import Filter
from central.application.reviewing import review_doors, review_passages, review_records, review_tags
from tests.helpers.central import START, central, movement, registered_database

DAY = timedelta(days=1)


@pytest.fixture
async def one():
    with registered_database() as dsn:
        async with central(dsn) as opened:
            yield opened


async def wrong(one, category=None):
    found = await one.queue.listed(Filter(category=category), 50)
    return sorted((each.category, each.asset, each.suggestion) for each in found)


async def test_wrong_records_are_exceptions_until_they_are_put_right(one):
    assert await review_records(one.queue, START) == 0
    await one.sql("INSERT INTO asset_state (asset, lifecycle, lifecycle_since, custody_kind, title, holds)"
                  " VALUES ('LT-0001', 'in_use', '2026-03-01Z', 'none', 'owned', '{}')")  # fmt: skip
    await one.sql("UPDATE asset SET cost_centre = '4100' WHERE id = 'LT-0001'")
    await one.sql("UPDATE asset_serial SET serial = 's1' WHERE asset = 'LT-0002'")
    await one.sql("""INSERT INTO verification (asset, at, location, how, grade, confidence, evidence, by, recorded_at)
                  VALUES ('LT-0003', '2026-03-02Z', 'corridor', 'scan', 'barcode', 1, 'h7', 'ann', '2026-03-02Z')""")
    assert await review_records(one.queue, START) == 3
    told = [("duplicate_serial", "LT-0001", None), ("duplicate_serial", "LT-0002", None),
            ("unassigned_asset", "LT-0001", None)]  # fmt: skip
    assert await wrong(one) == told
    assert await review_records(one.queue, START + 400 * DAY) == 4
    assert await review_records(one.queue, START + 401 * DAY) == 4
    assert await wrong(one) == sorted([*told, ("stale_record", "LT-0003", None)])
    await one.sql("UPDATE asset_serial SET serial = 's2' WHERE asset = 'LT-0002'")
    await one.sql("UPDATE asset_state SET custody_kind = 'stockroom', custodian = 'hq', custody_since = now(),"
                  " lifecycle = 'in_stock'")  # fmt: skip
    assert await review_records(one.queue, START + 402 * DAY) == 1
    right = "the world has put it right"
    assert await wrong(one) == [
        ("duplicate_serial", "LT-0001", right), ("duplicate_serial", "LT-0002", right),
        ("stale_record", "LT-0003", None), ("unassigned_asset", "LT-0001", right),
    ]  # fmt: skip


async def test_what_nobody_pays_and_whom_hr_does_not_have_is_told_until_it_is_put_right(one):
    await one.people("ann", "bob")
    await one.sql(
        "INSERT INTO asset_state (asset, lifecycle, lifecycle_since, custody_kind, custodian, custody_since,"
        " title, holds) SELECT a, 'in_use', '2026-03-01Z', 'person', p, '2026-03-01Z', 'owned', '{}'"
        " FROM (VALUES ('LT-0001', 'ann'), ('LT-0002', 'bob'), ('LT-0003', 'cid')) AS v (a, p)"
    )
    await one.sql("UPDATE asset SET cost_centre = '4100' WHERE id <> 'LT-0002'")
    await one.sql("UPDATE person SET active = false WHERE id = 'ann'")
    assert await review_records(one.queue, START) == 3
    told = [("cost_centre_missing", "LT-0002"), ("user_not_in_hrms", "LT-0001"), ("user_not_in_hrms", "LT-0003")]
    assert [each[:2] for each in await wrong(one)] == told
    await one.sql("UPDATE asset SET cost_centre = '4100'")
    await one.sql("UPDATE person SET active = true WHERE id = 'ann'")
    assert await review_records(one.queue, START + DAY) == 1
    right = "the world has put it right"
    assert [each[2] for each in await wrong(one)] == [right, right, None]


async def crossings(one, reads, *, begin=0):
    """Crossings of the stockroom's door by the first laptop, an hour apart, with so many reads each."""
    rows = []
    for place, times in enumerate(reads, begin):
        row = movement(place + 1, kind="out" if place % 2 == 0 else "in", after_s=3600 * place)
        rows.append(structs.replace(row, reads=times))
    await one.take(*rows, now=START + timedelta(hours=begin + len(reads)))


async def test_a_tag_that_is_read_less_than_before_is_told_once_and_no_more_when_it_is_as_before(one):
    await crossings(one, [30, 34, 28, 31, 36, 29, 33, 30, 35, 32, 31, 30])
    now = START + DAY
    assert await review_tags(one.queue, now, part=1) == 0
    await crossings(one, [9, 11, 8, 10, 12, 9], begin=12)
    assert [await review_tags(one.queue, now) for _ in range(2)] == [1, 1]
    ((category, asset, suggestion),) = await wrong(one, "weak_tag")
    assert (category, asset, suggestion) == ("weak_tag", "LT-0001", None)
    (found,) = await one.queue.listed(Filter(category="weak_tag"), 9)
    (occurrence,) = (await one.queue.detail(found.id)).occurrences
    assert (occurrence.evidence["usual_reads"], occurrence.evidence["reads_now"]) == ("31", "9.5")
    await crossings(one, [31], begin=18)
    assert await review_tags(one.queue, now) == 0
    assert [each[2] for each in await wrong(one, "weak_tag")] == ["the world has put it right"]
    await one.sql("DELETE FROM passage")
    assert await review_tags(one.queue, now + 30 * DAY) == 0


async def test_a_door_that_surely_misses_crossings_is_told_at_its_place(one):
    figures = (
        "INSERT INTO portal_accuracy SELECT p, '2026-02-01Z', '2026-03-01Z', 100, 20, 0.16, low, 0.2, 20, 15,"
        " 25, 0, 0, 0, 0 FROM (VALUES ('stockroom-a-door', 0.11), ('back-door', 0.04)) AS v (p, low)"
    )
    await one.sql(figures)
    assert [await review_doors(one.queue, START + day * DAY) for day in range(2)] == [1, 1]
    (found,) = await one.queue.listed(Filter(), 9)
    assert (found.category, found.asset, found.location) == ("missed_crossing", None, "stockroom-a")
    (occurrence,) = (await one.queue.detail(found.id)).occurrences
    assert (occurrence.evidence["portal"], occurrence.key) == ("stockroom-a-door", "stockroom-a-door")
    await one.sql("UPDATE portal_accuracy SET miss_rate_low = 0.01")
    assert await review_doors(one.queue, START + 2 * DAY) == 0
    (found,) = await one.queue.listed(Filter(), 9)
    assert found.suggestion == "the world has put it right"


async def test_a_passage_without_a_way_waits_in_the_queue_until_the_asset_is_placed(one):
    await one.take(movement(1, kind="unresolved", portal="main-entrance"))
    ((category, asset, suggestion),) = await wrong(one, "ambiguous_passage")
    assert (category, asset, suggestion) == ("ambiguous_passage", "LT-0001", None)
    assert await review_passages(one.queue, START + DAY) == 0
    await one.take(movement(2, after_s=600), now=START + timedelta(hours=1))
    assert await review_passages(one.queue, START + DAY) == 1
    assert await wrong(one, "ambiguous_passage") == [("ambiguous_passage", "LT-0001", "its place is known since")]
    assert await review_passages(one.queue, START + 2 * DAY) == 0


async def test_a_later_word_that_knows_the_way_takes_the_question_back(one):
    await one.take(movement(1, kind="unresolved", portal="main-entrance"))
    row = movement(2, kind="turned_back", portal="main-entrance", rev=2, started_s=-1)
    await one.take(row, now=START + timedelta(hours=1))
    assert await wrong(one, "ambiguous_passage") == [("ambiguous_passage", "LT-0001", "the world has put it right")]
