"""Walls with doorways cut out, shelves, antennas and tags that lie."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.world.schedule import frames
from simulator.world.stands import antennas_of, still_tags, walls_of
from simulator.world.tags import tags
from tests.helpers.worlds import DOOR, scenario, world


def walls(more):
    made = scenario(more)
    return walls_of(made, frames(made))


def lengths(found, *, low=True):
    chosen = (found.bottom_m == 0) == low
    return np.hypot(*(found.ends[chosen, 2:] - found.ends[chosen, :2]).T)


@given(st.floats(-10, -1), st.floats(1, 10))
def test_a_wall_leaves_its_doorway_open_and_goes_on_above(low, high):
    found = walls(f'[[walls]]\npoints = [[0.0, {low}], [0.0, {high}]]\nmaterial = "brick"\n')
    assert lengths(found).sum() == pytest.approx(high - low - 1.2)
    assert lengths(found, low=False).sum() == pytest.approx(1.2)
    assert not ((found.ends[:, 1] < 0) & (found.ends[:, 3] > 0) & (found.bottom_m == 0)).any()
    assert set(found.loss_db) == {6.0}


def test_a_wall_across_a_doorway_or_far_from_it_stays_whole():
    assert list(lengths(walls("[[walls]]\npoints = [[-3.0, 0.0], [3.0, 0.0]]\n"))) == [6.0]
    assert list(lengths(walls("[[walls]]\npoints = [[0.5, -3.0], [0.5, 3.0]]\n"))) == [6.0]


def test_a_low_wall_has_nothing_above_its_doorway():
    assert not len(lengths(walls("[[walls]]\npoints = [[0.0, -3.0], [0.0, 3.0]]\nheight_m = 1.2\n"), low=False))


@pytest.mark.parametrize("size", [[0.5, 2.0], [2.0, 0.5]])
def test_a_shelf_holds_its_tags_within_it_on_its_boards(size):
    made = scenario(f'[[shelves]]\nid = "s"\nat = [-3.0, 2.0]\nsize = {size}\nlevels = 3\ntags = "1..20"\n')
    found = still_tags(made, frames(made), 1)
    off = np.abs(found.offset[:, :2] - [-3.0, 2.0])
    assert (off <= np.array(size) / 2).all()
    assert len(np.unique(found.offset[:, 2])) == 3
    assert len(np.unique(found.offset, axis=0)) == 20
    sides = walls_of(made, frames(made))
    assert sorted(sides.loss_db) == [7.5, 7.5, 15.0]
    assert lengths(sides).max() == 2.0


def test_a_resident_is_there_from_then_to_then():
    made = scenario(
        '[[residents]]\ntag = 3\nportal = "door"\nposition = [-2.0, 1.0, 0.5]\n'
        "from_s = 2.0\nto_s = 4.0\nextra_loss_db = 1.5\n"
    )
    found = still_tags(made, frames(made), 1)
    assert (found.tag[0], found.begin_us[0], found.end_us[0], found.loss_db[0]) == (2, 2_000_000, 4_000_000, 1.5)
    assert not found.face.any()


def test_antennas_come_in_the_order_of_their_ports_with_surroundings_of_their_own():
    made = scenario()
    parts = made.readers[0].model_copy(update={"antennas": made.readers[0].antennas[::-1]})
    found = antennas_of(parts, frames(made), np.random.default_rng(1))
    assert list(found.port) == [1, 2, 3, 4]
    np.testing.assert_allclose(np.linalg.norm(found.boresight, axis=1), 1)
    np.testing.assert_allclose(found.position[0], [-0.15, 0.9, 1.5])
    assert not found.axis.any()
    assert len(np.unique(found.wave_phases)) == found.wave_phases.size


@pytest.mark.parametrize(("polarisation", "level"), [("horizontal", True), ("vertical", False)])
def test_a_linear_antennas_field_is_across_where_it_looks(polarisation, level):
    part = scenario().readers[0]
    turned = [one.model_copy(update={"polarisation": polarisation}) for one in part.antennas]
    found = antennas_of(
        part.model_copy(update={"antennas": tuple(turned)}), frames(scenario()), np.random.default_rng(1)
    )
    np.testing.assert_allclose(np.einsum("ij,ij->i", found.axis, found.boresight), 0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(found.axis, axis=1), 1)
    assert (np.abs(found.axis[:, 2]) < 1e-9).all() == level


def test_tag_types_say_what_is_dead_lossy_deaf_or_one_sided():
    made = scenario(
        "[[tag_types]]\ntags = [1]\ndead = true\n"
        '[[tag_types]]\ntags = [2]\nmount = "label-on-metal"\n'
        '[[tag_types]]\ntags = [3]\nmount = "on-metal"\n'
        "[[tag_types]]\ntags = [4]\nsensitivity_dbm = -10.0\nloss_db = 0.0\n"
        '[[residents]]\ntag = 3\nportal = "door"\nposition = [-2.0, 1.0, 0.5]\n'
    )
    found = tags(made, 1)
    assert list(found.dead[:5]) == [True, True, False, False, False]
    assert found.loss_db[1] > 40
    assert found.loss_db[2] < found.loss_db[4]
    assert abs(found.loss_db[3]) < 6
    assert (found.sensitivity_dbm[3], found.sensitivity_dbm[4]) == (-10.0, -20.0)
    assert ((found.modulation_db >= 5) & (found.modulation_db <= 6)).all()
    still = still_tags(made, frames(made), 1)
    np.testing.assert_allclose(np.linalg.norm(still.face, axis=1), 1)


def test_dead_tags_are_drawn_by_share_and_seed():
    made = scenario(base=_with("number_bytes = 2\ndead_share = 0.5", count=2000))
    shares = [tags(made, seed).dead.mean() for seed in range(3)]
    assert all(0.45 < share < 0.55 for share in shares)
    assert len(set(shares)) == 3


def test_the_site_says_how_its_radio_is_or_its_environment_does():
    scene = world('[site]\nenvironment = "warehouse"\nrician_k_db = 3.0\n').scene("r1", 0, 1)
    assert scene.surroundings.k_db == 3.0
    assert (
        scene.surroundings.ground == world('[site]\nenvironment = "warehouse"\n').scene("r1", 0, 1).surroundings.ground
    )


def _with(line, count):
    return DOOR.replace("count = 20", f"count = {count}\n{line}")
