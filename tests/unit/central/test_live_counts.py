"""Counts are read once for many who ask, and are never older than they say."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from central.application.errors import StoreUnavailable
from central.application.live_counts import LiveCounts

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Store:
    """Answers with how often it was asked, once `free` is set."""

    def __init__(self) -> None:
        self.asked, self.at_s, self.down = 0, 0.0, False
        self.free = asyncio.Event()
        self.free.set()

    async def read(self):
        self.asked += 1
        mine = self.asked
        await self.free.wait()
        if self.down:
            raise StoreUnavailable("connection refused")
        return str(mine)

    def live(self, kept_s):
        now = lambda: START + timedelta(seconds=self.at_s)  # noqa: E731
        return LiveCounts(self.read, now, kept_s=kept_s, clock=lambda: self.at_s)


@pytest.fixture
async def store():
    return Store()


async def settled():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_each_answer_is_read_where_none_is_kept(store):
    live = store.live(0)
    assert [(await live.counted()).text for _ in range(3)] == ["1", "2", "3"]


async def test_a_young_text_is_told_at_once_and_an_older_one_while_it_is_read_anew(store):
    live = store.live(0.25)
    assert (await live.counted()).text == "1"
    store.at_s = 0.04
    assert (await live.counted()).text == "1"
    assert store.asked == 1
    store.at_s, told = 0.2, await live.counted()
    assert (told.text, told.as_of) == ("1", START)
    store.at_s = 0.2
    assert (await live.counted()).text == "1"
    await settled()
    told = await live.counted()
    assert (told.text, told.as_of, store.asked) == ("2", START + timedelta(seconds=0.2), 2)


async def test_nobody_is_told_what_is_too_old_and_all_wait_for_one_reading(store):
    live = store.live(0.25)
    await live.counted()
    store.at_s = 0.3
    store.free.clear()
    waiting = [asyncio.create_task(live.counted()) for _ in range(5)]
    await settled()
    assert not any(one.done() for one in waiting)
    waiting.pop().cancel()
    store.free.set()
    assert {(await one).text for one in waiting} == {"2"}
    assert store.asked == 2


async def test_a_database_that_is_down_is_told_and_nothing_old_is(store):
    live = store.live(0.25)
    await live.counted()
    store.down, store.at_s = True, 0.1
    assert (await live.counted()).text == "1"
    store.at_s = 0.2
    assert (await live.counted()).text == "1"
    await settled()
    with pytest.raises(StoreUnavailable):
        await live.counted()
    store.down = False
    assert (await live.counted()).text != "1"
