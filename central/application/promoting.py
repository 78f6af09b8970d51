"""A door's mode: louder step by step, when what it shows meets the policy; quieter at any time."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from pydantic import Field

from central.application.errors import NotFound, StepUnfit
from central.application.views import Instant, View
from central.domain.places import PORTAL_MODES
from central.domain.readiness import Criterion, Evidence, Policy, criteria, lacking, next_mode

REASON: Final = 10
"""Characters that a reason for an override has at least."""


class CriterionView(View):
    """One thing that the policy wants of a door, and what it shows."""

    name: str
    words: str
    wanted: float
    found: float | None
    met: bool


class PromotionView(View):
    """The last change of a door's mode; `overridden` names what it didn't show then."""

    at: Instant
    by: str
    approved_by: str | None
    mode: str
    reason: str
    overridden: str | None


class ReadinessView(View):
    """Whether a door may have the next mode."""

    portal: str
    name: str
    mode: str
    since: Instant | None = Field(description="Since when it has this mode, or its first passage.")
    next: str | None = Field(description="The next louder mode; none after alarm.")
    ready: bool
    lacking: str = Field(description="What it doesn't show yet, in words.")
    criteria: list[CriterionView]
    commissioned_at: Instant | None
    last: PromotionView | None


@dataclass(frozen=True, slots=True)
class ModeAsked:
    """A mode that a door is to have, and why; with `approved_by`, in spite of what it doesn't show."""

    portal: str
    mode: str
    by: str
    reason: str
    approved_by: str | None = None


@dataclass(frozen=True, slots=True)
class Commissioning:
    """Walks through a door with a known truth, and in how many of them it told something else."""

    portal: str
    by: str
    at: datetime
    walks: int
    faults: int
    reference: str


@dataclass(frozen=True, slots=True)
class Known:
    """A door with what is known of it."""

    portal: str
    name: str
    mode: str
    evidence: Evidence
    last: PromotionView | None


class PromotionWork(Protocol):
    """Changing a door's mode, inside one transaction."""

    async def doors(self, portal: str | None, *, lock: bool = False) -> list[Known]:
        """Return what is known of all doors or one."""

    async def promotion_policies(self) -> dict[str, Policy]:
        """Return what each mode wants."""

    async def set_mode(self, asked: ModeAsked, overridden: str | None, now: datetime) -> None:
        """Give a door a mode."""

    async def commissioned(self, done: Commissioning, now: datetime) -> None:
        """Write a commissioning into the log."""

    async def set_promotion_policy(self, policy: Policy, by: str, reason: str, now: datetime) -> None:
        """Change what a mode wants."""


class Promotions(Protocol):
    """The store as promotions see it."""

    def work(self) -> AbstractAsyncContextManager[PromotionWork]:
        """Open a transaction."""


async def readiness(book: Promotions, portal: str | None = None) -> list[ReadinessView]:
    """Return whether doors may have their next mode, all or one. Raises `NotFound`."""
    async with book.work() as work:
        found, policies = await work.doors(portal), await work.promotion_policies()
    if portal is not None and not found:
        raise NotFound(_absent(portal))
    return [_view(one, policies) for one in found]


async def change_mode(book: Promotions, asked: ModeAsked, now: datetime) -> ReadinessView:
    """Give a door another mode; louder only by one step, with what the policy wants or a second person's word.

    Raises:
        NotFound: there is no such door.
        StepUnfit: it has the mode, would skip one, or doesn't show what the policy wants.
    """
    async with book.work() as work:
        doors = await work.doors(asked.portal, lock=True)
        if not doors:
            raise NotFound(_absent(asked.portal))
        held = doors[0]
        if held.mode == asked.mode:
            raise StepUnfit(f"portal {asked.portal!r} has the mode {asked.mode} already")
        overridden = None
        if PORTAL_MODES.index(asked.mode) > PORTAL_MODES.index(held.mode):
            overridden = _louder(held, asked, (await work.promotion_policies())[asked.mode])
        await work.set_mode(asked, overridden, now)
    return (await readiness(book, asked.portal))[0]


async def commission(book: Promotions, done: Commissioning, now: datetime) -> ReadinessView:
    """Record that a door was commissioned. Raises `NotFound`, `StepUnfit`."""
    if done.at > now:
        raise StepUnfit(f"at: {done.at.isoformat()} is still to come")
    if done.faults > done.walks:
        raise StepUnfit(f"faults: {done.faults} of {done.walks} walks can't be wrong")
    async with book.work() as work:
        if not await work.doors(done.portal):
            raise NotFound(_absent(done.portal))
        await work.commissioned(done, now)
    return (await readiness(book, done.portal))[0]


async def set_policy(book: Promotions, policy: Policy, by: str, reason: str, now: datetime) -> Sequence[Policy]:
    """Change what a mode wants; return what all want."""
    async with book.work() as work:
        await work.set_promotion_policy(policy, by, reason, now)
        return list((await work.promotion_policies()).values())


def _absent(portal: str) -> str:
    return f"there is no portal {portal!r}: /api/v1/portals lists them"


def _louder(held: Known, asked: ModeAsked, policy: Policy) -> str | None:
    """Return what is overridden, if anything is; raise `StepUnfit` where the door may not be as loud."""
    step = next_mode(held.mode)
    if asked.mode != step:
        raise StepUnfit(f"portal {held.portal!r} has the mode {held.mode}: next is {step}, {asked.mode} comes later")
    lacks = lacking(criteria(held.evidence, policy))
    if not lacks:
        return None
    if asked.approved_by is None:
        raise StepUnfit(
            f"portal {held.portal!r} is not ready for {asked.mode} ({lacks}): wait, or name who else approves "
            "(approved_by) and why (reason)"
        )
    if asked.approved_by == asked.by:
        raise StepUnfit(f"approved_by: {asked.by!r} asks for it, so another person has to approve it")
    if len(asked.reason.strip()) < REASON:
        raise StepUnfit(f"reason: say in {REASON} characters or more why {held.portal!r} need not be ready")
    return lacks


def _view(one: Known, policies: dict[str, Policy]) -> ReadinessView:
    step = next_mode(one.mode)
    found: list[Criterion] = [] if step is None else criteria(one.evidence, policies[step])
    lacks = lacking(found)
    return ReadinessView(
        portal=one.portal, name=one.name, mode=one.mode, since=one.evidence.since, next=step,
        ready=step is not None and not lacks, lacking=lacks,
        criteria=[CriterionView.model_validate(each, from_attributes=True) for each in found],
        commissioned_at=one.evidence.commissioned_at, last=one.last,
    )  # fmt: skip
