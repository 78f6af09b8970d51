"""Live and scheduled counts on a real PostgreSQL: freeze, observations, variance, signature, verification."""

import contextlib
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
from procrastinate.exceptions import AlreadyEnqueued

from central.api.server import create_app
from central.application import counts as use
from central.application.count_views import Observation, Plan
from central.application.errors import NotFound, RowsRefused, Separated, StepUnfit
from central.application.exceptions import Filter
from central.jobs.counts import count_jobs
from central.jobs.queue import Queue
from tests.helpers.central import START, central, epc, movement
from tests.helpers.listening import count, hear, presence

PEOPLE = """
INSERT INTO person (id, name) VALUES ('ann', 'Ann'), ('bob', 'Bob'), ('cid', 'Cid'), ('dee', 'Dee');
INSERT INTO role (id, name) VALUES ('branch_admin', 'Branch admin'), ('stockroom_custodian', 'Keeps a stockroom');
UPDATE location SET owner_role = 'branch_admin' WHERE id = 'hq-site';
INSERT INTO role_holder (role, location, person) VALUES
    ('branch_admin', 'hq-site', 'ann'), ('branch_admin', 'hq-site', 'bob'), ('branch_admin', 'hq-site', 'cid'),
    ('stockroom_custodian', 'stockroom-a', 'bob');
"""
TODAY = START.date()


@pytest.fixture
async def one(dsn):
    async with central(dsn) as opened:
        for statement in filter(str.strip, PEOPLE.split(";")):
            await opened.sql(statement)
        yield opened


def later(hours):
    return START + timedelta(hours=hours)


async def planned(one, **changes):
    plan = {"kind": "quarterly_cycle", "location": "hq", "ranks": (), "blind": False, "planned_for": TODAY, "by": "ann"}
    return await one.counting.plan(Plan(**plan | changes), START)


async def started(one, **changes):
    run = await planned(one, **changes)
    await use.start(one.counting, run, "dee", later(1))
    return run


def seen(location="stockroom-a", *, at_h=2.0, grade="barcode", by="dee", **what):
    return Observation(location, later(at_h), by, grade, "handheld 7", **what)


async def submitted(one):
    """LT-0001 found by its barcode, LT-0002 not where it was searched for, LT-0003 seen at another place."""
    run = await started(one)
    rows = [seen(asset="LT-0001"), seen("stockroom-a", epc=epc(3))]
    await use.observe(one.counting, run, rows, later(2))
    await use.search(one.counting, run, "stockroom-a", "dee", later(2))
    await use.submit(one.counting, run, "dee", later(3))
    return run


async def test_the_book_is_frozen_at_the_start(one):
    run = await started(one)
    await one.take(movement(1, after_s=7200), now=later(2))
    lines = (await one.counting.run(run)).lines
    assert [(line.asset, line.booked) for line in lines] == [
        ("LT-0001", "stockroom-a"), ("LT-0002", "stockroom-a"), ("LT-0003", "corridor"),
    ]  # fmt: skip


async def test_a_count_tells_found_missing_unexpected_and_what_was_not_counted(one):
    run = await one.counting.run(await submitted(one))
    assert {line.asset: line.bucket for line in run.lines} == {
        "LT-0001": "found", "LT-0002": "missing", "LT-0003": "unexpected",
    }  # fmt: skip
    places = {place.location: place for place in run.places}
    stockroom, corridor = places["stockroom-a"], places["corridor"]
    assert (stockroom.coverage, stockroom.book, stockroom.found, stockroom.missing, stockroom.unexpected) == (
        "searched", 2, 1, 1, 1,
    )  # fmt: skip
    assert (stockroom.net, stockroom.gross) == (0.0, 1.0)
    assert (corridor.coverage, corridor.book, corridor.unknown, corridor.net, corridor.gross) == (
        "none",
        1,
        1,
        None,
        None,
    )
    categories = {one_.category for one_ in await one.queue.listed(Filter(), 10)}
    assert categories == {"missing", "wrong_location", "count_variance"}


