"""The scenario's tags as arrays: what each takes from the field, and which never answer."""

import math
from typing import Final

import numpy as np

from simulator.scenarios.model import Scenario
from simulator.world.scene import Flags, Floats, Tags

MODULATION_DB: Final = (5.0, 6.0)
"""What backscatter loses."""
ON_METAL_DB: Final = 2.0
"""A tag made for metal loses this where its type says nothing."""
LABEL_ON_METAL_DB: Final = 40.0
"""A plain label on metal is dead: this beside its own loss."""
_TAGS: Final = 2
"""What the seed's words are for, beside those of `schedule.py`."""


def tags(scenario: Scenario, seed: int) -> Tags:
    """All tags of a scenario by number less one."""
    rng = np.random.default_rng([seed, _TAGS])
    part, count = scenario.tags, scenario.tags.count
    loss = rng.normal(part.loss_db, part.loss_spread_db, count)
    sensitivity = np.full(count, part.sensitivity_dbm)
    modulation = rng.uniform(*MODULATION_DB, count)
    dead = rng.random(count) < part.dead_share
    for kind in scenario.tag_types:
        chosen = np.array(kind.tags, dtype=np.int64) - 1
        if kind.loss_db is not None or kind.mount == "on-metal":
            own = ON_METAL_DB if kind.loss_db is None else kind.loss_db
            loss[chosen] += own - part.loss_db
        if kind.mount == "label-on-metal":
            loss[chosen] += LABEL_ON_METAL_DB
        if kind.sensitivity_dbm is not None:
            sensitivity[chosen] = kind.sensitivity_dbm
        dead[chosen] |= kind.dead or kind.mount == "label-on-metal"
    return Tags(sensitivity, loss, modulation, dead)


def one_sided(scenario: Scenario) -> Flags:
    """(n,) which tags are read on one side only."""
    found = np.zeros(scenario.tags.count, dtype=np.bool_)
    for kind in scenario.tag_types:
        found[np.array(kind.tags, dtype=np.int64) - 1] = kind.mount == "on-metal"
    return found


def poses(scenario: Scenario, seed: int) -> tuple[Floats, Floats]:
    """(n, 3) axis and face of each tag where it lies and nobody says how: level, in any direction, by the seed."""
    angle = np.random.default_rng([seed, _TAGS, 1]).uniform(0, 2 * math.pi, scenario.tags.count)
    level = np.zeros_like(angle)
    axis = np.column_stack([np.cos(angle), np.sin(angle), level])
    return axis, np.column_stack([-np.sin(angle), np.cos(angle), level])


def epc_table(scenario: Scenario) -> np.typing.NDArray[np.uint8]:
    """(n, w) the EPC of each tag."""
    width = len(scenario.tags.epc_prefix) // 2 + scenario.tags.number_bytes
    epcs = b"".join(scenario.epc(number) for number in range(1, scenario.tags.count + 1))
    return np.frombuffer(epcs, dtype=np.uint8).reshape(-1, width)
