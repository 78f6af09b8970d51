"""Loans and repairs: opened with all that they need, extended with an approval, ended; each step is an act."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal, Protocol

from central.application.calendars import PlaceCalendars
from central.application.deadlines import Deadlines
from central.application.errors import NotFound, StepUnfit
from central.application.openings import Opening
from central.application.ports import Registry
from central.application.stories import Stories
from central.application.views import Instant, View
from central.domain.calendars import end_of
from central.domain.published import CalendarError

Kind = Literal["loan", "repair"]
Outcome = Literal["repaired", "replaced", "beyond_repair", "lost_by_vendor"]
EXTENDED_BY: Final = "service_desk_manager"
"""The role that approves more time for a loan (requirement 40)."""


class LoanView(View):
    """One loan; `due_at` is the end of `due_on`, or of the next business day where that is none."""

    id: str
    asset: str
    person: str
    incident: str
    location: str
    opened_at: Instant
    due_on: date
    due_at: Instant
    calendar: str
    extended: int
    approved_by: str | None
    returned_at: Instant | None


class RepairView(View):
    """One repair; from `overdue_at` on it is escalated."""

    id: str
    asset: str
    vendor: str
    rma: str
    location: str
    opened_at: Instant
    expected_return: date
    overdue_at: Instant
    calendar: str
    closed_at: Instant | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class NewLoan:
    """A loaner goes to a person for an incident, until a day; `location` answers for it."""

    id: str
    asset: str
    person: str
    incident: str
    location: str
    due_on: date
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Extension:
    """A later day for a loan, approved by somebody who may."""

    due_on: date
    approved_by: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class NewRepair:
    """An asset goes to a workshop with the vendor's return number and a day by which it is to be back."""

    id: str
    asset: str
    vendor: str
    rma: str
    location: str
    expected_return: date
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Ending:
    """When a loan or a repair ended, and who says so."""

    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Told:
    """An act about a loan or a repair."""

    act: str
    kind: Kind
    id: str
    asset: str
    location: str
    at: datetime
    by: str
    detail: dict[str, Any]


class Loans(Protocol):
    """The part of a transaction that keeps loans and repairs."""

    async def has_asset(self, asset: str) -> bool:
        """Tell whether an asset is registered."""

    async def has_person(self, person: str) -> bool:
        """Tell whether a person is registered and active."""

    async def holds_role(self, person: str, role: str, places: Sequence[str]) -> bool:
        """Tell whether a person has a role, everywhere or at one of the places."""

    async def tell(self, told: Told, now: datetime) -> None:
        """Write an act and bring the loan or repair up to it."""

    async def loan(self, loan: str) -> LoanView | None:
        """Return a loan."""

    async def repair(self, repair: str) -> RepairView | None:
        """Return a repair."""

    async def open_of(self, kind: Kind, asset: str) -> str | None:
        """Return the id of an asset's open loan or repair."""


class LoanTransaction(Protocol):
    """What loans and repairs need of a transaction."""

    @property
    def loans(self) -> Loans:
        """Where loans and repairs are kept."""

    @property
    def deadlines(self) -> Deadlines:
        """Where it stands how long a repair may take."""

    @property
    def stories(self) -> Stories:
        """Who locks assets."""

    async def registry(self) -> Registry:
        """Return the registry as this transaction sees it."""

    async def settle_exceptions(
        self, source: str, assets: Collection[str], openings: Sequence[Opening], now: datetime
    ) -> list[int]:
        """Make the exception queue say about assets what a source says now."""


class LoanLog(Protocol):
    """The store as loans and repairs see it."""

    def transaction(self) -> AbstractAsyncContextManager[LoanTransaction]:
        """Open a transaction."""


async def open_loan(log: LoanLog, new: NewLoan, now: datetime) -> LoanView:
    """Open a loan.

    Raises:
        NotFound: there is no such asset, location or active person.
        StepUnfit: the id is used, the asset is on loan already, or the day lies before the loan.
    """
    async with log.transaction() as transaction:
        calendars = await _ready(transaction, "loan", (new.id, new.asset, new.location), new.at, now)
        await _known(transaction, new.by, new.person)
        until = _until(calendars, new.location, new.at, new.due_on)
        detail = {"person": new.person, "incident": new.incident, **until}
        told = Told("loan_opened", "loan", new.id, new.asset, new.location, new.at, new.by, detail)
        await transaction.loans.tell(told, now)
        return await _loan(transaction, new.id)


