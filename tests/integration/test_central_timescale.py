"""The same service on TimescaleDB: the Apache edition, or whichever edition the DSN names."""

import os

import pytest

from central.storage.rebuild import projection_hash, rebuild
from tests.helpers.central import START, central, epc, movement
from tests.helpers.postgres import fresh_database
from tests.integration.test_central_rollups import (  # noqa: F401 (run here on the hypertable, by this module's `one`)
    test_finals_are_counted_by_door_hour_and_kind_once_each_however_late_and_often,
    test_old_presence_and_reader_hours_are_forgotten_and_no_movement_ever_is,
)

pytestmark = pytest.mark.timescale


@pytest.fixture
async def one():
    with fresh_database(os.environ["STOCKGATE_TIMESCALE_DSN"], migrated=False) as dsn:
        from central.storage.migrate import migrate  # noqa: PLC0415 (beside the database that it migrates)

        assert {"timescale/0001_movement_hypertable.sql", "timescale/0002_compression.sql"} <= set(migrate(dsn))
        async with central(dsn) as opened:
            yield opened


async def test_movements_lie_in_a_hypertable_of_daily_chunks(one):
    day = 86400
    await one.take(movement(1), movement(2, after_s=-day, tag=epc(2)), movement(3, after_s=-2 * day, tag=epc(3)))
    found = await one.sql("SELECT hypertable_name, num_chunks FROM timescaledb_information.hypertables")
    assert found == [("movement", 3)]


async def test_commit_alerts_and_rebuild_work_on_the_hypertable(one):
    rows = [movement(1, final=False), movement(2, rev=2, kind="turned_back", started_s=-1), movement(3, tag=epc(2))]
    await one.take(*rows)
    again = await one.take(*rows)
    assert (again.rows, again.repeated) == (0, 3)
    assert (await one.views.alerts(state="open", limit=9))[0].corrected
    assert await one.counts() == {"stockroom-a": 1, "corridor": 2}
    live = await projection_hash(one.database)
    await rebuild(one.database, START)
    assert await projection_hash(one.database) == live


async def test_the_log_stays_append_only_on_the_hypertable(one):
    await one.take(movement(1))
    with pytest.raises(Exception, match="never changed or deleted"):
        await one.sql("DELETE FROM movement")


async def test_old_chunks_are_compressed_where_the_edition_can(one):
    """The community edition gets a policy; the Apache edition has none and is migrated all the same."""
    edition = (await one.sql("SELECT current_setting('timescaledb.license')"))[0][0]
    jobs = await one.sql("SELECT proc_name FROM timescaledb_information.jobs WHERE hypertable_name = 'movement'")
    assert jobs == ([("policy_compression",)] if edition == "timescale" else [])


async def test_hours_of_doors_are_a_continuous_aggregate_where_the_edition_can(one):
    """Where it can't, ingest counts them itself; who reads the view sees the same."""
    edition = (await one.sql("SELECT current_setting('timescaledb.license')"))[0][0]
    await one.take(movement(1))
    counted = (await one.sql("SELECT count(*) FROM portal_hour_counted"))[0][0]
    assert counted == (0 if edition == "timescale" else 1)
    assert await one.sql("SELECT kind, passages, reads FROM portal_hour") == [("out", 1, 12)]
