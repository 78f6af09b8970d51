"""The nightly review of records: nobody in charge, one serial twice, a verification that holds no more."""

from datetime import timedelta

import pytest

from central.application.exceptions import Filter
from central.application.reviewing import review_records
from tests.helpers.central import START, central, registered_database

DAY = timedelta(days=1)


@pytest.fixture
async def one():
    with registered_database() as dsn:
        async with central(dsn) as opened:
            yield opened


async def wrong(one):
    found = await one.queue.listed(Filter(), 50)
    return sorted((each.category, each.asset, each.suggestion) for each in found)


async def test_wrong_records_are_exceptions_until_they_are_put_right(one):
    assert await review_records(one.queue, START) == 0
    await one.sql("INSERT INTO asset_state (asset, lifecycle, lifecycle_since, custody_kind, title, holds)"
                  " VALUES ('LT-0001', 'in_use', '2026-03-01Z', 'none', 'owned', '{}')")  # fmt: skip
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
