"""How things are carried: the bodies that a walk moves, and where its tags are on them."""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from simulator.scenarios.moves import Carry
from simulator.world.paths import TURN_S
from simulator.world.scene import Floats

PERSON_M: Final = (0.22, 1.75)
"""Radius and height of a person."""
PERSON_DB: Final = (10.0, 25.0)
"""What a body takes from a ray through it; each has its own."""
HAND_HEIGHT_M: Final = 1.0
ARM_M: Final = (0.12, -0.32)
"""Where a laptop under an arm is: ahead of and beside the walker's middle."""
ARM_AXIS: Final = (0.5, 0.0, 0.87)
"""How a laptop's long side points under an arm: up, and leaning forwards."""
THICK_M: Final = 0.03
"""Laptops lie so far above each other."""
BETWEEN_DB: Final = (1.0, 4.0)
"""What one neighbour so close takes."""
FACE_TO_FACE_DB: Final = (8.0, 15.0)
FACE_TO_FACE_DEAF: Final = 0.2
"""Share of tags between two lids that nothing wakes."""
TILT: Final = 0.2
"""Spread of a label's direction around that, as a part of it."""
DEAF_DB: Final = 35.0
BACK_DB: Final = (6.0, 12.0)
FOIL_DB: Final = 40.0
DRAGGED_M: Final = (-0.5, 0.1, 0.05)
CART_AHEAD_M: Final = 0.95
CART_TOP_M: Final = 0.8
CART_COLUMNS: Final = 3
CART_PILES: Final = 9
"""Piles that fit on a cart, three abreast; up to so many laptops each have a pile of their own."""
CART_PITCH_M: Final = 0.24
CART_DEAF: Final = 0.15
"""Share of the inner laptops of a pile that nothing wakes: their label lies against the neighbour's metal."""
PALLET_AHEAD_M: Final = 1.4
FORKLIFT_TURN_S: Final = 8.0
"""A forklift's half turn: at a walker's pace a circle of 2.5 m, as its wheels can. A load that far ahead, swung round
as fast as a walker turns, would go sideways at 5 m/s."""
PALLET_M: Final = (1.2, 1.0)
PALLET_LAYER_M: Final = 0.3
PALLET_LAYERS: Final = 5
PALLET_SHELL_DB: Final = 2.5
"""What each box between a box and the pallet's nearest side takes."""


@dataclass(frozen=True, slots=True)
class Body:
    """One upright cylinder that moves with a walk.

    Attributes:
        ahead_m: of the walk's path.
    """

    ahead_m: float
    radius_m: float
    bottom_m: float
    top_m: float
    loss_db: float


class Load(NamedTuple):
    """Tags on a carrier, (n,) in the walk's order: see `Holds`; offset is from the holder's foot."""

    offset: Floats
    axis: Floats
    face: Floats
    loss_db: Floats


def turn_s(carry: Carry) -> float:
    """What a half turn of who carries so takes."""
    return FORKLIFT_TURN_S if carry == "pallet" else TURN_S


def bodies(carry: Carry, height_m: float | None, rng: np.random.Generator) -> tuple[Body, ...]:
    """What moves; the last of them is the one that holds the tags, and whose middle crosses a doorway."""
    if carry == "arm":
        height = HAND_HEIGHT_M if height_m is None else height_m
        return (Body(0.0, 0.05, max(height - 0.1, 0.0), height + 0.1, 3.0),)
    if carry == "pallet":
        return Body(0.0, 0.6, 0.0, 2.1, 25.0), Body(
            PALLET_AHEAD_M, 0.55, 0.1, 0.1 + PALLET_LAYERS * PALLET_LAYER_M, 12.0
        )
    person = Body(0.0, PERSON_M[0], 0.0, PERSON_M[1], float(rng.uniform(*PERSON_DB)))
    if carry == "cart":
        return person, Body(CART_AHEAD_M, 0.35, 0.0, CART_TOP_M, 8.0)
    return (person,)


