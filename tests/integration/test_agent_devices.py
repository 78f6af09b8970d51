"""The whole agent with readers that speak no LLRP: a walk past a serial reader becomes a movement at the broker."""

import asyncio
import json
import math

import pytest
import structlog
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge import config
from edge.agent.compose import serve
from edge.agent.leftover import Leftover
from edge.contracts import MovementRow, SensorRow, decode_envelope, decode_health, decode_row, decode_state, instant
from tests.helpers.brokers import Nats
from tests.helpers.fake_serial import FakeModbusBoard, FakeUhfReader
from tests.helpers.kept import now_us

EPC = bytes.fromhex("303425f7bc1c0a4000000007")
RESIDENT = bytes.fromhex("303425f7bc1c0a4000000001")
CONFIG = """
site = "hq"
gateway = "hq-east-1"
[[readers]]
id = "s1"
serial = "{serial}"
protocol = "uhfreader288"
[[readers]]
id = "m1"
mqtt_topic = "doors/north/reads"
format = "zebra-iotc"
[[boards]]
id = "b1"
serial = "{board}"
protocol = "modbus"
outputs = 2
gpis = [{{ port = 1, kind = "beam", debounce_ms = 20 }}]
[[portals]]
id = "east"
inside = "stockroom"
outside = "corridor"
antennas = [{{ reader = "s1", port = 1, side = "inside" }}, {{ reader = "s1", port = 2, side = "outside" }}]
[[portals]]
id = "north"
inside = "stockroom"
outside = "yard"
antennas = [{{ reader = "m1", port = 1, side = "inside" }}, {{ reader = "m1", port = 2, side = "outside" }}]
[mqtt]
url = "{url}"
drain_s = 0.2
[agent]
heartbeat_s = 0.3
"""
PATIENCE_S = 60.0


class Listener:
    """Keeps what the agent publishes."""

    def __init__(self, port) -> None:
        self.by_seq, self.healths, self.states = {}, [], []
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id="listener")
        self.client.on_message = self._message
        self.client.connect("127.0.0.1", port)
        self.client.subscribe("stockgate/v1/hq/hq-east-1/+", qos=1)
        self.client.loop_start()

    def _message(self, _client, _data, message):
        channel = message.topic.rsplit("/", 1)[1]
        if channel == "movement":
            rows = [decode_row(bytes(raw)) for raw in decode_envelope(message.payload).events]
            self.by_seq |= {row.seq: row for row in rows}
        elif channel == "health":
            self.healths.append(decode_health(message.payload))
        elif channel == "state":
            self.states.append(decode_state(message.payload))

    @property
    def rows(self):
        """Rows by their numbers: without a central they are sent again and again."""
        return [row for _, row in sorted(self.by_seq.items())]

    def stop(self):
        """Hang up."""
        self.client.disconnect()
        self.client.loop_stop()
        self.client.on_message = None

    def finals(self, epc):
        """Kinds of a tag's finals."""
        return [row.kind for row in self.rows if isinstance(row, MovementRow) and row.final and row.epc == epc.hex()]

    async def until(self, condition):
        """Wait until `condition()` holds."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110 (conditions of many kinds, none of which can notify)
                await asyncio.sleep(0.05)


def levels(position_m):
    """Raw RSSI at an antenna 1 m inside and one 1 m outside of the doorway, falling with 40 dB a decade."""
    return {
        antenna: round(112 - 40 * math.log10(max(0.5, math.hypot(position_m - place_m, 1.0))))
        for antenna, place_m in ((1, -1.0), (2, 1.0))
    }


async def walk(show, from_m, to_m, *, seconds=3.0, step_s=0.04):
    """Carry the tag along the door's axis; `show(levels)` makes the reader hear it so."""
    steps = int(seconds / step_s)
    for step in range(steps + 1):
        show(levels(from_m + (to_m - from_m) * step / steps))
        await asyncio.sleep(step_s)


@pytest.fixture
def broker(tmp_path):
    """A private broker."""
    nats = Nats(tmp_path)
    nats.start()
    yield nats
    nats.stop()


async def test_a_walk_past_a_serial_and_a_smart_reader_becomes_movements(broker, tmp_path):
    serial, board = tmp_path / "reader", tmp_path / "board"
    text = CONFIG.format(serial=serial, board=board, url=broker.url)
    (tmp_path / "edge.toml").write_text(text)
    parsed = config.load(tmp_path / "edge.toml")
    data, stop, listener = tmp_path / "data", asyncio.Event(), Listener(broker.port)
    data.mkdir()
    async with FakeUhfReader(serial, tags={}) as reader, FakeModbusBoard(board) as relays:
        how = {"base": tmp_path, "data_dir": data, "metrics": None, "stop": stop, "log": structlog.get_logger()}
        agent = asyncio.create_task(serve(parsed, leftover=Leftover(data, log=structlog.get_logger()), **how))
        try:
            await listener.until(lambda: listener.healths and {"connected"} == _states(listener))
            await _walk_serial(reader)
            relays.inputs[0] = True
            await _walk_smart(listener)
            await listener.until(lambda: listener.finals(EPC) == ["out", "in"])
            await listener.until(lambda: any(isinstance(row, SensorRow) and row.state for row in listener.rows))
            assert listener.finals(RESIDENT) == []
            assert {one.id: one.profile for one in listener.states[-1].readers} == {
                "s1": "serial/uhfreader288",
                "m1": "mqtt/zebra-iotc",
            }
            clocks = {row.portal: row.clock.source for row in listener.rows if isinstance(row, MovementRow)}
            assert clocks == {"east": "host", "north": "reader"}
        finally:
            stop.set()
            await agent
            listener.stop()
    assert relays.relays[:2] == [False, False]


def _states(listener):
    return {reader.state for reader in listener.healths[-1].readers}


async def _walk_serial(reader):
    """Out through the east door, past a tag on a shelf inside."""

    def show(heard):
        reader.tags = {antenna: [(EPC, level)] for antenna, level in heard.items()}
        reader.tags[1].append((RESIDENT, 80))

    await walk(show, -4.0, 4.0)
    reader.tags = {1: [(RESIDENT, 80)]}


async def _walk_smart(listener):
    """In through the north door, as a Zebra reader tells it."""
    number = 0

    def show(heard):
        nonlocal number
        events = []
        for antenna, level in heard.items():
            number += 1
            data = {"eventNum": number, "idHex": EPC.hex(), "antenna": antenna, "peakRssi": level - 160}
            events.append({"type": "CUSTOM", "timestamp": instant(now_us()), "data": data})
        listener.client.publish("doors/north/reads", json.dumps(events), qos=1)

    await walk(show, 4.0, -4.0)
