"""Who gets an exception: the role that owns the place, inherited, and its nearest holder, never who has the asset."""

from datetime import timedelta

import pytest

from central.application.exceptions import Filter
from central.application.openings import Opening
from central.jobs.exceptions import exception_jobs
from tests.helpers.central import START, central, registered_database

PEOPLE = """
INSERT INTO person (id, name) VALUES ('ann', 'Ann'), ('bob', 'Bob'), ('cid', 'Cid'), ('dee', 'Dee');
INSERT INTO role (id, name) VALUES ('keeper', 'Keeper'), ('security', 'Security'), ('branch_admin', 'Branch admin');
UPDATE location SET owner_role = 'keeper' WHERE id = 'hq-site';
INSERT INTO role_holder (role, location, person) VALUES
    ('keeper', 'hq-site', 'ann'), ('keeper', 'hq', 'bob'), ('keeper', 'hq', 'cid'), ('security', NULL, 'dee');
UPDATE registry_version SET version = version + 1;
"""


@pytest.fixture
async def one():
    with registered_database() as dsn:
        async with central(dsn) as opened:
            for statement in filter(str.strip, PEOPLE.split(";")):
                await opened.sql(statement)
            yield opened


async def open_(one, *openings, now=START):
    async with one.queue.work() as work:
        await work.open_exceptions(openings, now)


async def owners(one):
    """(category, asset, role, owner, state) of what is open."""
    found = await one.queue.listed(Filter(), 50)
    return sorted((each.category, each.asset, each.owner_role, each.owner, each.state) for each in found)


def opening(category="missing", asset="LT-0001", location="stockroom-a"):
    return Opening(category, None, asset, location, START, {})


async def test_the_nearest_holders_of_the_inherited_role_share_what_comes(one):
    """The site owns it by `keeper`, whose nearest holders are at the building; security's are everywhere."""
    await open_(one, opening(), opening(asset="LT-0002"), opening("unauthorised_exit"), opening(location="street"))
    assert await owners(one) == [
        ("missing", "LT-0001", "branch_admin", None, "open"),
        ("missing", "LT-0001", "keeper", "bob", "assigned"),
        ("missing", "LT-0002", "keeper", "cid", "assigned"),
        ("unauthorised_exit", "LT-0001", "security", "dee", "assigned"),
    ]
    (mine,) = await one.queue.listed(Filter(owner="bob"), 9)
    told = [(event.kind, event.by) for event in (await one.queue.detail(mine.id)).history]
    assert told == [("opened", "central"), ("assign", "central")]


async def test_nobody_gets_what_is_about_an_asset_in_their_own_custody(one):
    await one.sql("DELETE FROM role_holder WHERE person = 'cid'")
    await one.sql(
        "INSERT INTO asset_state (asset, custody_kind, custodian, custody_since, title, holds)"
        " VALUES ('LT-0001', 'person', 'bob', now(), 'owned', '{}')"
        " ON CONFLICT (asset) DO UPDATE SET custody_kind = 'person', custodian = 'bob', custody_since = now()"
    )
    await open_(one, opening())
    assert await owners(one) == [("missing", "LT-0001", "keeper", "ann", "assigned")]


async def test_what_waited_goes_to_the_first_who_holds_the_role(one):
    await one.sql("DELETE FROM role_holder WHERE role = 'keeper'")
    await open_(one, opening())
    assert await owners(one) == [("missing", "LT-0001", "keeper", None, "open")]
    jobs = exception_jobs(one.queue, lambda: START + timedelta(hours=1))
    (job,) = (each for each in jobs if each.name == "assign_exceptions")
    assert await job.run() == ""
    await one.sql("INSERT INTO role_holder (role, location, person) VALUES ('keeper', 'hq-site', 'ann')")
    assert await job.run() == "assigned 1 exceptions"
    assert await owners(one) == [("missing", "LT-0001", "keeper", "ann", "assigned")]
