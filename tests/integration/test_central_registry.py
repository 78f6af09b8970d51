"""The registry on a real PostgreSQL: axes, dated tags, undo of imports, authorisations, a large workbook."""

import io
from datetime import timedelta

import httpx
import openpyxl
import pytest

from central.api.server import create_app
from central.application.errors import NotFound, Separated, StepUnfit
from central.application.importing import import_sheets
from central.application.registering import Said, authorise, say, withdraw
from central.application.sheets import Sheets
from central.application.undoing import undo_import
from central.application.upkeep import measure_doors
from central.application.workbooks import read_workbook
from central.storage.rebuild import projection_hash, rebuild
from central.storage.register import PgRegister
from central.storage.registry import PgRegistry
from tests.helpers.central import EPC, SHEETS, START, central, epc, movement, registered_database

DAY = timedelta(days=1)
PEOPLE = {
    "roles": "id,name\nbranch-admin,Branch admin\n",
    "locations": "id,name,kind,parent,guarded,country,subdivision,timezone,owner_role\n"
    "hq-site,Headquarters,site,,,gb,ENG,Europe/London,branch-admin\n",
    "people": "id,name,location,active\np1,Person One,hq,\np2,Person Two,,true\np3,Person Three,,\n",
    "role_holders": "role,location,person\nbranch-admin,hq-site,p1\nbranch-admin,,p2\n",
    "pools": "id,name,owner\nloaners,Loaners,p2\n",
    "neighbours": "portal,neighbour\nmain-entrance,back-door\n",
    "openings": "id,location,kind,portal\no1,stockroom-a,portal,stockroom-a-door\no2,stockroom-a,alarmed_door,\n"
    "o3,hq,portal,main-entrance\n",
}
AXES = (
    "id,name,class,serial,location,model,cost_centre,parent,lifecycle,custody_kind,custodian,condition,data_state,title,"
    "title_holder,title_return_on\n"
    "LT-0001,Laptop 1,laptop,S1,stockroom-a,Latitude 7450,CC-1,,in_stock,stockroom,stockroom-a,working,wiped,leased,"
    "Lessor,2027-01-31\n"
    "LT-0002,Laptop 2,laptop,S2b,stockroom-a,Latitude 7450,CC-1,LT-0001,in_use,person,p1,,,,,\n"
)


@pytest.fixture
async def one():
    with registered_database() as dsn:
        async with central(dsn) as opened:
            opened.store = PgRegistry(opened.database)
            opened.register = PgRegister(opened.database, opened.log)
            yield opened


async def undo(one, number, **how):
    return await undo_import(one.store, number, "import", START + 2 * DAY, **how)


async def everything(one):
    """What the registry says, without what only the log keeps."""
    tables = ("person", "role", "role_holder", "pool", "gateway", "portal", "portal_neighbour", "opening",
              "asset_serial", "tag", "authorisation", "asset_state", "asset_location")  # fmt: skip
    found = {name: await one.sql(f"SELECT * FROM {name} AS t ORDER BY t::text") for name in tables}  # noqa: S608 (above)
    found["asset"] = await one.sql("SELECT * FROM asset WHERE withdrawn_at IS NULL ORDER BY id")
    found["location"] = await one.sql("SELECT * FROM location WHERE withdrawn_at IS NULL ORDER BY id")
    counted = "SELECT location, sum(count) FROM location_counter GROUP BY 1 HAVING sum(count) <> 0 ORDER BY 1"
    return found | {"counts": await one.sql(counted)}


