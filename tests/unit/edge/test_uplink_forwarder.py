"""The forwarder over a port of the test's own: states, birth and will, waits, and the order of its end."""

import asyncio
import contextlib
import random
import time

import pytest
import structlog

from edge.contracts import Health, State, StreamMark, Watermark, decode_state, encode, instant
from edge.outbox import MemoryOutbox, OutboxUnavailableError
from edge.uplink import ConnectError, Forwarder, UplinkSettings
from tests.helpers.uplink import NOW_US, KeepingCentral, movement

PATIENCE_S = 60.0
QUICK = {
    "reconnect_first_s": 0.01,
    "reconnect_max_s": 0.05,
    "linger_s": 0.0,
    "watermark_wait_s": 0.05,
    "drain_s": 0.3,
}


class FakeSession:
    """A connection whose other end is the test."""

    def __init__(self, port, will, on_message, on_change) -> None:
        self.port, self.will = port, will
        self.on_message, self.on_change = on_message, on_change
        self.closed = None
        self.unacknowledged = 0

    def publish(self, message):
        if self.closed is not None:
            return
        self.port.published.append(message)
        if message.qos and not self.port.acknowledging:
            self.unacknowledged += 1
        if message.topic.endswith("/movement") and self.port.central_up:
            self.port.central.take(message.payload)
            self.say_watermark()

    def subscribe(self, topics):
        self.port.subscribed += topics

    def say_watermark(self):
        asyncio.get_running_loop().call_soon(
            self.on_message, "stockgate/v1/hq/gw-1/watermark", self.port.central.watermark()
        )

    def lose(self):
        self.closed = "connection lost"
        self.on_change()

    async def close(self):
        self.port.closes += 1
        self.closed = self.closed or "closed by us"


class FakePort:
    """Makes `FakeSession`s; refuses while `refusing`."""

    def __init__(self) -> None:
        self.central = KeepingCentral()
        self.central_up = True
        self.acknowledging = True
        self.refusing = False
        self.hanging = False
        self.published, self.sessions, self.subscribed = [], [], []
        self.attempts = self.closes = 0

    async def connect(self, *, client_id, will, subscribe, on_message, on_change, pair=None):
        self.attempts += 1
        assert client_id == "stockgate-gw-1"
        self.subscribed = list(subscribe)
        if self.hanging:
            await asyncio.Event().wait()
        if self.refusing:
            raise ConnectError("broker nowhere:1883: refused")
        session = FakeSession(self, will, on_message, on_change)
        self.sessions.append(session)
        if self.central_up:
            session.say_watermark()
        return session

    def states(self):
        return [decode_state(m.payload).online for m in self.published if m.topic.endswith("/state")]


@pytest.fixture
def port():
    return FakePort()


@pytest.fixture
def outbox():
    return MemoryOutbox()


@pytest.fixture
def make(port, outbox):
    """Return a maker of forwarders over the port and the outbox."""

    def maker(now_s=time.monotonic, **settings):
        return Forwarder(
            outbox,
            port,
            site="hq",
            gateway="gw-1",
            birth=State(online=True, boot="b1", version="0.1.0"),
            settings=UplinkSettings(url="mqtt://localhost", **{**QUICK, **settings}),
            rng=random.Random(1),
            now_s=now_s,
        )

    return maker


@contextlib.asynccontextmanager
async def running(uplink):
    task = asyncio.create_task(uplink.run())
    try:
        yield task
    finally:
        uplink.stop()
        async with asyncio.timeout(PATIENCE_S):
            await task


async def until(true):
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110 (the facts belong to many objects, one event would serve none)
            await asyncio.sleep(0.005)


def fill(outbox, uplink, count):
    start = outbox.stats("movement").written + 1
    outbox.append("movement", [movement(n) for n in range(start, start + count)])
    uplink.notify()


