"""Oddities of committed passages on a real PostgreSQL: in the queue, before the guard, in any order."""

import asyncio
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from central.application.exceptions import Filter, take_step
from central.application.openings import Opening
from central.domain.exceptions.workflow import Evidence, Step
from central.storage.rebuild import projection_hash, rebuild
from edge.contracts import EpcPrefix
from tests.helpers.central import GATEWAY, START, central, epc, movement, registered_database

OURS = (EpcPrefix(hex="3034257bf4", bits=38),)
WEST = "hq-west-1"


@pytest.fixture
async def one(dsn):
    async with central(dsn) as opened:
        await opened.sql("INSERT INTO person (id, name) VALUES ('ann', 'Ann'), ('bob', 'Bob')")
        yield opened


async def state(one, asset, lifecycle, custody="none", custodian=None):
    await one.sql(
        "INSERT INTO asset_state (asset, lifecycle, lifecycle_since, custody_kind, custodian, custody_since, title,"
        " holds) VALUES (%s, %s, now(), %s, %s, now(), 'owned', '{}') ON CONFLICT (asset) DO UPDATE SET"
        " lifecycle = excluded.lifecycle, lifecycle_since = now(), custody_kind = excluded.custody_kind,"
        " custodian = excluded.custodian, custody_since = now()", asset, lifecycle, custody, custodian,
    )  # fmt: skip
    await one.sql("UPDATE registry_version SET version = version + 1")


OURS_SAID = """SELECT DISTINCT e.category, e.asset, e.location FROM exception AS e JOIN exception_occurrence AS o
    ON o.exception = e.id WHERE o.source IN ('doors', 'pairs', 'chips', 'strangers', 'exits') AND o.withdrawn_at IS NULL
        AND e.state NOT IN ('closed', 'accepted_risk') ORDER BY 1, 2, 3"""


async def queue(one):
    """What passages were found odd for, apart from what stories say of them."""
    return await one.sql(OURS_SAID)


async def alerts(one, done):
    return [(each.kind, each.severity) for each in await one.views.alerts_by_id(done.alerts)]


async def test_a_retired_asset_with_a_pass_is_told_all_the_same(one):
    await state(one, "LT-0002", "retired")
    done = await one.take(movement(1, tag=epc(2)))
    assert await alerts(one, done) == [("retired_but_active", "high")]
    assert await queue(one) == [("retired_but_active", "LT-0002", "stockroom-a")]


async def test_without_a_pass_it_is_one_incident_that_says_both(one):
    await state(one, "LT-0001", "disposed")
    done = await one.take(movement(1))
    (alert,) = await one.views.alerts_by_id(done.alerts)
    assert alert.kind == "unauthorised_exit"
    assert "By the record it is disposed" in alert.reason
    assert await queue(one) == [
        ("retired_but_active", "LT-0001", "stockroom-a"), ("unauthorised_exit", "LT-0001", "stockroom-a"),
    ]  # fmt: skip


async def test_an_exit_that_was_none_is_suggested_for_closing(one):
    await one.take(movement(1, final=False))
    assert await queue(one) == [("unauthorised_exit", "LT-0001", "stockroom-a")]
    await one.take(movement(2, rev=2, kind="turned_back", started_s=-1))
    (found,) = await one.queue.listed(Filter(category="unauthorised_exit"), 9)
    assert (found.suggestion, found.occurrences) == ("the world has put it right", 0)


async def test_a_missing_asset_that_is_seen_is_told_and_its_exception_suggested_for_closing(one):
    async with one.log.transaction() as transaction:
        missing = Opening("missing", None, "LT-0002", "stockroom-a", START, {})
        (number,) = await transaction.open_exceptions([missing], START)
    done = await one.take(movement(1, tag=epc(2), kind="near"))
    assert await alerts(one, done) == [("lost_seen", "low")]
    found = (await one.queue.detail(number)).exception
    assert (found.state, found.suggestion) == ("open", "it was seen again at a door")


async def test_what_never_was_received_may_not_leave_whatever_permits_it(one):
    await state(one, "LT-0002", "ordered")
    done = await one.take(movement(1, tag=epc(2)))
    assert await alerts(one, done) == [("untagged_issue", "high")]


