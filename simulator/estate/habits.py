"""What happens on its own: carriers' days, movers' moves, transfers, loans, repairs, thefts, and tags that die."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from simulator.estate.life import Life
from simulator.estate.people import Asset, owner
from simulator.estate.truth import TrueTransfer, TrueVisit
from simulator.estate.values import DAY, HOUR, MINUTE, SECOND, Act
from simulator.estate.world import Building, Opening, way_in, way_inside, way_out

MONTH_DAYS: Final = 30
WEEKEND: Final = 5
LUNCHES: Final = 0.08
"""Share of a carrier's days on which the laptop goes out to lunch."""
MOVES_FROM_STOCK: Final = (("issue", 45), ("lab", 15), ("other", 10), ("transfer", 20), ("loan", 5), ("repair", 5))
MOVES_FROM_FLOOR: Final = (("return", 60), ("lab", 25), ("repair", 10), ("home", 5))
MOVES_FROM_LAB: Final = (("return", 60), ("issue", 40))


def settle_in(life: Life) -> None:
    """Put all that is to happen by itself on the heap."""
    for one in life.assets.values():
        if one.habit == "carrier":
            _plan_carrier(life, one)
        else:
            _plan_moves(life, one)
    _plan_visits(life)
    _plan_thefts(life)
    _plan_dead_tags(life)


def _working_days(life: Life) -> list[int]:
    first = life.scenario.start
    return [day for day in range(life.scenario.days) if (first.weekday() + day) % 7 < WEEKEND]


def _local(life: Life, building: Building, day: int, hour: float) -> int:
    return life.truth.start_us + day * DAY + round((hour - building.hours_ahead) * HOUR)


def _plan_carrier(life: Life, asset: Asset) -> None:
    """In at nine and out at half past five, on some days; it begins at the office."""
    building = life.world.home[asset.start]
    for day in _working_days(life):
        if not life.dice.chance(life.scenario.habits.carry_days):
            continue
        arrives = _local(life, building, day, life.dice.gauss(9.0, 0.6))
        leaves = _local(life, building, day, life.dice.gauss(17.5, 0.8))
        come, go = (building.street, building.floor), (building.floor, building.street)
        life.at(arrives, partial(_commute, life, asset.id, come))
        life.at(max(leaves, arrives + HOUR), partial(_commute, life, asset.id, go))
        if life.dice.chance(LUNCHES):
            lunch = _local(life, building, day, life.dice.gauss(12.5, 0.3))
            life.at(lunch, partial(_commute, life, asset.id, go))
            life.at(lunch + 45 * MINUTE, partial(_commute, life, asset.id, come))


def _commute(life: Life, asset: str, way: tuple[str, str], now_us: int) -> None:
    if life.free(asset, now_us) and life.place(asset) == way[0]:
        life.walk([asset], way, now_us, "carry")


def _plan_moves(life: Life, asset: Asset) -> None:
    habits, days = life.scenario.habits, _working_days(life)
    building = life.world.home[asset.start]
    for first in range(0, life.scenario.days, MONTH_DAYS):
        mine = [day for day in days if first <= day < first + MONTH_DAYS]
        mean = habits.extra_moves if asset.habit == "mover" else habits.rest_moves
        share = min(1.0, (life.scenario.days - first) / MONTH_DAYS)
        count = life.dice.count(mean * share)
        if asset.habit == "mover":
            count += share == 1.0 or life.dice.chance(share)
        for _ in range(count if mine else 0):
            at_us = _local(life, building, life.dice.choice(mine), life.dice.uniform(8.5, 17.0))
            life.at(max(at_us, life.truth.start_us + 4 * HOUR), partial(_move, life, asset.id))


def _move(life: Life, asset: str, now_us: int) -> None:
    """Move an asset as one does from where it is."""
    place = life.place(asset)
    building = life.world.home.get(place)
    if building is None or not life.free(asset, now_us):
        return
    kinds = {building.floor: MOVES_FROM_FLOOR, building.lab: MOVES_FROM_LAB}.get(place, MOVES_FROM_STOCK)
    if place == building.dock:
        kinds = MOVES_FROM_FLOOR
    kind = life.dice.choices([name for name, _ in kinds], [weight for _, weight in kinds])[0]
    if kind == "transfer" and asset in life.bound:
        kind = "issue"
    if kind == "transfer":
        _transfer(life, asset, building, now_us)
    elif kind in {"loan", "repair", "home"}:
        _outing(life, asset, building, kind, now_us)
    else:
        _inside(life, asset, building, kind, now_us)


