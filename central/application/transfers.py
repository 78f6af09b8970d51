"""Transfers as people use them: requested, approved by somebody else, dispatched and received by scan if no door does.

Each step is an act in the log; the transfer, its legs and the assets' places follow from that.
"""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from pydantic import Field, computed_field

from central.application.errors import NotFound, StepUnfit
from central.application.in_transit import InTransit
from central.application.judge import judge_again
from central.application.ports import Transaction
from central.application.stories import tell
from central.application.views import Instant, View
from central.domain.story.records import ESCALATION

APPROVAL_HOLDS: Final = timedelta(days=14)
"""How long an approved transfer may wait for its dispatch, unless the approval says otherwise."""
PEOPLE_SHARD: Final = 0
"""Counter shard of what people move."""
UNDER_WAY: Final = frozenset({"open", "wrong_destination"})


class ManifestView(View):
    """One asset of a transfer; `state` is that of its leg, or waiting."""

    id: str
    name: str
    state: str
    basis: str | None
    dispatched_at: Instant | None
    receipt_due: Instant | None
    ended_at: Instant | None
    ended_in: str | None


class TransferView(View):
    """A transfer and how far it is."""

    id: str
    from_: str = Field(alias="from")
    to: str
    sender: str
    receiver: str
    reason: str
    ticket: str | None
    cost_centre: str | None
    escalation_path: list[str]
    requested_by: str
    requested_at: Instant
    approved_by: str | None
    approved_at: Instant | None
    dispatch_until: Instant | None
    cancelled_by: str | None
    cancelled_at: Instant | None
    assets: list[ManifestView]

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def dispatched(self) -> int:
        """How many assets have been dispatched."""
        return sum(one.state in {*UNDER_WAY, "received"} for one in self.assets)

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def received(self) -> int:
        """How many assets have been received."""
        return sum(one.state == "received" for one in self.assets)

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def state(self) -> str:
        """requested, approved, incomplete (a part is dispatched), in_transit, partly_received, received, cancelled."""
        total = len(self.assets)
        if self.cancelled_at is not None:
            return "cancelled"
        if not self.dispatched:
            return "requested" if self.approved_at is None else "approved"
        if self.dispatched < total:
            return "incomplete"
        return "received" if self.received == total else "partly_received" if self.received else "in_transit"

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own way
    @property
    def words(self) -> str:
        """The state for a person: a manifest read in part says how many of how many."""
        told = {"incomplete": self.dispatched, "partly_received": self.received}.get(self.state)
        name = self.state.replace("_", " ")
        return name if told is None else f"{name}, {told} of {len(self.assets)}"


class LegView(View):
    """One way of one asset; `assumed` names what nobody told or saw."""

    id: str
    asset: str
    asset_name: str
    number: int
    transfer: str | None
    origin: str
    destination: str | None
    sender: str
    receiver: str
    dispatched_at: Instant
    receipt_due: Instant
    calendar: str
    escalation_path: list[str]
    basis: str
    assumed: list[str]
    state: str
    overdue: bool
    ended_at: Instant | None
    ended_in: str | None
    ended_by: str | None
    passage: str | None


@dataclass(frozen=True, slots=True)
class Request:
    """What a transfer is to be."""

    by: str
    origin: str
    destination: str
    assets: Sequence[str]
    sender: str
    receiver: str
    reason: str
    ticket: str | None = None
    cost_centre: str | None = None
    escalation: Sequence[str] = ESCALATION


@dataclass(frozen=True, slots=True)
class Done:
    """An act to be logged."""

    kind: str
    by: str
    assets: Sequence[str | None]
    subject: str | None = None
    location: str | None = None
    detail: dict[str, Any] | None = None


class TransferWork(Transaction, Protocol):
    """The transfers' part of a transaction."""

    async def number(self) -> str:
        """Return the id of a new transfer."""

    async def absent(
        self,
        *,
        people: Collection[str] = (),
        parties: Collection[str] = (),
        locations: Collection[str] = (),
        assets: Collection[str] = (),
    ) -> list[tuple[str, str]]:
        """Return what isn't registered: (what it was to be, name). A party is a person or a role."""

    async def bound(self, assets: Collection[str]) -> list[tuple[str, str]]:
        """Return (asset, transfer) of assets that are on a transfer which isn't over."""

    async def transfer(self, transfer: str, *, lock: bool = False) -> TransferView:
        """Return a transfer or raise `NotFound`."""

    async def act(self, done: Done, now: datetime) -> None:
        """Log an act, once for each of its assets."""

    async def project_transfer(self, transfer: str) -> None:
        """Bring a transfer up to its acts."""

    async def permit(self, transfer: TransferView, boundary: str, by: str, until: datetime, now: datetime) -> None:
        """Authorise a transfer's assets to leave a boundary."""

    async def withdraw(self, transfer: TransferView, now: datetime) -> None:
        """End what a transfer permitted."""

    async def sent_by(self, transfer: str, assets: Collection[str]) -> list[str]:
        """Return who scanned any of a transfer's assets out last."""

    async def answers(self, person: str, party: str, places: Sequence[str]) -> bool:
        """Tell whether a person is a party, or holds that role everywhere or at one of the places."""

    async def under_way(self, asset: str) -> tuple[int, str | None, list[str]] | None:
        """Return number, transfer and assumed columns of the leg that an asset is on."""


