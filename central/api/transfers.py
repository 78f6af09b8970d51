"""Routes of transfers and what is under way: ask, approve, cancel, scan out and in, claim, and what doors miss."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from central.api.patience import PatientRoute
from central.api.routes import TEXT, Limit, Services
from central.api.shapes import Answer, Moment
from central.application import transfers as use
from central.application.consent import Side
from central.application.errors import NotFound
from central.application.in_transit import TransitTotals, TripView
from central.application.transfer_views import LegView, TransferView
from central.application.upkeep import AccuracyView
from central.domain.story.records import ESCALATION

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,80}$")]
InPath = Annotated[str, Path(max_length=80, pattern=TEXT)]
Words = Annotated[str, Field(min_length=1, max_length=2000, pattern=TEXT)]


class TransfersAnswer(Answer):
    """Transfers, newest first."""

    transfers: list[TransferView]


class TransferAnswer(Answer):
    """One transfer."""

    transfer: TransferView


class LegsAnswer(Answer):
    """Ways of assets, those under way first by due date."""

    legs: list[LegView]


class InTransitAnswer(Answer):
    """What is under way, by transfer; `totals` count all of it."""

    totals: TransitTotals
    trips: list[TripView]


class AccuracyAnswer(Answer):
    """What doors are measured to miss and misread."""

    portals: list[AccuracyView]


class TransferAsked(BaseModel):
    """A transfer as somebody asks for it; sender and receiver are persons or roles."""

    by: Id
    from_: Id = Field(alias="from", examples=["stockroom-a"])
    to: Id = Field(examples=["branch-stock"])
    assets: list[Id] = Field(min_length=1, max_length=1000)
    sender: Id
    receiver: Id
    reason: Words
    ticket: Words | None = None
    cost_centre: Words | None = None
    escalation: list[Id] = Field(list(ESCALATION), min_length=1, max_length=10)

    def request(self) -> use.Request:
        """Return it for the use case."""
        return use.Request(
            self.by, self.from_, self.to, self.assets, self.sender, self.receiver, self.reason, self.ticket,
            self.cost_centre, self.escalation,
        )  # fmt: skip


class Check(Answer):
    """What keeps a transfer from being requested; nothing was written."""

    problems: list[str]


class Approval(BaseModel):
    """Who approves for which side, and until when the assets may leave; 14 days unless said otherwise."""

    by: Id
    until: Moment | None = None
    side: Side | None = Field(None, description="Each side whose owner one is, unless one is named.")


class Cancellation(BaseModel):
    """Who cancels, and why; with assets, those of the manifest only."""

    by: Id
    reason: Words
    assets: list[Id] | None = Field(None, min_length=1, max_length=1000)


class Scan(BaseModel):
    """Who scanned which assets; all that can be, unless some are named."""

    by: Id
    assets: list[Id] | None = Field(None, min_length=1, max_length=1000)


class Receipt(Scan):
    """A scan at a location; the transfer's destination unless another is named."""

    location: Id | None = None


class Claim(BaseModel):
    """Who answers for what left undeclared, and where it goes."""

    by: Id
    sender: Id
    receiver: Id
    destination: Id | None = None


class Sighting(BaseModel):
    """Where somebody saw an asset, and how."""

    by: Id
    location: Id
    how: Words = Field("scan", examples=["handheld 7"])


