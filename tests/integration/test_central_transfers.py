"""Transfers and what is in transit, on a real PostgreSQL: by doors, by scans, undeclared, late and in any order."""

import asyncio
from datetime import timedelta

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from central.application import transfers as use
from central.application.deadlines import sweep
from central.application.errors import NotFound, StepUnfit
from central.application.exceptions import Filter
from central.storage.rebuild import projection_hash, rebuild
from edge.contracts import Clock
from tests.helpers.central import SHEETS, START, central, epc, filled_database, movement

BRANCH = {
    "locations": SHEETS["locations"] + """branch-site,Branch,site,,
branch,Branch building,building,branch-site,
branch-stock,Branch stock,zone,branch,true
""",
    "portals": SHEETS["portals"] + """branch-door,Branch door,hq,hq-east-1,branch-stock,street,
""",
    "assets": SHEETS["assets"],
    "tags": SHEETS["tags"],
}  # fmt: skip
PEOPLE = """INSERT INTO person (id, name) VALUES ('ann', 'Ann'), ('bob', 'Bob'), ('eve', 'Eve');
            INSERT INTO role (id, name) VALUES ('keeper', 'Keeper of stock');
            INSERT INTO role_holder (role, location, person) VALUES ('keeper', NULL, 'eve'),
                ('keeper', 'hq', 'ann'), ('keeper', 'branch', 'bob');
            UPDATE location SET owner_role = 'keeper' WHERE id IN ('hq-site', 'branch-site');
            UPDATE registry_version SET version = version + 1"""
SHUT_FOR_GOOD = """WITH told AS (INSERT INTO act (at, recorded_at, kind, by)
    SELECT at, at, 'calendar_overridden', 'eve' FROM (VALUES (%s)) AS v (at) RETURNING id, at
) INSERT INTO calendar_override (day, status, location, reason, by, recorded_at, act)
SELECT d, 'closed', site, 'closed for good', 'eve', at, id FROM told, unnest('{hq-site,branch-site}'::text[]) AS site,
       generate_series('2026-01-01'::date, '2049-12-31', '1 day') AS d"""
ASKED = use.Request("ann", "stockroom-a", "branch-stock", ["LT-0001", "LT-0002"], "ann", "bob", "moves")


@pytest.fixture
def dsn():
    with filled_database(prepare) as dsn:
        yield dsn


async def prepare(one):
    """Two sites, three people, a role."""
    assert not (await one.import_(**BRANCH)).problems
    await one.sql(PEOPLE)


def after(seconds):
    """Instant that many seconds after the start."""
    return START + timedelta(seconds=seconds)


async def approved(one, asked=ASKED, seconds=-300):
    """Ask for a transfer and approve it."""
    transfer = (await use.request(one.transfers, asked, after(seconds))).id
    return await use.approve(one.transfers, transfer, "eve", None, after(seconds + 1))


async def wrong(one):
    """(category, asset) of what is open."""
    return sorted((each.category, each.asset) for each in await one.queue.listed(Filter(), 50))


async def test_doors_dispatch_and_receive_an_approved_transfer_and_raise_nothing(one):
    done = await approved(one)
    assert (done.state, done.words) == ("approved", "approved")
    out = await one.take(movement(1), movement(2, portal="main-entrance", after_s=20))
    assert out.alerts == []
    half = await one.transfers.transfer(done.id)
    assert (half.state, half.words) == ("incomplete", "incomplete, 1 of 2")
    await one.take(movement(3, tag=epc(2), after_s=30))
    assert (await one.transfers.transfer(done.id)).state == "in_transit"
    leg = (await one.transfers.legs(asset="LT-0001", under_way=True, now=after(60), limit=9))[0]
    assert (leg.transfer, leg.sender, leg.receiver, leg.basis, leg.assumed) == (done.id, "ann", "bob", "observed", [])
    assert (leg.dispatched_at, leg.receipt_due.date().isoformat()) == (START, "2026-03-09")
    await one.take(movement(4, portal="branch-door", kind="in", after_s=40))
    assert (await one.transfers.transfer(done.id)).words == "partly received, 1 of 2"
    assert await one.where("LT-0001") == "branch-stock"
    assert await one.transfers.legs(asset="LT-0001", under_way=True, now=after(60), limit=9) == []


