"""The exception queue on a real PostgreSQL: one open each, occurrences, suggestions, steps, separation of duties."""

from datetime import timedelta

import httpx
import pytest

from central.api.server import create_app
from central.application.errors import NotFound, RowsRefused, Separated, StepUnfit
from central.application.exceptions import Filter, take_step
from central.application.openings import Opening
from central.domain.exceptions.workflow import Evidence, Step
from tests.helpers.central import START, central

SCAN = Evidence("scan", "handheld 7")


@pytest.fixture
async def one(dsn):
    async with central(dsn) as opened:
        await opened.sql("INSERT INTO person (id, name) VALUES ('ann', 'Ann'), ('bob', 'Bob'), ('cid', 'Cid')")
        yield opened


def missing(asset="LT-0001", *, after_s=0, category="missing", location="stockroom-a", **more):
    at = START + timedelta(seconds=after_s)
    return Opening(category, more.pop("severity", None), asset, location, at, {"why": "not heard"}, **more)


async def settle(one, *openings, assets=("LT-0001",), source="test", now=START):
    async with one.log.transaction() as transaction:
        return await transaction.settle_exceptions(source, assets, openings, now)


async def opened(one, category="missing"):
    return await one.queue.listed(Filter(category=category), 10)


async def test_one_is_open_and_what_happens_again_is_an_occurrence(one):
    first = await settle(one, missing())
    again = await settle(one, missing(), missing(after_s=60))
    assert again == first
    (found,) = await opened(one)
    assert (found.occurrences, found.last_at - found.first_at) == (2, timedelta(minutes=1))
    assert (found.severity, found.owner_role, found.state) == ("high", "branch_admin", "open")
    assert (found.assign_by.date().isoformat(), found.due_at.date().isoformat()) == ("2026-03-05", "2026-03-23")
    assert await settle(one, missing(), missing(after_s=60)) == []


async def test_the_database_holds_one_open_each_whatever_program_writes(one):
    await settle(one, missing(asset=None), assets=())
    with pytest.raises(RowsRefused, match="exception_one_open"):
        await one.sql(
            "INSERT INTO exception (category, severity, location, owner_role, closure_path, opened_at, assign_by,"
            " due_at, calendar, first_at, last_at) SELECT category, severity, location, owner_role, closure_path,"
            " opened_at, assign_by, due_at, calendar, first_at, last_at FROM exception"
        )


async def test_what_a_source_says_no_more_is_suggested_and_never_closed(one):
    (number,) = await settle(one, missing())
    await settle(one, now=START + timedelta(hours=1))
    (found,) = await opened(one)
    assert (found.state, found.suggestion, found.suggested_by) == ("open", "the world has put it right", "test")
    await settle(one, missing())
    (found,) = await opened(one)
    assert found.suggestion is None
    kinds = [event.kind for event in (await one.queue.detail(number)).history]
    assert kinds == ["opened", "suggested", "suggestion_withdrawn"]


async def test_another_source_and_another_asset_are_left_alone(one):
    await settle(one, missing(), source="story")
    await settle(one, source="doors")
    await settle(one, assets=["LT-0002"], source="story")
    assert (await opened(one))[0].suggestion is None


async def test_a_worse_occurrence_makes_it_graver_and_due_sooner(one):
    await settle(one, missing(severity="low"))
    (before,) = await opened(one)
    await settle(one, missing(severity="low"), missing(after_s=9, severity="critical"))
    (after,) = await opened(one)
    assert (before.severity, after.severity) == ("low", "critical")
    assert after.due_at < before.due_at


async def end(one, number, by="ann", approver="bob", **more):
    await take_step(one.queue, number, Step("propose", by, outcome="closed", evidence=SCAN), START)
    return await take_step(one.queue, number, Step("approve", approver), START, **more)


async def test_what_somebody_closed_stays_closed_until_something_new_happens(one):
    (number,) = await settle(one, missing())
    await end(one, number)
    assert await settle(one, missing()) == []
    assert await opened(one) == []
    (second,) = await settle(one, missing(), missing(after_s=99))
    assert second != number
    assert (await opened(one))[0].occurrences == 1


async def test_what_was_closed_because_the_world_put_it_right_opens_when_it_is_said_again(one):
    (number,) = await settle(one, missing())
    await settle(one)
    await end(one, number)
    (second,) = await settle(one, missing())
    assert second != number
    assert (await one.queue.detail(number)).exception.state == "closed"


