"""Deadlines: planned from what is open, fired when they are reached, each once, whatever dies in between."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Protocol

from central.application.calendars import PlaceCalendars
from central.application.commit import BY_HAND
from central.application.errors import StepUnfit
from central.application.openings import Opening
from central.application.passes import PassesBack, take_back
from central.application.ports import Registry
from central.application.stories import Teller, tell
from central.application.views import Instant, View
from central.domain.calendars import plain_of
from central.domain.deadlines import OWN_ROLES, STAND_INS, Deadline, Obligation, Policy, plan
from central.domain.people import answering
from central.domain.published import CalendarError

PLANNED_AT_ONCE: Final = 5000
FIRED_AT_ONCE: Final = 200
"""Deadlines in one transaction: it holds the locks of their assets, which ingest waits for."""
OVERDUE: Final[Mapping[str, str]] = {
    "receipt": "not_received", "loan": "loaner_overdue", "repair": "repair_overdue", "gate_pass": "pass_overdue",
}  # fmt: skip
"""The exception category that an overdue obligation is told as; those of exceptions are exceptions already."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A deadline that is reached while its obligation is still open."""

    id: int
    deadline: Deadline
    asset: str | None
    location: str | None
    start: datetime


@dataclass(slots=True)
class Swept:
    """What a sweep did: obligations planned, deadlines fired, exceptions that changed, and what can't be planned."""

    planned: int = 0
    fired: int = 0
    exceptions: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class DeadlineView(View):
    """One deadline; `fired_at` once it was reached."""

    subject_kind: str
    subject: str
    stage: str
    at: Instant
    due_at: Instant
    calendar_version: str
    recipient: str
    fired_at: Instant | None


@dataclass(frozen=True, slots=True)
class DeadlineFilter:
    """Which deadlines to list; None lets all pass."""

    fired: bool = False
    subject_kind: str | None = None
    subject: str | None = None


class Deadlines(PassesBack, Protocol):
    """The deadlines' part of a transaction."""

    async def policies(self) -> dict[str, Policy]:
        """Return who hears when, by kind of obligation."""

    async def absent(self, names: Collection[str]) -> list[str]:
        """Return which of the names are neither a role nor an active person."""

    async def set_policy(self, policy: Policy, by: str, reason: str, now: datetime) -> None:
        """Change who hears when; what hasn't fired is planned anew."""

    async def may_sweep(self) -> bool:
        """Tell whether nobody else sweeps at the moment; if so, nobody does until this transaction ends."""

    async def forget_settled(self) -> None:
        """Forget deadlines of what is open no more, or due at another time."""

    async def unplanned(self, limit: int) -> list[Obligation]:
        """Return obligations that have no deadlines yet."""

    async def keep(self, planned: Sequence[tuple[Obligation, Sequence[Deadline]]]) -> None:
        """Store deadlines; those that have fired by the log stay fired."""

    async def reached(self, now: datetime, limit: int) -> tuple[list[Reached], bool]:
        """Lock and return deadlines that are reached, in the order in which they fire, and whether there may be more.

        Those that others hold are passed over; those whose obligation has ended are forgotten.
        """

    async def fire(self, reached: Reached, now: datetime) -> None:
        """Write the act of a deadline that fires."""

    async def escalate(self, reached: Reached, category: str | None, now: datetime) -> list[int]:
        """Write into the history of the exception that a deadline is about; return which."""


class SweepTransaction(Teller, Protocol):
    """What a sweep needs of a transaction."""

    @property
    def deadlines(self) -> Deadlines:
        """Where deadlines are kept."""

    async def registry(self) -> Registry:
        """Return the registry as this transaction sees it."""

    async def settle_exceptions(
        self, source: str, assets: Collection[str], openings: Sequence[Opening], now: datetime
    ) -> list[int]:
        """Make the exception queue say about assets what a source says now."""

    async def keep_calendars(self) -> None:
        """Store the calendars that were counted by, before anything refers to them."""


class SweepLog(Protocol):
    """The store as a sweep sees it."""

    def transaction(self) -> AbstractAsyncContextManager[SweepTransaction]:
        """Open a transaction."""


async def sweep(log: SweepLog, now: datetime) -> Swept:
    """Plan what is open and fire what is reached; a second sweep, or one beside it, finds nothing left to do."""
    done = Swept()
    async with log.transaction() as transaction:
        if await transaction.deadlines.may_sweep():
            done.exceptions += await take_back(transaction, now)
            await _plan(transaction, done)
    while True:
        async with log.transaction() as transaction:
            # Two at once would fire a level before the due date that it follows.
            if not await transaction.deadlines.may_sweep():
                return done
            reached, more = await transaction.deadlines.reached(now, FIRED_AT_ONCE)
            done.exceptions += await _fire(transaction, reached, now)
        done.fired += len(reached)
        if not more:
            return done


