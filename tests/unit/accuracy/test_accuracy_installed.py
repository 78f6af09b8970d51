"""Doors go into service only if their commissioning could certify them."""

import pytest

from simulator.scenarios.load import load
from simulator.world.values import Crossing
from tests.accuracy import doors, frozen, installed
from tests.accuracy.commission import certifies, is_fit
from tests.accuracy.installed import Installed, InstalledError, first_certified, install, kept_in
from tests.accuracy.page import in_service
from tests.accuracy.play import EPOCH_US, settings_of
from tests.accuracy.stands import LEAST_EIRP_DBM
from tests.unit.accuracy.test_accuracy_figures import played

RADIO = {"readers"}
SEEDS = range(40)


def certified_at(**attempts):
    """A door's stand-in, (seed, attempt), and a judge of it: a seed is certified at the attempt that is told."""
    return lambda door, seed: door == (seed, attempts.get(f"s{seed}"))


@pytest.fixture
def judge(monkeypatch):
    def told(**attempts):
        monkeypatch.setattr(installed, "certifies", certified_at(**attempts))

    return told


def pair(seed, attempt):
    return seed, attempt


def test_a_door_is_hung_anew_until_it_is_certified(judge):
    judge(s1=0, s2=5, s3=6)
    assert [first_certified(pair, seed) for seed in (1, 2, 3)] == [0, 5, None]


def test_the_next_seed_takes_the_place_of_a_door_left_out(judge, tmp_path):
    judge(s0=0, s2=3, s3=1)
    made = install(tmp_path / "doors.txt", 5, pair, range(9), enough=2)
    assert made.accepted() == {0: 0, 2: 3}
    assert (made.left_out(), made.refused_at_first()) == ([1], 2)
    assert kept_in(tmp_path / "doors.txt", 5) == made


def test_installing_goes_on_where_it_was_stopped(judge, tmp_path):
    path = tmp_path / "doors.txt"
    judge(s0=0, s1=1)
    install(path, 5, pair, range(2), enough=9)
    judge(s2=2)
    assert install(path, 5, pair, range(3), enough=9).accepted() == {0: 0, 1: 1, 2: 2}
    assert kept_in(path, 6).attempts == {}
    judge(s0=4)
    assert install(path, 6, pair, range(1), enough=9).attempts == {0: 4}


def test_a_list_that_is_none_is_refused(tmp_path):
    path = tmp_path / "doors.txt"
    install(path, 5, pair, [], enough=1)
    path.write_text(path.read_text() + "1 zero\n")
    with pytest.raises(InstalledError, match=r"doors\.txt.*write it anew"):
        kept_in(path, 5)


def test_another_attempt_is_another_radio_at_the_same_place():
    for seed in SEEDS[:8]:
        first, third = (doors.frozen(seed, attempt).model_dump() for attempt in (0, 2))
        assert {key for key in first if first[key] != third[key]} == RADIO


def test_a_careful_installer_spares_nothing():
    for seed in SEEDS:
        door = doors.frozen(seed, doors.CAREFUL_FROM)
        antennas = [antenna for reader in door.readers for antenna in reader.antennas]
        if door.portals[0].layout != "single":
            assert [one.side for one in antennas].count("inside") == 2
            assert [one.side for one in antennas].count("outside") == 2
        for reader in door.readers:
            eirps = [reader.power_dbm + one.gain_dbi - one.cable_loss_db for one in reader.antennas]
            assert LEAST_EIRP_DBM < max(eirps) <= 36.01


def test_training_doors_of_no_service_are_named_and_passed_over(monkeypatch):
    monkeypatch.setattr(doors, "TRAINED", Installed({0: 3, 1: None}))
    assert doors.training_seeds(3) == [0, 2, 3]
    assert doors.training(0) == doors.training(0, attempt=3)
    with pytest.raises(ValueError, match=r"training door 1 was never certified"):
        doors.training(1)


def test_no_hash_is_written_of_a_set_with_doors_missing(monkeypatch):
    monkeypatch.setattr(frozen, "SEEDS", (1, 2))
    with pytest.raises(frozen.FrozenError, match=r"2 doors of 306"):
        frozen.write()


def walks(*reads_of):
    """Walks a second apart; each tag of a walk has (inside, outside) so many reads."""
    reads, visits = [], []
    for number, tags in enumerate(reads_of):
        for tag, counts in enumerate(tags):
            name, begin = 10 * number + tag, 1_000_000 * number
            reads += [(begin + k, 1 + (k >= counts[0]), name) for k in range(sum(counts))]
            epc = bytes(11) + bytes([name])
            ends_us = EPOCH_US + begin + 900_000
            visits.append(Crossing(epc, "door", "in", EPOCH_US + begin, None, ends_us, group=f"walk-{number}"))
    made = played(*reads)
    made.visits.extend(visits)
    return made


GOOD = [(10, 10)]


@pytest.mark.parametrize(
    ("last", "fit"),
    [
        ([(10, 10)], True),
        ([(9, 0)], True),
        ([(0, 0), (10, 10)], True),
    ],
)
def test_one_walk_of_ten_may_be_deaf_and_a_walk_counts_by_its_best_tag(last, fit):
    assert is_fit(walks(*[GOOD] * 9, last), "door") is fit


@pytest.mark.parametrize("weak", [(7, 7), (20, 0), (3, 30)], ids=["14 reads", "deaf outside", "three inside"])
def test_a_fifth_of_weak_walks_is_too_many(weak):
    assert not is_fit(walks(*[GOOD] * 8, [weak], [weak]), "door")


def test_certifying_plays_the_walks_at_the_place():
    scenario = load("turning-back")
    assert certifies(scenario)
    assert settings_of(scenario).portals[0].antennas[0].doorway_cdbm is None


def test_the_page_tells_what_was_refused():
    text = " ".join(in_service(Installed({0: 0, 1: 2, 2: None})))
    assert "of 3 doors 2 were refused at first" in text
    assert "1 of these were left out after 6 attempts" in text
