"""Who takes what where, and when: errands from a heap of what is due, the truth that they make, the acts they leave."""

import heapq
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from typing import Final

from edge.contracts import instant
from simulator.estate.dice import Dice
from simulator.estate.model import EstateScenario
from simulator.estate.people import Asset, owner
from simulator.estate.truth import TrueCrossing, Truth
from simulator.estate.values import DAY, HOUR, MINUTE, SECOND, Act
from simulator.estate.world import Opening, World

APPROVED_EVERY: Final = 3 * HOUR
"""Approvals are given in rounds, so that a register is written a few times a day."""
FAR: Final = 1 << 62


class Life:
    """The estate as it lives: where everything is, what is due, what came of it."""

    def __init__(self, scenario: EstateScenario, world: World, assets: Sequence[Asset]) -> None:
        self.scenario, self.world = scenario, world
        self.assets = {one.id: one for one in assets}
        self.dice = Dice(scenario.seed, "life")
        end_us = scenario.start_us + scenario.days * DAY
        self.truth = Truth(world, scenario.start_us, end_us)
        self.acts: list[Act] = []
        self.busy: dict[str, int] = {}
        """Asset to the instant until which an errand has it."""
        self.bound: set[str] = set()
        """Assets on a transfer that isn't over: no other takes them."""
        self._place: dict[str, str] = {}
        self._there: dict[str, dict[str, None]] = {place: {} for place in world.places}
        self._due: list[tuple[int, int, Callable[[int], None]]] = []
        self._pending: list[tuple[int, int, str, str]] = []
        self._numbers = 0
        for one in assets:
            self._put(one.id, one.start, scenario.start_us)

    def at(self, at_us: int, what: Callable[[int], None]) -> None:
        """Let something happen at an instant, unless the scenario has ended by then."""
        if at_us < self.truth.end_us:
            heapq.heappush(self._due, (at_us, self.number(), what))

    def number(self) -> int:
        """Return a number that is used once."""
        self._numbers += 1
        return self._numbers

    def run(self) -> None:
        """Let all that is due happen, in order."""
        while self._due:
            at_us, _, what = heapq.heappop(self._due)
            self._settle(at_us)
            what(at_us)
        self._settle(FAR)

    def place(self, asset: str) -> str:
        """Return where an asset is now."""
        return self._place[asset]

    def free(self, asset: str, now_us: int) -> bool:
        """Tell whether no errand has an asset."""
        return self.busy.get(asset, 0) <= now_us

    def there(self, place: str) -> list[str]:
        """Return what is at a place, in order of arrival."""
        return list(self._there[place])

    def walk(
        self,
        assets: Sequence[str],
        way: Sequence[str],
        now_us: int,
        errand: str,
        *,
        shielded: bool = False,
        openings: Collection[str] = (),
    ) -> int:  # fmt: skip
        """Carry assets along a way; return when they are at its end. `openings` are taken where they fit."""
        group, at_us = f"{errand}-{self.number()}", now_us
        for origin, destination in pairwise(way):
            at_us += round(self.dice.uniform(20, 90) * SECOND)
            opening = self._choose(origin, destination, openings)
            for asset in assets:
                when = at_us + round(self.dice.uniform(0, 2.0) * SECOND)
                self.truth.crossings.append(
                    TrueCrossing(asset, when, opening.id, origin, destination, errand, group, shielded)
                )
                heapq.heappush(self._pending, (when, self.number(), asset, destination))
        for asset in assets:
            self.busy[asset] = at_us + MINUTE
        return at_us + 3 * SECOND

    def appear(self, assets: Sequence[str], place: str, at_us: int) -> None:
        """Let assets be at another place outside, where no door tells of it."""
        for asset in assets:
            heapq.heappush(self._pending, (at_us, self.number(), asset, place))

    def authorise(
        self, asset: str, boundary: str, kind: str, at_us: int, *, days: float = 1.0, by: str = "", back_us: int = 0
    ) -> str:
        """Approve an exit ahead of it, or late, or not at all, as people do; return which of these."""
        habits = self.scenario.habits
        luck = self.dice.random()
        if luck < habits.forgotten:
            return "forgotten"
        late = luck < habits.forgotten + habits.approved_late
        recorded = at_us + round(self.dice.uniform(10 * MINUTE, 5 * HOUR)) if late else _round_before(at_us)
        number = f"AU-{self.number():07}"
        self.acts.append(Act(recorded, _round_before(at_us), "authorised", number, by, (asset,), boundary, {
            "id": number, "asset": asset, "boundary": boundary, "kind": kind, "reason": kind,
            "valid_from": instant(_round_before(at_us)), "valid_to": instant(at_us + round(days * DAY)),
            "expected_return": "" if not back_us else instant(back_us), **self._names(kind, by),
        }))  # fmt: skip
        return "late" if late else "approved"

    def _names(self, kind: str, by: str) -> dict[str, str]:
        """Return who is named: on a gate pass who takes it out, who asked, and somebody else who approved."""
        if kind != "gate_pass":
            return {"person": "", "requested_by": "", "approved_by": ""}
        owners = [owner(one.id) for one in self.world.buildings]
        return {"person": by, "requested_by": by, "approved_by": next(one for one in owners if one != by)}

    def _choose(self, origin: str, destination: str, wanted: Collection[str]) -> Opening:
        there = self.world.between[origin, destination]
        named = [one for one in there if one.id in wanted]
        if named:
            return named[0]
        unwatched = [one for one in there if one.kind == "unmonitored"]
        if unwatched and self.dice.chance(self.scenario.habits.bypass):
            return unwatched[0]
        return self.dice.choice([one for one in there if one.kind == "portal"])

    def _settle(self, until_us: int) -> None:
        """Move what crossed by now."""
        while self._pending and self._pending[0][0] <= until_us:
            at_us, _, asset, place = heapq.heappop(self._pending)
            self._put(asset, place, at_us)

    def _put(self, asset: str, place: str, at_us: int) -> None:
        if asset in self._place:
            del self._there[self._place[asset]][asset]
        self._place[asset] = place
        self._there[place][asset] = None
        self.truth.stays.setdefault(asset, []).append((at_us, place))


def _round_before(at_us: int) -> int:
    return at_us // APPROVED_EVERY * APPROVED_EVERY
