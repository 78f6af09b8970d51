"""Deadlines on a real PostgreSQL: planned from what is open, fired once each, known to a rebuild."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from central.application.deadlines import set_policy, sweep
from central.application.errors import NotFound, StepUnfit
from central.application.exceptions import take_step
from central.application.loans import (
    Ending,
    Extension,
    NewLoan,
    NewRepair,
    close_repair,
    extend_loan,
    open_loan,
    open_repair,
    return_loan,
)
from central.application.openings import Opening
from central.domain.deadlines import Policy
from central.domain.exceptions.workflow import Step
from central.storage.rebuild import rebuild
from tests.helpers.central import central, movement, registered_database

FRIDAY = datetime(2026, 3, 6, 12, tzinfo=UTC)
LOAN = NewLoan("L-1", "LT-0001", "borrower", "INC-7", "hq", date(2026, 3, 10), FRIDAY, "desk")
REPAIR = NewRepair("R-1", "LT-0002", "Fixers", "RMA-1", "hq", date(2026, 3, 20), FRIDAY, "desk")
DUE = datetime(2026, 3, 11, tzinfo=UTC)
"""The instant after the loan's last one: its location is in Britain."""


@pytest.fixture
async def one():
    with registered_database() as dsn:
        async with central(dsn) as one:
            await one.sql(
                "INSERT INTO person (id, name) SELECT p, p FROM unnest('{borrower,manager,desk,other}'::text[]) AS p"
            )
            await one.sql("INSERT INTO role VALUES ('service_desk_manager', 'Service desk manager')")
            await one.sql("INSERT INTO role_holder VALUES ('service_desk_manager', 'hq-site', 'manager')")
            await one.sql("UPDATE location SET country = 'GB', timezone = 'Europe/London' WHERE id = 'hq-site'")
            await one.sql("UPDATE registry_version SET version = version + 1")
            yield one


async def fired(one):
    return await one.sql(
        "SELECT subject, detail ->> 'stage', detail ->> 'to' FROM act WHERE kind = 'deadline_fired' ORDER BY id"
    )


async def open_now(one, category):
    rows = await one.sql("SELECT id, suggestion FROM exception WHERE category = %s AND state = 'open'", category)
    return rows[0] if rows else None


async def test_an_overdue_loan_becomes_an_exception_climbs_and_is_put_right_by_its_return(one):
    await open_loan(one.log, LOAN, FRIDAY)
    first = await sweep(one.log, FRIDAY)
    assert (first.planned, first.fired) == (1, 0)
    assert (await sweep(one.log, DUE - timedelta(seconds=1))).fired == 0
    assert (await sweep(one.log, DUE)).fired == 2
    assert await fired(one) == [("loan/L-1", "due", "borrower"), ("loan/L-1", "l1", "service_desk")]
    number, suggestion = await open_now(one, "loaner_overdue")
    assert suggestion is None
    assert (await sweep(one.log, DUE)).fired == 0
    assert (await sweep(one.log, DUE + timedelta(days=1))).fired == 1
    told = await one.sql("SELECT kind, detail ->> 'to' FROM exception_event WHERE exception = %s ORDER BY id", number)
    assert told == [("opened", None), ("escalated", "borrower"), ("escalated", "service_desk"),
                    ("escalated", "service_desk_manager")]  # fmt: skip
    await return_loan(one.log, "L-1", Ending(DUE + timedelta(days=1), "desk"), DUE + timedelta(days=1))
    assert (await open_now(one, "loaner_overdue"))[1] == "the world has put it right"
    await sweep(one.log, DUE + timedelta(days=30))
    loans = await one.sql("SELECT count(*) FROM act WHERE kind = 'deadline_fired' AND subject LIKE 'loan/%%'")
    assert loans == [(3,)]
    assert await one.sql("SELECT count(*) FROM deadline WHERE subject_kind = 'loan' AND fired_at IS NULL") == [(0,)]


