"""Other books by the API: taken once, compared, told in the queue, and closed by suggestion once both agree."""

import asyncio
import json
import threading
from datetime import timedelta
from hashlib import sha256

import httpx
import pytest

from central.api.books import books_read, books_write
from central.api.server import create_app
from central.application.books import NewSnapshot, reconcile
from central.application.exceptions import Filter
from central.domain.reconciling.comparing import Theirs, compare
from central.storage.books import PgBooks
from central.storage.queries import query
from tests.helpers.central import START, central, registered_database

DAY = timedelta(days=1)
RIGHT = "the world has put it right"


class Desk:
    """The API's routes over one database, at a clock that the test sets."""

    def __init__(self, one) -> None:
        self.one, self.now = one, START
        self.books = PgBooks(one.database, one.log)
        app = create_app(
            one.services(self.clock), token="t", version="0", local=True,
            reads=[books_read(self.books, self.clock)], orders=[books_write(self.books, self.clock)],
        )  # fmt: skip
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", headers={"Authorization": "Bearer t"}
        )

    def clock(self):
        return self.now

    async def take(self, book, rows, *, after=0, status=200, **more):
        body = {
            "book": book,
            "location": "hq",
            "taken_at": (START + after * DAY).isoformat(),
            "rows": rows,
            "by": "ann",
        }
        self.now = max(self.now, START + after * DAY)
        answer = await self.http.post("/api/v1/snapshots", json=body | more)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def wrong(self):
        found = await self.one.queue.listed(Filter(), 50)
        return sorted(((each.category, each.asset, each.occurrences, each.suggestion) for each in found), key=str)


@pytest.fixture
async def desk():
    with registered_database() as dsn:
        async with central(dsn) as one:
            await one.people("ann", "bob", "cid")
            desk = Desk(one)
            async with desk.http:
                yield desk


async def test_a_mismatch_stands_once_until_the_next_snapshot_agrees(desk):
    told = await desk.take("far", "id,serial\nF1,S1\nF9,S9\n", complete=["laptop"])
    assert told["compared"] == {"matched": 1, "only_here": 2, "only_there": 1, "conflicts": 0}
    standing = [("finance_mismatch", None, 1, None), ("finance_mismatch", "LT-0002", 1, None),
                ("finance_mismatch", "LT-0003", 1, None)]  # fmt: skip
    assert await desk.wrong() == sorted(standing, key=str)
    again = await desk.take("far", "id,serial\nF9,S9\nF1,S1\n", complete=["laptop"])
    assert (again["id"], again["again"]) == (told["id"], True)
    await desk.take("far", "id,serial\nF1,S1\nF9,S9\n", after=1, complete=["laptop"])
    assert await desk.wrong() == sorted(standing, key=str)
    good = "id,asset,serial\nF1,,S1\nF2,LT-0002,\nF3,LT-0003,\n"
    await desk.take("far", good, after=3, complete=["laptop"])
    assert {each[3] for each in await desk.wrong()} == {RIGHT}
    await desk.take("far", "id,serial\nF1,S1\n", after=2, complete=["laptop"])
    assert {each[3] for each in await desk.wrong()} == {RIGHT}
    acts = await desk.one.sql("SELECT count(*), min(by) FROM act WHERE kind = 'book_taken' AND subject = 'book/far'")
    assert acts == [(4, "ann")]


async def test_a_dry_run_and_a_sheet_with_problems_keep_nothing(desk):
    told = await desk.take("mdm", "id,serial\nM9,S9\n", dry_run=True)
    assert (told["id"], told["compared"]["only_there"]) == (None, 1)
    bad = await desk.take("mdm", "id,serial,active\nM1,S1,perhaps\nM1,S1,yes\n", status=422)
    assert [one["line"] for one in bad["problems"]] == [2, 3]
    assert await desk.wrong() == []
    assert await desk.one.sql("SELECT count(*) FROM book_snapshot") == [(0,)]
    await desk.take("mdm", "id\nM1\n", location="moon", status=404)
    await desk.take("mdm", "id\nM1\n", by="ghost", status=404)
    for at in ("0001-01-01T00:00:00Z", "1989-12-31T00:00:00Z", "2080-01-01T00:00:00Z"):
        refused = await desk.take("mdm", "id\nM1\n", taken_at=at, status=422)
        assert "taken_at" in refused["detail"]
        assert "outside 1990 to 2079" in refused["detail"]


