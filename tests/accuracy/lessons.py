"""Doors to fit on where people linger in the doorway, meet in it and follow each other: what alarms and groups ask for.

No door, and no walk, of a lesson is one of those that figures are measured at: seeds, spans and shares are others.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from edge.windows import WindowsSettings
from simulator.scenarios.model import Scenario
from tests.accuracy.alarms import carry
from tests.accuracy.mix import TRAINING
from tests.accuracy.script import Point, Script
from tests.accuracy.site import one_door

VERSION: Final = 1
"""Of the lessons: another one makes others."""
ACTS: Final = 40
STOPS_S: Final = (2.0, 60.0)
"""Shortest and longest stop in the doorway; evenly by the logarithm."""
STOPS_M: Final = (0.03, 0.9)
"""From the plane, on either side."""
STEP_S: Final = 6.0
"""Who stands shifts from foot to foot about so often."""
GOES_BACK: Final = 0.7
"""Of those who stop; the others go on."""
WITH_OTHERS: Final = 0.25
"""Of the stops, with others who walk through meanwhile."""
BEHIND_M: Final = (0.5, 1.0)
"""Who follows a trolley is so far behind who pushes it."""
APART_S: Final = 1.0
"""Who walks against the stream is on the plane within so many seconds of it."""
PLANE_M: Final = 4.6
"""Roughly so far walk people from where they begin to the plane."""
_SEED: Final = 55_000


def lesson(seed: int, acts: int = ACTS) -> tuple[Scenario, WindowsSettings]:
    """Return a random door with so many acts at it, and its windows' settings as commissioned.

    Raises:
        SiteError: no door could be certified.
    """
    name = f"lesson-{VERSION}-{seed}"
    script = Script(one_door(name, widen=TRAINING.widen), np.random.default_rng([_SEED, VERSION, seed]))
    for _ in range(acts):
        script.rng.choice(np.array(_ACTS), p=_SHARES)(script)
        script.at_s += float(script.rng.uniform(0.0, 2.5))
    scenario = script.scenario(name)
    return scenario, script.site.settings(scenario)


def _stands(script: Script) -> None:
    """Somebody stops in the doorway, shifts from foot to foot, and goes back or on; at times others walk through."""
    rng = script.rng
    low, high = np.log(STOPS_S)
    stops_s = float(np.exp(rng.uniform(low, high)))
    inside = bool(rng.random() < 0.5)
    x_m = float(rng.uniform(*STOPS_M)) * (-1 if inside else 1)
    on = bool(rng.random() > GOES_BACK)
    _comes_and_goes(script, _shifting(script, x_m, stops_s), inside=inside, on=on, meanwhile=WITH_OTHERS)


def _turns(script: Script) -> None:
    """Somebody comes to the plane and turns at once."""
    rng = script.rng
    inside = bool(rng.random() < 0.5)
    x_m = float(rng.uniform(0.02, 0.7)) * (-1 if inside else 1)
    pause_s = 0.0 if rng.random() < 0.5 else float(rng.uniform(0.1, 2.0))
    y_m = script.lane()
    _comes_and_goes(script, [(x_m, y_m, pause_s) if pause_s else (x_m, y_m)], inside=inside, on=False, meanwhile=0.1)


def _comes_and_goes(script: Script, there: list[Point], *, inside: bool, on: bool, meanwhile: float) -> None:
    """Write the walk of who comes to some points near the plane and leaves them, and those of others meanwhile."""
    rng = script.rng
    come, leave = script.through(outwards=inside), script.through(outwards=inside is on)
    before = come[:1] if inside else come[:-3]
    after = leave[3:] if inside is on else leave[-1:]
    kind = "on" if on else "back"
    count = int(rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1]))
    how = str(rng.choice(["hand", "backpack"] if count == 1 else ["hand", "backpack", "face-to-face"]))
    tags = script.new_tags(count, f"{kind}-{'out' if inside is on else 'in'}", may_leave=on)
    lasts_s = script.walk([*before, *there, *after], tags=tags, carry=how, speed_mps=float(rng.uniform(0.6, 1.7)))
    ends_s = script.at_s + lasts_s
    if rng.random() < meanwhile:
        script.at_s += float(rng.uniform(2.0, 5.0))
        while script.at_s + 4.0 < ends_s:
            script.at_s += carry(script, str(rng.choice(["outbound", "inbound"])), int(rng.choice([1, 1, 2, 3, 5])))
    script.at_s = max(script.at_s, ends_s)


def _shifting(script: Script, x_m: float, stops_s: float) -> list[Point]:
    """Return where somebody stands for how long, on one side of the plane."""
    rng = script.rng
    count = 1 + int(rng.poisson(stops_s / STEP_S))
    apart_m, side, y_m = float(rng.uniform(0.02, 0.2)), np.sign(x_m), script.lane()
    parts_s = stops_s * rng.dirichlet(np.full(count, 2.0))
    x = side * np.clip(abs(x_m) + rng.normal(0, apart_m, count), *STOPS_M)
    y = y_m + rng.normal(0, apart_m, count)
    return [(x[k], y[k], max(parts_s[k], 0.1)) for k in range(count)]


def _follows(script: Script) -> None:
    """Behind who pushes a trolley somebody carries one tag more, in either direction."""
    rng = script.rng
    outwards = bool(rng.random() < 0.5)
    trolley = script.new_tags(int(rng.integers(3, 11)), "outbound" if outwards else "inbound", may_leave=outwards)
    mine = script.new_tags(int(rng.choice([1, 2], p=[0.8, 0.2])), "thief")
    speed_mps, points = float(rng.uniform(0.6, 1.5)), script.through(outwards=outwards)
    later_s = float(rng.uniform(*BEHIND_M)) / speed_mps
    script.walk(points, tags=trolley, carry="cart", speed_mps=speed_mps)
    how = str(rng.choice(["hand", "backpack"]))
    script.at_s += later_s + script.walk(points, tags=mine, carry=how, speed_mps=speed_mps, later_s=later_s)


def _against(script: Script) -> None:
    """Somebody with a tag or two passes a cart, or a hand, that comes from the other side."""
    rng = script.rng
    outwards = bool(rng.random() < 0.5)
    count = int(rng.choice([1, 2, 5, 10]))
    stream = script.new_tags(count, "outbound" if outwards else "inbound", may_leave=outwards)
    mine = script.new_tags(int(rng.choice([1, 2])), "inbound" if outwards else "outbound", may_leave=not outwards)
    stream_mps, mine_mps = float(rng.uniform(0.6, 1.5)), float(rng.uniform(0.7, 1.8))
    apart_s = PLANE_M / stream_mps - PLANE_M / mine_mps + float(rng.uniform(-APART_S, APART_S))
    how = str(rng.choice(["hand", "backpack"]))
    there_s = script.walk(
        script.through(outwards=outwards),
        tags=stream,
        carry="cart" if count > 2 else "hand",
        speed_mps=stream_mps,
        later_s=max(-apart_s, 0.0),
    )
    back_s = script.walk(
        script.through(outwards=not outwards), tags=mine, carry=how, speed_mps=mine_mps, later_s=max(apart_s, 0.0)
    )
    script.at_s += max(there_s + max(-apart_s, 0.0), back_s + max(apart_s, 0.0))


def _carries(script: Script) -> None:
    """Somebody carries tags through, as on any day."""
    act = str(script.rng.choice(["outbound", "inbound"]))
    script.at_s += max(carry(script, act, int(script.rng.choice([1, 2, 3, 7]))), 0.0)


_MIX: Final[dict[Callable[[Script], None], float]] = {
    _stands: 0.52,
    _turns: 0.16,
    _follows: 0.11,
    _against: 0.09,
    _carries: 0.12,
}
_ACTS, _SHARES = list(_MIX), list(_MIX.values())
