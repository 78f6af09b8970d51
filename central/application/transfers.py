"""Transfers as people use them: requested, approved by somebody else, dispatched and received by scan if no door does.

Each step is an act in the log; the transfer, its legs and the assets' places follow from that.
"""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from central.application.consent import SIDES, Side, party_to, sides_of
from central.application.errors import NotFound, StepUnfit
from central.application.fitness import Standing, refusal, unfit
from central.application.fitness import held as held_by
from central.application.in_transit import InTransit
from central.application.judge import judge_again
from central.application.senders import Seen, SendersWork, own, why_not
from central.application.stories import tell, with_parts
from central.application.transfer_views import LEAVABLE, UNDER_WAY, LegView, TransferView
from central.domain.story.records import ESCALATION

APPROVAL_HOLDS: Final = timedelta(days=14)
"""How long an approved transfer may wait for its dispatch, unless the approval says otherwise."""
NO_GOAL: Final = frozenset({"country", "region", "exterior"})
"""Kinds of locations at which nothing is received."""
TOO_WIDE: Final = frozenset({"country", "region"})
"""Kinds of locations that are no place where somebody can have seen an asset."""
PEOPLE_SHARD: Final = 0
"""Counter shard of what people move."""


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


class TransferWork(SendersWork, Protocol):
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

    async def standing(self, assets: Collection[str], now: datetime, *, but: str | None = None) -> list[Standing]:
        """Return how assets stand to a new transfer, or to the one named, by id."""

    async def other_cost_centre(self, assets: Collection[str], cost_centre: str) -> bool:
        """Tell whether any of the assets has another cost centre."""

    async def transfer(self, transfer: str, *, lock: bool = False) -> TransferView:
        """Return a transfer or raise `NotFound`."""

    async def act(self, done: Done, now: datetime) -> None:
        """Log an act, once for each of its assets."""

    async def project_transfer(self, transfer: str) -> None:
        """Bring a transfer up to its acts."""

    async def permit(self, transfer: TransferView, boundary: str, by: str, until: datetime, now: datetime) -> None:
        """Authorise a transfer's assets to leave a boundary."""

    async def withdraw(self, transfer: TransferView, now: datetime, assets: Collection[str] | None = None) -> None:
        """End what a transfer permitted, to all its assets or some."""

    async def under_way(self, asset: str) -> tuple[int, str | None, list[str], str] | None:
        """Return number, transfer, assumed columns and origin of the leg that an asset is on."""


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
    """Ask for a transfer, with all that lies in its assets; nothing may move by it before both owners agree."""
    async with store.work() as work:
        await _known_names(work, asked)
        assets = await with_parts(work.stories, asked.assets)
        await work.stories.lock(assets)
        if problems := await _problems(work, asked, assets, now):
            raise StepUnfit(refusal(problems))
        transfer = await work.number()
        moved = asked.cost_centre is not None and await work.other_cost_centre(assets, asked.cost_centre)
        detail = {
            "from": asked.origin, "to": asked.destination, "sender": asked.sender, "receiver": asked.receiver,
            "reason": asked.reason, "ticket": asked.ticket, "cost_centre": asked.cost_centre,
            "escalation": list(asked.escalation), "assets": assets, "two_managers": moved,
        }  # fmt: skip
        await work.act(Done("transfer_requested", asked.by, [None], transfer, detail=detail), now)
        return await _finish(work, transfer, now)


async def check(store: Transfers, asked: Request, now: datetime) -> list[str]:
    """Return what would keep a transfer from being requested; nothing is written."""
    async with store.work() as work:
        absent = await work.absent(**_names(asked))
        if absent:
            return [f"there is no {kind} {name!r}: import it first" for kind, name in absent]
        return await _problems(work, asked, await with_parts(work.stories, asked.assets), now)


