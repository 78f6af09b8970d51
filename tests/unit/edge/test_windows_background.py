"""Residents and the door: what swings with a leaf is no movement."""

import numpy as np
import pytest

from edge.windows import SensorSettings
from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.background import ALIKE_CDB, Background
from edge.windows.decide import Verdict
from edge.windows.sensed import Sensed
from edge.windows.snapshot import Snapshot
from tests.helpers import doorway

SECOND = 1_000_000
EPC = b"\x31" * 12
BURST = Verdict("near", 0.9)
OUT = Verdict("out", 0.9, 8 * SECOND)


def background(*edges, most=100):
    """A portal whose contact changed at (seconds, open)."""
    sensed = Sensed(doorway.settings().portals, (SensorSettings("r1", 1, "door", "door"),))
    for at_s, is_open in edges:
        sensed.note("r1", 1, "door", state=is_open, at_us=round(at_s * SECOND))
    return Background(sensed, most)


def visit(begin_s, end_s, *, turns, cdbm=-6000, base=L.NO_BASE, why=L.LEFT, epc=EPC):
    """Ten reads a second on one channel; `turns(second)` is the phase in steps, and `cdbm` a level or a function."""
    times = np.arange(begin_s, end_s, 0.1)
    log = np.zeros((len(times), L.LOG), np.int32)
    log[:, L.G_US] = np.round((times - begin_s) * SECOND)
    log[:, L.G_PHASE] = [turns(at) % L.TURN for at in times]
    log[:, L.G_RSSI] = [cdbm(at) if callable(cdbm) else cdbm for at in times]
    head = np.zeros(L.HEAD, np.int64)
    head[L.START_US] = head[L.BIN0_US] = round(begin_s * SECOND)
    head[L.LAST_US] = round(end_s * SECOND)
    head[L.BASE_CDBM], head[L.STIR] = base, L.STIR_LEAST
    nothing = np.zeros((0, 0), np.int32)
    return Snapshot(why, round((end_s + 2) * SECOND), epc, head, nothing, log)


def swinging(at):
    """Still, but for the second in which the leaf opens (10 s to 11 s)."""
    return round(at * 1700) if 10 <= at < 11 else 100


def walking(at):
    return round(at * 9000)


@pytest.mark.parametrize("verdict", [BURST, Verdict("turned_back", 0.7), Verdict("unresolved", 0.5)])
def test_a_tag_that_moves_only_while_the_leaf_swings_is_a_resident(verdict):
    made = background((0, False), (10, True), (20, False))
    assert made.judge(visit(8, 16, turns=swinging), verdict).kind is None
    assert made.residents == 1


@pytest.mark.parametrize("verdict", [OUT, Verdict("unresolved", 0.1)])
def test_a_crossing_is_left_to_the_reads_and_so_is_one_that_only_its_stay_kept_from_being_told(verdict):
    made = background((0, False), (10, True), (20, False))
    assert made.judge(visit(8, 16, turns=swinging), verdict) == verdict
    assert made.residents == 0


@pytest.mark.parametrize("verdict", [BURST, OUT])
def test_a_tag_that_moves_between_the_swings_is_a_mover(verdict):
    made = background((0, False), (10, True), (20, False))
    assert made.judge(visit(8, 16, turns=walking), verdict) == verdict


def test_without_a_contact_reads_are_taken_at_their_word():
    made = background()
    assert made.judge(visit(8, 16, turns=swinging), BURST) == BURST


def test_a_burst_is_known_again_by_its_level_with_the_door_open():
    """Heard only while the leaf swings, so that phases tell nothing: the first time it may be anybody."""
    made = background((0, False), (10, True), (12, False), (30, True), (32, False), (50, True), (52, False))
    assert made.judge(visit(10, 12, turns=walking), BURST) == BURST
    assert made.judge(visit(30, 32, turns=walking, cdbm=-6000 + ALIKE_CDB), BURST).kind is None
    assert made.judge(visit(50, 52, turns=walking, cdbm=-5000), BURST) == BURST, "much louder is somewhere else"


def test_levels_with_the_door_shut_say_nothing_of_it_open():
    made = background((0, False), (10, True), (12, False))
    assert made.judge(visit(2, 4, turns=lambda at: round(at * 4000), cdbm=-6000), BURST) == BURST
    assert made.judge(visit(10, 12, turns=walking, cdbm=-6000), BURST) == BURST


@pytest.mark.parametrize("verdict", [OUT, Verdict("parked", 0.9)])
def test_a_crossing_and_what_is_parked_are_left_to_the_decision(verdict):
    made = background((0, False), (10, True), (20, False))
    assert made.judge(visit(8, 16, turns=swinging), verdict) == verdict


def test_the_background_is_bounded():
    made = background((0, True), most=8)
    for k in range(50):
        made.judge(visit(8, 16, turns=walking, epc=bytes([k])), BURST)
    assert len(made._levels) == 8