async def test_a_snapshot_may_be_ahead_by_five_minutes_of_another_clock_and_no_more(desk):
    ahead = (START + timedelta(minutes=5, seconds=1)).isoformat()
    told = (await desk.take("mdm", "id\nM1\n", taken_at=ahead, status=422))["detail"]
    assert told == (
        f"Change the request: taken_at: {ahead} is still to come, and it is {START.isoformat()}:"
        " tell when the book stood so."
    )
    taken = await desk.take("mdm", "id\nM1\n", taken_at=(START + timedelta(minutes=5)).isoformat())
    assert taken["compared"]["only_there"] == 1


async def test_what_a_leaver_has_is_less_grave_and_due_later_once_the_exit_is_put_off(desk):
    await desk.one.sql(
        "INSERT INTO asset_state (asset, lifecycle, lifecycle_since, custody_kind, custodian, custody_since, title,"
        " holds) VALUES ('LT-0001', 'in_use', '2026-03-01Z', 'person', 'bob', '2026-03-01Z', 'owned', '{}')"
    )
    due = {}
    for after, leaves_on, severity in (
        (0, "2026-03-01", "high"), (1, "2026-06-01", "low"), (2, "2026-03-06", "medium"), (3, "2026-06-01", "low"),
    ):  # fmt: skip
        await desk.take("hrms", f"id,leaves_on\nbob,{leaves_on}\n", after=after)
        (found,) = await desk.one.queue.listed(Filter(), 9)
        assert (found.severity, found.suggestion) == (severity, None)
        due[after] = found.due_at
    assert due[0] < due[1] < due[3]
    assert due[2] <= due[1]


async def test_our_register_put_right_is_seen_each_night_and_a_withdrawn_snapshot_counts_no_more(desk):
    await desk.take("discovery", "id,serial,name\nD9,S9,printer-7\nD8,S8,nas\n")
    assert await desk.wrong() == [("unknown_device", None, 2, None)]
    await desk.one.import_(assets="id,name,class,serial,location\nPR-1,Printer,printer,S9,corridor\n", now=START)
    assert await reconcile(desk.books, START + DAY) == 1
    assert await desk.wrong() == [("unknown_device", None, 1, None)]
    second = await desk.take("discovery", "id,serial\nD1,S1\n", after=2)
    assert await desk.wrong() == [("unknown_device", None, 0, RIGHT)]
    answer = await desk.http.post(
        f"/api/v1/snapshots/{second['id']}/withdraw", json={"by": "bob", "reason": "half of it"}
    )
    assert answer.status_code == 200, answer.text
    assert await desk.wrong() == [("unknown_device", None, 1, None)]
    gone = await desk.http.post(f"/api/v1/snapshots/{second['id']}/withdraw", json={"by": "bob", "reason": "again"})
    assert gone.status_code == 404
    with pytest.raises(Exception, match="stays as it came"):
        await desk.one.sql("UPDATE book_snapshot SET withdrawn_at = NULL WHERE id = %s", second["id"])


async def test_what_was_closed_and_stands_in_a_later_snapshot_is_opened_again(desk):
    await desk.take("mdm", "id,serial\nM9,S9\n")
    (found,) = await desk.one.queue.listed(Filter(), 9)
    desk.now = START + DAY
    evidence = {"kind": "ticket", "reference": "T-1"}
    for by, step in (
        ("bob", {"step": "assign", "owner": "bob"}), ("bob", {"step": "investigate"}),
        ("bob", {"step": "propose", "outcome": "closed", "evidence": evidence}), ("cid", {"step": "approve"}),
    ):  # fmt: skip
        answer = await desk.http.post(f"/api/v1/exceptions/{found.id}/steps", json=step | {"by": by})
        assert answer.status_code == 200, answer.text
    assert await reconcile(desk.books, START + DAY) == 1
    assert await desk.wrong() == []
    await desk.take("mdm", "id,serial\nM9,S9\n", after=2)
    assert await desk.wrong() == [("mdm_not_in_inventory", None, 1, None)]


