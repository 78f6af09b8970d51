"""Approved transfers as the fold knows them, and the terms of the legs that they give rise to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from central.domain.story.records import ESCALATION, Act, Due, Leg, LegBasis, Order, World

LOCAL_BD: Final = 2
FAR_BD: Final = 5
"""Business days from dispatch to receipt, within a region and beyond it (requirement 24)."""


@dataclass(frozen=True, slots=True)
class Start:
    """How a leg begins. `timed`: its instant may start a clock."""

    at: datetime
    basis: LegBasis
    timed: bool = True
    passage: str | None = None


def read_order(act: Act) -> Order | None:
    """Return the order that an approval gives; None if the act lacks what an order must have."""
    told = act.detail
    if act.subject is None or not all(told.get(name) for name in ("from", "to", "sender", "receiver", "until")):
        return None
    path = tuple(told.get("escalation") or ESCALATION)
    until = datetime.fromisoformat(told["until"])
    return Order(act.subject, told["from"], told["to"], told["sender"], told["receiver"], act.at, until, path)


def due(world: World, start: datetime, origin: str, destination: str) -> Due:
    """Return when a receipt is due: counted on the destination's calendar, since the receiver is to act."""
    local = world.places.region(origin) == world.places.region(destination)
    return world.due(start, LOCAL_BD if local else FAR_BD, destination)


def declared_leg(world: World, number: int, order: Order, start: Start) -> Leg:
    """Begin the leg of an approved transfer."""
    when = due(world, max(start.at, order.since), order.origin, order.destination)
    assumed = () if start.basis != "inferred" and start.timed else ("dispatched_at",)
    return Leg(
        number=number,
        transfer=order.id,
        origin=order.origin,
        destination=order.destination,
        sender=order.sender,
        receiver=order.receiver,
        dispatched_at=start.at,
        receipt_due=when.at,
        calendar=when.calendar,
        escalation_path=order.escalation,
        basis=start.basis,
        assumed=assumed,
        passage=start.passage,
    )


def undeclared_leg(world: World, number: int, origin: str, start: Start) -> Leg:
    """Begin the leg of a departure that nobody declared: its origin's owner answers until somebody claims it."""
    owner = world.owner(origin)
    when = world.due(start.at, FAR_BD, origin)
    assumed = ("sender", "receiver", "receipt_due", *(() if start.timed else ("dispatched_at",)))
    return Leg(
        number=number,
        transfer=None,
        origin=origin,
        destination=None,
        sender=owner,
        receiver=owner,
        dispatched_at=start.at,
        receipt_due=when.at,
        calendar=when.calendar,
        escalation_path=ESCALATION,
        basis="inferred",
        assumed=assumed,
        passage=start.passage,
    )


def claimed(world: World, leg: Leg, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a leg that a claim settles."""
    changed: dict[str, Any] = {name: told[name] for name in ("sender", "receiver", "destination") if told.get(name)}
    if "destination" in changed:
        when = due(world, leg.dispatched_at, leg.origin, changed["destination"])
        changed |= {"receipt_due": when.at, "calendar": when.calendar}
    changed["assumed"] = tuple(name for name in leg.assumed if name not in changed)
    return changed
