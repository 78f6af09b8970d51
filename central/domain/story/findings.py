"""What is wrong with transfers and transit: findings of one asset's legs, orders and custody."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from central.domain.story.records import Finding, Leg, Transits, World
from central.domain.story.routes import BEYOND

SHORT_TRIP: Final = timedelta(minutes=30)
"""Who is back sooner has not been away: no exception (requirement 26)."""


def findings(state: Transits, world: World) -> Iterable[Finding]:
    """Yield what is wrong; what begins at a due date that isn't over yet is told with that date."""
    for leg in state.legs:
        yield from _of_leg(leg, _evidence(leg), state)
    going = {leg.transfer for leg in state.legs if leg.under_way}
    for order in state.orders:
        if order.id not in going:
            evidence = {"transfer": order.id, "to": order.destination, "sender": order.sender}
            yield Finding("not_dispatched", order.origin, order.until, evidence)
    yield from _of_custody(state, world)


def _of_leg(leg: Leg, told: dict[str, str], state: Transits) -> Iterable[Finding]:
    if leg.transfer is None and leg.state != "returned_to_origin" and "receiver" in leg.assumed:
        yield Finding("moved_without_transfer", leg.origin, leg.dispatched_at, told)
    if leg.under_way and "dispatched_at" not in leg.assumed:
        yield Finding("not_received", leg.destination or leg.origin, leg.receipt_due, told)
    if leg.ended_at is None:
        return
    if leg.state == "wrong_destination":
        yield Finding("wrong_location", leg.ended_in, leg.ended_at, told)
    waiting = leg.transfer in {one.id for one in state.orders}
    if leg.state == "returned_to_origin" and waiting and leg.ended_at - leg.dispatched_at > SHORT_TRIP:
        yield Finding("returned_to_origin", leg.origin, leg.ended_at, told)
    if leg.number in state.unannounced:
        yield Finding("received_without_dispatch", leg.destination, leg.ended_at, told)


def _evidence(leg: Leg) -> dict[str, str]:
    told = {"leg": str(leg.number), "from": leg.origin, "sender": leg.sender, "receiver": leg.receiver}
    more = {"to": leg.destination, "transfer": leg.transfer, "passage": leg.passage}
    return told | {name: value for name, value in more.items() if value is not None}


def _of_custody(state: Transits, world: World) -> Iterable[Finding]:
    """Yield a custodian at one site with the asset at another, and nothing on its way to him."""
    given, places = state.custody, world.places
    if given is None or given.location is None or state.place is None:
        return
    site = places.site(given.location)
    going = [order.destination for order in state.orders]
    going += [leg.destination for leg in state.legs if leg.under_way and leg.destination is not None]
    if any(places.site(one) == site for one in going):
        return
    if places[state.place].kind not in BEYOND and places.site(state.place) != site:
        evidence = {"custodian": str(given.detail.get("custodian", "")), "custodian_at": given.location}
        yield Finding("moved_without_transfer", state.place, given.at, evidence)
