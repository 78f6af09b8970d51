"""A metal leaf with residents behind it: how many of them give events when it opens, and what knowing the door saves.

Rooms of 20 to 60 tags on a shelf 1 to 3 m beside the doorway, inside or outside; every quarter of a minute somebody
goes through or turns at the door, three in ten with a tag. A contact tells the leaf.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge.windows import Windows
from edge.windows.background import Background
from edge.windows.decide import Verdict
from edge.windows.snapshot import Snapshot
from simulator.scenarios.load import parse
from simulator.scenarios.model import Scenario
from tests.accuracy.play import Played, play
from tests.accuracy.watch import watch

SECONDS: Final = 360.0
DOORS: Final = range(7, 19)
_PLACE: Final = """
name = "leaf-{seed}"
description = "Residents behind a metal leaf."
seed = {seed}
seconds = {seconds}
[tags]
epc_prefix = "3034257bf7194e40000000"
count = {count}
loss_db = {loss_db:.2f}
sensitivity_dbm = -21.0
[[portals]]
id = "door"
inside = "stockroom"
outside = "corridor"
[[walls]]
points = [[0.0, -4.0], [0.0, 4.0], [-6.0, 4.0], [-6.0, -4.0], [0.0, -4.0]]
[[doors]]
id = "leaf"
doorway = "door"
swings = "{swings}"
opening_s = {opening_s:.2f}
[[shelves]]
id = "shelf"
at = [{x:.2f}, {y:.2f}]
size = [0.5, 2.0]
tags = "101..{count}"
[[readers]]
id = "r1"
power_dbm = {power_dbm:.1f}
antennas = [
  {{ port = 1, portal = "door", position = [-0.15, 0.9, 1.5], aim = [-1.3, 0.0, 1.0] }},
  {{ port = 2, portal = "door", position = [-0.15, -0.9, 1.2], aim = [-1.3, 0.0, 1.0] }},
  {{ port = 3, portal = "door", position = [0.15, 0.9, 1.5], aim = [1.3, 0.0, 1.0] }},
  {{ port = 4, portal = "door", position = [0.15, -0.9, 1.2], aim = [1.3, 0.0, 1.0] }},
]
[[sensors]]
id = "contact"
kind = "contact"
portal = "door"
reader = "r1"
gpi = 1
door = "leaf"
[[routes]]
id = "through"
portal = "door"
points = [[-4.8, 0.0], [4.8, 0.0]]
[[routes]]
id = "turns"
portal = "door"
points = [[-4.8, 0.0], [-0.7, 0.0, 2.0], [-4.8, 0.5]]
"""
_WALK: Final = """
[[walks]]
id = "walk-{number}"
at_s = {at_s:.1f}
route = "{route}"
reverse = {back}
speed_mps = {speed_mps:.2f}
{load}
"""


@dataclass(frozen=True, slots=True)
class Residents:
    """Finals and provisionals of tags that never moved, by kind; and how many movers' visits had a final."""

    false: Counter[str]
    movers: int


class NoBackground(Background):
    """Takes every visit at its word."""

    def judge(self, snap: Snapshot, verdict: Verdict) -> Verdict:
        return verdict


def scenario(seed: int, seconds: float = SECONDS) -> Scenario:
    """Draw a room, its door and who comes by."""
    rng = np.random.default_rng(seed)
    inside = rng.random() < 0.75
    text = _PLACE.format(
        seed=seed,
        seconds=seconds,
        count=100 + int(rng.integers(20, 60)),
        loss_db=rng.uniform(2, 8),
        swings=rng.choice(["in", "out"]),
        opening_s=rng.uniform(0.8, 2.0),
        x=rng.uniform(-3.2, -1.0) if inside else rng.uniform(1.2, 2.5),
        y=rng.uniform(1.2, 2.8) * rng.choice([-1, 1]),
        power_dbm=rng.uniform(24, 30),
    )
    at_s, number = 4.0, 0
    while at_s < seconds - 24:
        number += 1
        route = str(rng.choice(["through", "turns"], p=[0.8, 0.2]))
        text += _WALK.format(
            number=number,
            at_s=at_s,
            route=route,
            back=str(bool(route == "through" and rng.random() < 0.5)).lower(),
            speed_mps=rng.uniform(0.7, 1.6),
            load=f"tags = [{number}]" if rng.random() < 0.3 else 'carry = "none"',
        )
        at_s += float(rng.uniform(12, 20))
    return parse(text, f"leaf-{seed}")


def residents(played: Played, *, known: bool) -> Residents:
    """Return what came of a door's residents; `known`: the windows have a background."""
    windows = Windows(played.settings, boot="leaf")
    if not known:
        for group in windows._groups:
            group.judge.background = NoBackground(group.sensed, 1)
    still = {epc.hex() for epc in played.residents}
    rows = [one.row for one in watch(played, windows)]
    return Residents(
        false=Counter(row.kind if row.final else f"early {row.kind}" for row in rows if row.epc in still),
        movers=sum(row.final for row in rows if row.epc not in still),
    )


def measure(seeds: range = DOORS) -> tuple[Residents, Residents]:
    """Return the sum over doors without a background and with it."""
    sums = [Residents(Counter(), 0), Residents(Counter(), 0)]
    for seed in seeds:
        played = play(scenario(seed), seed)
        for place, known in enumerate((False, True)):
            one = residents(played, known=known)
            sums[place] = Residents(sums[place].false + one.false, sums[place].movers + one.movers)
    return sums[0], sums[1]
