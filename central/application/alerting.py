"""The life of alerts, and of doors that are told to be quieter: steps of people, verdicts that the world settles."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from pydantic import Field

from central.application.errors import NotFound, Separated, StepUnfit
from central.application.exceptions import Broken, ExceptionWork, break_open
from central.application.ports import Registry
from central.application.views import AlertView, Instant, View
from central.domain.alert_life import (
    ALERT_TABLE,
    CONFIRM_WITHIN_BD,
    AlertState,
    AlertStep,
    Settled,
    Sighting,
    Verdict,
    higher,
    settle_false_read,
)
from central.domain.exceptions.workflow import Evidence
from central.domain.quiet import MeasureKind, MeasureRefused, check_measure

WORLD = "the world"
"""Who settles a verdict where no person does."""


class DoorFigures(View):
    """What became of a door's alerts; shares are of confirmed verdicts, tests left out."""

    portal: str
    name: str
    alerts: int
    unresolved: int
    provisional: int = Field(description="False reads that the world has not borne out yet: in no share.")
    false_reads: int
    right_alerts: int
    tests: int
    share_false: float | None = Field(None, description="Of the confirmed alerts; none while there are none.")
    share_false_from: float = Field(0.0, description="Lower end of Wilson's 95 % interval.")
    share_false_to: float = Field(1.0, description="Upper end of Wilson's 95 % interval.")


class MeasureView(View):
    """A door that is told to be quieter until an instant."""

    id: int
    portal: str
    kind: str
    mode: str
    reason: str
    by: str
    from_at: Instant
    until_at: Instant


class AlertEventView(View):
    """One thing that happened to an alert."""

    at: Instant
    kind: str
    by: str
    detail: str


class VerdictView(View):
    """One verdict on an alert, and what became of it."""

    verdict: str
    evidence: dict[str, Any]
    at: Instant
    by: str
    standing: str
    confirm_by: Instant | None
    settled_at: Instant | None
    settled_by: str | None


class AlertDetail(View):
    """An alert with its history and its verdicts."""

    alert: AlertView
    history: list[AlertEventView]
    verdicts: list[VerdictView]


@dataclass(frozen=True, slots=True)
class HeldAlert:
    """An alert that is locked for a step; `inside` is its door's inner side."""

    state: AlertState
    severity: str
    portal: str | None
    inside: str | None


@dataclass(frozen=True, slots=True)
class Resolution:
    """A verdict and what shows it."""

    verdict: Verdict
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class AlertAsked:
    """A step that somebody takes with an alert; `glass` is the reason for which separation is broken open."""

    name: AlertStep
    by: str
    reason: str = ""
    resolution: Resolution | None = None
    glass: str | None = None


@dataclass(frozen=True, slots=True)
class QuietAsked:
    """A door that somebody tells to be quieter."""

    portal: str
    kind: MeasureKind
    mode: str
    reason: str
    by: str
    until_at: datetime
    glass: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """What a provisional false read claims: that assets, said to have gone from one place to another, are inside."""

    alert: int
    confirm_by: datetime
    left: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    sightings: Sequence[Sighting] = ()


class AlertWork(ExceptionWork, Protocol):
    """Alerts and measures inside one transaction."""

    async def hold_alert(self, alert: int) -> HeldAlert:
        """Lock an alert, or raise `NotFound`."""

    async def step_alert(self, alert: int, asked: AlertAsked, now: datetime) -> None:
        """Store acknowledge or investigate, with its history and act."""

    async def resolve(
        self, alert: int, asked: AlertAsked, resolution: Resolution, confirm_by: datetime | None, now: datetime
    ) -> None:
        """Store a verdict, provisional until `confirm_by` if that is given. Raises `Separated`."""

    async def settle_verdict(self, alert: int, settled: Settled, by: str, why: str, now: datetime) -> None:
        """Confirm the newest verdict or refute it."""

    async def reopen(self, alert: int, severity: str, by: str, why: str, now: datetime) -> None:
        """Open an alert again with a severity that it never falls below from then on."""

    async def claims(self) -> list[Claim]:
        """Return the provisional false reads with what is known of their assets, their alerts locked."""

    async def add_measure(self, asked: QuietAsked, now: datetime) -> int:
        """Quieten a door from now on. Raises `Separated`."""

    async def end_measure(self, portal: str, measure: int, by: str, now: datetime) -> None:
        """End a measure before its time, or raise `NotFound`."""

    async def registry(self) -> Registry:
        """Return the registry as this transaction sees it."""

    def days(self, location: str | None, start: datetime, business_days: int) -> datetime:
        """Return when business days are over for somebody at a location."""