async def extend_loan(log: LoanLog, loan: str, asked: Extension, now: datetime) -> LoanView:
    """Give a loan more time; an overdue one isn't wrong any more.

    Raises:
        NotFound: there is no such loan.
        StepUnfit: it is over, the day isn't later, or the approver may not: another person than the borrower and the
            one who asks, who is the location's service desk manager.
    """
    async with log.transaction() as transaction:
        await _known(transaction, asked.by)
        held = await _hold_loan(transaction, loan)
        if asked.due_on <= held.due_on:
            raise StepUnfit(f"loan {loan} is due on {held.due_on} already: an extension names a later day")
        registry = await transaction.registry()
        places = registry.places.chain(held.location)
        if asked.approved_by in {asked.by, held.person}:
            raise StepUnfit(f"{asked.approved_by} asks for this or has the loan: another person has to approve it")
        if not await transaction.loans.holds_role(asked.approved_by, EXTENDED_BY, places):
            raise StepUnfit(
                f"{asked.approved_by} is no {EXTENDED_BY} of {held.location}: name one, or import role_holders.csv"
            )
        until = _until(registry.calendars, held.location, held.opened_at, asked.due_on)
        if datetime.fromisoformat(until["due_at"]) <= now:
            raise StepUnfit(f"{asked.due_on} is over: an extension names a day that is still to come")
        detail = {"approved_by": asked.approved_by, "reason": asked.reason, **until}
        told = Told("loan_extended", "loan", loan, held.asset, held.location, now, asked.by, detail)
        await transaction.loans.tell(told, now)
        await transaction.settle_exceptions("loan", [held.asset], [], now)
        return await _loan(transaction, loan)


async def return_loan(log: LoanLog, loan: str, end: Ending, now: datetime) -> LoanView:
    """End a loan.

    Raises:
        NotFound: there is no such loan.
        StepUnfit: it is over already, or would end before it began or after now.
    """
    async with log.transaction() as transaction:
        await _known(transaction, end.by)
        held = await _hold_loan(transaction, loan)
        _check_end("loan", loan, held.opened_at, end.at, now)
        told = Told("loan_returned", "loan", loan, held.asset, held.location, end.at, end.by, {})
        await transaction.loans.tell(told, now)
        await transaction.settle_exceptions("loan", [held.asset], [], now)
        return await _loan(transaction, loan)


async def open_repair(log: LoanLog, new: NewRepair, now: datetime) -> RepairView:
    """Open a repair; it is overdue after as many business days as the policy says at this moment.

    Raises:
        NotFound: there is no such asset or location.
        StepUnfit: the id is used, the asset is in repair already, or the day lies before the repair.
    """
    async with log.transaction() as transaction:
        await _known(transaction, new.by)
        calendars = await _ready(transaction, "repair", (new.id, new.asset, new.location), new.at, now)
        days = (await transaction.deadlines.policies())["repair"].business_days
        assert days is not None  # noqa: S101 (the database holds that a repair's policy has them)
        with _reached_by_calendar():
            overdue = calendars.due(new.at, days, new.location)
        _until(calendars, new.location, new.at, new.expected_return)
        detail = {
            "vendor": new.vendor,
            "rma": new.rma,
            "expected_return": new.expected_return.isoformat(),
            "overdue_at": overdue.at.isoformat(),
            "calendar": overdue.calendar,
        }
        told = Told("repair_opened", "repair", new.id, new.asset, new.location, new.at, new.by, detail)
        await transaction.loans.tell(told, now)
        return await _repair(transaction, new.id)


