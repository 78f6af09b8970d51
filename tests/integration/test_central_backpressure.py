"""A database that is slow, or down: what waits is bounded, the broker is slowed down, and nothing is lost."""

import asyncio
import contextlib
import uuid

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from central.ingest import waiting
from central.ingest.link import LinkSettings, PahoLink
from edge.contracts import topic
from tests.helpers.brokers import Mosquitto
from tests.helpers.central import GATEWAY, central, envelope, ingesting, movement, registered_database, until

MOVEMENT = topic("hq", GATEWAY, "movement")
ENVELOPES, WINDOW = 400, 100
"""The window is max_inflight_messages of deploy/mosquitto."""
FIRST = 60
"""Within the window: receipts for what the broker has queued would open it wider, up to its size for each."""


class SlowLog:
    """The store, whose commits wait until the test lets them go."""

    def __init__(self, log) -> None:
        self._log, self.free = log, asyncio.Event()

    def __getattr__(self, name):  # noqa: ANN204 (whatever the store has)
        return getattr(self._log, name)

    @contextlib.asynccontextmanager
    async def transaction(self):
        await self.free.wait()
        async with self._log.transaction() as transaction:
            yield transaction


@pytest.fixture
async def one():
    with registered_database() as dsn:
        async with central(dsn) as opened:
            yield opened


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Less of all; and a database may be slow for as long as a test on a busy machine takes."""
    less = {"HELD_FROM": 20, "RESUMED_AT": 5, "MAX_QUEUED": 1000, "MAX_BATCH_ROWS": 10, "HOLD_S": 120.0}
    for name, value in less.items():
        monkeypatch.setattr(waiting, name, value)


def payload(seq):
    return envelope([movement(seq, kind="near", after_s=seq)])


def sample(metrics, name):
    return metrics.registry.get_sample_value(name)


async def committed(one):
    return (await one.sql("SELECT count(*) FROM movement"))[0][0]


async def test_a_slow_database_fills_no_memory_and_the_broker_keeps_the_rest_until_it_is_committed(one, tmp_path):
    broker = Mosquitto(tmp_path)
    broker.start()
    log, link = SlowLog(one.log), PahoLink(LinkSettings(broker.url, client_id="slow-central"))
    try:
        async with ingesting(one, log=log, link=link) as (_link, ingest, _feed, metrics):
            await until(lambda: link.connected)
            await asyncio.to_thread(publish, broker.port, range(1, FIRST + 1))
            await until(lambda: sample(metrics, "stockgate_receipts_held") == 1)
            await asyncio.to_thread(publish, broker.port, range(FIRST + 1, ENVELOPES + 1))
            await asyncio.sleep(0.5)  # more would have come by now
            most = waiting.HELD_FROM + WINDOW
            assert waiting.HELD_FROM <= len(ingest.waiting) <= most
            assert await committed(one) == 0
            log.free.set()
            await until(lambda: sample(metrics, "stockgate_rows_total") == ENVELOPES)
            assert sample(metrics, "stockgate_receipts_held") == 0
            assert sample(metrics, "stockgate_messages_put_off_total") == 0
        assert await committed(one) == ENVELOPES
    finally:
        broker.stop()


def publish(port, seqs):
    """Publish envelopes; the broker has taken them when this returns."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=uuid.uuid4().hex)
    client.connect("127.0.0.1", port)
    client.loop_start()
    sent = [client.publish(MOVEMENT, payload(seq), qos=1) for seq in seqs]
    for one in sent:
        one.wait_for_publish(20)
    client.disconnect()
    client.loop_stop()


async def test_a_database_that_is_down_for_long_gives_receipts_again_and_puts_off_what_finds_no_room(one, monkeypatch):
    monkeypatch.setattr(waiting, "HOLD_S", 0.1)
    monkeypatch.setattr(waiting, "MAX_QUEUED", 200)
    log = SlowLog(one.log)
    async with ingesting(one, log=log) as (link, ingest, _feed, metrics):
        link.connect()
        for seq in range(1, ENVELOPES + 1):
            link.deliver(MOVEMENT, payload(seq))
        assert link.held
        await until(lambda: not link.held)
        assert len(ingest.waiting) <= waiting.MAX_QUEUED
        put_off = sample(metrics, "stockgate_messages_put_off_total")
        assert put_off == ENVELOPES - waiting.MAX_QUEUED
        log.free.set()
        await until(lambda: sample(metrics, "stockgate_rows_total") == waiting.MAX_QUEUED)
        for seq in range(1, ENVELOPES + 1):  # what an edge does that hears no watermark
            link.deliver(MOVEMENT, payload(seq))
            await asyncio.sleep(0)
            await until(lambda: len(ingest.waiting) < waiting.MAX_QUEUED)
        await until(lambda: sample(metrics, "stockgate_rows_total") == ENVELOPES)
    assert await committed(one) == ENVELOPES