async def test_all_sheets_go_in_are_read_back_and_an_undo_leaves_the_registry_as_it_was(one):
    before = await everything(one)
    done = await one.import_(now=START + DAY, **PEOPLE, assets=AXES)
    assert not done.problems
    life = await one.register.life("LT-0001")
    assert (life.model, life.cost_centre, life.children) == ("Latitude 7450", "CC-1", ["LT-0002"])
    assert (life.state.lifecycle, life.state.title_holder) == ("in_stock", "Lessor")
    assert (life.state.custody_kind, life.state.custodian) == ("stockroom", "stockroom-a")
    serials = [(row.serial, row.to_at) for row in (await one.register.life("LT-0002")).serials]
    assert serials == [("S2b", None), ("S2", START + DAY)]
    assert [row.id for row in await one.views.assets(location=None, query="s2", limit=9, now=START)] == ["LT-0002"]
    places = {row.id: row for row in await one.register.places()}
    assert (places["stockroom-a"].country, places["stockroom-a"].subdivision) == ("GB", "ENG")
    assert places["stockroom-a"].closed
    assert (places["hq"].closed, places["hq"].unlisted) == (False, ["back-door"])
    assert await one.register.answering("branch-admin", "stockroom-a") == ["p1"]
    assert await one.register.answering("branch-admin", "street") == ["p2"]
    live = await projection_hash(one.database)
    await rebuild(one.database, START + DAY)
    assert await projection_hash(one.database) == live
    assert not (await undo(one, done.id)).problems
    assert await everything(one) == before
    with pytest.raises(NotFound, match="taken back already"):
        await undo(one, done.id)


async def test_the_first_import_of_all_can_be_taken_back_and_made_again(one):
    (number,) = [row.id for row in await one.register.imports(9)]
    before = await everything(one)
    assert not (await undo(one, number)).problems
    after = await everything(one)
    assert not any(after.values())
    again = await one.import_(now=START + 3 * DAY, **SHEETS)
    assert not again.problems
    assert {name for name, rows in (await everything(one)).items() if len(rows) != len(before[name])} == set()
    assert await one.counts() == {"stockroom-a": 2, "corridor": 1}


async def test_what_came_later_stands_in_the_way_of_an_undo_and_is_told_by_row(one):
    first = await one.import_(
        now=START - DAY,
        assets="id,name,class,serial,location\nLT-7,Seven,laptop,,stockroom-a\nLT-8,Eight,laptop,,stockroom-a\n",
        tags=f"epc,asset,role\n{epc(7)},LT-7,body\n{epc(8)},LT-8,body\n",
    )
    await one.import_(now=START - DAY / 2, assets="id,name,class,serial,location\nLT-8,Eight again,laptop,,\n")
    await one.take(movement(1, tag=epc(7)))
    before = await everything(one)
    done = await undo(one, first.id)
    told = [str(problem) for problem in done.problems]
    assert told[0] == "assets.csv:2: assets 'LT-7': it passed stockroom-a-door at 2026-03-02 09:00:00+00"
    assert told[1] == "assets.csv:3: assets 'LT-8' was changed since: take that back first"
    assert await everything(one) == before


NEW_DOOR = """id,name,site,gateway,inside,outside,mode
side-door,Side door,hq,hq-east-1,stockroom-a,corridor,
"""
MISSED = "SELECT asset, portal, at, share FROM missed_crossing ORDER BY 1, 2, 3"


async def test_a_new_door_is_blamed_for_nothing_of_before_it_came_and_its_import_can_be_taken_back(one):
    await one.take(movement(1, portal="main-entrance"))
    before, missed = await everything(one), await one.sql(MISSED)
    assert [row[:2] for row in missed] == [("LT-0001", "stockroom-a-door")]
    done = await one.import_(now=START + DAY, portals=NEW_DOOR)
    assert await one.sql(MISSED) == missed
    await measure_doors(one.upkeep, START + 2 * DAY)
    measured = {row.portal: row for row in await one.upkeep.accuracy()}
    assert (measured["side-door"].missed, measured["side-door"].since) == (0, START + DAY)
    assert measured["stockroom-a-door"].missed > 0.5
    assert not (await undo(one, done.id)).problems
    assert (await everything(one), await one.sql(MISSED)) == (before, missed)


