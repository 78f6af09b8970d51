"""Tags that move together where only some of them may (Show 3): does the alert name exactly the right ones?

Three kinds of trials, each at many doors.
- `stowaway`: a cart with thirteen tags goes out, one of which may not leave.
- `counter`: a cart with ten tags that may not leave goes out while somebody brings one in past it: the ten are named,
  the one isn't.
- `thief`: 0.7 m behind who pushes a trolley with leave somebody carries out a tag without.

A trial is right if the tags alarmed for, provisionally or finally, are exactly those that went out without leave; those
that were never read are asked for as well.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from edge.contracts import MovementRow
from tests.accuracy.script import Script
from tests.accuracy.site import one_door
from tests.accuracy.stream import Stream

ALL_DOORS: Final = 60
DOORS: Final = int(os.environ.get("GROUP_DOORS", ALL_DOORS))
TRIALS: Final = 5
"""Of each kind at each door."""
KINDS: Final = ("stowaway", "counter", "thief")
SEED: Final = 53_000
BEHIND_M: Final = 0.7
APART_S: Final = 0.7
"""Who brings one in meets the cart within so many seconds of the plane."""
LEAST_READS: Final = 5


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial, its tags as numbers.

    Attributes:
        door: the site's number.
        wanted: tags that went out without leave.
        least_reads: reads of the tag that was read least of those.
    """

    kind: str
    door: int
    layout: str
    wanted: frozenset[int]
    named: frozenset[int]
    least_reads: int

    @property
    def right(self) -> bool:
        """Whether exactly the right ones were named."""
        return self.named == self.wanted

    @property
    def falsely(self) -> int:
        """Tags that were named and shouldn't be."""
        return len(self.named - self.wanted)


@dataclass(frozen=True, slots=True)
class Planned:
    """A trial that was written: all its tags, and those of them that leave without leave."""

    kind: str
    begin_s: float
    wanted: frozenset[int]
    tags: frozenset[int]


def door(number: int) -> list[Trial]:
    """Play all trials of one door."""
    site = one_door(f"groups-{number}")
    script = Script(site, np.random.default_rng([SEED, number]))
    planned: list[Planned] = []
    for place in script.rng.permutation(TRIALS * len(KINDS)):
        kind, begin_s, known = KINDS[place % len(KINDS)], script.at_s, set(script.role)
        wanted = ACTS[kind](script)
        planned.append(Planned(kind, begin_s, wanted, frozenset(set(script.role) - known)))
        script.at_s += 4.0
    return _played(script, number, planned)


def _played(script: Script, number: int, planned: Sequence[Planned]) -> list[Trial]:
    scenario = script.scenario(f"door-{number}")
    may_leave = set(script.authorised)
    named: list[set[int]] = [set() for _ in planned]
    trial_of = {tag: place for place, one in enumerate(planned) for tag in one.tags}

    def tell(at_us: int, row: MovementRow) -> None:
        tag = int(row.epc[-4:], 16)
        if row.kind == "out" and tag not in may_leave:
            # A resident that is named is the fault of whoever walked at that time.
            walking = sum(one.begin_s <= at_us / 1e6 for one in planned) - 1
            named[trial_of.get(tag, max(walking, 0))].add(tag)

    stream = Stream(scenario, SEED + number, script.site.settings(scenario), tell).run()
    reads = {int.from_bytes(visit.epc[-2:]): visit.reads for visit in stream.visits if visit.kind == "out"}
    return [
        Trial(
            one.kind,
            number,
            script.site.layout,
            one.wanted,
            frozenset(names),
            min(reads.get(tag, 0) for tag in one.wanted),
        )
        for one, names in zip(planned, named, strict=True)
    ]


def _stowaway(script: Script) -> frozenset[int]:
    tags = script.new_tags(13, "cart", may_leave=True)
    mine = int(script.rng.choice(tags))
    script.authorised.remove(mine)
    speed_mps = float(script.rng.uniform(0.6, 1.4))
    script.at_s += script.walk(script.through(outwards=True), tags=tags, carry="cart", speed_mps=speed_mps)
    return frozenset([mine])


def _counter(script: Script) -> frozenset[int]:
    """The cart and who comes in are on the plane within `APART_S` of each other."""
    rng = script.rng
    cart, single = script.new_tags(10, "cart"), script.new_tags(1, "single")
    out_mps, in_mps = float(rng.uniform(0.6, 1.4)), float(rng.uniform(0.8, 1.6))
    going, coming = script.through(outwards=True), script.through(outwards=False)
    apart_s = _to_plane_m(going) / out_mps - _to_plane_m(coming) / in_mps + float(rng.uniform(-APART_S, APART_S))
    out_s = script.walk(going, tags=cart, carry="cart", speed_mps=out_mps, later_s=max(-apart_s, 0.0))
    in_s = script.walk(coming, tags=single, speed_mps=in_mps, later_s=max(apart_s, 0.0))
    script.at_s += max(out_s + max(-apart_s, 0.0), in_s + max(apart_s, 0.0))
    return frozenset(cart)


def _thief(script: Script) -> frozenset[int]:
    rng = script.rng
    tags = script.new_tags(int(rng.integers(4, 13)), "trolley", may_leave=True)
    mine = script.new_tags(1, "thief")
    speed_mps, points = float(rng.uniform(0.7, 1.4)), script.through(outwards=True)
    later_s = BEHIND_M / speed_mps
    script.walk(points, tags=tags, carry="cart", speed_mps=speed_mps)
    carry = str(rng.choice(["hand", "backpack"]))
    script.at_s += later_s + script.walk(points, tags=mine, carry=carry, speed_mps=speed_mps, later_s=later_s)
    return frozenset(mine)


def _to_plane_m(points: Sequence[tuple[float, ...]]) -> float:
    """Return how far it is along a way to the plane."""
    walked_m = 0.0
    for one, other in pairwise(points):
        leg_m = float(np.hypot(other[0] - one[0], other[1] - one[1]))
        if one[0] * other[0] < 0:
            return walked_m + leg_m * abs(one[0]) / abs(one[0] - other[0])
        walked_m += leg_m
    raise ValueError(f"the way {points} doesn't cross the plane")


ACTS: Final[dict[str, Callable[[Script], frozenset[int]]]] = {
    "stowaway": _stowaway,
    "counter": _counter,
    "thief": _thief,
}
"""Each writes one trial and returns the tags that go out without leave."""
