"""Who agrees to a transfer: the owner of the place that it leaves, and the owner of the place that it goes to.

The owner is whoever holds the owner role of the place, or of the nearest place around it that has one.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, Protocol

from central.application.errors import StepUnfit
from central.application.ports import Registry
from central.application.senders import Sent

Side = Literal["sending", "receiving"]
SIDES: Final[tuple[Side, ...]] = ("sending", "receiving")


class Ownership(Protocol):
    """What consent asks of a transaction."""

    async def registry(self) -> Registry:
        """Return the registry."""

    async def answers(self, person: str, party: str, places: Sequence[str]) -> bool:
        """Tell whether a person is a party, or holds that role everywhere or at one of the places."""


class Consented(Sent, Protocol):
    """What consent asks of a transfer."""

    @property
    def requested_by(self) -> str:
        """Who asked for it."""

    @property
    def two_managers(self) -> bool:
        """Whether the two sides have to be two people."""

    @property
    def agreed(self) -> Mapping[Side, tuple[str, datetime]]:
        """Who has agreed for which side, and until when."""


async def sides_of(work: Ownership, held: Consented, by: str, side: Side | None) -> list[Side]:
    """Return the sides that a person agrees for now: that named, or each that is open and theirs.

    Raises:
        StepUnfit: it is an own request, the side has agreed, or somebody else owns the place.
    """
    if held.requested_by == by:
        raise StepUnfit(f"{by!r} requested transfer {held.id}: somebody else approves it")
    missing = [one for one in SIDES if one not in held.agreed]
    if side is not None and side not in missing:
        raise StepUnfit(f"the {side} side of transfer {held.id} was approved by {held.agreed[side][0]!r} already")
    reasons, mine = [], []
    for one in missing if side is None else [side]:
        why = await _not_theirs(work, held, by, one)
        reasons.append(why) if why else mine.append(one)
    if not mine:
        raise StepUnfit("; ".join(reasons))
    if held.two_managers:
        return _one_side(held, by, mine)
    return mine


async def party_to(work: Ownership, held: Consented, by: str) -> None:
    """Raise `StepUnfit` unless somebody asked for a transfer, agreed to it, sends or receives it, or owns an end."""
    if by == held.requested_by or by in {who for who, _ in held.agreed.values()}:
        return
    places = (await work.registry()).places
    for party, place in ((held.sender, held.from_), (held.receiver, held.to)):
        if await work.answers(by, party, places.chain(place)):
            return
    for side in SIDES:
        if not await _not_theirs(work, held, by, side):
            return
    raise StepUnfit(
        f"{by!r} has no part in transfer {held.id}: who asked for it, agreed to it, sends or receives it, "
        "or owns a place that it leads from or to, cancels it"
    )


async def _not_theirs(work: Ownership, held: Consented, by: str, side: Side) -> str:
    """Return why a person doesn't agree for a side; empty if he does."""
    registry = await work.registry()
    place = held.from_ if side == "sending" else held.to
    around = registry.places.chain(place)
    role = next((registry.world.owner_roles[one] for one in around if one in registry.world.owner_roles), None)
    if role is None:
        return f"{place!r} has no owner role, so nobody approves for the {side} side: name one in locations.csv"
    if await work.answers(by, role, around):
        return ""
    return f"{by!r} is not {role} of {place!r}: whoever is approves for the {side} side (role_holders.csv)"


def _one_side(held: Consented, by: str, mine: Collection[Side]) -> list[Side]:
    """Return the one side that a person agrees for where a change of cost centre wants two people."""
    for side, (other, _) in held.agreed.items():
        if other == by:
            raise StepUnfit(
                f"{by!r} approved the {side} side of transfer {held.id}, which changes the cost centre: "
                "another manager approves this one"
            )
    return list(mine)[:1]
