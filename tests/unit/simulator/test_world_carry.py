"""How loads sit on their carriers, and what that takes from them."""

import numpy as np
import pytest

from simulator.scenarios.errors import ScenarioError
from simulator.world.carry import bodies, load
from tests.helpers.worlds import walk, world


def rng(seed=1):
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    "carry", ["none", "hand", "face-to-face", "backpack", "foil-bag", "cart", "pallet", "arm", "dragged"]
)
@pytest.mark.parametrize("count", [0, 1, 2, 7, 40])
def test_every_carry_places_every_tag_once(carry, count):
    found = load(carry, count, None, rng())
    assert found.offset.shape == found.axis.shape == found.face.shape == (count, 3)
    assert len(np.unique(found.offset.round(6), axis=0)) == count
    np.testing.assert_allclose(np.linalg.norm(found.axis, axis=1), 1)
    assert (found.loss_db >= 0).all()
    assert (found.offset[:, 2] >= 0).all()


def test_bodies_are_of_their_kind():
    person, cart = bodies("cart", None, rng())
    assert (person.radius_m, person.top_m) == (0.22, 1.75)
    assert 10 <= person.loss_db <= 25
    assert cart.ahead_m > 0.5
    (hand,) = bodies("arm", 1.3, rng())
    assert hand.radius_m < 0.1
    assert hand.bottom_m < 1.3 < hand.top_m
    assert [body.loss_db >= 12 for body in bodies("pallet", None, rng())] == [True, True]


def test_what_is_taken_grows_with_what_is_around():
    alone = load("hand", 1, None, rng()).loss_db[0]
    assert alone == 0
    backs = np.concatenate([load("backpack", 1, None, rng(seed)).loss_db for seed in range(50)])
    assert (backs.min() >= 6, backs.max() <= 12) == (True, True)
    lids = np.concatenate([load("face-to-face", 2, None, rng(seed)).loss_db for seed in range(200)])
    readable = lids[lids < 30]
    assert (readable.min() >= 8, readable.max() <= 15) == (True, True)
    assert 0.1 < np.mean(lids > 30) < 0.3
    assert load("foil-bag", 1, None, rng()).loss_db[0] >= 40
    assert load("dragged", 1, None, rng()).offset[0, 2] == pytest.approx(0.05)


def test_a_few_laptops_on_a_cart_have_room_and_forty_are_piled():
    assert not load("cart", 9, None, rng()).loss_db.any()
    piled = load("cart", 40, None, rng())
    top = piled.offset[:, 2] >= piled.offset[:, 2].max() - 0.031
    assert (piled.loss_db > 0).all()
    assert piled.loss_db[top].mean() < piled.loss_db[~top].mean()
    assert 1 <= (piled.loss_db > 30).sum() <= 10


def test_the_inner_boxes_of_a_pallet_are_much_weaker():
    found = load("pallet", 500, None, rng())
    edge = np.maximum(np.abs(found.offset[:, 0]) / 0.6, np.abs(found.offset[:, 1]) / 0.5)
    assert (found.loss_db[edge > 0.9] == 0).all()
    assert found.loss_db[edge < 0.2].min() >= 10
    assert len(np.unique(found.offset[:, 2])) == 5


def test_a_walker_alone_carries_nothing():
    with pytest.raises(ScenarioError, match="carry is none, but it has tags"):
        world(walk(1.0, tags=[1], carry="none"))