async def test_what_a_door_is_blamed_for_since_it_came_goes_to_the_others_when_its_import_is_taken_back(one):
    done = await one.import_(now=START, portals=NEW_DOOR)
    await one.take(movement(1, portal="main-entrance", after_s=60), now=START + DAY)
    assert [(portal, share) for _, portal, _, share in await one.sql(MISSED)] == [
        ("side-door", 0.5), ("stockroom-a-door", 0.5),
    ]  # fmt: skip
    assert not (await undo(one, done.id)).problems
    assert [(portal, share) for _, portal, _, share in await one.sql(MISSED)] == [("stockroom-a-door", 1.0)]
    live = await projection_hash(one.database)
    await rebuild(one.database, START + 2 * DAY)
    assert await projection_hash(one.database) == live


async def test_a_door_that_somebody_muted_stays_and_the_undo_says_why(one):
    done = await one.import_(now=START, portals=NEW_DOOR)
    await one.sql("""INSERT INTO portal_measure (portal, kind, mode, reason, by, from_at, until_at)
        VALUES ('side-door', 'muted', 'observe', 'works', 'p1', '2026-03-02Z', '2026-03-03Z')""")
    (told,) = [str(problem) for problem in (await undo(one, done.id)).problems]
    assert told.startswith("portals.csv:2: portals 'side-door': p1 told it to be quieter from 2026-03-02")


async def test_open_work_that_names_a_vendor_role_or_person_stands_in_the_way_and_is_told_by_row(one):
    done = await one.import_(
        now=START,
        roles="id,name\nr2,Second\nit_ops_head,Head\n",
        people="id,name\nn5,Five\nn6,Six\n",
        locations="id,name,kind,parent,guarded\nll7,Repairs,vendor,,\n",
    )
    assert not done.problems
    await one.sql("""INSERT INTO repair VALUES ('R-1', 'LT-0001', 'll7', 'RMA', 'stockroom-a', '2026-03-02Z',
        '2026-03-20', '2026-03-20Z', 'c', NULL, NULL)""")
    await one.sql("""INSERT INTO alert (incident, kind, severity, state, late, gateway, at, raised_at, reason,
        acknowledged_at, acknowledged_by) VALUES ('i', 'stale_snapshot', 'low', 'acknowledged', false, 'hq-east-1',
        '2026-03-02Z', '2026-03-02Z', 'old', '2026-03-02Z', 'n5')""")
    await one.sql("""INSERT INTO act (at, recorded_at, kind, subject, by, detail)
        VALUES ('2026-03-02Z', '2026-03-02Z', 'sla_policy_set', 'loan', 'n6', '{}')""")
    await one.sql("UPDATE sla_policy SET path = '{owner,r2}', steps = '{0}' WHERE subject_kind = 'loan'")
    assert [str(problem) for problem in (await undo(one, done.id)).problems] == [
        "locations.csv:2: locations 'll7': asset LT-0001 is in repair there: repair R-1 is open",
        "people.csv:2: people 'n5': they have alert 1, which is not resolved",
        "roles.csv:2: roles 'r2': deadlines of kind loan escalate to it",
    ]
    await one.sql("UPDATE repair SET closed_at = '2026-03-03Z', outcome = 'repaired'")
    await one.sql("UPDATE alert SET state = 'open', acknowledged_at = NULL, acknowledged_by = NULL")
    await one.sql("UPDATE sla_policy SET path = '{owner,it_ops_head}' WHERE subject_kind = 'loan'")
    assert [problem.text for problem in (await undo(one, done.id)).problems] == [
        "roles 'it_ops_head': deadlines of kind loan escalate to it"
    ]
    await one.sql("UPDATE sla_policy SET path = '{owner,desk}' WHERE subject_kind = 'loan'")
    assert not (await undo(one, done.id)).problems