async def test_a_persons_asset_in_the_stockroom_is_for_the_asset_manager_not_the_guard(one):
    await state(one, "LT-0002", "in_use", "person", "ann")
    done = await one.take(movement(1, tag=epc(2), kind="in"))
    assert done.alerts == []
    assert await queue(one) == [("custody_conflict", "LT-0002", "stockroom-a")]


async def test_out_of_hours_by_class_is_an_alert(one):
    await one.sql("INSERT INTO class_hours VALUES ('laptop', '{1,2,3,4,5}', '10:00', '18:00')")
    await one.sql("UPDATE registry_version SET version = version + 1")
    done = await one.take(movement(1, tag=epc(2)))  # a Monday, 09:00
    assert await alerts(one, done) == [("after_hours", "high")]
    later = await one.take(movement(2, tag=epc(2), after_s=3600), now=START + timedelta(hours=1, minutes=1))
    assert later.alerts == []


async def test_an_overdue_loaner_is_noticed_at_any_door(one):
    await one.sql(
        "INSERT INTO authorisation (id, asset, boundary, kind, person, expected_return, reason, recorded_at)"
        " VALUES ('L-1', 'LT-0002', 'hq', 'loan', 'ann', %s, 'loan', %s)",
        START - timedelta(hours=1), START - timedelta(days=9),
    )  # fmt: skip
    done = await one.take(movement(1, tag=epc(2), kind="near"))
    assert await alerts(one, done) == [("loaner_overdue", "low")]
    assert await queue(one) == [("loaner_overdue", "LT-0002", "stockroom-a")]


def chip(seq, tid, **more):
    return changed(movement(seq, tag=epc(2), kind="near", after_s=seq * 9, **more), tid=tid)


def changed(row, **changes):
    return msgspec.structs.replace(row, **changes)


async def test_one_epc_on_two_chips_is_a_clone_and_the_bound_chip_is_the_right_one(one):
    await one.take(chip(1, "e2aa"), chip(2, "e2bb"), now=START + timedelta(minutes=5))
    (found,) = await one.queue.listed(Filter(category="cloned_tag"), 9)
    (seen,) = (await one.queue.detail(found.id)).occurrences
    assert (seen.evidence["tid"], seen.evidence["bound"]) == ("e2bb", "e2aa")
    await one.sql("UPDATE tag SET tid = 'e2bb' WHERE epc = %s", epc(2))
    await one.take(chip(3, "e2bb"), now=START + timedelta(minutes=5))
    (seen, gone) = sorted(
        (await one.queue.detail(found.id)).occurrences, key=lambda each: each.withdrawn_at is not None
    )
    assert (seen.evidence["tid"], gone.evidence["tid"]) == ("e2aa", "e2bb")


async def test_one_epc_at_two_gateways_doors_at_once_is_not_unique(one):
    long = {"tag": epc(2), "kind": "near", "started_s": -30}
    await one.take(movement(1, **long))
    await one.take(movement(1, portal="back-door", gateway=WEST, after_s=2, **long), gateway=WEST)
    assert await queue(one) == [("not_unique", "LT-0002", "corridor")]
    await one.sql(
        "INSERT INTO portal_neighbour VALUES ('stockroom-a-door', 'back-door'), ('back-door', 'stockroom-a-door')"
    )
    await one.sql("UPDATE registry_version SET version = version + 1")
    await one.take(movement(2, portal="back-door", gateway=WEST, after_s=3, **long), gateway=WEST)
    assert await queue(one) == []  # they are neighbours, which hear each other's tags


@pytest.mark.parametrize("west_first", [False, True])
async def test_an_epc_at_two_doors_at_once_moves_its_asset_through_neither(one, west_first):
    """Whichever comes first has moved it until the other comes; what comes alone later moves it again."""
    east = (movement(1, tag=epc(2), after_s=40, started_s=0), GATEWAY)
    west = (movement(1, tag=epc(2), portal="back-door", gateway=WEST, after_s=45, started_s=5), WEST)
    first, second = (west, east) if west_first else (east, west)
    await one.take(first[0], gateway=first[1])
    assert await one.where("LT-0002") == ("street" if west_first else "corridor")
    await one.take(second[0], gateway=second[1])
    assert [row[:2] for row in await queue(one) if row[0] == "not_unique"] == [("not_unique", "LT-0002")]
    assert await one.where("LT-0002") == "stockroom-a"
    before = await projection_hash(one.database)
    await rebuild(one.database, START)
    assert await projection_hash(one.database) == before
    await one.take(movement(2, tag=epc(2), after_s=900), now=START + timedelta(minutes=20))
    assert await one.where("LT-0002") == "corridor"