class AlertBook(Protocol):
    """Alerts and doors as the API sees them."""

    def work(self) -> AbstractAsyncContextManager[AlertWork]:
        """Open a transaction."""

    async def detail(self, alert: int) -> AlertDetail:
        """Return an alert with its history, or raise `NotFound`."""

    async def figures(self, since: datetime, portal: str | None = None) -> list[DoorFigures]:
        """Return what became of the alerts raised since, for every door or one."""

    async def measures(self, now: datetime) -> list[MeasureView]:
        """Return the measures in force."""


async def step_alert(book: AlertBook, alert: int, asked: AlertAsked, now: datetime) -> AlertDetail:
    """Take a step with an alert.

    Raises:
        NotFound: there is no such alert.
        StepUnfit: its state doesn't allow the step, or something is missing.
        Separated: who asks has quietened the door in this shift.
    """
    async with book.work() as work:
        held = await work.hold_alert(alert)
        if held.state not in ALERT_TABLE[asked.name]:
            allowed = ", ".join(name for name, states in ALERT_TABLE.items() if held.state in states)
            raise StepUnfit(f"alert {alert} is {held.state} and can't take the step {asked.name}: it takes {allowed}")
        if asked.name == "resolve":
            await _resolve(work, alert, held, asked, now)
        elif asked.name == "reopen":
            await _reopen(work, alert, held, asked, now)
        else:
            await work.step_alert(alert, asked, now)
    return await book.detail(alert)


async def settle_claims(book: AlertBook, now: datetime) -> list[int]:
    """Hold provisional false reads against what was seen since; return the alerts that were confirmed or reopened."""
    changed = []
    async with book.work() as work:
        claims = await work.claims()
        places = (await work.registry()).places if claims else None
        for claim in claims:
            assert places is not None  # noqa: S101 (there are claims)
            found = settle_false_read(places, claim.left, claim.sightings, now, claim.confirm_by)
            if found is None:
                continue
            settled, why = found
            held = await work.hold_alert(claim.alert)
            if held.state != "resolved":
                continue  # somebody opened it again meanwhile
            await work.settle_verdict(claim.alert, settled, WORLD, why, now)
            if settled == "refuted":
                await work.reopen(claim.alert, higher(held.severity), WORLD, why, now)
            changed.append(claim.alert)
    return changed


async def quieten(book: AlertBook, asked: QuietAsked, now: datetime) -> list[MeasureView]:
    """Quieten a door until an instant; return the measures in force.

    Raises:
        NotFound: there is no such door.
        StepUnfit: it would not be quieter, or for too long.
        Separated: who asks has resolved an alert of this door in this shift.
    """
    async with book.work() as work:
        portal = (await work.registry()).portals.get(asked.portal)
        if portal is None:
            raise NotFound(f"there is no portal {asked.portal!r}: /api/v1/portals lists them")
        try:
            check_measure(portal, asked.kind, asked.mode, now, asked.until_at)
        except MeasureRefused as error:
            raise StepUnfit(str(error)) from error
        try:
            async with work.savepoint():
                await work.add_measure(asked, now)
        except Separated as refusal:
            if asked.glass is None:
                raise
            broken = Broken(refusal.rule, asked.by, f"portal/{asked.portal}", asked.glass)
            await break_open(work, broken, (None, portal.inside), now)
            await work.add_measure(asked, now)
    return await book.measures(now)


async def end_quiet(book: AlertBook, portal: str, measure: int, by: str, now: datetime) -> list[MeasureView]:
    """End a measure before its time; return those still in force. Raises `NotFound`."""
    async with book.work() as work:
        await work.end_measure(portal, measure, by, now)
    return await book.measures(now)


async def _resolve(work: AlertWork, alert: int, held: HeldAlert, asked: AlertAsked, now: datetime) -> None:
    if asked.resolution is None:
        raise StepUnfit("resolve gives no verdict and evidence: say which, and what shows it")
    confirm_by = None
    # What concerns no passage, as a gateway's alert, has no asset that could be seen inside.
    if asked.resolution.verdict == "false_read" and held.portal is not None:
        confirm_by = work.days(held.inside, now, CONFIRM_WITHIN_BD)
    try:
        async with work.savepoint():
            await work.resolve(alert, asked, asked.resolution, confirm_by, now)
    except Separated as refusal:
        if asked.glass is None:
            raise
        await break_open(work, Broken(refusal.rule, asked.by, f"alert/{alert}", asked.glass), (None, held.inside), now)
        await work.resolve(alert, asked, asked.resolution, confirm_by, now)


async def _reopen(work: AlertWork, alert: int, held: HeldAlert, asked: AlertAsked, now: datetime) -> None:
    if not asked.reason.strip():
        raise StepUnfit("reopen gives no reason: say what is wrong with the verdict")
    await work.settle_verdict(alert, "refuted", asked.by, asked.reason, now)
    await work.reopen(alert, higher(held.severity), asked.by, asked.reason, now)