async def test_a_tag_that_was_bound_by_a_later_import_stands_in_the_way(one):
    first = await one.import_(now=START, assets="id,name,class,serial,location\nLT-7,Seven,laptop,,\n")
    await one.import_(now=START + DAY, tags=f"epc,asset,role\n{epc(7)},LT-7,body\n")
    told = [str(problem) for problem in (await undo(one, first.id, dry_run=True)).problems]
    assert told == [f"assets.csv:2: assets 'LT-7': tag {epc(7)} is on it"]


async def test_a_tag_moves_the_asset_that_it_was_on_at_that_instant(one):
    off = f"epc,asset,role,state,bound_to\n{EPC},LT-0001,body,retired,{(START + DAY).isoformat()}\n"
    assert not (await one.import_(now=START + DAY, tags=off)).problems
    onto = f"epc,asset,role\n{EPC},LT-0003,body\n"
    assert not (await one.import_(now=START + 2 * DAY, tags=onto)).problems
    await one.take(movement(1, after_s=60), now=START + 3 * DAY)
    assert (await one.where("LT-0001"), await one.where("LT-0003")) == ("corridor", "corridor")
    later = movement(2, after_s=2.5 * 86400, portal="main-entrance")
    await one.take(later, now=START + 3 * DAY)
    assert (await one.where("LT-0001"), await one.where("LT-0003")) == ("corridor", "street")
    assert [row.asset for row in await one.views.movements(limit=9)] == ["LT-0003", "LT-0001"]
    retired = await one.take(movement(3, after_s=1.5 * 86400), now=START + 3 * DAY)
    assert retired.unknown_tags == 1


async def test_a_state_is_said_word_by_word_and_only_what_may_follow_is_taken(one):
    await one.import_(**PEOPLE)
    now = START + DAY

    async def told(word, subject=None, at=None, **detail):
        return await say(one.store, "LT-0001", Said(word, "p1", detail, subject, at), now)

    await told("lifecycle_set", lifecycle="in_stock")
    with pytest.raises(StepUnfit, match="disposed can't follow in_stock: what may is reserved, in_use"):
        await told("lifecycle_set", lifecycle="disposed")
    await told("custody_given", kind="person", custodian="p1")
    with pytest.raises(NotFound, match="there is no person 'p7'"):
        await told("custody_given", kind="person", custodian="p7")
    with pytest.raises(StepUnfit, match="'p2' can't acknowledge what person 'p1' answers for"):
        await told("custody_acknowledged", custodian="p2")
    with pytest.raises(StepUnfit, match="still to come"):
        await told("condition_set", at=now + DAY, condition="damaged")
    state = await told("custody_acknowledged", custodian="p1")
    assert state.custody_acknowledged_at == now
    state = await told("hold_set", "case-1", kind="legal")
    assert state.blocked_by == ("legal",)
    live = await projection_hash(one.database)
    await rebuild(one.database, now)
    assert await projection_hash(one.database) == live
    with pytest.raises(NotFound, match="no asset 'LT-404'"):
        await say(one.store, "LT-404", Said("condition_set", "p1", {"condition": "working"}), now)


