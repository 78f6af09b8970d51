"""The doorway's levels, learnt on from those who went through."""

from dataclasses import replace

import numpy as np
import pytest

from edge.windows import layout as L  # noqa: N812 (as in the room)
from edge.windows.around import Around
from edge.windows.evidence import columns
from edge.windows.evidence.measure import DOORWAY_CDBM, measure, references
from edge.windows.snapshot import Snapshot
from edge.windows.usual import ENOUGH, MEMORY, Usual
from tests.helpers import doorway

BARE = doorway.settings().portals[0]
WALKED = replace(BARE, antennas=tuple(replace(one, doorway_cdbm=-5000) for one in BARE.antennas))
S = 1_000_000


def through(at_s, peaks_cdbm, *, reads=16):
    """A visit around an instant, heard by the antennas that have a peak; every antenna has weaker reads too."""
    head = np.zeros(L.HEAD, np.int64)
    head[L.START_US] = head[L.BIN0_US] = (at_s - 2) * S
    head[L.LAST_US] = (at_s + 2) * S
    log = np.zeros((reads, L.LOG), np.int32)
    for k in range(reads):
        antenna = sorted(peaks_cdbm)[k % len(peaks_cdbm)]
        level = peaks_cdbm[antenna] - (0 if k < len(peaks_cdbm) else 900)
        log[k] = (1_000_000 + k * 100_000, antenna, antenna % 2, level, -1, 1, 1)
    return Snapshot(L.LEFT, (at_s + 7) * S, b"\x30\x01", head, np.zeros((4, L.ANT), np.int64), log)


def taught(portal, crossings):
    usual = Usual((portal,))
    for at_s, peaks in crossings:
        usual.note(through(at_s, peaks), at_s * S)
    return usual.levels(0)


def test_nothing_is_said_of_a_doorway_that_nobody_went_through():
    assert Usual((WALKED,)).levels(0) is None


def test_levels_go_from_those_of_the_walks_to_those_of_everyday_with_every_crossing():
    """The walks weigh as much as five crossings."""
    one = taught(WALKED, [(10, {0: -6000})])
    assert one[0] == 10 * round((-6000 + ENOUGH * -5000) / (1 + ENOUGH) / 10)
    many = taught(WALKED, [(10 * k, {0: -6000}) for k in range(1, 41)])
    assert many[0] == pytest.approx(-5890, abs=5)
    assert one[1:] == many[1:] == (-5000,) * 3, "an antenna that heard nobody keeps what it was told"


def test_without_walks_the_usual_doorway_is_learnt_on_from():
    levels = taught(BARE, [(10 * k, {0: -6000, 2: -7000}) for k in range(1, 6)])
    assert levels[0] == pytest.approx((DOORWAY_CDBM - 6000) / 2, abs=10)
    assert levels[2] == pytest.approx((DOORWAY_CDBM - 7000) / 2, abs=10)


def test_a_cart_is_one_carrier_few_reads_teach_nothing_and_old_crossings_are_forgotten():
    cart = taught(WALKED, [(10, {0: -6000}), *((10.5, {0: -9000}) for _ in range(30))])
    assert cart == taught(WALKED, [(10, {0: -6000})])
    usual = Usual((WALKED,))
    usual.note(through(10, {0: -9000}, reads=14), 10 * S)
    assert usual.levels(0) is None
    moved = [(10 * k, {0: -4000}) for k in range(1, 100)] + [(10 * k, {0: -6000}) for k in range(100, 100 + MEMORY)]
    assert taught(WALKED, moved)[0] == pytest.approx(-5890, abs=5)


def test_evidence_is_relative_to_what_was_learnt():
    """All levels 3 dB lower: a visit is 3 dB louder against them; no commissioning is made up."""
    snap = through(10, {0: -6000, 1: -6100})
    told = measure(snap, WALKED).features
    learnt = measure(snap, WALKED, Around(levels=(-5300,) * 4)).features
    at = columns.INDEX["top"]
    assert learnt[at] - told[at] == pytest.approx(3.0, abs=0.01)
    assert learnt[columns.INDEX["doorway_in"]] == -53.0
    assert references(WALKED, (-5300,) * 4).tolist() == [-5300] * 4 + [1]
    assert references(BARE, (-5300,) * 4)[-1] == 0
