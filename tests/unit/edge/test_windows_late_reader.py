"""One of a door's two readers brings its reads late and all at once: how they are cut then changes nothing."""

from itertools import pairwise

import numpy as np
import pytest

from edge.contracts import encode
from edge.windows import AntennaSettings, PortalSettings, WindowClock, Windows, WindowsSettings
from tests.helpers import doorway

SIDES = (("r1", 1, "inside"), ("r1", 2, "inside"), ("r2", 3, "outside"), ("r2", 4, "outside"))
CLOCK = WindowClock(offset_us=0)
BURST_US = 7_000_000


def door():
    """A door of two readers, one a side."""
    antennas = tuple(AntennaSettings(*side) for side in SIDES)
    portal = PortalSettings("door", "two-readers", antennas)
    return Windows(WindowsSettings(gateway="gw", portals=(portal,), engine="plain"), boot="b")


def scene(seed):
    """Reads of walkers and residents, a reader each."""
    made = doorway.Scene(np.random.default_rng(seed), seconds=14.0, rate_hz=60.0)
    for kind, start_s in (("out", 0.3), ("turned_back", 1.0), ("near", 1.5), ("in", 5.0), ("turned_back", 6.0)):
        made.walk(kind, start_s)
    made.walk("resident", 0.0)
    rows = made.rows()
    return [row for row in rows if row[2] <= 2], [row for row in rows if row[2] > 2]


def watched(prompt, late, pieces):
    """Feed each seven seconds the prompt reader's reads one by one and then the late one's in so many pieces."""
    windows, out = door(), []
    for begin in range(doorway.EPOCH_US, doorway.EPOCH_US + 14_000_000, BURST_US):
        end = begin + BURST_US
        for row in (row for row in prompt if begin <= row[0] < end):
            out += windows.feed("r1", doorway.batch([row]), arrival_us=row[0] + 20_000, clock=CLOCK)
        burst = [row for row in late if begin <= row[0] < end]
        edges = np.linspace(0, len(burst), min(pieces, len(burst)) + 1).astype(int).tolist()
        for a, b in pairwise(edges):
            out += windows.feed("r2", doorway.batch(burst[a:b]), arrival_us=end, clock=CLOCK)
    return [encode(row) for row in [*out, *windows.flush()]]


@pytest.mark.parametrize("seed", [0, 1, 4, 6])
def test_late_burst_gives_the_same_rows_however_it_is_cut(seed):
    """Whole, in three pieces, and read by read: visits are not torn apart by what the other reader told before."""
    prompt, late = scene(seed)
    whole = watched(prompt, late, 1)
    assert len(whole) >= 3
    assert watched(prompt, late, 3) == whole
    assert watched(prompt, late, 10_000) == whole