async def test_a_gate_pass_lets_out_until_it_is_withdrawn_and_nobody_approves_an_own_one(one):
    await one.import_(**PEOPLE)
    values = {
        "id": "GP-1", "kind": "gate_pass", "asset": "LT-0001", "boundary": "stockroom-a", "person": "p3",
        "valid_to": START + 9 * DAY, "expected_return": START + 9 * DAY, "single_use": True, "requested_by": "p1",
        "reason": "works at home",
        "approved_by": "p2",
    }  # fmt: skip
    for column, other in (("approved_by", "p1"), ("approved_by", "p3"), ("person", None), ("reason", " "),
                          ("expected_return", None)):  # fmt: skip
        with pytest.raises(StepUnfit, match=f"{column}: "):
            await authorise(one.store, values | {column: other}, START - DAY)
    with pytest.raises(NotFound, match="person: there is no person 'p7'"):
        await authorise(one.store, values | {"person": "p7"}, START - DAY)
    await authorise(one.store, values, START - DAY)
    with pytest.raises(StepUnfit, match="is there already"):
        await authorise(one.store, values, START - DAY)
    assert not (await one.take(movement(1))).alerts
    await withdraw(one.store, "GP-1", "p2", "no longer needed", START + DAY)
    with pytest.raises(StepUnfit, match="was withdrawn at"):
        await withdraw(one.store, "GP-1", "p2", "again", START + DAY)
    await one.take(movement(2, kind="in", after_s=3600), now=START + 3 * DAY)
    assert (await one.take(movement(3, after_s=2 * 86400), now=START + 3 * DAY)).alerts
    (shown,) = await one.register.authorisations("LT-0001", 9)
    assert (shown.withdrawn_at, shown.single_use) == (START + DAY, True)


async def test_a_pass_for_one_use_is_spent_by_the_first_exit_in_whatever_order_they_come(one):
    await one.import_(**PEOPLE)
    values = {"id": "L-1", "kind": "loan", "asset": "LT-0001", "boundary": "hq", "single_use": True}
    await authorise(one.store, values, START - DAY)
    rows = [
        movement(1),  # out of the stockroom, within the boundary: no use
        movement(2, after_s=60, portal="main-entrance"),
        movement(3, after_s=120, portal="main-entrance", kind="in"),
        movement(4, after_s=180, portal="main-entrance"),
    ]
    accused = """SELECT m.at FROM alert_asset AS m WHERE m.kind = 'unauthorised_exit' ORDER BY 1"""
    await one.take(rows[3], rows[2], now=START + DAY)
    assert not await one.sql(accused)
    await one.take(rows[0], rows[1], now=START + DAY)
    assert await one.sql(accused) == [(START + timedelta(seconds=180),)]


async def test_a_hold_blocks_what_an_authorisation_allows_until_it_is_released(one):
    await one.take(movement(1, tag=epc(2)))
    await say(one.store, "LT-0002", Said("hold_set", "p1", {"kind": "legal"}, "case-1"), START + DAY)
    await one.take(movement(2, tag=epc(2), after_s=3600, kind="in"), now=START + 4 * DAY)
    done = await one.take(movement(3, tag=epc(2), after_s=1.5 * 86400), now=START + 4 * DAY)
    (alert,) = await one.views.alerts_by_id(done.alerts)
    assert (alert.kind, alert.at) == ("unauthorised_exit", START + 1.5 * DAY)
    released = Said("hold_released", "p2", {}, "case-1", START + 1.2 * DAY)
    await say(one.store, "LT-0002", released, START + 4 * DAY)
    (alert,) = await one.views.alerts_by_id(done.alerts)
    assert (alert.authorised_late, alert.corrected) == (
        True,
        False,
    )  # who releases afterwards excuses, and deletes nothing


async def test_who_placed_a_hold_does_not_release_it(one):
    for by in ("p1", "P1"):
        await say(one.store, "LT-0002", Said("hold_set", "p1", {"kind": "security"}, f"case-{by}"), START)
        with pytest.raises(
            Separated, match=f"{by} placed the hold case-{by} on LT-0002: another person has to release"
        ):
            await say(one.store, "LT-0002", Said("hold_released", by, {}, f"case-{by}"), START + DAY)
    with pytest.raises(Separated):
        await one.sql(
            "INSERT INTO act (at, recorded_at, kind, asset, subject, by)"
            " VALUES (%s, %s, 'hold_released', 'LT-0002', 'case-p1', 'p1')", START, START,
        )  # fmt: skip
    state = await say(one.store, "LT-0002", Said("hold_released", "p2", {}, "case-p1"), START + DAY)
    assert state.blocked_by == ("security",)
    state = await say(one.store, "LT-0002", Said("hold_released", "p2", {}, "case-P1"), START + DAY)
    assert state.blocked_by == ()


