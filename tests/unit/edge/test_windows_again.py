"""Out and in again, heard all the while: two passages; a step beyond the plane and back: one."""

import numpy as np
import pytest

from edge.windows import WindowClock, Windows
from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.again import LEAST_READS, REACH_CDB, may_return, reaches, since, until
from tests.helpers import doorway
from tests.unit.edge.test_windows_background import visit

SECOND = 1_000_000
EPC = b"\x09" * 12


def walk(*knots, seed=0):
    """Rows of what the windows say of one carrier that goes by (second, metres outside of the plane)."""
    made = doorway.Scene(np.random.default_rng(seed), seconds=knots[-1][0] + 8)
    ways = [(at, metres, 0.0) for at, metres in knots]
    made.movers.append(doorway.Mover(EPC, "out", ways, -2.0, knots[-1][0]))
    windows = Windows(doorway.settings(), boot="b")
    return windows.feed("r1", doorway.batch(made.rows()), arrival_us=None, clock=WindowClock()) + windows.flush()


@pytest.mark.parametrize("seed", [0, 1, 3, 5, 7])
def test_out_and_in_again_after_nine_seconds_is_two_passages(seed):
    """Where the way out was told early; where it is not, both ways together look like a turn."""
    rows = walk((1, -4), (5, 0), (8, 3), (11, 3), (14, 0), (18, -4), seed=seed)
    finals = [row for row in rows if row.final]
    assert [row.kind for row in finals] == ["out", "in"]
    assert len({row.passage for row in rows}) == 2
    assert finals[0].ended_at <= finals[1].started_at
    assert sum(antenna.reads for antenna in finals[1].evidence.antennas) == finals[1].reads


@pytest.mark.parametrize("seed", range(4))
def test_two_steps_beyond_the_plane_and_back_are_no_two_crossings(seed):
    rows = walk((1, -4), (5, 0), (6, 0.8), (7, 0.8), (8, 0), (12, -4), seed=seed)
    assert len({row.passage for row in rows}) == 1


def test_who_goes_out_and_stays_near_is_one_passage():
    """Ten seconds three metres outside: what is heard there is no way back."""
    rows = walk((1, -4), (5, 0), (8, 3), (18, 3), (22, 6))
    assert {row.kind for row in rows if row.final} == {"out"}


def test_a_visit_in_two_parts_has_all_of_its_reads():
    snap = visit(10, 20, turns=lambda at: round(at * 900))
    first, second = until(snap, 14 * SECOND), since(snap, 14 * SECOND)
    assert len(first.log) + len(second.log) == len(snap.log)
    assert first.head[L.LAST_US] <= 14 * SECOND < second.head[L.START_US]
    assert first.why == L.LEFT
    assert second.head[L.LAST_US] == snap.log[-1, L.G_US] + 10 * SECOND
    assert second.head[L.REPORTS] == len(second.log)


def test_a_cut_outside_of_the_visit_leaves_it_whole():
    snap = visit(10, 20, turns=round)
    assert since(snap, 9 * SECOND) is snap
    assert since(snap, 30 * SECOND) is snap


def test_a_way_back_is_looked_for_once_there_are_reads_of_one():
    snap = visit(10, 20, turns=round)
    assert may_return(snap, 12 * SECOND)
    assert not may_return(snap, round(19.6 * SECOND) - LEAST_READS * 100_000)
    assert not may_return(snap, 30 * SECOND)


@pytest.mark.parametrize(("weaker_cdb", "is_back"), [(REACH_CDB, True), (REACH_CDB + 100, False)])
def test_who_lingers_beyond_is_heard_too_weakly_to_be_back(weaker_cdb, is_back):
    """All of these reads are of the inside."""
    gone = visit(10, 14, turns=round)
    back = visit(14, 20, turns=round, cdbm=-6000 - weaker_cdb)
    assert reaches(gone, back, "in") is is_back
    assert reaches(gone, back, "out")  # neither heard the outside
