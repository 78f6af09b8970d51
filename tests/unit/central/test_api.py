"""The API over a store that isn't there: answers, problem documents, token, guard."""

import stat
from datetime import UTC, datetime

import httpx
import pytest

from central.api.auth import TokenError, load_token
from central.api.routes import Services
from central.api.server import create_app
from central.application.count_views import PlaceRow
from central.application.errors import NotFound, RowsRefused, StoreUnavailable
from central.application.exceptions import OpenExceptions
from central.application.feed import Feed
from central.application.metrics import Metrics
from central.application.views import AlertView, AssetView, EventTotals, LocationView, MovementView, PortalView, Summary
from central.domain.presence.buckets import Tally

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
TOKEN = "throw-away"
ALERT = {
    "id": 7, "kind": "unauthorised_exit", "severity": "high", "state": "open", "late": False, "corrected": False,
    "authorised_late": False, "asset": {"id": "LT-1", "name": "Laptop", "class": "laptop"}, "assets": [], "epc": "30",
    "gateway": "g", "portal": "door", "from": "stock", "to": "hall", "at": NOW, "raised_at": NOW, "latency_ms": 12.5,
    "confidence": 0.9, "reason": "No authorisation.", "passage": "0" * 32, "acknowledged_at": None,
    "acknowledged_by": None,
}  # fmt: skip


class FakeViews:
    """A store with one of everything, or one that is down."""

    def __init__(self) -> None:
        self.down = False
        self.acknowledged = []
        self.asked = []

    async def ping(self):
        if self.down:
            raise StoreUnavailable("connection refused")

    async def locations(self, ids=None):
        await self.ping()
        return [LocationView(id="hall", name="Hall", kind="zone", parent=None, guarded=False, count=3, counted_at=NOW)]

    async def locations_json(self):
        return ",".join([one.model_dump_json() for one in await self.locations()])

    async def asset(self, asset, now):
        if asset != "LT-1":
            raise NotFound(f"there is no asset {asset!r}")
        values = {"id": "LT-1", "name": "L", "class": "laptop", "serial": None, "location": None}
        return AssetView.model_validate(values | {"since": None, "confidence": None})

    async def portals(self):
        values = {"id": "door", "name": "East door", "site": "hq", "gateway": "g", "inside": "stock", "outside": "hall"}
        return [PortalView(**values, mode="notify")]

    async def movements(self, *, portal=None, asset=None, limit):
        self.asked.append((portal, asset, limit))
        values = {
            "id": "p-1", "passage": "p", "rev": 1, "final": True, "at": NOW, "portal": "door", "kind": "out",
            "from": "stock", "to": "hall", "confidence": 1.0, "reads": 4, "evidence": {}, "epc": "30", "asset": "LT-1",
        }  # fmt: skip
        return [MovementView.model_validate(values)]

    async def alerts(self, *, state, limit, skip=0, gravest=False):
        return [AlertView.model_validate(ALERT | {"state": state})]

    async def acknowledge(self, alert, by, now):
        if alert != 7:
            raise NotFound(f"there is no alert {alert}")
        self.acknowledged.append((alert, by))
        return AlertView.model_validate(
            ALERT | {"state": "acknowledged", "acknowledged_by": by, "acknowledged_at": now}
        )

    async def summary(self):
        return Summary(
            movements=1, crossings=1, alerts=1, unauthorised_exits=1, unknown_tags=0, quarantined=0, streams=[],
            events=EventTotals(committed=1, gaps=0, duplicated=0, rejected=0),
        )  # fmt: skip


class FakeExceptions:
    """A queue with one open exception."""

    async def open_totals(self, now):
        return OpenExceptions(total=1, high_risk=1, overdue=0, unassigned_overdue=0, suggested=0)

    async def listed(self, chosen, limit):
        return []

    async def detail(self, exception):
        raise NotFound(f"there is no exception {exception}")


