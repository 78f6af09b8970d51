"""Nobody acts in an unknown name: every writing route of the whole API is asked, those that come later too."""

import re
from functools import cache
from unittest.mock import MagicMock

import httpx
import pytest

from central.api.actors import ACTORS
from central.api.policies import policies_write
from central.api.quarantine import quarantine_orders
from central.api.server import create_app
from central.application.errors import NotFound, Separated
from central.application.importing import import_sheets
from central.application.openings import Opening
from central.application.sheets import Sheets, read_sheet
from central.application.undoing import undo_import
from central.storage.registry import PgRegistry
from tests.helpers.central import SHEETS, START, central, filled_database, movement

PEOPLE = "id,name,active,kind\nann,Ann,,\nbob,Bob,,\ngone,Gone,false,\nmdm,Device management,,service\n"
NAMELESS = {"POST /api/v1/badges"}
"""An access-control system tells whose badge it saw: people there did nothing here."""
ID = {"alert": "1", "exception": "1", "run": "1", "schedule": "1", "number": "1", "measure": "1", "rank": "A",
      "subject_kind": "loan"}  # fmt: skip
MORE = {"/api/v1/imports": {"sheets": {}}}


async def people(one):
    assert not (await one.import_(**SHEETS, people=PEOPLE)).problems


@pytest.fixture(scope="module")
def dsn():
    with filled_database(people) as dsn:
        yield dsn


@pytest.fixture
async def one(dsn):
    async with central(dsn) as opened:
        yield opened


async def never(*_):
    """A retry that must not be reached."""
    raise AssertionError


def application(one):
    orders = [quarantine_orders(never), policies_write(None, None, lambda: START)]
    return create_app(one.services(lambda: START), token="t", version="0", local=True, orders=orders)


def client(one):
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(application(one)), base_url="http://127.0.0.1",
        headers={"Authorization": "Bearer t"},
    )  # fmt: skip


@cache
def described():
    """The API's own description."""
    orders = [quarantine_orders(never), policies_write(None, None, lambda: START)]
    return create_app(MagicMock(), token="t", version="0", local=True, orders=orders).openapi()


def writing():
    """Every route that writes, as (method, path)."""
    told = {(method.upper(), path) for path, some in described()["paths"].items() for method in some}
    return sorted(one for one in told if one[0] not in {"GET", "HEAD"})


def names_of(method, path):
    """The actors that a route asks for, by its own schema."""
    schema = described()
    said = schema["paths"][path][method.lower()]
    found = {one["name"] for one in said.get("parameters", []) if one["in"] == "query"}
    body = said.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    for option in [body, *body.get("oneOf", []), *body.get("anyOf", [])]:
        model = schema["components"]["schemas"].get(option.get("$ref", "").rsplit("/", 1)[-1], {})
        found |= {name for name in model.get("properties", {}) if name in model.get("required", [])}
        for child in re.findall(r"schemas/(\w+)", str(model.get("properties", {}))):
            found |= set(schema["components"]["schemas"].get(child, {}).get("required", []))
    return found & set(ACTORS)


def test_there_are_writing_routes():
    assert len(writing()) > 35


@pytest.mark.parametrize(("method", "path"), writing(), ids=lambda part: part)
async def test_a_writing_route_asks_who_and_refuses_who_is_unknown_or_gone(one, method, path):
    if f"{method} {path}" in NAMELESS:
        return
    names = names_of(method, path)
    assert names, f"{method} {path} writes and doesn't ask by whom: give its body a `by`"
    at = re.sub(r"{(\w+)}", lambda found: ID.get(found[1], "x"), path)
    async with client(one) as http:
        for who in ("ghost", "gone"):
            told = dict.fromkeys(names, who)
            if method == "DELETE":
                answer = await http.request(method, at, params=told)
            else:
                answer = await http.request(method, at, json=told | MORE.get(path, {}))
            words = f"there is no active person or service account '{who}'"
            assert (answer.status_code, words in answer.json()["detail"]) == (404, True), answer.text


async def test_who_is_known_is_let_through_wherever_in_the_request_he_stands(one):
    async with client(one) as http:
        seen = {"location": "stockroom-a", "at": "2026-03-02T08:00:00Z", "grade": "barcode", "evidence": "h7"}
        for by, status in (("ann", 404), ("ghost", 404)):
            told = {"observations": [seen | {"by": by, "asset": "LT-0001"}]}
            answer = await http.post("/api/v1/count-runs/1/observations", json=told)
            assert (answer.status_code, "service account" in answer.json()["detail"]) == (status, by == "ghost")
        broken = await http.post("/api/v1/verifications", content=b"{", headers={"content-type": "application/json"})
        assert broken.status_code == 422
        done = await http.post("/api/v1/verifications", json=seen | {"by": "ann", "asset": "LT-0001"})
        assert done.status_code == 200


