"""Doors that nobody watches, ways past them, and what people tell, on a real PostgreSQL and over the API."""

from contextlib import asynccontextmanager
from datetime import timedelta

import httpx

from central.api.server import create_app
from central.application.darkness import DoorWatch, look_for_dark
from central.application.exceptions import Filter
from tests.helpers.central import START, epc, movement

S = timedelta(seconds=1)


async def speaks(one, at, *, online=True, stopped=False, health=None, gateway="hq-east-1"):
    async with one.log.transaction() as transaction:
        await transaction.saw("hq", gateway, at, online=online, stopped=stopped, health=health)


async def look(one, at):
    return await look_for_dark(one.knowledge, START - 60 * S, at)


async def spoken(one):
    return [(each.kind, each.severity, each.corrected) for each in await one.views.alerts(state="open", limit=9)]


async def gaps(one):
    return [(each.location, each.occurrences) for each in await one.queue.listed(Filter(category="coverage_gap"), 9)]


async def test_a_silent_gateway_is_one_alert_and_a_gap_at_each_of_its_doors(one):
    await speaks(one, START)
    assert await look(one, START + 10 * S) == []
    (alert,) = await look(one, START + 11 * S)
    assert await spoken(one) == [("portal_dark", "high", False)]
    reason = (await one.views.alerts_by_id([alert]))[0].reason
    assert reason == "Main entrance, Stockroom door: not watched since 09:00:00 UTC, gateway hq-east-1 is silent."
    assert sorted(await gaps(one)) == [("corridor", 1), ("stockroom-a", 1)]
    assert await look(one, START + 13 * S) == []


async def test_a_last_will_tells_at_once_and_its_return_ends_the_outage_not_the_exception(one):
    await speaks(one, START)
    await speaks(one, START + S, online=False)
    assert len(await look(one, START + 2 * S)) == 1
    await speaks(one, START + 60 * S)
    assert len(await look(one, START + 61 * S)) == 1
    assert await spoken(one) == [("portal_dark", "high", True)]
    ended = await one.knowledge.outages(9)
    assert {(each.from_at, each.to_at, each.reason) for each in ended} == {
        (START + S, START + 61 * S, "gateway hq-east-1 is cut off"),
    }  # fmt: skip
    assert len(await gaps(one)) == 2


async def test_a_gateway_that_was_stopped_is_a_gap_of_low_severity_and_no_alert_until_it_stays_away(one):
    await speaks(one, START)
    await speaks(one, START + S, online=False, stopped=True)
    for after in (2, 60, 900):
        assert await look(one, START + after * S) == []
    assert await spoken(one) == []
    found = await one.queue.listed(Filter(category="coverage_gap"), 9)
    assert sorted((each.location, each.severity) for each in found) == [("corridor", "low"), ("stockroom-a", "low")]
    assert {(each.from_at, each.planned) for each in await one.knowledge.outages(9)} == {(START + S, True)}
    assert len(await look(one, START + 902 * S)) == 1
    assert await spoken(one) == [("portal_dark", "high", False)]
    assert await look(one, START + 904 * S) == []
    found = await one.queue.listed(Filter(category="coverage_gap"), 9)
    assert {(each.severity, each.occurrences) for each in found} == {("high", 1)}
    assert {(each.from_at, each.planned) for each in await one.knowledge.outages(9)} == {(START + S, False)}
    await speaks(one, START + 1000 * S)
    assert len(await look(one, START + 1001 * S)) == 1
    assert await spoken(one) == [("portal_dark", "high", True)]


async def test_a_gateway_that_was_stopped_and_comes_back_leaves_nothing_but_its_gap(one):
    await speaks(one, START, online=False, stopped=True)
    await look(one, START + S)
    await speaks(one, START + 40 * S)
    assert await look(one, START + 41 * S) == []
    assert await spoken(one) == []
    assert {(each.to_at, each.planned) for each in await one.knowledge.outages(9)} == {(START + 41 * S, True)}
    assert await look(one, START + 60 * S) != []


async def test_a_gateway_that_goes_dark_again_adds_an_occurrence_and_reinstates_the_alert(one):
    for minute in (0, 5):
        await speaks(one, START + timedelta(minutes=minute))
        await look(one, START + timedelta(minutes=minute, seconds=1))
        (alert,) = await look(one, START + timedelta(minutes=minute, seconds=20))
        assert await spoken(one) == [("portal_dark", "high", False)]
        await one.views.acknowledge(alert, "ann", START + timedelta(minutes=minute, seconds=30))
        assert await spoken(one) == []
    assert sorted(await gaps(one)) == [("corridor", 2), ("stockroom-a", 2)]


async def test_one_dark_door_is_told_while_its_gateway_speaks(one):
    health = (
        '{"portals": [{"id": "main-entrance", "state": "dark", "since": "2026-03-02T08:59:00Z", "reason": "r2 lost"}]}'
    )
    await speaks(one, START, health=health)
    (alert,) = await look(one, START + S)
    assert (await one.views.alerts_by_id([alert]))[
        0
    ].reason == "Main entrance: not watched since 08:59:00 UTC, r2 lost."
    assert await gaps(one) == [("corridor", 1)]