async def test_what_is_signed_never_changes_whatever_program_writes(one):
    run = await submitted(one)
    await use.sign(one.counting, run, "ann", "", later(4))
    for change in (
        "UPDATE count_line SET bucket = 'found' WHERE run = %s",
        "DELETE FROM count_line WHERE run = %s",
        "UPDATE count_place SET missing = 0 WHERE run = %s",
        "UPDATE count_run SET state = 'counting', signed_at = NULL, signed_by = NULL WHERE id = %s",
        "DELETE FROM count_run WHERE id = %s",
    ):
        with pytest.raises(RowsRefused, match="never change"):
            await one.sql(change, run)
    with pytest.raises(StepUnfit, match="is signed"):
        await use.sign(one.counting, run, "cid", "", later(5))


@pytest.mark.parametrize(
    ("by", "rule", "words"),
    [
        ("bob", "own_stockroom", "keeps stockroom stockroom-a"),
        ("dee", "count_owner", "is not branch_admin of hq"),
        ("cid", "own_stockroom", "assets in custody"),
    ],
)
async def test_who_may_not_sign_is_refused_by_the_database(one, by, rule, words):
    run = await submitted(one)
    await one.sql(
        "INSERT INTO asset_state (asset, custody_kind, custodian, custody_since, title, holds) "
        "VALUES ('LT-0001', 'person', 'cid', %s, 'owned', '{}')",
        START,
    )
    with pytest.raises(Separated, match=words) as error:
        await use.sign(one.counting, run, by, "", later(4))
    assert error.value.rule == rule
    await use.sign(one.counting, run, "ann", "", later(4))
    assert (await one.counting.run(run)).signed_by == "ann"


async def test_who_counted_does_not_sign(one):
    run = await started(one)
    await use.observe(one.counting, run, [seen(asset="LT-0001", by="ann")], later(2))
    await use.submit(one.counting, run, "dee", later(3))
    with pytest.raises(Separated, match="ann counted"):
        await use.sign(one.counting, run, "ann", "", later(4))


async def test_a_place_without_an_owner_role_can_not_be_signed(one):
    run = await submitted(one)
    await one.sql("UPDATE location SET owner_role = NULL")
    with pytest.raises(RowsRefused, match="no owner role"):
        await use.sign(one.counting, run, "ann", "", later(4))


async def test_antennas_answer_for_what_nobody_looked_at(one):
    await hear(one, presence(1, [epc(1), epc(2)]), after_h=0.5)
    run = await started(one)
    await hear(one, presence(2, [epc(1), epc(2)], after_h=2), after_h=2.5)
    await use.submit(one.counting, run, "dee", later(3))
    detail = await one.counting.run(run)
    place = next(place for place in detail.places if place.location == "stockroom-a")
    assert (place.coverage, place.found, place.net, place.gross) == ("sighted", 2, 0.0, 0.0)
    assert {(line.observed_by, line.grade) for line in detail.lines if line.observed} == {("radio", "tag_seen")}
    await use.sign(one.counting, run, "ann", "", later(4))
    assert (await one.counting.verified("LT-0001", later(4))).history[0].grade == "tag_seen"


async def test_a_blind_count_hides_the_book_until_it_is_submitted(one):
    run = await started(one, blind=True)
    assert (await one.counting.run(run)).lines == []
    await use.observe(one.counting, run, [seen(asset="LT-0001")], later(2))
    (line,) = (await one.counting.run(run)).lines
    assert (line.observed, line.booked) == ("stockroom-a", None)
    await use.submit(one.counting, run, "dee", later(3))
    assert len((await one.counting.run(run)).lines) == 3


