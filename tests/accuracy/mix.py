"""How often what is at a door: one mix for the frozen set, one for the doors that decisions are fitted on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True)
class Mix:
    """Weights and spans that the two families of doors don't share.

    Attributes:
        version: of the family: another one makes other doors.
        widen: how much wider every span of place and radio is, as a part of it.
        radios: readers' models and regions.
        residents: tags on shelves.
        kinds: what walkers do.
        paces: how fast they are (`walks.PACES`).
        weak_db: what a weak tag loses more, from and to.
        weak_loads: share of loads whose tags are all weak.
        weak_tags: share of weak tags among the others.
        across: share of those who turn back that go a step beyond the plane first.
    """

    version: int
    widen: float
    radios: Mapping[str, float]
    residents: Mapping[str, float]
    kinds: Mapping[str, float]
    paces: Mapping[str, float]
    weak_db: tuple[float, float]
    weak_loads: float
    weak_tags: float
    across: float


FROZEN: Final = Mix(
    version=6,
    widen=0.0,
    radios={
        "impinj/speedway fcc": 0.47,
        "impinj/speedway etsi": 0.28,
        "impinj/r700 fcc": 0.05,
        "impinj/r700 etsi": 0.03,
        "zebra/fx7500 fcc": 0.05,
        "zebra/fx7500 etsi": 0.04,
        "zebra/fx9600 fcc": 0.04,
        "zebra/fx9600 etsi": 0.04,
    },
    residents={"0": 0.12, "5": 0.2, "20": 0.3, "50": 0.17, "100": 0.11, "200": 0.07, "500": 0.03},
    kinds={"cross": 0.36, "meet": 0.04, "tail": 0.03, "turn": 0.17, "near": 0.36, "park": 0.085, "empty": 0.06},
    paces={"slow": 0.1, "usual": 0.63, "fast": 0.27},
    weak_db=(4.0, 9.5),
    weak_loads=0.32,
    weak_tags=0.13,
    across=0.05,
)
"""So many weak tags, fast walkers and passers-by that the issue's shares of thin and near visits are there."""
TRAINING: Final = replace(
    FROZEN,
    widen=0.3,
    radios={
        "impinj/speedway fcc": 0.4,
        "impinj/speedway etsi": 0.2,
        "impinj/r700 fcc": 0.07,
        "impinj/r700 etsi": 0.04,
        "zebra/fx7500 fcc": 0.08,
        "zebra/fx7500 etsi": 0.06,
        "zebra/fx9600 fcc": 0.08,
        "zebra/fx9600 etsi": 0.07,
    },
    residents={"0": 0.2, "5": 0.22, "20": 0.23, "50": 0.16, "100": 0.1, "200": 0.06, "500": 0.03},
    kinds={"cross": 0.39, "meet": 0.04, "tail": 0.03, "turn": 0.18, "near": 0.31, "park": 0.095, "empty": 0.06},
    paces={"slow": 0.12, "usual": 0.64, "fast": 0.24},
    weak_db=(4.0, 10.5),
    weak_loads=0.26,
    across=0.07,
)
"""Wider spans of place and radio, and of tags; no walk is one of the frozen set's."""
