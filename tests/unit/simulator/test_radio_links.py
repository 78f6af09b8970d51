"""The link kernels against formulas, and against themselves however they were asked before."""

import hashlib
import math
import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.world.radio import Links, all_gains, closing_mps, coupling_db, observe, one_way_db
from simulator.world.scene import Surroundings
from tests.helpers.radio_scene import FCC, FREE, antennas, carriers, holds, leaves, scene, tags, walls

LOOKING_OUT = ((0, 0, 1.0), (1, 0, 1.0))
INDOORS = Surroundings(path_exponent=2.0, k_db=8.0, ground=0.4)
MIDDLE = 25


def gain(held, at_us=1, channel=MIDDLE, port=0, ants=None, **parts):
    """One-way gain and phase of the first hold."""
    links = Links(ants or antennas(LOOKING_OUT), FCC, 1)
    return one_way_db(links.channel(scene(held, **parts)), port, 0, at_us, channel)


def free_db(distance, khz=FCC.frequencies_khz[MIDDLE]):
    """Free space between isotropic antennas."""
    return 20 * math.log10(299_792.458 / khz / (4 * math.pi * distance))


def test_free_space_gain_is_friis_with_half_the_power_for_a_linear_tag():
    """6 dBi, a dipole's 2.15 dBi, and 3 dB for circular to linear."""
    for distance in (0.5, 2.0, 14.0):
        level, _ = gain(holds([(distance, 0, 1.0)]))
        assert level == pytest.approx(free_db(distance) + 6 + 2.15 - 3.0, abs=0.02)


def test_one_way_phase_is_distance_over_wavelength():
    """The reader doubles it: 4 pi d f / c."""
    _, near = gain(holds([(2.0, 0, 1.0)]))
    _, far = gain(holds([(2.01, 0, 1.0)]))
    expected = 2 * math.pi * 0.01 * 1e3 * FCC.frequencies_khz[MIDDLE] / 299_792_458
    assert (far - near) % (2 * math.pi) == pytest.approx(expected, abs=1e-4)


def test_half_power_at_half_the_beam_and_a_back_lobe_behind():
    """70 degrees of beam: 3 dB at 35 degrees."""
    aside = (2 * math.cos(math.radians(35)), 2 * math.sin(math.radians(35)), 1.0)
    front, side, back = (gain(holds([place]))[0] for place in ((2, 0, 1.0), aside, (-2, 0, 1.0)))
    assert front - side == pytest.approx(3.0, abs=0.05)
    assert front - back == pytest.approx(22.0, abs=0.1)


def test_a_dipole_is_deaf_along_its_axis_and_a_linear_antenna_wants_it_upright():
    """Nulls of the tag's own pattern, and crossed polarisation."""
    upright, pointing = (gain(holds([(2, 0, 1.0)], axis=axis))[0] for axis in ((0, 0, 1), (1, 0, 0)))
    assert upright - pointing == pytest.approx(30, abs=1)
    vertical = antennas(LOOKING_OUT, axis=(0, 0, 1))
    along, across = (gain(holds([(2, 0, 1.0)], axis=axis), ants=vertical)[0] for axis in ((0, 0, 1), (0, 1, 0)))
    assert along - upright == pytest.approx(3.0, abs=0.02)
    assert along - across == pytest.approx(20.0, abs=0.1)


def test_a_tag_on_metal_is_heard_on_one_side():
    """Its face looks at the antenna, or away."""
    facing, away = (gain(holds([(2, 0, 1.0)], face=face))[0] for face in ((-1, 0, 0), (1, 0, 0)))
    assert facing - away > 25


def test_the_floor_makes_a_null_where_its_ray_is_half_a_turn_late():
    """Two-ray ground, against the sum of two phasors."""
    around = Surroundings(path_exponent=2.0, k_db=100.0, ground=1.0)
    ants = antennas(((0, 0, 1.0), (0, 0, 0)), beam_deg=179.8)
    wavenumber = 2 * math.pi * 1e3 * FCC.frequencies_khz[MIDDLE] / 299_792_458
    for x in np.linspace(0.5, 6, 30):
        one, two = x, math.hypot(x, 2.0)
        level, _ = gain(holds([(x, 0, 1.0)]), ants=ants, around=around)
        direct_lobe, floor_lobe = 1e-3 ** ants_power(ants), (2 / two) ** ants_power(ants)
        total = abs(
            direct_lobe * np.exp(-1j * wavenumber * one) / one - floor_lobe * np.exp(-1j * wavenumber * two) / two
        )
        alone, _ = gain(holds([(x, 0, 1.0)]), ants=ants)
        assert level - alone == pytest.approx(20 * math.log10(total * one / direct_lobe), abs=0.01)


