"""Presence probabilities against worlds whose truth is known, and what silences of good and bad tags are worth."""

from datetime import timedelta

import numpy as np
import pytest

from central.domain.presence import history
from central.domain.presence.buckets import FOUND, MISSING, Booked, bucket_of
from central.domain.presence.fold import Place, Stay, fold
from central.domain.presence.history import Rates, Reads
from central.domain.presence.hitrates import MISSES, HitRates
from central.domain.presence.leaving import Usual
from central.domain.presence.spans import Round
from tests.helpers.shelves import BEGIN, DAY, believed, shelves

KEY = ("e1", "shelf", "sweep")
ALWAYS = HitRates((1.0, *(0.0 for _ in MISSES[1:])))
"""Tags that are heard but for one round in 2,000."""


def known_after(hits, misses, silent):
    """Presence of a tag with a daily history, of which the last rounds were silent."""
    reads = {KEY: Reads(float(hits), float(misses), 0, BEGIN)}
    known = history.hit(history.arrived(BEGIN - DAY, 1.0, reads), {KEY: None}, [], BEGIN)
    for day in range(1, silent + 1):
        known = history.silence(known, {KEY: HitRates.like(1.8, 0.2)}, BEGIN + day * DAY, Rates(1 / 1500))
    return known


def test_three_silences_of_a_tag_that_is_nearly_always_read_mean_that_it_is_gone():
    assert known_after(95, 5, 3).gone > 0.8
    assert known_after(95, 5, 5).gone > MISSING


def test_three_silences_of_a_tag_that_is_seldom_read_mean_little():
    assert known_after(30, 70, 3).gone < 0.02


def test_a_first_silence_is_never_missing():
    for hits, misses in ((95, 5), (1000, 0)):
        known = known_after(hits, misses, 1)
        assert bucket_of(Booked(known, observed=True), "sighted") != "missing"


def test_a_hit_after_silences_makes_them_misses():
    known = known_after(10, 0, 4)
    found = history.hit(known, {KEY: None}, [], BEGIN + 5 * DAY)
    assert found.probability > 0.99
    assert found.silent == 0
    assert found.reads[KEY].misses == pytest.approx(4.0)
    assert found.reads[KEY].silent == 0


def test_a_tag_that_went_quiet_is_trusted_less_and_a_history_is_forgotten():
    quiet = history.hit(known_after(50, 0, 0), {KEY: None}, [], BEGIN + 360 * DAY)
    assert quiet.reads[KEY].hits == pytest.approx(51 / 16 + 1, rel=0.01)


def test_a_book_that_is_unsure_is_put_right_by_fewer_silences():
    def gone(confidence):
        known = history.arrived(BEGIN, confidence, {KEY: Reads(90.0, 10.0, 0, BEGIN)})
        return history.silence(known, {KEY: HitRates.like(1.8, 0.2)}, BEGIN + DAY, Rates()).gone

    assert gone(0.6) > 0.8 > gone(0.99)


def test_probabilities_add_up_and_only_fall_while_nothing_is_heard():
    known, last = known_after(20, 5, 0), 1.0
    for day in range(1, 60):
        known = history.silence(known, {KEY: HitRates.like(1.8, 0.2)}, BEGIN + day * DAY, Rates())
        assert known.there + known.faded + known.gone == pytest.approx(1.0)
        assert known.probability <= last
        last = known.probability
    assert history.aged(known, BEGIN + 100 * DAY, Rates()).gone >= known.gone


def test_unseen_departures_are_learnt_from_the_places_own_assets():
    kept = [history.hit(history.arrived(BEGIN, 1.0), {KEY: None}, [], BEGIN + 100 * DAY)] * 100
    assert history.rates_at([]).leave_per_day == pytest.approx(1 / 3000)
    assert history.rates_at(kept * 100).leave_per_day == history.LEAST_LEAVE_PER_DAY
    lost = kept
    for hour in range(4):
        lost = [history.silence(one, {KEY: ALWAYS}, BEGIN + 101 * DAY + hour * DAY / 24, Rates()) for one in lost]
    assert history.rates_at(lost).leave_per_day == pytest.approx(100.2 / 10_700, rel=0.02)
    usual = Usual((101 * 24.0,) * 50, missed=0.3, carried=True)
    guests = [history.aged(one, BEGIN + 102 * DAY, Rates(), usual) for one in kept]
    assert min(one.gone for one in guests) > 0.9
    assert history.rates_at(guests).leave_per_day < 10 / 10_700


