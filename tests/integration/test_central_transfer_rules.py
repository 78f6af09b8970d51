"""What a transfer asks for: both owners, assets that are free to go, and what is left over of a manifest."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from central.api.server import create_app
from central.application import transfers as use
from central.application.errors import NotFound, Separated, StepUnfit
from central.application.exceptions import Filter
from central.application.registering import authorise
from central.application.upkeep import check_manifests
from central.storage.rebuild import projection_hash, rebuild
from central.storage.registry import PgRegistry
from tests.helpers.central import START, central, epc, filled_database, movement
from tests.integration.test_central_transfers import ASKED, after, prepare, same_as_rebuilt


async def more(one):
    """Somebody who only asks, and a dock that lies in a laptop's bag."""
    await prepare(one)
    await one.sql("INSERT INTO person (id, name) VALUES ('joe', 'Joe'), ('kim', 'Kim')")
    sheets = {
        "assets": "id,name,class,serial,location,parent\nDK-1,Dock,dock,SD1,stockroom-a,LT-0001\n",
        "tags": "epc,asset,role\n3034257bf7194e40000000d1,DK-1,body\n",
    }
    assert not (await one.import_(now=after(-3000), **sheets)).problems


@pytest.fixture
async def one():
    with filled_database(more) as dsn:
        async with central(dsn) as opened:
            yield opened


BY_JOE = replace(ASKED, by="joe")


async def approved(one, asked=BY_JOE):
    transfer = (await use.request(one.transfers, asked, after(-300))).id
    await use.approve(one.transfers, transfer, "ann", None, after(-200))
    return await use.approve(one.transfers, transfer, "bob", None, after(-100))


async def test_both_owners_approve_and_nothing_leaves_before(one):
    made = await use.request(one.transfers, BY_JOE, after(-300))
    assert (made.awaits, made.words) == (["sending", "receiving"], "requested")
    half = await use.approve(one.transfers, made.id, "ann", None, after(-200))
    assert (half.state, half.sending_by, half.receiving_by, half.awaits) == ("requested", "ann", None, ["receiving"])
    assert half.words == "requested, waits for the receiving side"
    with pytest.raises(StepUnfit, match="only an approved one can be dispatched"):
        await use.dispatch(one.transfers, made.id, "ann", None, after(-100))
    assert await one.sql("SELECT count(*) FROM authorisation WHERE kind = 'transfer'") == [(0,)]
    both = await use.approve(one.transfers, made.id, "bob", after(3600), after(-99))
    assert (both.state, both.receiving_by, both.dispatch_until) == ("approved", "bob", after(3600))
    await same_as_rebuilt(one)


async def test_only_the_owner_of_a_side_approves_for_it_once(one):
    transfer = (await use.request(one.transfers, BY_JOE, after(-300))).id
    with pytest.raises(StepUnfit, match=r"'kim' is not keeper of 'stockroom-a'.*'kim' is not keeper of 'branch-stock'"):
        await use.approve(one.transfers, transfer, "kim", None, after(-200))
    with pytest.raises(StepUnfit, match="'ann' is not keeper of 'branch-stock'"):
        await use.approve(one.transfers, transfer, "ann", None, after(-200), "receiving")
    await use.approve(one.transfers, transfer, "ann", None, after(-200), "sending")
    with pytest.raises(StepUnfit, match=r"the sending side .* was approved by 'ann' already"):
        await use.approve(one.transfers, transfer, "eve", None, after(-100), "sending")
    await one.sql("UPDATE location SET owner_role = NULL WHERE id = 'branch-site'")
    await one.sql("UPDATE registry_version SET version = version + 1")
    with pytest.raises(StepUnfit, match="'branch-stock' has no owner role"):
        await use.approve(one.transfers, transfer, "bob", None, after(-100))


async def test_who_asks_approves_neither_side_and_the_database_says_so_too(one):
    transfer = (await use.request(one.transfers, ASKED, after(-300))).id
    with pytest.raises(StepUnfit, match="'ann' requested transfer"):
        await use.approve(one.transfers, transfer, "ann", None, after(-200), "sending")
    with pytest.raises(Exception, match="transfer_agreed_by_another"):
        await one.sql("UPDATE transfer SET sending_by = 'ann', sending_at = now(), sending_until = now()")
    with pytest.raises(Exception, match="transfer_agreed"):
        await one.sql("UPDATE transfer SET approved_by = 'eve', approved_at = now(), dispatch_until = now() + '1 day'")