async def test_a_blind_count_is_not_the_one_that_somebody_planned_with_the_book_open(one):
    """Whoever planned the same again, and as blind, gets the one that was planned."""
    plan = {"kind": "spot", "location": "hq", "planned_for": "2026-03-02", "by": "ann", "blind": False}
    async with await client(one) as http:
        first, again, blind = [
            await http.post("/api/v1/count-runs", json=plan | changed)
            for changed in ({}, {"by": "dee"}, {"by": "dee", "blind": True})
        ]
    assert [each.status_code for each in (first, again, blind)] == [200, 200, 409]
    assert (again.json()["run"]["id"], again.json()["run"]["blind"]) == (first.json()["run"]["id"], False)
    assert blind.json()["detail"].startswith("blind: count 1, which ann planned of the same, is not blind, and this")
    assert await one.sql("SELECT count(*) FROM count_run") == [(1,)]


async def test_a_place_is_counted_again_on_a_day_whose_spot_count_is_signed(one):
    first = await started(one, kind="spot")
    await use.submit(one.counting, first, "dee", later(2))
    assert await planned(one, kind="spot") == first
    await use.sign(one.counting, first, "ann", "", later(3))
    again = await planned(one, kind="spot", blind=True)
    assert again != first
    assert await planned(one, kind="spot", blind=True) == again
    await use.start(one.counting, again, "dee", later(4))


async def test_a_cycle_count_that_is_signed_is_not_planned_twice_on_its_day(one):
    first = await started(one)
    await use.submit(one.counting, first, "dee", later(2))
    await use.sign(one.counting, first, "ann", "", later(3))
    assert await planned(one) == first


async def test_only_classes_of_the_ranks_are_counted(one):
    await one.sql("INSERT INTO class_policy VALUES ('laptop', 'A', 90, 'serial_seen')")
    of_b, of_a = await started(one, ranks=("B",)), await started(one, ranks=("A",))
    assert [len((await one.counting.run(run)).lines) for run in (of_b, of_a)] == [0, 3]


async def test_an_antenna_never_verifies_a_serial(one):
    await one.sql("INSERT INTO class_policy VALUES ('laptop', 'A', 90, 'serial_seen')")
    await hear(one, presence(1, [epc(1), epc(2)]), after_h=0.5)
    assert (await one.counting.verified("LT-0001", later(1))).last is None
    await use.verify(one.counting, seen(asset="LT-0001"), "scan", later(2))
    assert not (await one.counting.verified("LT-0001", later(2))).valid
    await use.verify(one.counting, seen(serial="s1", grade="serial_seen"), "inspection", later(3))
    found = await one.counting.verified("LT-0001", later(3))
    assert (found.valid, found.last.grade, found.last.by, len(found.history)) == (True, "serial_seen", "dee", 2)
    assert not (await one.counting.verified("LT-0001", later(24 * 91))).valid
    with pytest.raises(RowsRefused, match="check constraint"):
        await one.sql(
            "INSERT INTO verification (asset, at, location, how, grade, confidence, evidence, by, recorded_at) "
            "VALUES ('LT-0001', %s, 'hq', 'sweep', 'serial_seen', 1, 'x', 'radio', %s)", START, START,
        )  # fmt: skip


async def test_where_the_class_accepts_it_being_heard_verifies(one):
    await hear(one, presence(1, [epc(1)]), after_h=0.5)
    found = await one.counting.verified("LT-0001", later(1))
    assert (found.valid, found.last.grade, found.last.location, found.last.by) == (
        True,
        "tag_seen",
        "stockroom-a",
        "radio",
    )


async def test_a_barcode_where_radio_is_silent_is_a_tag_fault_and_not_missing(one):
    for day in range(17):
        tags = [epc(1), epc(2)] if day < 10 else [epc(2)]
        await hear(one, presence(day + 1, tags, after_h=24 * day), after_h=24 * day + 0.5)
    assert (await one.queue.listed(Filter(category="missing"), 10))[0].suggestion is None
    await use.verify(one.counting, seen(asset="LT-0001", at_h=394), "scan", later(394))
    await count(one, after_h=394)
    assert (await one.queue.listed(Filter(category="missing"), 10))[0].suggestion == "the world has put it right"
    assert [found.asset for found in await one.queue.listed(Filter(category="tag_damaged"), 10)] == ["LT-0001"]
    place = next(row for row in await one.counting.places() if row.id == "stockroom-a")
    assert (place.tally.found, place.tally.missing) == (2, 0)