def transfers_read(on: Services) -> APIRouter:
    """Return the reading routes."""
    router = APIRouter(prefix="/api/v1", tags=["transfers"])

    @router.get("/transfers")
    async def transfers(
        asset: Annotated[str | None, Query(max_length=80, pattern=TEXT)] = None, limit: Limit = 100
    ) -> TransfersAnswer:
        """Return transfers, newest first, each with its manifest and how far it is."""
        return TransfersAnswer(as_of=on.now(), transfers=await on.transfers.transfers(asset=asset, limit=limit))

    @router.get("/transfers/{transfer}")
    async def transfer(transfer: InPath) -> TransferAnswer:
        """Return one transfer."""
        return _answer(on, await on.transfers.transfer(transfer))

    @router.get("/legs")
    async def legs(
        *,
        asset: Annotated[str | None, Query(max_length=80, pattern=TEXT)] = None,
        under_way: bool | None = None,
        limit: Limit = 100,
    ) -> LegsAnswer:
        """Return what is in transit by due date, and ways that ended; `assumed` names what nobody told or saw."""
        now = on.now()
        found = await on.transfers.legs(asset=asset, under_way=under_way, now=now, limit=limit)
        return LegsAnswer(as_of=now, legs=found)

    @router.get("/in-transit")
    async def in_transit(
        location: Annotated[str | None, Query(max_length=80, pattern=TEXT, examples=["branch-stock"])] = None,
        limit: Limit = 500,
    ) -> InTransitAnswer:
        """Return what is under way at, from or to a location and below it, by transfer, the most urgent first."""
        now = on.now()
        found = await on.transfers.in_transit(location=location, now=now, limit=limit)
        return InTransitAnswer(as_of=now, totals=found.totals, trips=found.trips)

    @router.get("/portal-accuracy")
    async def accuracy(
        portal: Annotated[str | None, Query(max_length=80, pattern=TEXT, examples=["stockroom-a-door"])] = None,
    ) -> AccuracyAnswer:
        """Return what each door is measured to miss and misread a month, from contradictions alone; no ground truth."""
        if portal is not None and portal not in {one.id for one in await on.views.portals()}:
            raise NotFound(f"there is no portal {portal!r}: /api/v1/portals lists them")
        return AccuracyAnswer(as_of=on.now(), portals=await on.upkeep.accuracy(portal))

    return router


def transfers_write(on: Services) -> APIRouter:
    """Return the writing routes; who includes them puts the token before them."""
    router = APIRouter(prefix="/api/v1", tags=["transfers"], route_class=PatientRoute)

    @router.post("/transfers")
    async def ask(body: TransferAsked) -> TransferAnswer:
        """Ask for a transfer; nothing may move by it before the owners of both places agree."""
        return _answer(on, await use.request(on.transfers, body.request(), on.now()))

    @router.post("/transfers/check")
    async def dry_run(body: TransferAsked) -> Check:
        """Tell what would keep a transfer from being requested, asset by asset; nothing is written."""
        now = on.now()
        return Check(as_of=now, problems=await use.check(on.transfers, body.request(), now))

    @router.post("/transfers/{transfer}/approve")
    async def approve(transfer: InPath, body: Approval) -> TransferAnswer:
        """Agree to a transfer that somebody else asked for, as owner of a side; with both the doors let it pass."""
        return _answer(on, await use.approve(on.transfers, transfer, body.by, body.until, on.now(), body.side))

    @router.post("/transfers/{transfer}/cancel")
    async def cancel(transfer: InPath, body: Cancellation) -> TransferAnswer:
        """Cancel a transfer of which nothing has left; or assets of it that didn't leave or were never found."""
        if body.assets is None:
            return _answer(on, await use.cancel(on.transfers, transfer, body.by, body.reason, on.now()))
        done = await use.cancel_lines(on.transfers, transfer, body.by, body.assets, body.reason, on.now())
        return _answer(on, done)

    @router.post("/transfers/{transfer}/dispatch")
    async def dispatch(transfer: InPath, body: Scan) -> TransferAnswer:
        """Record a scan at dispatch, where no door sees it."""
        return _answer(on, await use.dispatch(on.transfers, transfer, body.by, body.assets, on.now()))

    @router.post("/transfers/{transfer}/receive")
    async def receive(transfer: InPath, body: Receipt) -> TransferAnswer:
        """Record a scan at receipt. Only a receipt closes a transfer, and the sender can't give it."""
        done = await use.receive(on.transfers, transfer, body.by, body.assets, on.now(), location=body.location)
        return _answer(on, done)

    @router.post("/assets/{asset}/claim")
    async def claim(asset: InPath, body: Claim) -> LegsAnswer:
        """Say who sends and receives what left undeclared."""
        told = {"sender": body.sender, "receiver": body.receiver, "destination": body.destination}
        await use.claim(on.transfers, asset, body.by, told, on.now())
        return await _legs_of(on, asset)

    @router.post("/assets/{asset}/seen")
    async def seen(asset: InPath, body: Sighting) -> LegsAnswer:
        """Record that somebody saw an asset at a location; the answer shows its ways."""
        await use.see(on.transfers, asset, body.by, body.location, on.now(), how=body.how)
        return await _legs_of(on, asset)

    return router


def _answer(on: Services, transfer: TransferView) -> TransferAnswer:
    return TransferAnswer(as_of=on.now(), transfer=transfer)


async def _legs_of(on: Services, asset: str) -> LegsAnswer:
    now = on.now()
    return LegsAnswer(as_of=now, legs=await on.transfers.legs(asset=asset, under_way=None, now=now, limit=100))