async def test_a_machine_tells_and_judges_nothing(one):
    done = await one.take(movement(1))
    async with client(one) as http:
        path = f"/api/v1/alerts/{done.alerts[0]}"
        verdict = {"verdict": "test", "evidence": {"kind": "note", "reference": "n"}}
        assert (await http.post(f"{path}/acknowledge", json={"by": "mdm"})).status_code == 403
        await http.post(f"{path}/acknowledge", json={"by": "ann"})
        refused = await http.post(f"{path}/resolve", json=verdict | {"by": "mdm"})
        assert (refused.status_code, "a person has to do this" in refused.json()["detail"]) == (403, True)
        assert (await http.post(f"{path}/resolve", json=verdict | {"by": "bob"})).status_code == 200
        told = {"asset": "LT-0001", "location": "corridor", "at": "2026-03-02T08:59:00Z", "source": "mdm", "by": "mdm",
                "reference": "8812"}  # fmt: skip
        assert (await http.post("/api/v1/sightings", json=told)).status_code == 200
    with pytest.raises(Separated, match="mdm is a service account"):
        await one.sql("INSERT INTO act (at, recorded_at, kind, by) VALUES (now(), now(), 'transfer_agreed', 'mdm')")


async def test_a_machine_approves_nothing_wherever_an_approval_stands(one):
    permit = {"by": "ann", "id": "A-77", "kind": "standing", "asset": "LT-0001", "boundary": "hq", "reason": "fair",
              "requested_by": "ann", "approved_by": "mdm", "despite": ["legal"]}  # fmt: skip
    async with client(one) as http:
        number = await an_exception(one, "stockroom-a")
        shown = {"kind": "count", "reference": "count 7"}
        for method, path, told, status in (
            ("POST", "/authorisations", permit, 409),
            ("POST", f"/exceptions/{number}/steps", {"step": "close", "by": "mdm", "evidence": shown}, 403),
            ("PUT", "/portals/main-entrance/mode", {"mode": "observe", "by": "mdm", "reason": "too loud"}, 403),
        ):
            answer = await http.request(method, f"/api/v1{path}", json=told)
            assert (answer.status_code, "mdm" in answer.json()["detail"]) == (status, True), answer.text
            assert "service account" in answer.json()["detail"]
    insert = "INSERT INTO act (at, recorded_at, kind, by, detail) VALUES (now(), now(), %s, 'ann', %s::jsonb)"
    with pytest.raises(Separated, match="mdm is a service account"):
        await one.sql(insert, "loan_extended", '{"approved_by": "mdm"}')
    with pytest.raises(Separated, match="mdm is a service account"):
        await one.sql(insert.replace("'ann'", "'mdm'"), "exception_step", '{"step": "approve"}')
    with pytest.raises(Separated, match="mdm is a service account"):
        await one.sql("UPDATE authorisation SET approved_by = 'mdm' WHERE id = 'A-2'")


async def test_a_machine_works_no_exception_and_sets_no_days_and_nobody_to_hear(one):
    number = await an_exception(one, "corridor")
    day = {"day": "2026-03-09", "status": "closed", "reason": "stocktaking", "location": "hq"}
    hears = {"reason": "later", "warn": False, "steps": [250], "path": ["owner", "itam_manager"]}
    shown = {"kind": "count", "reference": "count 7"}
    async with client(one) as http:
        for method, path, told in (
            ("POST", f"/exceptions/{number}/steps", {"step": "assign", "by": "mdm", "owner": "ann"}),
            ("POST", f"/exceptions/{number}/steps", {"step": "assign", "by": "ann", "owner": "mdm"}),
            ("POST", f"/exceptions/{number}/steps",
             {"step": "propose", "by": "mdm", "outcome": "closed", "evidence": shown}),
            ("POST", "/calendar-overrides", {"by": "mdm", "overrides": [day]}),
            ("PUT", "/sla-policies/exception_close", hears | {"by": "mdm"}),
        ):  # fmt: skip
            answer = await http.request(method, f"/api/v1{path}", json=told)
            told_why = "mdm is a service account: a person has to do this" in answer.json()["detail"]
            assert (answer.status_code, told_why) == (403, True), answer.text
        step = {"step": "assign", "by": "ann", "owner": "bob"}
        assert (await http.post(f"/api/v1/exceptions/{number}/steps", json=step)).status_code == 200
    assert await one.sql("SELECT count(*) FROM calendar_override") == [(0,)]
    assert await one.sql("SELECT owner FROM exception WHERE id = %s", number) == [("bob",)]


