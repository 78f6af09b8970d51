"""Exceptions that people report: what no rule can see, by the API, once each, in the log by who said so."""

import httpx
import pytest

from central.api.server import create_app
from tests.helpers.central import START, central, registered_database

SEEN = {"category": "serial_mismatch", "by": "ann", "at": "2026-03-02T08:30:00Z", "asset": "LT-0001",
        "reference": "plate photo 12", "note": "reads S9"}  # fmt: skip


@pytest.fixture
async def one():
    with registered_database() as dsn:
        async with central(dsn) as opened:
            await opened.people("ann")
            yield opened


def client(one):
    app = create_app(one.services(lambda: START), token="t", version="0", local=True)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", headers={"Authorization": "Bearer t"}
    )


async def test_what_is_reported_stands_in_the_queue_once_and_in_the_log_by_who_said_it(one):
    async with client(one) as http:
        first = await http.post("/api/v1/exceptions", json=SEEN)
        assert first.status_code == 201, first.text
        told = first.json()
        assert (told["exception"]["category"], told["exception"]["severity"]) == ("serial_mismatch", "high")
        assert [(one["kind"], one["by"]) for one in told["history"]][-1] == ("reported", "ann")
        again = (await http.post("/api/v1/exceptions", json=SEEN)).json()
        assert (again["exception"]["id"], again["exception"]["occurrences"]) == (told["exception"]["id"], 1)
        more = (await http.post("/api/v1/exceptions", json=SEEN | {"at": "2026-03-02T08:45:00Z"})).json()
        assert (more["exception"]["id"], more["exception"]["occurrences"]) == (told["exception"]["id"], 2)
    acts = await one.sql("SELECT by, detail ->> 'step' FROM act WHERE kind = 'exception_step' AND asset = 'LT-0001'")
    assert acts == [("ann", "report")] * 2


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"category": "missing"}, 409, "is raised by a rule"),
        ({"category": "nonsense"}, 409, "is in no taxonomy"),
        ({"asset": None}, 409, "name the asset"),
        ({"at": "2026-03-03T08:30:00Z"}, 409, "still to come"),
        ({"asset": "LT-9999"}, 404, "'LT-9999' is not registered"),
        ({"asset": None, "location": "moon"}, 404, "'moon' is not registered"),
        ({"by": "ghost"}, 404, "no active person"),
    ],
)
async def test_what_cannot_be_reported_is_refused_by_name(one, change, status, words):
    async with client(one) as http:
        answer = await http.post("/api/v1/exceptions", json=SEEN | change)
    assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text
    assert await one.sql("SELECT count(*) FROM exception") == [(0,)]


async def test_each_category_says_who_raises_it(one):
    async with client(one) as http:
        rows = (await http.get("/api/v1/exception-categories")).json()["categories"]
    by = {row["name"]: row["raised_by"] for row in rows}
    assert (by["weak_tag"], by["serial_mismatch"]) == ("rule", "hand")
    assert all(row["raised_when"] for row in rows)
