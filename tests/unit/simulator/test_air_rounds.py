"""Inventory rounds against what the Gen2 air interface and slotted ALOHA say of them."""

import numpy as np
import pytest

from simulator.world.air import layout as L  # noqa: N812 (as in the room)
from simulator.world.air.timing import Symbols, durations
from simulator.world.command import (
    DENSE_M4,
    DUAL_TARGET,
    FAST_FM0,
    FX7500_HABITS,
    R420_HABITS,
    SINGLE_TARGET,
    TAG_FOCUS,
    AirCommand,
    ModeTiming,
    Select,
)
from tests.helpers import air

S = 1_000_000
ONE_PLACE = np.array([2.0, 0.0, 1.5])


def rate(tags, *, seconds=10, seed=1, asked=None, **made):
    """Reads a second of tags on a shelf."""
    reader = air.reader(air.scene(air.shelf(tags, seed=seed)), seed=seed, **made)
    return len(reader.advance(seconds * S, asked or air.asked())) / seconds


def mean_rate(tags, **made):
    return np.mean([rate(tags, seed=seed, **made) for seed in range(1, 5)])


def test_a_mode_takes_the_times_that_the_standard_adds_up_to():
    """FM0 at 640 kHz with a tari of 6.25 us and 1 to 1.5: QueryRep, RN16 and EPC by hand."""
    row = durations(FAST_FM0, ())
    rtcal = 6.25 * 2.5
    assert row[L.REP_US] == round(12.5 + 6.25 + rtcal + 4 * rtcal / 2)
    assert row[L.QUERY_US] == round(12.5 + 6.25 + rtcal + (64 / 3) / 0.64 + 22 * rtcal / 2)
    assert row[L.T1_US] == round(rtcal)
    assert row[L.RN16_US] == round((6 + 16 + 1) / 0.64)
    assert row[L.REPLY_US] + row[L.BYTE_NS] * 12 / 1000 == pytest.approx((6 + 128 + 1) / 0.64, abs=1)


def test_slower_answers_have_the_pilot_tone_and_selects_cost_time():
    slow = Symbols(ModeTiming(miller=8, link_hz=170_000, tari_us=20, pie_ratio=2))
    assert slow.answer_us(16) == pytest.approx((12 + 10 + 16 + 1) * 8 / 0.17)
    one = Select(pointer_bits=32, mask_bits=16, mask=b"\x30\x00", action=0)
    plain, filtered = durations(DENSE_M4, ()), durations(DENSE_M4, (one, one))
    assert plain[L.SELECT_US] == 0
    assert filtered[L.SELECT_US] == pytest.approx(2 * (12.5 + 20 + 60 + (45 + 16) * 30 + 120), abs=1)


@pytest.mark.parametrize(("tags", "measured"), [(1, 70), (9, 67), (29, 124)])
def test_an_r420_reads_at_the_measured_rates(tags, measured):
    """domain.md, Rates."""
    assert mean_rate(tags) == pytest.approx(measured, rel=0.15)


def test_on_few_channels_a_reader_rests_and_now_and_then_an_answer_is_lost():
    """As a recorded FX7500 does (ECD data set, static.csv): 4 ms, one in twenty twice that, 0.1 s every 4 s."""
    reader = air.reader(air.scene([ONE_PLACE]), hopping=False, habits=FX7500_HABITS)
    gaps = np.diff(reader.advance(60 * S, air.asked()).at_us)
    assert np.median(gaps) == pytest.approx(4_300, abs=300)
    assert 0.02 < np.mean(gaps > 6_000) < 0.05
    assert 14 <= np.sum(gaps > 100_000) <= 15


@pytest.mark.parametrize("tags", [1, 8])
def test_an_fx7500_reads_at_the_measured_rate(tags):
    """domain.md, Rates: 222 a second, static, on one channel of the ETSI band."""
    assert mean_rate(tags, habits=FX7500_HABITS, hopping=False) == pytest.approx(222, rel=0.05)


def test_the_fastest_mode_reaches_what_vendors_claim():
    """1,100 to 1,300 a second."""
    asked = air.asked(command=AirCommand(mode=0, timing=FAST_FM0))
    assert 1_100 <= rate(100, asked=asked) <= 1_300


