"""Routes of the life of alerts, of doors that are told to be quieter, and of what became of each door's alerts."""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, Field

from central.api.patience import PatientRoute
from central.api.routes import MAX_ID, TEXT, Services
from central.api.shapes import Answer
from central.application.alerting import (
    AlertAsked,
    AlertDetail,
    DoorFigures,
    MeasureView,
    QuietAsked,
    Resolution,
    end_quiet,
    quieten,
    step_alert,
)
from central.application.errors import NotFound
from central.application.views import PortalView
from central.domain.alert_life import Verdict
from central.domain.exceptions.workflow import Evidence
from central.domain.places import PORTAL_MODES

WHO = r"^[^\x00-\x1f]+$"

Who = Annotated[str, Field(min_length=1, max_length=80, pattern=WHO, examples=["A. Guard"])]
Glass = Annotated[str | None, Field(min_length=10, max_length=2000, pattern=TEXT)]
Door = Annotated[str, Path(max_length=80, pattern=TEXT, examples=["stockroom-a-door"])]
AlertId = Annotated[int, Path(ge=1, le=MAX_ID)]
Days = Annotated[int, Query(ge=1, le=3660, description="Of how many days.")]


class AlertDetailAnswer(Answer, AlertDetail):
    """One alert, what happened to it, and the verdicts on it."""


class Figures(Answer):
    """What became of each door's alerts."""

    figures: list[DoorFigures]


class Measures(Answer):
    """Doors that are quieter now; each ends by itself."""

    measures: list[MeasureView]


class DoorAnswer(Answer):
    """One door: how it behaves now and why, and what became of its alerts."""

    portal: PortalView
    mode_now: str
    measures: list[MeasureView]
    figures: DoorFigures


class Investigation(BaseModel):
    """Who looks into an alert."""

    by: Who


class Shown(BaseModel):
    """What shows a verdict."""

    kind: str = Field(min_length=1, max_length=40, pattern=TEXT, examples=["camera"])
    reference: str = Field(min_length=1, max_length=400, pattern=TEXT, examples=["camera 4, 21:40"])
    note: str = Field("", max_length=2000, pattern=TEXT)


class VerdictAsked(BaseModel):
    """How an alert ends."""

    by: Who
    verdict: Verdict
    evidence: Shown
    break_glass: Glass = None


class Reopening(BaseModel):
    """Why a verdict doesn't hold."""

    by: Who
    reason: str = Field(min_length=1, max_length=2000, pattern=TEXT)


class MeasureAsked(BaseModel):
    """A door that is told to be quieter: muted (observe, a day at most) or demoted (a month at most)."""

    kind: Literal["muted", "demoted"]
    mode: Literal["observe", "notify"] = "observe"
    reason: str = Field(min_length=3, max_length=400, pattern=TEXT, examples=["Removal of the east wing"])
    by: Who
    until_at: AwareDatetime
    break_glass: Glass = None


def alerts_read(on: Services) -> APIRouter:
    """Return the reading routes."""
    router = APIRouter(prefix="/api/v1", tags=["alerts"])

    @router.get("/alerts/{alert}")
    async def alert(alert: AlertId) -> AlertDetailAnswer:
        """Return one alert with its history and its verdicts."""
        return AlertDetailAnswer(as_of=on.now(), **dict(await on.alert_book.detail(alert)))

    @router.get("/portal-figures")
    async def figures(days: Days = 90) -> Figures:
        """Return for every door how many of its alerts were false, by confirmed verdicts alone."""
        now = on.now()
        return Figures(as_of=now, figures=await on.alert_book.figures(now - timedelta(days=days)))

    @router.get("/portal-measures")
    async def measures() -> Measures:
        """Return the doors that are quieter than usual now, why, and until when."""
        now = on.now()
        return Measures(as_of=now, measures=await on.alert_book.measures(now))

    @router.get("/portals/{portal}")
    async def door(portal: Door, days: Days = 90) -> DoorAnswer:
        """Return one door: its mode now, what quietens it, and how far its alerts can be trusted."""
        now = on.now()
        found = next((one for one in await on.views.portals() if one.id == portal), None)
        if found is None:
            raise NotFound(f"there is no portal {portal!r}: /api/v1/portals lists them")
        quiet = [one for one in await on.alert_book.measures(now) if one.portal == portal]
        (trust,) = await on.alert_book.figures(now - timedelta(days=days), portal)
        mode = min([found.mode, *(one.mode for one in quiet)], key=PORTAL_MODES.index)
        return DoorAnswer(as_of=now, portal=found, mode_now=mode, measures=quiet, figures=trust)

    return router


def alerts_write(on: Services) -> APIRouter:
    """Return the writing routes; who includes them puts the token before them."""
    router = APIRouter(prefix="/api/v1", tags=["alerts"], route_class=PatientRoute)

    async def take(alert: int, asked: AlertAsked) -> AlertDetailAnswer:
        done = await step_alert(on.alert_book, alert, asked, on.now())
        return AlertDetailAnswer(as_of=on.now(), **dict(done))

    @router.post("/alerts/{alert}/investigate")
    async def investigate(alert: AlertId, body: Investigation) -> AlertDetailAnswer:
        """Look into an alert that somebody has."""
        return await take(alert, AlertAsked("investigate", body.by))

    @router.post("/alerts/{alert}/resolve")
    async def resolve(alert: AlertId, body: VerdictAsked) -> AlertDetailAnswer:
        """End an alert with a verdict and what shows it; a false read is provisional until the world confirms it."""
        resolution = Resolution(body.verdict, Evidence(**body.evidence.model_dump()))
        return await take(alert, AlertAsked("resolve", body.by, "", resolution, body.break_glass))

    @router.post("/alerts/{alert}/reopen")
    async def reopen(alert: AlertId, body: Reopening) -> AlertDetailAnswer:
        """Open a resolved alert again, one severity higher."""
        return await take(alert, AlertAsked("reopen", body.by, body.reason))

    @router.post("/portals/{portal}/measures")
    async def measure(portal: Door, body: MeasureAsked) -> Measures:
        """Tell a door to be quieter until an instant; it ends by itself."""
        asked = QuietAsked(portal, body.kind, body.mode, body.reason, body.by, body.until_at, body.break_glass)
        return Measures(as_of=on.now(), measures=await quieten(on.alert_book, asked, on.now()))

    @router.post("/portals/{portal}/measures/{measure}/end")
    async def end(portal: Door, measure: AlertId, body: Investigation) -> Measures:
        """End a measure before its time."""
        return Measures(
            as_of=on.now(), measures=await end_quiet(on.alert_book, portal, measure, body.by, on.now())
        )  # fmt: skip

    return router