TWO_SITES = {
    "locations": """id,name,kind,parent,guarded
pune,Pune,site,,
shed,Shed,zone,pune,true
""",
    "portals": """id,name,site,gateway,inside,outside,mode
shed-door,Shed door,pune,pune-1,shed,street,observe
""",
}


async def two_sites(one):
    assert not (await one.import_(**TWO_SITES)).problems
    await one.sql("INSERT INTO site_travel VALUES ('hq-site', 'pune', '9 hours')")
    await one.sql("UPDATE registry_version SET version = version + 1")


FAR = {"gateway": "pune-1", "site": "pune"}


def pair(after_s=3600):
    here = movement(1, tag=epc(2), kind="near")
    there = movement(1, tag=epc(2), kind="near", portal="shed-door", gateway="pune-1", after_s=after_s)
    return here, there


@pytest.mark.parametrize("here_first", [True, False])
async def test_two_sites_faster_than_anything_travels_in_either_order_of_arrival(one, here_first):
    await two_sites(one)
    (here, there), late = pair(), START + timedelta(hours=2)
    for first in (here_first, not here_first):
        await one.take(here, now=late) if first else await one.take(there, now=late, **FAR)
    assert await queue(one) == [("impossible_travel", "LT-0002", "shed")]


async def test_a_passage_between_them_that_comes_late_takes_it_back(one):
    """Once an earlier visit there is known, only the step to that one was too fast."""
    await two_sites(one)
    here, there = pair()
    earlier = movement(2, tag=epc(2), kind="near", portal="shed-door", gateway="pune-1", after_s=1800)
    late = START + timedelta(hours=2)
    await one.take(here, now=late)
    await one.take(there, now=late, **FAR)
    await one.take(earlier, now=late, **FAR)
    (found,) = await one.queue.listed(Filter(category="impossible_travel"), 9)
    standing = [each for each in (await one.queue.detail(found.id)).occurrences if each.withdrawn_at is None]
    assert [each.at for each in standing] == [START + timedelta(minutes=30)]


async def test_a_tag_of_ours_without_a_record_is_unknown_and_told_when_it_leaves(one):
    done = await one.take(movement(1, tag=epc(0x77), kind="near"), own=OURS)
    assert (done.alerts, await queue(one)) == ([], [("unknown_tag", None, "stockroom-a")])
    done = await one.take(movement(2, tag=epc(0x77), after_s=9), own=OURS)
    assert await alerts(one, done) == [("unknown_tag", "high")]
    assert (await one.queue.listed(Filter(category="unknown_tag"), 9))[0].occurrences == 2


async def test_a_tag_that_was_taken_off_is_told_of_as_such(one):
    await one.sql("UPDATE tag SET bound_to = %s, state = 'retired' WHERE epc = %s", START - timedelta(days=1), epc(2))
    await one.take(movement(1, tag=epc(2), kind="near"), own=OURS)
    assert await queue(one) == [("retired_tag", "LT-0002", "stockroom-a")]


async def test_foreign_tags_are_counted_and_kept_nowhere(one):
    done = await one.take(movement(1, tag="e2801160"), movement(2, tag=epc(2), after_s=5), own=OURS)
    assert (done.foreign_tags, done.positions["hq-east-1", "movement", "e1"].upto) == (1, 2)
    for table in ("movement", "passage", "quarantine"):
        rows = await one.sql(f"SELECT * FROM {table}")  # noqa: S608 (names from the line above)
        assert "e2801160" not in str(rows)
    again = await one.take(movement(1, tag="e2801160"), own=OURS)
    assert (again.rows, again.repeated) == (0, 1)


