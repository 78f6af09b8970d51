"""Routes of the exception queue: what is wrong, who has it, and the steps to its end."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field, StringConstraints

from central.api.patience import PatientRoute
from central.api.routes import MAX_ID, TEXT, Limit, Services, Skip
from central.api.shapes import Answer, Moment
from central.application.exceptions import ExceptionDetail, ExceptionView, Filter, OpenExceptions, take_step
from central.application.reporting import Report, report
from central.application.views import View
from central.domain.exceptions.raising import RAISED
from central.domain.exceptions.taxonomy import CATEGORIES
from central.domain.exceptions.workflow import Evidence, Step, StepName

PERSON = r"^[A-Za-z0-9._-]{1,80}$"

Name = Annotated[str | None, Query(max_length=80, pattern=TEXT)]
Words = Annotated[str, Field(max_length=2000, pattern=TEXT)]
Glass = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, max_length=2000, pattern=TEXT)]


class Exceptions(Answer):
    """Exceptions by due date; `open` counts what is open over everything, whatever was asked for."""

    open: OpenExceptions
    exceptions: list[ExceptionView]


class ExceptionAnswer(Answer, ExceptionDetail):
    """One exception, each time that it happened, and what was done about it."""


class CategoryView(View):
    """A row of the taxonomy."""

    name: str
    title: str
    severity: str
    owner_role: str
    closure_path: str
    evidence: list[str]
    raised_by: Literal["rule", "hand"] = Field(description="By a rule of the service, or by who reports it.")
    raised_when: str = Field(description="What the rule looks for, or why somebody has to report it.")


class Categories(Answer):
    """What can be wrong, and what closes it."""

    categories: list[CategoryView]


class EvidenceShown(BaseModel):
    """What a closing shows: one of the category's kinds, and where it can be looked up."""

    kind: str = Field(min_length=1, max_length=40, examples=["scan"])
    reference: str = Field(min_length=1, max_length=400, pattern=TEXT, examples=["handheld 7, 2026-03-02 14:05"])
    note: Words = ""


class StepAsked(BaseModel):
    """A step that a person takes; `break_glass` is the reason for which separation of duties is broken open."""

    step: StepName
    by: str = Field(pattern=PERSON, examples=["p-017"])
    owner: str | None = Field(None, pattern=PERSON, description="Who takes it, with the step assign.")
    outcome: Literal["closed", "accepted_risk"] | None = Field(None, description="With the step propose.")
    evidence: EvidenceShown | None = Field(None, description="With the steps propose and close.")
    reason: Words = Field("", description="With the steps reject and reopen.")
    break_glass: Glass | None = None


class Reported(BaseModel):
    """What somebody saw that no rule can see; `reference` is where it can be looked up."""

    category: str = Field(max_length=40, examples=["wrong_model"])
    by: str = Field(pattern=PERSON, examples=["p-017"])
    at: Moment = Field(description="When it was seen; the same report with the same instant changes nothing.")
    asset: str | None = Field(None, pattern=PERSON, examples=["LT-0001"])
    location: str | None = Field(None, pattern=PERSON, examples=["stockroom-a"])
    reference: str = Field(min_length=1, max_length=400, pattern=TEXT, examples=["delivery note 4711"])
    note: Words = ""


def exceptions_read(on: Services) -> APIRouter:
    """Return the reading routes."""
    router = APIRouter(prefix="/api/v1", tags=["exceptions"])

    @router.get("/exceptions")
    async def exceptions(
        *,
        state: Literal["open", "ended"] = "open",
        category: Name = None,
        severity: Literal["critical", "high", "medium", "low"] | None = None,
        owner: Name = None,
        owner_role: Name = None,
        asset: Name = None,
        location: Name = None,
        suggested: bool | None = None,
        skip: Skip = 0,
        limit: Limit = 100,
    ) -> Exceptions:
        """Return exceptions: open ones by due date, or ended ones, newest first."""
        chosen = Filter(state == "ended", category, severity, owner, owner_role, asset, location, suggested, skip)
        found = await on.exceptions.listed(chosen, limit)
        now = on.now()
        return Exceptions(as_of=now, open=await on.exceptions.open_totals(now), exceptions=list(found))

    @router.get("/exception-categories")
    async def categories() -> Categories:
        """Return the taxonomy: each category's severity, owner role, closure path and evidence."""
        return Categories(as_of=on.now(), categories=[_category(name) for name in CATEGORIES])

    @router.get("/exceptions/{exception}")
    async def exception(exception: Annotated[int, Path(ge=1, le=MAX_ID)]) -> ExceptionAnswer:
        """Return one exception with all that was seen and done."""
        found = await on.exceptions.detail(exception)
        return ExceptionAnswer(as_of=on.now(), **dict(found))

    return router


def exceptions_write(on: Services) -> APIRouter:
    """Return the writing route; who includes it puts the token before it."""
    router = APIRouter(prefix="/api/v1", tags=["exceptions"], route_class=PatientRoute)

    @router.post("/exceptions", status_code=HTTPStatus.CREATED)
    async def told(body: Reported) -> ExceptionAnswer:
        """Report what no rule can see, of a category whose `raised_by` is `hand`; what is open takes an occurrence."""
        done = await report(on.exceptions, Report(**body.model_dump()), on.now())
        return ExceptionAnswer(as_of=on.now(), **dict(done))

    @router.post("/exceptions/{exception}/steps")
    async def step(exception: Annotated[int, Path(ge=1, le=MAX_ID)], body: StepAsked) -> ExceptionAnswer:
        """Take a step: assign, investigate, propose, approve, reject, close, reopen."""
        evidence = Evidence(**body.evidence.model_dump()) if body.evidence else None
        asked = Step(body.step, body.by, body.owner, body.outcome, evidence, body.reason)
        done = await take_step(on.exceptions, exception, asked, on.now(), glass=body.break_glass)
        return ExceptionAnswer(as_of=on.now(), **dict(done))

    return router


def _category(name: str) -> CategoryView:
    known, raised = CATEGORIES[name], RAISED[name]
    return CategoryView(
        name=name, title=known.title, severity=known.severity, owner_role=known.owner_role,
        closure_path=known.closure_path, evidence=list(known.evidence), raised_by=raised.by, raised_when=raised.why,
    )  # fmt: skip
