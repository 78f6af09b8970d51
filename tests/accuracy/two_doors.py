"""Two doors with 1.5 m of wall between them (Show 3): is every crossing booked once, and at its own door?

Half of the sites have one reader for both doors, half one for each; a gateway drives them all. (Doors of two gateways
are the central's to arbitrate.) People go through either door with one to three tags or a cart, some of them both at
once.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge.contracts import MovementRow, instant_us
from simulator.world.values import Crossing
from tests.accuracy.play import EPOCH_US
from tests.accuracy.script import Script
from tests.accuracy.site import two_doors
from tests.accuracy.stream import Stream

ALL_SITES: Final = 40
SITES: Final = int(os.environ.get("TWO_DOOR_SITES", ALL_SITES))
WALKS: Final = 30
BOTH_SHARE: Final = 0.25
"""Of the walks, with somebody else in the other door meanwhile."""
SEED: Final = 54_000
SAME_US: Final = 3_000_000


@dataclass(frozen=True, slots=True)
class Booked:
    """What became of one true crossing.

    Attributes:
        readers: how many serve the two doors.
        here, there: finals that say in or out, at its own door and at the other.
        right: whether one of those here has its direction.
        early_there: passages of the other door that said in or out before their finals.
    """

    readers: int
    reads: int
    here: int
    there: int
    right: bool
    early_there: int


def site(number: int) -> list[Booked]:
    """Play one site."""
    readers = 1 + number % 2
    place = two_doors(f"two-doors-{number}", readers=readers)
    script = Script(place, np.random.default_rng([SEED, number]))
    for _ in range(WALKS):
        first = int(script.rng.integers(2))
        lasts_s = _walks(script, first)
        if script.rng.random() < BOTH_SHARE:
            lasts_s = max(lasts_s, _walks(script, 1 - first))
        script.at_s += lasts_s + 1.0
    scenario = script.scenario(f"two-doors-{number}")
    rows: list[MovementRow] = []
    stream = Stream(scenario, SEED + number, place.settings(scenario), lambda _, row: rows.append(row)).run()
    return [_booked(visit, rows, readers) for visit in stream.visits if visit.crossed_us is not None]


def _walks(script: Script, portal: int) -> float:
    count = int(script.rng.choice([1, 2, 3, 8], p=[0.5, 0.2, 0.15, 0.15]))
    tags = script.new_tags(count, "carried")
    speed_mps = float(script.rng.uniform(0.6, 1.8))
    ways = script.through(portal, outwards=bool(script.rng.random() < 0.5))
    return script.walk(ways, tags=tags, carry="cart" if count > 3 else "hand", speed_mps=speed_mps)


def _booked(visit: Crossing, rows: Sequence[MovementRow], readers: int) -> Booked:
    epc, crossed_us = visit.epc.hex(), visit.crossed_us or 0
    mine = [
        row
        for row in rows
        if row.epc == epc
        and row.kind in {"in", "out"}
        and abs(instant_us(row.crossed_at or row.at) - EPOCH_US - crossed_us) <= SAME_US
    ]
    finals = [row for row in mine if row.final]
    here = [row for row in finals if row.portal == visit.portal]
    return Booked(
        readers=readers,
        reads=visit.reads,
        here=len(here),
        there=len(finals) - len(here),
        right=any(row.kind == visit.kind for row in here),
        early_there=len({row.passage for row in mine if not row.final and row.portal != visit.portal}),
    )
