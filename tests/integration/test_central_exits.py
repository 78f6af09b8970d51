"""Exits as a sceptic would try them, on a real PostgreSQL: passes used twice, doors that disagree, late words."""

from datetime import timedelta

import msgspec
import pytest

from central.application.alerting import AlertAsked, Resolution, step_alert
from central.application.exceptions import Filter
from central.application.undoing import undo_import
from central.domain.exceptions.workflow import Evidence
from central.storage.rebuild import rebuild
from central.storage.registry import PgRegistry
from edge.contracts import GateVerdict
from tests.helpers.central import EPC, START, central, epc, movement, registered_database

LATER = START + timedelta(hours=1)


@pytest.fixture
async def one():
    with registered_database() as dsn:
        async with central(dsn) as opened:
            yield opened


async def pass_for(one, name="P-1", *, asset="LT-0001", boundary="hq", start=START - timedelta(hours=1), end=None):
    await one.sql(
        "INSERT INTO authorisation (id, kind, asset, boundary, valid_from, valid_to, reason, recorded_at, single_use)"
        " VALUES (%s, 'standing', %s, %s, %s, %s, '', %s, true)",
        name, asset, boundary, start, end, START - timedelta(hours=1),
    )  # fmt: skip


async def alerts(one, state="all"):
    return [(each.asset.id, each.portal, each.kind) for each in await one.views.alerts(state=state, limit=99)]


async def used(one):
    return await one.sql("SELECT authorisation, portal FROM authorisation_use ORDER BY 1")


async def permitted(one, asset="LT-0001"):
    rows = await one.sql("SELECT scope FROM gate_permit WHERE asset = %s ORDER BY 1", asset)
    return [scope for (scope,) in rows]


def leaves(seq, *, portal="main-entrance", gateway="hq-east-1", after_s=0.0, tag=EPC, gate="allow", **more):
    return movement(seq, portal=portal, gateway=gateway, after_s=after_s, tag=tag, gate=gate, **more)


async def back_door(one, seq, **more):
    """The same asset leaves by another gateway's door, which notifies."""
    await one.sql("UPDATE portal SET mode = 'notify' WHERE id = 'back-door'")
    await one.sql("UPDATE registry_version SET version = version + 1")
    return await one.take(leaves(seq, portal="back-door", gateway="hq-west-1", **more), gateway="hq-west-1", now=LATER)


async def test_a_pass_is_no_permission_any_more_once_a_crossing_used_it(one):
    await pass_for(one)
    assert await permitted(one) == ["hq"]
    await one.take(leaves(1, final=False))
    assert (await used(one), await permitted(one)) == ([("P-1", "main-entrance")], [])
    await one.take(leaves(2, rev=2))
    assert await alerts(one) == []


async def test_a_rebuild_finds_the_same_use(one):
    await pass_for(one)
    await one.take(leaves(1))
    before = await one.sql("SELECT authorisation, passage, portal, at FROM authorisation_use")
    await one.sql("DELETE FROM authorisation_use")
    await rebuild(one.database, LATER)
    assert await one.sql("SELECT authorisation, passage, portal, at FROM authorisation_use") == before


async def test_a_crossing_that_was_none_after_all_gives_the_pass_back(one):
    await pass_for(one)
    await one.take(leaves(1, final=False, started_s=-1))
    await one.take(leaves(2, rev=2, kind="turned_back", after_s=4, started_s=-1))
    assert (await used(one), await permitted(one)) == ([], ["hq"])


async def test_an_inner_door_uses_no_pass_of_the_building(one):
    await pass_for(one)
    await one.take(leaves(1, portal="stockroom-a-door"))
    await one.take(leaves(2, after_s=60))
    assert await alerts(one) == []
    assert await used(one) == [("P-1", "main-entrance")]


@pytest.mark.parametrize("late_first", [False, True])
async def test_a_pass_that_two_doors_honoured_is_one_alert_that_says_so(one, late_first):
    """Whichever comes first: the earlier exit had the pass."""
    await pass_for(one)
    if late_first:
        await back_door(one, 1, after_s=20)
    await one.take(leaves(1), now=LATER)
    if not late_first:
        await back_door(one, 1, after_s=20)
    standing = [each for each in await one.views.alerts(state="all", limit=9) if not each.corrected]
    assert [(each.asset.id, each.portal) for each in standing] == [("LT-0001", "back-door")]
    assert standing[0].reason.endswith(
        "P-1 is for one use, and was used at main-entrance at 2026-03-02 09:00:00 UTC: it was used twice."
    )
    (twice,) = await one.queue.listed(Filter(category="double_use"), 9)
    assert (twice.asset, twice.occurrences) == ("LT-0001", 1)