async def test_it_goes_from_offline_over_backlog_to_live_and_back(make, port, outbox):
    uplink = make()
    assert uplink.state == "offline"
    with structlog.testing.capture_logs() as logs:
        async with running(uplink):
            await until(lambda: uplink.state == "live")
            port.refusing = True
            port.sessions[-1].lose()
            await until(lambda: uplink.state == "offline")
            fill(outbox, uplink, 10)
            await until(lambda: port.attempts > 4)
            port.refusing = False
            await until(lambda: uplink.state == "live" and outbox.stats("movement").pending == 0)
        assert uplink.state == "draining"
    changes = [entry["state"] for entry in logs if entry["event"] == "uplink state"]
    assert changes == ["backlog", "live", "offline", "backlog", "live", "draining"]
    problems = [entry["event"] for entry in logs if entry["event"] != "uplink state"]
    assert problems == [
        "broker out of reach: rows are kept, trying again until it is back",
        "central is heard again",
    ]


async def test_birth_is_retained_and_the_will_says_offline(make, port):
    uplink = make()
    async with running(uplink):
        await until(lambda: uplink.state == "live")
        birth = port.published[0]
        assert (birth.topic, birth.retain, birth.qos) == ("stockgate/v1/hq/gw-1/state", True, 1)
        will = port.sessions[0].will
        assert (will.topic, will.retain, will.qos) == (birth.topic, True, 1)
        said = decode_state(will.payload)
        assert (said.online, said.stopped) == (False, False)
        uplink.publish_state(State(online=True, boot="b1", version="0.1.0", config_digest="new"))
        port.sessions[0].lose()
        await until(lambda: len(port.sessions) == 2 and uplink.state == "live")
    digests = [decode_state(m.payload).config_digest for m in port.published if m.topic.endswith("/state")]
    assert digests == ["", "new", "new", "new"]
    assert port.states() == [True, True, True, False]
    assert [decode_state(m.payload).stopped for m in port.published if m.topic.endswith("/state")][-1]


async def test_without_a_watermark_it_does_not_call_itself_live(make, port, outbox):
    port.central_up = False
    uplink = make()
    async with running(uplink):
        fill(outbox, uplink, 3)
        await until(lambda: uplink.counters.rows_sent >= 3)
        assert uplink.state == "backlog"
        port.central_up = True
        port.sessions[-1].say_watermark()
        await until(lambda: uplink.state == "live")
    assert outbox.stats("movement").pending == 0


async def test_no_more_than_the_broker_acknowledges_is_under_way(make, port, outbox):
    port.acknowledging = False
    port.central_up = False
    uplink = make(max_inflight=5)
    async with running(uplink):
        await until(lambda: port.sessions)
        for _ in range(20):
            fill(outbox, uplink, 60)
        await until(lambda: port.sessions[0].unacknowledged >= 5)
        await asyncio.sleep(0.3)
        assert port.sessions[0].unacknowledged <= 5
        port.acknowledging = port.central_up = True
        port.sessions[0].unacknowledged = 0
        port.sessions[0].say_watermark()
        await until(lambda: outbox.stats("movement").pending == 0)


async def test_a_broker_that_takes_nothing_is_dialled_again(make, port, outbox):
    port.acknowledging = False
    uplink = make(ack_timeout_s=0.3)
    async with running(uplink):
        await until(lambda: len(port.sessions) > 1)
        port.acknowledging = True
    assert port.closes == len(port.sessions)


async def test_a_broker_that_takes_one_after_the_other_is_kept_however_much_is_under_way(make, port, outbox):
    """There is always something that it has not taken yet, and yet it takes all: it was left after 20 s."""
    clock = [0.0]
    port.acknowledging = False
    uplink = make(now_s=lambda: clock[0], ack_timeout_s=20.0)
    async with running(uplink):
        await until(lambda: port.sessions)
        session = port.sessions[0]
        for _ in range(4):
            fill(outbox, uplink, 1)
            await until(lambda: session.unacknowledged > 1 or session.closed)
            clock[0] += 15.0
            session.unacknowledged = 1
            session.on_change()
        fill(outbox, uplink, 1)
        await until(lambda: session.unacknowledged > 1 or session.closed)
        assert session.closed is None
        port.acknowledging, session.unacknowledged = True, 0


