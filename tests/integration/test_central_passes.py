"""Gate passes: complete when they are made, and an exception when what went out on one isn't back in time."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from central.api.server import create_app
from central.application.deadlines import DeadlineFilter, sweep
from central.application.errors import NotFound, StepUnfit
from central.application.exceptions import Filter
from central.application.passes import give_back
from central.application.registering import authorise
from central.storage.registry import PgRegistry
from tests.helpers.central import SHEETS, START, central, filled_database, movement

PEOPLE = "id,name\np1,One\np2,Two\np3,Three\n"
BACK = START + timedelta(days=2)


async def people(one):
    assert not (await one.import_(**SHEETS, people=PEOPLE)).problems


@pytest.fixture
async def one():
    with filled_database(people) as dsn:
        async with central(dsn) as opened:
            yield opened


def values(**more):
    return {
        "id": "GP-1", "kind": "gate_pass", "asset": "LT-0001", "boundary": "hq", "person": "p3", "reason": "fair",
        "valid_to": START + timedelta(days=1), "expected_return": BACK, "requested_by": "p1", "approved_by": "p2",
    } | more  # fmt: skip


async def out(one):
    """Take the laptop out to the street on a pass."""
    await authorise(PgRegistry(one.database), values(), START - timedelta(hours=1))
    done = await one.take(
        movement(1), movement(2, portal="main-entrance", after_s=30), now=START + timedelta(minutes=2)
    )
    assert done.alerts == []


async def overdue(one):
    return [(each.asset, each.location, each.suggestion) for each in
            await one.queue.listed(Filter(category="pass_overdue"), 9)]  # fmt: skip


async def test_a_gate_pass_says_why_and_when_it_is_back_unless_it_stays_away(one):
    store = PgRegistry(one.database)
    for changed, text in (
        ({"reason": ""}, "reason: a gate pass says why"),
        ({"expected_return": None}, "expected_return: say when it is back"),
        ({"pass_kind": "non_returnable"}, "leave it empty, a pass of kind non_returnable has none"),
        ({"kind": "standing", "pass_kind": "returnable"}, "only a gate pass has one"),
        ({"valid_from": BACK + timedelta(days=1), "valid_to": BACK + timedelta(days=2)},
         "expected_return: comes before valid_from"),
    ):  # fmt: skip
        with pytest.raises(StepUnfit, match=text):
            await authorise(store, values(**changed), START)
    sold = await authorise(store, values(pass_kind="non_returnable", expected_return=None), START)
    assert sold["pass_kind"] == "non_returnable"
    with pytest.raises(Exception, match="gate_pass_complete"):
        await one.sql("UPDATE authorisation SET reason = ' '")


async def test_no_permission_comes_from_one_person_alone_whatever_it_calls_itself(one):
    store = PgRegistry(one.database)
    alone = {"id": "ST-1", "asset": "LT-0001", "boundary": "hq", "reason": "fair"}
    for kind in ("standing", "issue", "loan"):
        with pytest.raises(StepUnfit, match="approved_by: 'p1' asks for it: name another person"):
            await authorise(store, alone | {"kind": kind}, START, "p1")
    with pytest.raises(StepUnfit, match="approved_by: 'p1' asked for it"):
        await authorise(store, alone | {"kind": "standing", "approved_by": "p1"}, START, "p1")
    both = alone | {"kind": "standing", "approved_by": "p2"}
    with pytest.raises(StepUnfit, match="reason: say why"):
        await authorise(store, both | {"reason": " "}, START, "p1")
    made = await authorise(store, both, START, "p1")
    assert (made["requested_by"], made["approved_by"]) == ("p1", "p2")


async def test_a_pass_is_carried_by_an_active_person_and_back_in_the_future(one):
    store = PgRegistry(one.database)
    await one.people("mdm", kind="service")
    await one.people("gone")
    await one.sql("UPDATE person SET active = false WHERE id = 'gone'")
    for changed, text in (
        ({"person": "gone"}, "person: 'gone' is not active any more"),
        ({"person": "mdm"}, "person: 'mdm' is a service account"),
        ({"approved_by": "mdm"}, "approved_by: 'mdm' is a service account"),
        ({"expected_return": datetime(2020, 1, 1, tzinfo=UTC)}, "expected_return: 2020-01-01T00:00:00.00:00 is over"),
    ):
        with pytest.raises(StepUnfit, match=text):
            await authorise(store, values(**changed), START, "p1")
    header = "id,asset,boundary,valid_from,valid_to,reason,kind,person,requested_by,approved_by,pass_kind"
    row = "GP-2,LT-0001,hq,,2026-03-04T00:00:00Z,sold,gate_pass,mdm,p1,p2,non_returnable"
    done = await one.import_(now=START, authorisations=f"{header}\n{row}\n", dry_run=True)
    assert [each.text.split(":")[0] for each in done.problems] == ["person"]


async def test_a_sheet_with_an_incomplete_pass_is_refused_by_row(one):
    header = "id,asset,boundary,valid_from,valid_to,reason,kind,person,requested_by,approved_by"
    row = "GP-2,LT-0001,hq,,2026-03-04T00:00:00Z,,gate_pass,p3,p1,p2"
    done = await one.import_(now=START, authorisations=f"{header}\n{row}\n", dry_run=True)
    assert [(each.line, each.text.split(":")[0]) for each in done.problems] == [(2, "reason"), (2, "expected_return")]
    row = "GP-2,LT-0001,hq,,2026-03-04T00:00:00Z,sold,gate_pass,p3,p1,p2,non_returnable"
    assert not (await one.import_(now=START, authorisations=f"{header},pass_kind\n{row}\n")).problems


async def test_what_is_not_back_in_time_is_an_exception_climbs_and_is_suggested_once_a_door_sees_it(one):
    await out(one)
    await sweep(one.log, START + timedelta(hours=1))
    assert await overdue(one) == []
    planned = await one.due.deadlines(DeadlineFilter(subject_kind="gate_pass"), 9)
    assert [(each.stage, each.recipient) for each in planned] == [
        ("due", "p3"), ("l1", "security"), ("l2", "branch_admin"), ("l3", "itam_manager"),
    ]  # fmt: skip
    await sweep(one.log, BACK + timedelta(minutes=1))
    assert await overdue(one) == [("LT-0001", "hq", None)]
    number = (await one.queue.listed(Filter(category="pass_overdue"), 9))[0].id
    assert "escalated" in {each.kind for each in (await one.queue.detail(number)).history}
    back = movement(3, portal="main-entrance", kind="in", after_s=3 * 86400)
    await one.take(back, now=START + timedelta(days=3, minutes=1))
    await sweep(one.log, START + timedelta(days=3, minutes=2))
    assert await overdue(one) == [("LT-0001", "hq", "the world has put it right")]
    await sweep(one.log, START + timedelta(days=3, minutes=3))
    assert await one.sql("SELECT by, location FROM act WHERE kind = 'pass_returned'") == [("central", "corridor")]
    assert await one.due.deadlines(DeadlineFilter(subject_kind="gate_pass"), 9) == []


async def test_a_pass_that_nobody_used_or_that_came_back_in_time_is_no_exception(one):
    await authorise(PgRegistry(one.database), values(asset="LT-0003", id="GP-3"), START)
    await out(one)
    await one.take(movement(3, portal="main-entrance", kind="in", after_s=3600), now=START + timedelta(hours=2))
    await sweep(one.log, START + timedelta(hours=3))
    await sweep(one.log, BACK + timedelta(days=9))
    assert await overdue(one) == []


async def test_a_guard_says_that_it_is_back_once(one):
    await out(one)
    await sweep(one.log, BACK + timedelta(minutes=1))
    app = create_app(one.services(lambda: BACK + timedelta(hours=1)), token="t", version="0", local=True)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1/api/v1", headers={"Authorization": "Bearer t"}
    ) as api:
        answer = await api.post("/authorisations/GP-1/returned", json={"by": "p2"})
        assert (answer.status_code, answer.json()["authorisations"][0]["id"]) == (200, "GP-1")
        again = await api.post("/authorisations/GP-1/returned", json={"by": "p2"})
        assert (again.status_code, "is back already" in again.json()["detail"]) == (409, True)
    assert await overdue(one) == [("LT-0001", "hq", "the world has put it right")]
    with pytest.raises(NotFound, match="no gate pass 'A-2'"):
        await give_back(one.due, "A-2", "p2", BACK)
