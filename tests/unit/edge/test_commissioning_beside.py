"""Two doors on one reader, both within hearing: who walks through the one does no walk of the other's commissioning."""

import tomllib

import pytest

from edge.commissioning.course import Course
from edge.commissioning.recipe import PLAIN, walk
from edge.windows import WindowClock, Windows
from simulator.scenarios.model import Scenario
from tests.accuracy.play import EPOCH_US, play

EVERY_S = 18.0
WALKS = 4
PLACE = """
name = "beside"
description = "Two doors 2.4 m apart on one reader."
seed = 33
[tags]
epc_prefix = "3034257bf7194e40000000"
count = 3
loss_db = 6.0
sensitivity_dbm = -22.0
[[portals]]
id = "left-door"
at = [0.0, 1.2]
width_m = 0.9
inside = "stockroom"
outside = "corridor"
[[portals]]
id = "right-door"
at = [0.0, -1.2]
width_m = 0.9
inside = "stockroom"
outside = "corridor"
[[walls]]
points = [[0.0, -4.0], [0.0, 4.0], [-6.0, 4.0], [-6.0, -4.0], [0.0, -4.0]]
[[readers]]
id = "r1"
antennas = [
  { port = 1, portal = "left-door", position = [-0.15, 0.65, 1.5], aim = [-1.3, 0.0, 1.0] },
  { port = 2, portal = "left-door", position = [0.15, -0.65, 1.2], aim = [1.3, 0.0, 1.0] },
  { port = 3, portal = "right-door", position = [-0.15, 0.65, 1.5], aim = [-1.3, 0.0, 1.0] },
  { port = 4, portal = "right-door", position = [0.15, -0.65, 1.2], aim = [1.3, 0.0, 1.0] },
]
[[routes]]
id = "right"
portal = "right-door"
points = [[-4.8, -0.6], [-1.2, 0.0], [1.2, 0.0], [4.8, -0.6]]
"""


@pytest.fixture(scope="module")
def courses():
    """Both doors are commissioned, and all walk through the right one."""
    place = tomllib.loads(PLACE)
    place["walks"] = [
        {"at_s": 2.0 + EVERY_S * n, "route": "right", "reverse": n % 2 == 1, "tags": [n % 3 + 1], "speed_mps": 1.2}
        for n in range(WALKS)
    ]
    played = play(Scenario.model_validate(place), 5)
    windows = Windows(played.settings, boot="beside")
    plan = [walk(PLAIN, way) for way in ("out", "in") * WALKS]
    found = {name: Course(name, plan) for name in ("left-door", "right-door")}
    for course in found.values():
        course.begin(0.0)
    heard = []
    for reader, arrival_us, batch in played.chunks:
        now_s = (arrival_us - EPOCH_US) / 1e6
        rows = windows.feed(reader, batch, arrival_us=arrival_us, clock=WindowClock(offset_us=0))
        heard += [row for row in rows if row.final]
        opened, closed = windows.take_open_changes()
        for course in found.values():
            course.opened([(one.passage, one.epc, one.portal) for one in opened], closed, now_s)
            course.take(rows, now_s)
            course.settle(now_s)
    return found, heard


def test_walks_through_the_right_door_are_taken_there(courses):
    found, _ = courses
    assert [one.result for one in found["right-door"].outcomes[:3]] == ["right"] * 3
    assert found["right-door"].beside == []


def test_door_beside_heard_them_and_takes_none_of_them(courses):
    found, heard = courses
    assert sum(row.portal == "left-door" and row.reads >= 5 for row in heard) >= 2
    assert found["left-door"].outcomes == []
    assert {row.portal for row in found["left-door"].beside} == {"right-door"}
    assert len(found["left-door"].beside) >= 3