async def approve(  # noqa: PLR0917 (as the routes have it)
    store: Transfers, transfer: str, by: str, until: datetime | None, now: datetime, side: Side | None = None
) -> TransferView:
    """Agree to a transfer for the sides whose owner one is; with both, its assets may leave until the earlier end.

    Nobody approves an own request, and nothing is approved that could not be requested now.
    """
    until = until or now + APPROVAL_HOLDS
    async with store.work() as work:
        held = await _hold(work, transfer, by)
        if held.state != "requested":
            raise StepUnfit(f"transfer {transfer} is {held.words}: only a requested one can be approved")
        sides = await sides_of(work, held, by, side)
        if until <= now:
            raise StepUnfit(f"the approval would end at {until.isoformat()}, which is over: name a later time")
        going = [one.id for one in held.going]
        places = (await work.registry()).places
        if problems := unfit(await work.standing(going, now, but=transfer), held.from_, places):
            raise StepUnfit(refusal(problems))
        for one in sides:
            told = {"side": one, "until": until.isoformat()}
            await work.act(Done("transfer_agreed", by, [None], transfer, detail=told), now)
        ends = [until, *(end for _, end in held.agreed.values())]
        if len(sides) + len(held.agreed) == len(SIDES):
            await _release(work, held, by, min(ends), now)
        return await _finish(work, transfer, now)


async def _release(work: TransferWork, held: TransferView, by: str, until: datetime, now: datetime) -> None:
    """Let a transfer go to which both sides have agreed."""
    if until <= now:
        raise StepUnfit(f"the other side's approval of transfer {held.id} ended at {until.isoformat()}: ask anew")
    detail = {
        "from": held.from_, "to": held.to, "sender": held.sender, "receiver": held.receiver,
        "escalation": held.escalation_path, "until": until.isoformat(),
    }  # fmt: skip
    await work.act(Done("transfer_approved", by, [None], held.id, detail=detail), now)
    boundaries = (await work.registry()).places.boundaries_left(held.from_, held.to)
    if boundaries:
        await work.permit(held, boundaries[-1], by, until, now)


async def cancel(store: Transfers, transfer: str, by: str, reason: str, now: datetime) -> TransferView:
    """Cancel a transfer of which nothing has left; only who has a part in it does."""
    async with store.work() as work:
        held = await _hold(work, transfer, by)
        await party_to(work, held, by)
        if held.state not in {"requested", "approved"}:
            raise StepUnfit(
                f"transfer {transfer} is {held.words}: only what hasn't left can be cancelled, or assets that are named"
            )
        await work.act(Done("transfer_cancelled", by, [None], transfer, detail={"reason": reason}), now)
        await work.withdraw(held, now)
        return await _finish(work, transfer, now)


async def cancel_lines(  # noqa: PLR0917 (as the routes have it)
    store: Transfers, transfer: str, by: str, assets: Collection[str], reason: str, now: datetime
) -> TransferView:
    """Cancel assets of a manifest one by one: what never left doesn't go; what left and is overdue was never found.

    What was never found stays under way and in the exception queue until it turns up or is declared lost; the transfer
    waits for it no more. The sender doesn't say so. What never left is cancelled by who has a part in the transfer.
    """
    async with store.work() as work:
        held = await _hold(work, transfer, by)
        if held.cancelled_at is not None:
            raise StepUnfit(f"transfer {transfer} is {held.words}: nothing of it is left to cancel")
        chosen = _chosen(held, assets, {"waiting", "returned_to_origin", *UNDER_WAY}, "be cancelled")
        lines = {one.id: one for one in held.assets}
        for asset in chosen:
            line = lines[asset]
            gone = line.state in UNDER_WAY
            if not gone:
                await party_to(work, held, by)
            if gone and (line.receipt_due is None or line.receipt_due > now):
                raise StepUnfit(f"asset {asset!r} is under way and not overdue: it can't be given up before it is due")
            detail = {"outcome": "never_found" if gone else "not_dispatched", "reason": reason}
            await work.act(Done("transfer_line_cancelled", by, [asset], transfer, detail=detail), now)
            if not gone:
                await work.withdraw(held, now, [asset])
        return await _finish(work, transfer, now)