async def test_without_prefixes_of_ours_no_tag_is_foreign_or_unknown(one):
    done = await one.take(movement(1, tag="e2801160"))
    assert (done.rows, done.foreign_tags, await queue(one)) == (1, 0, [])


async def test_a_tag_wanted_for_a_second_asset_is_refused_and_said_of_the_one_that_has_it(one):
    tags = f"epc,asset,role\n{epc(2)},LT-0001,body\n"
    await one.import_(tags=tags, dry_run=True)
    assert await one.queue.listed(Filter(category="duplicate_tag"), 9) == []
    assert (await one.import_(tags=tags)).problems
    (found,) = await one.queue.listed(Filter(category="duplicate_tag"), 9)
    assert (found.asset, found.severity) == ("LT-0002", "high")
    (seen,) = (await one.queue.detail(found.id)).occurrences
    assert (seen.evidence["epc"], seen.evidence["wanted_for"], seen.evidence["line"]) == (epc(2), "LT-0001", "2")


async def test_what_a_person_closed_is_not_opened_by_a_repeat_of_the_log(one):
    await state(one, "LT-0002", "retired")
    await one.take(movement(1, tag=epc(2)))
    (found,) = await one.queue.listed(Filter(category="retired_but_active"), 9)
    shown = Evidence("registry_change", "import 7")
    await take_step(one.queue, found.id, Step("propose", "ann", outcome="closed", evidence=shown), START)
    await take_step(one.queue, found.id, Step("approve", "bob"), START)
    await one.take(movement(1, tag=epc(2)))
    await one.take(movement(2, tag=epc(2), rev=2, started_s=-1))
    assert await queue(one) == []
    await one.take(movement(3, tag=epc(2), kind="in", after_s=9))
    assert len(await queue(one)) == 1


STANDING = """SELECT source, category, asset, location, at, key FROM exception_occurrence WHERE withdrawn_at IS NULL
              ORDER BY 1, 2, 3, 4, 5, 6"""
ALERTED = """SELECT m.passage, m.kind, m.severity, m.corrected, a.incident FROM alert_asset AS m
             JOIN alert AS a ON a.id = m.alert ORDER BY 1"""
RESET = """TRUNCATE movement, passage, alert_asset, alert_event, alert_verdict, alert, ingest_position, asset_location,
           location_counter, exception_occurrence, exception_event, exception, break_glass CASCADE"""
steps = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 3, 0x77]),
        st.sampled_from(["in", "out", "near"]),
        st.sampled_from(["stockroom-a-door", "shed-door"]),
        st.integers(0, 20),
        st.sampled_from([None, "e2aa", "e2bb"]),
    ),
    min_size=1,
    max_size=7,
)


@settings(max_examples=6)
@given(steps, st.randoms(use_true_random=False))
def test_any_order_and_repetition_ends_in_the_same_exceptions_and_incidents(shared_dsn, drawn, random):
    """What stands in the queue and before the guard is a function of the set of rows."""
    rows = []
    for number, (tag, kind, portal, minute, tid) in enumerate(drawn, 1):
        far = portal == "shed-door"
        where = FAR if far else {}
        common = {"portal": portal, "gateway": where.get("gateway", "hq-east-1"), "after_s": minute * 60 + number / 10}
        rows.append((changed(movement(number, tag=epc(tag), kind=kind, **common), tid=tid), where))

    async def ends(one, order):
        await one.sql(RESET)
        for row, where in order:
            await one.take(row, now=START + timedelta(minutes=30), own=OURS, **where)
        return await one.sql(STANDING), await one.sql(ALERTED)

    async def both():
        async with central(shared_dsn, registry=False) as one:
            messy = rows + random.sample(rows, len(rows) // 2)
            random.shuffle(messy)
            assert await ends(one, messy) == await ends(one, rows)

    asyncio.run(both())


@pytest.fixture(scope="module")
def shared_dsn():
    """One database for all examples, with two sites and assets that are retired, ordered and in somebody's hands."""

    async def fill(dsn):
        async with central(dsn) as one:
            await two_sites(one)
            await state(one, "LT-0001", "in_use", "person", "ann")
            await state(one, "LT-0002", "retired")
            await state(one, "LT-0003", "ordered")

    with registered_database() as dsn:
        asyncio.run(fill(dsn))
        yield dsn
