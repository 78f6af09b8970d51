"""The routes: reads for everybody who reaches the listener, the one write behind the token."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Query, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import StreamingResponse

from central.api import shapes
from central.api.patience import PatientRoute
from central.application.alerting import AlertBook
from central.application.calendars import CalendarStore
from central.application.counts import Counts
from central.application.due import DueStore
from central.application.errors import NotFound, StoreUnavailable
from central.application.exceptions import Exceptions
from central.application.feed import ANEW, Feed, FeedEvent, FeedKind
from central.application.knowing import KnowledgeBook
from central.application.live_counts import LiveCounts
from central.application.metrics import Metrics
from central.application.ports import Views
from central.application.promoting import Promotions
from central.application.register import Register
from central.application.transfers import Transfers
from central.application.undoing import UndoStore
from central.application.upkeep import Upkeep
from central.application.views import on_the_wire

HEARTBEAT_S = 2.0
"""A feed that is silent for longer is broken; the console says so after 5 s."""
MAX_ID = 2**62

TEXT = r"^[^\x00]*$"
"""PostgreSQL's text holds any other character."""

AlertFilter = Literal["open", "acknowledged", "investigating", "resolved", "observed", "all"]
AlertOrder = Literal["newest", "gravest"]
Limit = Annotated[int, Query(ge=1, le=1000, description="At most this many.")]
Skip = Annotated[int, Query(ge=0, le=1_000_000, description="Leave out so many: the pages before.")]


Since = Callable[[str, Collection[str] | None], AsyncIterator[FeedEvent]]
"""What came after a place in the order of all changes, for some kinds of events or all."""


async def nothing_kept(_place: str, _kinds: Collection[str] | None) -> AsyncIterator[FeedEvent]:
    """Answer that the place isn't remembered."""
    yield FeedEvent("anew", ANEW)


@dataclass(frozen=True, slots=True)
class Services:
    """What the routes need, built by `central.app`."""

    views: Views
    feed: Feed
    metrics: Metrics
    now: Callable[[], datetime]
    ingest_problem: Callable[[], str]
    exceptions: Exceptions
    alert_book: AlertBook
    knowledge: KnowledgeBook
    calendars: CalendarStore
    due: DueStore
    transfers: Transfers
    upkeep: Upkeep
    register: Register
    registry: UndoStore
    counts: Counts
    promotions: Promotions
    gate_problem: Callable[[], str] = lambda: ""
    feed_problem: Callable[[], str] = lambda: ""
    since: Since = nothing_kept
    counts_kept_s: float = 0.0
    """How old the counts of all places may be that are answered."""


def stands(on: Services) -> APIRouter:
    """Return the reading routes to how things stand: places, doors, assets, gateways."""
    router = APIRouter(prefix="/api/v1", tags=["read"])
    live = LiveCounts(on.views.locations_json, on.now, kept_s=on.counts_kept_s)

    @router.get("/locations", response_model=shapes.Locations)
    async def locations() -> Response:
        """Return every location and how many assets are directly in it; `as_of` says when they were counted."""
        told = await live.counted()
        text = f'{{"as_of":"{on_the_wire(told.as_of)}","locations":[{told.text}]}}'
        return Response(text, media_type="application/json")

    @router.get("/portals")
    async def portals() -> shapes.Portals:
        """Return every door, by id, and the gateway that watches it."""
        return shapes.Portals(as_of=on.now(), portals=await on.views.portals())

    @router.get("/assets")
    async def assets(
        location: Annotated[str | None, Query(max_length=80, pattern=TEXT, examples=["stockroom-a"])] = None,
        q: Annotated[
            str | None,
            Query(max_length=80, pattern=TEXT, description="Part of id, name, class, serial or EPC."),
        ] = None,
        limit: Limit = 100,
    ) -> shapes.Assets:
        """Return assets by id, and where they are believed to be."""
        found = await on.views.assets(location=location, query=q or None, limit=limit, now=on.now())
        wrong = await on.exceptions.open_totals(on.now())
        return shapes.Assets(as_of=on.now(), open_exceptions=wrong, assets=found)

    @router.get("/gateways")
    async def gateways() -> shapes.Gateways:
        """Return gateways: registered ones, and those that speak and wait to be registered."""
        return shapes.Gateways(as_of=on.now(), gateways=await on.views.gateways())

    return router