async def test_a_change_of_cost_centre_wants_two_people(one):
    transfer = (await use.request(one.transfers, replace(BY_JOE, cost_centre="CC-9"), after(-300))).id
    half = await use.approve(one.transfers, transfer, "eve", None, after(-200))
    assert (half.two_managers, half.awaits) == (True, ["receiving"])
    with pytest.raises(StepUnfit, match=r"'eve' approved the sending side .* another manager approves this one"):
        await use.approve(one.transfers, transfer, "eve", None, after(-100))
    assert (await use.approve(one.transfers, transfer, "bob", None, after(-100))).state == "approved"
    with pytest.raises(Exception, match="transfer_two_managers"):
        await one.sql("UPDATE transfer SET receiving_by = 'eve'")


async def test_what_is_not_free_to_go_is_refused_by_name_and_a_dry_run_tells_the_same(one):
    hold = """INSERT INTO asset_state (asset, custody_kind, title, holds)
              VALUES ('LT-0002', 'none', 'owned', '{legal}');
              INSERT INTO asset_state (asset, custody_kind, title, holds, lifecycle, lifecycle_since)
              VALUES ('DK-1', 'none', 'owned', '{}', 'retired', now())"""
    for statement in hold.split(";"):
        await one.sql(statement)
    asked = replace(BY_JOE, assets=["LT-0001", "LT-0002", "LT-0003"])
    told = [
        "asset 'DK-1' is retired: it leaves by a disposal's authorisation only",
        "asset 'LT-0002' is on hold (legal): have the hold released, or authorise it despite that",
        "asset 'LT-0003' is at 'corridor', not at 'stockroom-a': scan it there first if that is wrong",
    ]
    assert await use.check(one.transfers, asked, START) == told
    with pytest.raises(StepUnfit) as refused:
        await use.request(one.transfers, asked, START)
    assert str(refused.value) == "; ".join(told)
    assert await one.transfers.transfers(asset=None, limit=9) == []
    assert await use.check(one.transfers, replace(asked, sender="nobody"), START) == [
        "there is no person or role 'nobody': import it first"
    ]


async def test_what_became_unfit_since_the_request_is_not_approved_and_not_dispatched(one):
    transfer = (await use.request(one.transfers, BY_JOE, after(-300))).id
    await use.see(one.transfers, "LT-0002", "kim", "corridor", after(-250), how="scan")
    with pytest.raises(StepUnfit, match="'LT-0002' is at 'corridor'"):
        await use.approve(one.transfers, transfer, "ann", None, after(-200))
    await use.see(one.transfers, "LT-0002", "kim", "stockroom-a", after(-190), how="scan")
    await use.approve(one.transfers, transfer, "eve", None, after(-180))
    await one.sql(
        "INSERT INTO asset_state (asset, custody_kind, title, holds) VALUES ('LT-0002', 'none', 'owned', '{recall}')"
    )
    with pytest.raises(StepUnfit, match=r"'LT-0002' is on hold \(recall\)"):
        await use.dispatch(one.transfers, transfer, "ann", None, START)
    assert (await use.dispatch(one.transfers, transfer, "ann", ["LT-0001"], START)).words == "incomplete, 2 of 3"


async def test_assets_that_did_not_leave_are_cancelled_one_by_one_and_the_rest_goes_on(one):
    done = await approved(one)
    await one.take(movement(1), now=after(60))
    assert await check_manifests(one.upkeep, after(1200)) == 1
    left = await use.cancel_lines(one.transfers, done.id, "joe", ["LT-0002"], "stays with its user", after(1300))
    line = {one.id: one for one in left.assets}["LT-0002"]
    assert (line.state, line.cancelled_by, line.cancel_reason) == ("cancelled", "joe", "stays with its user")
    assert (left.state, left.words) == ("in_transit", "in transit; 1 cancelled")
    assert await check_manifests(one.upkeep, after(1400)) == 0
    assert [row.suggestion for row in await one.queue.listed(Filter(category="partial_batch"), 9)] == [
        "the world has put it right"
    ]
    out = await one.take(movement(2, tag=epc(2), after_s=1500), movement(3, tag=epc(2), portal="main-entrance",
                         after_s=1520), now=after(1600))  # fmt: skip
    assert {alert.kind for alert in await one.views.alerts_by_id(out.alerts)} >= {"unauthorised_exit"}
    legs = await one.transfers.legs(asset="LT-0002", under_way=True, now=after(1600), limit=9)
    assert [leg.transfer for leg in legs] == [None]
    await same_as_rebuilt(one)
    came = await use.receive(one.transfers, done.id, "bob", None, after(1700))
    assert (came.state, came.words) == ("received", "received; 1 cancelled")


