"""From which side a tag came that stopped in the doorway."""

import numpy as np
import pytest

from edge.windows import layout as L  # noqa: N812 (as in the room)
from edge.windows.around import Around, Came
from edge.windows.came import RESTING_US, SILENT_US, Arrivals
from edge.windows.evidence import columns
from edge.windows.evidence.measure import measure
from edge.windows.snapshot import Snapshot
from tests.helpers import doorway

PORTAL = doorway.settings().portals[0]
EPC = b"\x30\x01"
S = 1_000_000


def visit(why, start_s, last_s, *, epc=EPC, outside_first=False, known_s=5):
    """A visit of which one side's antenna hears the first half, the other's the rest."""
    head = np.zeros(L.HEAD, np.int64)
    head[L.START_US] = head[L.BIN0_US] = start_s * S
    head[L.LAST_US], head[L.KNOWN_S], head[L.BASE_CDBM] = last_s * S, known_s, L.NO_BASE
    sides = [antenna.side for antenna in PORTAL.antennas]
    antennas = [sides.index("inside"), sides.index("outside")]
    log = np.zeros((20, L.LOG), np.int32)
    for k in range(20):
        side = int(k >= 10) ^ int(outside_first)
        log[k] = k * (last_s - start_s) * S // 20, antennas[side], side, -5200, -1, 1, 1
    ant = np.zeros((len(sides), L.ANT), np.int64)
    return Snapshot(why, last_s * S, epc, head, ant, log)


def came_to_rest(arrivals, start_s, last_s, crossed=None, **kind):
    snap = visit(L.SETTLED, start_s, last_s, **kind)
    arrivals.note(snap, measure(snap, PORTAL), crossed)


@pytest.mark.parametrize(("outside_first", "side"), [(False, 1.0), (True, -1.0)])
def test_who_goes_on_after_a_stop_is_known_to_have_come_from_where_the_stay_began(outside_first, side):
    arrivals = Arrivals(10)
    came_to_rest(arrivals, 10, 20, outside_first=outside_first)
    came = arrivals.of(visit(L.LEFT, 40, 50))
    assert came.reads == side
    assert np.sign(came.level) == side
    assert came.at_us == 20 * S
    assert arrivals.of(visit(L.LEFT, 40, 50, epc=b"\x30\x02")) is None


def test_shifting_from_foot_to_foot_is_no_new_arrival():
    arrivals = Arrivals(10)
    came_to_rest(arrivals, 10, 20)
    came_to_rest(arrivals, 40, 50, outside_first=True)
    came = arrivals.of(visit(L.LEFT, 60, 70))
    assert (came.reads, came.at_us) == (1.0, 50 * S)


@pytest.mark.parametrize(("crossed", "side"), [("in", 1.0), ("out", -1.0)])
def test_who_went_through_and_then_stands_comes_from_the_side_that_he_went_to(crossed, side):
    arrivals = Arrivals(10)
    came_to_rest(arrivals, 10, 20, crossed, outside_first=crossed == "in")
    came = arrivals.of(visit(L.LEFT, 40, 50))
    assert (came.reads, came.level, came.at_us, came.rested) == (side, side, 20 * S, True)


def test_who_was_away_too_long_or_had_been_forgotten_comes_from_nowhere():
    """Who rested is remembered for an hour, who wasn't heard any more for a minute."""
    arrivals = Arrivals(10)
    came_to_rest(arrivals, 10, 20)
    assert arrivals.of(visit(L.LEFT, 20 + RESTING_US // S, 5000)) is not None
    assert arrivals.of(visit(L.LEFT, 21 + RESTING_US // S, 5000)) is None
    assert arrivals.of(visit(L.LEFT, 40, 50, known_s=0)) is None
    gone = visit(L.LEFT, 40, 50)
    arrivals.note(gone, measure(gone, PORTAL), None)
    assert arrivals.of(visit(L.LEFT, 50 + SILENT_US // S, 500)).rested is False
    assert arrivals.of(visit(L.LEFT, 51 + SILENT_US // S, 500)) is None


def test_the_oldest_goes_when_more_are_known_than_the_portal_keeps():
    arrivals = Arrivals(2)
    tags = [bytes([0x30, k]) for k in range(3)]
    for k, epc in enumerate(tags):
        came_to_rest(arrivals, 10 + k, 20 + k, epc=epc)
    assert [arrivals.of(visit(L.LEFT, 40, 50, epc=epc)) is not None for epc in tags] == [False, True, True]
    arrivals.forget()
    assert arrivals.of(visit(L.LEFT, 40, 50, epc=tags[2])) is None


def test_where_a_tag_came_from_is_among_the_features_and_a_mirror_turns_it():
    snap = visit(L.LEFT, 40, 50)
    plain = measure(snap, PORTAL).features
    told = measure(snap, PORTAL, Around(came=Came(0.75, 0.5, 20 * S, 2.5, rested=True))).features
    at = [columns.INDEX[name] for name in columns.CAME]
    assert plain[at].tolist() == [0.0] * 6
    assert told[at].tolist() == [0.75, 0.5, 1.0, pytest.approx(np.log(21), abs=1e-3), 2.5, 1.0]
    rest = np.setdiff1d(np.arange(columns.COUNT), at)
    assert plain[rest].tolist() == told[rest].tolist()
    assert columns.SIGN[at].tolist() == [-1.0, -1.0, 1.0, 1.0, 1.0, 1.0]