def load(carry: Carry, count: int, height_m: float | None, rng: np.random.Generator) -> Load:
    """Where so many tags are, and what their neighbours take from them."""
    if carry == "cart":
        return _cart(count, CART_TOP_M + 0.05 if height_m is None else height_m, rng)
    if carry == "pallet":
        return _pallet(count, 0.25 if height_m is None else height_m, rng)
    base, axis, face = {
        "backpack": ((-PERSON_M[0] - 0.08, 0.0, 1.25), (0.0, 1.0, 0.0), (-1.0, 0.0, 0.0)),
        "arm": ((0.0, 0.0, HAND_HEIGHT_M), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
        "dragged": (DRAGGED_M, (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    }.get(carry, ((*ARM_M, HAND_HEIGHT_M), ARM_AXIS, (0.0, -1.0, 0.0)))
    height = base[2] if height_m is None else height_m
    offset = np.array([(base[0], base[1], height + THICK_M * index) for index in range(count)]).reshape(-1, 3)
    return Load(offset, _tilted(axis, count, rng), np.tile(np.array(face), (count, 1)), _held_db(carry, count, rng))


def _held_db(carry: Carry, count: int, rng: np.random.Generator) -> Floats:
    """What is taken from each tag that one person carries."""
    within, deaf = rng.random((2, count))
    between: Floats = np.full(count, BETWEEN_DB[0] * min(count - 1, 2))
    if carry == "foil-bag":
        between += FOIL_DB
    elif carry == "backpack":
        between += _spread(BACK_DB, within)
    elif carry == "face-to-face":
        paired = np.arange(count) < count - count % 2
        between = paired * (_spread(FACE_TO_FACE_DB, within) + DEAF_DB * (deaf < FACE_TO_FACE_DEAF))
    return between


def _spread(span_db: tuple[float, float], within: Floats) -> Floats:
    return span_db[0] + (span_db[1] - span_db[0]) * within


def _cart(count: int, base_m: float, rng: np.random.Generator) -> Load:
    """Piles of closed laptops, three abreast."""
    piles = min(count, CART_PILES)
    index = np.arange(count)
    pile, layer = index % max(piles, 1), index // max(piles, 1)
    high = (count - pile + piles - 1) // max(piles, 1)
    rows = math.ceil(piles / CART_COLUMNS)
    ahead = CART_PITCH_M * (pile // CART_COLUMNS - (rows - 1) / 2)
    left = CART_PITCH_M * (pile % CART_COLUMNS - (CART_COLUMNS - 1) / 2)
    below, above, chance = rng.random((3, count))
    loss = (layer > 0) * _spread(BETWEEN_DB, below) + (layer < high - 1) * _spread(BETWEEN_DB, above)
    loss += DEAF_DB * ((layer > 0) & (layer < high - 1) & (chance < CART_DEAF))
    offset = np.column_stack([ahead, left, base_m + THICK_M * layer]).astype(np.float64)
    return Load(offset, _level(count, rng), np.tile([0.0, 0.0, 1.0], (count, 1)), loss)


def _pallet(count: int, base_m: float, rng: np.random.Generator) -> Load:
    """Boxes in layers; what lies within is much weaker."""
    layers = min(PALLET_LAYERS, max(count, 1))
    each = math.ceil(count / layers)
    long = max(math.ceil(math.sqrt(each * PALLET_M[0] / PALLET_M[1])), 1)
    wide = max(math.ceil(each / long), 1)
    index = np.arange(count)
    layer, place = index // max(each, 1), index % max(each, 1)
    row, column = place // wide, place % wide
    shell = np.minimum.reduce([row, long - 1 - row, column, wide - 1 - column])
    offset = np.column_stack(
        [
            PALLET_M[0] * ((row + 0.5) / long - 0.5),
            PALLET_M[1] * ((column + 0.5) / wide - 0.5),
            base_m + PALLET_LAYER_M * layer,
        ]
    )
    side = np.where(column < wide / 2, -1.0, 1.0)
    face = np.column_stack([np.zeros(count), side, np.zeros(count)])
    return Load(offset, _tilted((1.0, 0.0, 0.0), count, rng), face, PALLET_SHELL_DB * shell)


def _level(count: int, rng: np.random.Generator) -> Floats:
    """(count, 3) level unit vectors: laptops are piled with any side to the front."""
    angle = rng.uniform(0, 2 * math.pi, count)
    return np.column_stack([np.cos(angle), np.sin(angle), np.zeros(count)])


def _tilted(axis: tuple[float, float, float], count: int, rng: np.random.Generator) -> Floats:
    """(count, 3) unit vectors near an axis: no label sits quite straight."""
    near = np.array(axis) + rng.normal(0, TILT, (count, 3))
    unit: Floats = near / np.linalg.norm(near, axis=1, keepdims=True)
    return unit