async def test_what_is_disposed_of_and_who_has_left_is_told(desk):
    await desk.one.sql(
        "INSERT INTO asset_state (asset, lifecycle, lifecycle_since, custody_kind, custodian, custody_since, title,"
        " holds)"
        " VALUES ('LT-0001', 'disposed', '2026-03-01Z', 'none', NULL, NULL, 'owned', '{}'),"
        " ('LT-0002', 'in_use', '2026-03-01Z', 'person', 'bob', '2026-03-01Z', 'owned', '{}')"
    )
    await desk.take("mdm", "id,serial,person\nM1,S1,\nM2,S2,cid\n")
    await desk.take("hrms", "id,active\nbob,false\n")
    assert await desk.wrong() == [
        ("active_but_disposed", "LT-0001", 1, None), ("record_conflict", "LT-0002", 1, None),
        ("user_not_in_hrms", "LT-0002", 1, None),
    ]  # fmt: skip
    books = (await desk.http.get("/api/v1/reconciliation")).json()["books"]
    assert [(one["book"], one["compared"]["conflicts"]) for one in books] == [("mdm", 2), ("hrms", 1)]
    assert books[0]["findings"][0]["why"] == "disposed of here, active in device management"


async def test_figures_count_what_is_overdue_and_what_was_closed_in_time_at_any_past_instant(desk):
    async def figures(at):
        answer = await desk.http.get("/api/v1/reconciliation/figures", params={"at": at.isoformat(), "days": 60})
        return answer.json()

    await desk.take("far", "id,serial\nF9,S9\n")
    await desk.take("discovery", "id,serial\nD8,S8\nD9,S9\n")
    early = await figures(START + DAY)
    assert (early["far"], early["far_high"], early["discovery"]) == ("green", 0, "n/a")
    await desk.take("discovery", "id,serial\nD9,S9\n", after=5)
    late = await figures(START + 40 * DAY)
    assert (late["far"], late["far_high"], late["far_critical"]) == ("yellow", 1, 0)
    assert (late["discovery_due"], late["discovery_closed"], late["discovery"]) == (2, 1, "red")
    await desk.take("far", "id,serial\nF1,S1\n", after=41)
    assert (await figures(START + 42 * DAY))["far"] == "green"
    assert (await figures(START + 40 * DAY))["far"] == "yellow"


async def test_what_a_leaver_has_with_its_parts_and_loans_is_told_until_it_is_back_and_then_they_are_clear(desk):
    await desk.one.sql(
        "INSERT INTO asset_state (asset, lifecycle, lifecycle_since, custody_kind, custodian, custody_since, title,"
        " holds) VALUES ('LT-0001', 'in_use', '2026-03-01Z', 'person', 'bob', '2026-03-01Z', 'owned', '{}')"
    )
    await desk.one.import_(
        assets="id,name,class,serial,location,parent\nDK-1,Dock,dock,,stockroom-a,LT-0001\n", now=START
    )
    await desk.one.sql(
        "INSERT INTO loan (id, asset, person, incident, location, opened_at, due_on, due_at, calendar) VALUES"
        " ('L-1', 'LT-0003', 'bob', 'INC-1', 'hq', '2026-03-01Z', '2026-05-01', '2026-05-01Z', 'c')"
    )
    await desk.take("hrms", "id,leaves_on\nbob,2026-03-13\nann,\n")
    three = [("not_returned", asset, 1, None) for asset in ("DK-1", "LT-0001", "LT-0003")]
    assert await desk.wrong() == three
    told = (await desk.http.get("/api/v1/people/bob/clearance")).json()
    assert [(one["asset"], one["how"]) for one in told["held"]] == [
        ("DK-1", "part of LT-0001"), ("LT-0001", "custody"), ("LT-0003", "loan"),
    ]  # fmt: skip
    assert ({one["category"] for one in told["open"]}, told["clear"]) == ({"not_returned"}, False)
    assert (await desk.http.get("/api/v1/people/ann/clearance")).json()["clear"] is True
    assert (await desk.http.get("/api/v1/people/ghost/clearance")).status_code == 404
    for after, severity in ((0, "low"), (5, "medium"), (12, "high")):
        assert await reconcile(desk.books, START + after * DAY) == 3
        found = await desk.one.queue.listed(Filter(), 9)
        assert {(one.severity, one.occurrences, one.suggestion) for one in found} == {(severity, 1, None)}
    assert max(one.due_at for one in found) < START + (12 + 22) * DAY
    await desk.one.sql("UPDATE loan SET returned_at = '2026-03-20Z'")
    await desk.one.sql("UPDATE asset_state SET custody_kind = 'stockroom', custodian = 'stockroom-a'")
    assert await reconcile(desk.books, START + 13 * DAY) == 0
    assert {each[3] for each in await desk.wrong()} == {RIGHT}
    left = (await desk.http.get("/api/v1/people/bob/clearance")).json()
    assert (left["held"], len(left["open"]), left["clear"]) == ([], 3, False)


