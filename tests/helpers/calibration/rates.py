"""Figures of the air: how many reads a second, and how many of them a newcomer gets."""

import math

import numpy as np

from simulator.world.command import DENSE_M4, DUAL_TARGET, AirCommand
from tests.helpers.calibration.figure import Compared
from tests.helpers.calibration.place import (
    FX7500,
    KEEN,
    OFFICE,
    Run,
    residents,
    scenario,
    shelf,
    walks,
)

MODE_2 = AirCommand(mode=2, timing=DENSE_M4, session=0, search_mode=DUAL_TARGET)
NEWCOMERS = 200
COMPUTED = "computed for 200 singulations/s"
FITTED = "fitted: the reader's two pauses were chosen for its three rates"
PILE = "labels held in a pile at 1.2 m, on whose place and size the rate depends"
TWICE_TOO_MANY = 2 * math.exp(-2)
"""Share of single answers where a round has two tags a slot: its Q is one less than the best."""


def populations():
    """Yield an R420's reads a second by population."""
    alone = Run(scenario(1, residents=residents([(1.5, 0.0, 1.0)])), 60)
    yield _rate("r420_1", 1, alone.rate, 70, f"one still tag; {FITTED}")
    for count, lowest_m, stated in ((9, 0.9, 67), (29, 0.6, 124)):
        take = {"at_s": 0, "tags": f"1..{count}", "carry": "hand", "height_m": lowest_m}
        run = Run(scenario(count, site=OFFICE, **walks([[1.5, 1], [1.5, 0, 50], [1.5, -1]], take)), 60)
        yield _rate(f"r420_{count}", count, len(run.between(5, 50)) / 45, stated, f"{FITTED}; {PILE}")


def _rate(name, count, value, stated, how):
    return Compared(
        name=f"rate.{name}", what=f"reads/s of an R420 in its automatic mode, {count} tags", value=value,
        unit="reads/s", measured=str(stated), low=0.85 * stated, high=1.15 * stated, source="measured on an R420",
        how=how,
    )  # fmt: skip


def one_on_fx7500():
    """Yield a Zebra FX7500's reads a second of a still tag."""
    run = Run(scenario(1, residents=residents([(1.5, 0.0, 1.0)])), 60, traits=FX7500)
    yield Compared(
        name="rate.fx7500", what="reads/s of a Zebra FX7500, one still tag", value=run.rate, unit="reads/s",
        measured="222", low=205, high=240, source="measured on an FX7500 (ECD data set)", how="one still tag, 60 s",
    )  # fmt: skip


def newcomers():
    """Yield reads of a tag that comes for 2 s among residents, and how many such are never read."""
    never = 0.0
    for count, stated, low, high in ((50, 7.8, 6.2, 9.8), (200, 2.0, 1.6, 2.5), (500, 0.8, 0.6, 1.0)):
        reads, run = _newcomers(count)
        never = float((reads == 0).mean())
        yield Compared(
            name=f"passage.{count}", what=f"reads of a tag in range for 2 s, {count} residents",
            value=float(reads.mean()), unit="reads", measured=str(stated), low=low, high=high, source=COMPUTED,
            how=f"{NEWCOMERS} newcomers, S0 dual target, mode 2, {run.rate:.0f} reads/s in all",
        )  # fmt: skip
        if count == 500:
            slots = run.counts.singles + run.counts.empties + run.counts.collisions + run.counts.garbled
            alone = (run.counts.singles - run.counts.captures) / slots
    yield Compared(
        name="passage.never_500", what="tags in range for 2 s that are never read, 500 residents", value=never,
        unit="share", measured="0.45", low=0.35, high=0.55, source=COMPUTED, how=f"{NEWCOMERS} newcomers",
    )  # fmt: skip
    yield Compared(
        name="singles", what="slots with one answer, of all slots, 500 tags", value=alone, unit="share",
        measured="at most 0.368", low=TWICE_TOO_MANY, high=0.368, source="theory of framed slotted ALOHA",
        how="the same run, slots in which the stronger of two was understood left out; less than 2/e² is what more "
        "than two tags a slot give: Q is then more than one off the best",
    )  # fmt: skip


def _newcomers(count):
    """(n,) reads of each newcomer, and the run."""
    comes_s = 5 + 2.5 * np.arange(NEWCOMERS)
    late = [
        residents([place], first=count + 1 + number, from_s=float(begin), to_s=float(begin) + 2)[0]
        for number, (place, begin) in enumerate(zip(shelf(NEWCOMERS, seed=9), comes_s, strict=True))
    ]
    of = scenario(count + NEWCOMERS, tags=KEEN, residents=residents(shelf(count)) + late)
    run = Run(of, float(comes_s[-1]) + 2.5, command=MODE_2)
    return np.bincount(run.reads.tag, minlength=count + NEWCOMERS)[count:], run


def field():
    """Yield the share of tags that a short cycle reads, of those that are ever read."""
    shares = []
    for seed in range(1, 6):
        places = np.random.default_rng(seed).uniform([0.8, -1.5, 0.2], [3.0, 1.5, 2.0], (40, 3))
        run = Run(scenario(40, site=OFFICE, tags={}, residents=residents(places)), 60, seed=seed)
        seen = len(np.unique(run.reads.tag))
        read = len(np.unique(run.reads.at_us // 200_000 * 100 + run.reads.tag))
        shares.append(read / seen / 300)
    yield Compared(
        name="field_cycle", what="tags read in a cycle of 0.2 s, of those in the field", value=float(np.mean(shares)),
        unit="share", measured="0.60 to 0.70", low=0.55, high=0.75, source="SMURF, VLDB 2006",
        how="40 labels on laptops lie within 3 m of an antenna, office, R420, 5 seeds",
    )  # fmt: skip