async def test_an_extension_moves_the_due_date_and_needs_a_manager_who_is_somebody_else(one):
    await open_loan(one.log, LOAN, FRIDAY)
    await sweep(one.log, FRIDAY)
    later = date(2026, 3, 14)  # a Saturday: due with Monday
    for approver, told in (("other", "is no service_desk_manager of hq"), ("desk", "another person"),
                           ("borrower", "another person")):  # fmt: skip
        with pytest.raises(StepUnfit, match=told):
            await extend_loan(one.log, "L-1", Extension(later, approver, "still broken", "desk"), FRIDAY)
    with pytest.raises(StepUnfit, match="names a later day"):
        await extend_loan(one.log, "L-1", Extension(date(2026, 3, 10), "manager", "-", "desk"), FRIDAY)
    extended = await extend_loan(one.log, "L-1", Extension(later, "manager", "still broken", "desk"), FRIDAY)
    assert (extended.extended, extended.approved_by) == (1, "manager")
    assert extended.due_at == datetime(2026, 3, 17, tzinfo=UTC) - timedelta(microseconds=1)
    assert (await sweep(one.log, DUE)).fired == 0
    assert (await sweep(one.log, datetime(2026, 3, 17, tzinfo=UTC))).fired == 2


async def test_what_a_loan_lacks_is_told(one):
    await open_loan(one.log, LOAN, FRIDAY)
    wrong = {
        "there is a loan L-1 already": (StepUnfit, {"asset": "LT-0003"}),
        "has an open loan, L-1": (StepUnfit, {"id": "L-2"}),
        "there is no asset 'LT-9'": (NotFound, {"id": "L-2", "asset": "LT-9"}),
        "there is no active person 'nobody'": (NotFound, {"id": "L-2", "asset": "LT-0003", "person": "nobody"}),
        "there is no location 'moon'": (NotFound, {"id": "L-2", "asset": "LT-0003", "location": "moon"}),
        "is over at": (StepUnfit, {"id": "L-2", "asset": "LT-0003", "due_on": date(2026, 3, 5)}),
        "still to come": (StepUnfit, {"id": "L-2", "asset": "LT-0003", "at": FRIDAY + timedelta(hours=1)}),
    }
    for told, (error, change) in wrong.items():
        changed = {name: getattr(LOAN, name) for name in LOAN.__dataclass_fields__} | change
        with pytest.raises(error, match=told):
            await open_loan(one.log, NewLoan(**changed), FRIDAY)
    with pytest.raises(NotFound, match="there is no loan 'L-9'"):
        await return_loan(one.log, "L-9", Ending(FRIDAY, "desk"), FRIDAY)
    await return_loan(one.log, "L-1", Ending(FRIDAY, "desk"), FRIDAY)
    with pytest.raises(StepUnfit, match="ended on"):
        await return_loan(one.log, "L-1", Ending(FRIDAY, "desk"), FRIDAY)


async def test_a_repair_is_overdue_after_fifteen_business_days_and_closed_with_an_outcome(one):
    repair = await open_repair(one.log, REPAIR, FRIDAY)
    assert repair.overdue_at == datetime(2026, 3, 28, tzinfo=UTC) - timedelta(microseconds=1)
    await sweep(one.log, repair.overdue_at)
    assert await fired(one) == [("repair/R-1", "warn", "service_desk"), ("repair/R-1", "due", "service_desk"),
                                ("repair/R-1", "l1", "service_desk")]  # fmt: skip
    assert await open_now(one, "repair_overdue") is not None
    end = Ending(repair.overdue_at, "desk")
    assert (await close_repair(one.log, "R-1", "replaced", end, repair.overdue_at)).outcome == "replaced"
    with pytest.raises(StepUnfit, match="ended on"):
        await close_repair(one.log, "R-1", "replaced", end, repair.overdue_at)


async def test_a_rebuild_makes_the_same_loans_and_fires_nothing_twice(one):
    await open_loan(one.log, LOAN, FRIDAY)
    await open_repair(one.log, REPAIR, FRIDAY)
    await extend_loan(one.log, "L-1", Extension(date(2026, 3, 12), "manager", "still broken", "desk"), FRIDAY)
    await sweep(one.log, datetime(2026, 4, 15, tzinfo=UTC))
    state = (
        "SELECT * FROM loan",
        "SELECT * FROM repair",
        "SELECT subject, stage, at, recipient, fired_at, act FROM deadline WHERE subject ~ '-1' ORDER BY act",
    )
    before, acts = [await one.sql(query) for query in state], await fired(one)
    await rebuild(one.database, datetime(2026, 4, 15, tzinfo=UTC))
    await sweep(one.log, datetime(2026, 4, 15, tzinfo=UTC))
    assert [await one.sql(query) for query in state] == before
    assert await fired(one) == acts
    assert len(acts) == len(set(acts))


