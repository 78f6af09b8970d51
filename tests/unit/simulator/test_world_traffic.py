"""A working day: tags keep their side of each door, and shares are as the scenario says."""

import numpy as np
import pytest

from tests.helpers.worlds import ALL_ON, scenario, world

HEAD = """
name = "day"
quiet_end_s = 5.0
[tags]
epc_prefix = "3034257bf7194e40"
number_bytes = 4
count = 120
[traffic]
seconds = 3600.0
people = 60
trips_per_person = 6.0
carrying = 1.0
tags = "1..120"
"""
PLACES = [
    (0, 0, "a", "hall"),
    (0, 14, "b", "hall"),
    (0, 15.6, "b", "hall"),
    (9, 0, "hall", "street"),
    (30, 0, "c", "street"),
]


def day(more=HEAD):
    portals = "".join(
        f'[[portals]]\nid = "p{index}"\nat = [{x}, {y}]\ninside = "{inside}"\noutside = "{outside}"\n'
        for index, (x, y, inside, outside) in enumerate(PLACES)
    )
    return scenario(
        portals + '[[readers]]\nid = "r1"\n'
        'antennas = [{ port = 1, portal = "p0", position = [-0.2, 0.9, 1.5], aim = [-1.0, 0.0, 1.0] }]\n',
        more,
    )


def crossings(source, step_s=3600):
    found = []
    for at_s in [*range(0, 3600, step_s), 3600]:
        found += source.take_crossings(at_s * 1_000_000)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_every_tag_leaves_a_room_only_where_it_is(seed):
    source = world(day(), seed)
    rooms = source._traffic.rooms()
    sides = {f"p{index}": (inside, outside) for index, (_, _, inside, outside) in enumerate(PLACES)}
    found = sorted((one for one in crossings(source) if one.crossed_us is not None), key=lambda one: one.crossed_us)
    for one in found:
        tag = int.from_bytes(one.epc[-4:])
        before, after = sides[one.portal] if one.kind == "out" else sides[one.portal][::-1]
        assert rooms[tag] == before, f"tag {tag} {one.kind} at {one.portal}, but it was in {rooms[tag]}"
        rooms[tag] = after
    assert rooms == source._traffic.rooms()
    assert len(found) > 300
    assert {one.portal for one in found} == set(sides)


def test_one_tag_is_carried_by_one_at_a_time_and_all_ends_before_the_quiet_end():
    busy = {}
    for way in sorted(world(day()).tracks(0, 3_600_000_000), key=lambda way: way.at_us[0]):
        for tag in way.tags:
            assert busy.get(tag, 0) < way.at_us[0]
            busy[tag] = way.at_us[-1]
        assert way.at_us[-1] <= 3_595_000_000


def test_a_day_is_the_same_however_it_is_cut_and_another_by_another_seed():
    whole, cut = crossings(world(day())), crossings(world(day()), 7)
    assert sorted(cut, key=str) == sorted(whole, key=str)
    assert {one.crossed_us for one in whole} != {one.crossed_us for one in crossings(world(day(), 2))}


def test_people_do_what_the_shares_say():
    lonely = HEAD.replace("carrying = 1.0", "carrying = 1.0\ngroup_share = 0.0\nturning_back = 0.3\npassing_by = 0.3")
    source = world(day(lonely))
    done = {}
    for one in crossings(source):
        done.setdefault(one.group, set()).add(one.kind)
    turned = [("turned_back" in kinds and not kinds & {"in", "out"}) for kinds in done.values()]
    passed = [kinds == {"near"} for kinds in done.values()]
    assert 0.22 < np.mean(turned) < 0.38
    assert 0.22 < np.mean(passed) < 0.38
    assert source.left_out_trips <= 3


def test_a_share_of_the_walks_carries_and_groups_are_no_larger_than_said():
    some = HEAD.replace("carrying = 1.0", "carrying = 0.4\ngroup_share = 0.5\ngroup_max = 5")
    ways = world(day(some)).tracks(0, 3_600_000_000)
    loaded = [len(way.tags) for way in ways if way.tags]
    assert 0.3 < len(loaded) / len(ways) < 0.5
    assert max(loaded) <= 5
    assert 0.35 < np.mean([count > 1 for count in loaded]) < 0.65
    assert 290 < len(ways) < 430


def test_a_day_cut_short_is_the_beginning_only_up_to_the_first_walk_that_would_not_end():
    """What `--seconds` says of itself: nothing differs before that walk starts, and it starts before the quiet end."""
    until_s = 1_200
    whole, cut = (world(day(), 3, seconds) for seconds in (None, until_s))
    going, gone = ({(way.group, way.at_us[0]) for way in one.tracks(0, until_s * 1_000_000)} for one in (whole, cut))
    first_us = min(start_us for _, start_us in going - gone)
    assert first_us < 1_000_000 * (until_s - 5)
    assert {way for way in going if way[1] < first_us} == {way for way in gone if way[1] < first_us}
    heard = [[row for row in reads(one, until_s) if row.at_us < first_us] for one in (whole, cut)]
    assert heard[0] == heard[1]
    assert len(heard[0]) > 100


def reads(source, until_s):
    """All reads of the one reader, a second at a time."""
    return [row for at_s in range(until_s + 1) for row in source.advance("r1", at_s * 1_000_000, ALL_ON).rows()]
