"""The whole agent at a reader emulator of others: a laptop is carried out past its antennas, and one `out` arrives."""

import asyncio
import contextlib
import signal
import sys
import time
from pathlib import Path

from llrpkit.emulator import EmulatedTag, LLRPEmulator
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge.contracts import MovementRow, check_row, decode_envelope, decode_health, decode_row, topic
from tests.helpers.brokers import Nats

PATIENCE_S = 60.0
PROGRAM = Path(sys.executable).with_name("stockgate-edge")
LAPTOP = bytes.fromhex("3034257bf7194e4000000042")
SHELF = [EmulatedTag(bytes.fromhex(f"3034257bf7194e40000001{n:02x}"), (1,), -68.0, 0.2) for n in range(3)]
WALK = (
    # seconds, antennas that hear the laptop, RSSI: up to the door inside, through it, and away outside
    (0.6, (1, 2), -66.0),
    (0.6, (1, 2), -58.0),
    (0.6, (1, 2), -50.0),
    (0.5, (1, 2, 3, 4), -47.0),
    (0.6, (3, 4), -50.0),
    (0.6, (3, 4), -58.0),
    (0.6, (3, 4), -66.0),
)
CONFIG = """
site = "hq"
gateway = "hq-east-1"
[[readers]]
id = "r1"
host = "127.0.0.1"
port = {port}
[[portals]]
id = "stockroom-a-door"
inside = "stockroom-a"
outside = "corridor"
antennas = [
  {{ reader = "r1", port = 1, side = "inside" }}, {{ reader = "r1", port = 2, side = "inside" }},
  {{ reader = "r1", port = 3, side = "outside" }}, {{ reader = "r1", port = 4, side = "outside" }},
]
[mqtt]
url = "{url}"
[agent]
heartbeat_s = 0.5
"""


class Central:
    """Hears rows and heartbeats."""

    @property
    def finals(self):
        return [row for row in self.movements.values() if isinstance(row, MovementRow) and row.final]

    def __init__(self, port) -> None:
        self.movements, self.healths = {}, []
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id="central", clean_session=True)
        topics = [(topic("hq", "hq-east-1", name), 1) for name in ("movement", "health")]
        self.client.on_connect = lambda client, *_: client.subscribe(topics)
        self.client.on_message = self._message
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _message(self, _client, _data, message):
        if message.topic.endswith("health"):
            self.healths.append(decode_health(message.payload))
        else:
            # Nothing is confirmed here, so that a row comes again and again: by its number it is one.
            self.movements |= {row.seq: row for row in map(decode_row, decode_envelope(message.payload).events)}

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()
        self.client.on_connect = self.client.on_message = None


async def until(condition, what):
    begun_s = time.monotonic()
    while not condition():
        assert time.monotonic() - begun_s < PATIENCE_S, f"{what} did not come"
        await asyncio.sleep(0.02)


async def walk(emulator):
    """Carry the laptop by: the emulator draws each read from who is where now."""
    for seconds, antennas, rssi_dbm in WALK:
        emulator.tags = [*SHELF, EmulatedTag(LAPTOP, antennas, rssi_dbm, 3.0)]
        await asyncio.sleep(seconds)
    emulator.tags = list(SHELF)


@contextlib.asynccontextmanager
async def agent(folder, port, url):
    (folder / "edge.toml").write_text(CONFIG.format(port=port, url=url))
    words = ["run", "--config", folder / "edge.toml", "--data-dir", folder / "data"]
    with (folder / "agent.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(PROGRAM, *map(str, words), stdout=log, stderr=log)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0


async def test_a_walk_past_an_emulator_of_others_is_one_movement(tmp_path):
    broker = Nats(tmp_path)
    broker.start()
    central = Central(broker.port)
    try:
        async with (
            LLRPEmulator(tags=SHELF, reads_per_sec=150, model_number=2_001_002, firmware="5.14.0.240") as emulator,
            agent(tmp_path, emulator.port, broker.url),
        ):
            await until(lambda: central.healths and central.healths[-1].readers[0].state == "connected", "the session")
            await until(lambda: central.healths[-1].readers[0].reads > 100, "reads")
            await walk(emulator)
            await until(lambda: central.finals, "a final")
            health = central.healths[-1].readers[0]
    finally:
        central.stop()
        broker.stop()
    for row in central.movements.values():
        check_row(row)
    (final,) = central.finals
    assert (final.epc, final.kind, final.portal) == (LAPTOP.hex(), "out", "stockroom-a-door")
    assert {antenna.port for antenna in final.evidence.antennas} == {1, 2, 3, 4}
    assert (health.lost_reports, health.unlisted_reads) == (0, 0)
