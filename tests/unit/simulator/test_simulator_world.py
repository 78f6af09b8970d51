"""Walks, truth and radio: what any doorway must show, whatever the numbers."""

from collections import Counter
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.scenarios.load import load
from simulator.server.model import ETSI_KHZ, FCC_KHZ
from simulator.world.frames import Placed
from simulator.world.paths import Gait, corners, walk
from simulator.world.truth import visits
from simulator.world.values import ReaderTraits
from simulator.world.world import World


def radio(*ports, power_dbm=None):
    return SimpleNamespace(antennas=ports, power_dbm=power_dbm or {}, commands={}, extra_loss_db={}, noise_db=0.0)


ALL_ON = radio(1, 2, 3, 4)


def world(name="single-walk", seed=1, seconds=None):
    scenario = load(name)
    return World(
        scenario, seed, seconds, {reader.id: ReaderTraits(frequencies_khz=FCC_KHZ) for reader in scenario.readers}
    )


def reads_of(source, reader="r1", until_s=12.0, step_us=10_000, asked=ALL_ON):
    found = []
    for at_us in range(0, round(until_s * 1e6) + step_us, step_us):
        found += source.advance(reader, at_us, asked).rows()
    return found


def path_of(stops, speed=1.0, **gait):
    return walk(corners(stops), Gait(speed, **gait), np.random.default_rng(1))


def kinds(stops, speed=1.0, width=1.2):
    path = path_of(stops, speed)
    return visits(path.at_us, path.place, width)


def crossings_of(name, seed, seconds):
    return world(name, seed, seconds).take_crossings(round(1e6 * seconds))


@pytest.mark.parametrize(
    ("stops", "expected"),
    [
        ([(-4, 0), (4, 0)], ["out"]),
        ([(4, 0), (-4, 0)], ["in"]),
        ([(-4, 0), (-0.5, 0), (-4, 0)], ["turned_back"]),
        ([(-4, 0), (0.5, 0), (-4, 0)], ["turned_back"]),
        ([(-1.5, -4), (-1.5, 4)], ["near"]),
        ([(-4, 0), (-0.5, 0, 25), (-4, 0)], ["parked"]),
        ([(-4, 0), (0.5, 0, 6), (-4, 0)], ["out", "in"]),
        ([(-4, 0), (3, 0), (-4, 0)], ["out", "in"]),
        ([(-4, 0), (0.5, 0, 6), (-0.5, 0, 6), (4, 0)], ["out", "in", "out"]),
        ([(-4, 0), (0.5, 0)], ["out"]),
        ([(-4, 0), (-0.3, 0, 21), (4, 0)], ["parked", "out"]),
        ([(-4, 3), (4, 3)], ["near"]),
    ],
)
def test_truth_follows_the_definitions_of_a_movement(stops, expected):
    found = kinds(stops)
    assert [visit.kind for visit in found] == expected
    assert all((visit.crossed_us is not None) == (visit.kind in {"in", "out"}) for visit in found)


def test_a_crossing_is_at_the_plane():
    (visit,) = kinds([(-4, 0), (4, 0)])
    assert (visit.started_us, visit.crossed_us, visit.ended_us) == (0, 4_000_000, 8_000_000)


def test_a_visit_is_what_happens_within_five_metres():
    (visit,) = kinds([(-9, 0), (9, 0)])
    assert (visit.started_us, visit.crossed_us, visit.ended_us) == (4_000_000, 9_000_000, 14_000_000)
    assert kinds([(6, -9), (6, 9)]) == []
    assert [visit.kind for visit in kinds([(-3, 0), (-12, 0), (-3, 0)])] == ["near", "near"]


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=2, max_size=6, unique=True))
def test_every_track_has_visits_in_order_that_cover_it(stops):
    found = kinds(stops)
    duration_us = path_of(stops).duration_us
    assert bool(found) == (duration_us > 0)
    if found:
        assert (found[0].started_us, found[-1].ended_us) == (0, duration_us)
    assert all(before.ended_us == after.started_us for before, after in pairwise(found))
    assert all(visit.started_us <= (visit.crossed_us or visit.started_us) <= visit.ended_us for visit in found)


def test_a_walker_stands_where_the_path_says():
    path = path_of([(0, 0), (2, 0, 3), (2, 4)], 2.0)
    assert path.duration_us == 6_000_000
    at_us = 1e6 * np.array([-1, 0.5, 1, 3.5, 5, 9])
    np.testing.assert_allclose(path.position(at_us)[:, :2], [[0, 0], [1, 0], [2, 0], [2, 0], [2, 2], [2, 4]])
    assert path.facing(2_000_000) == 0
    assert path.facing(5_000_000) == pytest.approx(np.pi / 2)


@given(st.floats(-360, 360), st.tuples(st.floats(-50, 50), st.floats(-50, 50)))
def test_a_portal_frame_turns_there_and_back(facing, place):
    portal = SimpleNamespace(at=place, facing_deg=facing)
    points = np.array([[1.0, 2.0], [-3.0, 0.5]])
    np.testing.assert_allclose(Placed(portal).to_frame(Placed(portal).to_site(points)), points, atol=1e-9)


def test_the_same_seed_gives_the_same_reads_however_time_is_cut():
    first = reads_of(world(seed=5))
    assert first == reads_of(world(seed=5))
    assert first == reads_of(world(seed=5), step_us=37_000)
    assert first != reads_of(world(seed=6))


