"""Make the weights of `edge/windows/weights.py` anew: `python -m tests.helpers.fit_windows [SCENES]`, numpy only.

Scenes of `doorway` by the seeds 0, 1, … (4,000 unless said) go through the engine; logistic regressions on the
evidence of `decide`, which is what they will be applied to. Printed are the module's constants, rounded.
"""

import sys

import numpy as np

from edge.windows import decide, weights
from edge.windows import layout as L  # noqa: N812 (as in the room)
from edge.windows.features import features
from edge.windows.group import make_engine
from tests.helpers import doorway

SCENES = 4_000
RIDGE = 1.0
ROUNDS = 40
SHELVED = 0.3
UNSURE_S = 0.25
"""Just before the plane a candidate is neither a crossing nor none."""
LATE_S = 3.0
"""So long after the plane a provisional is worth nothing."""


class Examples:
    """Evidence with truth and weight, for one weighted sum."""

    def __init__(self, names) -> None:
        self.names = [name for name in names if name != "1"]
        self.rows, self.truth, self.weight = [], [], []

    def add(self, evidence, truth, weight=1.0):
        self.rows.append([evidence[name] for name in self.names])
        self.truth.append(float(truth))
        self.weight.append(weight)

    def fit(self):
        """Ridge logistic regression by Newton's steps on standardised evidence."""
        x, y, w = np.array(self.rows), np.array(self.truth), np.array(self.weight)
        centre, scale = x.mean(axis=0), x.std(axis=0) + 1e-9
        z = np.c_[(x - centre) / scale, np.ones(len(y))]
        ridge = np.diag([RIDGE] * len(centre) + [0.0])
        b = np.zeros(len(centre) + 1)
        for _ in range(ROUNDS):
            p = 1 / (1 + np.exp(-np.clip(z @ b, -30, 30)))
            b += np.linalg.solve((z * (w * p * (1 - p))[:, None]).T @ z + ridge, z.T @ (w * (y - p)) - ridge @ b)
        slope = b[:-1] / scale
        return dict(zip([*self.names, "1"], [*slope, b[-1] - slope @ centre], strict=True))


def shorten(mover, rng, seconds):
    """Let some carriers take the tag from a shelf in range, or put it on one; return when it is carried."""
    knots = mover.knots
    begin, end = knots[0][0], knots[-1][0]
    for last in (False, True):
        if rng.random() >= SHELVED or mover.kind == "near":
            continue
        (t, x, y), (t1, x1, y1) = (knots[-1], knots[-2]) if last else (knots[0], knots[1])
        part = (abs(x) - rng.uniform(1.5, abs(x))) / abs(x - x1)
        t, x, y = t + part * (t1 - t), x + part * (x1 - x), y + part * (y1 - y)
        if last:
            knots[-1:], end = [(t, x, y), (seconds, x, y)], t
        else:
            knots[:1], begin = [(max(0.0, t - rng.uniform(0.0, t)), x, y), (t, x, y)], t
    return doorway.EPOCH_US + begin * 1e6, doorway.EPOCH_US + end * 1e6


def records(rows, settings):
    """Snapshots of a scene's visits and candidates."""
    engine = make_engine(settings, settings.portals)
    cols = np.zeros((len(rows), L.COLS), np.int64)
    epcs = np.zeros((len(rows), 62), np.uint8)
    for i, (t, epc, port, rssi, phase, channel) in enumerate(rows):
        cols[i] = t, t, 0, (port - 1) // 2, port - 1, len(epc), rssi, phase, channel, 1
        epcs[i, : len(epc)] = np.frombuffer(epc, np.uint8)
    return engine.advance(cols, epcs) + engine.sweep(L.NEVER_US, flush=True)


def enter(scene, snaps, sums, carried_us):
    """Enter one scene's snapshots with what was true of them; visits of a walker's tag on its shelf are left out."""
    moved, crossed, so_far, close = sums
    walker = scene.movers[0]
    plane_us = None if walker.crossed_s is None else doorway.EPOCH_US + int(walker.crossed_s * 1e6)
    tries = sum(snap.why == L.CANDIDATE and snap.epc == walker.epc for snap in snaps)
    for snap in snaps:
        mine = snap.epc == walker.epc
        if snap.why == L.CANDIDATE and not mine:
            continue
        if mine and (snap.head[L.START_US] > carried_us[1] or snap.head[L.LAST_US] < carried_us[0]):
            continue
        seen = features(snap)
        if snap.why != L.CANDIDATE:
            moved.add(decide.motion(snap, seen), mine)
        if not mine:
            continue
        kind, evidence = decide.crossing(seen)
        if snap.why == L.CANDIDATE:
            beyond_s = None if plane_us is None else (snap.at_us - plane_us) / 1e6
            if beyond_s is None or not (-UNSURE_S < beyond_s <= 0 or beyond_s > LATE_S):
                so_far.add(evidence, beyond_s is not None and beyond_s > 0 and kind == walker.kind, tries**-0.5)
            continue
        if plane_us is None:
            crossed.add(evidence, truth=False)
            close.add(decide.closeness(seen), walker.kind == "turned_back")
        elif snap.head[L.START_US] < plane_us < snap.head[L.LAST_US]:
            crossed.add(evidence, kind == walker.kind)


def main(scenes):
    """Fit and print."""
    names = ("MOVED", "CROSSED", "CROSSED_SO_FAR", "CAME_CLOSE")
    sums = [Examples(getattr(weights, name)) for name in names]
    settings = doorway.settings(max_tags=256)
    for seed in range(scenes):
        scene = doorway.trial(np.random.default_rng(seed))
        carried_us = shorten(scene.movers[0], scene.rng, scene.seconds)
        enter(scene, records(scene.rows(), settings), sums, carried_us)
    for name, examples in zip(names, sums, strict=True):
        fitted = examples.fit()
        print(f"{name}: Final = {{  # {len(examples.rows)} examples")  # noqa: T201 (the program's output)
        for key, value in fitted.items():
            print(f'    "{key}": {value:.2g},' if key != "1" else f'    "{key}": {value:.3g},')  # noqa: T201 (as above)
        print("}")  # noqa: T201 (as above)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SCENES)