async def an_exception(one, place):
    """Open one about a place alone; another test's is none of ours."""
    async with one.log.transaction() as transaction:
        found = Opening("count_variance", None, None, place, START, {"why": "counted"}, "")
        return (await transaction.open_exceptions([found], START))[0]


async def test_sheets_that_let_a_machine_approve_or_answer_are_refused_in_the_dry_run(one):
    texts = {
        "roles": "id,name\nkeeper,Keeper\n",
        "role_holders": "role,location,person\nkeeper,hq,mdm\nkeeper,hq,ann\nkeeper,hq,new\n",
        "people": "id,name,kind\nnew,New robot,service\n",
        "authorisations": "id,asset,boundary,valid_from,valid_to,reason,requested_by,approved_by\n"
        "A-9,LT-0001,hq,,,moves,ann,mdm\n",
    }
    done = await import_sheets(PgRegistry(one.database), sheets(**texts), START, dry_run=True)
    assert [(each.file, each.line, each.text.split(":")[0]) for each in done.problems] == [
        ("authorisations.csv", 2, "approved_by"), ("role_holders.csv", 2, "person"), ("role_holders.csv", 4, "person"),
    ]  # fmt: skip


@pytest.mark.parametrize("hidden", ["ghost", "gone"])
async def test_another_name_in_the_request_hides_nobody(one, hidden):
    async with client(one) as http:
        for told in ({"by": hidden, "x": {"by": "ann"}}, {"x": [{"by": "ann"}], "by": hidden}):
            answer = await http.post("/api/v1/alerts/1/acknowledge", json=told)
            assert (answer.status_code, f"account '{hidden}'" in answer.json()["detail"]) == (404, True), answer.text
        answer = await http.delete(f"/api/v1/count-schedules/1?by={hidden}&by=ann")
        assert answer.status_code == 404
        assert f"account '{hidden}'" in answer.json()["detail"]


async def test_half_a_character_is_refused_and_named(one):
    async with client(one) as http:
        for path, body in (
            ("alerts/1/acknowledge", '{"by": "\\ud800"}'),
            ("alerts/1/acknowledge", '{"by": "ann", "x": [{"approved_by": "\\ud800"}]}'),
            ("imports", '{"by": "ann", "sheets": {"\\ud800": 1}}'),
        ):
            told = {"content": body.encode(), "headers": {"content-type": "application/json"}}
            answer = await http.post(f"/api/v1/{path}", **told)
            assert answer.status_code == 422, answer.text
            assert "Change the request" in answer.json()["detail"]


def sheets(**texts):
    read = Sheets()
    for kind, text in texts.items():
        read_sheet(read, kind, f"{kind}.csv", text)
    return read


async def test_the_command_line_may_import_in_nobodys_name_and_nobody_else(one):
    store = PgRegistry(one.database)
    with pytest.raises(NotFound, match="account 'ghost'"):
        await import_sheets(store, sheets(people="id,name\nghost,Ghost\n"), START, by="ghost")
    with pytest.raises(NotFound, match="account 'gone'"):
        await undo_import(store, 1, "gone", START)
    async with client(one) as http:
        answer = await http.post("/api/v1/imports", json={"by": "import", "sheets": {}})
        assert (answer.status_code, "is the command line's" in answer.json()["detail"]) == (404, True)
    header = "id,asset,boundary,valid_from,valid_to,reason,requested_by,approved_by"
    row = "A-9,LT-0001,hq,,,moves,ann,gone"
    done = await import_sheets(store, sheets(authorisations=f"{header}\n{row}\n"), START, dry_run=True)
    assert [each.text for each in done.problems] == [
        "approved_by: 'gone' is not active any more: who still is has to say so"
    ]


async def test_the_first_people_bring_themselves_in():
    with filled_database(nobody) as dsn:
        async with central(dsn) as fresh, client(fresh) as http:
            first = {"by": "ann", "sheets": {"people": "id,name\nann,Ann\n"}}
            assert (await http.post("/api/v1/imports", json=first | {"by": "bob"})).status_code == 404
            assert (await http.post("/api/v1/imports", json=first)).status_code == 200
            more = {"by": "bob", "sheets": {"people": "id,name\nbob,Bob\n"}}
            assert (await http.post("/api/v1/imports", json=more)).status_code == 404
            assert (await http.post("/api/v1/imports", json=more | {"by": "ann"})).status_code == 200


async def nobody(one):
    assert not (await one.import_(**SHEETS)).problems