class FakeCounts:
    """One place that a sweep covered, and nothing else."""

    async def places(self, words=None, within=None):
        if within not in {None, "stockroom-a"}:
            raise NotFound(f"there is no location {within!r}")
        tally = Tally("sighted", book=12, found=11, missing=1)
        return [PlaceRow("stockroom-a", "Stockroom A", None, tally, 0.97, NOW, NOW)]

    async def version(self):
        return "1"

    async def doubtful(self, location, words, limit):
        return []

    async def runs(self, state, limit):
        return []

    async def run(self, run):
        raise NotFound(f"there is no count {run}")

    async def verified(self, asset, now):
        raise NotFound(f"there is no asset {asset!r}")

    async def zones(self):
        return []


class FakeTransfers:
    """A store without transfers."""

    async def transfers(self, *, asset, limit):
        return []

    async def transfer(self, transfer):
        raise NotFound(f"there is no transfer {transfer!r}")

    async def legs(self, *, asset, under_way, now, limit):
        return []


class FakeRegister:
    """A register in which everybody is known but a ghost."""

    async def not_acting(self, names):
        return {"ghost"}.intersection(names)


class FakeUpkeep:
    """A store that measured no door."""

    async def accuracy(self, portal=None):
        return []


@pytest.fixture
def views():
    return FakeViews()


def client(views, *, local=True, problem=""):
    services = Services(
        views,
        Feed(),
        Metrics(),
        lambda: NOW,
        lambda: problem,
        exceptions=FakeExceptions(),
        alert_book=None,
        knowledge=None,
        transfers=FakeTransfers(),
        upkeep=FakeUpkeep(),
        register=FakeRegister(),
        registry=None,
        counts=FakeCounts(),
        calendars=None,
        due=None,
        promotions=None,
    )
    app = create_app(services, token=TOKEN, version="0", local=local)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8080")


async def test_answers_say_as_of_when_and_use_the_words_of_the_wire(views):
    async with client(views) as api:
        alert = (await api.get("/api/v1/alerts")).json()
        moved = (await api.get("/api/v1/assets/LT-1/movements")).json()
        summary = (await api.get("/api/v1/summary")).json()
    assert alert["as_of"] == "2026-03-02T10:00:00.000000Z"
    assert (alert["alerts"][0]["from"], alert["alerts"][0]["asset"]["class"]) == ("stock", "laptop")
    assert (moved["asset"]["class"], moved["movements"][0]["from"]) == ("laptop", "stock")
    assert summary["events"]["committed"] == 1


async def test_movements_of_all_assets_have_the_shape_of_one_assets_and_pass_their_filters_on(views):
    async with client(views) as api:
        listed = (await api.get("/api/v1/movements")).json()
        chosen = (await api.get("/api/v1/movements?portal=door&asset=LT-1&limit=3")).json()
        of_one = (await api.get("/api/v1/assets/LT-1/movements")).json()
    assert listed["as_of"] == "2026-03-02T10:00:00.000000Z"
    assert listed["movements"] == chosen["movements"] == of_one["movements"]
    assert views.asked == [(None, None, 100), ("door", "LT-1", 3), (None, "LT-1", 200)]


async def test_portals_are_listed_with_their_gateway_and_both_sides(views):
    async with client(views) as api:
        answer = (await api.get("/api/v1/portals")).json()
    assert answer == {
        "as_of": "2026-03-02T10:00:00.000000Z",
        "portals": [
            {"id": "door", "name": "East door", "site": "hq", "gateway": "g", "inside": "stock", "outside": "hall",
             "mode": "notify"}
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "status", "told"),
    [
        ("GET", "/api/v1/assets/LT-9/movements", 404, "there is no asset 'LT-9'"),
        ("GET", "/api/v1/movements?portal=nope", 404, "there is no portal 'nope'"),
        ("GET", "/api/v1/nothing", 404, "There is nothing at /api/v1/nothing"),
        (
            "GET",
            "/api/v1/alerts?state=shut",
            422,
            "'open', 'acknowledged', 'investigating', 'resolved', 'observed' or 'all'",
        ),
        ("GET", "/api/v1/alerts?limit=0", 422, "query.limit"),
        ("GET", "/api/v1/movements?limit=1001", 422, "query.limit"),
        ("GET", "/api/v1/movements?portal=%00", 422, "query.portal"),
        ("DELETE", "/api/v1/alerts", 405, "does not take this method"),
    ],
)
async def test_errors_are_problem_documents_that_say_what_to_change(views, method, path, status, told):
    async with client(views) as api:
        answer = await api.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert told in answer.json()["detail"]


