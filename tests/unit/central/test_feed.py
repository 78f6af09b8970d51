"""The live feed: rising ids, slow listeners cut off, an end for all."""

import asyncio
from datetime import UTC, datetime

from central.api.routes import stream
from central.application.feed import MAX_BEHIND, Feed

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


async def test_ids_rise_even_when_the_clock_is_set_back():
    times = iter([100, 50, 50, 200])
    feed = Feed(lambda: next(times))
    with feed.listen() as listener:
        for _ in range(4):
            feed.publish("movement", "{}")
        feed.close()
        assert [event.id async for event in listener] == [100, 101, 102, 200]


async def test_a_listener_that_lags_is_cut_off_and_the_others_hear_on():
    feed = Feed(lambda: 1)
    with feed.listen() as slow, feed.listen() as quick:
        heard = asyncio.create_task(_count(quick))
        for _ in range(MAX_BEHIND + 5):
            feed.publish("movement", "{}")
            await asyncio.sleep(0)
        assert slow.cut_off
        assert feed.cut_off == 1
        feed.close()
        assert await heard == MAX_BEHIND + 5
        assert await _count(slow) == MAX_BEHIND


async def test_a_listener_of_a_closed_feed_ends_at_once():
    feed = Feed(lambda: 1)
    feed.close()
    with feed.listen() as listener:
        assert await _count(listener) == 0
    assert not feed.heard


async def test_the_stream_begins_with_a_heartbeat_and_writes_server_sent_events():
    feed = Feed(lambda: 7)
    events = stream(feed, lambda: NOW)
    assert await anext(events) == 'event: heartbeat\nid: 7\ndata: {"as_of":"2026-03-02T10:00:00.000000Z"}\n\n'
    feed.publish("alert", '{"id":1}')
    assert await anext(events) == 'event: alert\nid: 8\ndata: {"id":1}\n\n'
    feed.close()
    assert [event async for event in events] == []
    assert not feed.heard


async def _count(listener):
    return len([event async for event in listener])