async def test_a_transfer_that_is_not_received_is_an_exception_from_its_due_date_on(one):
    done = await approved(one)
    await one.take(movement(1), now=after(60))
    assert await wrong(one) == []
    await one.take(movement(2, tag=epc(2), after_s=30), now=after(8 * 86400))
    assert await wrong(one) == [("not_received", "LT-0002")]
    assert (await one.transfers.legs(asset="LT-0001", under_way=True, now=after(8 * 86400), limit=9))[0].overdue
    await use.receive(one.transfers, done.id, "bob", ["LT-0002"], after(9 * 86400))
    told = {each.asset: each.suggestion for each in await one.queue.listed(Filter(), 50)}
    assert told == {"LT-0001": None, "LT-0002": "the world has put it right"}


async def test_scans_dispatch_and_receive_and_the_sender_receives_nothing(one):
    done = await approved(one)
    sent = await use.dispatch(one.transfers, done.id, "ann", None, after(0))
    assert (sent.state, [each.basis for each in sent.assets]) == ("in_transit", ["scanned", "scanned"])
    with pytest.raises(StepUnfit, match="'ann' is the sender"):
        await use.receive(one.transfers, done.id, "ann", None, after(99))
    with pytest.raises(StepUnfit, match="'ann' is the sender"):
        await use.see(one.transfers, "LT-0001", "ann", "branch-stock", after(99), how="handheld")
    came = await use.receive(one.transfers, done.id, "bob", None, after(99))
    assert came.state == "received"
    assert await one.where("LT-0002") == "branch-stock"
    with pytest.raises(StepUnfit, match="nothing of it can be received now"):
        await use.receive(one.transfers, done.id, "bob", None, after(100))


async def test_who_scans_all_out_moves_nothing_that_is_known_to_be_elsewhere(one):
    """Seen elsewhere meanwhile, it was put back and sent on its way; one that is named was in somebody's hands."""
    done = await approved(one)
    await use.see(one.transfers, "LT-0002", "bob", "corridor", after(-5), how="handheld")
    with pytest.raises(StepUnfit, match=r"'LT-0002' is at 'corridor', .*: name the assets that were scanned out"):
        await use.dispatch(one.transfers, done.id, "ann", None, after(0))
    assert await one.where("LT-0002") == "corridor"
    sent = await use.dispatch(one.transfers, done.id, "ann", ["LT-0001"], after(0))
    assert sent.words == "incomplete, 1 of 2"
    both = await use.dispatch(one.transfers, done.id, "ann", ["LT-0002"], after(1))
    assert both.state == "in_transit"


async def test_nobody_sees_an_asset_in_all_of_a_country(one):
    await one.import_(locations="id,name,kind,parent,guarded\nde,Germany,country,,false\n")
    with pytest.raises(StepUnfit, match="'de' is a country: nobody sees an asset in all of it"):
        await use.see(one.transfers, "LT-0001", "ann", "de", after(0), how="handheld")
    assert await one.where("LT-0001") == "stockroom-a"


async def test_nobody_approves_an_own_request_and_nothing_passes_before(one):
    transfer = (await use.request(one.transfers, ASKED, after(-300))).id
    with pytest.raises(StepUnfit, match="somebody else approves it"):
        await use.approve(one.transfers, transfer, "ann", None, after(-200))
    with pytest.raises(StepUnfit, match="only an approved one can be dispatched"):
        await use.dispatch(one.transfers, transfer, "ann", None, after(-100))
    done = await one.take(movement(1))
    assert (await one.views.alerts_by_id(done.alerts))[0].kind == "unauthorised_exit"


async def test_an_approval_lets_the_doors_pass_and_a_cancellation_ends_that(one):
    done = await approved(one)
    await use.cancel(one.transfers, done.id, "ann", "not needed", after(-10))
    assert (await one.transfers.transfer(done.id)).state == "cancelled"
    out = await one.take(movement(1))
    assert [alert.kind for alert in await one.views.alerts_by_id(out.alerts)] == ["unauthorised_exit"]


