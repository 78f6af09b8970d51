"""Routes of loans and repairs."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from central.api.calendars import ID, Reason
from central.api.exceptions import PERSON, Name
from central.api.patience import PatientRoute
from central.api.routes import TEXT, Limit, Services
from central.api.shapes import Answer, Moment
from central.application.loans import (
    Ending,
    Extension,
    LoanView,
    NewLoan,
    NewRepair,
    Outcome,
    RepairView,
    close_repair,
    extend_loan,
    open_loan,
    open_repair,
    return_loan,
)

Id = Annotated[str, Field(pattern=ID, examples=["L-2026-014"])]
InPath = Annotated[str, Path(pattern=ID)]
By = Annotated[str, Field(pattern=PERSON, examples=["p-017"])]
Words = Annotated[str, Field(min_length=1, max_length=200, pattern=TEXT)]
When = Annotated[Moment | None, Field(description="Now unless told.")]


class Loans(Answer):
    """Loans: open ones by due date, or those that ended, newest first."""

    loans: list[LoanView]


class Loan(Answer):
    """One loan."""

    loan: LoanView


class Repairs(Answer):
    """Repairs: open ones, the oldest first, or those that ended, newest first."""

    repairs: list[RepairView]


class Repair(Answer):
    """One repair."""

    repair: RepairView


class LoanAsked(BaseModel):
    """A loaner for a person and an incident; `location` answers for it and gives the calendar."""

    id: Id
    asset: Id
    person: By
    incident: Words
    location: Id
    due_on: date
    at: When = None
    by: By


class ExtensionAsked(BaseModel):
    """A later day, approved by the location's service desk manager, who isn't `by` nor the borrower."""

    due_on: date
    approved_by: By
    reason: Reason
    by: By


class EndAsked(BaseModel):
    """The end of a loan."""

    at: When = None
    by: By


class RepairAsked(BaseModel):
    """An asset at a workshop, with the vendor's return number; `location` answers for it and gives the calendar."""

    id: Id
    asset: Id
    vendor: Words
    rma: Words
    location: Id
    expected_return: date
    at: When = None
    by: By


class RepairEndAsked(EndAsked):
    """The end of a repair."""

    outcome: Outcome


def loans_read(on: Services) -> APIRouter:
    """Return the reading routes."""
    router = APIRouter(prefix="/api/v1", tags=["loans"])

    @router.get("/loans")
    async def loans(*, still_open: bool = True, asset: Name = None, limit: Limit = 100) -> Loans:
        """Return loans."""
        return Loans(as_of=on.now(), loans=list(await on.due.loans(asset, limit, still_open=still_open)))

    @router.get("/repairs")
    async def repairs(*, still_open: bool = True, asset: Name = None, limit: Limit = 100) -> Repairs:
        """Return repairs."""
        return Repairs(as_of=on.now(), repairs=list(await on.due.repairs(asset, limit, still_open=still_open)))

    return router


def loans_write(on: Services) -> APIRouter:
    """Return the writing routes; who includes them puts the token before them."""
    router = APIRouter(prefix="/api/v1", tags=["loans"], route_class=PatientRoute)

    @router.post("/loans", status_code=201)
    async def lend(body: LoanAsked) -> Loan:
        """Open a loan."""
        now = on.now()
        new = NewLoan(**body.model_dump(exclude={"at"}), at=body.at or now)
        return Loan(as_of=now, loan=await open_loan(on.due, new, now))

    @router.post("/loans/{loan}/extension")
    async def extend(loan: InPath, body: ExtensionAsked) -> Loan:
        """Give a loan more time."""
        now = on.now()
        return Loan(as_of=now, loan=await extend_loan(on.due, loan, Extension(**body.model_dump()), now))

    @router.post("/loans/{loan}/return")
    async def give_back(loan: InPath, body: EndAsked) -> Loan:
        """End a loan."""
        now = on.now()
        return Loan(as_of=now, loan=await return_loan(on.due, loan, Ending(body.at or now, body.by), now))

    @router.post("/repairs", status_code=201)
    async def send(body: RepairAsked) -> Repair:
        """Open a repair."""
        now = on.now()
        new = NewRepair(**body.model_dump(exclude={"at"}), at=body.at or now)
        return Repair(as_of=now, repair=await open_repair(on.due, new, now))

    @router.post("/repairs/{repair}/close")
    async def fetch(repair: InPath, body: RepairEndAsked) -> Repair:
        """End a repair with its outcome."""
        now = on.now()
        end = Ending(body.at or now, body.by)
        return Repair(as_of=now, repair=await close_repair(on.due, repair, body.outcome, end, now))

    return router
