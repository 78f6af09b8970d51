"""Routes of doors' modes: what speaks for a louder one, commissionings, and the change itself."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from central.api.alerts import Door
from central.api.exceptions import PERSON
from central.api.patience import PatientRoute
from central.api.routes import TEXT, Services
from central.api.shapes import Answer, Moment
from central.application.promoting import (
    Commissioning,
    ModeAsked,
    ReadinessView,
    change_mode,
    commission,
    readiness,
    set_policy,
)
from central.application.views import View
from central.domain.readiness import Policy

Person = Annotated[str, Field(pattern=PERSON, examples=["p-017"])]
Reason = Annotated[str, Field(min_length=3, max_length=400, pattern=TEXT, examples=["20 walks without a fault"])]
Share = Annotated[float, Field(ge=0, le=1)]
Mode = Literal["observe", "notify", "alarm"]


class ReadinessAnswer(Answer):
    """Whether a door may have the next mode."""

    readiness: ReadinessView


class AllReadiness(Answer):
    """The same of all doors."""

    portals: list[ReadinessView]


class ModeTold(BaseModel):
    """A mode for a door, and why; `approved_by` is the second person where it isn't ready."""

    by: Person
    mode: Mode
    reason: Reason
    approved_by: Person | None = None


class CommissioningTold(BaseModel):
    """Walks with a known truth, in how many of them the door told something else, and where that can be looked up."""

    by: Person
    at: Moment
    walks: int = Field(ge=1, le=100_000)
    faults: int = Field(ge=0, le=100_000)
    reference: str = Field(min_length=1, max_length=400, pattern=TEXT, examples=["commissioning-2026-03-02.json"])


class PolicyShown(View):
    """What a mode wants of a door."""

    mode: str
    least_days: int
    least_crossings: int
    most_missed: float
    most_false: float
    least_walks: int
    most_walk_faults: float


class PromotionPolicies(Answer):
    """What each mode wants."""

    policies: list[PolicyShown]


class PromotionPolicyTold(BaseModel):
    """What a mode is to want; shares are upper ends of 95 % intervals."""

    by: Person
    reason: Reason
    least_days: int = Field(ge=0, le=366)
    least_crossings: int = Field(ge=0, le=10_000_000)
    most_missed: Share
    most_false: Share
    least_walks: int = Field(ge=0, le=100_000)
    most_walk_faults: Share


def promoting_read(on: Services) -> APIRouter:
    """Return the reading routes."""
    router = APIRouter(prefix="/api/v1", tags=["doors"])

    @router.get("/portal-readiness")
    async def all_doors() -> AllReadiness:
        """Return of each door whether it may have the next mode, and what it doesn't show yet."""
        return AllReadiness(as_of=on.now(), portals=await readiness(on.promotions))

    @router.get("/portals/{portal}/readiness")
    async def door(portal: Door) -> ReadinessAnswer:
        """Return whether a door may have the next mode: each thing that the policy wants, and what the door shows."""
        (found,) = await readiness(on.promotions, portal)
        return ReadinessAnswer(as_of=on.now(), readiness=found)

    @router.get("/promotion-policies")
    async def policies() -> PromotionPolicies:
        """Return what a door has to show before it may have each mode."""
        async with on.promotions.work() as work:
            found = list((await work.promotion_policies()).values())
        return _policies(on, found)

    return router


def promoting_write(on: Services) -> APIRouter:
    """Return the writing routes; who includes them puts the token before them."""
    router = APIRouter(prefix="/api/v1", tags=["doors"], route_class=PatientRoute)

    @router.put("/portals/{portal}/mode")
    async def mode(portal: Door, body: ModeTold) -> ReadinessAnswer:
        """Give a door a mode: quieter at any time, louder by one step when it is ready or another person approves."""
        asked = ModeAsked(portal, body.mode, body.by, body.reason, body.approved_by)
        return ReadinessAnswer(as_of=on.now(), readiness=await change_mode(on.promotions, asked, on.now()))

    @router.post("/portals/{portal}/commissionings")
    async def commissioned(portal: Door, body: CommissioningTold) -> ReadinessAnswer:
        """Record that a door was commissioned by walks with a known truth."""
        done = Commissioning(portal, body.by, body.at, body.walks, body.faults, body.reference)
        return ReadinessAnswer(as_of=on.now(), readiness=await commission(on.promotions, done, on.now()))

    @router.put("/promotion-policies/{mode}")
    async def policy(mode: Literal["notify", "alarm"], body: PromotionPolicyTold) -> PromotionPolicies:
        """Change what a door has to show before it may have a mode."""
        asked = Policy(mode, **body.model_dump(exclude={"by", "reason"}))
        return _policies(on, list(await set_policy(on.promotions, asked, body.by, body.reason, on.now())))

    return router


def _policies(on: Services, found: list[Policy]) -> PromotionPolicies:
    return PromotionPolicies(
        as_of=on.now(), policies=[PolicyShown.model_validate(one, from_attributes=True) for one in found]
    )