def _inside(life: Life, asset: str, building: Building, kind: str, now_us: int) -> None:
    place = life.place(asset)
    rooms = [room for room in building.stockrooms if room != place]
    goal = {"issue": building.floor, "lab": building.lab}.get(kind) or life.dice.choice(rooms)
    if goal == place:
        return
    if life.world.places[place].guarded:
        life.authorise(asset, place, "issue", now_us, by=owner(building.id))
    life.walk([asset], way_inside(building, place, goal), now_us, kind)


def _outing(life: Life, asset: str, building: Building, kind: str, now_us: int) -> None:
    """Loans, repairs and what is taken home for once: out, and back to a stockroom some days later."""
    days = {"loan": 10.0, "repair": 14.0, "home": 1.0}[kind]
    back_us = now_us + round(life.dice.around(days, 0.5, 60.0) * DAY)
    label = "gate_pass" if kind == "home" else kind
    life.authorise(
        asset, building.id, label, now_us, days=0.5, by=owner(building.id), back_us=now_us + round(days * DAY)
    )
    life.walk([asset], way_out(life.world, building, life.place(asset), goods=kind == "repair"), now_us, kind)
    life.busy[asset] = back_us
    life.at(back_us, partial(_come_back, life, (asset,), building, kind))


def _come_back(life: Life, assets: Sequence[str], building: Building, kind: str, now_us: int) -> None:
    goal = building.floor if kind == "home" else life.dice.choice(building.stockrooms)
    life.walk(assets, way_in(life.world, building, goal, goods=kind == "repair"), now_us, kind)


def _transfer(life: Life, asset: str, building: Building, now_us: int) -> None:
    """Approve a manifest to another building; most of it leaves within days."""
    habits, dice = life.scenario.habits, life.dice
    origin = life.place(asset)
    others = [one for one in life.there(origin) if one not in life.bound and one != asset and life.free(one, now_us)]
    assets = [asset, *dice.sample(others, min(len(others), dice.randrange(habits.manifest)))]
    there = dice.choice([one for one in life.world.buildings if one is not building])
    goal = dice.choice(there.stockrooms)
    transfer = TrueTransfer(
        f"TR-{life.number():06}", now_us, origin, goal, owner(building.id), owner(there.id),
        not dice.chance(habits.forgotten), {one: [(now_us, "approved")] for one in assets},
    )  # fmt: skip
    life.truth.transfers.append(transfer)
    life.bound |= transfer.states.keys()
    for one in assets:
        life.busy[one] = now_us + 3 * DAY
    leaves = now_us + round(dice.uniform(4 * HOUR, 50 * HOUR))
    if transfer.declared:
        life.acts.append(Act(now_us, now_us, "transfer_approved", transfer.id, transfer.sender, tuple(assets), goal, {
            "from": origin, "to": goal, "boundary": building.id, "sender": transfer.sender,
            "receiver": transfer.receiver,
        }))  # fmt: skip
    if transfer.declared and dice.chance(habits.never_sent):
        return
    life.at(leaves, partial(_dispatch, life, transfer, building, there))


def _dispatch(life: Life, transfer: TrueTransfer, building: Building, there: Building, now_us: int) -> None:
    habits, dice = life.scenario.habits, life.dice
    going = [one for one in transfer.states if not dice.chance(habits.left_behind)]
    going = [one for one in going if life.place(one) == transfer.origin]
    if not going:
        return
    out = life.walk(going, way_out(life.world, building, transfer.origin, goods=True), now_us, "transfer")
    for one in going:
        transfer.add(one, out - 3 * SECOND, "in_transit")
    if dice.chance(habits.came_back):
        back = out + round(dice.uniform(3 * MINUTE, 25 * MINUTE))
        life.at(back, partial(_turn_round, life, transfer, going, building))
    else:
        days = dice.uniform(0.3, 2.0) if building.site == there.site else dice.uniform(1.0, 6.0)
        arrives = out + round(days * DAY)
        for one in going:
            life.busy[one] = arrives + HOUR
        life.at(arrives, partial(_arrive, life, transfer, going, (building, there)))