async def test_a_wrong_state_or_an_unknown_thing_is_told_in_words(one):
    run = await planned(one)
    with pytest.raises(StepUnfit, match="you can only submit one that is counting"):
        await use.submit(one.counting, run, "dee", later(3))
    with pytest.raises(NotFound, match="there is no count 999"):
        await use.start(one.counting, 999, "dee", later(1))
    with pytest.raises(NotFound, match="there is no location 'moon'"):
        await planned(one, location="moon")
    await use.start(one.counting, run, "dee", later(1))
    with pytest.raises(NotFound, match="no asset is known by 'S99'"):
        await use.observe(one.counting, run, [seen(asset="LT-0001"), seen(serial="S99")], later(2))
    assert not any(line.observed for line in (await one.counting.run(run)).lines)
    with pytest.raises(NotFound, match="is not in count"):
        await use.search(one.counting, run, "street", "dee", later(2))
    await use.cancel(one.counting, run, "ann", "fire drill", later(2))
    with pytest.raises(StepUnfit, match="cancelled"):
        await use.cancel(one.counting, run, "ann", "", later(2))


async def at(one, clock, now):
    """Run what is queued of the counts' job as at an instant; return the counts, the newest first."""
    clock[:] = [now]
    queue = Queue(one.database.pool, count_jobs(one.counting, lambda: clock[0]))
    await queue.app.open_async(one.database.pool)
    with contextlib.suppress(AlreadyEnqueued):
        await queue.app.configure_task("scheduled_counts").defer_async(timestamp=0)
    await queue.run_waiting()
    return await one.counting.runs(None, 10)


async def test_the_clock_opens_blind_counts_of_each_rank_at_its_own_interval(one):
    """Laptops are rank A here: counted every 3 months; the others' book is empty, so nobody has to count nothing."""
    await one.sql("INSERT INTO class_policy VALUES ('laptop', 'A', 90, 'tag_seen')")
    await one.counting.schedule(Plan("abc_cycle", "hq", (), blind=True, planned_for=date(2026, 3, 31), by="ann"))
    clock = []
    assert await at(one, clock, datetime(2026, 3, 30, 23, tzinfo=UTC)) == []
    runs = await at(one, clock, datetime(2026, 3, 31, 9, tzinfo=UTC))
    assert [(run.ranks, run.state) for run in runs] == [(["C"], "cancelled"), (["B"], "cancelled"), (["A"], "counting")]
    (run,) = [run for run in runs if run.state == "counting"]
    assert (run.blind, run.planned_for, run.due_on) == (True, date(2026, 3, 31), date(2026, 4, 14))
    detail = await one.counting.run(run.id)
    assert (detail.lines, {place.location for place in detail.places} >= {"stockroom-a"}) == ([], True)
    assert len(await at(one, clock, datetime(2026, 3, 31, 12, tzinfo=UTC))) == 3
    following = {tuple(one_.ranks): one_.next_on for one_ in await one.counting.schedules()}
    assert following == {("A",): date(2026, 6, 30), ("B",): date(2026, 9, 30), ("C",): date(2027, 3, 31)}
    await use.submit(one.counting, run.id, "dee", datetime(2026, 3, 31, 12, tzinfo=UTC))
    await use.sign(one.counting, run.id, "ann", "", datetime(2026, 3, 31, 13, tzinfo=UTC))
    assert (await one.counting.run(run.id)).signed_by == "ann"


