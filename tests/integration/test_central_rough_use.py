"""What rough use must not break: an undo under open work, instants that nobody means, people that nobody knows."""

from datetime import timedelta

import httpx
import pytest

from central.api import patience
from central.api.server import create_app
from central.application.errors import Separated
from tests.helpers.central import SHEETS, START, central, filled_database, movement

NOW = START + timedelta(hours=2)
HEADERS = {"authorization": "Bearer secret"}
BRANCH = {
    "locations": SHEETS["locations"] + """branch-site,Branch,site,,
branch,Branch building,building,branch-site,
branch-stock,Branch stock,zone,branch,true
""",
    "portals": SHEETS["portals"] + """branch-door,Branch door,hq,hq-east-1,branch-stock,street,
""",
    "assets": SHEETS["assets"],
    "tags": SHEETS["tags"],
    "people": "id,name\nann,Ann\nbob,Bob\neve,Eve\n",
    "roles": "id,name\nkeeper,Keeper of stock\nservice_desk_manager,Service desk manager\n",
    "role_holders": "role,location,person\nservice_desk_manager,,eve\nkeeper,hq-site,ann\nkeeper,branch-site,bob\n",
}  # fmt: skip
NEW_SITE = {
    "locations": (
        "id,name,kind,parent,guarded,owner_role\nnew-site,New,site,,,keeper\nnew,New building,building,new-site,true,\n"
    ),
    "people": "id,name\nzoe,Zoe\n",
    "roles": "id,name\nnew-keeper,Keeper of the new site\n",
    "assets": "id,name,class,serial,location\nLT-0009,Laptop 9,laptop,,hq\n",
}
UNKNOWN = (
    404,
    "by: there is no active person or service account 'ghost': /api/v1/people lists them, people.csv registers them.",
)
TRANSFER = {
    "by": "ann", "from": "stockroom-a", "to": "branch-stock", "assets": ["LT-0001"], "sender": "ann",
    "receiver": "bob", "reason": "moves",
}  # fmt: skip


async def prepare(one):
    """Two sites, three people, two roles."""
    assert not (await one.import_(**BRANCH)).problems
    await one.sql("UPDATE location SET owner_role = 'keeper' WHERE id IN ('hq-site', 'branch-site')")
    await one.sql("INSERT INTO role_holder (role, location, person) VALUES ('keeper', NULL, 'eve')")
    await one.sql("UPDATE registry_version SET version = version + 1")


@pytest.fixture
async def one():
    with filled_database(prepare) as dsn:
        async with central(dsn) as opened:
            yield opened


@pytest.fixture
async def api(one):
    app = create_app(one.services(lambda: NOW), token="secret", version="0", local=True)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1", headers=HEADERS) as api:
        yield api


async def told(api, path, body):
    """Post, and return the status and what the answer says to a person."""
    answer = await api.post(path, json=body)
    return answer.status_code, answer.json().get("detail", "")


async def new_transfer(api, **changed):
    """Ask for a transfer and approve it; return its id."""
    asked = await api.post("/transfers", json=TRANSFER | changed)
    transfer = asked.json()["transfer"]["id"]
    assert (await api.post(f"/transfers/{transfer}/approve", json={"by": "eve"})).status_code == 200
    return transfer


LOAN = {
    "id": "L-1", "asset": "LT-0003", "person": "bob", "incident": "INC-7", "location": "hq", "due_on": "2026-03-10",
    "by": "ann",
}  # fmt: skip
REPAIR = {
    "id": "R-1", "asset": "LT-0003", "vendor": "Fixers", "rma": "RMA-1", "location": "hq",
    "expected_return": "2026-03-20", "by": "ann",
}  # fmt: skip
PASS = {"by": "ann", "id": "P-1", "kind": "standing", "asset": "LT-0001", "boundary": "hq"}
PASSES = "id,asset,boundary,valid_from,valid_to,reason\nP-1,LT-0001,hq,0001-01-01T00:00:00+14:00,,\n"


