"""Small scenes for whoever measures the radio by itself."""

import math

import numpy as np

from simulator.world.radio import scattered_waves
from simulator.world.scene import (
    STILL,
    Antennas,
    Carriers,
    Holds,
    Leaves,
    Scene,
    Surroundings,
    Tags,
    Walls,
)
from simulator.world.values import ReaderTraits

FCC = ReaderTraits(frequencies_khz=tuple(902_750 + 500 * index for index in range(50)))
FREE = Surroundings(path_exponent=2.0, k_db=100.0, ground=0.0)
HOUR_US = 3_600_000_000


def antennas(*placed, gain_dbi=6.0, beam_deg=70.0, cable_loss_db=0.0, axis=(0, 0, 0), seed=1):
    """Antennas at places that look somewhere: pairs of points."""
    positions = np.array([place for place, _ in placed], dtype=float)
    looks = np.array([aim for _, aim in placed], dtype=float) - positions
    count = len(placed)
    return Antennas(
        np.arange(1, count + 1),
        positions,
        looks / np.linalg.norm(looks, axis=1, keepdims=True),
        np.tile(np.array(axis, dtype=float), (count, 1)),
        np.full(count, gain_dbi),
        np.full(count, beam_deg),
        np.full(count, cable_loss_db),
        *scattered_waves(np.random.default_rng(seed), count),
    )


def holds(places, *, carriers=None, axis=(0, 0, 0), face=(0, 0, 0), loss_db=0.0, begin_us=0, end_us=HOUR_US):
    """Tags at places, or at offsets from carriers."""
    count = len(places)
    return Holds(
        np.arange(count),
        np.full(count, STILL) if carriers is None else np.array(carriers, dtype=np.int64),
        np.full(count, begin_us),
        np.full(count, end_us),
        np.array(places, dtype=float).reshape(-1, 3),
        np.tile(np.array(axis, dtype=float), (count, 1)),
        np.tile(np.array(face, dtype=float), (count, 1)),
        np.full(count, loss_db),
    )


def tags(count, *, sensitivity_dbm=-20.0):
    """Tags that are all the same."""
    return Tags(np.full(count, sensitivity_dbm), np.zeros(count), np.full(count, 5.5), np.zeros(count, dtype=bool))


def carriers(*tracks, radius_m=0.22, top_m=1.75, loss_db=12.0):
    """People with keyframes (t_us, x, y)."""
    frames = [frame for track in tracks for frame in track]
    count = len(tracks)
    headings = []
    for track in tracks:
        later = [*track[1:], track[-1]]
        headings += [math.atan2(b[2] - a[2], b[1] - a[1]) for a, b in zip(track, later, strict=True)]
    return Carriers(
        np.cumsum([0, *map(len, tracks)]),
        np.array([frame[0] for frame in frames], dtype=np.int64),
        np.array([(frame[1], frame[2], 0.0) for frame in frames], dtype=float).reshape(-1, 3),
        np.array(headings, dtype=float),
        np.full(count, radius_m),
        np.zeros(count),
        np.full(count, top_m),
        np.full(count, loss_db),
    )


def walls(*ends, loss_db=3.0, top_m=3.0):
    """Walls between ends (x, y, x, y)."""
    count = len(ends)
    places = np.array(ends, dtype=float).reshape(-1, 4)
    return Walls(places, np.zeros(count), np.full(count, top_m), np.full(count, loss_db))


def leaves(*doors, length_m=1.0, loss_db=30.0, mirror=0.9):
    """Leaves, each a hinge and keyframes (t_us, angle)."""
    count = len(doors)
    frames = [frame for _, angles in doors for frame in angles]
    return Leaves(
        np.array([hinge for hinge, _ in doors], dtype=float).reshape(-1, 2),
        np.full(count, length_m),
        np.full(count, 2.1),
        np.full(count, loss_db),
        np.full(count, mirror),
        np.cumsum([0, *(len(angles) for _, angles in doors)]),
        np.array([frame[0] for frame in frames], dtype=np.int64),
        np.array([frame[1] for frame in frames], dtype=float),
    )


def scene(held, *, around=FREE, carried=None, standing=None, doors=None, kinds=None):
    """A scene of an hour."""
    count = int(held.tag.max(initial=-1)) + 1
    return Scene(
        0,
        HOUR_US,
        around,
        kinds or tags(count),
        carriers() if carried is None else carried,
        held,
        walls() if standing is None else standing,
        leaves() if doors is None else doors,
    )