async def test_every_step_is_in_the_history_and_in_the_log(one):
    (number,) = await settle(one, missing())
    await take_step(one.queue, number, Step("assign", "ann", owner="cid"), START)
    await take_step(one.queue, number, Step("investigate", "cid"), START)
    done = await end(one, number, "cid", "bob")
    assert (done.exception.state, done.exception.evidence["reference"]) == ("closed", "handheld 7")
    again = await take_step(one.queue, number, Step("reopen", "ann", reason="not that one"), START + timedelta(days=9))
    assert [event.kind for event in again.history][1:] == ["assign", "investigate", "propose", "approve", "reopen"]
    assert (again.exception.state, again.exception.reopened, again.exception.evidence) == ("open", 1, None)
    assert again.exception.due_at > done.exception.due_at
    acts = await one.sql("SELECT by, detail ->> 'step' FROM act WHERE kind = 'exception_step' ORDER BY id")
    assert acts == [
        ("ann", "assign"), ("cid", "investigate"), ("cid", "propose"), ("bob", "approve"), ("ann", "reopen"),
    ]  # fmt: skip


async def test_a_step_out_of_turn_and_a_person_whom_nobody_registered_are_refused(one):
    (number,) = await settle(one, missing())
    with pytest.raises(StepUnfit, match="it takes assign, propose, close"):
        await take_step(one.queue, number, Step("approve", "bob"), START)
    with pytest.raises(NotFound, match=r"no active person 'zoe': import people\.csv"):
        await take_step(one.queue, number, Step("assign", "ann", owner="zoe"), START)
    with pytest.raises(NotFound, match="there is no exception 999"):
        await take_step(one.queue, 999, Step("assign", "ann", owner="bob"), START)


async def test_nobody_reopens_what_is_open_anew(one):
    (number,) = await settle(one, missing())
    await end(one, number)
    await settle(one, missing(after_s=9))
    with pytest.raises(RowsRefused, match="exception_one_open"):
        await take_step(one.queue, number, Step("reopen", "ann", reason="look again"), START)


async def in_custody(one, kind="person", custodian="bob"):
    await one.sql(
        "INSERT INTO asset_state (asset, custody_kind, custodian, custody_since, title, holds)"
        " VALUES ('LT-0001', %s, %s, now(), 'owned', '{}') ON CONFLICT (asset) DO UPDATE SET"
        " custody_kind = excluded.custody_kind, custodian = excluded.custodian, custody_since = excluded.custody_since",
        kind, custodian,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["person", "pool"])
async def test_nobody_closes_an_exception_on_an_asset_in_own_custody(one, kind):
    if kind == "pool":
        await one.sql("INSERT INTO pool (id, name, owner) VALUES ('loaners', 'Loaners', 'bob')")
    await in_custody(one, kind, "loaners" if kind == "pool" else "bob")
    (number,) = await settle(one, missing())
    with pytest.raises(Separated, match="bob has LT-0001 in custody"):
        await end(one, number)
    done = await take_step(one.queue, number, Step("approve", "cid"), START)
    assert done.exception.state == "closed"


async def test_nobody_approves_the_closing_that_they_proposed(one):
    (number,) = await settle(one, missing())
    with pytest.raises(Separated, match="ann proposed this"):
        await end(one, number, "ann", "ann")


async def test_the_database_refuses_it_whatever_program_asks(one):
    await in_custody(one)
    (number,) = await settle(one, missing())
    await take_step(one.queue, number, Step("propose", "ann", outcome="closed", evidence=SCAN), START)
    with pytest.raises(Separated):
        await one.sql(
            "INSERT INTO exception (category, severity, asset, state, owner_role, closure_path, opened_at, assign_by,"
            " due_at, calendar, first_at, last_at, outcome, evidence, proposed_by, decided_by, decided_at)"
            " SELECT category, severity, asset, 'closed', owner_role, closure_path, opened_at, assign_by, due_at,"
            " calendar, first_at, last_at, outcome, evidence, proposed_by, 'bob', now() FROM exception"
        )
    with pytest.raises(Separated):
        await one.sql("UPDATE exception SET state = 'closed', decided_by = 'bob', decided_at = now()")


