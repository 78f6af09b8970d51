"""A gateway that was away holds what the central says now, by a reader that shares no code; and hostile messages."""

import contextlib
import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from central.app import _now
from edge.contracts import topic
from edge.contracts.topics import GATE_DELTA, GATE_MANIFEST
from tests.helpers.brokers import BROKERS
from tests.helpers.central import GATEWAY, central, epc, registered_database
from tests.helpers.commands import KEY_LINE, STRANGER
from tests.helpers.gate import Gate
from tests.helpers.gate_edge import gate_edge
from tests.helpers.gate_messages import delta, entry, messages
from tests.helpers.publishing import allow, publishing, until

ABSENT_FOR = 100


@pytest.fixture
def mosquitto(tmp_path):
    """A private Mosquitto."""
    started = BROKERS["mosquitto"](tmp_path)
    started.start()
    yield started
    started.stop()


def by_reader(gate, tags):
    """A hash of what the tests' own reader of the topics makes of them."""
    entries = gate.entries() or {}
    told = [(tag, sorted(_plain(*one) for one in entries.get(tag, []))) for tag in tags]
    return hashlib.sha256(repr(told).encode()).hexdigest()


def by_edge(snapshot, tags):
    """The same of what the agent holds."""
    told = [(tag, sorted((*one[:2], one[2], one[3]) for one in snapshot.find(bytes.fromhex(tag)))) for tag in tags]
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _plain(verdict, boundary, start, end):
    return verdict, boundary, _us(start, -(2**63)), _us(end, 2**63 - 1)


def _us(at, end):
    if at is None:
        return end
    at = datetime.fromisoformat(at) if isinstance(at, str) else at
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def counters(keeper):
    """What the agent holds, as (generation, n)."""
    return keeper.snapshot and (keeper.snapshot.generation, keeper.snapshot.n)


@pytest.mark.system("mosquitto")
async def test_an_edge_absent_during_100_deltas_ends_equal_by_hash(mosquitto, tmp_path):
    """And over a new generation; after a start from disk without a broker, too."""
    tags, folder = [epc(number) for number in range(1, 4)], tmp_path / "data"
    with registered_database() as dsn:
        async with central(dsn) as one, publishing(_with(one, dsn), mosquitto, tmp_path) as (_, keys, _):
            lines = [key.line for key in keys.keys]
            with contextlib.closing(Gate(mosquitto.port, lines, GATEWAY)) as reader:
                async with gate_edge(mosquitto.url, folder, lines, GATEWAY) as keeper:
                    generation, n = await until(reader.counters)
                    await until(lambda: counters(keeper) == reader.counters())
                for number in range(ABSENT_FOR):
                    before = reader.payloads["delta"]
                    end = _now() + timedelta(hours=1, minutes=number)
                    await allow(one, f"LT-000{1 + number % 3}", "hq", name=f"B-{number}", until_=end)
                    await until(lambda before=before: reader.payloads["delta"] != before)
                assert reader.counters()[0] > generation or reader.counters()[1] >= n + ABSENT_FOR
                async with gate_edge(mosquitto.url, folder, lines, GATEWAY) as keeper:
                    await until(lambda: counters(keeper) == reader.counters())
                    assert by_edge(keeper.snapshot, tags) == by_reader(reader, tags)
                    assert any(len(keeper.snapshot.find(bytes.fromhex(tag))) > 2 for tag in tags)
                    assert keeper.counters.refused == {}
                    held = keeper.snapshot
                async with gate_edge("mqtt://127.0.0.1:9", folder, lines, GATEWAY) as again:
                    assert by_edge(again.snapshot, tags) == by_edge(held, tags)
                    assert counters(again) == (held.generation, held.n)


def _with(one, dsn):
    one.dsn = dsn
    return one


async def test_hostile_messages_over_a_broker_change_nothing(broker, tmp_path):
    """Garbage on gate topics, a replayed and an unsigned snapshot, oversized parts: refused and counted."""
    with contextlib.closing(Gate(broker.port, [KEY_LINE], "gw-1")) as peer:

        def say(channel, payload):
            peer.client.publish(topic("hq", "gw-1", channel), payload, qos=1)

        async with gate_edge(broker.url, tmp_path / "data", [KEY_LINE], "gw-1") as keeper:
            await until(lambda: _held(keeper, say))
            for channel in (GATE_MANIFEST, GATE_DELTA, "gate/part/3", "gate/part/999"):
                say(channel, b"\x00garbage")
            for message in messages(1, [entry(1)]):
                say(*message)
            for message in messages(9, [entry(1)], key=STRANGER):
                say(*message)
            say("gate/part/4", bytes(200_000))
            say(GATE_DELTA, delta(2, 1, [entry(2)]))
            expected = {"unreadable": 4, "replayed": 1, "untrusted": 1, "oversized": 1}
            # A broker keeps the order of one topic, not that of several: the delta may come before the rest.
            await until(lambda: keeper.counters.deltas == 1 and _refused(keeper) >= expected.items())
            assert counters(keeper) == (2, 1)
            assert _refused(keeper) >= expected.items()
            assert [one.verdict for one in keeper.snapshot.find(bytes.fromhex(entry(1).epc))] == ["allow"]


def _refused(keeper):
    return dict(keeper.counters.refused).items()


def _held(keeper, say):
    """Say a generation until the agent, whose subscription may still be on its way, holds it."""
    for message in messages(2, [entry(1)]):
        say(*message)
    return keeper.snapshot is not None


async def test_what_a_broker_left_out_it_sends_when_it_is_asked_again(broker, tmp_path):
    """NATS gives up loading retained messages after a while, and says nothing."""
    some = [*messages(1, [entry(number) for number in range(30)]), (GATE_DELTA, delta(1, 1))]
    with contextlib.closing(Gate(broker.port, [KEY_LINE], "gw-1")) as peer:
        for channel, payload in some:
            peer.client.publish(topic("hq", "gw-1", channel), payload, qos=1, retain=True).wait_for_publish(20)
        left_out = [some[0][0], some[1][0], GATE_DELTA]
        async with gate_edge(
            broker.url, tmp_path / "data", [KEY_LINE], "gw-1", left_out=left_out, quiet_s=0.2
        ) as keeper:  # fmt: skip
            await until(lambda: counters(keeper) == (1, 1))
            assert keeper.counters.refused == {}
