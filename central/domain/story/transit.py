"""Transit legs: dispatch, receipt, return and going astray, as one asset's course and acts show them.

A transfer is dispatched by the first door that leads out of its origin (or out of the origin's site) while the approval
holds, or by a scan. It is received by a door that leads into its destination, by a scan, or by what is seen or heard
there, and by nothing else; what its sender says to see there receives nothing. What left a guarded place for outside
the site without a transfer or permit is under way all the same: an inferred leg.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from central.domain.exits import Authorisation, Standing, judge_exit
from central.domain.story.belief import Step
from central.domain.story.hearing import Heard
from central.domain.story.order import Item
from central.domain.story.orders import Start, claimed, declared_leg, read_order, undeclared_leg
from central.domain.story.records import Act, Leg, LegBasis, Order, Transits, World
from central.domain.story.routes import BEYOND


@dataclass(frozen=True, slots=True)
class _Move:
    """A change of place; an unseen one is what must have come before something that was seen."""

    origin: str
    destination: str
    start: Start
    carried: bool = False
    """Made by what the asset lies in: it goes the way of an approved transfer with that, and is accused of nothing."""
    unreceived: frozenset[str] = frozenset()
    """Transfers that aren't received by it, since it is their sender's word."""

    @property
    def at(self) -> datetime:
        return self.start.at


def follow(
    items: Sequence[Item],
    steps: Iterable[Step],
    world: World,
    permits: Sequence[Authorisation],
    *,
    begin: Transits,
    mark: int | None,
) -> tuple[Transits, Transits]:
    """Return how transit stands at the end, and how it stood before the item numbered `mark`.

    `steps` is the likeliest course through `items`, `begin` how transit stood before them.
    """
    told = _Transit.of(begin, world, permits)
    course = iter(steps)
    step, marked = next(course, None), begin
    for number, item in enumerate(items):
        if number == mark:
            marked = told.standing()
        if step is not None and step.item is item:
            for move in _moves(step):
                told.take(move)
            if not step.moved:
                told.confirm(step)
            told.place = step.place
            step = next(course, None)
        if isinstance(item, Act):
            told.hear(item)
    return told.standing(), marked


def _moves(step: Step) -> list[_Move]:
    """Split a step into the way that nobody saw and the crossing; the book moves nothing that is under way."""
    item = step.item
    if step.reading in {"placed", "no_crossing", "stray"}:
        return []
    if isinstance(item, Act):
        return _unseen(step.before, step.place, Start(item.at, "scanned"), item.sender_of)
    if isinstance(item, Heard):
        return _unseen(step.before, step.place, Start(item.at, "inferred"))
    if item.carried:
        return [_Move(item.origin, step.place, Start(item.at, "inferred", item.synced, item.passage), carried=True)]
    origin = item.origin if step.reading == "straight" else item.destination
    seen = _Move(origin, step.place, Start(item.at, "observed", item.synced, item.passage))
    if step.before == origin:
        return [seen]
    return [*_unseen(step.before, origin, Start(item.at, "inferred", item.synced, item.passage)), seen]


def _unseen(before: str | None, place: str, start: Start, unreceived: frozenset[str] = frozenset()) -> list[_Move]:
    return [] if before is None or before == place else [_Move(before, place, start, unreceived=unreceived)]


@dataclass(slots=True)
class _Transit:
    """One asset's orders and legs, brought forward act by act and move by move."""

    world: World
    permits: Sequence[Authorisation]
    orders: dict[str, Order] = field(default_factory=dict)
    legs: list[Leg] = field(default_factory=list)
    place: str | None = None
    custody: Act | None = None
    unannounced: set[int] = field(default_factory=set)
    """Numbers of legs whose receipt is the first that was seen of them."""

    @classmethod
    def of(cls, begin: Transits, world: World, permits: Sequence[Authorisation]) -> Self:
        """Go on from how transit stood."""
        orders = {order.id: order for order in begin.orders}
        return cls(world, permits, orders, list(begin.legs), begin.place, begin.custody, set(begin.unannounced))

    def standing(self) -> Transits:
        """Return how transit stands now."""
        orders, unannounced = tuple(self.orders.values()), tuple(sorted(self.unannounced))
        return Transits(tuple(self.legs), orders, unannounced, self.custody, self.place)

    @property
    def leg(self) -> Leg | None:
        """The leg under way."""
        return self.legs[-1] if self.legs and self.legs[-1].under_way else None

    def hear(self, act: Act) -> None:
        """Take what an act says about transfers."""
        match act.kind:
            case "transfer_approved":
                order = read_order(act)
                if order is not None:
                    self.orders[order.id] = order
            case "transfer_cancelled" if act.subject is not None:
                self.orders.pop(act.subject, None)
            case "transfer_line_cancelled" if act.detail.get("outcome") == "not_dispatched":
                self.orders.pop(act.subject or "", None)
            case "dispatch_scanned":
                self._dispatch_scan(act)
            case "receipt_scanned":
                self._receipt_scan(act)
            case "leg_claimed" if self.leg is not None:
                self.legs[-1] = replace(self.leg, **claimed(self.world, self.leg, act.detail))
            case "custody_given":
                self.custody = act
            case _:
                pass

    def take(self, move: _Move) -> None:
        """Take a change of place; what ends a leg begins none."""
        if move.carried:
            self._go_along(move)
        elif self.leg is not None:
            self._go_on(self.leg, move)
        else:
            self._depart(move)

    def confirm(self, step: Step) -> None:
        """Receive what is seen or heard at its goal and was there already: by its sender's word, or by the book."""
        leg, item = self.leg, step.item
        if leg is None or leg.transfer is None or leg.destination is None or step.reading not in {"seen", "heard"}:
            return
        came = self._within(step.place, leg.destination) and not self._within(step.place, leg.origin)
        if came and not (isinstance(item, Act) and leg.transfer in item.sender_of):
            self._receive(item.at, step.place, "scanned" if isinstance(item, Act) else "inferred")

    def _go_along(self, move: _Move) -> None:
        """Take a change of place of what the asset lies in: begin or bring on a transfer's leg, nothing else."""
        if self.leg is not None:
            if self.leg.transfer is not None:
                self._go_on(self.leg, move)
            return
        for order in self._ordered():
            if order.covers(move.at) and self._leaves(order.origin, move):
                told = declared_leg(self.world, len(self.legs) + 1, order, move.start)
                self._begin(replace(told, assumed=()))
                self._go_on(self.legs[-1], move)
                return

    def _dispatch_scan(self, act: Act) -> None:
        order = self.orders.get(act.subject or "")
        if order is None or not order.covers(act.at) or (self.leg is not None and self.leg.transfer is not None):
            return
        self._give_way(act.at)
        self._begin(declared_leg(self.world, len(self.legs) + 1, order, Start(act.at, "scanned")))

    def _receipt_scan(self, act: Act) -> None:
        order = self.orders.get(act.subject or "")
        if order is None or act.location is None:
            return
        if self.leg is None or self.leg.transfer != order.id:
            self._give_way(act.at)
            self._retro(order, Start(act.at, "inferred"))
        if self._within(act.location, order.destination):
            self._receive(act.at, act.location, "scanned")
        else:
            self._astray(act.at, act.location)

    def _go_on(self, leg: Leg, move: _Move) -> None:
        """Bring the leg under way on by a move: received, back, astray, or still under way."""
        if leg.destination is not None and self._within(move.destination, leg.destination):
            if leg.transfer not in move.unreceived:
                self._receive(move.at, move.destination, move.start.basis)
            elif leg.state == "wrong_destination":
                self.legs[-1] = replace(leg, state="open", ended_at=None, ended_in=None)
        elif self._returns(leg, move):
            self.legs[-1] = replace(
                leg, state="returned_to_origin", ended_at=move.at, ended_in=move.destination, ended_by=move.start.basis
            )
        elif leg.destination is None:
            self._arrive(leg, move)
        elif self._wrong(leg.origin, leg.destination, move):
            self._astray(move.at, move.destination)
        elif leg.state == "wrong_destination":
            self.legs[-1] = replace(leg, state="open", ended_at=None, ended_in=None)

    def _arrive(self, leg: Leg, move: _Move) -> None:
        """See whether an inferred leg ends: where an order awaits the asset, or just at another site."""
        order = next((one for one in self._ordered() if one.since <= move.at and self._turns_up(one, move)), None)
        if order is not None:
            told = declared_leg(
                self.world, leg.number, order, Start(leg.dispatched_at, "inferred", passage=leg.passage)
            )
            self.legs[-1] = replace(told, assumed=())
            self.unannounced.add(leg.number)
            if order.id in move.unreceived:
                return
        if order is not None or self._elsewhere(leg.origin, move.destination):
            self._receive(move.at, move.destination, move.start.basis)

    def _ordered(self) -> list[Order]:
        return sorted(self.orders.values(), key=lambda one: (one.since, one.id))

    def _depart(self, move: _Move) -> None:
        """See whether a move begins a leg: of an order, or of nobody's."""
        seen = move.start.basis == "observed"
        for order in self._ordered():
            if order.covers(move.at) and seen and self._leaves(order.origin, move):
                self._begin(declared_leg(self.world, len(self.legs) + 1, order, move.start))
                self._go_on(self.legs[-1], move)
                return
            if order.since <= move.at and not seen and self._gone(order, move):
                self._retro(order, move.start, move.unreceived)
                self._go_on(self.legs[-1], move)
                return
        if self._undeclared(move):
            self._begin(undeclared_leg(self.world, len(self.legs) + 1, move.origin, move.start))
            self._go_on(self.legs[-1], move)

    def _retro(self, order: Order, start: Start, unreceived: frozenset[str] = frozenset()) -> None:
        """Begin a leg that was dispatched unseen, as its receipt shows, or from its sender's word on."""
        begun = start if order.id in unreceived else replace(start, basis="inferred")
        self._begin(declared_leg(self.world, len(self.legs) + 1, order, begun))
        self.unannounced.add(len(self.legs))

    def _begin(self, leg: Leg) -> None:
        self.legs.append(leg)

    def _give_way(self, at: datetime) -> None:
        """End an inferred leg that a scan for a transfer shows to have been that transfer's business."""
        if self.leg is not None:
            self.legs[-1] = replace(self.leg, state="returned_to_origin", ended_at=at, ended_by="inferred")

    def _receive(self, at: datetime, place: str, by: LegBasis) -> None:
        leg = self.legs[-1]
        self.legs[-1] = replace(leg, state="received", ended_at=at, ended_in=place, ended_by=by)
        self.orders.pop(leg.transfer or "", None)

    def _astray(self, at: datetime, place: str) -> None:
        self.legs[-1] = replace(self.legs[-1], state="wrong_destination", ended_at=at, ended_in=place)

    # Places

    def _within(self, place: str, around: str) -> bool:
        return self.world.places.within(place, around)

    def _site(self, place: str) -> str:
        return self.world.places.site(place)

    def _leaves(self, origin: str, move: _Move) -> bool:
        """Tell whether a move leads out of an order's origin, or out of that place's site."""
        site = self._site(origin)
        out_of_place = self._within(move.origin, origin) and not self._within(move.destination, origin)
        out_of_site = self._site(move.origin) == site and self._abroad(site, move.destination)
        return out_of_place or out_of_site

    def _gone(self, order: Order, move: _Move) -> bool:
        """Tell whether an unseen move shows that an order is under way: out of the origin's site, or there already."""
        return self._turns_up(order, move) or (
            self._site(move.origin) == self._site(order.origin)
            and self._leaves(order.origin, move)
            and self._abroad(self._site(order.origin), move.destination)
        )

    def _turns_up(self, order: Order, move: _Move) -> bool:
        """Tell whether a move ends in an order's destination."""
        inside = self._within(move.destination, order.destination)
        return inside and not self._within(move.origin, order.destination)

    def _abroad(self, site: str, place: str) -> bool:
        """Tell whether a place is outside a site: beyond the outer doors or at another site."""
        return self.world.places[place].kind in BEYOND or self._site(place) != site

    def _elsewhere(self, origin: str, place: str) -> bool:
        """Tell whether a place is at another site than the origin, and not just anywhere outside."""
        return self.world.places[place].kind not in BEYOND and self._site(place) != self._site(origin)

    def _returns(self, leg: Leg, move: _Move) -> bool:
        if self._within(move.destination, leg.origin) and not self._within(move.origin, leg.origin):
            return True
        site = self._site(leg.origin)
        back = self._abroad(site, move.origin) and not self._abroad(site, move.destination)
        return back and (leg.destination is None or self._site(leg.destination) != site)

    def _wrong(self, origin: str, destination: str, move: _Move) -> bool:
        """Tell whether a move leads into a guarded place that isn't on the way to the destination."""
        places = self.world.places
        entered = set(places.boundaries_left(move.destination, move.origin))
        astray = entered.difference(places.chain(destination))
        far = self._site(origin) != self._site(destination)
        return bool(astray) and not (far and self._site(move.destination) == self._site(origin))

    def _undeclared(self, move: _Move) -> bool:
        """Tell whether a move leads out of a guarded place to outside the site, and nobody allowed it."""
        places = self.world.places
        if places[move.origin].kind in BEYOND or not self._abroad(self._site(move.origin), move.destination):
            return False
        verdict = judge_exit(places, move.origin, move.destination, self.permits, move.at)
        return verdict.standing is Standing.UNAUTHORISED
