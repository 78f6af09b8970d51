"""Routes of counts: what is where and how well that is known, scheduled counts, verifications, zones."""

from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field, model_validator

from central.api.exceptions import PERSON
from central.api.patience import PatientRoute
from central.api.routes import MAX_ID, TEXT, Limit, Services
from central.api.shapes import Answer, Day, Moment
from central.application import count_views
from central.application import counts as use
from central.application.count_views import (
    DoubtView,
    Observation,
    PlaceCountView,
    Plan,
    RunDetail,
    RunView,
    VerifiedView,
    ZoneView,
)
from central.domain.counting import Grade

Id = Annotated[str, Path(max_length=80, pattern=TEXT, examples=["stockroom-a"])]
Run = Annotated[int, Path(ge=1, le=MAX_ID)]
Words = Annotated[str | None, Query(max_length=80, pattern=TEXT, description="Part of model, name, class or id.")]
By = Annotated[str, Field(pattern=PERSON, examples=["p-017"])]
Place = Annotated[str, Field(max_length=80, pattern=TEXT, examples=["stockroom-a"])]
Kind = Literal["quarterly_cycle", "annual_audit", "finance_close", "security_review", "monthly_control"]


class LiveCounts(Answer):
    """Live counts of every location."""

    places: list[PlaceCountView]


class LiveCount(Answer):
    """The live count of one location with all below it, and the assets that it doubts."""

    count: PlaceCountView
    places: list[PlaceCountView]
    doubtful: list[DoubtView]


class Runs(Answer):
    """Scheduled counts, the newest first."""

    runs: list[RunView]


class RunAnswer(Answer):
    """A scheduled count with its places and lines."""

    run: RunDetail


class VerifiedAnswer(Answer):
    """The verifications of an asset."""

    verification: VerifiedView


class Zones(Answer):
    """Zones and where they lie."""

    zones: list[ZoneView]


class PlanAsked(BaseModel):
    """A count to plan, once or (`every`) again and again from its day on."""

    kind: Kind | Literal["spot"]
    location: Place
    planned_for: Day
    by: By
    ranks: list[Literal["A", "B", "C"]] = Field(
        default=[], description="ABC ranks of classes that are counted; none: all."
    )
    blind: bool = Field(default=False, description="The counters don't see what the book expects.")
    every: bool = Field(default=False, description="Plan it again after the kind's months.")

    @model_validator(mode="after")
    def _spot_is_planned_once(self) -> Self:
        if self.every and self.kind == "spot":
            raise ValueError("every: a spot count is planned once, only the other kinds come again")
        return self


class SeenAsked(BaseModel):
    """What somebody saw, named by exactly one of asset, epc and serial."""

    location: Place
    at: Moment
    by: By
    grade: Grade
    evidence: str = Field(min_length=1, max_length=400, pattern=TEXT, examples=["handheld 7"])
    asset: str | None = Field(None, min_length=1, max_length=80, pattern=TEXT)
    epc: str | None = Field(None, pattern=r"^([0-9a-f]{2}){1,62}$")
    serial: str | None = Field(None, min_length=1, max_length=120, pattern=TEXT)

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if sum(name is not None for name in (self.asset, self.epc, self.serial)) != 1:
            raise ValueError("asset, epc, serial: name what was seen by exactly one of them")
        return self

    def observation(self) -> Observation:
        """Return it for the use case."""
        return Observation(**dict(self))


class ObservationsAsked(BaseModel):
    """Observations of one count; all are written, or none."""

    observations: list[SeenAsked] = Field(min_length=1, max_length=1000)


class StepAsked(BaseModel):
    """A step of a count."""

    step: Literal["start", "submit", "sign", "cancel"]
    by: By
    note: str = Field(default="", max_length=2000, pattern=TEXT)


class SearchAsked(BaseModel):
    """Somebody has searched all of a place."""

    location: Place
    by: By


class ZoneAsked(BaseModel):
    """Where a zone lies, and who says so."""

    location: Place
    by: By


