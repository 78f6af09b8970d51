"""The live feed: slow listeners cut off, an end for all, what a listener asked for."""

import asyncio
from datetime import UTC, datetime

from central.api.routes import stream
from central.application.feed import MAX_BEHIND, Feed, FeedEvent

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


async def test_the_last_event_of_what_is_told_names_the_place_after_it():
    feed = Feed()
    with feed.listen() as listener:
        feed.send([FeedEvent("alert", "1"), FeedEvent("alert", "2")], "m.7")
        feed.send([FeedEvent("alert", "3")])
        feed.close()
        assert [event.id async for event in listener] == [None, "m.7", None]
    assert feed.heartbeat(NOW).id == "m.7"


async def test_a_listener_hears_what_it_asked_for_and_whether_it_must_read_anew():
    feed = Feed()
    with feed.listen(["alert"]) as listener:
        for kind in ("movement", "alert", "anew", "location"):
            feed.publish(kind, "{}")
        assert feed.wanted("alert")
        assert not feed.wanted("movement")
        feed.close()
        assert [event.kind async for event in listener] == ["alert", "anew"]


async def test_a_listener_that_lags_is_cut_off_and_the_others_hear_on():
    feed = Feed()
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
    feed = Feed()
    feed.close()
    with feed.listen() as listener:
        assert await _count(listener) == 0
    assert not feed.heard


async def test_the_stream_begins_with_a_heartbeat_and_writes_server_sent_events():
    feed = Feed()
    feed.position = "m.3"
    events = stream(feed, lambda: NOW)
    assert await anext(events) == 'event: heartbeat\nid: m.3\ndata: {"as_of":"2026-03-02T10:00:00.000000Z"}\n\n'
    feed.send([FeedEvent("alert", '{"id":1}')])
    assert await anext(events) == 'event: alert\ndata: {"id":1}\n\n'
    feed.close()
    assert [event async for event in events] == []
    assert not feed.heard


async def test_who_comes_back_where_nothing_is_kept_is_sent_to_the_lists():
    feed = Feed()
    events = stream(feed, lambda: NOW, last="m.3")
    assert [await anext(events) for _ in range(2)] == [
        'event: heartbeat\ndata: {"as_of":"2026-03-02T10:00:00.000000Z"}\n\n', "event: anew\ndata: {}\n\n",
    ]  # fmt: skip


async def _count(listener):
    return len([event async for event in listener])