async def test_a_count_is_opened_by_the_places_own_day_and_not_while_it_is_closed(one):
    """It is Saturday already in Kiritimati; the count waits for Monday, and one that slept for long is opened once."""
    await one.sql("UPDATE location SET timezone = 'Pacific/Kiritimati' WHERE id = 'hq-site'")
    await one.sql("UPDATE registry_version SET version = version + 1")
    await one.counting.schedule(Plan("monthly_control", "hq", (), blind=True, planned_for=date(2026, 3, 7), by="ann"))
    clock = []
    assert await at(one, clock, datetime(2026, 3, 6, 23, tzinfo=UTC)) == []
    assert [run.planned_for for run in await at(one, clock, datetime(2026, 3, 8, 11, tzinfo=UTC))] == [date(2026, 3, 7)]
    later_runs = await at(one, clock, datetime(2026, 8, 10, 9, tzinfo=UTC))
    assert [run.planned_for for run in later_runs] == [date(2026, 8, 7), date(2026, 3, 7)]
    (schedule,) = await one.counting.schedules()
    await one.counting.end_schedule(schedule.id, "ann", START)
    assert len(await at(one, clock, datetime(2026, 12, 10, 9, tzinfo=UTC))) == 2
    with pytest.raises(NotFound, match="there is no schedule"):
        await one.counting.end_schedule(schedule.id, "ann", START)


async def test_schedules_and_intervals_are_set_over_the_api(one):
    body = {"kind": "abc_cycle", "location": "hq", "first_on": "2026-04-01", "by": "ann", "ranks": ["A", "C"]}
    async with await client(one) as http:
        told = (await http.post("/api/v1/count-schedules", json=body)).json()
        assert [(one_["ranks"], one_["months"], one_["blind"]) for one_ in told["schedules"]] == [
            (["A"], 3, True), (["C"], 12, True),
        ]  # fmt: skip
        assert (await http.put("/api/v1/count-intervals/A", json={"by": "ann", "months": 0})).status_code == 422
        told = (await http.put("/api/v1/count-intervals/A", json={"by": "ann", "months": 1})).json()
        assert (told["intervals"]["A"], told["schedules"][0]["months"]) == (1, 1)
        left = (await http.delete(f"/api/v1/count-schedules/{told['schedules'][0]['id']}?by=ann")).json()["schedules"]
        assert [one_["ranks"] for one_ in left] == [["C"]]
        for day in ("9999-12-31", "0001-01-01"):
            never = await http.post("/api/v1/count-schedules", json=body | {"first_on": day})
            assert (never.status_code, "first_on: Input should be" in never.json()["detail"]) == (422, True)
        moon = await http.post("/api/v1/count-schedules", json=body | {"location": "moon"})
        assert (moon.status_code, "no location 'moon'" in moon.json()["detail"]) == (404, True)


async def client(one):
    app = create_app(one.services(lambda: later(2)), token="t", version="0", local=True)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", headers={"Authorization": "Bearer t"}
    )


async def test_how_many_are_there_is_one_answer_with_its_coverage_and_the_doubtful_ones(one):
    await one.sql("UPDATE asset SET model = 'T14' WHERE id IN ('LT-0001', 'LT-0003')")
    await hear(one, presence(1, [epc(1)]), after_h=0.5)
    async with await client(one) as http:
        whole = (await http.get("/api/v1/counts")).json()
        answer = (await http.get("/api/v1/counts/hq", params={"q": "t14"})).json()
        assert (await http.get("/api/v1/counts/moon")).status_code == 404
    hq = next(place for place in whole["places"] if place["id"] == "hq")
    assert (hq["total"]["book"], hq["total"]["counted"], hq["total"]["net"]) == (3, False, None)
    assert (hq["covered"], hq["not_counted"]) == (pytest.approx(2 / 3), ["corridor"])
    stockroom = next(place for place in answer["places"] if place["id"] == "stockroom-a")
    assert (stockroom["own"]["book"], stockroom["own"]["found"], stockroom["own"]["coverage"]) == (1, 1, "sighted")
    assert answer["count"]["total"]["book"] == 2
    assert [(doubt["asset"], doubt["bucket"]) for doubt in answer["doubtful"]] == [("LT-0003", "unknown")]