async def test_two_doors_at_the_same_instant_are_one_alert_too(one):
    await pass_for(one)
    await one.take(leaves(1), now=LATER)
    await back_door(one, 1)
    assert len(await alerts(one, "open")) == 1


async def test_a_door_that_refused_the_second_use_is_no_double_use(one):
    await pass_for(one)
    await one.take(leaves(1), now=LATER)
    await back_door(one, 1, after_s=20, gate="refuse")
    (alert,) = await one.views.alerts(state="open", limit=9)
    assert alert.reason.endswith("the door refused it.")
    assert await one.queue.listed(Filter(category="double_use"), 9) == []


async def test_two_tags_of_one_asset_use_one_pass_once(one):
    """A laptop with a tag on its body and one on its lid goes through the door once."""
    await pass_for(one, asset="LT-0003")
    await one.sql("UPDATE asset SET serial = 'S3' WHERE id = 'LT-0003'")
    await one.take(leaves(1, tag=epc(3)), leaves(2, tag=epc(0xF3), after_s=0.4))
    assert await alerts(one) == []
    await one.take(leaves(3, tag=epc(3), after_s=3600), now=START + timedelta(hours=2))
    assert await alerts(one) == [("LT-0003", "main-entrance", "unauthorised_exit")]


async def test_two_passes_are_good_for_two_exits_and_what_needs_none_uses_none(one):
    await pass_for(one, "P-1")
    await pass_for(one, "P-2", end=START + timedelta(hours=9))
    await one.take(leaves(1))
    assert await used(one) == [("P-2", "main-entrance")]
    await one.take(leaves(2, kind="in", after_s=600), leaves(3, after_s=1200), now=LATER)
    assert await alerts(one) == []
    await pass_for(one, "P-3", asset="LT-0002")
    await one.take(leaves(4, tag=epc(2)))
    assert [name for name, _ in await used(one)] == ["P-1", "P-2"]


async def test_a_door_that_refuses_what_leaves_nothing_guarded_has_an_old_snapshot(one):
    await one.take(leaves(1, kind="in", gate="refuse"))
    (alert,) = await one.views.alerts(state="open", limit=9)
    assert (alert.kind, alert.severity) == ("stale_snapshot", "low")
    assert alert.reason == "The door refused it on an old snapshot; by the registry it leaves nothing that is guarded."


def stale(seq, *, generation=4, tag=EPC, after_s=0.0, **more):
    """An exit that the door could not decide about."""
    row = leaves(seq, tag=tag, after_s=after_s, **more)
    snapshot = None if generation is None else [generation, 0]
    return msgspec.structs.replace(row, gate=GateVerdict(verdict="stale", reason="ran out", snapshot=snapshot))


async def test_a_stale_day_is_one_low_alert_a_door_and_generation(one):
    """Not one for each asset; one that may not leave is an alert in full, beside it."""
    for number in (1, 2, 3):
        await pass_for(one, f"P-{number}", asset=f"LT-000{number}")
    await one.sql("UPDATE asset SET serial = 'S3' WHERE id = 'LT-0003'")
    exits = [stale(seq, tag=epc(seq), after_s=seq * 60) for seq in (1, 2)]
    await one.take(*exits, stale(3, tag=epc(3), after_s=600, generation=5), now=LATER)
    told = [(each.kind, each.severity, len(each.assets)) for each in await one.views.alerts(state="open", limit=9)]
    assert sorted(told) == [("stale_snapshot", "low", 1), ("stale_snapshot", "low", 2)]
    await one.take(stale(4, after_s=900), now=LATER)
    found = await one.views.alerts(state="open", limit=9)
    assert sorted((each.kind, len(each.assets)) for each in found) == [
        ("stale_snapshot", 1), ("stale_snapshot", 2), ("unauthorised_exit", 1)
    ]  # fmt: skip


async def test_one_of_a_stale_day_that_was_not_allowed_after_all_leaves_the_others_alone(one):
    """Its alert is its own then, and the day's keeps the rest."""
    await pass_for(one)
    await one.take(stale(1, after_s=600), stale(2, tag=epc(2), after_s=60), now=LATER)
    assert [len(each.assets) for each in await one.views.alerts(state="open", limit=9)] == [2]
    await one.take(leaves(3, after_s=60), now=LATER)  # it comes late, and it had the pass
    found = await one.views.alerts(state="open", limit=9)
    assert sorted((each.kind, [asset.id for asset in each.assets]) for each in found) == [
        ("stale_snapshot", ["LT-0002"]), ("unauthorised_exit", ["LT-0001"])
    ]  # fmt: skip