async def test_broken_glass_is_an_exception_of_its_own_that_the_same_person_cannot_close(one):
    await in_custody(one)
    (number,) = await settle(one, missing())
    await take_step(one.queue, number, Step("propose", "bob", outcome="closed", evidence=SCAN), START)
    done = await take_step(one.queue, number, Step("approve", "bob"), START, glass="nobody else is on site tonight")
    assert done.exception.state == "closed"
    assert await one.sql("SELECT rule, by FROM break_glass ORDER BY id") == [
        ("own_custody", "bob"), ("four_eyes", "bob"),
    ]  # fmt: skip
    (report,) = await opened(one, "break_glass")
    assert (report.asset, report.severity, report.occurrences) == ("LT-0001", "high", 2)
    allowed = Evidence("ticket", "INC-1")
    await take_step(one.queue, report.id, Step("propose", "ann", outcome="closed", evidence=allowed), START)
    with pytest.raises(Separated, match="bob broke the glass"):
        await take_step(one.queue, report.id, Step("approve", "bob"), START, glass="nobody else is on site tonight")
    assert (await take_step(one.queue, report.id, Step("approve", "cid"), START)).exception.state == "closed"


async def test_broken_glass_does_not_outlast_its_transaction(one):
    await in_custody(one)
    (number,) = await settle(one, missing())
    await take_step(one.queue, number, Step("propose", "ann", outcome="closed", evidence=SCAN), START)
    await take_step(one.queue, number, Step("approve", "bob"), START, glass="nobody else is on site tonight")
    await take_step(one.queue, number, Step("reopen", "ann", reason="look again"), START)
    with pytest.raises(Separated):
        await end(one, number)


async def test_nobody_approves_an_own_pass(one):
    with pytest.raises(RowsRefused, match="authorisation_check"):
        await one.sql(
            "INSERT INTO authorisation (id, asset, boundary, kind, person, requested_by, approved_by, valid_to, reason,"
            " recorded_at, pass_kind) VALUES ('G-1', 'LT-0001', 'hq', 'gate_pass', 'bob', 'ann', 'bob', now(), 'home',"
            " now(), 'non_returnable')"
        )


async def test_history_and_exceptions_are_never_deleted(one):
    await settle(one, missing())
    for statement in ("DELETE FROM exception", "DELETE FROM exception_event", "UPDATE exception_event SET by = 'x'"):
        with pytest.raises(RowsRefused, match="never changed or deleted"):
            await one.sql(statement)


async def test_the_api_lists_counts_and_steps_and_no_filter_reaches_the_totals(one):
    (number,) = await settle(one, missing())
    await in_custody(one)
    services = one.services(lambda: START)
    app = create_app(services, token="t", version="0", local=True)
    transport, headers = httpx.ASGITransport(app), {"Authorization": "Bearer t"}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as api:
        listed = (await api.get("/api/v1/exceptions", params={"owner": "nobody", "category": "damaged"})).json()
        assert (listed["open"]["total"], listed["open"]["high_risk"], listed["exceptions"]) == (1, 1, [])
        assets = (await api.get("/api/v1/assets", params={"location": "corridor"})).json()
        assert (assets["open_exceptions"]["total"], len(assets["assets"])) == (1, 1)
        (first,) = (await api.get("/api/v1/exceptions")).json()["exceptions"]
        assert (first["title"], first["evidence_wanted"]) == (
            "Not found where the book has it", ["sighting", "scan", "count", "approval"],
        )  # fmt: skip
        path = f"/api/v1/exceptions/{number}/steps"
        proposal = {"step": "propose", "by": "bob", "outcome": "closed", "evidence": {"kind": "scan", "reference": "7"}}
        assert (await api.post(path, json=proposal)).json()["exception"]["state"] == "awaiting_approval"
        refused = await api.post(path, json={"step": "approve", "by": "bob"})
        assert (refused.status_code, "bob has LT-0001 in custody" in refused.json()["detail"]) == (403, True)
        unfit = await api.post(path, json={"step": "close", "by": "ann"})
        assert (unfit.status_code, "it takes approve, reject" in unfit.json()["detail"]) == (409, True)
        done = (await api.post(path, json={"step": "approve", "by": "cid"})).json()
        assert (done["exception"]["state"], done["occurrences"][0]["evidence"]) == ("closed", {"why": "not heard"})
        ended = (await api.get("/api/v1/exceptions?state=ended")).json()
        assert ([each["id"] for each in ended["exceptions"]], ended["open"]["total"]) == ([number], 0)
        assert len((await api.get("/api/v1/exception-categories")).json()["categories"]) > 40