def ants_power(ants):
    """Half the cosine's exponent of an antenna."""
    return Links(ants, FCC, 1).channel(scene(holds([(0, 0, 0)]))).antenna[0, 10]


def test_a_body_takes_its_loss_in_the_middle_and_less_and_less_beside():
    """Smooth as the ray grazes the cylinder."""
    clear, _ = gain(holds([(3, 0, 1.0)]))
    losses = [
        clear - gain(holds([(3, 0, 1.0)]), carried=carriers([(0, 1.5, y), (10, 1.5, y)]))[0]
        for y in np.linspace(0, 1, 101)
    ]
    assert losses[0] == pytest.approx(12.0, abs=0.01)
    assert losses[-1] == 0
    assert all(one >= later for one, later in pairwise(losses))
    assert max(one - later for one, later in pairwise(losses)) < 0.5


def test_a_body_behind_the_tag_or_below_the_ray_takes_nothing():
    """Shadows fall on the ray only."""
    clear, _ = gain(holds([(3, 0, 1.9)]), ants=antennas(((0, 0, 2.2), (1, 0, 2.2))))
    for x in (3.5, -1.0, 1.5):
        carried = carriers([(0, x, 0), (10, x, 0)])
        level, _ = gain(holds([(3, 0, 1.9)]), ants=antennas(((0, 0, 2.2), (1, 0, 2.2))), carried=carried)
        assert level == clear


def test_a_wall_takes_its_loss_where_it_is_crossed():
    """In the plan and in height."""
    clear, _ = gain(holds([(3, 0, 1.0)]))
    for wall, taken in (((1, -1, 1, 1), 3.0), ((1, 0.5, 1, 2), 0.0), ((4, -1, 4, 1), 0.0)):
        assert clear - gain(holds([(3, 0, 1.0)]), standing=walls(wall))[0] == pytest.approx(taken, abs=1e-3)
    assert gain(holds([(3, 0, 1.0)]), standing=walls((1, -1, 1, 1), top_m=0.5))[0] == clear


def test_a_leaf_shadows_when_shut_and_mirrors_when_open():
    """Shut across the ray at first, then turned to lie beside it."""
    doors = leaves(((1.0, -0.5), [(0, math.pi / 2), (1_000_000, math.pi / 2), (2_000_000, 0.0)]))
    links = Links(antennas(LOOKING_OUT), FCC, 1)
    ch = links.channel(scene(holds([(3, 0, 1.0)]), doors=doors))
    clear, _ = gain(holds([(3, 0, 1.0)]))
    assert clear - one_way_db(ch, 0, 0, 10, MIDDLE)[0] == pytest.approx(30, abs=0.1)
    way = math.hypot(3.0, 1.0)
    late = 2 * math.pi * (way - 3) * 1e3 * FCC.frequencies_khz[MIDDLE] / 299_792_458
    lobe = (3 / way) ** ants_power(antennas(LOOKING_OUT))
    both = abs(1 - 0.9 * lobe * 3 / way * np.exp(-1j * late))
    opened, _ = one_way_db(ch, 0, 0, 3_000_000, MIDDLE)
    assert opened - clear == pytest.approx(20 * math.log10(both), abs=0.01)
    halfway, _ = one_way_db(ch, 0, 0, 1_500_000, MIDDLE)
    assert halfway not in {opened, clear}


def test_fading_is_a_property_of_place():
    """Tags at one place fade alike; half a wave apart they don't; in the mean there is no gain."""
    places = [(2 + 0.02 * index, 0, 1.0) for index in range(200)]
    around = Surroundings(path_exponent=2.0, k_db=0.0, ground=0.0)
    held = holds([*places, places[50]])
    ch = Links(antennas(LOOKING_OUT), FCC, 1).channel(scene(held, around=around))
    out = np.zeros(201)
    all_gains(ch, 0, 1, MIDDLE, out)
    assert out[200] == out[50]
    fade = out[:200] - [free_db(place[0]) for place in places]
    power = 10 ** ((fade - 6 - 2.15 + 3) / 10)
    assert power.mean() == pytest.approx(1.0, abs=0.35)
    assert fade.max() - fade.min() > 8
    assert np.corrcoef(power[:-1], power[1:])[0, 1] > 0.8
    assert abs(np.corrcoef(power[:-8], power[8:])[0, 1]) < 0.5