async def dispatch(
    store: Transfers, transfer: str, by: str, assets: Collection[str] | None, now: datetime
) -> TransferView:
    """Record that somebody scanned assets out: all that wait, or those named.

    Who names none has scanned none by itself, so all must be where they go from by what is known; one that was named is
    in somebody's hands, whatever was known of it.
    """
    async with store.work() as work:
        held = await _hold(work, transfer, by)
        if held.dispatch_until is None or held.cancelled_at is not None:
            raise StepUnfit(f"transfer {transfer} is {held.words}: only an approved one can be dispatched")
        if now > held.dispatch_until:
            raise StepUnfit(f"the approval of transfer {transfer} ended at {held.dispatch_until.isoformat()}")
        chosen = await _parts_too(work, held, _chosen(held, assets, LEAVABLE, "be dispatched"), LEAVABLE)
        standing = await work.standing(chosen, now, but=transfer)
        if problems := [f"asset {one.asset!r} {text}" for one in standing for text in held_by(one)]:
            raise StepUnfit(refusal(problems))
        places = (await work.registry()).places
        if assets is None and (problems := unfit(standing, held.from_, places)):
            raise StepUnfit(f"{refusal(problems)}: name the assets that were scanned out")
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
        wanted = UNDER_WAY if assets is None else {*UNDER_WAY, *LEAVABLE, "never_found"}
        chosen = await _parts_too(work, held, _chosen(held, assets, wanted, "be received"), wanted)
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
        ends = (leg[3], destination) if destination else None
        if problems := await _not_two(work, told["sender"], told["receiver"], ends):
            raise StepUnfit(refusal(problems))
        await work.act(Done("leg_claimed", by, [asset], f"{asset}/{leg[0]}", detail=dict(told)), now)
        await _tell(work, [asset], now)


async def see(store: Transfers, asset: str, by: str, location: str, now: datetime, *, how: str) -> None:
    """Record that somebody saw an asset somewhere, as by a handheld."""
    async with store.work() as work:
        await _registered(work, people=[by], locations=[location], assets=[asset])
        if (kind := (await work.registry()).places[location].kind) in TOO_WIDE:
            raise StepUnfit(f"{location!r} is a {kind}: nobody sees an asset in all of it, name a place in it")
        parts = [one for one in await with_parts(work.stories, [asset]) if one != asset]
        await work.stories.lock([asset, *parts])
        await _not_received_by_its_sender(work, [asset, *parts], by, location)
        await work.act(Done("seen", by, [asset], None, location, {"how": how}), now)
        if parts:
            await work.act(Done("seen", by, parts, None, location, {"how": how, "with": asset}), now)
        await _tell(work, [asset, *parts], now)


def _names(asked: Request) -> dict[str, list[str]]:
    parties = [asked.sender, asked.receiver, *sorted(set(asked.escalation).difference(ESCALATION))]
    return {
        "people": [asked.by], "parties": parties, "locations": [asked.origin, asked.destination],
        "assets": sorted(set(asked.assets)),
    }  # fmt: skip


async def _known_names(work: TransferWork, asked: Request) -> None:
    await _registered(work, **_names(asked))


async def _parts_too(
    work: TransferWork, held: TransferView, chosen: Collection[str], states: Collection[str]
) -> list[str]:
    """Return what a scan is about, and what of the manifest lies in it."""
    takes = {one.id for one in held.assets if one.state in states}
    return sorted({*chosen, *(takes & set(await with_parts(work.stories, chosen)))})


async def _problems(work: TransferWork, asked: Request, assets: Collection[str], now: datetime) -> list[str]:
    if problems := await _not_two(work, asked.sender, asked.receiver, (asked.origin, asked.destination)):
        return problems
    return unfit(await work.standing(assets, now), asked.origin, (await work.registry()).places)


async def _not_two(
    work: TransferWork, sender: str | None, receiver: str | None, ends: tuple[str, str] | None
) -> list[str]:
    """Return why two parties, or two (origin, destination), are none: one person, or nowhere that is received at."""
    problems = []
    if sender is not None and sender == receiver and not await work.absent(people=[sender]):
        problems.append(f"{sender!r} is sender and receiver: nobody receives what they sent, name another person")
    if ends is None:
        return problems
    origin, destination = ends
    if origin == destination:
        problems.append(f"a transfer leads to another place: {origin!r} is both ends of it")
    place = next((one for one in (await work.registry()).places if one.id == destination), None)
    if place is not None and place.kind in NO_GOAL:
        problems.append(
            f"{destination!r} is a place of kind {place.kind}, where nobody receives: name a place in it or another"
        )
    return problems


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
    if why := await why_not(work, held, by, assets):
        raise StepUnfit(why)


async def _not_received_by_its_sender(work: TransferWork, assets: Collection[str], by: str, location: str) -> None:
    """Refuse the sender's sight of what a transfer still awaits at its goal: that would receive it."""
    for mine in (await own(work, [Seen(one, by, location) for one in assets])).values():
        for held, why in mine.items():
            if not held.received:
                raise StepUnfit(why)


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