async def test_a_cart_of_twelve_with_one_that_may_not_leave_is_one_alert_about_that_one(one):
    """Permission is judged tag by tag, never by group; the door's own verdict stands beside ours."""
    numbers = range(10, 22)
    tags = "".join(f"3034257bf7194e40000000{number:02x},C-{number},body\n" for number in numbers)
    assets = "".join(f"C-{number},Laptop {number},laptop,C{number},stockroom-a\n" for number in numbers)
    allowed = "".join(f"A-{number},C-{number},hq,,,cart\n" for number in numbers if number != 15)
    done = await one.import_(
        assets=f"id,name,class,serial,location\n{assets}", tags=f"epc,asset,role\n{tags}",
        authorisations=f"id,asset,boundary,valid_from,valid_to,reason\n{allowed}",
    )  # fmt: skip
    assert not done.problems
    cart = [
        leaves(seq, tag=epc(number), batch="cart", after_s=seq / 10, gate="refuse" if number == 15 else "allow")
        for seq, number in enumerate(numbers, 1)
    ]
    await one.take(*cart)
    (alert,) = await one.views.alerts(state="open", limit=9)
    assert [(each.id, each.edge) for each in alert.assets] == [("C-15", "refuse")]


async def resolved(one, alert, verdict="authorised_late"):
    await one.views.acknowledge(alert, "ann", START + timedelta(minutes=5))
    asked = AlertAsked("resolve", "ann", "", Resolution(verdict, Evidence("ticket", "T-1")))
    await step_alert(one.book, alert, asked, START + timedelta(minutes=6))


@pytest.mark.parametrize("verdict", ["authorised_late", "false_read"])
async def test_an_asset_that_joins_a_cart_whose_alert_was_resolved_opens_it_again(one, verdict):
    """A verdict on one laptop must not hide a second one that a gateway tells of later."""
    await one.take(leaves(1, batch="cart"))
    (alert,) = await one.views.alerts(state="open", limit=9)
    await resolved(one, alert.id, verdict)
    await one.take(leaves(2, tag=epc(3), after_s=0.5, batch="cart"), now=LATER)
    (again,) = await one.views.alerts(state="open", limit=9)
    assert (again.id, again.reopened, [each.id for each in again.assets]) == (alert.id, 1, ["LT-0001", "LT-0003"])
    detail = await one.book.detail(alert.id)
    assert [event.kind for event in detail.history][-2:] == ["joined", "reopened"]
    await resolved(one, alert.id, "false_read")
    assert [each.standing for each in (await one.book.detail(alert.id)).verdicts][-1] == "provisional"


async def test_an_asset_that_joins_an_acknowledged_alert_stays_with_who_has_it(one):
    await one.take(leaves(1, batch="cart"))
    (alert,) = await one.views.alerts(state="open", limit=9)
    await one.views.acknowledge(alert.id, "ann", START + timedelta(minutes=5))
    await one.take(leaves(2, tag=epc(3), after_s=0.5, batch="cart"), now=LATER)
    (taken,) = await one.views.alerts(state="acknowledged", limit=9)
    assert (taken.id, taken.acknowledged_by, len(taken.assets), taken.late) == (alert.id, "ann", 2, False)


async def test_a_passage_that_turns_out_to_be_a_carts_goes_into_the_carts_alert(one):
    """A later revision may come first and tell of no batch: the set of incidents is the same in any order."""
    first = leaves(1, final=False, batch="cart", started_s=-1)
    undecided = leaves(2, rev=2, kind="unresolved", after_s=3, started_s=-1)
    await one.take(undecided)
    await one.take(first)
    other = leaves(3, tag=epc(3), batch="cart", after_s=0.3)
    await one.take(other)
    (alert,) = await one.views.alerts(state="open", limit=9)
    assert sorted(each.id for each in alert.assets) == ["LT-0001", "LT-0003"]
    incidents = await one.sql("SELECT incident FROM alert")
    assert incidents == [("exit/main-entrance/batch/cart",)]


async def test_what_was_withdrawn_between_crossing_and_arrival_allowed_the_crossing(one):
    """The time of the event decides, not that of its arrival; from the withdrawal on it is no permission."""
    await one.sql("UPDATE authorisation SET withdrawn_at = %s WHERE asset = 'LT-0002'", START + timedelta(seconds=30))
    await one.take(leaves(1, tag=epc(2)), now=START + timedelta(minutes=4))
    assert await alerts(one) == []
    await one.take(leaves(2, tag=epc(2), kind="in", after_s=20), leaves(3, tag=epc(2), after_s=31), now=LATER)
    assert await alerts(one) == [("LT-0002", "main-entrance", "unauthorised_exit")]