def happened(on: Services) -> APIRouter:
    """Return the reading routes to what happened: movements, alerts, quarantine, totals, the live feed."""
    router = APIRouter(prefix="/api/v1", tags=["read"])

    @router.get("/movements", response_model=shapes.Movements)
    async def movements(
        portal: Annotated[str | None, Query(max_length=80, pattern=TEXT, examples=["stockroom-a-door"])] = None,
        asset: Annotated[str | None, Query(max_length=80, pattern=TEXT, examples=["LT-0001"])] = None,
        limit: Limit = 100,
    ) -> Response:
        """Return passages of all assets, newest first, each once in its newest revision, with the evidence."""
        if portal is not None and portal not in {one.id for one in await on.views.portals()}:
            raise NotFound(f"there is no portal {portal!r}: /api/v1/portals lists them")
        found = await on.views.movements(portal=portal, asset=asset, limit=limit)
        told = shapes.Movements(as_of=on.now(), movements=found)
        return Response(told.model_dump_json(), media_type="application/json")  # it was checked when it was made

    @router.get("/assets/{asset}/movements")
    async def movements_of(
        asset: Annotated[str, Path(max_length=80, pattern=TEXT, examples=["LT-0001"])], limit: Limit = 200
    ) -> shapes.AssetMovements:
        """Return an asset's passages, each in its newest revision, with the evidence."""
        one = await on.views.asset(asset, on.now())
        found = await on.views.movements(asset=asset, limit=limit)
        return shapes.AssetMovements(as_of=on.now(), asset=one, movements=found)

    @router.get("/alerts")
    async def alerts(
        state: AlertFilter = "open",
        limit: Limit = 100,
        skip: Skip = 0,
        order: Annotated[
            AlertOrder, Query(description="newest first, or the gravest (critical, high, low) and of those the newest.")
        ] = "newest",
    ) -> shapes.Alerts:
        """Return alerts, one an incident, newest first unless asked otherwise."""
        found = await on.views.alerts(state=state, limit=limit, skip=skip, gravest=order == "gravest")
        return shapes.Alerts(as_of=on.now(), alerts=found)

    @router.get("/quarantine")
    async def quarantine(limit: Limit = 100) -> shapes.Quarantine:
        """Return what could not be read or may not be believed, with the beginning of its payload."""
        return shapes.Quarantine(as_of=on.now(), items=await on.views.quarantined(limit))

    @router.get("/summary")
    async def summary() -> shapes.SummaryAnswer:
        """Return totals over everything, and what is committed of each stream."""
        totals = await on.views.summary()
        return shapes.SummaryAnswer(as_of=on.now(), **dict(totals))

    @router.get("/events", response_class=StreamingResponse)
    async def events(
        kinds: Annotated[
            list[FeedKind] | None, Query(max_length=10, description="Only these kinds, and anew and heartbeat.")
        ] = None,
        last_event_id: Annotated[
            str | None, Header(max_length=80, description="Go on after this event, at any process.")
        ] = None,
    ) -> StreamingResponse:
        """Stream what any process commits as server-sent events, then read the lists; after `anew` read them again."""
        told = stream(on.feed, on.now, on.since, last=last_event_id, kinds=kinds)
        return StreamingResponse(told, media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    return router


def writes(on: Services) -> APIRouter:
    """Return the writing routes; who includes them puts the token before them."""
    router = APIRouter(prefix="/api/v1", tags=["write"], route_class=PatientRoute)

    @router.post("/alerts/{alert}/acknowledge")
    async def acknowledge(
        alert: Annotated[int, Path(ge=1, le=MAX_ID)], body: shapes.Acknowledgement
    ) -> shapes.AlertAnswer:
        """Take an alert; the first who does stands."""
        done = await on.views.acknowledge(alert, body.by, on.now())
        return shapes.AlertAnswer(as_of=on.now(), alert=done)

    return router


def operations(on: Services) -> APIRouter:
    """Return health and metrics."""
    router = APIRouter(tags=["operate"])

    @router.head("/healthz", include_in_schema=False)
    @router.get("/healthz")
    async def healthz(response: Response) -> shapes.HealthAnswer:
        """Tell whether every part works: 200, or 503 with the part that doesn't."""
        parts = {"database": await _database(on.views), "ingest": on.ingest_problem(), "gate": on.gate_problem()}
        parts["feed"] = on.feed_problem()
        well = not any(parts.values())
        if not well:
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        told = {name: shapes.Part(well=not problem, problem=problem) for name, problem in parts.items()}
        return shapes.HealthAnswer(as_of=on.now(), well=well, parts=told)

    @router.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """Return Prometheus metrics."""
        return Response(generate_latest(on.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router


async def stream(
    feed: Feed,
    now: Callable[[], datetime],
    since: Since = nothing_kept,
    *,
    last: str | None = None,
    kinds: Collection[str] | None = None,
) -> AsyncIterator[str]:
    """Yield the feed as server-sent events, beginning with a heartbeat, or with what came after the event `last`."""
    if last:
        yield _event(replace(feed.heartbeat(now()), id=None))
        async for event in since(last, kinds):
            yield _event(event)
    # Nothing is awaited between the end of the past and here: no change falls between the two.
    with feed.listen(kinds) as listener:
        yield _event(feed.heartbeat(now()))
        async for event in listener:
            yield _event(event)


async def beat(feed: Feed, now: Callable[[], datetime], problem: Callable[[], str] = lambda: "") -> None:
    """Send heartbeats to the feed until cancelled; none while the feed can't tell of changes: it would be a lie."""
    while True:
        if not problem():
            feed.send([feed.heartbeat(now())])
        await asyncio.sleep(HEARTBEAT_S)


def _event(event: FeedEvent) -> str:
    place = f"id: {event.id}\n" if event.id else ""
    return f"event: {event.kind}\n{place}data: {event.data}\n\n"


async def _database(views: Views) -> str:
    try:
        await views.ping()
    except StoreUnavailable as error:
        return str(error)
    return ""