def test_who_stays_longer_than_it_ever_did_has_left_by_a_door_that_missed_it():
    daily = Usual((7.0, 8.0, 8.5, 9.0) * 5, missed=0.2, carried=True)
    known = history.arrived(BEGIN, 1.0)
    evening = BEGIN + DAY / 2
    assert history.aged(known, evening, Rates(), daily).gone > 0.75
    assert history.aged(known, BEGIN + DAY / 8, Rates(), daily).gone < 0.01
    assert history.aged(known, evening, Rates()).gone < 0.01
    assert history.later(known, evening, Rates(), daily).at == known.at
    weekend = history.aged(history.aged(known, evening, Rates(), daily), evening + 30 * DAY, Rates(), daily)
    assert weekend.gone < 0.1  # it would have been seen elsewhere
    heard = history.hit(known, {KEY: None}, [], evening)
    assert history.aged(heard, evening + DAY / 2, Rates(), daily).gone < 0.05


def test_a_zone_with_tags_that_it_never_hears_says_little_of_a_new_one():
    always, never = [(Reads(40.0, 0.0), 1.0)] * 20, [(Reads(0.0, 40.0), 1.0)] * 20
    split = history.prior([*always, *never], "zone")
    assert split.silence(0.0, 0.0, 0) == pytest.approx(0.5, abs=0.1)
    assert split.silence(0.0, 0.0, 3) > 0.95
    assert split.silence(5.0, 0.0, 0) < 0.02
    alike = history.prior([(Reads(36.0, 4.0), 1.0)] * 40, "zone")
    assert alike.hit() == pytest.approx(0.9, abs=0.03)
    assert history.prior([], "zone") == history.START["zone"]


def test_a_first_silence_after_a_hundred_hits_is_as_likely_as_it_is_among_such_tags():
    """Most tags are nearly always heard and a few lie badly: no Beta curve has both."""
    rng = np.random.default_rng(5)
    miss = np.concatenate([rng.uniform(0.0005, 0.03, 800), rng.uniform(0.03, 0.2, 150), rng.uniform(0.2, 0.7, 50)])
    rounds = [(Reads(float(hits), 100.0 - hits), 1.0) for hits in rng.binomial(100, 1.0 - miss)]
    learnt = history.prior(rounds, "zone")
    for hits in (3, 30, 100):
        true = (miss * (1.0 - miss) ** hits).sum() / ((1.0 - miss) ** hits).sum()
        assert learnt.silence(hits, 0.0, 0) == pytest.approx(true, rel=0.15)
    assert learnt.heard([(100.0, 0.0)])[0] == pytest.approx(learnt.hit(100.0, 0.0))


def told(spread, worlds):
    """(said, true, asset) of each asset and sweep, once a place had ten sweeps to learn its rates."""
    good, bad, leave_per_day = spread
    for seed in range(worlds):
        world = shelves(seed, good=good, bad=bad, leave_per_day=leave_per_day)
        for day, (probability, there, _) in enumerate(believed(world)):
            if day >= 10:
                yield probability, there, 1000 * seed + np.arange(len(there))


@pytest.mark.parametrize("spread", [(5.0, 1.0, 1 / 500), (20.0, 1.0, 1 / 100), (3.2, 1.8, 1 / 300)])
def test_present_is_calibrated_within_two_points_in_every_decile(spread):
    """Of what is called x % present, x % is: over 250 assets, 50 daily sweeps and three worlds.

    An asset that is doubted stays so for some sweeps, so the error of a decile is that of its assets, not of its rows.
    """
    said, true, who = map(np.concatenate, zip(*told(spread, 3), strict=True))
    assert abs(said.mean() - true.mean()) < 0.005
    for low in np.arange(0.0, 1.0, 0.1):
        mine = (said >= low) & (said < low + 0.1 + (low > 0.85))
        off = np.bincount(who[mine], said[mine] - true[mine])
        if (off != 0).sum() >= 10:
            assert abs(off.sum()) / mine.sum() < 0.02 + 3 * np.sqrt((off**2).sum()) / mine.sum(), (low, mine.sum())


def test_what_is_called_missing_is_gone_and_is_called_soon():
    """Precision over all calls, and the sweeps until a well-read tag that left is called."""
    right = called = 0
    waits = []
    for seed in range(3):
        world = shelves(seed, good=40.0, bad=1.0)
        first = np.full(len(world.rates), np.inf)
        for day, (_, there, place) in enumerate(believed(world)):
            buckets = [bucket_of(Booked(one, observed=True), "sighted") for one in place.assets.values()]
            missing = np.array([bucket == "missing" for bucket in buckets])
            new = missing & np.isinf(first)
            called, right = called + new.sum(), right + (new & ~there).sum()
            first[new] = day
        gone = world.gone_from < 40
        waits += list(first[gone] - np.ceil(world.gone_from[gone]) + 1)
    assert right / called >= 0.98, (right, called)
    assert np.median(waits) <= 4
    assert np.isfinite(waits).mean() > 0.95


def test_what_is_there_is_found_again_after_each_sweep():
    world = shelves(9, leave_per_day=1e-9, good=20.0)
    *_, (probability, _, _) = believed(world)
    assert (probability > FOUND).mean() > 0.98