def test_a_hold_is_there_from_its_begin_to_before_its_end():
    """And only while its carrier is."""
    held = holds([(2, 0, 1), (0.3, 0, 1)], carriers=[-1, 0], begin_us=10, end_us=20)
    ch = Links(antennas(LOOKING_OUT), FCC, 1).channel(scene(held, carried=carriers([(12, 1, 0), (15, 2, 0)])))
    there = {at: [one_way_db(ch, 0, h, at, 0)[0] > -math.inf for h in (0, 1)] for at in (9, 10, 12, 15, 16, 19, 20)}
    assert there == {
        9: [False, False],
        10: [True, False],
        12: [True, True],
        15: [True, True],
        16: [True, False],
        19: [True, False],
        20: [False, False],
    }


def test_dead_tags_and_tags_out_of_range_have_no_gain():
    """-inf, never a number that could wake."""
    kinds = tags(2)._replace(dead=np.array([True, False]))
    ch = Links(antennas(LOOKING_OUT), FCC, 1).channel(scene(holds([(2, 0, 1), (30, 0, 1)]), kinds=kinds))
    out = np.zeros(2)
    all_gains(ch, 0, 1, 0, out)
    assert (out == -np.inf).all()
    assert one_way_db(ch, 0, 1, 1, 0)[0] == -math.inf


def test_a_carried_tag_follows_place_and_heading():
    """Offsets are ahead, left and up of the carrier."""
    held = holds([(0.5, 0.2, 1.0)], carriers=[0])
    path = carriers([(0, 1, 0), (1_000_000, 2, 0), (2_000_000, 2, 1)], radius_m=0.0)
    ch = Links(antennas(LOOKING_OUT), FCC, 1).channel(scene(held, carried=path))
    for at_us, place in ((500_000, (2.0, 0.2, 1)), (1_500_000, (1.8, 1.0, 1))):
        assert one_way_db(ch, 0, 0, at_us, 0) == pytest.approx(gain(holds([place]), channel=0), abs=1e-9)
    assert closing_mps(ch, 0, 0, 500_000) == pytest.approx(-1.0, abs=0.02)


def busy(seed):
    """Antennas and a scene with all that there is."""
    rng = np.random.default_rng(seed)
    count = 12
    axes = rng.normal(size=(2 * count, 3))
    held = holds(
        [
            *rng.uniform([-4, -4, 0.2], [4, 4, 2.2], (count, 3)),
            *rng.uniform([-0.4, -0.4, 0.5], [0.4, 0.4, 1.4], (count, 3)),
        ],
        carriers=[-1] * count + [index % 3 for index in range(count)],
    )
    held = held._replace(axis=axes / np.linalg.norm(axes, axis=1, keepdims=True))
    held.face[::5] = held.axis[::5]
    paths = [[(0, -4, 0.3 * k), (5_000_000, 4, 0.2 * k), (6_000_000, 4, 3)] for k in range(3)]
    doors = leaves(((0, 0.6), [(0, -1.57), (2_000_000, -1.57), (3_000_000, 0.0), (5_000_000, 0.0), (6_000_000, -1.57)]))
    standing = walls((0, 0.6, 0, 5), (0, -5, 0, -0.6), (2, 2, 3, 2))
    parts = {"around": INDOORS, "carried": carriers(*paths), "standing": standing, "doors": doors}
    ants = antennas(((-0.8, 1, 2), (0, 0, 1)), ((0.8, -1, 1), (0, 0, 1)), cable_loss_db=2.0)
    return ants, scene(held, **parts)


@settings(max_examples=25, deadline=None)
@given(
    asks=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6_500_000), st.integers(0, 49)), min_size=1, max_size=8)
)
def test_what_is_kept_of_still_tags_changes_nothing(asks):
    """A channel that was asked before says what a new one says, whether for all tags or for one."""
    ants, held = busy(1)
    used = Links(ants, FCC, 1).channel(held)
    first, second = np.zeros((2, len(held.holds.tag)))
    for port, at_us, channel in asks:
        all_gains(used, port, at_us, channel, first)
        fresh = Links(ants, FCC, 1).channel(held)
        all_gains(fresh, port, at_us, channel, second)
        assert first.tobytes() == second.tobytes()
        assert [one_way_db(used, port, h, at_us, channel)[0] for h in range(len(first))] == first.tolist()


def test_a_scene_with_more_entries_says_the_same_of_the_others():
    """In another order, with tags that come later, on links that saw another scene before."""
    ants, whole = busy(2)
    links = Links(ants, FCC, 1)
    order = np.random.default_rng(3).permutation(len(whole.holds.tag))
    shuffled = whole._replace(holds=type(whole.holds)(*(column[order] for column in whole.holds)))
    few = whole._replace(holds=type(whole.holds)(*(column[order[:7]] for column in whole.holds)))
    out, mixed, part = np.zeros(len(order)), np.zeros(len(order)), np.zeros(7)
    for at_us in (100, 2_500_000, 4_000_000):
        all_gains(links.channel(few), 1, at_us, 7, part)
        all_gains(links.channel(whole), 1, at_us, 7, out)
        all_gains(links.channel(shuffled), 1, at_us, 7, mixed)
        assert mixed.tolist() == out[order].tolist()
        assert part.tolist() == out[order[:7]].tolist()


