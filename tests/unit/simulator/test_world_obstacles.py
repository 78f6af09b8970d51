"""What a check says of routes that go where nobody can go."""

import pytest

from simulator.scenarios.load import builtin_names, load
from simulator.world.obstacles import met
from tests.helpers.worlds import scenario, walk

ROOM = "[[walls]]\npoints = [[0.0, -4.0], [0.0, 4.0], [-6.0, 4.0], [-6.0, -4.0], [0.0, -4.0]]\nheight_m = 2.5\n"


def places(points, more=ROOM, portal=None):
    """Where one walk along these points meets something, and the door or None."""
    frame = "" if portal is None else f'portal = "{portal}"\n'
    route = f'[[routes]]\nid = "way"\n{frame}points = {points}\n'
    found = list(met(scenario(more + route + walk(1.0, "way", id="somebody"))))
    assert all((one.walk, one.route) == ("somebody", "way") for one in found)
    return [(*(round(axis, 6) for axis in one.at), one.door) for one in found]


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ("[[-4.0, 0.0], [4.0, 0.0]]", []),
        ("[[-4.0, 0.6], [4.0, 0.6]]", []),  # along the jamb
        ("[[-4.0, 0.7], [4.0, 0.7]]", [(0, 0.7, None)]),
        ("[[-4.0, 2.0], [4.0, 2.0], [-4.0, 2.0]]", [(0, 2, None), (0, 2, None)]),
        ("[[-4.0, 2.0], [0.0, 2.0, 1.0], [4.0, 2.0]]", [(0, 2, None)]),  # a corner on the wall itself
        ("[[-4.0, 2.0], [0.0, 2.0], [-4.0, 3.0]]", []),  # only touches it
        ("[[4.0, 5.0], [-9.0, 5.0]]", []),  # past its end
        ("[[-8.0, 1.0], [-4.0, 1.0], [4.0, 0.0]]", [(-6, 1, None)]),
        ("[{ x = -4.0, y = 2.0, z = 2.6 }, { x = 4.0, y = 2.0, z = 2.6 }]", []),  # above it
        ("[{ x = -4.0, y = 0.0, z = 2.2 }, { x = 4.0, y = 0.0, z = 2.2 }]", [(0, 0, None)]),  # above the doorway
    ],
)
def test_a_route_meets_walls_where_no_doorway_is(points, expected):
    assert places(points) == expected


def test_a_routes_points_are_those_of_its_doorways_frame():
    """The north door's outside is at y > 4."""
    north = '[[openings]]\nid = "north"\nat = [-3.0, 4.0]\nfacing_deg = 90.0\n'
    assert places("[[-2.0, 0.0], [2.0, 0.0]]", ROOM + north, "north") == []
    assert places("[[-2.0, 1.0], [2.0, 1.0]]", ROOM + north, "north") == [(-4, 4, None)]


@pytest.mark.parametrize(("opens", "door"), [('"never"', "leaf"), ('"for-walkers"', None), ("[[0.0, 9.0]]", None)])
def test_only_a_door_that_never_opens_is_in_the_way(opens, door):
    leaf = f'[[doors]]\nid = "leaf"\ndoorway = "door"\nopens = {opens}\n'
    assert places("[[-4.0, 0.0], [4.0, 0.0]]", leaf) == ([(0, 0, door)] if door else [])
    assert places("[[-4.0, 0.0], [-0.5, 0.0], [-4.0, 0.0]]", leaf) == []


def test_shelves_are_not_walls():
    shelf = '[[shelves]]\nid = "shelf"\nat = [-2.0, 0.0]\n'
    assert places("[[-4.0, 0.0], [4.0, 0.0]]", shelf) == []


@pytest.mark.parametrize("name", builtin_names())
def test_nobody_in_the_gallery_walks_through_a_wall(name):
    assert list(met(load(name))) == []