async def test_stop_drains_what_is_written_and_says_goodbye(make, port, outbox):
    uplink = make(drain_s=PATIENCE_S)
    task = asyncio.create_task(uplink.run())
    await until(lambda: uplink.state == "live")
    fill(outbox, uplink, 500)
    uplink.stop()
    assert uplink.state == "draining"
    await asyncio.wait_for(task, PATIENCE_S)
    assert outbox.stats("movement").pending == 0
    assert port.states() == [True, False]
    assert port.sessions[0].closed == "closed by us"


async def test_leaving_waits_for_no_row_and_says_no_goodbye(make, port, outbox):
    """The next round is there before anybody misses this one; what the central hasn't is kept."""
    uplink = make(drain_s=PATIENCE_S)
    task = asyncio.create_task(uplink.run())
    await until(lambda: uplink.central_heard)
    port.acknowledging = False
    fill(outbox, uplink, 500)
    uplink.leave()
    await asyncio.wait_for(task, PATIENCE_S)
    assert outbox.stats("movement").pending > 0
    assert port.states() == [True]
    assert port.sessions[0].closed == "closed by us"
    assert not uplink.central_heard


async def test_leaving_ends_a_dial_that_hangs(make, port):
    port.hanging = True
    uplink = make(connect_timeout_s=PATIENCE_S, drain_s=PATIENCE_S)
    task = asyncio.create_task(uplink.run())
    await until(lambda: port.attempts)
    uplink.leave()
    await asyncio.wait_for(task, PATIENCE_S)


async def test_stop_with_nobody_there_ends_after_its_time_and_keeps_the_rows(make, port, outbox):
    port.hanging = True
    uplink = make(drain_s=0.1)
    task = asyncio.create_task(uplink.run())
    await until(lambda: port.attempts)
    fill(outbox, uplink, 5)
    uplink.stop()
    uplink.stop()
    await asyncio.wait_for(task, PATIENCE_S)
    assert outbox.stats("movement").pending == 5


async def test_stop_with_nothing_to_send_does_not_dial_again(make, port):
    port.refusing = True
    uplink = make(drain_s=PATIENCE_S, reconnect_first_s=PATIENCE_S, reconnect_max_s=PATIENCE_S)
    task = asyncio.create_task(uplink.run())
    await until(lambda: port.attempts == 1)
    uplink.stop()
    await asyncio.wait_for(task, PATIENCE_S)
    assert port.attempts == 1


async def test_cancelling_closes_the_session(make, port):
    uplink = make()
    task = asyncio.create_task(uplink.run())
    await until(lambda: uplink.state == "live")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert port.closes == 1
    assert port.states() == [True, False]


async def test_health_is_published_only_while_connected(make, port):
    health = Health(gateway="gw-1", boot="b", at=instant(NOW_US), uptime_s=1.0, uplink="live", readers=[], streams=[])
    uplink = make()
    assert not uplink.publish_health(health)
    assert not uplink.ask_again(["gate/delta"])
    async with running(uplink):
        await until(lambda: uplink.state == "live")
        assert uplink.publish_health(health)
        assert uplink.ask_again(["gate/delta"])
        assert port.subscribed[-1] == "stockgate/v1/hq/gw-1/gate/delta"
    [message] = [m for m in port.published if m.topic.endswith("/health")]
    assert (message.qos, message.retain) == (0, False)
    assert not uplink.publish_health(health)