def test_more_still_tags_than_first_rows_are_kept_too():
    """Room grows; what was kept stays."""
    links = Links(antennas(LOOKING_OUT), FCC, 1)
    places = [(1 + 0.05 * index, 0, 1.0) for index in range(100)]
    out = np.zeros(100)
    for count in (5, 20, 100):
        ch = links.channel(scene(holds(places[:count])))
        all_gains(ch, 0, 1, 3, out[:count])
        assert (ch.held[:, 3] >= 0).all()
    assert out.tolist() == [gain(holds([place]), channel=3)[0] for place in places]


def test_reports_come_in_the_readers_steps_and_in_twelve_bits():
    """RSSI of 0.5 dB, phase of 4096 to a turn, Doppler in sixteenths."""
    ch = Links(antennas(LOOKING_OUT), FCC, 1).channel(scene(holds([(2, 0, 1)])))
    for word in range(200):
        rssi, phase, doppler = observe(ch, 0, 3, 1, word * 0x1234567, 30.0, -40.0, 1.0, 0.0, 5.5, -84.0)
        assert rssi % 50 == 0
        assert abs(rssi + 5550) < 200
        assert 0 <= phase < 4096
        assert isinstance(doppler, int)


def test_phase_is_compared_within_a_channel_only():
    """Each channel has its own offset, and a hop may turn it by half."""
    ch = Links(antennas(LOOKING_OUT), FCC, 1).channel(scene(holds([(2, 0, 1)])))
    by_hop = {observe(ch, 0, 3, hop, 5, 30.0, -40.0, 1.0, 0.0, 5.5, -84.0)[1] for hop in range(40)}
    assert len(by_hop) == 2
    one, two = sorted(by_hop)
    assert two - one == pytest.approx(2048, abs=1)
    assert len({observe(ch, 0, c, 0, 5, 30.0, -40.0, 1.0, 0.0, 5.5, -84.0)[1] for c in range(50)}) > 45


def test_doppler_has_the_true_shift_buried_in_it():
    """The mean over many reads shows a walker's 6.1 Hz a m/s at 915 MHz."""
    ch = Links(antennas(LOOKING_OUT), FCC, 1).channel(scene(holds([(2, 0, 1)])))
    shifts = [observe(ch, 0, 24, 0, 7919 * word, 30.0, -40.0, 1.0, 2.0, 5.5, -84.0)[2] / 16 for word in range(4000)]
    assert np.mean(shifts) == pytest.approx(12.2, abs=0.5)
    assert 6 < np.std(shifts) < 12


def test_neighbouring_antennas_hear_each_other_less_behind_a_wall():
    """Both patterns, both cables, distance and walls."""
    one = antennas(((0, 0, 1), (1, 0, 1)), cable_loss_db=1.0)
    other = antennas(((3, 0, 1), (2, 0, 1)), ((3, 0, 1), (4, 0, 1)), cable_loss_db=2.0)
    hz = 915e6
    free = coupling_db(one, other, FREE, walls(), hz)
    assert free.shape == (1, 2)
    assert free[0, 0] == pytest.approx(free_db(3, 915_000) + 12 - 3, abs=0.01)
    assert free[0, 0] - free[0, 1] == pytest.approx(22, abs=0.1)
    assert free - coupling_db(one, other, FREE, walls((1, -1, 1, 1)), hz) == pytest.approx(3)


def fingerprint():
    """Digest of gains, phases and reports of a busy scene."""
    ants, held = busy(4)
    ch = Links(ants, FCC, 9).channel(held)
    out = np.zeros(len(held.holds.tag))
    digest = hashlib.sha256()
    for at_us in (5, 2_500_000, 4_000_000, 5_500_000):
        for port in (0, 1):
            all_gains(ch, port, at_us, at_us % 50, out)
            digest.update(out.tobytes())
            for h in range(len(out)):
                level, phase = one_way_db(ch, port, h, at_us, 3)
                if level > -math.inf:
                    speed = closing_mps(ch, port, h, at_us)
                    told = observe(ch, port, 3, at_us // 200_000, 77 * h + at_us, 30.0, level, phase, speed, 5.5, -84.0)
                    digest.update(np.array([level, phase, speed, *told], dtype=float).tobytes())
    return digest.hexdigest()


def test_compiled_and_plain_say_the_same_bytes():
    """The same with NUMBA_DISABLE_JIT=1."""
    code = "from tests.unit.simulator.test_radio_links import fingerprint; print(fingerprint())"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == fingerprint()