@pytest.mark.parametrize(("residents", "reads"), [(50, 7.8), (200, 2.0), (500, 0.8)])
def test_residents_eat_the_air_time_of_a_passage(residents, reads):
    """domain.md, 12: S0 dual target at 200 singulations a second, 2 s in range."""
    walks = [(begin, (1.5, -1.2, 1.5), begin + 2 * S, (1.5, 1.2, 1.5)) for begin in range(5 * S, 165 * S, 4 * S)]
    reader = air.reader(air.scene(air.shelf(residents, spread_m=0.8), walks, loss_db=0.0))
    command = AirCommand(mode=2, session=0, search_mode=DUAL_TARGET, timing=DENSE_M4)
    found = reader.advance(170 * S, air.asked(command=command))
    each = np.bincount(found.tag, minlength=residents + len(walks))[residents:]
    assert len(found) / 170 == pytest.approx(200, rel=0.05)
    assert each.mean() == pytest.approx(reads, rel=0.35)
    if residents == 500:
        assert np.mean(each == 0) == pytest.approx(0.45, abs=0.2)


def test_at_the_best_q_no_more_than_36_8_percent_of_slots_hold_one_answer():
    """Equally loud tags, so that nobody is captured; 1/e, less what looking for Q costs."""
    reader = air.reader(air.scene(np.tile(ONE_PLACE, (400, 1))), habits=air.NO_PAUSES)
    reader.advance(30 * S, air.asked())
    counts = reader.counts
    alone = counts.singles + counts.garbled
    assert counts.captures == 0
    assert 0.33 < alone / (alone + counts.empties + counts.collisions) < 0.375


@pytest.mark.parametrize("population", [1, 4_000])
def test_q_converges_to_the_population_from_both_sides(population):
    reader = air.reader(air.scene(air.shelf(300)), habits=air.NO_PAUSES)
    reader.advance(1 * S, air.asked(command=AirCommand(mode=2, population=population)))
    assert reader._live.q[0] == pytest.approx(np.log2(300), abs=1.0)


def test_the_stronger_of_two_answers_is_understood():
    near, far = [1.0, 0.0, 1.5], [4.0, 0.3, 1.5]
    unequal = air.reader(air.scene([near, far]), habits=air.NO_PAUSES)
    unequal.advance(5 * S, air.asked())
    equal = air.reader(air.scene([near, near]), habits=air.NO_PAUSES)
    equal.advance(5 * S, air.asked())
    assert unequal.counts.captures > 20
    assert unequal.counts.collisions == 0
    assert equal.counts.captures == 0
    assert equal.counts.collisions > 20


def times_of(reader, tag, seconds, asked):
    found = reader.advance(seconds * S, asked)
    return found.at_us[found.tag == tag]


def persisting(session, search_mode):
    return air.asked(command=AirCommand(mode=2, session=session, search_mode=search_mode))


def test_s0_forgets_at_every_hop():
    """One round a stay: single target in S0 reads each tag once in each 200 ms."""
    gaps = np.diff(times_of(air.reader(air.scene([ONE_PLACE])), 0, 20, persisting(0, SINGLE_TARGET)))
    assert np.abs(gaps[1:] - 200_000).max() < 20_000


def test_s1_lasts_half_a_second_to_five_with_power_or_without():
    reader = air.reader(air.scene(air.shelf(40)))
    found = reader.advance(60 * S, persisting(1, SINGLE_TARGET))
    gaps = [np.diff(found.at_us[found.tag == tag]).min() for tag in range(40)]
    assert min(gaps) >= 500_000
    assert max(gaps) <= 5_200_000
    assert max(gaps) - min(gaps) > 2_000_000


@pytest.mark.parametrize("session", [2, 3])
def test_s2_and_s3_keep_quiet_while_they_have_power_and_more_than_2_s_without(session):
    reader, asked = air.reader(air.scene(air.shelf(40))), persisting(session, SINGLE_TARGET)
    assert len(reader.advance(60 * S, asked)) == 40
    reader.advance(61 * S + 900_000, None)
    assert len(reader.advance(62 * S, asked)) == 0
    reader.advance(73 * S, None)
    assert len(reader.advance(75 * S, asked)) == 40


def test_dual_target_asks_quiet_tags_again():
    reader = air.reader(air.scene(air.shelf(40)))
    found = reader.advance(20 * S, persisting(2, DUAL_TARGET))
    assert np.bincount(found.tag, minlength=40).min() > 20


@pytest.mark.parametrize("dual_ms", range(900, 1_000, 5))
def test_single_target_asks_for_a_whatever_a_dual_target_round_had_come_to(dual_ms):
    """A plan that takes turns of both finds every newcomer."""
    reader = air.reader(air.scene(air.shelf(40)))
    nobody = Select(pointer_bits=32, mask_bits=8, mask=b"\xee", action=0)
    following = AirCommand(mode=2, session=0, search_mode=DUAL_TARGET, filters=(nobody,))
    reader.advance(dual_ms * 1_000, air.asked(command=following))
    found = reader.advance(6 * S, persisting(2, SINGLE_TARGET))
    assert set(found.tag.tolist()) >= set(range(40))