async def test_a_signed_count_stands_beside_the_live_one_at_once(one):
    """Nothing listens in the stockroom; what a person counted there is told as such, and where nobody did it isn't."""
    run = await submitted(one)
    async with await client(one) as http:
        before = (await http.get("/api/v1/counts")).json()["places"]
        assert {place["signed"] for place in before} == {None}
        await use.sign(one.counting, run, "ann", "", later(4))
        for path in ("counts", "counts/hq"):
            told = {place["id"]: place["signed"] for place in (await http.get(f"/api/v1/{path}")).json()["places"]}
            assert [name for name, signed in told.items() if signed] == ["stockroom-a"]
            stood = told["stockroom-a"]
            assert (stood["run"], stood["by"], stood["at"]) == (run, "ann", "2026-03-02T13:00:00.000000Z")
            assert (stood["book"], stood["found"], stood["missing"], stood["unexpected"]) == (2, 1, 1, 1)
        some = (await http.get("/api/v1/counts/hq", params={"q": "laptop"})).json()["places"]
        assert {place["signed"] for place in some} == {None}


async def test_a_count_goes_from_plan_to_signature_over_the_api(one):
    plan = {"kind": "annual_audit", "location": "hq", "planned_for": "2026-03-02", "by": "ann"}
    watched = {
        "location": "stockroom-a",
        "at": "2026-03-02T11:00:00Z",
        "by": "dee",
        "grade": "barcode",
        "evidence": "h7",
    }
    async with await client(one) as http:
        run = (await http.post("/api/v1/count-runs", json=plan)).json()["run"]["id"]
        at = f"/api/v1/count-runs/{run}"
        assert (await http.post(f"{at}/steps", json={"step": "start", "by": "dee"})).json()["run"][
            "state"
        ] == "counting"
        many = {"observations": [watched | {"asset": "LT-0001"}, watched | {"epc": epc(2)}]}
        assert (await http.post(f"{at}/observations", json=many)).status_code == 200
        await http.post(f"{at}/searches", json={"location": "stockroom-a", "by": "dee"})
        assert (await http.post(f"{at}/steps", json={"step": "submit", "by": "dee"})).json()["run"][
            "state"
        ] == "submitted"
        refused = await http.post(f"{at}/steps", json={"step": "sign", "by": "bob"})
        assert (refused.status_code, "keeps stockroom" in refused.json()["detail"]) == (403, True)
        signed = (await http.post(f"{at}/steps", json={"step": "sign", "by": "ann"})).json()["run"]
        assert (signed["state"], signed["signed_by"]) == ("signed", "ann")
        assert [one_["id"] for one_ in (await http.get("/api/v1/count-runs")).json()["runs"]] == [run]
        verified = (await http.get("/api/v1/assets/LT-0002/verification")).json()["verification"]
        assert (verified["valid"], verified["last"]["grade"]) == (True, "barcode")


async def test_a_zone_gets_its_place_over_the_api_and_what_it_told_is_folded(one):
    await hear(one, presence(1, [epc(1), epc(2)], zone="shelf-9"), after_h=0.5)
    async with await client(one) as http:
        (waiting,) = (await http.get("/api/v1/zones")).json()["zones"]
        assert (waiting["zone"], waiting["location"]) == ("shelf-9", None)
        told = {"location": "stockroom-a", "by": "ann"}
        (zone,) = (await http.put("/api/v1/zones/hq-east-1/shelf-9", json=told)).json()["zones"]
    assert zone["location"] == "stockroom-a"
    await count(one, after_h=1)
    place = next(row for row in await one.counting.places() if row.id == "stockroom-a")
    assert (place.tally.coverage, place.tally.found) == ("sighted", 2)