async def test_a_database_that_is_down_is_503_everywhere(views):
    views.down = True
    async with client(views) as api:
        listed, health = await api.get("/api/v1/locations"), await api.get("/healthz")
    assert (listed.status_code, listed.headers["retry-after"]) == (503, "2")
    assert health.status_code == 503
    assert health.json()["parts"]["database"] == {"well": False, "problem": "connection refused"}


async def test_a_value_that_the_database_refuses_is_a_problem_of_the_request(views):
    async def refuse():
        raise RowsRefused("invalid byte sequence")

    views.portals = refuse
    async with client(views) as api:
        answer = await api.get("/api/v1/portals")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert "invalid byte sequence" in answer.json()["detail"]


async def test_health_may_be_asked_by_head(views):
    async with client(views) as api:
        assert (await api.head("/healthz")).status_code == 200
        views.down = True
        assert (await api.head("/healthz")).status_code == 503


async def test_health_names_what_ingest_lacks(views):
    async with client(views, problem="the broker is not connected") as api:
        assert (await api.get("/healthz")).json()["parts"]["ingest"]["problem"] == "the broker is not connected"
    async with client(views) as api:
        assert (await api.get("/healthz")).status_code == 200


@pytest.mark.parametrize("header", [None, "Bearer wrong", f"Basic {TOKEN}", "Bearer é", TOKEN])
async def test_writing_without_the_token_is_refused_and_does_nothing(views, header):
    async with client(views) as api:
        headers = {} if header is None else {"authorization": header.encode()}
        answer = await api.post("/api/v1/alerts/7/acknowledge", json={"by": "me"}, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert views.acknowledged == []


async def test_an_alert_is_acknowledged_with_the_token_by_a_name(views):
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with client(views) as api:
        done = await api.post("/api/v1/alerts/7/acknowledge", json={"by": "A. Guard"}, headers=headers)
        nobody = await api.post("/api/v1/alerts/7/acknowledge", json={"by": ""}, headers=headers)
        absent = await api.post("/api/v1/alerts/8/acknowledge", json={"by": "me"}, headers=headers)
    assert done.json()["alert"]["acknowledged_by"] == "A. Guard"
    assert (nobody.status_code, absent.status_code) == (422, 404)
    assert views.acknowledged == [(7, "A. Guard")]


async def test_beyond_loopback_reads_need_the_token_too(views):
    async with client(views, local=False) as api:
        assert (await api.get("/api/v1/locations")).status_code == 401
        headers = {"authorization": f"Bearer {TOKEN}"}
        assert (await api.get("/api/v1/locations", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"), [("localhost:1", 200), ("127.0.0.1", 200), ("[::1]:9", 200), ("evil.example", 421)]
)
async def test_a_rebinding_name_is_refused_on_loopback(views, host, status):
    async with client(views) as api:
        assert (await api.get("/api/v1/locations", headers={"host": host})).status_code == status


async def test_every_answer_has_the_security_headers(views):
    async with client(views) as api:
        for path in ("/api/v1/locations", "/api/v1/nothing", "/metrics"):
            headers = (await api.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"


async def test_metrics_and_openapi_are_served_and_no_page_loads_scripts_from_elsewhere(views):
    async with client(views) as api:
        assert "stockgate_rows_total" in (await api.get("/metrics")).text
        paths = (await api.get("/api/v1/openapi.json")).json()["paths"]
        assert (await api.get("/docs")).status_code == 404
    assert "/api/v1/alerts/{alert}/acknowledge" in paths


def test_the_token_is_made_once_and_only_its_owner_reads_it(tmp_path):
    file = tmp_path / "new" / "api-token"
    token = load_token(file)
    assert len(token) > 40
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_token(file) == token


def test_a_token_file_open_to_others_or_empty_is_refused(tmp_path):
    file = tmp_path / "api-token"
    load_token(file)
    file.chmod(0o644)
    with pytest.raises(TokenError, match="chmod 600"):
        load_token(file)
    file.chmod(0o600)
    file.write_text("")
    with pytest.raises(TokenError, match="is empty"):
        load_token(file)