def _turn_round(life: Life, transfer: TrueTransfer, going: Sequence[str], building: Building, now_us: int) -> None:
    at_us = life.walk(going, way_in(life.world, building, transfer.origin, goods=True), now_us, "turn_round")
    for one in going:
        transfer.add(one, at_us, "returned_to_origin")


def _arrive(
    life: Life, transfer: TrueTransfer, going: Sequence[str], ends: tuple[Building, Building], now_us: int
) -> None:
    habits, dice, there = life.scenario.habits, life.dice, ends[1]
    goal, state = transfer.destination, "received"
    elsewhere = [one for one in life.world.buildings if one not in ends]
    if elsewhere and dice.chance(habits.misdirected):
        there, state = dice.choice(elsewhere), "wrong_destination"
        goal = there.stockrooms[0]
    life.appear(going, there.street, now_us)
    at_us = life.walk(going, way_in(life.world, there, goal, goods=True), now_us + 2 * MINUTE, "transfer")
    for one in going:
        transfer.add(one, at_us, state)
    life.bound -= set(going) if state == "received" else set()
    if state == "received" and dice.chance(habits.receipts_scanned):
        scanned = at_us + round(dice.uniform(5, 90) * MINUTE)
        life.acts.append(Act(scanned, scanned, "received", transfer.id, transfer.receiver, tuple(going), goal))


def _plan_visits(life: Life) -> None:
    """Let assets come near doors, a few a portal and day, by day as by night."""
    for portal in life.world.portals:
        for day in range(life.scenario.days):
            for _ in range(life.dice.count(life.scenario.doors.visits)):
                at_us = life.truth.start_us + day * DAY + life.dice.randrange(DAY)
                life.at(at_us, partial(_visit, life, portal))


def _visit(life: Life, portal: Opening, now_us: int) -> None:
    side = portal.inside if life.dice.chance(0.5) else portal.outside
    there = life.there(side)
    if there and life.free(asset := life.dice.choice(there), now_us):
        kind = life.dice.choices(["near", "turned_back", "parked"], [7, 2, 1])[0]
        life.truth.visits.append(TrueVisit(asset, now_us, portal.id, kind))


def _plan_thefts(life: Life) -> None:
    truth, scenario = life.truth, life.scenario
    for _ in range(life.dice.count(scenario.habits.thefts * scenario.days / MONTH_DAYS)):
        life.at(life.dice.randrange(truth.start_us + 6 * HOUR, truth.end_us), partial(_steal, life))


def _steal(life: Life, now_us: int) -> None:
    """Take one to four things from a room, by one of the ways out; some hide them from readers."""
    dice = life.dice
    building = dice.choice(life.world.buildings)
    room = dice.choice([*building.stockrooms, building.floor, building.floor, building.lab])
    there = [one for one in life.there(room) if life.free(one, now_us)]
    taken = dice.sample(there, min(len(there), 1 + dice.randrange(4)))
    if not taken:
        return
    ways = [f"{building.id}-entrance", f"{building.id}-entrance", f"{building.id}-fire-door", f"{room}-hatch"]
    by_dock = dice.chance(0.25)
    way = way_out(life.world, building, room, goods=by_dock)
    wanted = {f"{building.dock}-shutter", f"{room}-hatch"} if by_dock else {dice.choice(ways), f"{room}-hatch"}
    life.walk(taken, way, now_us, "theft", shielded=dice.chance(0.2), openings=wanted)
    for one in taken:
        life.busy[one] = life.truth.end_us


def _plan_dead_tags(life: Life) -> None:
    share = life.scenario.habits.dead_tags * life.scenario.days / MONTH_DAYS
    for asset in life.assets:
        if life.dice.chance(share):
            life.truth.dead[asset] = life.dice.randrange(life.truth.start_us, life.truth.end_us)