async def test_an_instant_or_a_day_that_nobody_means_is_refused_with_words(api):
    state = {"axis": "condition", "by": "ann", "condition": "working", "at": "0001-01-01T00:00:00+14:00"}
    count = {"kind": "spot", "location": "hq", "planned_for": "9999-12-31", "by": "ann"}
    for path, body, status, words in (
        ("/assets/LT-0001/state", state, 422, "outside 1990 to 2079"),
        ("/assets/LT-0001/state", state | {"at": "1989-12-31T23:59:59Z"}, 422, "outside 1990 to 2079"),
        ("/assets/LT-0001/state", state | {"at": "2080-01-01T00:00:00Z"}, 422, "outside 1990 to 2079"),
        ("/authorisations", PASS | {"valid_to": "9999-12-31T23:59:59-14:00"}, 422, "outside 1990 to 2079"),
        ("/authorisations", PASS | {"valid_from": "2026-01-02T00:00:00Z", "valid_to": "2026-01-01T00:00:00Z"}, 409,
         "valid_to: comes before valid_from"),
        ("/count-runs", count, 422, "planned_for: Input should be less than or equal to 2079-12-31"),
        ("/loans", LOAN | {"due_on": "2060-12-31"}, 409, "reaches from 2020-01-01 to 2049-12-31, not 2060-12-31"),
        ("/repairs", REPAIR | {"at": "1990-01-01T00:00:00Z"}, 409, "reaches from 2020-01-01 to 2049-12-31"),
    ):  # fmt: skip
        found = await told(api, path, body)
        assert (found[0], words in found[1]) == (status, True), found
    imported = await api.post("/imports", json={"by": "ann", "sheets": {"authorisations": PASSES}})
    assert "outside 1990 to 2079" in imported.json()["problems"][0]["text"]
    late = await api.get("/calendar", params={"location": "hq", "from_day": "9999-12-31"})
    assert late.status_code == 422


async def test_only_a_hold_that_stands_is_released_and_it_is_set_once(api):
    async def hold(axis, name, **more):
        return await told(api, "/assets/LT-0001/state", {"axis": axis, "by": "ann", "hold": name} | more)

    assert (await hold("hold", "h-1", kind="legal"))[0] == 200
    again = await hold("hold", "h-1", kind="recall")
    assert again == (409, "hold: 'h-1' stands already, for legal: release it first, or take another id.")
    assert await hold("hold_release", "h-2") == (409, "hold: 'h-2' doesn't stand then; those that do: 'h-1'.")
    assert (await hold("hold_release", "h-1", by="eve"))[0] == 200


async def test_a_name_that_nobody_bears_asks_for_no_loan_and_no_extension_ends_in_the_past(api, one):
    assert (await told(api, "/loans", LOAN | {"by": "ghost"}))[0] == 404
    assert (await told(api, "/repairs", REPAIR | {"by": "ghost"}))[0] == 404
    early = LOAN | {"at": "2026-02-02T09:00:00Z", "due_on": "2026-02-04"}
    assert (await told(api, "/loans", early))[0] == 201
    more = {"due_on": "2026-02-10", "approved_by": "eve", "reason": "still broken", "by": "ghost"}
    assert await told(api, "/loans/L-1/extension", more) == UNKNOWN
    past = await told(api, "/loans/L-1/extension", more | {"by": "ann"})
    assert past == (409, "2026-02-10 is over: an extension names a day that is still to come.")
    assert (await told(api, "/loans/L-1/return", {"by": "ghost"}))[0] == 404


def seen(asset, **more):
    """An observation of an asset in the stockroom, now unless told."""
    return {
        "location": "stockroom-a", "at": NOW.isoformat(), "by": "bob", "grade": "barcode", "evidence": "handheld 7",
        "asset": asset, **more,
    }  # fmt: skip


async def test_an_asset_is_verified_by_people_and_never_ahead_of_time(api):
    late = await told(api, "/verifications", seen("LT-0001", at="2079-01-01T00:00:00Z"))
    assert late == (409, "at: 2079-01-01T00:00:00+00:00 is still to come: tell it when somebody has seen it.")
    early = await told(api, "/verifications", seen("LT-0001", at="1990-01-02T00:00:00Z"))
    assert (early[0], "is before 2020" in early[1]) == (409, True)
    assert (await told(api, "/verifications", seen("LT-0001", by="ghost")))[0] == 404
    assert (await told(api, "/verifications", seen("LT-0001")))[0] == 200


@pytest.mark.parametrize("named", [{}, {"asset": None, "epc": None}, {"asset": "LT-0001", "serial": "S1"}])
async def test_what_was_seen_is_named_by_exactly_one_thing(api, named):
    told_of = {"observations": [{**seen(None), **named}]}
    for path, body in (("/verifications", told_of["observations"][0]), ("/count-runs/1/observations", told_of)):
        status, words = await told(api, path, body)
        assert (status, "by exactly one of them" in words) == (422, True), words


