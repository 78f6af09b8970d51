"""Random doors keep their promises, and the frozen set is the one whose hash was committed."""

from collections import Counter

import pytest

from simulator.server.profiles import model_of
from simulator.world.truth import visits
from simulator.world.world import World
from tests.accuracy import doors, frozen
from tests.accuracy.agent import Asking
from tests.accuracy.draw import Draw

SOME = frozen.SEEDS


@pytest.fixture(scope="module")
def some_doors():
    return [frozen.door(seed) for seed in SOME]


def test_the_set_is_the_committed_one():
    assert frozen.check() == frozen.committed()


def test_another_set_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(frozen, "SEEDS", frozen.SEEDS[:2])
    kept = tmp_path / "frozen.sha256"
    kept.write_text(frozen.digest() + "  2 doors\n")
    monkeypatch.setattr(frozen, "HASH_FILE", kept)
    assert frozen.check() == frozen.committed()
    monkeypatch.setattr(doors, "WALKS", doors.WALKS - 1)
    with pytest.raises(frozen.FrozenError, match=r"frozen\.sha256 says"):
        frozen.check()


def test_training_doors_are_other_doors():
    seed = doors.training_seeds(1)[0]
    assert doors.training(seed).walks != doors.frozen(seed).walks
    assert doors.training(seed) == doors.training(seed)


def test_doors_are_of_every_kind(some_doors):
    assert {door.portals[0].layout for door in some_doors} == set(doors.LAYOUTS)
    hopping = Counter(model_of(door.readers[0].model, door.readers[0].region).hopping for door in some_doors)
    assert min(hopping[True], hopping[False]) > len(some_doors) // 5
    lying = [sum(len(shelf.tags) for shelf in door.shelves) for door in some_doors]
    assert {min(lying), max(lying)} == {0, 500}


def test_people_walk_at_0_3_to_3_metres_a_second(some_doors):
    speeds = [walk.speed_mps for door in some_doors for walk in door.walks]
    assert 0.3 <= min(speeds) < 0.4
    assert 2.8 < max(speeds) <= 3.0


def test_powers_are_legal_and_antennas_are_told_apart(some_doors):
    for door in some_doors:
        sides = {antenna.side for reader in door.readers for antenna in reader.antennas}
        assert sides == ({None} if door.portals[0].layout == "single" else {"inside", "outside"})
        assert all(24 <= reader.power_dbm <= 32 for reader in door.readers)


def test_what_is_meant_to_cross_crosses(some_doors):
    """Geometry alone: whoever goes through crosses once, whatever is pushed."""
    for door in some_doors[:12]:
        asking = {part.id: Asking(part, slot) for slot, part in enumerate(door.readers)}
        world = World(door, 1, None, {name: one.model.traits for name, one in asking.items()})
        for way in world.tracks(0, world.ends_us):
            if way.group.endswith(("-cross", "-meet", "-tail")):
                kinds = [visit.kind for visit in visits(way.at_us, way.place, door.portals[0].width_m)]
                assert kinds in (["in"], ["out"]), (door.name, way.group)


def test_draws_stay_within_their_bounds_however_wide():
    draw = Draw("test", widen=1.0)
    wide = [draw.span(0.0, 1.0, least=-0.2, most=1.3) for _ in range(500)]
    assert min(wide) == -0.2
    assert max(wide) == 1.3
    assert {draw.whole(1, 3) for _ in range(100)} == {1, 2, 3}
    picks = Counter(draw.weighted({"a": 3, "b": 1}) for _ in range(1000))
    assert 650 < picks["a"] < 850