async def close_repair(log: LoanLog, repair: str, outcome: Outcome, end: Ending, now: datetime) -> RepairView:
    """End a repair with its outcome.

    Raises:
        NotFound: there is no such repair.
        StepUnfit: it is over already, or would end before it began or after now.
    """
    async with log.transaction() as transaction:
        await _known(transaction, end.by)
        held = await _repair(transaction, repair)
        await transaction.stories.lock([held.asset])
        held = await _repair(transaction, repair)
        if held.closed_at is not None:
            raise StepUnfit(f"repair {repair} ended on {held.closed_at.isoformat()}: {held.outcome}")
        _check_end("repair", repair, held.opened_at, end.at, now)
        told = Told("repair_closed", "repair", repair, held.asset, held.location, end.at, end.by, {"outcome": outcome})
        await transaction.loans.tell(told, now)
        await transaction.settle_exceptions("repair", [held.asset], [], now)
        return await _repair(transaction, repair)


async def _known(transaction: LoanTransaction, *people: str) -> None:
    """See that people are registered: who may approve hangs on who asks, so a made-up name must not ask."""
    for person in people:
        if not await transaction.loans.has_person(person):
            raise NotFound(f"there is no active person {person!r}: import people.csv")


async def _ready(
    transaction: LoanTransaction, kind: Kind, what: tuple[str, str, str], at: datetime, now: datetime
) -> PlaceCalendars:
    """Lock the asset and see that it may be opened; `what` is id, asset and location."""
    name, asset, location = what
    registry = await transaction.registry()
    if location not in {one.id for one in registry.places}:
        raise NotFound(f"there is no location {location!r}: /api/v1/locations lists them")
    if not await transaction.loans.has_asset(asset):
        raise NotFound(f"there is no asset {asset!r}: import assets.csv")
    if at > now:
        raise StepUnfit(f"{kind} {name} would begin at {at.isoformat()}, which is still to come")
    await transaction.stories.lock([asset])
    used = await (transaction.loans.loan(name) if kind == "loan" else transaction.loans.repair(name))
    if used is not None:
        raise StepUnfit(f"there is a {kind} {name} already: use another id")
    other = await transaction.loans.open_of(kind, asset)
    if other is not None:
        raise StepUnfit(f"{asset} has an open {kind}, {other}: end that one first")
    return registry.calendars


@contextmanager
def _reached_by_calendar() -> Iterator[None]:
    """Refuse a day that no calendar reaches."""
    try:
        yield
    except CalendarError as error:
        raise StepUnfit(f"{error}: name a day that it reaches") from error


def _until(calendars: PlaceCalendars, location: str, start: datetime, day: date) -> dict[str, str]:
    """Return the detail of a day that is named: its end at the location, on the next business day where it is none."""
    calendar, place = calendars.at(location, start), calendars.key(location)
    with _reached_by_calendar():
        end = end_of(calendar.after(day, 0), place)
    if end <= start:
        raise StepUnfit(f"{day} is over at {start.isoformat()}: name a later day")
    return {"due_on": day.isoformat(), "due_at": end.isoformat(), "calendar": calendar.version}


def _check_end(kind: Kind, name: str, opened_at: datetime, at: datetime, now: datetime) -> None:
    if not opened_at <= at <= now:
        raise StepUnfit(f"{kind} {name} began at {opened_at.isoformat()}: it ends between that and now")


async def _hold_loan(transaction: LoanTransaction, loan: str) -> LoanView:
    """Lock a loan by its asset, and see that it is open."""
    await transaction.stories.lock([(await _loan(transaction, loan)).asset])
    held = await _loan(transaction, loan)
    if held.returned_at is not None:
        raise StepUnfit(f"loan {loan} ended on {held.returned_at.isoformat()}: open another one")
    return held


async def _loan(transaction: LoanTransaction, loan: str) -> LoanView:
    found = await transaction.loans.loan(loan)
    if found is None:
        raise NotFound(f"there is no loan {loan!r}: /api/v1/loans lists them")
    return found


async def _repair(transaction: LoanTransaction, repair: str) -> RepairView:
    found = await transaction.loans.repair(repair)
    if found is None:
        raise NotFound(f"there is no repair {repair!r}: /api/v1/repairs lists them")
    return found