async def test_a_count_takes_what_its_people_see_while_it_runs_of_the_classes_that_it_counts(api, one):
    await one.sql("INSERT INTO class_policy VALUES ('server', 'A', 365, 'tag_seen')")
    await one.sql("UPDATE asset SET class = 'server' WHERE id = 'LT-0001'")
    await one.sql("UPDATE location SET owner_role = 'keeper' WHERE id = 'hq-site'")
    planned = {"kind": "spot", "location": "stockroom-a", "planned_for": "2026-03-02", "by": "bob", "ranks": ["A"]}
    again = await told(api, "/count-runs", planned | {"every": True})
    assert (again[0], "a spot count is planned once" in again[1]) == (422, True)
    assert (await told(api, "/count-runs", planned | {"by": "ghost"}))[0] == 404
    assert (await told(api, "/count-runs", planned))[0] == 200

    async def step(name, by):
        return await told(api, "/count-runs/1/steps", {"step": name, "by": by})

    async def observe(**more):
        return await told(
            api, "/count-runs/1/observations", {"observations": [seen("LT-0002"), seen("LT-0001", **more)]}
        )

    nobody = UNKNOWN
    assert await step("start", "ghost") == nobody
    assert (await step("start", "bob"))[0] == 200
    assert await observe(by="ghost") == nobody
    early = await observe(at="2026-03-02T09:00:00Z")
    assert (early[0], "is before count 1 froze its book" in early[1]) == (409, True)
    assert (await observe())[0] == 200
    assert await told(api, "/count-runs/1/searches", {"location": "stockroom-a", "by": "ghost"}) == nobody
    assert (await told(api, "/count-runs/1/searches", {"location": "stockroom-a", "by": "bob"}))[0] == 200
    assert await step("submit", "ghost") == nobody
    assert (await step("submit", "bob"))[0] == 200
    run = (await api.get("/count-runs/1")).json()["run"]
    assert [(line["asset"], line["bucket"]) for line in run["lines"]] == [("LT-0001", "found")]
    assert (run["places"][0]["gross"], run["places"][0]["unexpected"]) == (0.0, 0)
    own = await step("sign", "bob")
    assert own == (403, "Separation of duties: bob is not keeper of stockroom-a: its owner has to sign.")
    await one.sql("UPDATE person SET active = false WHERE id = 'ann'")
    assert (await step("sign", "ann"))[0] == 404
    await one.sql("UPDATE person SET active = true WHERE id = 'ann'")
    assert (await step("sign", "ann"))[0] == 200


async def test_a_transfer_names_only_who_is_there_to_hear_of_it(api, one):
    await one.sql("UPDATE person SET active = false WHERE id = 'eve'")
    for name in ("itam_manger", "eve"):
        for changed in ({"escalation": ["receiver", name]}, {"receiver": name}):
            found = await told(api, "/transfers", TRANSFER | changed)
            assert found == (404, f"there is no person or role '{name}': import it first.")
    assert (await told(api, "/transfers", TRANSFER | {"escalation": ["receiver", "keeper", "it_ops_head"]}))[0] == 200


async def test_a_reason_of_blanks_is_none(api):
    closed = {"day": "2026-03-09", "status": "closed", "reason": "    ", "location": "hq"}
    step = {"step": "investigate", "by": "ann", "break_glass": " " * 12}
    for path, body, words in (
        (
            "/calendar-overrides",
            {"by": "ann", "overrides": [closed]},
            "reason: String should have at least 3",
        ),
        ("/exceptions/1/steps", step, "break_glass: String should have at least 10 characters"),
    ):
        status, detail = await told(api, path, body)
        assert (status, words in detail) == (422, True), detail


async def test_who_sent_it_never_receives_it_whatever_role_or_program_asks(api, one):
    mine = await new_transfer(api)
    assert (await api.post(f"/transfers/{mine}/dispatch", json={"by": "bob"})).status_code == 200
    out = await told(api, f"/transfers/{mine}/receive", {"by": "bob"})
    assert out == (409, f"'bob' scanned transfer {mine} out: the receiving side receives it.")
    assert (await told(api, f"/transfers/{mine}/receive", {"by": "ann"}))[0] == 409
    roles = await new_transfer(api, assets=["LT-0002"], sender="keeper", receiver="keeper")
    assert (await api.post(f"/transfers/{roles}/dispatch", json={"by": "eve"})).status_code == 200
    told_no = await told(api, f"/transfers/{roles}/receive", {"by": "ann"})
    assert told_no == (409, f"'ann' is the sender of transfer {roles}: the receiving side receives it.")
    scan = """INSERT INTO act (at, recorded_at, kind, asset, location, subject, by)
              SELECT now(), now(), 'receipt_scanned', %s, to_location, id, %s FROM transfer WHERE id = %s"""
    for asset, by, transfer in (("LT-0001", "ann", mine), ("LT-0001", "bob", mine), ("LT-0002", "eve", roles)):
        with pytest.raises(Separated, match="another person has to receive it"):
            await one.sql(scan, asset, by, transfer)
    assert (await api.post(f"/transfers/{roles}/receive", json={"by": "bob"})).status_code == 200
    assert (await api.post(f"/transfers/{mine}/receive", json={"by": "eve"})).status_code == 200