def test_tag_focus_keeps_s1_quiet_while_it_has_power():
    reader = air.reader(air.scene(air.shelf(40)))
    assert len(reader.advance(60 * S, persisting(1, TAG_FOCUS))) == 40


def test_a_filter_lets_only_matching_tags_answer():
    epcs = [bytes([0x30 + number % 2]) + number.to_bytes(11, "big") for number in range(20)]
    mine = Select(pointer_bits=32, mask_bits=8, mask=b"\x31", action=0)
    reader = air.reader(air.scene(air.shelf(20)), epcs=epcs)
    found = reader.advance(5 * S, air.asked(command=AirCommand(filters=(mine,))))
    assert set(found.tag.tolist()) == set(range(1, 20, 2))


def test_without_power_nobody_answers():
    """A chip wakes above its sensitivity, within about 1 dB."""
    at = air.scene([ONE_PLACE], sensitivity_dbm=-20.0)
    heard = [len(air.reader(at).advance(5 * S, air.asked(power_dbm=dbm))) for dbm in np.arange(10, 31, 0.5)]
    assert heard[0] == 0
    assert heard[-1] > 300
    between = [count for count in heard if 20 < count < 250]
    assert 0 < len(between) <= 6


def test_dead_tags_and_ports_without_cable_say_nothing():
    reader = air.reader(air.scene(air.shelf(5), dead=[2]), air.antennas(2))
    found = reader.advance(5 * S, air.asked((1, 2), extra_loss_db={2: np.inf}))
    assert set(found.tag.tolist()) == {0, 1, 3, 4}
    assert set(found.antenna.tolist()) == {1}


def test_noise_takes_reads_away():
    far = air.shelf(20, distance_m=4.0)
    heard = [
        len(air.reader(air.scene(far), habits=air.NO_PAUSES).advance(5 * S, air.asked(noise_db=noise_db)))
        for noise_db in (0.0, 15.0, 25.0, 60.0)
    ]
    assert heard[0] > 0
    assert heard == sorted(heard, reverse=True)
    assert heard[2] < heard[0] / 2
    assert heard[3] == 0


def test_a_walker_is_read_while_there():
    walk = (3 * S, (2.0, -1.0, 1.5), 5 * S, (2.0, 1.0, 1.5))
    found = air.reader(air.scene(walkers=[walk])).advance(8 * S, air.asked())
    assert len(found) > 60
    assert found.at_us.min() >= 3 * S
    assert found.at_us.max() <= 5 * S + 10_000


def test_antennas_take_turns():
    reader = air.reader(air.scene(air.shelf(3)), air.antennas(4))
    found = reader.advance(10 * S, air.asked((1, 3, 4)))
    shares = np.bincount(found.antenna, minlength=5) / len(found)
    assert shares[2] == 0
    assert shares[[1, 3, 4]] == pytest.approx(1 / 3, abs=0.05)


def test_every_channel_is_used_as_often_as_any_other_for_200_ms():
    found = air.reader(air.scene([ONE_PLACE])).advance(20 * S, air.asked())
    changes = np.flatnonzero(np.diff(found.channel)) + 1
    assert np.diff(found.at_us[changes]) == pytest.approx(200_000, abs=30_000)
    stays = np.bincount(found.channel[np.append(0, changes)], minlength=51)[1:]
    assert set(stays.tolist()) <= {2, 3}


def test_few_channels_are_kept_for_4_s():
    found = air.reader(air.scene([ONE_PLACE]), hopping=False).advance(40 * S, air.asked())
    changes = np.flatnonzero(np.diff(found.channel)) + 1
    assert np.diff(found.at_us[changes]) == pytest.approx(4 * S, abs=30_000)
    assert set(found.channel.tolist()) == {1, 2, 3, 4}


def test_a_fixed_mode_makes_no_pauses():
    fixed = air.asked(command=AirCommand(mode=2, timing=DENSE_M4))
    chosen = air.asked(command=AirCommand(mode=1002, timing=DENSE_M4))
    assert rate(9, asked=fixed) > 2.5 * rate(9, asked=chosen)
    assert rate(9, asked=chosen) == rate(9)
    assert R420_HABITS.auto_from > 2
