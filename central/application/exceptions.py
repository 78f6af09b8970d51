"""The exception queue as people use it: read it, take a step, and break a rule of separation open where it must be."""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

from pydantic import Field, computed_field

from central.application.errors import NotFound, Separated, StepUnfit
from central.application.openings import Opening, Openings
from central.application.reviewing import ReviewWork
from central.application.views import Instant, View
from central.domain.exceptions.taxonomy import CATEGORIES
from central.domain.exceptions.terms import Terms
from central.domain.exceptions.workflow import Standing, Step, StepRefused, take

MAX_RULES = 2
"""Rules of separation that one step can break."""


class ExceptionView(View):
    """One exception; `assign_by` and `due_at` were frozen when it was opened."""

    id: int
    category: str
    severity: str
    asset: str | None
    asset_name: str | None
    location: str | None
    location_name: str | None
    state: str
    owner_role: str
    owner: str | None
    closure_path: str
    opened_at: Instant
    assign_by: Instant
    due_at: Instant
    calendar: str
    first_at: Instant
    last_at: Instant
    occurrences: int
    suggestion: str | None
    suggested_by: str | None
    suggested_at: Instant | None
    outcome: str | None
    evidence: dict[str, Any] | None
    proposed_by: str | None
    decided_by: str | None
    decided_at: Instant | None
    reopened: int

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def title(self) -> str:
        """The category in words."""
        known = CATEGORIES.get(self.category)
        return known.title if known else self.category

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def evidence_wanted(self) -> list[str]:
        """What it can be closed with."""
        known = CATEGORIES.get(self.category)
        return list(known.evidence) if known else []


class OccurrenceView(View):
    """One time that it happened; withdrawn when its source no longer says so."""

    source: str
    key: str
    at: Instant
    severity: str
    evidence: dict[str, Any]
    recorded_at: Instant
    withdrawn_at: Instant | None


class ExceptionEventView(View):
    """One thing that was done about an exception."""

    at: Instant
    kind: str
    by: str
    detail: dict[str, Any]


class ExceptionDetail(View):
    """An exception with all that was seen and done."""

    exception: ExceptionView
    occurrences: list[OccurrenceView]
    history: list[ExceptionEventView]


class OpenExceptions(View):
    """What is open, counted over everything: no filter of any list reaches it."""

    total: int
    high_risk: int = Field(description="Of severity critical or high.")
    overdue: int = Field(description="Past the date at which they had to be closed.")
    unassigned_overdue: int = Field(description="That nobody took in time.")
    suggested: int = Field(description="That something suggests to close.")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which exceptions to list; None lets all pass."""

    ended: bool = False
    category: str | None = None
    severity: str | None = None
    owner: str | None = None
    owner_role: str | None = None
    asset: str | None = None
    location: str | None = None
    suggested: bool | None = None
    skip: int = 0
    """How many of them stand on pages before."""


@dataclass(frozen=True, slots=True)
class Held:
    """An exception that is locked for a step."""

    standing: Standing
    asset: str | None
    location: str | None


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule of separation that somebody breaks open with a reason; `subject` is what the rule would protect."""

    rule: str
    by: str
    subject: str
    reason: str


class ExceptionWork(Openings, ReviewWork, Protocol):
    """The queue inside one transaction."""

    async def unassigned(self, limit: int) -> list[int]:
        """Return what is open and nobody has, though somebody answers for it by now, locked."""

    async def assign(self, exceptions: Collection[int], now: datetime) -> int:
        """Give exceptions that nobody has to who holds their role there; return how many found somebody."""

    async def hold(self, exception: int) -> Held:
        """Lock an exception, or raise `NotFound`."""

    async def save(self, exception: int, after: Standing, now: datetime, renewed: Terms | None) -> None:
        """Store what a step made of it; `renewed` terms replace the old ones. Raises `Separated`."""

    async def note(self, exception: int, held: Held, step: Step, now: datetime) -> None:
        """Write a step into the exception's history and into the log."""

    async def knows(self, person: str) -> bool:
        """Tell whether a person is registered and active."""

    async def break_glass(self, broken: Broken, exception: int, now: datetime) -> None:
        """Break a rule open for this transaction; `exception` is the one that reports it."""

    async def unknown(self, asset: str | None, location: str | None) -> list[tuple[str, str]]:
        """Return what nobody registered of an asset and a location, as (column, id)."""

    async def reported(self, exception: int, one: Opening, by: str, now: datetime) -> None:
        """Write a person's report into the exception's history and into the log."""

    def terms(self, severity: str, location: str | None, now: datetime) -> Terms:
        """Return by when it has to be taken and closed."""

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """Open a savepoint."""


class Exceptions(Protocol):
    """The exception queue as the API sees it."""

    def work(self) -> AbstractAsyncContextManager[ExceptionWork]:
        """Open a transaction."""

    async def listed(self, chosen: Filter, limit: int) -> Sequence[ExceptionView]:
        """Return exceptions: open ones by due date, ended ones newest first."""

    async def open_totals(self, now: datetime) -> OpenExceptions:
        """Return what is open over everything."""

    async def detail(self, exception: int) -> ExceptionDetail:
        """Return one exception with its history, or raise `NotFound`."""


async def take_step(
    queue: Exceptions, exception: int, step: Step, now: datetime, *, glass: str | None = None
) -> ExceptionDetail:
    """Take a step with an exception; `glass` is the reason for which separation of duties is broken open.

    Raises:
        NotFound: there is no such exception or person.
        StepUnfit: the state doesn't allow the step, or something is missing.
        Separated: the person may not do it, and `glass` is None.
    """
    async with queue.work() as work:
        await _Taking(work, exception, step, now, glass).run()
    return await queue.detail(exception)


@dataclass(frozen=True, slots=True)
class _Taking:
    """One step, inside its transaction."""

    work: ExceptionWork
    exception: int
    step: Step
    now: datetime
    glass: str | None

    async def run(self) -> None:
        held = await self.work.hold(self.exception)
        for person in (self.step.by, self.step.owner):
            if person is not None and not await self.work.knows(person):
                raise NotFound(f"there is no active person {person!r}: import people.csv")
        try:
            after = take(held.standing, self.step)
        except StepRefused as error:
            raise StepUnfit(str(error)) from error
        renewed = None
        if self.step.name == "reopen":
            renewed = self.work.terms(after.severity, held.location, self.now)
        await self._save(held, after, renewed)
        await self.work.note(self.exception, held, self.step, self.now)

    async def _save(self, held: Held, after: Standing, renewed: Terms | None) -> None:
        """Store the step; each rule that refuses it is broken open and reported if a reason was given."""
        for _ in range(MAX_RULES):
            try:
                async with self.work.savepoint():
                    await self.work.save(self.exception, after, self.now, renewed)
            except Separated as refusal:
                if self.glass is None or refusal.rule == "break_glass":
                    raise
                broken = Broken(refusal.rule, self.step.by, f"exception/{self.exception}", self.glass)
                await break_open(self.work, broken, (held.asset, held.location), self.now)
            else:
                return
        await self.work.save(self.exception, after, self.now, renewed)


async def break_open(work: ExceptionWork, broken: Broken, about: tuple[str | None, str | None], now: datetime) -> None:
    """Report a broken rule as an exception of its own, about (asset, location), and let it be broken from now on.

    It holds within this transaction only.
    """
    asset, location = about
    told = asdict(broken)
    opening = Opening("break_glass", None, asset, location, now, told, f"{broken.rule}/{broken.subject}")
    (report, *_) = await work.open_exceptions([opening], now, source="break_glass")
    await work.break_glass(broken, report, now)