async def test_a_hold_blocks_every_permission_but_its_own(one):
    """Data that nobody wiped stay in, unless a pass for just that lets them go to the shredder."""
    await one.import_(**PEOPLE)
    await say(one.store, "LT-0002", Said("data_state_set", "p1", {"data_state": "unwiped"}), START - DAY)
    values = {"id": "D-1", "kind": "disposal", "asset": "LT-0002", "boundary": "hq", "despite": ["unwiped"]}
    with pytest.raises(StepUnfit, match="requested_by: what leaves despite unwiped needs it"):
        await authorise(one.store, values, START - DAY)
    await authorise(one.store, values | {"requested_by": "p1", "approved_by": "p2"}, START - DAY)
    permitted = "SELECT verdict, scope FROM gate_permit WHERE asset = 'LT-0002' ORDER BY 1"
    assert await one.sql(permitted) == [(0, "hq")]
    assert not (await one.take(movement(1, tag=epc(2)))).alerts
    await say(one.store, "LT-0002", Said("hold_set", "p1", {"kind": "legal"}, "case-1"), START + timedelta(hours=1))
    assert await one.sql(permitted) == [(3, None)]
    await one.take(movement(2, tag=epc(2), after_s=7200, kind="in"), now=START + DAY)
    assert (await one.take(movement(3, tag=epc(2), after_s=9000), now=START + DAY)).alerts


async def test_a_workbook_of_5000_rows_has_its_7_wrong_rows_told_and_goes_in_once_they_are_mended(one):
    book = openpyxl.Workbook()
    book.remove(book.active)
    assets, tags = book.create_sheet("Assets"), book.create_sheet("tags")
    assets.append(["id", "name", "class", "serial", "location", "model", "lifecycle"])
    tags.append(["epc", "asset", "role"])
    for number in range(2500):
        assets.append([f"N-{number}", f"Laptop {number}", "laptop", 1000 + number, "stockroom-a", "T14", "in_stock"])
        tags.append([f"3034257bf7194e41{number:08x}", f"N-{number}", None])
    wrong = {
        ("Assets", "E12"): "stockroom-z", ("Assets", "G100"): "in_stok", ("Assets", "A1000"): "N-7",
        ("Assets", "B2000"): None, ("tags", "A50"): 3.034257e24, ("tags", "B77"): "N-9999", ("tags", "A2400"): EPC,
    }  # fmt: skip
    right = {place: book[place[0]][place[1]].value for place in wrong}
    told = await take_workbook(one, book, wrong)
    lines = {(problem.file, problem.line) for problem in told.problems}
    assert lines == {
        ("it.xlsx[Assets]", 12), ("it.xlsx[Assets]", 100), ("it.xlsx[Assets]", 1000), ("it.xlsx[Assets]", 2000),
        ("it.xlsx[tags]", 50), ("it.xlsx[tags]", 77), ("it.xlsx[tags]", 2400),
        ("it.xlsx[tags]", 1000),  # of the asset whose id was another's
    }  # fmt: skip
    assert await one.counts() == {"stockroom-a": 2, "corridor": 1}
    done = await take_workbook(one, book, right)
    assert not done.problems
    assert done.rows == {"assets": 2500, "tags": 2500}
    assert await one.counts() == {"stockroom-a": 2502, "corridor": 1}
    assert not (await undo(one, done.id)).problems
    assert await one.counts() == {"stockroom-a": 2, "corridor": 1}


async def take_workbook(one, book, cells):
    for (sheet, cell), value in cells.items():
        book[sheet][cell].value = value
    content = io.BytesIO()
    book.save(content)
    sheets = Sheets()
    read_workbook(sheets, "it.xlsx", content.getvalue())
    return await import_sheets(one.store, sheets, START)