async def test_what_went_and_never_came_is_given_up_only_when_overdue_and_not_by_the_sender(one):
    done = await approved(one)
    await use.dispatch(one.transfers, done.id, "kim", None, START)
    await use.receive(one.transfers, done.id, "bob", ["LT-0002"], after(99))
    with pytest.raises(StepUnfit, match="under way and not overdue"):
        await use.cancel_lines(one.transfers, done.id, "bob", ["LT-0001"], "not in the van", after(99))
    late = START + timedelta(days=9)
    for by in ("ann", "kim"):
        with pytest.raises(Separated, match=f"{by} sent LT-0001"):
            await use.cancel_lines(one.transfers, done.id, by, ["LT-0001"], "not in the van", late)
    over = await use.cancel_lines(one.transfers, done.id, "bob", ["LT-0001", "DK-1"], "not in the van", late)
    assert (over.state, over.words) == ("received", "received; 2 never found")
    assert len(await one.transfers.legs(asset="LT-0001", under_way=True, now=late, limit=9)) == 1
    found = await use.receive(one.transfers, done.id, "bob", ["LT-0001"], late + timedelta(hours=1))
    assert found.words == "received"
    await same_as_rebuilt(one)


async def test_a_part_goes_with_its_whole_by_request_door_scan_and_sighting(one):
    """The dock's own tag is never read: it is on the manifest, passes the door and is received with the laptop."""
    done = await approved(one, replace(BY_JOE, assets=["LT-0001"]))
    assert [one.id for one in done.assets] == ["DK-1", "LT-0001"]
    out = await one.take(movement(1), now=after(60))
    assert out.alerts == []
    dock, laptop = (await one.transfers.transfer(done.id)).assets
    assert (dock.state, dock.basis, laptop.state, laptop.basis) == ("open", "inferred", "open", "observed")
    await same_as_rebuilt(one)
    came = await use.receive(one.transfers, done.id, "bob", ["LT-0001"], after(99))
    assert [one.state for one in came.assets] == ["received", "received"]
    await use.see(one.transfers, "LT-0001", "kim", "corridor", after(200), how="handheld")
    assert await one.where("DK-1") == "corridor"
    assert await one.sql("SELECT detail ->> 'with' FROM act WHERE kind = 'seen' AND asset = 'DK-1'") == [("LT-0001",)]
    await same_as_rebuilt(one)


async def test_the_routes_check_approve_by_side_and_cancel_by_asset(one):
    app = create_app(one.services(lambda: after(0)), token="t", version="0", local=True)
    headers = {"Authorization": "Bearer t"}
    body = {"by": "joe", "from": "stockroom-a", "to": "branch-stock", "assets": ["LT-0002", "LT-0003"],
            "sender": "ann", "receiver": "bob", "reason": "moves"}  # fmt: skip
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1/api/v1", headers=headers
    ) as api:
        told = (await api.post("/transfers/check", json=body)).json()["problems"]
        assert [text[:31] for text in told] == ["asset 'LT-0003' is at 'corridor"]
        refused = await api.post("/transfers", json=body)
        assert (refused.status_code, told[0] in refused.json()["detail"]) == (409, True)
        made = (await api.post("/transfers", json=body | {"assets": ["LT-0001", "LT-0002"]})).json()["transfer"]
        path = f"/transfers/{made['id']}"
        half = (await api.post(f"{path}/approve", json={"by": "eve", "side": "sending"})).json()["transfer"]
        assert (half["sending_by"], half["awaits"]) == ("eve", ["receiving"])
        assert (await api.post(f"{path}/approve", json={"by": "bob"})).json()["transfer"]["state"] == "approved"
        gone = await api.post(f"{path}/cancel", json={"by": "joe", "reason": "broken", "assets": ["LT-0002"]})
        assert gone.json()["transfer"]["words"] == "approved; 1 cancelled"
    live = await projection_hash(one.database)
    await rebuild(one.database, START)
    assert await projection_hash(one.database) == live


DOCK = "3034257bf7194e40000000d1"


