"""Routes of what doors ask for, and of the badges that an access-control system tells of."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from central.api.alerts import Door, Who
from central.api.patience import PatientRoute
from central.api.routes import TEXT
from central.api.shapes import Answer
from central.application.policies import BadgeShown, DoorPolicy, PolicyBook, set_policy, take_badges
from central.application.ports import Views
from central.application.views import AlertView

MAX_BADGES = 500
"""Badges in one request; an access-control system tells of each at once."""

Needs = Literal["asset", "asset+person"]
ClassKey = Annotated[str, Field(max_length=80, pattern=TEXT)]
Person = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f]+$", examples=["p1"])]


class PolicyBody(BaseModel):
    """What a door asks for."""

    stale: Literal["refuse", "trust"] = Field(
        "refuse", description="What it does while its snapshot is too old: refuse, or go by what it holds."
    )
    needs: dict[ClassKey, Needs] = Field(
        default_factory=dict,
        max_length=200,
        examples=[{"": "asset", "laptop": "asset+person"}],
        description="By class of assets; the empty one stands for all others. What isn't told needs the asset's alone.",
    )


class PolicyAsked(PolicyBody):
    """What a door shall ask for, and who says so."""

    by: Who


class PolicyAnswer(Answer, PolicyBody):
    """A door's policy."""

    portal: str


class BadgeTold(BaseModel):
    """Somebody showed a badge at a door; `person` is the id that custody and passes name."""

    portal: Annotated[str, Field(max_length=80, pattern=TEXT, examples=["stockroom-a-door"])]
    person: Person
    at: AwareDatetime


class BadgesTold(BaseModel):
    """What an access-control system saw."""

    badges: list[BadgeTold] = Field(min_length=1, max_length=MAX_BADGES)


class BadgesTaken(Answer):
    """The alerts that badges changed."""

    alerts: list[AlertView]


def policies_read(book: PolicyBook, now: Callable[[], datetime]) -> APIRouter:
    """Return the reading route."""
    router = APIRouter(prefix="/api/v1", tags=["read"])

    @router.get("/portals/{portal}/policy")
    async def policy(portal: Door) -> PolicyAnswer:
        """Return what a door asks for of which assets, and what an old snapshot means there."""
        return _answer(await book.policy(portal), now())

    return router


def policies_write(book: PolicyBook, views: Views, now: Callable[[], datetime]) -> APIRouter:
    """Return the writing routes; who includes them puts the token before them."""
    router = APIRouter(prefix="/api/v1", tags=["write"], route_class=PatientRoute)

    @router.put("/portals/{portal}/policy")
    async def policy(portal: Door, body: PolicyAsked) -> PolicyAnswer:
        """Say what a door asks for; it replaces what was said before, and passages from now on are judged by it."""
        asked = DoorPolicy(portal, body.stale, dict(body.needs))
        return _answer(await set_policy(book, asked, body.by, now()), now())

    @router.post("/badges")
    async def badges(body: BadgesTold) -> BadgesTaken:
        """Take badges; one that comes after a passage resolves its amber alert, it erases nothing. Kept for 30 days."""
        told = [BadgeShown(**one.model_dump()) for one in body.badges]
        changed = await take_badges(book, told, now())
        return BadgesTaken(as_of=now(), alerts=await views.alerts_by_id(changed) if changed else [])

    return router


def _answer(policy: DoorPolicy, now: datetime) -> PolicyAnswer:
    told = {"as_of": now, "portal": policy.portal, "stale": policy.stale, "needs": policy.needs}
    return PolicyAnswer.model_validate(told)