class Transfers(Protocol):
    """The store of transfers."""

    def work(self) -> AbstractAsyncContextManager[TransferWork]:
        """Open a transaction; an error in the block takes all of it back."""

    async def transfers(self, *, asset: str | None, limit: int) -> list[TransferView]:
        """Return transfers, newest first."""

    async def transfer(self, transfer: str) -> TransferView:
        """Return a transfer or raise `NotFound`."""

    async def legs(self, *, asset: str | None, under_way: bool | None, now: datetime, limit: int) -> list[LegView]:
        """Return legs: under way by due date, then ended ones."""

    async def in_transit(self, *, location: str | None, now: datetime, limit: int) -> InTransit:
        """Return what is under way at, from or to a location (or anywhere), by transfer, the most urgent first."""


async def request(store: Transfers, asked: Request, now: datetime) -> TransferView:
    """Ask for a transfer; nothing may move by it before somebody else approves."""
    assets = sorted(set(asked.assets))
    async with store.work() as work:
        await _registered(
            work, people=[asked.by], parties=[asked.sender, asked.receiver],
            locations=[asked.origin, asked.destination], assets=assets,
        )  # fmt: skip
        if asked.origin == asked.destination:
            raise StepUnfit(f"a transfer leads to another place: {asked.origin!r} is both ends of it")
        await work.stories.lock(assets)
        for asset, other in await work.bound(assets):
            raise StepUnfit(f"asset {asset!r} is on transfer {other} already: receive or cancel that first")
        transfer = await work.number()
        detail = {
            "from": asked.origin, "to": asked.destination, "sender": asked.sender, "receiver": asked.receiver,
            "reason": asked.reason, "ticket": asked.ticket, "cost_centre": asked.cost_centre,
            "escalation": list(asked.escalation), "assets": assets,
        }  # fmt: skip
        await work.act(Done("transfer_requested", asked.by, [None], transfer, detail=detail), now)
        return await _finish(work, transfer, now)


async def approve(store: Transfers, transfer: str, by: str, until: datetime | None, now: datetime) -> TransferView:
    """Approve a transfer: its assets may leave until `until`. Nobody approves an own request."""
    until = until or now + APPROVAL_HOLDS
    async with store.work() as work:
        held = await _hold(work, transfer, by)
        if held.state != "requested":
            raise StepUnfit(f"transfer {transfer} is {held.words}: only a requested one can be approved")
        if held.requested_by == by:
            raise StepUnfit(f"{by!r} requested transfer {transfer}: somebody else approves it")
        if until <= now:
            raise StepUnfit(f"the approval would end at {until.isoformat()}, which is over: name a later time")
        detail = {
            "from": held.from_, "to": held.to, "sender": held.sender, "receiver": held.receiver,
            "escalation": held.escalation_path, "until": until.isoformat(),
        }  # fmt: skip
        await work.act(Done("transfer_approved", by, [None], transfer, detail=detail), now)
        boundaries = (await work.registry()).places.boundaries_left(held.from_, held.to)
        if boundaries:
            await work.permit(held, boundaries[-1], by, until, now)
        return await _finish(work, transfer, now)


async def cancel(store: Transfers, transfer: str, by: str, reason: str, now: datetime) -> TransferView:
    """Cancel a transfer of which nothing has left."""
    async with store.work() as work:
        held = await _hold(work, transfer, by)
        if held.state not in {"requested", "approved"}:
            raise StepUnfit(f"transfer {transfer} is {held.words}: only what hasn't left can be cancelled")
        await work.act(Done("transfer_cancelled", by, [None], transfer, detail={"reason": reason}), now)
        await work.withdraw(held, now)
        return await _finish(work, transfer, now)


async def dispatch(
    store: Transfers, transfer: str, by: str, assets: Collection[str] | None, now: datetime
) -> TransferView:
    """Record that somebody scanned assets out: all that wait, or those named."""
    async with store.work() as work:
        held = await _hold(work, transfer, by)
        if held.dispatch_until is None or held.cancelled_at is not None:
            raise StepUnfit(f"transfer {transfer} is {held.words}: only an approved one can be dispatched")
        if now > held.dispatch_until:
            raise StepUnfit(f"the approval of transfer {transfer} ended at {held.dispatch_until.isoformat()}")
        chosen = _chosen(held, assets, {"waiting", "returned_to_origin"}, "be dispatched")
        await work.act(Done("dispatch_scanned", by, chosen, transfer, held.from_), now)
        return await _finish(work, transfer, now)