async def test_an_outbox_that_fails_is_asked_again_and_logged_twice(make, port, outbox, monkeypatch):
    monkeypatch.setattr("edge.uplink.forwarder.OUTBOX_RETRY_S", 0.01)
    works = outbox.pending

    def fail(*_args, **_kwargs):
        raise OutboxUnavailableError("outbox x: disk full: free space on it")

    uplink = make()
    with structlog.testing.capture_logs() as logs:
        async with running(uplink):
            monkeypatch.setattr(outbox, "pending", fail)
            fill(outbox, uplink, 3)
            await until(lambda: uplink.counters.outbox_failures > 2)
            monkeypatch.setattr(outbox, "pending", works)
            await until(lambda: outbox.stats("movement").pending == 0)
    assert len(port.sessions) == 1
    events = [entry["event"] for entry in logs if "outbox" in entry["event"]]
    assert events == ["outbox can't be worked with: trying again", "outbox works again"]


async def test_what_arrives_goes_to_whoever_takes_its_channel(port, outbox):
    taken = []

    def fail(channel, payload):
        raise RuntimeError("no")

    forwarder = Forwarder(
        outbox,
        port,
        site="hq",
        gateway="gw-1",
        birth=State(online=True, boot="b1", version="0.1.0"),
        settings=UplinkSettings(url="mqtt://localhost", **QUICK),
        rng=random.Random(1),
        inbound={"cmd/+": lambda channel, payload: taken.append((channel, payload)), "gate/delta": fail},
        bulky=("gate/delta",),
    )
    assert not forwarder.publish("reply/blink", b"{}")
    task = asyncio.create_task(forwarder.run())
    await until(lambda: forwarder.state == "live")
    root = "stockgate/v1/hq/gw-1/"
    assert port.subscribed == [root + "watermark", root + "cmd/+", root + "gate/delta"]
    for channel in ("gate/delta", "cmd/blink", "cmd/a/b", "gate/part/7"):
        port.sessions[-1].on_message(root + channel, b"x")
    assert taken == [("cmd/blink", b"x")]
    assert forwarder.counters.inbound_failures == 1
    assert forwarder.publish("reply/blink", b"{}")
    assert port.published[-1].topic == root + "reply/blink"
    forwarder.stop()
    await task


async def test_a_flood_of_watermarks_is_bounded_and_counted_and_an_alarm_still_goes(make, port, outbox):
    """Whoever may write to our topic sends a thousand at once, then without end, of nonsense, ten megabytes each."""
    uplink = make()
    flood = b"x" * 10_000_000
    topic = "stockgate/v1/hq/gw-1/watermark"
    async with running(uplink):
        await until(lambda: uplink.state == "live")
        session = port.sessions[-1]
        for _ in range(1_000):
            session.on_message(topic, flood)
        assert sum(map(len, uplink._watermarks)) < 16 * 200_000
        outbox.append("movement", [movement(1, kind="out")])
        uplink.notify()
        async with asyncio.timeout(PATIENCE_S):
            while not outbox.stats("movement").upto:
                session.on_message(topic, flood)
                await asyncio.sleep(0.0)
    assert uplink.counters.skipped_watermarks >= 900
    assert uplink.counters.bad_watermarks >= 16


async def test_messages_on_topics_that_nobody_asked_for_do_nothing(make, port, outbox):
    """A broker that is wrong, or worse, delivers what was never subscribed."""
    outbox.append("movement", [movement(1), movement(2)])
    port.central_up = False

    def mark(upto):
        streams = {"movement": StreamMark(epoch=outbox.epoch("movement"), upto=upto)}
        return encode(Watermark(session="s", now=instant(0), streams=streams))

    async with running(make()):
        await until(lambda: port.sessions)
        for where in ("", "watermark", "stockgate/v1/hq/gw-2/watermark", "stockgate/v1/hq/gw-1/watermark/x", "\u0000"):
            port.sessions[-1].on_message(where, mark(2))
        port.sessions[-1].on_message("stockgate/v1/hq/gw-1/watermark", mark(1))
        await until(lambda: outbox.stats("movement").upto)
        assert outbox.stats("movement").upto == 1
