"""One asset's whole life on one line of time, on a real PostgreSQL."""

from datetime import timedelta

import httpx
import pytest

from central.api.server import create_app
from central.console import life_words
from tests.helpers.central import START, central, epc, movement, registered_database
from tests.helpers.listening import count, hear, presence


@pytest.fixture
async def one():
    with registered_database() as dsn:
        async with central(dsn) as opened:
            yield opened


@pytest.fixture
async def api(one):
    app = create_app(one.services(lambda: START + timedelta(hours=9)), token="t", version="0", local=True)
    headers = {"Authorization": "Bearer t"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", headers=headers
    ) as client:
        yield client


async def lived(one):
    """LT-0001 leaves the stockroom and the house unallowed, is heard in the corridor, and comes in again."""
    await one.take(movement(1, after_s=60), movement(2, portal="main-entrance", after_s=120))
    await one.sql("INSERT INTO presence_zone VALUES ('hq-east-1', 'corridor', 'corridor')")
    for hour in (1, 2):
        row = presence(hour, [epc(1), epc(3)], zone="corridor", mode="zone", after_h=hour, minutes=60)
        await hear(one, row, after_h=hour + 1.1)
    await one.take(movement(3, kind="in", after_s=5 * 3600), now=START + timedelta(hours=6))


async def moments(api, **params):
    answer = await api.get("/api/v1/assets/LT-0001/timeline", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_life_holds_movements_hearings_alerts_acts_and_exceptions_newest_first(one, api):
    await lived(one)
    found = (await moments(api))["moments"]
    assert [line["at"] for line in found] == sorted((line["at"] for line in found), reverse=True)
    kinds = {line["kind"] for line in found}
    assert {"movement", "hearing", "alert", "act", "exception"} <= kinds
    (heard,) = [line["data"] for line in found if line["kind"] == "hearing"]
    assert (heard["location"], heard["from"], heard["moved"], heard["rounds"]) == ("corridor", "street", True, 2)
    moved = [line["data"] for line in found if line["kind"] == "movement"]
    assert [line["kind"] for line in moved] == ["in", "out", "out"]
    assert moved[0]["evidence"]["antennas"][0]["reads"] == 12
    assert [line["data"]["kind"] for line in found if line["kind"] == "act"][-1] == "placed"


async def test_an_undeclared_departure_that_a_door_saw_is_not_called_unseen(one, api):
    await one.take(movement(1, after_s=60), movement(2, portal="main-entrance", after_s=120))
    (left,) = [line for line in (await moments(api))["moments"] if line["data"].get("kind") == "dispatched"]
    assert (left["data"]["basis"], left["data"]["seen"]) == ("inferred", True)
    told = life_words.line(left, str, str)
    assert told.how.startswith("seen by a door")
    unseen = life_words.line(left | {"data": left["data"] | {"seen": False}}, str, str)
    assert unseen.how.startswith("inferred: no door saw it")


async def test_a_door_that_only_shows_that_it_left_elsewhere_did_not_see_it_leave(one, api):
    await one.take(movement(1, after_s=60), movement(2, portal="main-entrance", after_s=120))
    await one.sql("UPDATE transit_leg SET origin = 'stockroom-a' WHERE asset = 'LT-0001'")
    (left,) = [line for line in (await moments(api))["moments"] if line["data"].get("kind") == "dispatched"]
    assert left["data"]["seen"] is False


async def test_no_count_is_said_not_to_know_what_is_outside(one, api):
    await one.take(movement(1, after_s=60), movement(2, portal="main-entrance", after_s=120))
    await count(one, after_h=1)
    assert await one.sql("SELECT location, bucket FROM place_asset WHERE asset = 'LT-0001'") == [("street", "unknown")]
    told = (await api.get("/api/v1/assets/LT-0001")).json()["asset"]["counted"]
    assert [one_["location"] for one_ in told] == []
    inside = (await api.get("/api/v1/assets/LT-0002")).json()["asset"]["counted"]
    assert [one_["location"] for one_ in inside] == ["stockroom-a"]


async def test_pages_join_to_the_whole_life_and_kinds_are_picked(one, api):
    await lived(one)
    whole, pages, before = (await moments(api))["moments"], [], {}
    while True:
        found = await moments(api, limit=2, **before)
        pages += found["moments"]
        if found["next"] is None:
            break
        assert len(found["moments"]) == 2
        before = {"before": found["next"]}
    assert pages == whole
    assert {line["kind"] for line in (await moments(api, kinds=["alert", "hearing"]))["moments"]} == {
        "alert",
        "hearing",
    }


async def test_an_unknown_asset_and_a_page_that_nobody_gave_are_told(one, api):
    assert (await api.get("/api/v1/assets/nobody/timeline")).status_code == 404
    answer = await api.get("/api/v1/assets/LT-0001/timeline", params={"before": "soon"})
    assert answer.status_code in {409, 422}
    assert "next" in answer.json()["detail"]