async def test_the_same_tag_out_twice_is_two_incidents_and_repeated_rows_none(one):
    await one.take(leaves(1))
    await one.take(leaves(1))
    assert len(await alerts(one)) == 1
    await one.take(leaves(2, after_s=120), now=LATER)
    assert len(await alerts(one)) == 2


async def test_a_tag_stands_for_the_asset_that_it_was_on_then(one):
    """LT-0002 may leave and LT-0001 not: whose tag it was at the crossing decides."""
    moved = START + timedelta(minutes=10)
    await one.sql("UPDATE tag SET bound_to = %s WHERE epc = %s", moved, epc(2))
    await one.sql(
        "INSERT INTO tag (epc, asset, role, bound_from, registered_at) VALUES (%s, 'LT-0001', 'body', %s, now())",
        epc(2), moved,
    )  # fmt: skip
    await one.take(leaves(1, tag=epc(2), after_s=599), now=LATER)
    assert await alerts(one) == []
    await one.take(leaves(2, tag=epc(2), after_s=660), now=LATER)
    assert await alerts(one) == [("LT-0001", "main-entrance", "unauthorised_exit")]


async def test_a_permission_taken_back_by_an_undo_puts_the_accusation_back(one):
    await one.take(leaves(1))
    late = "id,asset,boundary,valid_from,valid_to,reason\nA-7,LT-0001,hq,2026-03-01T00:00:00Z,,late\n"
    done = await one.import_(authorisations=late, now=START + timedelta(minutes=30))
    assert [each.authorised_late for each in await one.views.alerts(state="open", limit=9)] == [True]
    assert not (await undo_import(PgRegistry(one.database), done.id, "import", LATER)).problems
    (alert,) = await one.views.alerts(state="open", limit=9)
    assert (alert.authorised_late, alert.corrected) == (False, False)
    assert [event.kind for event in (await one.book.detail(alert.id)).history][-1] == "reinstated"


async def test_a_gateway_whose_clock_is_ahead_makes_no_late_permission_an_early_one(one):
    """By its clock it left at 9:00; we heard at 8:40 and were told of the permission at 8:50."""
    await one.take(leaves(1), now=START - timedelta(minutes=20))
    late = "id,asset,boundary,valid_from,valid_to,reason\nA-7,LT-0001,hq,2026-03-01T00:00:00Z,,late\n"
    await one.import_(authorisations=late, now=START - timedelta(minutes=10))
    alerts = await one.views.alerts(state="open", limit=9)
    assert {each.kind for each in alerts} == {"unauthorised_exit", "gateway_clock"}
    alert = next(each for each in alerts if each.kind == "unauthorised_exit")
    assert (alert.authorised_late, alert.corrected) == (True, False)


async def test_what_is_an_hour_ahead_or_before_2020_is_no_exit_but_quarantined(one):
    await one.take(leaves(1), now=START - timedelta(hours=1, seconds=1))
    assert await alerts(one) == []
    assert len(await one.views.quarantined(9)) == 1


async def test_a_door_that_was_muted_then_observes_however_late_the_event_comes(one):
    await one.sql(
        "INSERT INTO portal_measure (portal, kind, mode, reason, by, from_at, until_at)"
        " VALUES ('main-entrance', 'muted', 'observe', 'removal', 'p1', %s, %s)",
        START, START + timedelta(minutes=10),
    )  # fmt: skip
    await one.sql("UPDATE registry_version SET version = version + 1")
    await one.take(leaves(1, after_s=599), leaves(2, after_s=600, tag=epc(3)), now=LATER)
    told = {each.asset.id: each.state for each in await one.views.alerts(state="all", limit=9)}
    assert told == {"LT-0001": "observed", "LT-0003": "open"}
    assert [each.asset for each in await one.queue.listed(Filter(category="unauthorised_exit"), 9)] == ["LT-0003"]


async def test_the_gravest_alerts_come_first_if_asked_for_whatever_their_age(one):
    for seq, severity in enumerate(("high", "critical", "low"), 1):
        await one.take(leaves(seq, after_s=60 * seq, tag=epc(1 + 2 * (seq % 2)), gate=None))
        await one.sql("UPDATE alert SET severity = %s WHERE id = (SELECT max(id) FROM alert)", severity)

    async def told(**asked):
        return [each.severity for each in await one.views.alerts(state="open", limit=9, **asked)]

    assert await told() == ["low", "critical", "high"]
    assert await told(gravest=True) == ["critical", "high", "low"]
    assert await told(gravest=True, skip=1) == ["high", "low"]
