"""Doors to fit on where people linger in the doorway, meet in it and follow each other: what alarms and groups ask for.

No door, and no walk, of a lesson is one of those that figures are measured at.
"""

from typing import Final

import numpy as np

from simulator.scenarios.model import Scenario
from tests.accuracy import alarms, groups
from tests.accuracy.script import Script
from tests.accuracy.site import one_door

ACTS: Final = 40
LINGERING, MIXED, THEFT = 0.4, 0.65, 0.75
"""Up to these shares of the acts somebody lingers, a group is mixed, somebody steals; the others carry with leave."""
_SEED: Final = 55_000


def lesson(seed: int, acts: int = ACTS) -> Scenario:
    """Return a random door with so many acts at it."""
    name = f"lesson-{seed}"
    script = Script(one_door(name), np.random.default_rng([_SEED, seed]))
    for _ in range(acts):
        _act(script)
    return script.scenario(name)


def _act(script: Script) -> None:
    what = script.rng.random()
    if what < LINGERING:
        alarms.linger(script)
    elif what < MIXED:
        groups.ACTS[str(script.rng.choice(groups.KINDS))](script)
        script.at_s += float(script.rng.uniform(0.0, 3.0))
    elif what < THEFT:
        alarms.steal(script)
    else:
        act = str(script.rng.choice(["outbound", "inbound"]))
        script.at_s += alarms.carry(script, act, int(script.rng.integers(1, 7)))
