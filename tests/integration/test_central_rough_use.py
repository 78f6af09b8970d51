"""What rough use must not break: an undo under open work, instants that nobody means, people that nobody knows."""

from datetime import timedelta

import httpx
import pytest

from central.api.server import create_app
from tests.helpers.central import SHEETS, START, central, filled_database, movement

NOW = START + timedelta(hours=2)
HEADERS = {"authorization": "Bearer secret"}
BRANCH = {
    "locations": SHEETS["locations"] + """branch-site,Branch,site,,
branch,Branch building,building,branch-site,
branch-stock,Branch stock,zone,branch,true
""",
    "portals": SHEETS["portals"] + """branch-door,Branch door,hq,hq-east-1,branch-stock,street,
""",
    "assets": SHEETS["assets"],
    "tags": SHEETS["tags"],
    "people": "id,name\nann,Ann\nbob,Bob\neve,Eve\n",
    "roles": "id,name\nkeeper,Keeper of stock\nservice_desk_manager,Service desk manager\n",
    "role_holders": "role,location,person\nservice_desk_manager,,eve\nkeeper,hq-site,ann\nkeeper,branch-site,bob\n",
}  # fmt: skip
NEW_SITE = {
    "locations": "id,name,kind,parent,guarded\nnew-site,New,site,,\nnew,New building,building,new-site,true\n",
    "people": "id,name\nzoe,Zoe\n",
    "roles": "id,name\nnew-keeper,Keeper of the new site\n",
    "assets": "id,name,class,serial,location\nLT-0009,Laptop 9,laptop,,\n",
}
TRANSFER = {
    "by": "ann", "from": "stockroom-a", "to": "branch-stock", "assets": ["LT-0001"], "sender": "ann",
    "receiver": "bob", "reason": "moves",
}  # fmt: skip


async def prepare(one):
    """Two sites, three people, two roles."""
    assert not (await one.import_(**BRANCH)).problems


@pytest.fixture
async def one():
    with filled_database(prepare) as dsn:
        async with central(dsn) as opened:
            yield opened


@pytest.fixture
async def api(one):
    app = create_app(one.services(lambda: NOW), token="secret", version="0", local=True)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1", headers=HEADERS) as api:
        yield api


async def told(api, path, body):
    """Post, and return the status and what the answer says to a person."""
    answer = await api.post(path, json=body)
    return answer.status_code, answer.json().get("detail", "")


async def new_transfer(api, **changed):
    """Ask for a transfer and approve it; return its id."""
    asked = await api.post("/transfers", json=TRANSFER | changed)
    transfer = asked.json()["transfer"]["id"]
    assert (await api.post(f"/transfers/{transfer}/approve", json={"by": "eve"})).status_code == 200
    return transfer


async def test_an_import_that_a_transfer_needs_is_not_taken_back_and_every_row_says_why(api):
    number = (await api.post("/imports", json={"by": "ann", "sheets": NEW_SITE})).json()["id"]
    await new_transfer(api, to="new", receiver="zoe")
    await new_transfer(api, **{"from": "hq", "to": "new", "assets": ["LT-0009"], "receiver": "new-keeper"})
    answer = await api.post(f"/imports/{number}/undo", json={"by": "ann"})
    said = [problem["text"] for problem in answer.json()["problems"]]
    assert answer.status_code == 409
    assert "locations 'new': transfer T-1 leads from or to it" in said
    assert "assets 'LT-0009': transfer T-2 is about it" in said
    assert "people 'zoe': transfer T-1 names them" in said
    assert "roles 'new-keeper': transfer T-2 names it" in said
    assert (await api.post("/transfers/T-1/dispatch", json={"by": "ann"})).status_code == 200


async def test_an_import_that_a_claim_or_a_count_needs_is_not_taken_back(api, one):
    number = (await api.post("/imports", json={"by": "ann", "sheets": NEW_SITE})).json()["id"]
    await one.take(movement(1), movement(2, portal="main-entrance", after_s=20))
    claim = {"by": "ann", "sender": "ann", "receiver": "zoe", "destination": "new"}
    assert (await api.post("/assets/LT-0001/claim", json=claim)).status_code == 200
    count = {"kind": "spot", "location": "new", "planned_for": "2026-03-02", "by": "zoe"}
    assert (await api.post("/count-runs", json=count)).status_code == 200
    answer = await api.post(f"/imports/{number}/undo", json={"by": "ann"})
    said = [problem["text"] for problem in answer.json()["problems"]]
    assert "locations 'new': asset LT-0001 is said to be on its way there" in said
    assert any(text.startswith("locations 'new': count_planned was recorded there at ") for text in said)
    assert {"people 'zoe': count 1 names them", "people 'zoe': they send or receive asset LT-0001"} <= set(said)
