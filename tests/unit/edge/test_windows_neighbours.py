"""Doors side by side: one tag, one time, one portal, whatever readers they have."""

import dataclasses

import numpy as np
import pytest

from edge.windows import AntennaSettings, PortalSettings, WindowClock, Windows, WindowsError, WindowsSettings
from edge.windows import layout as L  # noqa: N812 (as in the kernels)
from edge.windows.neighbours import AGAIN_US, SAME_US, Neighbours, neighbours
from edge.windows.snapshot import Snapshot
from tests.helpers import doorway
from tests.helpers.verdicts import crossing_by_reads

SECOND = 1_000_000
EPC = b"\x09" * 12


def portal(name, reader, first=1, *, doorway_cdbm=None, **knobs):
    sides = ((first, "inside"), (first + 1, "outside"))
    antennas = tuple(AntennaSettings(reader, port, side, doorway_cdbm) for port, side in sides)
    return PortalSettings(name, "two-sided", antennas, **knobs)


def settings(*portals):
    return WindowsSettings(gateway="gw", portals=portals or (portal("a", "r1"), portal("b", "r2", neighbours=("a",))))


def heard(*reads):
    """A visit of (seconds, antenna, RSSI) reads."""
    log = np.zeros((len(reads), L.LOG), np.int32)
    for row, (at_s, antenna, rssi) in zip(log, reads, strict=True):
        row[[L.G_US, L.G_ANTENNA, L.G_SIDE, L.G_RSSI]] = round(at_s * SECOND), antenna, antenna, rssi
    nothing = np.zeros((0, 0), np.int32)
    return Snapshot(L.LEFT, 10 * SECOND, EPC, np.zeros(L.HEAD, np.int64), nothing, log)


def test_portals_with_a_reader_in_common_or_a_name_are_neighbours():
    made = neighbours(
        [portal("a", "r1"), portal("b", "r1", 3), portal("c", "r2", neighbours=("a",)), portal("d", "r3")]
    )
    assert made == {"a": ["b", "c"], "b": ["a"], "c": ["a"], "d": []}


def test_a_neighbour_that_is_no_other_portal_is_refused():
    with pytest.raises(WindowsError, match="portal 'a' names 'x' as its neighbour"):
        settings(portal("a", "r1", neighbours=("x",)))
    with pytest.raises(WindowsError, match="portal 'a' names 'a'"):
        settings(portal("a", "r1", neighbours=("a",)))


def test_who_heard_it_louder_about_the_crossing_has_it():
    """Louder a while before, when the tag was carried past the other door, says nothing."""
    made = Neighbours(settings())
    made.note("a", heard((1.0, 0, -4000), (5.0, 1, -5500)), 0)
    made.note("b", heard((5.1, 0, -5000)), 0)
    assert made.rival("a", EPC, 5 * SECOND)
    assert not made.rival("b", EPC, 5 * SECOND)
    assert not made.rival("a", EPC, SECOND)
    assert not made.rival("a", b"\x01", SECOND)


def test_of_two_equals_the_first_in_the_settings_has_it():
    made = Neighbours(settings())
    for name in ("a", "b"):
        made.note(name, heard((5.0, 0, -5000)), 0)
    assert (made.rival("a", EPC, 5 * SECOND), made.rival("b", EPC, 5 * SECOND)) == (False, True)


def test_levels_are_relative_where_both_doors_were_commissioned():
    """Door b has twice the power: what both hear alike is nearer to a."""
    loud = portal("b", "r2", neighbours=("a",), doorway_cdbm=-4000)
    made = Neighbours(settings(portal("a", "r1", doorway_cdbm=-4600), loud))
    made.note("a", heard((5.0, 0, -5000)), 0)
    made.note("b", heard((5.0, 0, -4900)), 0)
    assert (made.rival("a", EPC, 5 * SECOND), made.rival("b", EPC, 5 * SECOND)) == (False, True)


def test_a_crossing_is_told_once():
    made = Neighbours(settings())
    made.note("a", heard((5.0, 0, -5000)), 0)
    assert made.claim("a", EPC, "out", 0)
    assert not made.claim("b", EPC, "out", AGAIN_US)
    assert not made.claim("b", EPC, "in", SAME_US)
    assert made.claim("b", EPC, "in", SAME_US + 1), "out through one and in through the other"
    assert made.claim("a", EPC, "out", 2 * AGAIN_US)
    assert made.doubles == 2


def carried_between(gap_db, clocks, order):
    """Two doors with a reader each hear one walk; the second more faintly."""
    rng = np.random.default_rng(3)
    scene = doorway.Scene(rng, seconds=20.0)
    scene.walk("out", 2.0, EPC).gain_db = -4.0
    rows = [(t, e, 1 if a <= 2 else 2, r, p, c) for t, e, a, r, p, c in scene.rows()]
    windows, out = Windows(settings(), boot="b"), []
    for begin in range(0, 24_000_000, 250_000):
        for reader in order:
            clock = WindowClock(offset_us=clocks[reader])
            fainter = 100 * gap_db if reader == "r2" else 0
            mine = [
                (t - clocks[reader], e, a, r - fainter, p, c)
                for t, e, a, r, p, c in rows
                if begin <= t - doorway.EPOCH_US < begin + 250_000
            ]
            arrival_us = doorway.EPOCH_US + begin + 250_000
            out += windows.feed(reader, doorway.batch(mine), arrival_us=arrival_us, clock=clock)
    return windows, out + windows.flush()


@pytest.mark.parametrize("order", [("r1", "r2"), ("r2", "r1")])
def test_doors_with_a_reader_each_agree_in_host_time(order, monkeypatch):
    """Both hear a crossing, and one reader's clock is an hour slow: whoever is fed first, the louder door has it."""
    crossing_by_reads(monkeypatch, "out")
    windows, out = carried_between(6, {"r1": 0, "r2": 3_600 * SECOND}, order)
    assert {row.portal: row.kind for row in out if row.final} == {"a": "out", "b": "near"}
    assert next(row.reason for row in out if row.final and row.portal == "b") == "a neighbouring portal heard it louder"
    assert windows.counters.double_crossings == 0


def test_doors_that_are_no_neighbours_each_tell_what_they_heard():
    made = settings(portal("a", "r1"), portal("b", "r2"))
    assert neighbours(made.portals) == {"a": [], "b": []}
    lonely = Neighbours(made)
    lonely.note("a", heard((5.0, 0, -5000)), 0)
    lonely.note("b", heard((5.0, 0, -4000)), 0)
    assert not lonely.rival("a", EPC, 5 * SECOND)


def test_an_evicted_visit_is_called_by_what_is_likely_or_left_open():
    """More tags than the table holds: visits are cut, each with at most one final, and what is unsure says so."""
    full = dataclasses.replace(doorway.settings(), max_tags=64)
    scene = doorway.Scene(np.random.default_rng(8), seconds=12.0, rate_hz=1500.0)
    for k in range(100):
        scene.walk(("in", "out", "turned_back", "near")[k % 4], 1.0)
    windows = Windows(full, boot="b")
    out = windows.feed("r1", doorway.batch(scene.rows()), arrival_us=None, clock=WindowClock()) + windows.flush()
    assert windows.counters.evicted > 0
    told = [row.passage for row in out if row.final]
    assert len(told) == len(set(told))
    cut = [row for row in out if row.reason and "table of tags was full" in row.reason]
    assert cut
    assert {row.kind for row in cut} == {"unresolved"}
