"""The running agent obeys signed commands that come over a real broker, once each."""

import asyncio
import contextlib
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge.contracts import Health, decode_command, decode_health, decode_reply, topic
from tests.helpers.brokers import Nats
from tests.helpers.commands import KEY_LINE, STRANGER, command
from tests.helpers.conformance.bench import sim_reader

PATIENCE_S = 120.0
"""Only a command that is never answered takes so long; a busy machine starts an agent in half a minute."""
PROGRAM = Path(sys.executable).with_name("stockgate-edge")
CONFIG = """
site = "hq"
gateway = "gw-1"
[[readers]]
id = "r1"
host = "127.0.0.1"
port = {port}
backoff_max_s = 0.5
outputs = [{{ output = 1 }}]
[[portals]]
id = "stockroom-a-door"
inside = "stockroom-a"
outside = "corridor"
antennas = [
  {{ reader = "r1", port = 1, side = "inside" }}, {{ reader = "r1", port = 2, side = "outside" }},
]
[mqtt]
url = "{url}"
drain_s = 0.2
[trust]
central_keys = ["{key}"]
"""


@dataclass
class Central:
    """Gives commands and hears the answers."""

    port: int
    health: list[Health] = field(default_factory=list)
    replies: list = field(default_factory=list)

    def __enter__(self):  # noqa: ANN204 (itself)
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id="central", clean_session=True)
        wanted = [(topic("hq", "gw-1", "health"), 0), (topic("hq", "gw-1", "reply/+"), 1)]
        self.client.on_connect = lambda client, *_: client.subscribe(wanted)
        self.client.on_message = self._hear
        self.client.connect("127.0.0.1", self.port)
        self.client.loop_start()
        return self

    def __exit__(self, *_) -> None:
        self.client.disconnect()
        self.client.loop_stop()
        self.client.on_connect = self.client.on_message = None

    def _hear(self, _client, _data, message):
        if message.topic.endswith("/health"):
            self.health.append(decode_health(message.payload))
        else:
            self.replies.append(decode_reply(message.payload))

    async def until(self, condition, what):
        begun_s = time.monotonic()
        while not condition():
            assert time.monotonic() - begun_s < PATIENCE_S, f"{what}: {self.health[-1:]} {self.replies}"
            await asyncio.sleep(0.02)

    async def in_session(self):
        """Wait for a heartbeat from now on that says that the reader is there."""
        self.health.clear()
        await self.until(lambda: self.health and self.health[-1].readers[0].state == "connected", "the reader is there")

    async def ask(self, payload, name):
        """Give a command and return its answer."""
        before = len(self.replies)
        self.client.publish(topic("hq", "gw-1", f"cmd/{name}"), payload, qos=1)
        await self.until(lambda: len(self.replies) > before, f"answer to {name}")
        return self.replies[-1]


@contextlib.asynccontextmanager
async def agent(folder):
    words = ["run", "--config", folder / "edge.toml", "--data-dir", folder / "data"]
    with (folder / "agent.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(PROGRAM, *map(str, words), stdout=log, stderr=log)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), PATIENCE_S)


def nonce_of(payload):
    """The nonce of a command that was given."""
    return decode_command(payload).nonce


async def feed(reader):
    """Let antenna 1 hear two tags and antenna 2 one, ten times a second."""
    while True:
        reader.put(1, 2, antenna=1)
        reader.put(3, antenna=2)
        await asyncio.sleep(0.1)


async def test_a_running_agent_obeys_signed_commands_and_no_others(tmp_path):
    """Blink, survey, count and begin anew at a reader; a stranger's, a replayed and an oversized one do nothing."""
    broker = Nats(tmp_path)
    broker.start()
    feeding = None
    try:
        async with sim_reader() as reader:
            told = CONFIG.format(port=reader.port, url=broker.url, key=KEY_LINE)
            (tmp_path / "edge.toml").write_text(told)
            feeding = asyncio.create_task(feed(reader))
            with Central(broker.port) as central:
                async with agent(tmp_path):
                    await central.in_session()

                    blink = command("blink", device="r1", output=1, seconds=1)
                    assert (await central.ask(blink, "blink")).ok
                    assert "given before" in (await central.ask(blink, "blink")).problem
                    wrong = await central.ask(command("blink", device="r1", output=2), "blink")
                    assert "output 2 is not among its wired ones" in wrong.problem
                    forged = await central.ask(command("blink", key=STRANGER, device="r1", output=1), "blink")
                    assert "isn't so" in forged.problem

                    survey = await central.ask(command("survey", reader="r1", seconds=2), "survey")
                    assert survey.ok, survey.problem
                    assert (survey.result["antenna 1 tags"], survey.result["antenna 2 tags"]) == (2, 1)
                    assert survey.result["antenna 1 reads"] >= survey.result["antenna 2 reads"] > 0

                    sweep = await central.ask(command("sweep", reader="r1", seconds=3), "sweep")
                    assert sweep.ok, sweep.problem
                    assert sweep.result["tags"] == 3

                    before = len(central.replies)
                    central.client.publish(topic("hq", "gw-1", "cmd/blink"), command("blink", text="x" * 70_000))
                    await central.in_session()
                    assert len(central.replies) == before, "what can't be read can't be answered"

                    soon = await central.ask(command("restart-reader", reader="r1"), "restart-reader")
                    while not soon.ok:
                        assert "a command blinded reader r1" in soon.problem
                        await asyncio.sleep(5)
                        soon = await central.ask(command("restart-reader", reader="r1"), "restart-reader")
                    await central.until(lambda: central.health[-1].readers[0].reconnects == 1, "session begun anew")
                    await central.in_session()
                    assert nonce_of(blink) in (tmp_path / "data" / "commands-used.txt").read_text()
    finally:
        if feeding is not None:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
        broker.stop()
