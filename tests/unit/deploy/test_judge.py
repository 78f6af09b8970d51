"""The demo's own reading of the rules, against worlds small enough to judge by eye."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.standalone.judge import World, expect

SAMPLE = Path(__file__).parents[3] / "deploy" / "standalone" / "sample"
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def world():
    return World.read(SAMPLE)


def walk(asset, portal, kind, second, *, crossed=True):
    at = f"2026-05-04T12:00:{second:02d}.500000Z"
    return {
        "epc": f"3034257bf7194e40000000{asset:02x}",
        "portal": portal,
        "kind": kind,
        "started_at": at,
        "crossed_at": at if crossed else None,
        "ended_at": at,
    }


def test_sample_world_is_the_one_that_the_scenario_walks_in(world):
    assert len(world.places) == len(world.assets_by_epc) == 24
    assert list(world.places.values()).count("stockroom-a") == 16
    assert world.guarded == {"hq", "stockroom-a"}
    assert {permission.asset for permission in world.permissions} == {f"LT-{number:04d}" for number in range(2, 7)}


def test_nothing_walks_nothing_changes(world):
    found = expect(world, [])
    assert (found.movements, found.unauthorised_exits) == (0, 0)
    assert found.counts == {"corridor": 8, "hq": 0, "hq-site": 0, "stockroom-a": 16, "street": 0}


def test_leaving_the_stockroom_without_permission_is_one_unauthorised_exit(world):
    found = expect(world, [walk(1, "stockroom-a-door", "out", 1)])
    assert found.unauthorised_exits == 1
    assert found.counts["stockroom-a"] == 15
    assert found.counts["corridor"] == 9


def test_permission_for_the_building_covers_the_stockroom_inside_it(world):
    assert expect(world, [walk(2, "stockroom-a-door", "out", 1)]).unauthorised_exits == 0


def test_coming_in_is_no_exit(world):
    found = expect(world, [walk(1, "stockroom-a-door", "out", 1), walk(1, "stockroom-a-door", "in", 9)])
    assert found.unauthorised_exits == 1
    assert found.counts["stockroom-a"] == 16


def test_leaving_the_building_is_one_exit_at_its_own_boundary(world):
    assert world.boundaries_left("corridor", "street") == ["hq"]
    assert world.boundaries_left("stockroom-a", "street") == ["stockroom-a", "hq"]
    assert world.boundaries_left("stockroom-a", "corridor") == ["stockroom-a"]
    assert world.boundaries_left("corridor", "stockroom-a") == []


@pytest.mark.parametrize("kind", ["turned_back", "near", "parked"])
def test_walks_without_a_crossing_are_movements_and_move_nothing(world, kind):
    found = expect(world, [walk(1, "stockroom-a-door", kind, 1, crossed=False)])
    assert (found.movements, found.unauthorised_exits, found.counts["stockroom-a"]) == (1, 0, 16)


def test_a_tag_that_nobody_registered_moves_no_asset(world):
    found = expect(world, [walk(0xEE, "stockroom-a-door", "out", 1)])
    assert (found.movements, found.unauthorised_exits, found.counts["stockroom-a"]) == (1, 0, 16)


def test_permission_holds_from_its_first_instant_and_not_at_its_last(tmp_path):
    for name in ("locations", "portals", "assets", "tags"):
        (tmp_path / f"{name}.csv").write_text((SAMPLE / f"{name}.csv").read_text())
    span = "2026-05-04T12:00:01.500000Z,2026-05-04T12:00:05.500000Z"
    header = "id,asset,boundary,valid_from,valid_to,reason\n"
    (tmp_path / "authorisations.csv").write_text(f"{header}A,LT-0001,stockroom-a,{span},loan\n")
    small = World.read(tmp_path)
    by_second = {s: expect(small, [walk(1, "stockroom-a-door", "out", s)]).unauthorised_exits for s in (0, 1, 4, 5)}
    assert by_second == {0: 1, 1: 0, 4: 0, 5: 1}


@given(st.permutations(range(6)))
def test_the_order_in_which_walks_are_listed_does_not_matter(order):
    world = World.read(SAMPLE)
    walks = [walk(1 + number % 3, "stockroom-a-door", "out" if number < 3 else "in", number) for number in range(6)]
    assert expect(world, [walks[number] for number in order]) == expect(world, walks)


@given(st.lists(st.sampled_from(sorted(range(1, 25))), max_size=30))
def test_no_asset_is_made_or_lost_by_walking(assets):
    world = World.read(SAMPLE)
    walks = [walk(asset, "main-entrance", "out", second) for second, asset in enumerate(assets)]
    assert sum(expect(world, walks).counts.values()) == 24
