"""Smart readers through real brokers: what is published becomes reads, what is lost is said."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Self

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge.contracts import LossRow, SensorRow
from edge.readers import GpiSettings
from edge.readers.smart import SmartSettings, session, smart_reader
from edge.readers.smart.subscriber import Subscriber
from tests.helpers.brokers import Mosquitto, free_port
from tests.helpers.kept import kept

TOPIC = "doors/east/reads"


class Reader:
    """A smart reader's publishing side."""

    def __init__(self, port) -> None:
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id="smart-reader")
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def say(self, payload, **how):
        """Publish one payload, whatever it is."""
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.client.publish(TOPIC, data, qos=1, **how).wait_for_publish(10)


def settings(broker, kind, **knobs):
    """Settings for a broker."""
    knobs = {"antennas": (1, 2), "backoff_base_s": 0.05, "backoff_max_s": 0.2, "client_id": "gw-1-s1"} | knobs
    return SmartSettings(id="s1", topic=TOPIC, format=kind, broker_host="127.0.0.1", broker_port=broker.port, **knobs)


def now_text():
    """Now, as readers write it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def impinj(number, port=1):
    """One tag event."""
    tag = {"epcHex": f"30{number:022x}", "antennaPort": port, "peakRssiCdbm": -5000, "frequency": 865_700}
    return {"timestamp": now_text(), "eventType": "tagInventory", "tagInventoryEvent": tag}


def zebra(number, **data):
    """One tag event."""
    fields = {"eventNum": number, "format": "epc", "idHex": f"30{number:022x}", "antenna": 2, "peakRssi": -50}
    return {"type": "CUSTOM", "timestamp": now_text(), "data": fields | data}


async def test_reads_arrive_with_the_readers_own_times(broker):
    async with kept(smart_reader, settings(broker, "impinj-iot")) as agent:
        await agent.until_state("connected")
        with Reader(broker.port) as reader:
            reader.say([impinj(1), impinj(2, port=2)])
            reader.say(impinj(3))
        await agent.until(lambda agent: len(agent.tags) == 3)
        assert [(int.from_bytes(epc[1:]), port) for epc, port in agent.tags] == [(1, 1), (2, 2), (3, 1)]
        chunk = next(chunk for chunk in agent.chunks if len(chunk.batch))
        assert chunk.clock.source == "reader"
        assert abs(chunk.batch.last_us[0] + chunk.clock.offset_us - chunk.arrival_us) < 2_000_000
        health = agent.keeper.health()
        assert (health.reads, health.lost_reports, health.problem) == (3, 0, session.LOSSY)
        await agent.until(lambda agent: not len(agent.chunks[-1].batch))
        assert agent.chunks[-1].arrival_us > chunk.arrival_us, "time passes without reads"


async def test_gaps_in_event_numbers_are_losses(broker):
    async with kept(smart_reader, settings(broker, "zebra-iotc")) as agent:
        await agent.until_state("connected")
        with Reader(broker.port) as reader:
            reader.say([zebra(1), zebra(2)])
            await agent.until(lambda agent: len(agent.tags) == 2)
            reader.say(zebra(6, reads=3))
        await agent.until(lambda agent: len(agent.tags) == 3)
        (loss,) = [row for row in agent.rows if isinstance(row, LossRow)]
        assert (loss.reason, loss.count) == ("event_number_gap", 3)
        health = agent.keeper.health()
        assert (health.reads, health.lost_reports) == (5, 3)


async def test_malformed_payloads_are_counted_and_told_once_and_stop_nothing(broker):
    async with kept(smart_reader, settings(broker, "zebra-iotc")) as agent:
        await agent.until_state("connected")
        with Reader(broker.port) as reader:
            for _ in range(5):
                reader.say(b"\xff not json")
            reader.say([zebra(1), {"data": {"idHex": "zz", "eventNum": 2}}, zebra(3)])
        await agent.until(lambda agent: len(agent.tags) == 2)
        assert agent.keeper.health().lost_reports == 6
        assert agent.keeper.counters.bad_messages == 6
        told = [entry for entry in agent.logs if "can't all be read" in entry["event"]]
        assert len(told) == 1
        losses = [row for row in agent.rows if isinstance(row, LossRow)]
        assert {row.reason for row in losses} == {"undecodable_report"}


async def test_what_the_broker_retained_is_left_out(broker):
    with Reader(broker.port) as reader:
        reader.say(impinj(1), retain=True)
        async with kept(smart_reader, settings(broker, "impinj-iot")) as agent:
            await agent.until_state("connected")
            reader.say(impinj(2))
            await agent.until(lambda agent: agent.tags)
            assert [int.from_bytes(epc[1:]) for epc, _ in agent.tags] == [2]


async def test_a_broker_that_dies_leaves_a_gap_and_is_found_again(broker):
    async with kept(smart_reader, settings(broker, "impinj-iot")) as agent:
        await agent.until_state("connected")
        with Reader(broker.port) as reader:
            reader.say(impinj(1))
        await agent.until(lambda agent: agent.tags)
        broker.kill()
        assert (await agent.until_state("lost")).problem.startswith(f"reader s1 ({TOPIC} on 127.0.0.1:")
        broker.start()
        health = await agent.until_state("connected")
        assert health.reconnects == 1
        with Reader(broker.port) as reader:
            reader.say(impinj(2))
        await agent.until(lambda agent: len(agent.tags) == 2)
        assert "reader_disconnected" in {row.reason for row in agent.rows}


async def test_inputs_and_missing_antenna_ports(broker):
    gpis = (GpiSettings(port=1, kind="door"),)
    async with kept(smart_reader, settings(broker, "impinj-iot", antennas=(2,), gpis=gpis)) as agent:
        await agent.until_state("connected")
        with Reader(broker.port) as reader:
            bare = impinj(1)
            del bare["tagInventoryEvent"]["antennaPort"]
            gpi = {"timestamp": now_text(), "gpiTransitionEvent": {"gpi": 1, "transition": "high-to-low"}}
            reader.say([bare, gpi, gpi | {"gpiTransitionEvent": {"gpi": 3, "transition": "high-to-low"}}])
        await agent.until(lambda agent: agent.tags)
        assert agent.tags[0][1] == 2, "its only antenna"
        (row,) = agent.rows
        assert isinstance(row, SensorRow)
        assert (row.gpi, row.kind, row.state) == (1, "door", False)


async def test_silence_is_told_and_is_no_proof_of_life(broker):
    async with kept(smart_reader, settings(broker, "impinj-iot", silence_s=0.6)) as agent:
        await agent.until(lambda agent: "nothing has come for 0.6 s" in agent.keeper.health().problem)
        count = len(agent.chunks)
        await asyncio.sleep(0.6)
        assert len(agent.chunks) == count, "no time is let pass for a reader that may be dead"
        with Reader(broker.port) as reader:
            reader.say(impinj(1))
        await agent.until(lambda agent: agent.keeper.health().problem == session.LOSSY)
        assert len(agent.said("nothing comes from the reader")) == len(agent.said("the reader is heard again")) == 1


async def test_messages_that_a_slow_sink_leaves_are_dropped_and_counted(broker, monkeypatch):
    monkeypatch.setattr("edge.readers.smart.subscriber.MOST_HELD", 5)
    subscribers = []

    class Watched(Subscriber):
        def __init__(self, *args) -> None:
            super().__init__(*args)
            subscribers.append(self)

    monkeypatch.setattr(session, "Subscriber", Watched)
    gate = asyncio.Event()

    async def slow(chunk):
        if len(chunk.batch):
            await gate.wait()

    async with kept(smart_reader, settings(broker, "impinj-iot"), sink=slow) as agent:
        await agent.until_state("connected")
        with Reader(broker.port) as reader:
            await asyncio.to_thread(reader.say, impinj(0))
            await agent.until(lambda agent: agent.tags)
            for number in range(1, 21):
                await asyncio.to_thread(reader.say, impinj(number))
            # The broker's word that it has a message is no word that the agent has it.
            await agent.until(lambda _: subscribers[0].dropped == 15)
        gate.set()
        await agent.until(lambda agent: "mqtt_buffer_overflow" in {row.reason for row in agent.rows})
        await agent.until(lambda agent: len(agent.tags) == 6)
        (loss,) = [row for row in agent.rows if isinstance(row, LossRow)]
        assert loss.count == agent.keeper.health().lost_reports == 15


async def test_an_absent_broker_is_told_in_words_once():
    class Nobody:
        port = free_port()

    async with kept(smart_reader, settings(Nobody, "impinj-iot")) as agent:
        assert "is it running, and is the URL right?" in (await agent.until_state("lost")).problem
        await asyncio.sleep(0.3)
        assert len(agent.said("reader lost")) == 1


@pytest.mark.system("mosquitto")
async def test_a_wrong_password_and_a_missing_password_file_are_told(tmp_path):
    """Mosquitto with a plain password file of its own making."""
    passwords, ours = tmp_path / "passwords", tmp_path / "ours"
    passwords.write_text("edge:$7$101$" + "A" * 16 + "==$" + "B" * 86 + "==\n")
    broker = Mosquitto(tmp_path, extra=f"allow_anonymous false\npassword_file {passwords}\n")
    broker.start()
    try:
        ours.write_text("wrong\n")
        knobs = {"username": "edge", "password_file": ours}
        async with kept(smart_reader, settings(broker, "impinj-iot", **knobs)) as agent:
            problem = (await agent.until_state("lost")).problem
            assert "check user name, password file and its access rules" in problem
        async with kept(
            smart_reader, settings(broker, "impinj-iot", **knobs | {"password_file": tmp_path / "x"})
        ) as agent:
            assert "give a readable file" in (await agent.until_state("lost")).problem
    finally:
        broker.stop()
