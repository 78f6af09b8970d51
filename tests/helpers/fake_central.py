"""A stand-in for the central service's API, with figures that a test sets."""

import asyncio
import contextlib
import json
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Self

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from central.application.count_views import live
from central.application.in_transit import GoingView, ManifestCount, trips
from tests.helpers.fake_books import books_of

TOKEN = "a-token-for-tests"


def ago(seconds):
    """An instant in the past, as the API writes it."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def alert(number=1, **changes):
    """An open alert of one laptop that left the stockroom."""
    asset = {"id": f"LT-{number:04d}", "name": "T14 laptop", "class": "laptop"}
    return {
        "id": number,
        "kind": "unauthorised_exit",
        "severity": "high",
        "state": "open",
        "late": False,
        "corrected": False,
        "authorised_late": False,
        "asset": asset,
        "assets": [asset | {"epc": f"{number:024x}", "passage": f"{number:032x}", "at": ago(9), "confidence": 0.97}],
        "epc": f"{number:024x}",
        "gateway": "hq-east-1",
        "portal": "stockroom-a-door",
        "from": "stockroom-a",
        "to": "corridor",
        "at": ago(9),
        "raised_at": ago(8),
        "latency_ms": 640.0,
        "confidence": 0.97,
        "reason": "No authorisation to leave Stockroom A was valid at that time.",
        "passage": f"{number:032x}",
        "acknowledged_at": None,
        "acknowledged_by": None,
    } | changes


def movement(number=1, **changes):
    """A final crossing out of the stockroom, with the evidence of four antennas."""
    antennas = [
        {"reader": "r1", "port": port, "reads": reads, "peak_at": ago(10 - port), "peak_rssi_cdbm": -4500 - 100 * port}
        for port, reads in ((1, 9), (2, 14), (3, 11), (4, 5))
    ]
    return {
        "id": f"{number:032x}-2",
        "passage": f"{number:032x}",
        "rev": 2,
        "final": True,
        "at": ago(9),
        "portal": "stockroom-a-door",
        "kind": "out",
        "from": "stockroom-a",
        "to": "corridor",
        "confidence": 0.97,
        "reads": 39,
        "evidence": {"antennas": antennas, "read_rate": 18.0},
        "epc": f"{number:024x}",
        "asset": f"LT-{number:04d}",
    } | changes


LOCATIONS = [
    ("hq-site", "Headquarters", "site", None, False, 0),
    ("hq", "Headquarters building", "building", "hq-site", True, 0),
    ("stockroom-a", "Stockroom A", "zone", "hq", True, 15),
    ("corridor", "Corridor", "zone", "hq", False, 8),
    ("street", "Street", "exterior", None, False, 1),
]


PORTALS = [
    ("main-entrance", "Main entrance", "corridor", "street"),
    ("stockroom-a-door", "Stockroom A, east door", "stockroom-a", "corridor"),
]


REGISTERED = {
    "name": "T14 laptop", "class": "laptop", "serial": "SG7037", "model": "T14", "cost_centre": None, "parent": None,
    "parent_since": None, "children": ["DK-1"],
    "state": {"lifecycle": "in_use", "custodian": "p-017", "custody_acknowledged_at": None, "condition": "working",
              "data_state": "unwiped", "title": "owned", "title_holder": None, "blocked_by": ["legal"]},
    "tags": [{"epc": "3034257bf7194e4000000001", "tid": None, "role": "body", "state": "active",
              "bound_from": "1970-01-01T00:00:00Z", "bound_to": None}],
    "serials": [], "authorisations": [], "acts": [],
    "counted": [{"location": "stockroom-a", "bucket": "missing", "probability": 0.004, "seen_at": ago(3 * 86400),
                 "elsewhere": None, "tag_silent": False, "since": ago(7200)}],
}  # fmt: skip
VERIFIED = {
    "least_grade": "serial_seen", "valid_days": 180, "valid": False, "valid_until": None,
    "last": {"at": ago(86400), "location": "corridor", "how": "sweep", "grade": "tag_seen", "confidence": 0.99,
             "evidence": "sweep 7", "by": "p-003"}, "history": [],
}  # fmt: skip


READINESS = {
    "portal": "main-entrance", "name": "Main entrance", "mode": "notify", "since": ago(9e5), "next": "alarm",
    "ready": False, "lacking": "walks of its commissioning: not known, wanted at least 20", "commissioned_at": None,
    "criteria": [
        {"name": "days", "words": "days with passages", "wanted": 14, "found": 30, "met": True},
        {"name": "walks", "words": "walks of its commissioning", "wanted": 20, "found": None, "met": False},
    ],
    "last": {"at": ago(9e5), "by": "p-1", "approved_by": "p-2", "mode": "notify", "reason": "opened",
             "overridden": "days with passages: 3, wanted at least 14"},
}  # fmt: skip


def asked(number=1, **changes):
    """A transfer that the receiving side has not agreed to."""
    return {
        "id": f"T-{number}", "from": "stockroom-a", "to": "corridor", "reason": "repair", "requested_by": "p-1",
        "requested_at": ago(3600), "two_managers": True, "sending_by": "p-2", "sending_until": ago(-86400),
        "receiving_by": None, "receiving_until": None, "state": "requested", "awaits": ["receiving"],
        "assets": [{"id": "LT-0001"}, {"id": "LT-0002"}],
    } | changes  # fmt: skip


def moment(kind, seconds, /, **data):
    """A moment of a life, so many seconds ago."""
    return {"at": ago(seconds), "kind": kind, "key": str(seconds), "data": data}


def passed(number=1, **changes):
    """A movement as a life has it."""
    one = movement(number, **changes)
    return moment("movement", 9 * number, **one, reason=None)


FIGURES = {
    "portal": "main-entrance", "name": "Main entrance", "alerts": 25, "unresolved": 2, "provisional": 3,
    "false_reads": 4, "right_alerts": 16, "tests": 1,
    "share_false": 0.2, "share_false_from": 0.081, "share_false_to": 0.416,
}  # fmt: skip
ACCURACY = {
    "crossings": 400, "missed": 8, "misread": 2, "miss_rate": 0.02, "miss_rate_low": 0.01, "miss_rate_high": 0.039,
    "missed_month": 3, "missed_month_low": 1, "missed_month_high": 5, "misread_month": 1,
}  # fmt: skip
TOTALS = {"total": 12, "high_risk": 5, "overdue": 2, "unassigned_overdue": 1, "suggested": 1}


def measure(**changes):
    """A door that is muted for an hour more."""
    return {
        "id": 1, "portal": "main-entrance", "kind": "muted", "mode": "observe", "reason": "removal of the east wing",
        "by": "Ana", "from_at": ago(60), "until_at": ago(-3600),
    } | changes  # fmt: skip


def exception(number=1, **changes):
    """An open exception of one laptop."""
    return {
        "id": number, "category": "unknown_tag", "title": "A tag of ours without a record", "severity": "medium",
        "asset": f"LT-{number:04d}", "asset_name": "T14 laptop", "location": "stockroom-a",
        "location_name": "Stockroom A", "state": "open", "owner_role": "itam_manager", "owner": None,
        "closure_path": "Register the asset, or retire the tag.", "opened_at": ago(900), "assign_by": ago(-86400),
        "due_at": ago(-9 * 86400), "calendar": "c1", "first_at": ago(900),
        "last_at": ago(90), "occurrences": 3, "suggestion": None, "suggested_by": None, "suggested_at": None,
        "outcome": None, "evidence": None, "proposed_by": None, "decided_by": None, "decided_at": None, "reopened": 0,
        "evidence_wanted": ["inspection", "registry_change"],
    } | changes  # fmt: skip


def going(number=1, **changes):
    """One laptop on transfer T-7 from the stockroom to Leeds, seen by a door."""
    asset = f"LT-{number:04d}"
    return {
        "id": f"{asset}/1", "asset": asset, "asset_name": "T14 laptop", "class": "laptop", "transfer": "T-7",
        "origin": "stockroom-a", "origin_name": "Stockroom A", "destination": "leeds",
        "destination_name": "Leeds stockroom", "sender": "ann", "sender_name": "Ann Lee",
        "receiver": "bob", "receiver_name": "Bob Ray", "dispatched_at": ago(2 * 86400),
        "receipt_due": ago(-3 * 86400), "due_on": ago(-3 * 86400)[:10],
        "calendar": "GB-ENG:0a1b2c3d", "basis": "observed", "assumed": [], "state": "open", "astray_in": None,
        "astray_in_name": None, "astray_at": None, "overdue": False,
        "escalation_path": ["receiver", "branch_admin", "itam_manager"], "told": None, "told_at": None,
    } | changes  # fmt: skip


def manifest(**changes):
    """What transfer T-7 names."""
    return {
        "transfer": "T-7", "reason": "New starters", "ticket": "REQ-4411", "origin": "stockroom-a",
        "origin_name": "Stockroom A", "destination": "leeds", "destination_name": "Leeds stockroom", "total": 3,
        "received": 0, "unread": [], "came_back": [],
    } | changes  # fmt: skip


class FakeCentral:
    """Serves the API from a thread; change its attributes to change what it says."""

    def __init__(self) -> None:
        self.counts = {row[0]: row[5] for row in LOCATIONS}
        self.locations = list(LOCATIONS)
        self.alerts = []
        self.movements = []
        self.portals = list(PORTALS)
        self.gateways = []
        self.gate = []
        self.quarantined = 0
        self.summary = {}
        self.feed_open = True
        self.ill = {}
        self.acknowledged = []
        self.place_rows = []
        self.doubts = []
        self.runs = []
        self.measures = []
        self.exceptions = []
        self.written = []
        self.life = []
        self.transfers = []
        self.legs, self.books = [], []
        self.manifests = []
        self.commands, self.captures = [], []
        self._events = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(uvicorn.Config(self._app(), log_level="error", timeout_graceful_shutdown=0))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def __exit__(self, *_) -> None:
        self.feed_open = False
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def tell(self, kind, data):
        """Put an event into every open feed."""
        self._events.append((kind, data))

    def health(self, **changes):
        """A gateway whose two readers read and whose rows are all committed."""
        streams = [{"stream": "movement", "epoch": "e1", "written": 3, "pending": 0, "oldest_s": 0.0, "dropped": 0}]
        readers = [{"id": name, "state": "connected", "reads": 1234, "reports": 9} for name in ("r1", "r2")]
        report = {"gateway": "hq-east-1", "boot": "b1", "at": ago(0), "uplink": "live"}
        report |= {"readers": readers, "streams": streams}
        gateway = {"site": "hq", "gateway": "hq-east-1", "registered": True, "online": True, "last_seen": ago(0)}
        return gateway | {"health": report | changes}

    def _app(self):  # noqa: C901 - one small function an endpoint
        app = FastAPI()

        @app.get("/healthz")
        def healthz():
            problems = {"database": "", "ingest": ""} | self.ill
            parts = {name: {"well": not problem, "problem": problem} for name, problem in problems.items()}
            well = not any(problems.values())
            return JSONResponse({"as_of": ago(0), "well": well, "parts": parts}, 200 if well else 503)

        @app.get("/api/v1/locations")
        def locations():
            names = ("id", "name", "kind", "parent", "guarded", "count")
            rows = [dict(zip(names, row, strict=True)) | {"counted_at": None} for row in self.locations]
            return {"as_of": ago(0), "locations": [row | {"count": self.counts[row["id"]]} for row in rows]}

        @app.get("/api/v1/portals")
        def portals():
            names = ("id", "name", "inside", "outside")
            common = {"site": "hq", "gateway": "hq-east-1", "mode": "notify"}
            return {"as_of": ago(0), "portals": [common | dict(zip(names, row, strict=True)) for row in self.portals]}

        @app.get("/api/v1/movements")
        def all_movements():
            return {"as_of": ago(0), "movements": self.movements}

        @app.get("/api/v1/alerts")
        def alerts(state: str = "all", limit: int = 1000, skip: int = 0):
            found = [one for one in self.alerts if state in {"all", one["state"]}]
            return {"as_of": ago(0), "alerts": found[skip : skip + limit]}

        @app.get("/api/v1/gateways")
        def gateways():
            return {"as_of": ago(0), "gateways": self.gateways}

        @app.get("/api/v1/gate")
        def gate():
            return {"as_of": ago(0), "gateways": self.gate}

        @app.get("/api/v1/summary")
        def summary():
            totals = {"committed": 3, "gaps": 0, "duplicated": 0, "rejected": 0}
            figures = {"movements": 3, "crossings": 2, "alerts": len(self.alerts), "unauthorised_exits": 1}
            base = figures | {"quarantined": self.quarantined, "events": totals, "streams": []}
            return {"as_of": ago(0)} | base | self.summary

        @app.get("/api/v1/counts")
        def counts():
            places = [one.model_dump(mode="json") for one in live(self.place_rows)]
            return {"as_of": ago(0), "places": places}

        @app.get("/api/v1/counts/{location}")
        def counts_of(location: str):
            places = [one.model_dump(mode="json") for one in live(self.place_rows)]
            own = next(one for one in places if one["id"] == location)
            return {"as_of": ago(0), "count": own, "places": places, "doubtful": self.doubts}

        @app.get("/api/v1/count-runs")
        def count_runs():
            return {"as_of": ago(0), "runs": self.runs}

        @app.get("/api/v1/assets/{asset}/movements")
        def movements(asset: str):
            if asset != "LT-0001":
                problem = {"title": "Not found", "detail": f"There is no asset {asset}: look at /api/v1/assets."}
                return JSONResponse(problem, 404, media_type="application/problem+json")
            about = {"id": asset, "name": "T14 laptop", "class": "laptop", "serial": "SG7037", "location": "corridor"}
            about |= {"since": ago(9), "confidence": 0.97}
            return {"as_of": ago(0), "asset": about, "movements": self.movements}

        @app.get("/api/v1/transfers")
        def transfers():
            return {"as_of": ago(0), "transfers": self.transfers}

        @app.get("/api/v1/in-transit")
        def in_transit(location: str | None = None):
            legs = [GoingView.model_validate(one) for one in self.legs]
            shown = [one for one in legs if location in {None, one.origin, one.destination, one.astray_in}]
            lists = {one["transfer"]: ManifestCount.model_validate(one) for one in self.manifests}
            told = [one.model_dump(mode="json") for one in trips(shown, lists)]
            totals = {"under_way": len(shown), "overdue": sum(one.overdue for one in shown)}
            totals |= {"undeclared": sum(one.undeclared for one in shown)}
            totals |= {"astray": sum(one.state == "wrong_destination" for one in shown)}
            totals |= {"inferred": sum(one.basis == "inferred" for one in shown)}
            return {"as_of": ago(0), "totals": totals, "trips": told}

        @app.post("/api/v1/alerts/{number}/acknowledge")
        async def acknowledge(number: int, request: Request):
            if request.headers.get("authorization") != f"Bearer {TOKEN}":
                return JSONResponse({"title": "Unauthorised", "detail": "The token is wrong."}, 401)
            by = (await request.json())["by"]
            self.acknowledged.append((number, by))
            return self._now(number, state="acknowledged", acknowledged_by=by, acknowledged_at=ago(0))

        @app.get("/api/v1/events")
        def events():
            return StreamingResponse(self._feed(), media_type="text/event-stream")

        self._workflow(app)
        self._lives(app)
        return app

    def _lives(self, app):
        """What an asset's page reads."""

        @app.get("/api/v1/assets/{asset}")
        def registered(asset: str):
            return {"as_of": ago(0), "asset": REGISTERED | {"id": asset}}

        @app.get("/api/v1/assets/{asset}/verification")
        def verification(asset: str):
            return {"as_of": ago(0), "verification": VERIFIED | {"asset": asset}}

        @app.get("/api/v1/assets/{asset}/timeline")
        def timeline(asset: str, kinds: str | None = None, before: int = 0, limit: int = 100):
            told = [one for one in self.life if asset and kinds in {None, one["kind"]}]
            more = before + limit < len(told)
            return {
                "as_of": ago(0),
                "moments": told[before : before + limit],
                "next": str(before + limit) if more else None,
            }

    def _workflow(self, app):  # noqa: C901 - one small function an endpoint
        """What alerts, doors and exceptions go through, and other books."""
        books_of(self, app, ago)

        @app.get("/api/v1/gateways/{gateway}/captures")
        def captures(gateway: str, limit: int = 50):
            return {"as_of": ago(0), "captures": [one for one in self.captures if one["gateway"] == gateway][:limit]}

        @app.get("/api/v1/captures/{number}/file")
        def capture_file(number: int, by: str, request: Request):
            if by == "p-9" or request.headers.get("authorization") != f"Bearer {TOKEN}":
                return JSONResponse({"detail": f"{by!r} may not have captures."}, 403)
            named = {"Content-Disposition": f'attachment; filename="gw-{number}.pcapng"'}
            return Response(b"\x0a\x0d\x0d\x0a", media_type="application/vnd.tcpdump.pcap", headers=named)

        @app.get("/api/v1/gateways/{gateway}/commands")
        def commands(gateway: str, limit: int = 50):
            found = [one for one in self.commands if one["gateway"] == gateway]
            return {"as_of": ago(0), "commands": found[::-1][:limit]}

        @app.post("/api/v1/gateways/{gateway}/commands")
        async def give(gateway: str, request: Request):
            told = await request.json()
            if told["by"] == "p-9":
                detail = "'p-9' may give no commands: that takes one of the roles door-keeper."
                return JSONResponse({"title": "Forbidden", "detail": detail}, 403)
            one = {"id": len(self.commands) + 1, "gateway": gateway, "given_at": ago(0), "state": "waiting"}
            self.commands.append(one | told | {"problem": None, "result": None})
            return {"as_of": ago(0), "command": self.commands[-1]}

        @app.get("/api/v1/portal-measures")
        def measures():
            return {"as_of": ago(0), "measures": self.measures}

        @app.get("/api/v1/portal-readiness")
        def all_readiness():
            return {"as_of": ago(0), "portals": [READINESS]}

        @app.get("/api/v1/portals/{portal}/readiness")
        def readiness(portal: str):
            return {"as_of": ago(0), "readiness": READINESS | {"portal": portal}}

        @app.get("/api/v1/portal-figures")
        def portal_figures():
            return {"as_of": ago(0), "figures": [FIGURES]}

        @app.get("/api/v1/portal-accuracy")
        def portal_accuracy(portal: str = "main-entrance"):
            return {"as_of": ago(0), "portals": [ACCURACY | {"portal": portal}]}

        @app.get("/api/v1/portals/{portal}")
        def portal(portal: str):
            names = {row[0]: row for row in self.portals}
            if portal not in names:
                return JSONResponse({"title": "Not found", "detail": f"There is no portal {portal}."}, 404)
            quiet = [one for one in self.measures if one["portal"] == portal]
            mode = "observe" if quiet else "notify"
            about = dict(zip(("id", "name", "inside", "outside"), names[portal], strict=True))
            about |= {"site": "hq", "gateway": "hq-east-1", "mode": "notify"}
            return {"as_of": ago(0), "portal": about, "mode_now": mode, "measures": quiet, "figures": FIGURES}

        @app.get("/api/v1/alerts/{number}")
        def one_alert(number: int):
            for one in self.alerts:
                if one["id"] == number:
                    event = {"at": ago(9), "kind": "raised", "by": "central", "detail": one["reason"]}
                    return {"as_of": ago(0), "alert": one, "history": [event], "verdicts": []}
            return JSONResponse({"title": "Not found", "detail": f"There is no alert {number}."}, 404)

        @app.get("/api/v1/exceptions")
        def exceptions(severity: str | None = None, asset: str | None = None, limit: int = 100, skip: int = 0):
            found = [
                one for one in self.exceptions if severity in {None, one["severity"]} and asset in {None, one["asset"]}
            ]
            return {"as_of": ago(0), "open": TOTALS, "exceptions": found[skip : skip + limit]}

        @app.post("/api/v1/exceptions/{number}/steps")
        async def step(number: int, request: Request):
            body = await request.json()
            self.written.append((number, body))
            if body["by"] == "bob":
                detail = "Separation of duties: bob has LT-0001 in custody."
                return JSONResponse({"title": "Forbidden", "detail": detail}, 403)
            self.exceptions = [one for one in self.exceptions if one["id"] != number]
            return {}

        @app.post("/api/v1/alerts/{number}/resolve")
        async def resolve(number: int, request: Request):
            self.written.append((number, body := await request.json()))
            ended = {"verdict": body["verdict"], "verdict_standing": "provisional", "resolved_by": body["by"]}
            return self._now(number, state="resolved", **ended)

        @app.post("/api/v1/alerts/{number}/reopen")
        async def reopen(number: int, request: Request):
            self.written.append((number, await request.json()))
            return self._now(number, state="open", severity="critical", reopened=1, verdict=None)

    def _now(self, number, **changes):
        """Change an alert; return the answer."""
        for one in self.alerts:
            if one["id"] == number:
                one.update(changes)
        return {"id": number}

    async def _feed(self):
        told, beat_at = len(self._events), 0.0
        with contextlib.suppress(asyncio.CancelledError):
            while self.feed_open:
                if time.monotonic() - beat_at > 1.0:
                    beat_at = time.monotonic()
                    yield ": hello\nevent: heartbeat\ndata: {}\n\n"
                for kind, data in self._events[told:]:
                    told += 1
                    yield f"event: {kind}\nid: {told}\ndata: {json.dumps(data)}\n\n"
                await asyncio.sleep(0.05)