async def test_an_import_that_a_transfer_needs_is_not_taken_back_and_every_row_says_why(api):
    number = (await api.post("/imports", json={"by": "ann", "sheets": NEW_SITE})).json()["id"]
    await new_transfer(api, to="new", receiver="zoe")
    await new_transfer(api, **{"from": "hq", "to": "new", "assets": ["LT-0009"], "receiver": "new-keeper"})
    answer = await api.post(f"/imports/{number}/undo", json={"by": "ann"})
    said = [problem["text"] for problem in answer.json()["problems"]]
    assert answer.status_code == 409
    assert "locations 'new': transfer T-1 leads from or to it" in said
    assert "assets 'LT-0009': transfer T-2 is about it" in said
    assert "people 'zoe': transfer T-1 names them" in said
    assert "roles 'new-keeper': transfer T-2 names it" in said
    assert (await api.post("/transfers/T-1/dispatch", json={"by": "ann"})).status_code == 200


async def test_an_import_that_a_claim_or_a_count_needs_is_not_taken_back(api, one):
    number = (await api.post("/imports", json={"by": "ann", "sheets": NEW_SITE})).json()["id"]
    await one.take(movement(1), movement(2, portal="main-entrance", after_s=20))
    claim = {"by": "ann", "sender": "ann", "receiver": "zoe", "destination": "new"}
    assert (await api.post("/assets/LT-0001/claim", json=claim)).status_code == 200
    count = {"kind": "spot", "location": "new", "planned_for": "2026-03-02", "by": "zoe"}
    assert (await api.post("/count-runs", json=count)).status_code == 200
    answer = await api.post(f"/imports/{number}/undo", json={"by": "ann"})
    said = [problem["text"] for problem in answer.json()["problems"]]
    assert "locations 'new': asset LT-0001 is said to be on its way there" in said
    assert any(text.startswith("locations 'new': count_planned was recorded there at ") for text in said)
    assert {"people 'zoe': count 1 names them", "people 'zoe': they send or receive asset LT-0001"} <= set(said)


async def test_an_import_whose_place_has_a_count_schedule_is_not_taken_back_until_that_is_ended(api):
    number = (await api.post("/imports", json={"by": "ann", "sheets": NEW_SITE})).json()["id"]
    asked = {"kind": "monthly_control", "location": "new", "first_on": "2026-03-02", "by": "ann"}
    (schedule,) = (await api.post("/count-schedules", json=asked)).json()["schedules"]
    answer = await api.post(f"/imports/{number}/undo", json={"by": "ann"})
    said = [problem["text"] for problem in answer.json()["problems"]]
    assert answer.status_code == 409
    assert f"locations 'new': count schedule {schedule['id']} plans counts of it: end that first" in said
    assert (await api.delete(f"/count-schedules/{schedule['id']}?by=ann")).status_code == 200
    assert (await api.post(f"/imports/{number}/undo", json={"by": "ann"})).status_code == 200


@pytest.mark.parametrize(("lost", "status"), [(3, 200), (4, 503)])
async def test_a_request_that_loses_a_fight_for_locks_is_done_again_a_few_times_and_then_told_so(
    api, one, monkeypatch, lost, status
):
    """A sequence counts on whatever is rolled back: the first transactions end as a deadlock's loser does."""
    monkeypatch.setattr(patience, "WAIT_S", 0.001)
    await one.sql("CREATE SEQUENCE losers")
    await one.sql(
        "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF nextval('losers') <= "
        f"{lost} THEN RAISE 'deadlock detected' USING ERRCODE = 'deadlock_detected'; END IF; RETURN NEW; END $$"
    )
    await one.sql("CREATE TRIGGER loses BEFORE INSERT ON act FOR EACH ROW EXECUTE FUNCTION lose()")
    answer = await api.post("/assets/LT-0002/state", json={"axis": "condition", "by": "ann", "condition": "working"})
    assert answer.status_code == status, answer.text
    if status == 503:
        assert "busy" in answer.json()["detail"]
        assert "not available" not in answer.json()["detail"]
        assert await one.sql("SELECT nextval('losers')") == [(5,)]