async def test_a_book_that_can_not_be_compared_is_told_and_does_not_keep_others_from_it(desk, monkeypatch):
    await desk.take("far", "id,serial\nF1,S9\n")
    await desk.take("mdm", "id,serial\nM1,S9\n")
    compared = []

    def compare(book, *_):
        compared.append(book)
        raise ValueError(f"{book} is broken")

    monkeypatch.setattr("central.application.books.compare", compare)
    with pytest.raises(ValueError, match="is broken"):
        await reconcile(desk.books, START + DAY)
    assert sorted(compared) == ["far", "mdm"]


async def test_a_snapshot_is_compared_once_and_holds_up_no_import_meanwhile(desk, monkeypatch):
    begun, go_on, times = threading.Event(), threading.Event(), []

    def slowly(*args):
        times.append(args[0])
        begun.set()
        assert go_on.wait(120)
        return compare(*args)

    monkeypatch.setattr("central.application.books.compare", slowly)
    taking = asyncio.create_task(desk.take("far", "id,serial\nF9,S9\n"))
    try:
        await asyncio.to_thread(begun.wait, 120)
        done = await asyncio.wait_for(
            desk.one.import_(assets="id,name,class,serial,location\nPR-1,Printer,printer,S7,corridor\n"), 120
        )
    finally:
        go_on.set()
    assert (done.rows["assets"], (await taking)["compared"]["only_there"], times) == (1, 1, ["far"])


async def test_what_is_new_and_what_is_gone_of_one_exception_is_told_in_pieces_without_asking_to_be_closed(
    desk, monkeypatch
):
    monkeypatch.setattr("central.application.books.PIECE", 1)
    monkeypatch.setattr("central.storage.books.PIECE", 2)
    await desk.take("discovery", "id,serial\nD5,S9\nD1,S8\nD2,S7\n")
    await desk.take("discovery", "id,serial\nD9,S9\nD7,S8\n", after=1)
    assert await desk.wrong() == [("unknown_device", None, 2, None)]
    steps = await desk.one.sql("SELECT kind FROM exception_event WHERE kind <> 'assign' ORDER BY id")
    assert steps == [("opened",)]


async def test_the_list_tells_how_many_rows_each_snapshot_has_and_reads_none_of_them(desk):
    for after, rows in enumerate(("id\nM1\nM2\n", "id\nM1\n", "id\n")):
        await desk.take("mdm", rows, after=after)
    await desk.take("far", "id\nF1\n", after=1)
    listed = (await desk.http.get("/api/v1/snapshots")).json()["snapshots"]
    assert [(one["book"], one["rows"]) for one in listed] == [("far", 1), ("mdm", 0), ("mdm", 1), ("mdm", 2)]
    async with desk.one.database.transaction() as connection:
        plan = await connection.execute(f"EXPLAIN {query('books.listed')}", {"limit": 9})
        assert "book_row" not in str(await plan.fetchall())


def test_a_snapshot_s_digest_is_of_one_json_text_whatever_the_order_of_its_rows():
    rows = [Theirs(2, "b", serial="S2", name="x"), Theirs(3, "a", active=False, leaves_on="2026-03-13")]
    new = NewSnapshot("far", "hq", START, ("laptop", "dock"), "ann", rows)
    said = [["dock", "laptop"], [{"id": "a", "leaves_on": "2026-03-13"},
                                 {"active": True, "id": "b", "name": "x", "serial": "S2"}]]  # fmt: skip
    assert new.digest() == sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


async def test_a_book_that_is_complete_in_a_class_that_nothing_has_is_refused(desk):
    rows = "id,serial\nF1,S1\n"
    for dry_run in (True, False):
        told = await desk.take("far", rows, status=409, complete=["laptop", "nosuchclass"], dry_run=dry_run)
        assert "no asset is of the class 'nosuchclass'" in told["detail"]
    assert await desk.one.sql("SELECT count(*) FROM act WHERE kind = 'book_taken'") == [(0,)]
    assert (await desk.take("far", rows, complete=["*"]))["compared"]["only_here"] == 2
