"""Who sends a transfer receives it by nothing that they say to see at its goal, on a real PostgreSQL."""

import pytest

from central.application import counts
from central.application import transfers as use
from central.application.count_views import Observation, Plan
from central.application.errors import StepUnfit
from tests.helpers.central import START, central, filled_database
from tests.integration.test_central_transfer_rules import approved, more
from tests.integration.test_central_transfers import after, same_as_rebuilt


@pytest.fixture
async def one():
    with filled_database(more) as dsn:
        async with central(dsn) as opened:
            yield opened


def saw(by, asset="LT-0001", seconds=60, location="branch-stock"):
    return Observation(location, after(seconds), by, "barcode", "handheld 7", asset=asset)


async def lines(one, transfer):
    """State of each line of a transfer."""
    return {each.id: each.state for each in (await one.transfers.transfer(transfer)).assets}


async def test_what_its_sender_verifies_at_the_goal_is_there_and_not_received(one):
    done = await approved(one)
    await use.dispatch(one.transfers, done.id, "ann", None, after(0))
    await counts.verify(one.counting, saw("ann"), "scan", after(60))
    assert await lines(one, done.id) == {"DK-1": "open", "LT-0001": "open", "LT-0002": "open"}
    assert (await one.where("LT-0001"), await one.where("DK-1")) == ("branch-stock", "branch-stock")
    await same_as_rebuilt(one)
    await counts.verify(one.counting, saw("joe", seconds=90), "scan", after(90))
    assert await lines(one, done.id) == {"DK-1": "received", "LT-0001": "received", "LT-0002": "open"}
    await same_as_rebuilt(one)


async def test_what_its_sender_counts_at_the_goal_is_not_received_and_the_receiver_counts_it_in(one):
    done = await approved(one)
    await use.dispatch(one.transfers, done.id, "ann", None, after(0))
    plan = Plan("spot", "branch-stock", (), blind=False, planned_for=START.date(), by="kim")
    run = await one.counting.plan(plan, after(1))
    await counts.start(one.counting, run, "kim", after(2))
    await counts.observe(one.counting, run, [saw("ann"), saw("bob", "LT-0002")], after(60))
    assert await lines(one, done.id) == {"DK-1": "open", "LT-0001": "open", "LT-0002": "received"}
    assert await one.where("LT-0001") == "branch-stock"
    await same_as_rebuilt(one)


async def test_who_scanned_it_out_or_answers_for_the_sending_place_is_a_sender_too(one):
    done = await approved(one)
    await use.dispatch(one.transfers, done.id, "joe", None, after(0))
    await counts.verify(one.counting, saw("joe"), "scan", after(60))
    assert (await lines(one, done.id))["LT-0001"] == "open"


async def test_the_sender_sees_at_the_goal_nothing_that_is_awaited_there_dispatched_or_not(one):
    done = await approved(one)
    for asset in ("LT-0001", "LT-0002"):
        with pytest.raises(StepUnfit, match=f"'ann' is the sender of transfer {done.id}"):
            await use.see(one.transfers, asset, "ann", "branch-stock", after(5), how="handheld")
    await use.see(one.transfers, "LT-0001", "bob", "branch-stock", after(6), how="handheld")
    assert await lines(one, done.id) == {"DK-1": "received", "LT-0001": "received", "LT-0002": "waiting"}
    await use.see(one.transfers, "LT-0001", "ann", "branch-stock", after(7), how="handheld")
