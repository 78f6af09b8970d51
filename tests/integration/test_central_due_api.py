"""Calendars, deadlines, loans and repairs over HTTP: what they answer, and what they say to wrong input."""

from datetime import UTC, datetime

import httpx
import pytest

from central.api.server import create_app
from central.application.deadlines import sweep
from tests.helpers.central import central, registered_database

NOW = datetime(2026, 3, 6, 12, tzinfo=UTC)
OVERRIDE = {"day": "2026-03-09", "status": "closed", "reason": "stocktaking", "location": "hq"}
LOAN = {
    "id": "L-1", "asset": "LT-0001", "person": "borrower", "incident": "INC-7", "location": "hq",
    "due_on": "2026-03-10", "by": "desk",
}  # fmt: skip
REPAIR = {
    "id": "R-1", "asset": "LT-0002", "vendor": "Fixers", "rma": "RMA-1", "location": "hq",
    "expected_return": "2026-03-20", "by": "desk",
}  # fmt: skip


@pytest.fixture
async def one():
    with registered_database() as dsn:
        async with central(dsn) as one:
            people = "INSERT INTO person (id, name) SELECT p, p FROM unnest('{borrower,manager,desk,p-1}'::text[]) AS p"
            await one.sql(people)
            await one.sql("INSERT INTO role VALUES ('service_desk_manager', 'Service desk manager')")
            await one.sql("INSERT INTO role_holder VALUES ('service_desk_manager', NULL, 'manager')")
            await one.sql("UPDATE location SET country = 'GB', timezone = 'Europe/London' WHERE id = 'hq-site'")
            await one.sql("UPDATE registry_version SET version = version + 1")
            yield one


@pytest.fixture
async def api(one):
    app = create_app(one.services(lambda: NOW), token="secret", version="0", local=True)
    headers = {"authorization": "Bearer secret"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1", headers=headers) as api:
        yield api


async def test_calendars_and_overrides(api):
    shown = (await api.get("/calendar", params={"location": "stockroom-a"})).json()["calendar"]
    assert (shown["country"], shown["timezone"], shown["weekend"]) == ("GB", "Europe/London", [6, 7])
    assert shown["special"][0] == {"day": "2026-04-03", "status": "closed", "name": "Good Friday"}
    done = await api.post("/calendar-overrides", json={"by": "p-1", "overrides": [OVERRIDE]})
    assert (done.status_code, len(done.json()["ids"])) == (200, 1)
    after = (await api.get("/calendar", params={"location": "stockroom-a"})).json()["calendar"]
    assert after["special"][0] == {"day": "2026-03-09", "status": "closed", "name": "stocktaking"}
    assert after["version"] != shown["version"]
    (listed,) = (await api.get("/calendar-overrides")).json()["overrides"]
    assert (listed["location"], listed["by"], listed["recorded_at"]) == ("hq", "p-1", "2026-03-06T12:00:00.000000Z")
    for body, status, told in (
        (OVERRIDE | {"location": "moon"}, 404, "there is no location 'moon'"),
        (OVERRIDE | {"country": "GB"}, 409, "name either a location or a country"),
        (OVERRIDE | {"reason": ""}, 422, "reason"),
    ):
        answer = await api.post("/calendar-overrides", json={"by": "p-1", "overrides": [body]})
        assert (answer.status_code, told in answer.json()["detail"]) == (status, True)
    assert (await api.get("/calendar", params={"location": "moon"})).status_code == 404
    answer = await api.post("/calendar-overrides", json={}, headers={"authorization": "Bearer wrong"})
    assert answer.status_code == 401


async def test_loans_repairs_and_their_deadlines(api, one):
    loan = (await api.post("/loans", json=LOAN)).json()["loan"]
    assert (loan["due_at"], loan["opened_at"]) == ("2026-03-10T23:59:59.999999Z", "2026-03-06T12:00:00.000000Z")
    assert (await api.post("/loans", json=LOAN)).status_code == 409
    assert (await api.post("/loans", json=LOAN | {"person": "nobody", "id": "L-2"})).status_code == 409
    repair = (await api.post("/repairs", json=REPAIR)).json()["repair"]
    assert repair["overdue_at"] == "2026-03-27T23:59:59.999999Z"
    await sweep(one.log, NOW)
    coming = (await api.get("/deadlines", params={"subject_kind": "loan"})).json()["deadlines"]
    assert [(row["stage"], row["recipient"]) for row in coming] == [
        ("due", "borrower"), ("l1", "service_desk"), ("l2", "service_desk_manager"), ("l3", "itam_manager"),
    ]  # fmt: skip
    assert (await api.get("/deadlines", params={"fired": True})).json()["deadlines"] == []
    more = {"due_on": "2026-03-12", "approved_by": "manager", "reason": "still broken", "by": "desk"}
    assert (await api.post("/loans/L-1/extension", json=more)).json()["loan"]["extended"] == 1
    assert (await api.post("/loans/L-1/extension", json=more | {"approved_by": "desk"})).status_code == 409
    assert [row["id"] for row in (await api.get("/loans")).json()["loans"]] == ["L-1"]
    assert (await api.post("/loans/L-1/return", json={"by": "desk"})).json()["loan"]["returned_at"]
    assert (await api.get("/loans")).json()["loans"] == []
    assert len((await api.get("/loans", params={"still_open": False})).json()["loans"]) == 1
    closed = await api.post("/repairs/R-1/close", json={"by": "desk", "outcome": "beyond_repair"})
    assert closed.json()["repair"]["outcome"] == "beyond_repair"
    assert (await api.post("/repairs/R-9/close", json={"by": "desk", "outcome": "repaired"})).status_code == 404
    assert (await api.get("/repairs", params={"asset": "LT-0002"})).json()["repairs"] == []


async def test_policies(api):
    found = {row["subject_kind"]: row for row in (await api.get("/sla-policies")).json()["policies"]}
    assert found["receipt"]["path"] == ["receiver", "branch_admin", "itam_manager", "it_ops_head"]
    body = {"by": "p-1", "reason": "shorter", "warn": True, "steps": [0, 2], "path": ["owner", "p-1", "itam_manager"]}
    changed = await api.put("/sla-policies/repair", json=body | {"business_days": 10})
    (repair,) = [row for row in changed.json()["policies"] if row["subject_kind"] == "repair"]
    assert (repair["business_days"], repair["steps"]) == (10, [0, 2])
    assert (await api.put("/sla-policies/repair", json=body)).status_code == 409
    assert (await api.put("/sla-policies/loan", json=body | {"steps": [2, 1]})).status_code == 409
    assert (await api.put("/sla-policies/loan", json=body | {"steps": [2]})).status_code == 409
    assert (await api.put("/sla-policies/moon", json=body)).status_code == 422


async def test_a_policy_names_roles_and_people_that_there_are(api, one):
    await one.people("mdm", kind="service")
    body = {"by": "p-1", "reason": "shorter", "warn": True, "steps": [0, 2], "business_days": 10}
    for name, status in (("nobodyrole", 409), ("mdm", 409), ("service_desk_manager", 200), ("manager", 200)):
        answer = await api.put("/sla-policies/repair", json=body | {"path": ["owner", name, "receiver"]})
        assert (answer.status_code, f"no active person '{name}'" in answer.text) == (status, status == 409), answer.text