async def test_a_permission_of_the_whole_lets_its_part_go_along_and_not_alone(one):
    """The dock's tag is read before the laptop's, in a batch of its own: what it is accused of is taken back."""
    values = {"id": "ST-1", "asset": "LT-0001", "boundary": "stockroom-a", "kind": "standing"}
    await authorise(PgRegistry(one.database), values, after(-60))
    assert await one.sql("SELECT asset FROM gate_permit WHERE scope = 'stockroom-a' ORDER BY 1") == [
        ("DK-1",), ("LT-0001",),
    ]  # fmt: skip
    alone = await one.take(movement(1, tag=DOCK), now=after(5))
    assert [each.kind for each in await one.views.alerts_by_id(alone.alerts)] == ["unauthorised_exit"]
    both = await one.take(movement(2, after_s=3), now=after(6))
    assert [(each.kind, each.corrected) for each in await one.views.alerts_by_id(both.alerts)] == [
        ("unauthorised_exit", True)
    ]
    assert (await one.where("DK-1"), await one.where("LT-0001")) == ("corridor", "corridor")
    await one.take(movement(3, kind="in", after_s=60), movement(4, tag=DOCK, kind="in", after_s=61), now=after(70))
    again = await one.take(movement(5, tag=DOCK, after_s=600), now=after(610))
    assert [each.kind for each in await one.views.alerts_by_id(again.alerts)] == ["unauthorised_exit"]
    assert await one.sql("SELECT asset FROM gate_permit WHERE scope = 'stockroom-a'") == [("LT-0001",)]
    await same_as_rebuilt(one)


async def test_only_who_has_a_part_in_a_transfer_cancels_it_or_what_of_it_stays(one):
    done = await approved(one)
    with pytest.raises(StepUnfit, match="'kim' has no part in transfer"):
        await use.cancel(one.transfers, done.id, "kim", "no reason", after(0))
    with pytest.raises(StepUnfit, match="'kim' has no part in transfer"):
        await use.cancel_lines(one.transfers, done.id, "kim", ["LT-0002"], "no reason", after(0))
    await one.people("mia")
    role = replace(BY_JOE, assets=["LT-0002"], sender="helpers")
    await use.cancel(one.transfers, done.id, "joe", "asked for", after(1))
    await one.sql("INSERT INTO role (id, name) VALUES ('helpers', 'Helpers')")
    await one.sql("INSERT INTO role_holder (role, location, person) VALUES ('helpers', 'hq', 'mia')")
    for number, by in enumerate(("mia", "ann", "bob", "eve"), 2):
        other = (await use.request(one.transfers, role, after(number))).id
        assert (await use.cancel(one.transfers, other, by, "not now", after(number))).state == "cancelled"


async def test_a_transfer_leads_from_one_person_and_place_to_another(one):
    await one.people("mdm", kind="service")
    await one.sql("INSERT INTO location (id, name, kind, guarded) VALUES ('north', 'North', 'region', false)")
    await one.sql("UPDATE registry_version SET version = version + 1")
    for changed, text in (
        ({"receiver": "ann"}, "'ann' is sender and receiver: nobody receives what they sent"),
        ({"destination": "north"}, "'north' is a place of kind region, where nobody receives"),
        ({"destination": "street"}, "'street' is a place of kind exterior, where nobody receives"),
        ({"sender": "mdm"}, "there is no person or role but a service account 'mdm'"),
        ({"receiver": "mdm"}, "there is no person or role but a service account 'mdm'"),
    ):
        asked = replace(BY_JOE, **changed)
        (told,) = await use.check(one.transfers, asked, after(0))
        assert text in told
        with pytest.raises((StepUnfit, NotFound), match=text):
            await use.request(one.transfers, asked, after(0))


async def test_what_left_undeclared_is_claimed_for_another_person_and_place(one):
    await one.take(movement(1), movement(2, portal="main-entrance", after_s=20), now=after(60))
    (leg,) = await one.transfers.legs(asset="LT-0001", under_way=True, now=after(60), limit=9)
    told = {"sender": "ann", "receiver": "bob", "destination": "branch-stock"}
    for changed, text in (
        ({"destination": leg.origin}, "is both ends of it"),
        ({"destination": "street"}, "where nobody receives"),
        ({"receiver": "ann"}, "is sender and receiver"),
    ):
        with pytest.raises(StepUnfit, match=text):
            await use.claim(one.transfers, "LT-0001", "ann", told | changed, after(90))
    await use.claim(one.transfers, "LT-0001", "ann", told, after(90))