async def test_what_could_have_passed_is_in_doubt_until_it_is_seen_again(one):
    await one.take(movement(1, tag=epc(2)), now=START + 5 * S)
    await speaks(one, START + 10 * S)
    await look(one, START + 60 * S)
    assert {each.asset for each in await one.knowledge.doubtful(None, 9)} == {"LT-0001", "LT-0002", "LT-0003"}
    await speaks(one, START + 90 * S)
    await look(one, START + 91 * S)
    await one.take(movement(2, tag=epc(2), kind="in", after_s=100), now=START + 120 * S)
    assert {each.asset for each in await one.knowledge.doubtful(None, 9)} == {"LT-0001", "LT-0003"}
    assert [each.asset for each in await one.knowledge.doubtful("corridor", 9)] == ["LT-0003"]
    assert {(each.portal, each.doubtful) for each in await one.knowledge.outages(9)} == {
        ("main-entrance", 1), ("stockroom-a-door", 2),
    }  # fmt: skip


async def test_the_watch_says_nothing_of_doors_while_the_broker_is_gone_and_counts_anew_afterwards(one):
    at, deaf = [START + 60 * S], ["the broker is not connected"]
    watch = DoorWatch(one.knowledge, one.book, now=lambda: at[0], deaf=lambda: deaf[0])
    await speaks(one, START)
    await watch.look()
    deaf[0] = ""
    for after in (0, 5):
        at[0] = START + (70 + after) * S
        await watch.look()
    assert await spoken(one) == []
    at[0] = START + 81 * S
    await watch.look()
    assert await spoken(one) == [("portal_dark", "high", False)]
    (outage, _) = await one.knowledge.outages(9)
    assert outage.from_at == START + 70 * S


@asynccontextmanager
async def api(one, now=START + timedelta(minutes=10)):
    await one.people("ann")
    await one.people("mdm", kind="service")
    services = one.services(lambda: now)
    transport = httpx.ASGITransport(create_app(services, token="t", version="0", local=True))
    headers = {"Authorization": "Bearer t"}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
        yield client


SEEN = {
    "asset": "LT-0001", "location": "street", "at": "2026-03-02T09:05:00Z", "source": "mdm", "by": "mdm",
    "reference": "check-in 8812",
}  # fmt: skip


async def test_what_others_see_outside_while_the_book_has_it_inside_got_past_the_doors(one):
    async with api(one) as client:
        (alert,) = (await client.post("/api/v1/sightings", json=SEEN)).json()["alerts"]
        assert (alert["kind"], alert["severity"]) == ("portal_bypass", "high")
        inside = await client.post("/api/v1/sightings", json=SEEN | {"location": "stockroom-a"})
        assert (inside.status_code, inside.json()["alerts"]) == (200, [])
        for change, status in (
            ({"asset": "LT-9"}, 404),
            ({"location": "moon"}, 404),
            ({"at": "2026-03-03T09:00:00Z"}, 409),
        ):
            assert (await client.post("/api/v1/sightings", json=SEEN | change)).status_code == status
    (found,) = await one.queue.listed(Filter(category="portal_bypass"), 9)
    assert (found.asset, found.location) == ("LT-0001", "stockroom-a")
    assert await one.sql("SELECT count(*) FROM act WHERE kind = 'sighted'") == [(2,)]


async def test_a_sighting_before_the_book_knew_it_there_shows_nothing(one):
    await one.take(movement(1, kind="in", after_s=360), now=START + timedelta(minutes=8))
    async with api(one) as client:
        assert (await client.post("/api/v1/sightings", json=SEEN)).json()["alerts"] == []


async def test_hours_places_and_ways_are_told_over_the_api_and_count_at_once(one):
    async with api(one) as client:
        hours = {"by": "ann", "days": [1, 2, 3, 4, 5], "opens": "10:00", "closes": "18:00"}
        assert (await client.put("/api/v1/class-hours/laptop", json=hours)).status_code == 200
        done = await one.take(movement(1, tag=epc(2)))
        assert [each.kind for each in await one.views.alerts_by_id(done.alerts)] == ["after_hours"]
        assert (await client.delete("/api/v1/class-hours/laptop?by=ann")).status_code == 200
        assert (await one.take(movement(2, tag=epc(2), after_s=9))).alerts == []
        assert (await client.delete("/api/v1/class-hours/laptop?by=ann")).status_code == 404
        assert (await client.put("/api/v1/class-hours/laptop", json=hours | {"closes": "10:00"})).status_code == 422
        spot = {"by": "ann", "latitude": 53.8, "longitude": -1.55}
        assert (await client.put("/api/v1/locations/hq-site/spot", json=spot)).status_code == 200
        wrong = await client.put("/api/v1/locations/corridor/spot", json=spot)
        assert (wrong.status_code, "is a zone: name the site" in wrong.json()["detail"]) == (409, True)
        await one.import_(locations="id,name,kind,parent,guarded\npune,Pune,site,,\n")
        way = {"by": "ann", "one": "pune", "other": "hq-site", "fastest_s": 36000}
        assert (await client.put("/api/v1/travel-times", json=way)).status_code == 200
        assert (await client.put("/api/v1/travel-times", json=way | {"other": "pune"})).status_code == 409
        assert (await one.log.registry()).knowledge.travel == {("hq-site", "pune"): timedelta(hours=10)}
        assert (await client.get("/api/v1/portal-outages")).json()["outages"] == []
        assert (await client.get("/api/v1/doubtful-assets")).json()["doubtful"] == []