def counts_read(on: Services) -> APIRouter:
    """Return the reading routes."""
    written: dict[str, Response] = {}
    """The newest answer of all places, by the version of its counters: many screens ask for the same."""
    router = APIRouter(prefix="/api/v1", tags=["counts"])

    @router.get("/counts", response_model=LiveCounts)
    async def live() -> Response:
        """Return every location's live count: found, missing, unexpected, unknown, and how it was covered."""
        version = await on.counts.version()
        if version not in written:
            answer = LiveCounts.model_construct(as_of=on.now(), places=count_views.live(await on.counts.places()))
            written.clear()
            written[version] = _written(answer)
        return written[version]

    @router.get("/counts/{location}", response_model=LiveCount)
    async def live_of(location: Id, q: Words = None, limit: Limit = 20) -> Response:
        """Return one location's live count with all below it, of all assets or some, and those that are doubtful."""
        places = count_views.live(await on.counts.places(q or None, location))
        doubtful = await on.counts.doubtful(location, q or None, limit)
        own = next(one for one in places if one.id == location)
        return _written(LiveCount.model_construct(as_of=on.now(), count=own, places=places, doubtful=doubtful))

    @router.get("/count-runs")
    async def runs(
        state: Literal["planned", "counting", "submitted", "signed", "cancelled"] | None = None, limit: Limit = 100
    ) -> Runs:
        """Return scheduled counts, the newest first."""
        return Runs(as_of=on.now(), runs=await on.counts.runs(state, limit))

    @router.get("/count-runs/{run}")
    async def run_of(run: Run) -> RunAnswer:
        """Return a count with its places and lines; a blind one hides what the book expects until it is submitted."""
        return RunAnswer(as_of=on.now(), run=await on.counts.run(run))

    @router.get("/assets/{asset}/verification")
    async def verification(asset: Id) -> VerifiedAnswer:
        """Return when an asset was last verified, by which evidence, and whether its class still accepts that."""
        now = on.now()
        return VerifiedAnswer(as_of=now, verification=await on.counts.verified(asset, now))

    @router.get("/zones")
    async def zones() -> Zones:
        """Return zones and where they lie; those that speak and lie nowhere wait with their rows."""
        return Zones(as_of=on.now(), zones=await on.counts.zones())

    return router


def counts_write(on: Services) -> APIRouter:
    """Return the writing routes; who includes them puts the token before them."""
    router = APIRouter(prefix="/api/v1", tags=["counts"], route_class=PatientRoute)

    async def answer(run: int, now: datetime) -> RunAnswer:
        return RunAnswer(as_of=now, run=await on.counts.run(run))

    @router.post("/count-runs")
    async def plan(body: PlanAsked) -> RunAnswer:
        """Plan a count; the same one again is the one that was planned, 409 if only one of them is blind."""
        ranks = tuple(sorted(set(body.ranks)))
        asked, now = Plan(body.kind, body.location, ranks, body.blind, body.planned_for, body.by), on.now()
        run = await on.counts.plan(asked, now)
        if body.every:
            await on.counts.schedule(asked)
        return await answer(run, now)

    @router.post("/count-runs/{run}/steps")
    async def step(run: Run, body: StepAsked) -> RunAnswer:
        """Start a count (the book is frozen), submit it, sign it off as the branch owner, or cancel it."""
        now = on.now()
        if body.step in {"start", "submit"}:
            await (use.start if body.step == "start" else use.submit)(on.counts, run, body.by, now)
        else:
            await (use.sign if body.step == "sign" else use.cancel)(on.counts, run, body.by, body.note, now)
        return await answer(run, now)

    @router.post("/count-runs/{run}/observations")
    async def observe(run: Run, body: ObservationsAsked) -> RunAnswer:
        """Write what was seen into a count under way, and into the assets' verifications."""
        now = on.now()
        await use.observe(on.counts, run, [one.observation() for one in body.observations], now)
        return await answer(run, now)

    @router.post("/count-runs/{run}/searches")
    async def search(run: Run, body: SearchAsked) -> RunAnswer:
        """Say that a place was searched: what wasn't seen there is missing."""
        now = on.now()
        await use.search(on.counts, run, body.location, body.by, now)
        return await answer(run, now)

    @router.post("/verifications")
    async def verify(body: SeenAsked) -> VerifiedAnswer:
        """Record that somebody saw an asset, outside a count."""
        now = on.now()
        asset = await use.verify(on.counts, body.observation(), "scan", now)
        return VerifiedAnswer(as_of=now, verification=await on.counts.verified(asset, now))

    @router.put("/zones/{gateway}/{zone}")
    async def place_zone(gateway: Id, zone: Id, body: ZoneAsked) -> Zones:
        """Say where a zone lies; all that it told is folded there."""
        await on.counts.place_zone(gateway, zone, body.location, body.by, on.now())
        return Zones(as_of=on.now(), zones=await on.counts.zones())

    return router


def _written(answer: Answer) -> Response:
    """Write an answer as it is: its parts come checked from the store, and a thousand places are asked for often."""
    return Response(answer.model_dump_json(), media_type="application/json")
