"""What came and isn't committed stands in lanes: a gateway in one at a time, in its order."""

import asyncio
from datetime import UTC, datetime

import pytest

from central.application.metrics import Metrics
from central.ingest import waiting
from central.ingest.waiting import Waiting
from tests.helpers.central import FakeLink, envelope, movement

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture
async def one():
    return Waiting(FakeLink(), Metrics())


def put(one, gateway, *seqs, kind="near"):
    for seq in seqs:
        payload = envelope([movement(seq, kind=kind, after_s=seq, gateway=gateway)], gateway=gateway)
        assert one.put(f"stockgate/v1/hq/{gateway}/movement", payload)


def taken(lane):
    return [(row.key.gateway, row.seq) for row in lane.take(NOW).rows]


async def test_a_gateway_stays_in_its_lane_while_anything_of_it_is_under_way(one):
    first, second = one.lanes
    put(one, "g1", 1)
    put(one, "g2", 1)
    put(one, "g1", 2)
    assert (len(first), len(second)) == (2, 1)
    assert taken(first) == [("g1", 1), ("g1", 2)]
    put(one, "g1", 3)
    assert taken(first) == [("g1", 3)]
    assert taken(second) == [("g2", 1)]
    assert not one


async def test_a_gateway_of_which_all_is_committed_goes_where_least_waits(one):
    first, second = one.lanes
    put(one, "g1", 1)
    assert taken(first) == [("g1", 1)]
    put(one, "g2", 1)  # the first lane still commits
    assert taken(second) == [("g2", 1)]
    second.settle()
    put(one, "g2", 2)
    assert (len(first), len(second)) == (0, 1)
    first.settle()
    put(one, "g1", 2)
    assert (len(first), len(second)) == (1, 1)


async def test_what_is_read_ahead_keeps_its_gateway_in_the_lane(one, monkeypatch):
    monkeypatch.setattr(waiting, "MAX_BATCH_ROWS", 1)
    first, second = one.lanes
    put(one, "g1", 1, 2, 3)
    assert taken(first) == [("g1", 1)]
    await first.read_ahead(lambda: NOW)
    put(one, "g1", 4)
    assert (len(first), len(second)) == (2, 0)
    assert [taken(first) for _ in range(3)] == [[("g1", seq)] for seq in (2, 3, 4)]


async def test_what_names_no_gateway_has_a_lane_too(one):
    assert one.put("rubbish", b"x")
    assert sum(len(lane.take(NOW).unreadable) for lane in one.lanes) == 1


async def test_all_lanes_together_are_bounded_and_hold_the_receipts(one, monkeypatch):
    monkeypatch.setattr(waiting, "HELD_FROM", 4)
    monkeypatch.setattr(waiting, "RESUMED_AT", 1)
    monkeypatch.setattr(waiting, "MAX_QUEUED", 5)
    put(one, "g1", 1, 2)
    put(one, "g2", 1)
    assert not one._link.held
    put(one, "g2", 2, 3)
    assert one._link.held
    assert not one.put("stockgate/v1/hq/g3/movement", b"")
    one.lanes[0].take(NOW)
    assert one._link.held
    one.lanes[1].take(NOW)
    assert not one._link.held
    await asyncio.sleep(0)


async def test_alarms_go_before_what_waits_in_a_batch_of_their_own(one):
    first, _ = one.lanes
    put(one, "g1", 1)
    assert taken(first) == [("g1", 1)]
    put(one, "g1", 2, 3)
    await first.read_ahead(lambda: NOW)
    put(one, "g1", 4)
    put(one, "g1", 5, 6, kind="out")
    assert taken(first) == [("g1", 5), ("g1", 6)]
    assert taken(first) == [("g1", seq) for seq in (2, 3, 4)]
    assert not one


async def test_a_flood_of_alarms_leaves_each_other_batch_to_the_backlog(one, monkeypatch):
    monkeypatch.setattr(waiting, "MAX_BATCH_ROWS", 1)
    first, _ = one.lanes
    put(one, "g1", 1, 2)
    put(one, "g1", *range(3, 7), kind="out")
    assert [taken(first) for _ in range(4)] == [
        [("g1", 3)], [("g1", 4), ("g1", 1)], [("g1", 5)], [("g1", 6), ("g1", 2)],
    ]  # fmt: skip


async def test_an_alarm_of_which_the_gateways_lane_is_known_stays_in_it(one):
    first, second = one.lanes
    put(one, "g1", 1, 2)
    put(one, "g2", 1)
    put(one, "g2", 2, kind="out")
    assert (first.alarms, second.alarms) == (0, 1)
    assert taken(second) == [("g2", 2)]
    put(one, "g2", 3)
    assert (len(first), len(second)) == (2, 2)


async def test_an_alarm_finds_room_where_the_queue_is_full_but_not_without_end(one, monkeypatch):
    monkeypatch.setattr(waiting, "MAX_QUEUED", 2)
    monkeypatch.setattr(waiting, "MAX_ALARMS", 1)
    put(one, "g1", 1, 2)
    where, out = "stockgate/v1/hq/g1/movement", envelope([movement(9, gateway="g1")], gateway="g1")
    assert not one.put(where, envelope([movement(3, kind="near", gateway="g1")], gateway="g1"))
    assert one.put(where, out)
    assert not one.put(where, out)
    assert taken(one.lanes[0]) == [("g1", 9)]
