"""What notices become: coalesced, in one order for all processes, kept for who comes back."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.application import teller as telling
from central.application.changes import (
    MOST_MOVEMENTS,
    NOTICE_BYTES,
    Changes,
    Notice,
    Run,
    movement_notices,
    read_notice,
    write_notice,
)  # fmt: skip
from central.application.errors import StoreUnavailable
from central.application.feed import Feed
from central.application.teller import Teller
from central.application.views import LocationView

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


class FakeViews:
    """Locations that anybody may ask for; the database may be down."""

    def __init__(self) -> None:
        self.asked, self.down = [], False

    async def locations(self, ids):
        if self.down:
            raise StoreUnavailable("gone")
        self.asked.append(list(ids))
        common = {"kind": "zone", "parent": None, "guarded": False, "counted_at": None}
        return [LocationView(id=one, name=one, count=1, **common) for one in ids]

    async def movements_in(self, runs):
        raise AssertionError("nobody asked for movements")

    async def alerts_by_id(self, ids):
        return []


class Process:
    """One process: its views, feed and teller, on a clock of ours."""

    def __init__(self) -> None:
        self.views, self.feed, self.clock_s = FakeViews(), Feed(), 0.0
        self.teller = Teller(self.views, self.feed, lambda: NOW, lambda: self.clock_s)

    async def tell(self):
        """Tell what waits, as `run` does."""
        self.clock_s += telling.SLOT_S
        await self.teller._tell_rest()

    async def since(self, place):
        return [event async for event in self.teller.since(place, ["location"])]


def count(*locations):
    return write_notice(Notice(locations=locations))


@pytest.fixture
def two():
    """Two processes: the first had listened alone before the second came; both heard the second's mark."""
    first, second = Process(), Process()
    first.teller.hear(first.teller.begin())
    first.teller.hear(count("early"))
    mark = second.teller.begin()
    for one in (first, second):
        one.teller.hear(mark)
    return first, second


def test_a_place_in_the_order_means_the_same_at_every_process(two):
    first, second = two
    for one in two:
        one.teller.hear(count("a"))
        one.teller.hear(count("b"))
    assert first.feed.position == second.feed.position
    assert first.feed.position.endswith(".2")


async def test_who_comes_back_to_another_process_hears_what_it_missed_once_as_it_stands(two):
    first, second = two
    place = first.feed.position
    for one in two:
        for name in ("a", "b", "a"):
            one.teller.hear(count(name))
    events = await second.since(place)
    assert [json.loads(one.data).get("id") for one in events] == ["a", "b", None]
    assert events[-1].id == second.feed.position
    assert await second.since(second.feed.position) == []


@pytest.mark.parametrize("place", ["", "nobody.3", "x", "m.-1", "9" * 80])
async def test_a_place_that_nobody_remembers_is_answered_with_anew(two, place):
    assert [event.kind for event in await two[0].since(place)] == ["anew"]


async def test_what_was_before_the_process_heard_is_answered_with_anew(two):
    first, second = two
    mark = next(iter(first.teller._marks))
    assert [event.kind for event in await second.since(f"{mark}.1")] == ["anew"]
    assert [event.kind for event in await first.since(f"{mark}.0")] != ["anew"]


async def test_what_is_forgotten_is_answered_with_anew_and_memory_is_bounded(two, monkeypatch):
    monkeypatch.setattr(telling, "KEPT_NOTICES", 10)
    first, _ = two
    place = first.feed.position
    for number in range(50):
        first.teller.hear(count(f"l{number}"))
    assert len(first.teller._kept) == 10
    assert len(first.teller._marks) == 1
    assert [event.kind for event in await first.since(place)] == ["anew"]
    mark = place.partition(".")[0]
    assert len(await first.since(f"{mark}.45")) == 6


async def test_counts_that_change_a_hundred_times_in_a_slot_are_read_once(two):
    first, _ = two
    with first.feed.listen() as listener:
        for _ in range(100):
            first.teller.hear(count("a", "b"))
        await first.tell()
        first.feed.close()
        events = [event async for event in listener]
    assert first.views.asked == [["a", "b"]]
    assert [event.id for event in events] == [None, first.feed.position]


async def test_alerts_do_not_wait_for_the_slot_and_promise_nothing_about_what_does(two):
    first, _ = two
    with first.feed.listen():
        first.teller.hear(count("a"))
        await first.tell()
        place = first.feed.position
        first.teller.hear(count("b"))
        first.teller.hear(write_notice(Notice(alert=3)))
        await first.teller._tell(first.teller._pending.take_alerts())
        assert first.feed.position == place
        assert first.views.asked == [["a"]]
        await first.tell()
        assert first.feed.position != place


async def test_what_could_not_be_read_is_told_later(two, monkeypatch):
    monkeypatch.setattr(telling, "RETRY_S", 0)
    first, _ = two
    with first.feed.listen() as listener:
        place = first.feed.position
        first.teller.hear(count("a"))
        first.views.down = True
        await first.tell()
        assert first.feed.position == place
        first.views.down = False
        await first.tell()
        assert listener._queue.qsize() == 1


def test_notices_of_a_busy_commit_fit_and_name_every_movement():
    rows = [(f"gateway-{n % 400:036d}", "e" * 36, n, NOW + timedelta(seconds=n)) for n in range(1000)]
    told = movement_notices(rows)
    assert max(map(len, told)) < 8000
    assert sum(len(one) for one in told) < 20 * NOTICE_BYTES * 2
    assert sum(read_notice(one).weight - 1 for one in told) == 1000
    assert len(movement_notices([("g", "e", n, NOW) for n in range(1000)])) == 1


@given(st.lists(st.tuples(st.sampled_from("gh"), st.sampled_from("ef"), st.integers(1, 40)), max_size=60))
def test_runs_hold_exactly_the_movements(keys):
    rows = [(*key, NOW + timedelta(seconds=key[2])) for key in set(keys)]
    runs = [run for one in movement_notices(rows) for run in read_notice(one).movements]
    held = [(run.gateway, run.epoch, seq) for run in runs for seq in range(run.first, run.last + 1)]
    assert sorted(held) == sorted(set(keys))
    assert all(run.from_at <= NOW + timedelta(seconds=run.first) for run in runs)


def test_what_is_too_much_to_tell_is_told_as_anew():
    pending = Changes()
    pending.add(Notice(movements=(Run("g", "e", 1, MOST_MOVEMENTS + 1, NOW, NOW),)))
    assert pending.anew
    assert not pending.runs


def test_a_notice_that_makes_no_sense_is_left_out():
    process = Process()
    process.teller.hear("{")
    process.teller.hear('{"locations": 3}')
    assert process.feed.position is None
