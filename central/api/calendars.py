"""Routes of the calendars: what counts at a place, the overrides, what is due when, and who hears of it."""

from datetime import date, timedelta
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field, StringConstraints

from central.api.exceptions import PERSON
from central.api.patience import PatientRoute
from central.api.routes import TEXT, Limit, Services
from central.api.shapes import Answer, Day
from central.application.calendars import CalendarView, NewOverride, OverrideView, declare, view
from central.application.deadlines import DeadlineFilter, DeadlineView, set_policy
from central.application.views import View
from central.domain.deadlines import Policy, SubjectKind

ID = r"^[A-Za-z0-9._-]{1,80}$"
SHOWN: Final = timedelta(days=365)
"""How far ahead special days are shown unless told."""

Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=3, max_length=400, pattern=TEXT),
    Field(examples=["stocktaking"]),
]
Location = Annotated[str, Query(max_length=80, pattern=ID, examples=["hq"])]


class CalendarAnswer(Answer):
    """A location's calendar as it counts now."""

    calendar: CalendarView


class Overrides(Answer):
    """Overrides, the newest first; of one scope and day the newest counts."""

    overrides: list[OverrideView]


class OverrideAsked(BaseModel):
    """A day, for a location and all that lies in it, or for a country or subdivision."""

    day: date
    status: Literal["working", "closed", "published"] = Field(description="`published` takes an earlier one back.")
    reason: Reason
    country: str | None = Field(None, pattern=r"^[A-Z]{2}$", examples=["GB"])
    subdivision: str | None = Field(None, pattern=r"^[A-Z0-9]{1,3}$", examples=["SCT"])
    location: str | None = Field(None, pattern=ID, examples=["hq"])


class OverridesAsked(BaseModel):
    """Overrides that a person declares, all or none."""

    by: str = Field(pattern=PERSON, examples=["p-017"])
    overrides: list[OverrideAsked] = Field(min_length=1, max_length=1000)


class Declared(Answer):
    """The ids of the overrides, in their order."""

    ids: list[int]


class Deadlines(Answer):
    """Deadlines by their time."""

    deadlines: list[DeadlineView]


class PolicyView(View):
    """Who hears when: `path` has whom warning and due date go to, then one for each of the `steps`."""

    subject_kind: SubjectKind
    business_days: int | None
    warn: bool
    steps: list[int]
    path: list[str]


class Policies(Answer):
    """The policies of all kinds of due dates."""

    policies: list[PolicyView]


Name = Annotated[str, Field(min_length=1, max_length=80, pattern=TEXT)]


class PolicyAsked(BaseModel):
    """A new policy; it counts for what hasn't fired yet."""

    by: str = Field(pattern=PERSON, examples=["p-017"])
    reason: Reason
    business_days: int | None = Field(None, ge=1, le=250, description="Of a repair only.")
    warn: bool
    steps: list[Annotated[int, Field(ge=0, le=250)]] = Field(min_length=1, max_length=3)
    path: list[Name] = Field(
        min_length=2, max_length=4, description="Roles or people; `receiver`, `owner`: whom the record names."
    )


def calendars_read(on: Services) -> APIRouter:
    """Return the reading routes."""
    router = APIRouter(prefix="/api/v1", tags=["calendars"])

    @router.get("/calendar")
    async def calendar(location: Location, from_day: Day | None = None, to_day: Day | None = None) -> CalendarAnswer:
        """Return a location's calendar: its version, and the days that differ from the usual week."""
        now = on.now()
        first = from_day or now.date()
        found = view(await on.calendars.places(), location, now, (first, to_day or first + SHOWN))
        return CalendarAnswer(as_of=now, calendar=found)

    @router.get("/calendar-overrides")
    async def overrides(from_day: Day | None = None, limit: Limit = 100) -> Overrides:
        """Return overrides of days from one on (today unless told), the newest first."""
        now = on.now()
        return Overrides(as_of=now, overrides=list(await on.calendars.overrides(from_day or now.date(), limit)))

    @router.get("/deadlines")
    async def deadlines(
        *,
        fired: bool = False,
        subject_kind: SubjectKind | None = None,
        subject: Annotated[str | None, Query(max_length=200, pattern=TEXT)] = None,
        limit: Limit = 100,
    ) -> Deadlines:
        """Return deadlines to come by their time, or those that fired, newest first."""
        found = await on.due.deadlines(DeadlineFilter(fired, subject_kind, subject), limit)
        return Deadlines(as_of=on.now(), deadlines=list(found))

    @router.get("/sla-policies")
    async def policies() -> Policies:
        """Return who hears when, of each kind of due date."""
        found = [PolicyView.model_validate(one, from_attributes=True) for one in await on.due.policies()]
        return Policies(as_of=on.now(), policies=found)

    return router


def calendars_write(on: Services) -> APIRouter:
    """Return the writing routes; who includes them puts the token before them."""
    router = APIRouter(prefix="/api/v1", tags=["calendars"], route_class=PatientRoute)

    @router.post("/calendar-overrides")
    async def override(body: OverridesAsked) -> Declared:
        """Declare days working or closed; they count for what starts from now on."""
        now = on.now()
        asked = [NewOverride(**one.model_dump(), by=body.by) for one in body.overrides]
        return Declared(as_of=now, ids=await declare(on.calendars, asked, now))

    @router.put("/sla-policies/{subject_kind}")
    async def policy(subject_kind: Annotated[SubjectKind, Path()], body: PolicyAsked) -> Policies:
        """Change who hears when, for what hasn't fired yet."""
        asked = Policy(subject_kind, body.business_days, body.warn, tuple(body.steps), tuple(body.path))
        await set_policy(on.due, asked, body.by, body.reason, on.now())
        found = [PolicyView.model_validate(one, from_attributes=True) for one in await on.due.policies()]
        return Policies(as_of=on.now(), policies=found)

    return router