async def test_what_does_not_fit_is_refused_with_a_reason(one):
    asked = use.Request("ann", "stockroom-a", "branch-stock", ["LT-0001"], "ann", "nobody", "moves")
    with pytest.raises(NotFound, match="no person or role 'nobody'"):
        await use.request(one.transfers, asked, START)
    done = await approved(one)
    with pytest.raises(StepUnfit, match=f"on transfer {done.id} already"):
        await use.request(one.transfers, ASKED, START)
    with pytest.raises(StepUnfit, match=r"'LT-0003' of transfer .* is not on it"):
        await use.dispatch(one.transfers, done.id, "ann", ["LT-0003"], START)
    with pytest.raises(StepUnfit, match="no undeclared way"):
        await use.claim(one.transfers, "LT-0001", "ann", {"sender": "ann", "receiver": "bob"}, START)
    await use.dispatch(one.transfers, done.id, "ann", None, START)
    with pytest.raises(StepUnfit, match="only what hasn't left"):
        await use.cancel(one.transfers, done.id, "ann", "too late", START)


async def test_an_undeclared_departure_is_in_transit_in_the_owners_name_until_it_is_claimed(one):
    await one.take(movement(1), movement(2, portal="main-entrance", after_s=20))
    leg = (await one.transfers.legs(asset="LT-0001", under_way=True, now=after(60), limit=9))[0]
    assert (leg.transfer, leg.basis, leg.sender, leg.receiver) == (None, "inferred", "keeper", "keeper")
    assert leg.assumed == ["sender", "receiver", "receipt_due"]
    assert ("moved_without_transfer", "LT-0001") in await wrong(one)
    told = {"sender": "ann", "receiver": "bob", "destination": "branch-stock"}
    await use.claim(one.transfers, "LT-0001", "ann", told, after(90))
    leg = (await one.transfers.legs(asset="LT-0001", under_way=True, now=after(99), limit=9))[0]
    assert (leg.receiver, leg.destination, leg.assumed) == ("bob", "branch-stock", [])
    suggested = [each.suggestion for each in await one.queue.listed(Filter(category="moved_without_transfer"), 9)]
    assert suggested == ["the world has put it right"]
    await one.take(movement(3, portal="branch-door", kind="in", after_s=99), now=after(120))
    assert (await one.transfers.legs(asset="LT-0001", under_way=False, now=after(120), limit=9))[0].state == "received"


async def test_a_sighting_moves_the_asset_and_is_kept_as_an_act(one):
    await use.see(one.transfers, "LT-0003", "ann", "stockroom-a", START, how="handheld 7")
    assert await one.where("LT-0003") == "stockroom-a"
    assert await one.sql("SELECT by, detail ->> 'how' FROM act WHERE kind = 'seen'") == [("ann", "handheld 7")]


@pytest.mark.parametrize("column", ["sender", "receiver", "dispatched_at", "receipt_due", "escalation_path"])
async def test_the_database_holds_that_transit_is_complete(one, column):
    await one.take(movement(1), movement(2, portal="main-entrance", after_s=20))
    with pytest.raises(Exception, match=f'"{column}"'):
        await one.sql(f"UPDATE transit_leg SET {column} = NULL")  # noqa: S608 (names from the line above)


async def test_the_database_refuses_who_approves_an_own_request(one):
    done = await approved(one)
    with pytest.raises(Exception, match="transfer_check"):
        await one.sql("UPDATE transfer SET approved_by = requested_by WHERE id = %s", done.id)


async def test_a_rebuild_keeps_transfers_legs_doubts_and_due_dates(one):
    await approved(one)
    await one.take(movement(1), movement(2, tag=epc(2), after_s=9), movement(3, after_s=20), movement(4, tag=epc(3)))
    live = await projection_hash(one.database)
    legs = await one.sql("SELECT id, receipt_due FROM transit_leg ORDER BY id")
    await one.sql("UPDATE asset_location SET location = 'street'")
    await one.sql("DELETE FROM transfer_asset")
    assert await projection_hash(one.database) != live
    await rebuild(one.database, START)
    assert await projection_hash(one.database) == live
    assert await one.sql("SELECT id, receipt_due FROM transit_leg ORDER BY id") == legs


