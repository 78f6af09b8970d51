"""Commit of rows on a real PostgreSQL: idempotent, in any order, and nothing lost to one bad row."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from central.application.errors import RowsRefused
from central.domain.position import Position
from central.storage.rebuild import projection_hash, rebuild
from edge.contracts import GapRow, LossRow, PresenceRow, SensorRow
from tests.helpers.central import EPC, GATEWAY, START, central, epc, movement, registered_database, wire

KEY = (GATEWAY, "movement", "e1")


async def test_a_final_crossing_moves_the_asset_and_both_counts(one):
    assert await one.counts() == {"stockroom-a": 2, "corridor": 1}
    done = await one.take(movement(1))
    assert done.positions == {KEY: Position(1)}
    assert done.locations == {"stockroom-a", "corridor"}
    assert await one.where("LT-0001") == "corridor"
    assert await one.counts() == {"stockroom-a": 1, "corridor": 2}


async def test_a_provisional_raises_the_alert_and_moves_nothing(one):
    done = await one.take(movement(1, final=False))
    alert = (await one.views.alerts_by_id(done.alerts))[0]
    assert (alert.kind, alert.severity, alert.asset.id, alert.portal) == (
        "unauthorised_exit", "high", "LT-0001", "stockroom-a-door",
    )  # fmt: skip
    assert (alert.from_, alert.to, alert.late, alert.latency_ms) == ("stockroom-a", "corridor", False, 60_000)
    assert await one.where("LT-0001") == "stockroom-a"


async def test_the_final_joins_its_provisionals_alert(one):
    first = await one.take(movement(1, final=False, confidence=0.6))
    second = await one.take(movement(2, rev=2, confidence=0.95))
    assert second.alerts == first.alerts
    alerts = await one.views.alerts(state="open", limit=10)
    assert [alert.confidence for alert in alerts] == [0.95]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_an_early_word_that_is_not_sure_is_ambiguous_until_the_final_accuses(one, order):
    rows = [movement(1, final=False, confidence=0.6, started_s=-1), movement(2, rev=2, started_s=-1)]
    first = await one.take(rows[order[0]])
    told = (await one.views.alerts_by_id(first.alerts))[0]
    assert (told.kind, told.severity) == [("ambiguous_passage", "low"), ("unauthorised_exit", "high")][order[0]]
    await one.take(rows[order[1]])
    alert = (await one.views.alerts_by_id(first.alerts))[0]
    assert (alert.kind, alert.severity, alert.confidence) == ("unauthorised_exit", "high", 0.9)
    history = await one.sql("SELECT kind FROM alert_event WHERE alert = %s ORDER BY id", alert.id)
    assert [kind for (kind,) in history] == ["raised"] * (2 if order == (0, 1) else 1)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_a_final_that_turned_back_corrects_the_alert_in_either_order(one, order):
    rows = [movement(1, final=False), movement(2, rev=2, kind="turned_back", started_s=-1)]
    for index in order:
        await one.take(rows[index])
    alert = (await one.views.alerts(state="open", limit=10))[0]
    assert alert.corrected
    assert await one.where("LT-0001") == "stockroom-a"
    assert (await one.views.summary()).unauthorised_exits == 0


async def test_an_authorised_exit_raises_nothing_and_still_moves(one):
    done = await one.take(movement(1, tag=epc(2)))
    assert done.alerts == []
    assert await one.where("LT-0002") == "corridor"


@pytest.mark.parametrize("recorded_first", [True, False])
async def test_an_authorisation_recorded_late_annotates_whichever_came_first(one, recorded_first):
    late = "id,asset,boundary,valid_from,valid_to,reason\nA-1,LT-0001,hq,,,late\n"
    after = START + timedelta(hours=1)
    if recorded_first:
        await one.import_(now=after, authorisations=late)
    await one.take(movement(1), now=after)
    if not recorded_first:
        done = await one.import_(now=after, authorisations=late)
        assert len(done.alerts) == 1
    alert = (await one.views.alerts(state="open", limit=10))[0]
    assert alert.authorised_late
    assert alert.late
    assert "A-1" in alert.reason


async def test_a_batch_is_one_alert_with_its_unauthorised_assets(one):
    await one.take(
        movement(1, batch="cart"), movement(2, tag=epc(2), batch="cart"), movement(3, tag=epc(3), batch="cart")
    )
    alerts = await one.views.alerts(state="open", limit=10)
    assert [[asset.id for asset in alert.assets] for alert in alerts] == [["LT-0001", "LT-0003"]]
    assert (await one.views.summary()).unauthorised_exits == 2


async def test_an_observing_portal_raises_no_open_alert(one):
    await one.take(movement(1, tag=epc(3), portal="back-door", gateway="hq-west-1"), gateway="hq-west-1")
    assert await one.views.alerts(state="open", limit=10) == []
    assert [alert.state for alert in await one.views.alerts(state="all", limit=10)] == ["observed"]
    assert (await one.views.summary()).alerts == 0


async def test_either_tag_moves_its_asset_and_the_newest_crossing_wins(one):
    await one.take(
        movement(1, tag=epc(3), portal="main-entrance", after_s=10),
        movement(2, tag=epc(0xF3), portal="main-entrance", after_s=20, kind="in"),
    )
    assert await one.where("LT-0003") == "corridor"


BOXED = f"epc,asset,role\n{epc(0x99)},LT-0009,box\n"
BODY = f"epc,asset,role\n{epc(9)},LT-0009,{{role}}\n"


@pytest.fixture
async def boxed(one):
    """The store with LT-0009 in the stockroom, in a box that has a tag."""
    await one.import_(assets="id,name,class,serial,location\nLT-0009,New,laptop,,stockroom-a\n", tags=BOXED)
    return one


async def test_a_box_moves_what_has_no_tag_of_its_own_yet(boxed):
    await boxed.take(movement(1, tag=epc(0x99)))
    assert await boxed.where("LT-0009") == "corridor"


@pytest.mark.parametrize("role", ["body", "lid"])
async def test_an_empty_box_moves_nothing_once_the_asset_has_a_tag_of_its_own(boxed, role):
    await boxed.import_(now=START + timedelta(minutes=1), tags=BODY.format(role=role))
    await boxed.take(movement(1, tag=epc(0x99), after_s=90), now=START + timedelta(minutes=5))
    assert await boxed.where("LT-0009") == "stockroom-a"
    assert await boxed.counts() == {"stockroom-a": 3, "corridor": 1}
    await boxed.take(movement(2, tag=epc(9), after_s=80), now=START + timedelta(minutes=5))
    assert await boxed.where("LT-0009") == "corridor"


async def test_unpacking_leaves_the_asset_where_its_box_brought_it_also_after_a_rebuild(boxed):
    await boxed.take(movement(1, tag=epc(0x99)))
    for minute in (1, 9):  # the same sheet again is no new binding
        await boxed.import_(now=START + timedelta(minutes=minute), tags=BOXED + BODY.format(role="body").split("\n")[1])
        assert await boxed.where("LT-0009") == "corridor"
    await boxed.take(movement(2, tag=epc(0x99), kind="in", after_s=300), now=START + timedelta(minutes=10))
    assert await boxed.where("LT-0009") == "corridor"
    live = await projection_hash(boxed.database)
    await rebuild(boxed.database, START)
    assert await projection_hash(boxed.database) == live


async def test_movements_list_each_passage_once_in_its_newest_revision_by_portal_and_asset(one):
    await one.take(
        movement(1, final=False, started_s=-1),
        movement(2, rev=2, kind="turned_back", after_s=5, started_s=-1),
        movement(3, tag=epc(3), portal="main-entrance", after_s=20),
        movement(4, tag=epc(0xF3), kind="near", after_s=30),
        movement(5, tag=epc(0x77), kind="near", after_s=10),
    )

    async def listed(limit=10, **chosen):
        found = await one.views.movements(limit=limit, **chosen)
        return [(each.asset, each.epc, each.rev, each.kind, each.to) for each in found]

    lid, door = ("LT-0003", epc(0xF3), 1, "near", None), ("LT-0003", epc(3), 1, "out", "street")
    unknown, back = (None, epc(0x77), 1, "near", None), ("LT-0001", EPC, 2, "turned_back", None)
    assert await listed() == [lid, door, unknown, back]
    assert await listed(limit=2) == [lid, door]
    assert await listed(portal="stockroom-a-door") == [lid, unknown, back]
    assert await listed(asset="LT-0003") == [lid, door]
    assert await listed(asset="LT-0003", portal="main-entrance") == [door]
    assert await listed(asset="LT-9999") == await listed(portal="nowhere") == []


async def test_portals_are_listed_with_their_site(one):
    found = [(each.id, each.name, each.site, each.gateway, each.mode) for each in await one.views.portals()]
    assert found == [
        ("back-door", "Back door", "hq", "hq-west-1", "observe"),
        ("main-entrance", "Main entrance", "hq", "hq-east-1", "alarm"),
        ("stockroom-a-door", "Stockroom door", "hq", "hq-east-1", "notify"),
    ]


async def test_an_unknown_tag_is_kept_counted_and_moves_with_its_asset_once_registered(one):
    done = await one.take(movement(1, tag=epc(0x77)))
    assert (done.rows, done.unknown_tags) == (1, 1)
    assert (await one.views.summary()).unknown_tags == 1
    await one.import_(
        assets="id,name,class,serial,location\nLT-0077,New,laptop,,\n", tags=f"epc,asset,role\n{epc(0x77)},LT-0077,\n"
    )
    assert await one.where("LT-0077") == "corridor"


async def test_a_row_that_the_database_refuses_is_quarantined_and_the_rest_commits(one):
    """Halving under savepoints finds the one row that a constraint refuses."""
    await one.sql("ALTER TABLE movement ADD CONSTRAINT no_five CHECK (seq <> 5)")
    rows = [movement(seq, tag=epc(2), after_s=seq) for seq in range(1, 9)]
    done = await one.take(*rows)
    assert (done.rows, done.rejected, done.positions) == (7, 1, {KEY: Position(8)})
    item = (await one.views.quarantined(10))[0]
    assert (item.seq, item.gateway) == (5, GATEWAY)
    assert "no_five" in item.reason


async def test_a_row_that_cannot_be_read_is_stored_raw_and_counts_as_committed(one):
    done = await one.take(movement(1), b'{"row":"movement","seq":2,"kind":"flown"}', movement(3, kind="near"))
    assert done.positions == {KEY: Position(3)}
    assert '"flown"' in (await one.views.quarantined(10))[0].payload


@pytest.mark.parametrize("after_s", [-6.3 * 365 * 86400, 2 * 3600])
async def test_a_time_that_no_event_can_have_is_quarantined(one, after_s):
    done = await one.take(movement(1, after_s=after_s))
    assert (done.rows, done.rejected, done.positions) == (0, 1, {KEY: Position(1)})
    assert "clock" in (await one.views.quarantined(10))[0].reason


async def test_a_portal_of_another_gateway_is_quarantined_and_told_once(one):
    await one.take(movement(1, portal="back-door"), movement(2, portal="back-door", after_s=9))
    alerts = await one.views.alerts(state="open", limit=10)
    assert [(alert.kind, alert.gateway) for alert in alerts] == [("identity_mismatch", GATEWAY)]
    assert await one.sql("SELECT count(*) FROM movement") == [(0,)]


async def test_a_gateway_that_nobody_registered_waits_uncommitted(one):
    done = await one.take(movement(1, gateway="stranger"), gateway="stranger")
    assert (done.rows, done.positions, done.waiting) == (0, {}, {("hq", "stranger")})
    assert await one.sql("SELECT count(*) FROM ingest_position") == [(0,)]


async def test_a_registered_gateway_on_another_sites_topic_is_quarantined_and_told(one):
    done = await one.take(movement(1), site="elsewhere")
    assert (done.rows, done.positions) == (0, {})
    assert (await one.views.alerts(state="open", limit=9))[0].kind == "identity_mismatch"


async def test_every_kind_of_row_is_kept_and_a_gap_settles_its_span(one):
    done = await one.take(
        SensorRow(seq=1, reader="r1", gpi=2, kind="door", state=True, at=wire(START)),
        LossRow(seq=2, reader="r1", reason="overflow", from_=wire(START), to=wire(START), count=None),
        GapRow(seq=9, first=3, last=9, reason="disk full", count=7),
        movement(12),
    )
    assert done.positions == {KEY: Position(9, ((12, 12),))}
    presence = PresenceRow(
        seq=1, span=[wire(START), wire(START)], zone="z", mode="zone", antennas=[], tags=[], part=[1, 1], complete=True
    )
    await one.take(presence, stream="presence")
    for table in ("sensor", "loss", "gap", "presence", "movement"):
        assert await one.sql(f"SELECT count(*) FROM {table}") == [(1,)]  # noqa: S608 (names from the line above)
    summary = await one.views.summary()
    assert (summary.events.committed, summary.events.gaps, summary.events.duplicated) == (11, 7, 0)
    assert {(one.stream, one.upto, tuple(one.above)) for one in summary.streams} == {
        ("movement", 9, ((12, 12),)),
        ("presence", 1, ()),
    }


async def test_a_second_delivery_changes_nothing(one):
    rows = [movement(1), movement(2, tag=epc(2), after_s=3), movement(3, tag=epc(2), after_s=9, kind="in")]
    await one.take(*rows)
    before = await projection_hash(one.database), await one.views.alerts(state="all", limit=10)
    again = await one.take(*rows, now=START + timedelta(hours=2))
    assert (again.rows, again.repeated, again.alerts) == (0, 3, [])
    assert (await projection_hash(one.database), await one.views.alerts(state="all", limit=10)) == before


async def test_log_rows_cannot_be_changed_or_deleted(one):
    await one.take(movement(1))
    for statement in ("UPDATE movement SET reads = 0", "DELETE FROM movement", "DELETE FROM act"):
        with pytest.raises(Exception, match="never changed or deleted"):
            await one.sql(statement)


walks = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 3, 0xF3, 0x77]),
        st.sampled_from(["in", "out", "near", "turned_back", "unresolved", "parked"]),
        st.sampled_from(["stockroom-a-door", "main-entrance"]),
        st.integers(0, 6),
        st.sampled_from([None, "cart"]),
    ),
    min_size=1,
    max_size=8,
)


def rows_of(drawn):
    """A provisional and a final for every walk, numbered in the order they would be sent."""
    rows = []
    for tag, kind, portal, second, batch in drawn:
        common = {
            "tag": epc(tag),
            "portal": portal,
            "after_s": second,
            "started_s": second - 1 - len(rows),
            "batch": batch,
        }
        rows.append(movement(len(rows) + 1, kind="out", final=False, **common))
        rows.append(movement(len(rows) + 1, kind=kind, rev=2, **common))
    return rows


ALERTS = """SELECT m.passage, m.kind, m.severity, m.corrected, m.reason, a.incident FROM alert_asset AS m
            JOIN alert AS a ON a.id = m.alert ORDER BY 1"""
RESET = """TRUNCATE movement, passage, alert_asset, alert_event, alert, ingest_position, asset_location,
           location_counter, quarantine, transit_leg, missed_crossing, misread_crossing CASCADE"""


@settings(max_examples=8)
@given(walks, st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_end_in_the_same_state(shared_dsn, drawn, random):
    """Rows in order, and the same rows shuffled, cut and repeated, give equal projections, alerts and positions."""

    async def state_after(one, batches):
        await one.sql(RESET)
        await rebuild(one.database, START)
        for batch in batches:
            await one.take(*batch)
        live = await projection_hash(one.database)
        await rebuild(one.database, START)
        assert await projection_hash(one.database) == live
        return live, await one.sql(ALERTS), await one.log.marks()

    async def both():
        rows = rows_of(drawn)
        messy = rows + random.sample(rows, len(rows) // 2)
        random.shuffle(messy)
        cut = random.randint(1, 5)
        async with central(shared_dsn, registry=False) as one:
            ordered = await state_after(one, [rows])
            shuffled = await state_after(one, [messy[at : at + cut] for at in range(0, len(messy), cut)])
        assert shuffled == ordered

    asyncio.run(both())


@pytest.fixture(scope="module")
def shared_dsn():
    """One database for all examples; each empties the log."""

    async def prepare(dsn):
        async with central(dsn):
            pass

    with registered_database() as dsn:
        asyncio.run(prepare(dsn))
        yield dsn


async def test_two_workers_on_the_same_rows_commit_them_once(one):
    """The locked position makes the second delivery find the first one's work."""
    rows = [movement(seq, after_s=seq, kind="in" if seq % 2 else "out") for seq in range(1, 41)]
    done = await asyncio.gather(*(one.take(*rows) for _ in range(4)))
    assert sorted(each.rows for each in done) == [0, 0, 0, 40]
    assert await one.sql("SELECT count(*), count(DISTINCT seq) FROM movement") == [(40, 40)]
    assert await one.where("LT-0001") == "corridor"
    assert epc(1) == EPC


async def test_a_door_that_the_log_names_can_not_be_taken_away(one):
    """No foreign key holds it, which would look it up for each row."""
    await one.take(movement(1, kind="near"))
    with pytest.raises(RowsRefused, match="portal stockroom-a-door is in the log of movements"):
        await one.sql("DELETE FROM portal WHERE id = 'stockroom-a-door'")
    await one.sql("DELETE FROM portal WHERE id = 'back-door'")


async def test_rows_of_a_door_that_was_taken_away_meanwhile_are_quarantined(one):
    """The registry that was read says that it is there, the database says at the commit that it isn't."""
    await one.take(movement(1, kind="near"))
    await one.sql("DELETE FROM portal WHERE id = 'back-door'")
    rows = [movement(1, portal="back-door", gateway="hq-west-1")]
    done = await one.take(*rows, gateway="hq-west-1")
    assert [item.reason for item in done.refused] == [
        "could not be committed: back-door was taken out of the registry meanwhile"
    ]
    assert await one.sql("SELECT count(*) FROM movement") == [(1,)]