@pytest.mark.parametrize("seed", range(6))
def test_a_walk_is_heard_inside_first_and_outside_last(seed):
    reads = reads_of(world(seed=seed))
    assert 20 <= len(reads) <= 300
    peak = {}
    for side, ports in (("inside", (1, 2)), ("outside", (3, 4))):
        mine = [read for read in reads if read.antenna in ports]
        power = np.array([10 ** (read.rssi_cdbm / 1000) for read in mine])
        peak[side] = np.average([read.at_us for read in mine], weights=power)
    assert peak["inside"] < peak["outside"]


def test_reads_come_in_order_and_never_ahead_of_time():
    source, last = world("office", seed=2), 0
    for at_us in range(0, 8_000_000, 20_000):
        for read in source.advance("r1", at_us, ALL_ON).rows():
            assert last <= read.at_us <= at_us
            last = read.at_us
    assert last > 0


def test_what_the_client_asks_of_the_antennas_is_done():
    only = reads_of(world(), asked=radio(2))
    assert {read.antenna for read in only} == {2}
    weak = reads_of(world(), asked=radio(1, 2, 3, 4, power_dbm=dict.fromkeys(range(1, 5), 12.0)))
    assert len(weak) < len(reads_of(world())) / 2
    assert reads_of(world(), asked=None) == []
    assert reads_of(world(), asked=radio(7)) == []


def test_the_office_is_heard_at_both_doors_and_its_residents_never_move():
    source, reads, crossings = world("office", seed=7, seconds=56), {"r1": [], "r2": []}, []
    for at_us in range(0, 56_000_001, 20_000):
        for name in reads:
            reads[name] += source.advance(name, at_us, ALL_ON).rows()
        crossings += source.take_crossings(at_us)
    heard_residents = Counter(read.epc for read in reads["r1"]) & Counter(dict.fromkeys(source.residents, 10_000))
    assert len(heard_residents) >= 4
    assert not {crossing.epc for crossing in crossings} & set(source.residents)
    assert {crossing.kind for crossing in crossings} == {"in", "out", "turned_back", "near"}
    for crossing in crossings:
        reader = "r1" if crossing.portal == "stockroom-a-door" else "r2"
        until_us = crossing.ended_us + 1_000_000
        mine = [r for r in reads[reader] if r.epc == crossing.epc and crossing.started_us <= r.at_us <= until_us]
        assert crossing.reads == len(mine)
        assert crossing.reads >= (5 if crossing.crossed_us else 0)


@pytest.mark.parametrize("seed", range(5))
def test_an_asset_of_the_office_only_leaves_where_it_is(seed):
    """Over many cycles and variations: no visit overlaps another of the same tag, and sides alternate."""
    found = sorted(crossings_of("office", seed, 600.0), key=lambda crossing: crossing.started_us)
    assert max(crossing.ended_us for crossing in found) <= 594e6
    side = {}
    busy = {}
    for crossing in found:
        assert busy.get(crossing.epc, 0) <= crossing.started_us
        busy[crossing.epc] = crossing.ended_us
        number = crossing.epc[-1]
        before = side.setdefault(crossing.epc, "stockroom" if number <= 16 else "corridor")
        inside, outside = {"stockroom-a-door": ("stockroom", "corridor"), "main-entrance": ("corridor", "street")}[
            crossing.portal
        ]
        expected = outside if crossing.kind == "in" else inside
        assert before == expected, f"{number} {crossing.kind} at {crossing.portal}"
        if crossing.kind in {"in", "out"}:
            side[crossing.epc] = inside if crossing.kind == "in" else outside


def test_the_first_exit_of_the_office_is_not_authorised_and_early():
    first = min(crossings_of("office", 0, 60.0), key=lambda crossing: crossing.started_us)
    assert (first.epc.hex(), first.portal, first.kind) == ("3034257bf7194e4000000001", "stockroom-a-door", "out")
    assert 3e6 < first.crossed_us < 6e6


def test_a_limited_run_is_quiet_at_its_end():
    for seconds in (30.0, 41.0, 60.0):
        assert all(crossing.ended_us <= 1e6 * (seconds - 6) for crossing in crossings_of("office", 0, seconds))
    source = world("office", seconds=5)
    assert source.ends_us == 5_000_000
    assert all(read.at_us <= 5_000_000 for read in reads_of(source, until_s=9))


def test_a_scenario_without_cycles_ends_after_its_last_walk():
    source = world()
    assert source.ends_us == 15_000_000
    (only,) = source.take_crossings(15_000_000)
    assert (only.kind, only.started_us, only.ended_us) == ("out", 1_000_000, 9_000_000)
    assert source.take_crossings(15_000_000) == []


@settings(max_examples=5)
@given(st.integers(0, 1000))
def test_channels_and_phases_stay_in_their_range(seed):
    scenario = load("single-walk")
    source = World(scenario, seed, None, {"r1": ReaderTraits(frequencies_khz=ETSI_KHZ, hopping=False)})
    reads = reads_of(source)
    assert {read.channel for read in reads} <= {1, 2, 3, 4}
    assert all(0 <= read.phase < 4096 and read.rssi_cdbm % 50 == 0 and -8500 < read.rssi_cdbm < -1000 for read in reads)