async def test_sweeps_at_once_fire_each_deadline_once(one):
    for number in (1, 2, 3):
        loan = NewLoan(f"L-{number}", f"LT-000{number}", "borrower", "INC-7", "hq", date(2026, 3, 10), FRIDAY, "desk")
        await open_loan(one.log, loan, FRIDAY)
    await sweep(one.log, FRIDAY)
    late = DUE + timedelta(hours=1)
    done = await asyncio.gather(*(sweep(one.log, late) for _ in range(3)))
    assert sum(one.fired for one in done) == 6
    acts = await fired(one)
    assert len(acts) == len(set(acts)) == 6


async def test_an_exception_that_nobody_takes_or_closes_climbs(one):
    async with one.log.transaction() as transaction:
        opening = Opening("missing", None, "LT-0001", "hq", FRIDAY, {})
        (number,) = await transaction.open_exceptions([opening], FRIDAY)
    await sweep(one.log, FRIDAY)
    await sweep(one.log, datetime(2026, 3, 12, tzinfo=UTC))
    assert await fired(one) == [(f"exception_assign/{number}", stage, to)
                                for stage, to in (("due", "branch_admin"), ("l1", "branch_admin"))]  # fmt: skip
    await take_step(one.queue, number, Step("assign", "desk", owner="other"), datetime(2026, 3, 12, 9, tzinfo=UTC))
    await sweep(one.log, datetime(2026, 3, 28, tzinfo=UTC))
    more = (await fired(one))[2:]
    assert more == [(f"exception_close/{number}", stage, to)
                    for stage, to in (("warn", "other"), ("due", "other"), ("l1", "branch_admin"))]  # fmt: skip


async def test_an_asset_on_its_way_is_missed_at_its_due_date_and_not_before(one):
    await one.take(movement(1, portal="stockroom-a-door", start=FRIDAY), now=FRIDAY)
    await one.take(movement(2, portal="main-entrance", after_s=60, start=FRIDAY), now=FRIDAY + timedelta(minutes=2))
    ((due,),) = await one.sql("SELECT receipt_due FROM transit_leg")
    assert due == datetime(2026, 3, 14, tzinfo=UTC) - timedelta(microseconds=1)
    await sweep(one.log, FRIDAY + timedelta(minutes=3))
    await sweep(one.log, due - timedelta(microseconds=1))
    assert await open_now(one, "not_received") is None
    await sweep(one.log, due)
    number, _ = await open_now(one, "not_received")
    receipts = [row for row in await fired(one) if row[0].startswith("receipt/")]
    assert [row[1:] for row in receipts] == [("warn", "itam_manager"), ("due", "itam_manager"), ("l1", "branch_admin")]
    told = await one.sql("SELECT detail ->> 'stage' FROM exception_event WHERE exception = %s AND kind = 'escalated'",
                         number)  # fmt: skip
    assert told == [("due",), ("l1",)]


async def test_a_changed_policy_counts_for_what_has_not_fired(one):
    await open_loan(one.log, LOAN, FRIDAY)
    await sweep(one.log, FRIDAY)
    with pytest.raises(StepUnfit, match="path names 1 recipients"):
        await set_policy(
            one.log, Policy("loan", None, warn=False, steps=(2,), path=("owner",)), "manager", "shorter", FRIDAY
        )
    with pytest.raises(StepUnfit, match="business_days is a repair's"):
        await set_policy(
            one.log, Policy("loan", 3, warn=False, steps=(2,), path=("owner", "other")), "manager", "shorter", FRIDAY
        )
    await set_policy(
        one.log, Policy("loan", None, warn=False, steps=(2,), path=("owner", "other")), "manager", "shorter", FRIDAY
    )
    await sweep(one.log, DUE + timedelta(days=2))
    assert await fired(one) == [("loan/L-1", "due", "borrower"), ("loan/L-1", "l1", "other")]