async def receive(
    store: Transfers,
    transfer: str,
    by: str,
    assets: Collection[str] | None,
    now: datetime,
    *,
    location: str | None = None,
) -> TransferView:
    """Record that somebody scanned assets in: all that are under way, or those named.

    The sender doesn't receive, nor does who scanned them out or answers for the sender and not for the receiver.
    """
    async with store.work() as work:
        held = await _hold(work, transfer, by)
        if held.approved_at is None or held.cancelled_at is not None:
            raise StepUnfit(f"transfer {transfer} is {held.words}: only an approved one can be received")
        await _registered(work, locations=[] if location is None else [location])
        wanted = UNDER_WAY if assets is None else {*UNDER_WAY, "waiting", "returned_to_origin"}
        chosen = _chosen(held, assets, wanted, "be received")
        await _not_the_sender(work, held, by, chosen)
        await work.act(Done("receipt_scanned", by, chosen, transfer, location or held.to), now)
        return await _finish(work, transfer, now)


async def claim(store: Transfers, asset: str, by: str, told: dict[str, str | None], now: datetime) -> None:
    """Say who sends and receives what left undeclared, and where it goes."""
    parties = [name for key in ("sender", "receiver") if (name := told.get(key))]
    destination = told.get("destination")
    async with store.work() as work:
        await _registered(
            work, people=[by], parties=parties, locations=[destination] if destination else [], assets=[asset]
        )
        await work.stories.lock([asset])
        leg = await work.under_way(asset)
        if leg is None or leg[1] is not None or not leg[2]:
            raise StepUnfit(f"asset {asset!r} is on no undeclared way: /api/v1/legs lists what is under way")
        await work.act(Done("leg_claimed", by, [asset], f"{asset}/{leg[0]}", detail=dict(told)), now)
        await _tell(work, [asset], now)


async def see(store: Transfers, asset: str, by: str, location: str, now: datetime, *, how: str) -> None:
    """Record that somebody saw an asset somewhere, as by a handheld."""
    async with store.work() as work:
        await _registered(work, people=[by], locations=[location], assets=[asset])
        await work.stories.lock([asset])
        await work.act(Done("seen", by, [asset], None, location, {"how": how}), now)
        await _tell(work, [asset], now)


async def _hold(work: TransferWork, transfer: str, by: str) -> TransferView:
    """Lock a transfer's assets, then the transfer: the order that can't deadlock."""
    await _registered(work, people=[by])
    await work.stories.lock([one.id for one in (await work.transfer(transfer)).assets])
    return await work.transfer(transfer, lock=True)


async def _registered(work: TransferWork, **names: Collection[str]) -> None:
    for kind, name in await work.absent(**names):
        raise NotFound(f"there is no {kind} {name!r}: import it first")


def _chosen(held: TransferView, assets: Collection[str] | None, states: Collection[str], what: str) -> list[str]:
    """Return the assets of a transfer that a scan is about, or raise `StepUnfit`."""
    found = {one.id: one.state for one in held.assets}
    chosen = sorted(found if assets is None else set(assets))
    for asset in () if assets is None else chosen:
        if found.get(asset) not in states:
            state = found.get(asset, "not on it").replace("_", " ")
            raise StepUnfit(f"asset {asset!r} of transfer {held.id} is {state}: it can't {what}")
    left = [asset for asset in chosen if found[asset] in states]
    if not left:
        raise StepUnfit(f"transfer {held.id} is {held.words}: nothing of it can {what} now")
    return left


async def _not_the_sender(work: TransferWork, held: TransferView, by: str, assets: Collection[str]) -> None:
    places = (await work.registry()).places
    sends = await work.answers(by, held.sender, places.chain(held.from_))
    if by == held.sender or (sends and not await work.answers(by, held.receiver, places.chain(held.to))):
        raise StepUnfit(f"{by!r} is the sender of transfer {held.id}: the receiving side receives it")
    if by in await work.sent_by(held.id, assets):
        raise StepUnfit(f"{by!r} scanned transfer {held.id} out: the receiving side receives it")


async def _finish(work: TransferWork, transfer: str, now: datetime) -> TransferView:
    """Bring the transfer, its assets' stories and what they are accused of up to the log."""
    await work.project_transfer(transfer)
    assets = [one.id for one in (await work.transfer(transfer)).assets]
    await _tell(work, assets, now)
    await judge_again(work, await work.registry(), assets, now)
    return await work.transfer(transfer)


async def _tell(work: TransferWork, assets: Collection[str], now: datetime) -> None:
    registry = await work.registry()
    await tell(work, registry.world, registry.routes, dict.fromkeys(assets, PEOPLE_SHARD), now)