async def set_policy(log: SweepLog, policy: Policy, by: str, reason: str, now: datetime) -> None:
    """Change who hears when, for all that hasn't fired yet.

    Raises:
        StepUnfit: a step or a recipient is missing or isn't registered, or the due date isn't this kind's to set.
    """
    if len(policy.path) != len(policy.steps) + 1:
        raise StepUnfit(f"path names {len(policy.path)} recipients: one for the due date and one for each of the steps")
    if list(policy.steps) != sorted(policy.steps):
        raise StepUnfit("steps must not go back in time: order them")
    if (policy.business_days is not None) != (policy.subject_kind == "repair"):
        raise StepUnfit("business_days is a repair's: the others' records have due dates of their own")
    async with log.transaction() as transaction:
        absent = await transaction.deadlines.absent(set(policy.path) - STAND_INS - OWN_ROLES)
        if absent:
            raise StepUnfit(f"path: there is no role and no active person {absent[0]!r}: /api/v1/roles lists the roles")
        await transaction.deadlines.set_policy(policy, by, reason, now)


async def _plan(transaction: SweepTransaction, done: Swept) -> None:
    await transaction.deadlines.forget_settled()
    obligations = await transaction.deadlines.unplanned(PLANNED_AT_ONCE)
    if not obligations:
        return
    registry, policies = await transaction.registry(), await transaction.deadlines.policies()
    planned = []
    for one in obligations:
        try:
            stages = _stages(registry.calendars, one, policies[one.kind])
            planned.append((one, [replace(stage, recipient=_who(registry, stage, one)) for stage in stages]))
        except CalendarError as error:
            done.problems.append(f"{one.kind} {one.subject}: {error}")
    await transaction.keep_calendars()
    await transaction.deadlines.keep(planned)
    done.planned = len(planned)


def _stages(calendars: PlaceCalendars, one: Obligation, policy: Policy) -> tuple[Deadline, ...]:
    """Plan by the place's calendar; Monday to Friday where that has no such day: who is late must be told of."""
    key = calendars.key(one.location)
    try:
        return plan(one, policy, key, calendars.at(one.location, one.start))
    except CalendarError:
        plain = plain_of(key)
        return plan(one, policy, plain, calendars.calendars.at(plain, one.start))


def _who(registry: Registry, stage: Deadline, about: Obligation) -> str:
    """Return who hears of a stage: the role that owns the place, where its branch is to."""
    return answering(stage.recipient, about.location, registry.places, registry.world.owner_roles)


async def _fire(transaction: SweepTransaction, reached: Sequence[Reached], now: datetime) -> list[int]:
    """Fire deadlines: their acts, then what is wrong from now on, then who hears of it."""
    assets = {one.asset for one in reached if one.asset is not None}
    if assets:
        await transaction.stories.lock(assets)
    for one in reached:
        await transaction.deadlines.fire(one, now)
    due = [one for one in reached if one.deadline.stage == "due"]
    changed = await _retell(transaction, {one.asset for one in due if one.deadline.kind == "receipt"} & assets, now)
    for kind in ("loan", "repair", "gate_pass"):
        openings = [overdue(one) for one in due if one.deadline.kind == kind]
        if openings:
            about = {opening.asset for opening in openings if opening.asset is not None}
            changed += await transaction.settle_exceptions(kind, about, openings, now)
    for one in reached:
        if one.deadline.stage != "warn":
            changed += await transaction.deadlines.escalate(one, OVERDUE.get(one.deadline.kind), now)
    return sorted(set(changed))


def overdue(one: Reached) -> Opening:
    """Return what is wrong when a loan, a repair or the way out on a pass isn't over in time."""
    told = {one.deadline.kind: one.deadline.subject, "since": one.start.isoformat(), "calendar": one.deadline.calendar}
    return Opening(
        OVERDUE[one.deadline.kind], None, one.asset, one.location, one.deadline.due_at, told, one.deadline.subject
    )


async def _retell(transaction: SweepTransaction, assets: Collection[str | None], now: datetime) -> list[int]:
    """Tell the stories of assets again, which say by now that they weren't received in time."""
    named = sorted(asset for asset in assets if asset is not None)
    if not named:
        return []
    registry = await transaction.registry()
    told = await tell(transaction, registry.world, registry.routes, dict.fromkeys(named, BY_HAND), now)
    return told.exceptions
