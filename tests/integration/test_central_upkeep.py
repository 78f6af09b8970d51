"""What stories need by the clock, on a real PostgreSQL: due dates, manifests, measured doors, and their routes."""

from datetime import timedelta

import httpx
import pytest

from central.api.server import create_app
from central.application.exceptions import Filter
from central.application.transfers import approve, request
from central.application.upkeep import check_manifests, measure_doors, tell_due
from central.jobs.stories import story_jobs
from tests.helpers.central import central, epc, filled_database, movement
from tests.integration.test_central_transfers import ASKED, after, prepare, wrong


@pytest.fixture
async def one():
    with filled_database(prepare) as dsn:
        async with central(dsn) as opened:
            yield opened


async def approved(one):
    transfer = (await request(one.transfers, ASKED, after(-300))).id
    await approve(one.transfers, transfer, "eve", after(86400), after(-299))
    return transfer


async def test_what_falls_due_while_nothing_moves_is_an_exception_once_the_job_looks(one):
    await approved(one)
    await one.take(movement(1), now=after(60))
    assert await tell_due(one.upkeep, None, after(3600)) == 0
    assert await tell_due(one.upkeep, after(3600), after(2 * 86400)) == 2
    assert await wrong(one) == [("not_dispatched", "LT-0002")]
    assert await tell_due(one.upkeep, after(2 * 86400), after(8 * 86400)) == 1
    assert await wrong(one) == [("not_dispatched", "LT-0002"), ("not_received", "LT-0001")]


async def test_a_manifest_read_in_part_names_what_is_missing_until_it_comes(one):
    transfer = await approved(one)
    await one.take(movement(1), now=after(60))
    assert await check_manifests(one.upkeep, after(120)) == 0
    assert await check_manifests(one.upkeep, after(1200)) == 1
    assert await wrong(one) == [("partial_batch", "LT-0002")]
    detail = await one.queue.detail((await one.queue.listed(Filter(), 9))[0].id)
    assert detail.occurrences[0].evidence == {"transfer": transfer, "manifest": "incomplete, 1 of 2"}
    await one.take(movement(2, tag=epc(2), after_s=1500), now=after(1600))
    assert await check_manifests(one.upkeep, after(1700)) == 0
    assert (await one.queue.listed(Filter(), 9))[0].suggestion == "the world has put it right"


async def test_doors_are_measured_by_what_contradicts_them(one):
    """Of four ways out through the stockroom's door one was seen only by the entrance behind it."""
    rows = []
    for number, (portal, kind) in enumerate([
        ("stockroom-a-door", "out"), ("stockroom-a-door", "in"), ("main-entrance", "out"), ("main-entrance", "in"),
        ("stockroom-a-door", "in"), ("stockroom-a-door", "out"), ("stockroom-a-door", "in"),
    ], 1):  # fmt: skip
        rows.append(movement(number, portal=portal, kind=kind, after_s=number * 100, confidence=0.99))
    await one.take(*rows, now=after(900))
    assert await measure_doors(one.upkeep, after(1000)) == 4
    doors = {found.portal: found for found in await one.upkeep.accuracy()}
    idle, door = doors["branch-door"], doors["stockroom-a-door"]
    assert (idle.crossings, idle.miss_rate, idle.miss_rate_low, idle.miss_rate_high) == (0, None, None, None)
    assert (idle.missed_month, idle.missed_month_low, idle.missed_month_high) == (None, None, None)
    assert (door.crossings, door.misread) == (5, 0)
    assert 1 <= door.missed < 2
    assert door.miss_rate_low < 1 / 6 <= door.miss_rate < door.miss_rate_high
    assert door.missed_month_low < door.missed_month < door.missed_month_high


async def test_the_jobs_look_at_dues_and_doors(one):
    await approved(one)
    clock = [after(3600)]
    due, doors, *_ = story_jobs(one.upkeep, lambda: clock[0])
    assert await due.run() == ""
    clock[0] += timedelta(days=2)
    assert await due.run() == "told 2 stories again, 0 assets of manifests missing"
    assert await doors.run() == ""
    assert len(await one.upkeep.accuracy("stockroom-a-door")) == 1


@pytest.fixture
async def api(one):
    services = one.services(lambda: after(60))
    app = create_app(services, token="t", version="0", local=True)
    headers = {"Authorization": "Bearer t"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1/api/v1", headers=headers
    ) as found:
        yield found


async def test_a_transfer_goes_its_way_over_the_api(api):
    asked = {"by": "ann", "from": "stockroom-a", "to": "branch-stock", "assets": ["LT-0001"], "sender": "ann",
             "receiver": "bob", "reason": "moves"}  # fmt: skip
    made = await api.post("/transfers", json=asked)
    transfer = made.json()["transfer"]["id"]
    refused = await api.post(f"/transfers/{transfer}/approve", json={"by": "ann"})
    assert (refused.status_code, refused.headers["content-type"]) == (409, "application/problem+json")
    await api.post(f"/transfers/{transfer}/approve", json={"by": "eve"})
    sent = await api.post(f"/transfers/{transfer}/dispatch", json={"by": "ann"})
    assert sent.json()["transfer"]["state"] == "in_transit"
    legs = (await api.get("/legs", params={"under_way": True})).json()["legs"]
    assert [(leg["asset"], leg["receiver"], leg["basis"]) for leg in legs] == [("LT-0001", "bob", "scanned")]
    shown = (await api.get("/assets", params={"q": "LT-0001"})).json()["assets"][0]
    assert (shown["transit"], shown["certain"]) == ("open", True)
    came = await api.post(f"/transfers/{transfer}/receive", json={"by": "bob"})
    assert came.json()["transfer"]["words"] == "received"
    assert [one["id"] for one in (await api.get("/transfers")).json()["transfers"]] == [transfer]
    assert (await api.get("/transfers/T-99")).status_code == 404


async def test_doors_sightings_and_claims_have_routes(api, one):
    await one.take(movement(1), movement(2, portal="main-entrance", after_s=20))
    await measure_doors(one.upkeep, after(100))
    answer = await api.get("/portal-accuracy", params={"portal": "main-entrance"})
    assert answer.status_code == 200, answer.text
    doors = answer.json()["portals"]
    assert [(door["portal"], door["crossings"]) for door in doors] == [("main-entrance", 1)]
    assert (await api.get("/portal-accuracy", params={"portal": "none"})).status_code == 404
    claim = {"by": "ann", "sender": "ann", "receiver": "bob", "destination": "branch-stock"}
    legs = (await api.post("/assets/LT-0001/claim", json=claim)).json()["legs"]
    assert (legs[0]["receiver"], legs[0]["assumed"]) == ("bob", [])
    await api.post("/assets/LT-0003/seen", json={"by": "ann", "location": "stockroom-a"})
    assert await one.where("LT-0003") == "stockroom-a"
