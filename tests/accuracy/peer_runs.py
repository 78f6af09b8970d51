"""Ours and the peers on the same reads of gallery scenarios, visit by visit; of the frozen set: `tally`.

Peers are told where each visit begins and ends, ours finds that out itself. Right is: `in` and `out` called as such,
any other visit not called a crossing; `unresolved` is right for none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from edge.windows import Windows
from simulator.scenarios.load import load
from simulator.scoring.calls import calls_of
from simulator.scoring.match import match
from simulator.scoring.units import UNRESOLVED, Unit, tag_units
from simulator.scoring.visits import CROSSINGS
from tests.accuracy.commission import commissioned
from tests.accuracy.play import Played, play
from tests.accuracy.tally import peers_of, visit_of
from tests.accuracy.watch import watch

OURS: Final = "ours"
DAYS: Final = 5
"""Each gallery scenario is played with so many seeds: other people of other speeds, other fading."""
LEFT_OUT: Final = {
    "crowd": "nobody walks",
    "door-propped": "two hours of one door",
    "forklift-500": "of 500 tags a handful is read",
    "office": "has no end",
    "parked-an-hour": "an hour of one trolley",
    "reader-faults": "its faults are those of LLRP, which this player doesn't speak",
    "transfer-two-sites": "as the office",
    "working-day": "a day of one door",
}
"""Gallery scenarios that aren't played, and why."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where it was, by what it is told apart, and each rule's calls of the same visits in the same order."""

    name: str
    layout: str
    calls: Mapping[str, tuple[Unit, ...]]


def gallery_scene(name: str) -> Scene:
    """Play a gallery scenario on some days, commissioned once, and let everybody call it."""
    scenario = load(name)
    settings = commissioned(scenario)
    calls: dict[str, list[Unit]] = {}
    for seed in range(1, DAYS + 1):
        for rule, units in called(play(scenario, seed, settings=settings)).items():
            calls.setdefault(rule, []).extend(units)
    return Scene(name, scenario.portals[0].layout, {rule: tuple(units) for rule, units in calls.items()})


def called(played: Played) -> dict[str, list[Unit]]:
    """Return what ours and each peer say of every true visit that was read."""
    visits = [visit_of(one) for one in played.visits]
    pairs = match(visits, calls_of(watch(played, Windows(played.settings, boot="accuracy"))))
    ours = [unit for unit in tag_units(pairs, "final") if unit.true is not None]
    everybody = {OURS: ours, **peers_of(played, visits)}
    read = [unit.monitored and unit.reads > 0 for unit in ours]
    return {
        rule: [unit for unit, was_read in zip(units, read, strict=True) if was_read]
        for rule, units in everybody.items()
    }


def is_right(unit: Unit) -> bool:
    """Say whether a call is right in three classes: in, out, no crossing."""
    if unit.true in CROSSINGS:
        return unit.called == unit.true
    return unit.called not in {*CROSSINGS, UNRESOLVED}


def tally(scene: Scene) -> dict[str, Any]:
    """Return how many visits there were, and of each rule: right, wrong way, crossings not called, false crossings."""
    ours = scene.calls[OURS]
    return {
        "visits": len(ours),
        "crossings": sum(unit.true in CROSSINGS for unit in ours),
        "rules": {rule: _figures(calls) for rule, calls in scene.calls.items()},
    }


def _figures(calls: Sequence[Unit]) -> dict[str, int]:
    through = [unit for unit in calls if unit.true in CROSSINGS]
    return {
        "right": sum(map(is_right, calls)),
        "wrong_way": sum(unit.called in CROSSINGS and unit.called != unit.true for unit in through),
        "missed": sum(unit.called not in CROSSINGS for unit in through),
        "false": sum(unit.called in CROSSINGS for unit in calls if unit.true not in CROSSINGS),
    }