def test_hit_rates_are_learnt_tag_by_tag():
    world = shelves(3, leave_per_day=1e-9, good=3.0, bad=1.0)
    *_, (_, _, place) = believed(world)
    reads = [next(iter(one.reads.values()), Reads()) for one in place.assets.values()]
    learnt = history.START["sweep"].heard([(one.hits, one.misses) for one in reads])
    assert np.abs(learnt - world.rates).mean() < 0.06
    assert timedelta(days=89) < history.HALF_LIFE


def test_a_tag_last_heard_long_before_the_end_has_left_where_others_are_heard_to_the_end():
    """What lies still in such a zone is heard to the end; where gaps are even, a gap tells nothing."""
    to_the_end = history.gaps_of([Reads(gaps=(900.0, 900.0, 0.0, 0.0, 0.0))])
    now_and_then = history.gaps_of([Reads(gaps=(100.0, 100.0, 200.0, 400.0, 800.0))])
    leaves = 1 / 3000
    gap = history.gap_of(0.7)
    assert history.left_since(gap, None, to_the_end, leaves) > 0.5
    assert history.left_since(history.gap_of(0.05), None, to_the_end, leaves) < 0.001
    assert history.left_since(gap, None, now_and_then, leaves) < 0.001
    seldom = Reads(gaps=(2.0, 2.0, 4.0, 8.0, 16.0))
    assert history.left_since(gap, seldom, to_the_end, leaves) < 0.01


def test_nothing_learnt_of_gaps_says_nothing():
    usual = history.gaps_of([])
    for gap in range(len(history.GAP_ENDS)):
        assert history.left_since(gap, None, usual, 1 / 500) == pytest.approx(1 / 500)


def test_a_gap_counts_once_a_later_hit_has_settled_it():
    known = history.hit(history.arrived(BEGIN, 1.0), {KEY: 4}, [], BEGIN + DAY, 3.0)
    assert known.gone == pytest.approx(0.75)
    assert sum(known.reads[KEY].gaps) == 0
    after = history.hit(known, {KEY: 0}, [], BEGIN + 2 * DAY)
    assert after.reads[KEY].gaps == (0.0, 0.0, 0.0, 0.0, 1.0)
    assert after.reads[KEY].gap == 0
    assert after.gone == pytest.approx(history.STRAY)


def test_who_came_is_doubted_where_most_that_came_are_not_heard_at_the_first_chance():
    stays = [Stay(f"a{number}", (f"e{number}",), BEGIN, 0.98) for number in range(20)]

    def last_gone(heard):
        hits = tuple((f"e{number}", BEGIN + DAY) for number in range(heard))
        sweep = Round("shelf", "sweep", BEGIN + DAY / 2, BEGIN + DAY, 1.0, silence=True, heard=hits)
        return fold(Place(), stays, [sweep]).assets["a19"].gone

    assert last_gone(4) > 0.9
    assert last_gone(19) < 0.2
    assert last_gone(20) == pytest.approx(history.STRAY)


def test_a_place_that_has_learnt_nothing_yet_clears_nobody_of_having_gone():
    """Its first sweep hears nearly all: how often it misses tags isn't known, so few silences show no departures."""
    stays = [Stay(f"a{number}", (f"e{number}",), BEGIN, 0.98) for number in range(500)]
    hits = tuple((f"e{number}", BEGIN + DAY) for number in range(475))
    sweep = Round("shelf", "sweep", BEGIN + DAY / 2, BEGIN + DAY, 1.0, silence=True, heard=hits)
    alone = fold(Place(), stays[-1:], [sweep]).assets["a499"].gone
    assert fold(Place(), stays, [sweep]).assets["a499"].gone == pytest.approx(alone, rel=0.5)


def test_a_place_that_misses_few_clears_those_that_came_of_having_gone():
    """Two hundred tags, heard in each of thirty sweeps, say that of fifty that came and were heard none has gone."""
    old = [Stay(f"b{number}", (f"o{number}",), BEGIN, 1.0) for number in range(200)]
    came = [Stay(f"a{number}", (f"e{number}",), BEGIN + 30 * DAY, 0.8) for number in range(50)]
    tags = [f"o{number}" for number in range(200)]

    def sweep(day, more=()):
        end = BEGIN + day * DAY
        heard = tuple((epc, end) for epc in (*tags, *more))
        return Round("shelf", "sweep", end - DAY / 2, end, 1.0, silence=True, heard=heard)

    known = fold(Place(), old, [sweep(day) for day in range(1, 31)])

    def last_gone(heard):
        return fold(known, [*old, *came], [sweep(31, [f"e{number}" for number in range(heard)])]).assets["a49"].gone

    assert last_gone(49) < 0.95 < last_gone(25)