@pytest.fixture(scope="module")
def shared():
    with filled_database(prepare) as dsn:

        async def fill():
            async with central(dsn) as one:
                await approved(one)
                await use.see(one.transfers, "LT-0003", "ann", "stockroom-a", after(4), how="scan")

        asyncio.run(fill())
        yield dsn


RESET = """TRUNCATE movement, passage, alert_asset, alert_event, alert, ingest_position, quarantine, exception,
           exception_occurrence, exception_event CASCADE"""
walks = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 3]), st.sampled_from(["in", "out"]), st.integers(0, 9),
        st.sampled_from(["stockroom-a-door", "main-entrance", "branch-door"]), st.sampled_from([0.5, 0.9, 0.99]),
    ),
    min_size=1, max_size=6,
)  # fmt: skip
QUEUE = """SELECT o.category, o.asset, o.location, o.at, o.evidence::text, o.severity
           FROM exception_occurrence AS o WHERE o.withdrawn_at IS NULL ORDER BY 1, 2, 3, 4, 5"""


@settings(max_examples=6)
@given(walks, st.randoms(use_true_random=False))
def test_any_order_repetition_and_delay_end_in_the_same_state_and_findings(shared, drawn, random):
    """Under fixed acts: the same legs, places, shares and exceptions; after each batch a rebuild changes nothing."""
    rows = [
        movement(number, tag=epc(tag), kind=kind, portal=portal, after_s=second, started_s=-number, confidence=sure)
        for number, (tag, kind, second, portal, sure) in enumerate(drawn, 1)
    ]

    async def state_after(one, batches, *, look):
        await one.sql(RESET)
        await rebuild(one.database, START)
        for batch in batches:
            await one.take(*batch, now=after(60))
            if look:
                live = await projection_hash(one.database)
                await rebuild(one.database, START)
                assert await projection_hash(one.database) == live
        return await projection_hash(one.database), await one.sql(QUEUE)

    async def both():
        messy = rows + random.sample(rows, len(rows) // 2)
        random.shuffle(messy)
        cut = random.randint(1, 4)
        async with central(shared, registry=False) as one:
            ordered = await state_after(one, [rows], look=False)
            batches = [messy[at : at + cut] for at in range(0, len(messy), cut)]
            assert await state_after(one, batches, look=True) == ordered

    asyncio.run(both())


def test_an_act_of_a_kind_that_nobody_knows_is_refused(dsn):
    with psycopg.connect(dsn) as connection, pytest.raises(psycopg.errors.ForeignKeyViolation):
        connection.execute("INSERT INTO act (at, recorded_at, kind, by) VALUES (now(), now(), 'teleported', 'ann')")


async def test_a_long_story_is_told_on_from_its_checkpoint_and_from_the_beginning_when_something_late_comes(one):
    """Three hours at two doors, one row in nine lost; every third batch a rebuild finds the same."""
    kinds = [("stockroom-a-door", "out"), ("main-entrance", "out"), ("main-entrance", "in"), ("stockroom-a-door", "in")]
    rows = [
        movement(n + 1, portal=kinds[n % 4][0], kind=kinds[n % 4][1], after_s=n * 60, confidence=0.97)
        for n in range(180) if n % 9
    ]  # fmt: skip
    late = rows.pop(20)
    for number, start in enumerate(range(0, len(rows), 16)):
        await one.take(*rows[start : start + 16], now=after(20_000))
        if number % 3 == 2:
            await same_as_rebuilt(one)
    assert await one.sql("SELECT count(*) FROM story_checkpoint WHERE asset = 'LT-0001'") == [(1,)]
    before = await one.sql("SELECT count(*) FROM missed_crossing")
    await one.take(late, now=after(20_000))
    assert await one.sql("SELECT count(*) FROM missed_crossing") != before
    await same_as_rebuilt(one)
    unset = movement(500, kind="in", after_s=-3600, confidence=0.97)
    clock = Clock(source="reader", host_synced=False)
    await one.take(structs.replace(unset, clock=clock), now=after(20_000))
    assert await one.sql("SELECT count(*) FROM story_checkpoint WHERE asset = 'LT-0001'") == [(0,)]
    await one.take(movement(501, portal="main-entrance", kind="in", after_s=181 * 60), now=after(20_000))
    await same_as_rebuilt(one)


async def same_as_rebuilt(one):
    live = await projection_hash(one.database)
    await rebuild(one.database, START)
    assert await projection_hash(one.database) == live


async def test_the_board_groups_what_is_under_way_and_tells_what_a_manifest_lacks(one):
    """Of a transfer of two one left, and another asset left undeclared: two trips, the undeclared one first."""
    done = await approved(one)
    await one.take(movement(1), now=after(60))
    await one.take(movement(2, tag=epc(3), portal="main-entrance", after_s=30), now=after(60))
    board = await one.transfers.in_transit(location=None, now=after(8 * 86400), limit=9)
    assert board.totals.model_dump() == {"under_way": 2, "overdue": 2, "undeclared": 1, "astray": 0, "inferred": 1}
    lost, sent = board.trips
    assert (lost.transfer, lost.undeclared, lost.in_part) == (None, True, False)
    assert [(leg.asset, leg.receiver, leg.receiver_name) for leg in lost.legs] == [
        ("LT-0003", "keeper", "Keeper of stock")
    ]
    assert (sent.transfer, sent.in_part) == (done.id, True)
    assert [asset.id for asset in sent.manifest.unread] == ["LT-0002"]
    (leg,) = sent.legs
    assert (leg.sender_name, leg.receiver_name, leg.destination_name) == ("Ann", "Bob", "Branch stock")
    assert (leg.due_on.isoformat(), leg.overdue, leg.basis) == ("2026-03-09", True, "observed")


async def test_what_left_by_a_transfer_and_came_back_is_not_called_unread(one):
    await approved(one)
    await one.take(movement(1), movement(2, tag=epc(2), after_s=1), now=after(60))
    await one.take(movement(3, tag=epc(2), kind="in", after_s=90), now=after(120))
    (trip,) = (await one.transfers.in_transit(location=None, now=after(180), limit=9)).trips
    assert [leg.asset for leg in trip.legs] == ["LT-0001"]
    assert [asset.id for asset in trip.manifest.came_back] == ["LT-0002"]
    assert (trip.manifest.unread, trip.in_part) == ([], False)


async def test_the_board_of_a_place_has_what_comes_from_goes_to_or_went_astray_there(one):
    await approved(one)
    await one.take(movement(1), now=after(60))
    for place, number in (("hq", 1), ("branch-site", 1), ("street", 0)):
        board = await one.transfers.in_transit(location=place, now=after(60), limit=9)
        assert (place, board.totals.under_way, len(board.trips)) == (place, number, number)
    with pytest.raises(NotFound, match="there is no location 'moon'"):
        await one.transfers.in_transit(location="moon", now=after(60), limit=9)


async def test_the_board_counts_what_its_list_leaves_out(one):
    await approved(one)
    await one.take(movement(1), movement(2, tag=epc(2), after_s=1), now=after(60))
    board = await one.transfers.in_transit(location=None, now=after(60), limit=1)
    assert (board.totals.under_way, sum(len(trip.legs) for trip in board.trips)) == (2, 1)


async def test_a_place_that_never_works_again_still_has_its_alerts_moves_and_dispatches(one):
    """Overrides up to the calendar's end leave no day to be due on: doors go on, dates are of Monday to Friday."""
    done = await approved(one)
    await one.sql(SHUT_FOR_GOOD, after(-200))
    await one.sql("UPDATE registry_version SET version = version + 1")
    sent = await use.dispatch(one.transfers, done.id, "ann", None, after(0))
    assert sent.state == "in_transit"
    (leg,) = await one.transfers.legs(asset="LT-0002", under_way=True, now=after(60), limit=9)
    assert (leg.receipt_due.date().isoformat(), leg.calendar[:6]) == ("2026-03-09", "plain:")
    out = await one.take(movement(1, tag=epc(3), portal="main-entrance", after_s=20))
    assert (out.rows, out.rejected, len(out.alerts)) == (1, 0, 1)
    assert await one.where("LT-0003") == "street"
    assert await one.sql("SELECT count(*) FROM quarantine") == [(0,)]
    swept = await sweep(one.log, after(60))
    assert (swept.problems, swept.planned > 0) == ([], True)
    late = await sweep(one.log, after(9 * 86400))
    assert (late.problems, late.fired > 0) == ([], True)