async def test_the_api_imports_says_authorises_and_undoes(one):
    services = one.services(lambda: START)
    transport = httpx.ASGITransport(create_app(services, token="t", version="0", local=True))
    headers = {"Authorization": "Bearer t"}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/api/v1", headers=headers) as api:
        bad = await api.post("/imports", json={"sheets": {"people": "id,name\np 1,One\n", "x": ""}, "by": "p1"})
        assert bad.status_code == 422
        assert [(row["file"], row["line"]) for row in bad.json()["problems"]] == [("people.csv", 2), ("x", 1)]
        done = (await api.post("/imports", json={"sheets": PEOPLE, "by": "p1"})).json()
        assert (done["problems"], done["rows"]["people"]) == ([], 3)
        assert (await api.get("/roles/branch-admin/holders?location=hq")).json()["people"] == ["p1"]
        assert len((await api.get("/people")).json()["people"]) == 3
        said = {"axis": "lifecycle", "lifecycle": "in_use", "by": "p1"}
        after = (await api.post("/assets/LT-0001/state", json=said)).json()
        assert after["state"]["lifecycle"] == "in_use"
        refused = await api.post("/assets/LT-0001/state", json=said | {"lifecycle": "disposed"})
        assert (refused.status_code, "what may is returned" in refused.json()["detail"]) == (409, True)
        assert (await api.post("/assets/LT-0001/state", json=said | {"axis": "no"})).status_code == 422
        asked = {"by": "p1", "id": "GP", "kind": "gate_pass", "asset": "LT-0001", "boundary": "hq", "person": "p3",
                 "valid_to": "2026-04-01T00:00:00Z", "requested_by": "p1", "approved_by": "p1",
                 "reason": "sold", "pass_kind": "non_returnable"}  # fmt: skip
        assert (await api.post("/authorisations", json=asked)).status_code == 409
        made = await api.post("/authorisations", json=asked | {"approved_by": "p2"})
        assert (made.status_code, made.json()["authorisation"]["withdrawn_at"]) == (201, None)
        blocked = await api.post(f"/imports/{done['id']}/undo", json={"by": "p1"})
        assert blocked.status_code == 409
        told = [row["text"] for row in blocked.json()["problems"]]
        assert "people 'p3': authorisation GP names them" in told
        ended = await api.post("/authorisations/GP/withdraw", json={"by": "p2", "reason": "stays in"})
        assert ended.json()["authorisation"]["withdrawn_at"] == "2026-03-02T09:00:00.000000Z"
        life = (await api.get("/assets/LT-0001")).json()["asset"]
        assert [act["kind"] for act in life["acts"]] == [
            "authorisation_withdrawn", "authorised", "lifecycle_set", "placed",
        ]  # fmt: skip
        listed = (await api.get("/imports")).json()["imports"]
        assert [(row["by"], row["undone_at"]) for row in listed] == [("p1", None), ("import", None)]
        assert (await api.post("/imports/999999/undo", json={"by": "p1"})).status_code == 404
        for path in ("/places", "/roles", "/authorisations"):
            assert (await api.get(path)).status_code == 200
        del api.headers["Authorization"]
        assert (await api.post("/imports", json={"sheets": {}, "by": "p1"})).status_code == 401


async def test_a_tag_that_went_onto_another_asset_comes_back_with_an_undo(one):
    off = f"epc,asset,role,state,bound_to\n{EPC},LT-0001,body,retired,{(START + DAY).isoformat()}\n"
    await one.import_(now=START + DAY, tags=off)
    before = await everything(one)
    onto = await one.import_(now=START + 1.5 * DAY, tags=f"epc,asset,role\n{EPC},LT-0003,body\n")
    again = await one.import_(now=START + 1.6 * DAY, tags=f"epc,asset,role\n{EPC},LT-0001,body\n")
    assert "is on asset 'LT-0003' already" in again.problems[0].text
    assert not (await undo(one, onto.id)).problems
    assert await everything(one) == before
