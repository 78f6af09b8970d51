"""Import of the registry on a real PostgreSQL."""

from datetime import timedelta

import pytest

from tests.helpers.central import EPC, SHEETS, START, central, movement, registered_database
from tests.helpers.postgres import fresh_database


@pytest.fixture
async def one():
    with registered_database() as dsn:
        async with central(dsn) as opened:
            yield opened


async def everything(one):
    tables = ("location", "gateway", "portal", "asset", "tag", "authorisation", "asset_location")
    return {table: await one.sql(f"SELECT * FROM {table} ORDER BY 1") for table in tables}  # noqa: S608 (names above)


async def test_the_same_sheets_again_change_nothing(one):
    before = await everything(one)
    done = await one.import_(now=START + timedelta(days=1), **SHEETS)
    assert not done.problems
    assert await everything(one) == before


async def test_an_old_sheet_does_not_undo_what_a_door_saw(one):
    await one.take(movement(1))
    await one.import_(now=START + timedelta(days=1), **SHEETS)
    assert await one.where("LT-0001") == "corridor"


async def test_a_new_place_in_the_sheet_moves_the_asset(one):
    moved = SHEETS["assets"].replace("S1,stockroom-a", "S1,corridor")
    await one.import_(now=START + timedelta(days=1), assets=moved)
    assert await one.where("LT-0001") == "corridor"
    assert await one.counts() == {"stockroom-a": 1, "corridor": 2}


async def test_a_dry_run_asks_everything_and_writes_nothing(one):
    before = await everything(one)
    done = await one.import_(dry_run=True, assets="id,name,class,serial,location\nLT-9,New,laptop,,corridor\n")
    assert (done.rows, done.problems) == ({"assets": 1}, [])
    assert await everything(one) == before


async def test_all_problems_are_told_and_not_one_row_is_written(one):
    before = await everything(one)
    done = await one.import_(
        assets="id,name,class,serial,location\nLT-9,New,laptop,,nowhere\nLT-10,New,laptop,,corridor\n",
        tags=f"epc,asset,role\n{EPC},LT-0002,body\n3034,LT-404,body\n",
        portals="id,name,site,gateway,inside,outside,mode\nd,D,leeds,hq-east-1,corridor,corridor,\n",
        authorisations="id,asset,boundary,valid_from,valid_to,reason\n"
        "A,LT-1,corridor,2026-02-01T00:00:00Z,2026-01-01T00:00:00Z,\n",
        locations="id,name,kind,parent,guarded\na,A,zone,b,\nb,B,zone,a,\n",
    )
    told = [str(problem) for problem in done.problems]
    for expected in (
        "assets.csv:2: location: there is no location 'nowhere': add it to locations.csv",
        "tags.csv:3: asset: there is no asset 'LT-404': add it to assets.csv",
        "portals.csv:2: outside: a portal joins two different locations",
        "portals.csv:2: site: gateway 'hq-east-1' is at site 'hq' already, and an id is used once only",
        "authorisations.csv:2: asset: there is no asset 'LT-1': add it to assets.csv",
        "authorisations.csv:2: valid_to: comes before valid_from",
        "locations.csv:2: parent: location 'a' lies within itself: a > b > a",
    ):
        assert expected in told
    assert any(one.startswith(f"tags.csv:2: epc: {EPC} is on asset 'LT-0001' already") for one in told)
    assert any("'corridor' is not guarded" in one for one in told)
    assert await everything(one) == before


async def test_sheets_may_refer_to_each_other_and_stand_in_any_order():
    with fresh_database() as dsn:
        async with central(dsn, registry=False) as one:
            lines = SHEETS["locations"].splitlines()
            backwards = "\n".join([lines[0], *reversed(lines[1:])])
            done = await one.import_(**SHEETS | {"locations": backwards})
            assert not done.problems
            assert await one.counts() == {"stockroom-a": 2, "corridor": 1}


async def test_running_ingest_sees_a_new_portal_at_once(one):
    refused = await one.take(movement(1, portal="side-door"))
    assert refused.rejected == 1
    await one.import_(
        portals="id,name,site,gateway,inside,outside,mode\nside-door,S,hq,hq-east-1,stockroom-a,corridor,\n"
    )
    assert (await one.take(movement(2, portal="side-door"))).rows == 1


async def test_a_row_with_a_wrong_value_has_its_other_problems_told_and_causes_no_false_ones(one):
    done = await one.import_(
        locations="id,name,kind,parent,guarded\nhall,Hall,zonne,attic,\nloft,Loft,zone,corridor,perhaps\n",
        assets="id,name,class,serial,location\nLT-9,,laptop,,nowhere\nLT-10,New,laptop,,loft\n",
        tags="epc,asset,role\nzz,LT-404,body\n3034,LT-9,body\n",
    )
    told = sorted(str(problem) for problem in done.problems)
    assert [one.partition(" ")[0] for one in told] == [
        "assets.csv:2:", "assets.csv:2:", "locations.csv:2:", "locations.csv:2:", "locations.csv:3:", "tags.csv:2:",
        "tags.csv:2:",
    ]  # fmt: skip
    for expected in (
        "assets.csv:2: location: there is no location 'nowhere': add it to locations.csv",
        "locations.csv:2: parent: location 'attic' is not registered: import it in locations.csv",
        "tags.csv:2: asset: there is no asset 'LT-404': add it to assets.csv",
    ):
        assert expected in told


async def test_serials_told_by_imports_that_overtake_each_other_follow_one_another(one):
    """Five begin at once and wait for each other: the last to write may have begun first, or in the same instant."""
    header = "id,name,class,serial,location\n"
    for number, late_s in enumerate((5, 3, 3, 4, 1)):
        now = START + timedelta(seconds=late_s)
        done = await one.import_(now=now, assets=f"{header}LT-9,New,laptop,X{number},corridor\n")
        assert not done.problems
    rows = await one.sql("SELECT serial, from_at, to_at FROM asset_serial WHERE asset = 'LT-9' ORDER BY from_at")
    assert [serial for serial, _, _ in rows] == ["X0", "X1", "X2", "X3", "X4"]
    assert [end for _, _, end in rows] == [*(start for _, start, _ in rows[1:]), None]
